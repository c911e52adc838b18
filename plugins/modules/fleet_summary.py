#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sum up what a run did to its Macs, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_summary
short_description: Sum up on the controller what a run did to each Mac, and what went wrong, by reason
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Takes what the tasks of a play have registered for each Mac. Makes one line for each Mac, one paragraph for each
    reason with the Macs that have it and what to do, and the numbers. Writes them as a CSV and a JSON file too.
  - It runs on the controller and connects to no Mac. It does the same in check mode.
  - With C(serial), a summary before the last batch is one line, which says how far the run has come. The whole summary
    comes with the last batch, and with a batch after which Ansible ends the play. A Mac of a later batch is then named
    as not begun.
  - The playbooks of this collection that change Macs end with it. They let a Mac that fails go on to this task, and
    have it fail afterwards, with O(state=judged).
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.report_module
  - keyholder.macos._attributes.actiongroup_all
options:
  state:
    description:
      - V(told) sums up all Macs of the play. Give the task C(run_once).
      - V(judged) fails if the run did not do on this Mac what was asked, and counts a Mac that could not be reached as
        unreachable.
    type: str
    choices: [told, judged]
    default: told
  before:
    description:
      - The variable in which each Mac's result of M(keyholder.macos.trust_info) was registered before anything was
        changed. A Mac that does not have it was not begun.
      - If it is left out, no Mac was read first. A Mac without any result was then not begun.
    type: str
    default: ''
  results:
    description: Where the results of the modules that change the Mac are.
    type: list
    elements: dict
    required: true
    suboptions:
      variable:
        description: The variable in which the result was registered. It may be that of a loop.
        type: str
        required: true
      what:
        description: What the result is about. If it is left out, the account that the result names.
        type: str
        default: ''
      done:
        description: What was done if the task says C(changed). If it is left out, what its account shows.
        type: str
        default: ''
  after:
    description: The variable in which M(keyholder.macos.trust_info) was registered at the end.
    type: str
    default: ''
  failed:
    description: The variable that holds the result of the task that ended the work on a Mac, such as
      C(ansible_failed_result) in a C(rescue).
    type: str
    default: ''
  says:
    description: The variable that holds one line about each Mac, which the summary shows in place of its own words.
    type: str
    default: ''
  shows:
    description: What of each Mac is shown before and after. V(holders) is how many of its accounts hold a Secure Token.
    type: str
    choices: [holders, filevault, bootstrap_token, macos]
    default: holders
  title:
    description: The headline. If it is left out, the name of the play.
    type: str
  dest:
    description:
      - The folder on the controller for the files. It is made if it is missing.
      - If it is left out, no files are written.
    type: path
  file:
    description: The name of the files, without their endings. In check mode, C(-check) is added to it.
    type: str
    default: summary
  max_fail_percentage:
    description: What the play has as C(max_fail_percentage), so that the summary knows whether this batch is the last.
    type: float
    default: 100
seealso:
  - module: keyholder.macos.audit_report
  - module: keyholder.macos.trust_info
"""

EXAMPLES = r"""
- name: Sum up what was done to all Macs of the play
  keyholder.macos.fleet_summary:
    before: trust_before
    results:
      - variable: ana_account
    after: trust_after
    dest: ./summaries
    file: ana
  run_once: true
"""

RETURN = r"""
summary:
  description: The summary in lines for a terminal, or one line of progress.
  returned: with O(state=told)
  type: list
  elements: str
files:
  description: The files that were written.
  returned: with O(state=told)
  type: list
  elements: str
counts:
  description: How many Macs ended how.
  returned: with O(state=told)
  type: dict
failure:
  description: In a line, which Macs are not as asked, and the codes of the reasons. Empty if none is.
  returned: with O(state=told)
  type: str
troubled:
  description: The Macs that are not as asked, those that did not answer among them.
  returned: with O(state=told)
  type: list
  elements: str
ended:
  description: Whether this is the whole summary.
  returned: with O(state=told)
  type: bool
outcome:
  description: What became of this Mac.
  returned: with O(state=judged)
  type: str
reason:
  description: The stable code of the first failure. The guide to reasons explains each code.
  returned: failure
  type: str
"""
