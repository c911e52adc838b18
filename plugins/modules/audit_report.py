#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a report about a fleet, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_report
short_description: Report on the controller which Macs are recoverable and compliant, which are not, and why
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Takes what M(keyholder.macos.trust_info) returned for each Mac of the play, or what an earlier run has saved, judges
    it by a policy, and writes a report. The report is a page, tables, and data for other systems.
  - It runs on the controller and connects to no Mac. It does the same in check mode, because it changes no Mac.
  - A Mac that did not answer, or could not be read, is in the report with the reason.
  - An option that cannot be used is refused with a reason code before anything is made. The files are written beside
    their places and put there once all of them are whole. If there is no room for the new report, the earlier one stays
    whole, and O(history) does not contain the new audit.
  - The page is one file and asks the network for nothing. Names that came from a Mac can be neither markup, nor a
    formula of a spreadsheet, nor an escape sequence of a terminal.
extends_documentation_fragment:
  - keyholder.macos._attributes
  - keyholder.macos._attributes.report_module
  - keyholder.macos._attributes.actiongroup_all
options:
  dest:
    description:
      - The folder on the controller for the files. It is made if it is missing.
      - Required, except with O(pack) and O(validate_only). A relative path begins in the folder in which
        ansible-playbook was started.
    type: path
  name:
    description: The name of the files, without their endings.
    type: str
    default: audit
  title:
    description: The headline.
    type: str
    default: Audit of the Macs
  formats:
    description:
      - What to write.
      - V(html), one page. V(json), everything, by the schema in C(docs/schema/audit-2.json) of the collection. V(csv),
        two tables, the Macs and the findings. V(junit), a suite for each Mac and a case for each rule. V(markdown), a
        page for a ticket. V(readings), what came back from each Mac, a line of JSON each, which O(saved) takes.
    type: list
    elements: str
    choices: [html, json, csv, junit, markdown, readings]
    default: [html, json, csv, junit, markdown, readings]
  variable:
    description: The variable that each Mac's result of M(keyholder.macos.trust_info) was registered in.
    type: str
    default: keyholder_reading
  hosts:
    description:
      - The Macs whose variables to look at.
      - If it is left out, all hosts of the play, or none with O(saved) or O(packed).
    type: list
    elements: str
  pack:
    description:
      - Write nothing, and return each Mac's answer as a short text in RV(packed), for C(set_stats). Slices of a job
        cannot share a variable, because the last one wins, so each Mac has one of its own.
    type: bool
    default: false
  packed:
    description: Take the answers from variables that an earlier job has set from RV(packed).
    type: bool
    default: false
  expected:
    description:
      - The Macs that the jobs before were to read. A Mac without an answer in O(packed) is in the report as
        unreachable.
      - If there is no packed answer at all, this option is not used.
    type: list
    elements: str
    default: []
  saved:
    description:
      - Files with answers. Reports as JSON, and readings with the ending C(.jsonl). If a Mac has two answers, the first
        one counts, and this run's before all others.
      - A damaged file does not end the task. RV(notes) names it. A Mac whose answer is damaged is in the report as
        refused, with the reason V(reading_damaged), and so is a Mac of O(expected) without an answer in another file.
        The report is then a partial one, see O(partial).
      - The readings that this report itself leaves in O(dest) may be one of them. It then keeps every Mac that it had
        and that was not read now. The first time they need not be there. One report at a time is made in a folder.
    type: list
    elements: path
    default: []
  policy:
    description:
      - A policy, or a list of them, on top of the collection's own baseline and O(policy_files). It may set parameters,
        change rules, add rules and exempt. See R(the guide to audits,
        ansible_collections.keyholder.macos.docsite.guide_audit).
    type: raw
  policy_files:
    description: Files with policies, in YAML.
    type: list
    elements: path
    default: []
  history:
    description:
      - An SQLite file that keeps the readings of every audit, so that the report can show what has changed, and a
        trend. It is made if it is missing, and can only be added to.
      - O(validate_only) refuses a file that is no history. If the history fails once the Macs are read, the report is
        made all the same. RV(notes) and RV(summary) say that it failed, and why. Rows that no audit has written are
        skipped, and counted there.
    type: path
  since:
    description:
      - Compare with what O(history) had by then. A day, or a day and a time.
      - If it is left out, compare with the last audit. Each Mac is compared with itself when it was last in an audit,
        and its rules and holders with those when it was last read.
    type: str
  partial:
    description:
      - Only some of the Macs were to be read, for example with C(--limit). The audit is kept in O(history) and
        compared, but it reports no Mac as gone, and is left out of the trend.
    type: bool
    default: false
  validate_only:
    description: Only say whether the report could be made, before any Mac is read. It makes the folder O(dest) and the
      file O(history) if they are missing, and writes no report.
    type: bool
    default: false
  fail_on:
    description:
      - Fail, once the report is written, if a Mac fails a rule that is as severe as this, or more. A rule that the
        reading does not answer counts as failed, and the message names those Macs by themselves. A Mac that was not
        read is not counted.
      - With V(recoverable) or V(compliant), fail if one Mac is not. One that is unknown is not, nor is one that was not
        read.
    type: str
    choices: [critical, high, medium, low, info, recoverable, compliant, never]
    default: never
  columns:
    description:
      - Names of inventory variables, such as C(owner) and C(department), whose values the report shows of each Mac. The
        page, the CSV, the JSON and the JUnit report have them.
      - A variable that may be a secret, by its name, is refused.
    type: list
    elements: str
    default: []
  about:
    description: What the head of the report says of itself. For example the organisation, the scope, and who made it.
    type: dict
    default: {}
  publish:
    description:
      - A folder outside the controller that gets a copy of all files of the report, for a controller that does not
        last, such as the container of an AWX job.
      - V(https://HOST/FOLDER) is a web server that takes PUT. V(webdav+https://HOST/FOLDER) is WebDAV, where missing
        folders are made. V(s3://BUCKET/FOLDER) is S3, and V(s3+https://HOST/BUCKET/FOLDER) a server that speaks like
        it; both need C(boto3) on the controller. V(git+https://HOST/REPOSITORY), V(git+ssh://USER@HOST/REPOSITORY) and
        V(git+file:///REPOSITORY) are git repositories, which need the program C(git). The report is a commit on the
        branch that the repository shows first. C(//FOLDER) behind the name of a remote repository is a folder in it.
      - The history of O(history) is kept there as well, except on a plain web server, which refuses O(history). Before
        the report is made, all audits that the place has are fetched into the file O(history), and afterwards they are
        put back with the new one. Two audits at once lose neither. Each leaves a file, and the next audit unites them.
      - With O(partial), the report goes to the folder C(limited) there, so that the report about all Macs stays. A
        report that takes up its own readings with O(saved) is about all Macs.
      - O(validate_only) puts a small file there and takes it away again. If the place does not take the report, the
        task fails with RV(reason) V(report_unpublished), but the report on the controller is made all the same.
      - O(pack) publishes nothing.
    type: str
  publish_user:
    description:
      - Who logs in there. The user of a web server, WebDAV or git over HTTPS, or the access key of S3.
      - If it is left out for S3, C(boto3) looks for credentials as it always does.
    type: str
  publish_password:
    description:
      - The password, the token or the secret key. Without O(publish_user), a web server or WebDAV gets it as a bearer
        token.
      - Over http, it is refused, except for a server on the controller itself.
    type: str
  publish_key_file:
    description: The file with the SSH key for V(git+ssh://). If it is left out, SSH finds one as it always does.
    type: path
  publish_page:
    description:
      - The address under which readers open the folder O(publish), if it is another one than that. RV(page) begins so.
    type: str
  recovery_key_store:
    description:
      - The folder in which M(keyholder.macos.recovery_key_store) keeps the encrypted keys of these Macs. The report
        then says who has each Mac's recovery key by what the Mac shows and what the folder holds, and whether a stored
        one has died because macOS has made another one since.
      - A key in the folder is as old as its file, so a copy of the folder must keep the dates of the files.
      - A key belongs to the Mac's name in the inventory. If the Mac is erased or exchanged and keeps its name, the
        folder still has the key from before, and nothing on the Mac shows that unless an MDM server got the new one.
        Move that key away then.
    type: path
seealso:
  - module: keyholder.macos.trust_info
  - plugin: keyholder.macos.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Report on all Macs of the play
  keyholder.macos.audit_report:
    dest: ./audit
    history: ./audit/history.sqlite
    policy:
      parameters:
        managed_admins: [itadmin]
        oldest_macos: "15"
      exemptions:
        - rule: filevault_on
          macs: ["kiosk-*"]
          by: Nadia, IT security
          until: 2027-03-31
          why: They hold no data and must start without a user.
  run_once: true

- name: Make one report of two saved ones
  keyholder.macos.audit_report:
    dest: ./all
    saved: [berlin/audit.jsonl, lisbon/audit.jsonl]
  delegate_to: localhost
  run_once: true

- name: Keep the report and its history in a bucket
  keyholder.macos.audit_report:
    dest: ./audit
    history: ./audit/history.sqlite
    publish: s3+https://storage.example.com/reports/macs
    publish_user: "{{ vault_reports_access_key }}"
    publish_password: "{{ vault_reports_secret_key }}"
    publish_page: https://reports.example.com/macs
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
files:
  description: The files that were written.
  returned: success
  type: list
  elements: str
page:
  description: The address of the page at O(publish).
  returned: when the report was published
  type: str
summary:
  description: The report in a few lines for a terminal. The two numbers, what has changed, and what to do by cause.
  returned: success
  type: list
  elements: str
fleet:
  description: The numbers. How many C(macs), how many of them are C(recoverable) and C(compliant), how many are in each
    of the C(states), the C(worst) severity of a failed rule, how many of each C(macos), each rule's results, and the
    C(causes) with their Macs and commands.
  returned: success
  type: dict
changes:
  description: What has changed since the audit that this one is compared with, a thousand Macs at most.
  returned: success
  type: list
  elements: dict
notes:
  description: What went wrong beside the Macs, for example a file of O(saved) that could not be read, or a history that
    failed. It is in RV(summary) and in the files as well.
  returned: success
  type: list
  elements: str
reason:
  description: The stable code of a failure. R(The guide to reasons,
    ansible_collections.keyholder.macos.docsite.guide_reasons) says what each of them means.
  returned: failure
  type: str
remedy:
  description: What to do about it.
  returned: failure
  type: str
packed:
  description: With O(pack), each Mac's answer by the name of a variable.
  returned: when O(pack) is set
  type: dict
"""
