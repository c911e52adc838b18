# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a text harmless to a terminal: the filter plain."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plain
short_description: Make a text harmless to show
version_added: 0.1.0
author:
  - keyholder.macos contributors (@keyholder)
description:
  - Puts a question mark in the place of each character that may steer a terminal, break the line, turn the direction of
    the text around, or that is invisible.
  - What the collection's modules return is already harmless. What a Mac says to Ansible itself, for example when the
    connection fails, is not.
options:
  _input:
    description: The text.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what SSH said
  ansible.builtin.debug:
    msg: "{{ trust.msg | keyholder.macos.plain }}"
"""

RETURN = r"""
_value:
  description: The text, with as many characters as before.
  type: str
"""

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils import _text


def plain(text: t.Any) -> str:
    """Return the text as it may be shown."""
    return _text.plain(str(text))


class FilterModule:
    """Hold what Ansible looks for in this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"plain": plain}
