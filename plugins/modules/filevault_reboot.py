#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart a Mac past FileVault's unlock screen, and wait until it is back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: filevault_reboot
short_description: Restart a Mac past FileVault's unlock screen, and wait until it is back
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Restarts a Mac and waits until it has started again. If FileVault is on, macOS is first told to come up with the
    volume unlocked (C(fdesetup authrestart)), so that the play can go on.
  - It does not restart a Mac that would stay at its unlock screen, because SSH does not reach it there.
  - The password reaches C(fdesetup) as a property list on its standard input.
  - The Mac's own boot time shows that it is back. A connection that breaks while the Mac goes down is no failure.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.change_module
  - keyholder.macos._attributes.actiongroup_all
  - keyholder.macos._one_run
attributes:
  async:
    support: none
    details:
      - A part of it runs on the controller.
  idempotent:
    support: none
    details:
      - It restarts the Mac on each run.
options:
  user:
    description:
      - The short name of a holder of a Secure Token, who authenticates. Needed only if FileVault is on.
    type: str
  password:
    description:
      - The password of O(user).
    type: str
  current_key:
    description:
      - The recovery key that the Mac has now, to authenticate with in place of O(user).
    type: str
  ssh_unlock:
    description:
      - Whether to restart a Mac even if it cannot restart past its unlock screen, and then unlock it by an SSH login of
        O(user) with O(password). This needs macOS 26 or newer, with Remote Login on.
      - It is also tried if macOS promised to come up unlocked and did not. The password is sent once, to one prompt, by
        C(keyboard-interactive).
      - How macOS 26 does this is known from Apple's source and from what others have published. Try it first on a Mac
        that you can walk to.
      - The controller needs OpenSSH, and the connection plugin P(ansible.builtin.ssh#connection).
      - It needs the Mac's host key in a file of known hosts as well, whatever C(host_key_checking) says. Without it the
        Mac is not restarted, because the password goes to a known host key alone.
    type: bool
    default: false
  require_comes_back:
    description:
      - Whether to refuse the restart, with RV(reason=would_not_come_back), unless everything says that the Mac can be
        unlocked over SSH afterwards. What could not be read does not say so. It looks at the switch and the host keys
        on the preboot volume, at O(user) among those that it knows, at the network, and at Platform SSO's policy.
      - It matters with O(ssh_unlock) only, on a Mac that cannot restart past its unlock screen.
      - With V(false) the Mac is restarted all the same, and RV(notes) says what speaks against it.
    type: bool
    default: true
  reboot_timeout:
    description:
      - Seconds to wait for the Mac to come back.
    type: int
    default: 600
  timeout:
    description:
      - Seconds that each of the commands may take.
    type: int
    default: 120
notes:
  - If C(fdesetup supportsauthrestart) says true, that does not guarantee that the Mac comes up unlocked, its manual
    says. If it does not, the task fails with RV(reason=waits_for_unlock) where the Mac answers SSH at its unlock screen
    (macOS 26 and newer), and else with RV(reason=not_back).
  - While it waits it looks at the Mac by key alone, because a Mac at its unlock screen takes a login by password for an
    attempt to unlock it. A Mac that takes no key is asked by the connection's own password. While FileVault is not off,
    that is done once if the Mac does not let it in, and not at all before O(ssh_unlock) has unlocked it.
seealso:
  - module: keyholder.macos.filevault
"""

EXAMPLES = r"""
- name: Restart, whether FileVault is on or not
  keyholder.macos.filevault_reboot:
    user: itadmin
    password: "{{ vault_itadmin_password }}"
  become: true
"""

RETURN = r"""
state:
  description:
    - C(filevault) (its status) and C(authrestart) (whether macOS says that it can restart past the unlock screen),
      C(before) and C(after), both as read before the restart.
  returned: always
  type: dict
plan:
  description: The steps, in words and without secrets.
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
elapsed:
  description: Seconds from the restart until the Mac was back.
  returned: when the Mac was restarted
  type: int
reason:
  description: The stable code of the failure. The guide to reasons explains each code.
  returned: failure
  type: str
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.restart import RestartRequest

SPEC: dict[str, t.Any] = {
    "user": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "current_key": {"type": "str", "no_log": True},
    "ssh_unlock": {"type": "bool", "default": False},
    "require_comes_back": {"type": "bool", "default": True},
    "reboot_timeout": {"type": "int", "default": 600},
    "timeout": {"type": "int", "default": 120},
    **_module_change.RUNNER,
}


def request(params: t.Mapping[str, t.Any]) -> RestartRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, RestartRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
