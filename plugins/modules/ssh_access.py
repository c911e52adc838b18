#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep one account from coming in over SSH while macOS runs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_access
short_description: Keep one account from coming in over SSH while macOS runs
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Has C(sshd) let one account in by no method, by a file of its own in C(/etc/ssh/sshd_config.d). No method that takes
    a password is offered to it, so nobody's guesses over SSH count against the account.
  - The file lies on the volume that FileVault locks. The C(sshd) of the unlock screen has settings of its own, so the
    account can still unlock the Mac over SSH, on macOS 26 and newer.
  - C(sshd) itself says, before and after, which settings count for the account. A file with which C(sshd) would not
    start is taken away by the command that finds that out.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._own_account
  - keyholder.macos._one_run
options:
  name:
    description:
      - The short name of the account, of letters, digits, C(_), C(.), C(-) and C(@). With O(state=allowed) there need
        not be such an account any more.
    type: str
    required: true
  state:
    description:
      - V(denied) has C(sshd) refuse the account. V(allowed) takes the file away again. What else refuses the account is
        left alone, and RV(notes) names it.
    type: str
    choices: [denied, allowed]
    default: denied
  timeout:
    description:
      - Seconds that each of the commands may take. A command that does not answer is stopped, and the task fails with
        RV(reason=timeout).
    type: int
    default: 120
notes:
  - The groups C(com.apple.access_ssh) and C(com.apple.access_ssh-disabled) are left alone. The first one exists only
    while Remote Login lets in certain users, and would have to name all others.
  - macOS before 12 reads no such file, so the module refuses with RV(reason=macos_too_old) there.
seealso:
  - module: keyholder.macos.parked_holder
"""

EXAMPLES = r"""
- name: Keep the account that may only unlock FileVault from coming in over SSH
  keyholder.macos.ssh_access:
    name: unlock
  become: true

- name: Let it in again
  keyholder.macos.ssh_access:
    name: unlock
    state: allowed
  become: true
"""

RETURN = r"""
state:
  description:
    - What C(sshd) said C(before) and C(after). In check mode, C(after) is the prediction.
    - C(refused_by_sshd) is null if C(sshd) did not say. C(by_this_collection) says whether the account has a file.
  returned: always
  type: dict
  sample:
    before: {name: unlock, exists: true, refused_by_sshd: false, by_this_collection: false}
    after: {name: unlock, exists: true, refused_by_sshd: true, by_this_collection: true}
plan:
  description: The steps, in words. Empty when nothing has to change.
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
  sample: own_account
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.ssh_access import SshAccessRequest

SPEC: dict[str, t.Any] = {
    **_module_change.OWN_ACCOUNT,
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["denied", "allowed"], "default": "denied"},
    "timeout": {"type": "int", "default": 120},
    **_module_change.RUNNER,
}


def request(params: t.Mapping[str, t.Any]) -> SshAccessRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, SshAccessRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
