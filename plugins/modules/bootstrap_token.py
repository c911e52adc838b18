#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Escrow, remove or validate the Bootstrap Token."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bootstrap_token
short_description: Escrow a Mac's Bootstrap Token to its MDM server, remove it, or have it validated
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - The Bootstrap Token lets macOS grant Secure Tokens by itself at a graphical login, and authorises software
    updates on Apple silicon. The MDM (mobile device management) server of the Mac keeps it in escrow.
  - Before the first write, the module checks the version of macOS, the enrolment, the server, and that the granter is
    an administrator who holds a Secure Token.
  - The status is one of V(unsupported), V(not_enrolled), V(not_escrowed), V(escrowed_unproven) and V(valid). A token
    on the server may still not work. Only V(valid) is proven.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._one_run
options:
  state:
    description:
      - V(escrowed) creates a Bootstrap Token and escrows it, unless the server has one.
      - V(absent) removes it. After that, no account gets a Secure Token by itself.
      - V(validated) makes sure that the escrowed token works. If macOS says so by itself (13.3 and newer), no account
        is authenticated. Otherwise the granter is, on each run.
    type: str
    choices: [escrowed, absent, validated]
    default: escrowed
  admin_user:
    description:
      - The short name of the granter, an administrator of the Mac who holds a Secure Token.
    type: str
  admin_password:
    description:
      - The granter's password. It is typed at the prompt of C(profiles), on a terminal of its own, once the prompt
        has appeared.
      - That prompt takes 128 bytes; a longer password is refused.
    type: str
  timeout:
    description:
      - Seconds that each of the commands may take.
    type: int
    default: 120
notes:
  - macOS limits how often C(profiles) may be asked. The module reports its "Request too soon" with
    RV(reason=too_soon), and does not try again.
seealso:
  - module: keyholder.macos.trust_info
"""

EXAMPLES = r"""
- name: Escrow the Bootstrap Token
  keyholder.macos.bootstrap_token:
    state: escrowed
    admin_user: itadmin
    admin_password: "{{ vault_itadmin_password }}"
  become: true
"""

RETURN = r"""
state:
  description:
    - The Bootstrap Token C(before) and C(after). Its C(status), and the evidence for it. C(supported_on_server),
      C(crypto_user) (whether the volume knows it), C(preflight) (whether macOS would use it, from 13.3 on) and
      C(enrolled).
  returned: always
  type: dict
  sample:
    before: {status: not_escrowed, supported_on_server: true, crypto_user: false, preflight: false, enrolled: true}
    after: {status: valid, supported_on_server: true, crypto_user: true, preflight: true, enrolled: true}
plan:
  description: The steps, in words and without secrets. Empty when nothing has to change.
  returned: always
  type: list
  elements: str
notes:
  description:
    - What the user should know beside the steps, one sentence each. Empty if there is nothing to say.
    - Each is also a warning. Act on this list, because ansible-core does not keep the warnings of a loop's results.
  returned: always
  type: list
  elements: str
reason:
  description: The stable code of the failure. The guide to reasons explains each code.
  returned: failure
  type: str
  sample: not_enrolled
evidence:
  description: What each command printed, as evidence.
  returned: failure
  type: list
  elements: str
remedy:
  description: What to do about it.
  returned: failure
  type: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.keyholder.macos.plugins.module_utils import _module_change
from ansible_collections.keyholder.macos.plugins.module_utils._plan.bootstrap import BootstrapRequest

SPEC: dict[str, t.Any] = dict(
    _module_change.ADMIN,
    state={"type": "str", "choices": ["escrowed", "absent", "validated"], "default": "escrowed"},
)


def request(params: t.Mapping[str, t.Any]) -> BootstrapRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, BootstrapRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
