#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at all that a run on a Mac needs, before the run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Look at all that a run on a Mac needs, before the run
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Looks at the way to the Mac (name, port, host key, login, sudo), at the Mac (macOS, Python, Full Disk Access,
    clock), at the accounts that the variables of this collection's roles and playbooks name, and at their passwords,
    stores and recipients. The playbook C(keyholder.macos.preflight) uses it. See R(the guide,
    ansible_collections.keyholder.macos.docsite.guide_preflight).
  - It never fails because of what it finds. Everything that is wrong is a verdict with what to do about it. A Mac that
    does not answer has its verdicts as well.
  - It writes nothing on the Mac or the controller. It authenticates no account but the one that Ansible logs in with,
    by SSH and for sudo. Each other password is compared with the account's hash on the Mac.
  - It uses new connections, and none that Ansible has kept open. If Ansible logs in by password, a connection by key
    comes first, and the password is not sent to a Mac that says that it waits at FileVault's unlock screen.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.info_module
  - keyholder.macos._attributes.actiongroup_all
options:
  report:
    description:
      - Look at no Mac. Instead, make one report of what the tasks before have registered in O(variable) of each host of
        the play, and look at the inventory.
    type: bool
    default: false
  variable:
    description: With O(report), the variable that each Mac's result was registered in.
    type: str
    default: keyholder_checked
  dest:
    description:
      - With O(report), a file on the controller for all that was found, in JSON. It is written in check mode, too.
    type: path
  fail_on:
    description:
      - With O(report), what RV(problem) is about. With V(stops), what would stop a run. With V(any), whatever is wrong
        or unknown. With V(never), nothing.
    type: str
    choices: [stops, any, never]
    default: stops
  timeout:
    description: Seconds that each command on the Mac may take.
    type: int
    default: 120
seealso:
  - module: keyholder.macos.trust_info
  - ref: ansible_collections.keyholder.macos.docsite.guide_preflight
    description: What is looked at, and what each verdict means.
"""

EXAMPLES = r"""
- name: Look at all that a run on this Mac needs
  keyholder.macos.preflight:
  become: true
  register: keyholder_checked
  ignore_errors: true
  ignore_unreachable: true

- name: Make one report of all Macs
  keyholder.macos.preflight:
    report: true
  delegate_to: localhost
  run_once: true
  register: found

- name: Show it
  ansible.builtin.debug:
    msg: "{{ found.lines }}"
  run_once: true
"""

RETURN = r"""
verdicts:
  description:
    - Without O(report), one verdict at least for each check. Its C(check); its C(state), one of V(ok), V(failed),
      V(unknown) and V(not_asked); C(words) on what was found; as C(remedy) what to do; and in C(stops) whether a run
      would stop.
  type: list
  elements: dict
  returned: if O(report) is false
lines:
  description: The report for a terminal. The table, the causes, and the numbers.
  type: list
  elements: str
  returned: if O(report) is true
problem:
  description: What is wrong by O(fail_on), V('') if nothing is.
  type: str
  returned: if O(report) is true
fleet:
  description: The verdicts on what is looked at once. The group C(macs), the names of variables, and C(forks).
  type: list
  elements: dict
  returned: if O(report) is true
causes:
  description: Each trouble as a verdict, and in C(macs) the Macs that have it.
  type: list
  elements: dict
  returned: if O(report) is true
stopped:
  description: The Macs on which a run would stop.
  type: list
  elements: str
  returned: if O(report) is true
troubled:
  description: The other Macs on which something is wrong or unknown.
  type: list
  elements: str
  returned: if O(report) is true
"""
