# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what a template stood for that Ansible has made text of, on the controller and before ansible-core 2.19.

There ``"{{ person.id }}"`` is text whatever ``person.id`` is, so an action sees no more that it was a number. From 2.19
on a template keeps the kind of its value, and nothing here is asked.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ansible.parsing.mod_args import ModuleArgsParser

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import Spec

_REFERENCE = re.compile(
    r"\{\{ \s* ( [A-Za-z_] [\w.]* (?: \[ [^][{}()]+ \] [\w.]* )* ) \s* (?: \| \s* default \( [^(){}]* \) \s* )? \}\}",
    re.VERBOSE,
)
"""A variable, a part of it, or that with a default: what is looked up once more for its kind. Nothing else is, as a
lookup may cost or do something."""

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date",
    "datetime": "a date",
    "dict": "a dictionary",
    "AnsibleMapping": "a dictionary",
    "list": "a list",
    "AnsibleSequence": "a list",
    "tuple": "a list",
    "set": "a list",
    "bytes": "bytes",
    "NoneType": "empty (null)",
}


def check_written(spec: Spec, task: t.Any, templar: t.Any) -> None:
    """Raise :class:`Refusal` for a text option of the task that got what is no text, by a template."""
    if not hasattr(templar, "SINGLE_VAR") or not isinstance(getattr(task, "_ds", None), Mapping):
        return
    _action, written, _delegated = ModuleArgsParser(task_ds=task.get_ds()).parse(skip_action_validation=True)

    def kind_of(variable: str) -> str:
        return str(templar.template(f"{{{{ {variable} | default('') | type_debug }}}}"))

    _check_entry(spec, written, kind_of, "")


def _check_entry(spec: Spec, written: Mapping[str, t.Any], kind_of: t.Callable[[str], str], before: str) -> None:
    for option, source in written.items():
        entry = spec.get(option, {})
        sources = list(enumerate(source)) if isinstance(source, list) else [(None, source)]
        for index, one in sources:
            label = before + option + ("" if index is None else f"[{index}]")
            if isinstance(one, Mapping):
                _check_entry(entry.get("options", {}), one, kind_of, f"{label}.")
            elif isinstance(one, str) and _is_text(entry, index is not None):
                _check_one(label, one, kind_of)


def _is_text(entry: Mapping[str, t.Any], in_list: bool) -> bool:
    kind = entry.get("elements", "str") if in_list else entry.get("type", "str")
    return bool(entry) and kind in ("str", "path") and not entry.get("choices")


def _check_one(label: str, source: str, kind_of: t.Callable[[str], str]) -> None:
    reference = _REFERENCE.fullmatch(source.strip())
    kind = _KINDS.get(kind_of(reference[1])) if reference else None
    if kind:
        raise Refusal("not_text", f"{label} is {kind}, and must be text")
