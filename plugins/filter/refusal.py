# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say why variables with names and secrets must not be handed on: the filter refusal."""

from __future__ import annotations

DOCUMENTATION = r"""
name: refusal
short_description: Say why names, passwords and lists of them must not be used
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - YAML makes the number 5349 of a name C(0012345) that is written without quotes, and Ansible makes the text V(5349)
    of that, which may be another user's account. This filter looks at the variables while they still have their own
    kind, and before any Mac is touched.
  - It refuses names and secrets that are not text, names that macOS's tools do not take, passwords that are hashes, and
    lists that are not lists.
  - The roles and playbooks of this collection begin with it.
options:
  _input:
    description:
      - The variables, each by its name. A value of V(none) is not looked at.
      - The end of a variable's name tells what it holds. C(password), C(secret) and C(current_key) hold a secret, which
        is never shown. C(user), C(users), C(name) and C(names) hold accounts. C(dir) and C(path) hold text. The same
        goes for the keys of a list's entries. In those, C(full_name), C(hint), C(home), C(shell) and C(picture) must be
        text, too.
    type: dict
    required: true
  lists:
    description: Those of the variables that must be lists.
    type: list
    elements: str
    default: []
  required:
    description: Those of the variables that must be given. V(none), V('') and C(omit) are not.
    type: list
    elements: str
    default: []
seealso:
  - plugin: ansible.builtin.assert
    plugin_type: module
"""

EXAMPLES = r"""
- name: Check that names and passwords are text, before any Mac is touched
  ansible.builtin.assert:
    that: problem == ''
    fail_msg: "{{ problem }}"
    quiet: true
  vars:
    problem: >-
      {{ {'staff': staff, 'it_password': it_password | default(none)} | keyholder.macos.refusal(lists=['staff']) }}
"""

RETURN = r"""
_value:
  description:
    - V('') if all variables are as they must be. Otherwise what is wrong with the first that is not, what to do about
      it, and the reason code in brackets. See R(the guide to reasons,
      ansible_collections.keyholder.macos.docsite.guide_reasons).
  type: str
"""

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import check_variables


def refusal(variables: t.Mapping[str, t.Any], lists: t.Sequence[str] = (), required: t.Sequence[str] = ()) -> str:
    """Return why the variables are refused, "" if they are not."""
    try:
        check_variables(variables, lists, required)
    except Refusal as problem:
        return problem.told
    return ""


class FilterModule:
    """Hold what Ansible looks for in this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"refusal": refusal}
