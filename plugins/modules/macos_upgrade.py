#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a Mac to a macOS that is new enough, authorised by an owner of its volume, and wait until it runs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: macos_upgrade
short_description: Update or upgrade a Mac's macOS, authorised by an owner of its volume
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Installs a macOS that C(softwareupdate) offers, or that an installer application on the Mac has (O(installer)), lets
    macOS restart the Mac, and waits until the Mac runs it.
  - A Mac whose macOS is new enough is left alone, and no password is used.
  - On Apple silicon an owner of the volume has to authorise another macOS. The password reaches C(softwareupdate), or
    the application's C(startosinstall), on its standard input (C(--user), C(--stdinpass)). An Intel Mac needs no owner.
    If FileVault is on there, a holder has the next restart come up with the volume unlocked (C(fdesetup authrestart)).
  - A Mac that is not ready for an upgrade gets none. M(keyholder.macos.ready_for) says what is looked at. What could
    not be verified is no yes.
  - It succeeds if the Mac runs the new macOS afterwards. What these programs say of themselves is no proof. They say
    C(Restarting...), macOS prepares the update for some minutes more, and then it restarts the Mac by itself.
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
options:
  version:
    description:
      - The oldest macOS that will do, such as V(15.6.1), V(26.1) or V(26). Put it in quotes.
      - An older Mac gets the newest offered macOS that begins like that, so V(26) the newest offered macOS 26.
      - A beta is shown, and never installed. Whether an installer application (O(installer)) has one is not known.
      - If it is not given, nothing is installed, and RV(state) shows what is offered.
    type: str
  installer:
    description:
      - The path of an installer application on the Mac, such as V(/Applications/Install macOS Tahoe.app). Its
        C(startosinstall) then installs its macOS, and C(softwareupdate) is not asked.
      - The macOS that it has is read from its C(Info.plist). It must begin like O(version) and be newer than the Mac's.
      - Root starts this program, so only root may be able to write to the application and to the folders on the way.
        C(/Applications), in which every administrator may write, is the one exception.
      - Fetch one with C(softwareupdate --fetch-full-installer --full-installer-version VERSION).
    type: str
  user:
    description:
      - The short name of the account that authorises it, on Apple silicon an owner of the volume, on an Intel Mac with
        FileVault on a holder of a Secure Token. Any other Intel Mac needs none.
    type: str
  password:
    description:
      - The password of O(user). It is checked before anything is downloaded.
    type: str
  accept:
    description:
      - Checks that you have settled in another way, by the names that M(keyholder.macos.ready_for) has for them. They
        then speak against nothing.
      - V(recovery_key) is the one that a module on the Mac cannot verify while FileVault is on, because it does not see
        the store of your keys. Run M(keyholder.macos.ready_for) with the store first, as the playbook
        C(keyholder.macos.upgrade) does, and accept it here.
    type: list
    elements: str
    choices: [bootstrap_token, volume_owner, recovery_key, recoverable, power, finished]
    default: []
  battery:
    description:
      - How many percent the battery must have at least if the Mac runs on it. On the mains, any charge will do.
    type: int
    default: 50
  install_timeout:
    description:
      - Seconds that C(softwareupdate) may take to download and to accept the update, or C(startosinstall) to prepare
        it.
    type: int
    default: 7200
  reboot_timeout:
    description:
      - Seconds to wait for the Mac to come back with the new macOS, once the update was accepted. macOS prepares the
        update in this time as well.
    type: int
    default: 3600
  timeout:
    description:
      - Seconds that each of the other commands may take. C(softwareupdate --list) may take five minutes in any case.
    type: int
    default: 120
notes:
  - To see what is offered, also in check mode, the Mac asks Apple's servers over the network. That changes nothing but
    what macOS remembers of their answer. A Mac whose macOS is new enough does not ask.
  - The connection stays open while C(softwareupdate) downloads. Set C(ServerAliveInterval) in C(ansible_ssh_args) where
    a router forgets silent connections. If the connection breaks, macOS may go on, and the task waits for the outcome.
  - That an update which an owner has authorised restarts past FileVault's unlock screen is assumed. If the Mac waits at
    that screen instead, the task fails with RV(reason=waits_for_unlock) or RV(reason=not_back).
  - On an Intel Mac with FileVault on, an installation that fails leaves the next restart to come up with the volume
    unlocked, and RV(notes) says so. macOS has no way to take that back but that restart.
  - What C(startosinstall) asks, prints and takes is known from what its users have published, of macOS 10.14 to 14. How
    it ends is not used. On Apple silicon it authorises first and prepares then, for up to half an hour.
  - Never restart a Mac while macOS prepares an update. It starts the old macOS again.
seealso:
  - module: keyholder.macos.ready_for
  - module: keyholder.macos.filevault_reboot
  - module: keyholder.macos.trust_info
"""

EXAMPLES = r"""
- name: Show what is offered
  keyholder.macos.macos_upgrade:
  become: true

- name: Bring a Mac to macOS 15.6.1 or newer
  keyholder.macos.macos_upgrade:
    version: "15.6.1"
    user: itadmin
    password: "{{ vault_itadmin_password }}"
    # Somebody has looked whether the recovery key is in the MDM server.
    accept: [recovery_key]
  become: true

- name: Bring a Mac to macOS 26 by the installer application that lies on it
  keyholder.macos.macos_upgrade:
    version: "26"
    installer: /Applications/Install macOS Tahoe.app
    user: itadmin
    password: "{{ vault_itadmin_password }}"
  become: true
"""

RETURN = r"""
state:
  description:
    - C(version) and C(build) of macOS, C(before) and C(after). Which build an installer application has is not known
      before, and C("") in check mode. Without O(version) also C(offered), the names of each
      macOS that softwareupdate offers, which is null if it gave no list.
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
  description: Seconds from the beginning of the installation until the Mac was back.
  returned: when another macOS was installed
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
from ansible_collections.keyholder.macos.plugins.module_utils._plan.upgrade import UpgradeRequest

CHECKED = ("bootstrap_token", "volume_owner", "recovery_key", "recoverable", "power", "finished")
"""The checks that may be accepted."""

SPEC: dict[str, t.Any] = {
    "version": {"type": "str"},
    "installer": {"type": "str"},
    "user": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "accept": {"type": "list", "elements": "str", "choices": list(CHECKED), "default": []},
    "battery": {"type": "int", "default": 50},
    "install_timeout": {"type": "int", "default": 7200},
    "reboot_timeout": {"type": "int", "default": 3600},
    "timeout": {"type": "int", "default": 120},
    **_module_change.RUNNER,
}


def request(params: t.Mapping[str, t.Any]) -> UpgradeRequest:
    """Return what the module's options ask for."""
    return _module_change.request_of(params, UpgradeRequest)


def main() -> None:
    _module_change.change(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), request)


if __name__ == "__main__":
    main()
