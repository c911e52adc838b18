# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take from the inventory what a report shows beside the readings: columns of each Mac, and how commands name it.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import typing as t
from collections.abc import Mapping

from ansible import context

from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import shortened
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.commands import INVENTORY
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.escape import plain_text
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import is_list, is_text, kind_of

LONGEST = 200
"""Letters of a column's value."""

_SECRET = re.compile("pass|secret|token|vault|credential|api_?key|private|recovery_key|ansible_become", re.IGNORECASE)
"""Names of variables that are no column."""


def check_columns(value: t.Any) -> None:
    """Raise :class:`Refusal` for a column that may hold a secret: a report is read by many."""
    for name in value if is_list(value) else str(value or "").split(","):
        if not is_text(name) or (is_list(value) and not str(name).strip()):
            raise Refusal("value_unusable", f"columns holds {kind_of(name)}, and must hold names of variables")
        if _SECRET.search(str(name)):
            raise Refusal("value_unusable", f"columns holds {shortened(str(name))!r}, which may be a secret")


def columns_of(variables: Mapping[str, t.Any], names: t.Iterable[str]) -> dict[str, str]:
    """Return the values of some of a Mac's variables as texts; "" for one that it does not have, or that fails."""
    texts = {}
    for name in names:
        value: t.Any = None
        with contextlib.suppress(Exception):
            value = variables.get(name)
        texts[str(name)] = _text(value)
    return texts


def texts_of(value: Mapping[t.Any, t.Any]) -> dict[str, str]:
    """Return a dictionary's values as texts; what is empty is left out."""
    texts = {plain_text(name): _text(one) for name, one in value.items()}
    return {name: text for name, text in texts.items() if text}


def _text(value: t.Any) -> str:
    """Return a value as one line; a list's entries beside each other, and "" for what is no text or number."""
    if is_list(value):
        return ", ".join(filter(None, map(_text, value)))
    plain = is_text(value) or isinstance(value, (int, float))
    return plain_text(value)[:LONGEST] if plain else ""


def inventory_words(sources: t.Any) -> str:
    """Return the part of a command that names the inventory that this run has, and opens its vault as this run did."""
    paths = [str(source) for source in sources] if is_list(sources) else []
    here = os.getcwd() + os.sep
    shown = [path[len(here) :] if path.startswith(here) else path for path in paths]
    named = [f"-i {shlex.quote(path)}" for path in shown] or [INVENTORY]
    return " ".join([*named, *_vault_options(context.CLIARGS, here)])


def _vault_options(given: Mapping[str, t.Any], here: str) -> t.Iterator[str]:
    for name in ("vault_id", "vault_password_file"):
        for value in given.get(f"{name}s") or ():
            yield f"--{name.replace('_', '-')} {shlex.quote(str(value).replace(here, '', 1))}"
    if given.get("ask_vault_pass"):
        yield "--ask-vault-pass"
