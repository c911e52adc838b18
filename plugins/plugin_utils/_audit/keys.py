# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put together what a Mac says of its recovery key and what the store on the controller holds of it.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.keyholder.macos.plugins.module_utils._key_holder import facts_in, key_holder
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import key_view
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.mac import Answer
from ansible_collections.keyholder.macos.plugins.plugin_utils._key_store import stored_of


def check_store(folder: t.Any) -> None:
    """Raise :class:`Refusal` for a store that is not there: no Mac would have a key in it. "" and None: not given."""
    if folder and not os.path.isdir(os.path.expanduser(str(folder))):
        raise Refusal("value_unusable", f"recovery_key_store is {str(folder)!r}, and must be a folder that is there")


def with_store(answers: t.Iterable[Answer], folder: str | None) -> t.Iterator[Answer]:
    """Yield the answers; where a Mac was read, with who has its key by both. Without a store, they are as they were."""
    for answer in answers:
        yield answer if answer.mac is None or not folder else _with_stored(answer, answer.mac, Path(folder))


def _with_stored(answer: Answer, mac: t.Mapping[str, t.Any], folder: Path) -> Answer:
    said = key_holder(facts_in(mac), stored_of(folder, answer.host))
    return replace(answer, mac={**mac, "filevault": {**mac["filevault"], **key_view(said)}})
