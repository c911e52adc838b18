# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns what a Mac's programs have said into transcripts as the lab keeps them, with nothing that names anybody.

python -m harness.transcripts FOLDER HOST <answers.json    what record.yml does; writes FOLDER/mac-NUMBER.jsonl
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from proving.machine import Machine, machine, ran

# The same on every Mac, so they say something and name nobody.
KNOWN = {
    "EBC6C064-0000-11AA-AA11-00306543ECAC",  # the personal recovery key
    "2457711A-523C-4604-B75A-F48A571D5036",  # the Bootstrap Token
    "C064EBC6-0000-11AA-AA11-00306543ECAC",  # the institutional recovery key
    "64C0C6EB-0000-11AA-AA11-00306543ECAC",  # the iCloud recovery user
    "EC1C2AD9-B618-4ED6-BD8D-50F361C27507",  # the iCloud recovery key
}
GUID = re.compile(r"\b[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\b", re.IGNORECASE)
# Accounts that macOS itself brings.
SYSTEM = re.compile(r"_.*|root|daemon|nobody|Guest")
SYSTEM_GUID = re.compile(r"F{4}E{4}-D{4}-C{4}-B{4}-A{4}[0-9A-F]{8}", re.IGNORECASE)
OTHERS = (
    (re.compile(r"\b(?:[A-Z0-9]{4}-){5}[A-Z0-9]{4}\b"), "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"),
    (re.compile(r"\bSHA1\.[0-9A-F]{40}\b", re.IGNORECASE), "SHA1." + "0" * 40),
    (re.compile(r"/Active Directory/[^:;\s\"']+"), "/Active Directory/EXAMPLE/ad.example.com"),
    (re.compile(r"https?://[^\s\"'<>]+"), "https://mdm.example.com/"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "person@example.com"),
)


def names_of(results: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Each short and full name of somebody, and what to write in its place: of all but the accounts of macOS itself."""
    lists = {tuple(one.get("cmd") or ()): str(one.get("stdout", "")) for one in results}
    users = ("dscl", ".", "-list", "/Users")
    found: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for name in re.findall(r"^(\S.*?)\s+-?\d+$", lists.get((*users, "UniqueID"), ""), re.MULTILINE):
        if not SYSTEM.fullmatch(name):
            numbers[name] = len(numbers) + 1
            found[name] = f"person{numbers[name]}"
    for line in lists.get((*users, "RealName"), "").splitlines():
        name, dummy, full = line.partition(" ")
        if name in numbers and full.strip() and full.strip() != name:
            found[full.strip()] = f"Person Number {numbers[name]}"
    return found


class Cleaner:
    """The same name gets the same stand-in in all that one Mac has said."""

    def __init__(self, names: Mapping[str, str]) -> None:
        # The longest first: a short name may be a part of a full one.
        self._names = sorted(names.items(), key=lambda pair: -len(pair[0]))
        self._guids: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        text = GUID.sub(self._guid, text)
        for pattern, instead in OTHERS:
            text = pattern.sub(instead, text)
        for name, instead in self._names:
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", instead, text, flags=re.IGNORECASE)
        return text

    def _guid(self, found: re.Match[str]) -> str:
        guid = found[0].upper()
        if guid in KNOWN or SYSTEM_GUID.fullmatch(guid):
            return found[0]
        number = len(self._guids) + 1
        return self._guids.setdefault(guid, f"00000000-0000-4000-8000-{number:012d}")


def transcripts(results: list[dict[str, Any]], where: Machine | None = None, by: str = "ssh") -> list[dict[str, Any]]:
    """Put answers into the form of maclab/tests/fixtures/transcripts.jsonl. ``by``: the connection that they came over.

    A result may say what went in (`input`) and how the program was called (`how`); its `id` is its own then.
    """
    clean = Cleaner(names_of(results))
    place = where or machine(results, {})
    ids: dict[str, int] = {}
    found = []
    for one in filter(ran, results):
        words = [clean(word) for word in one["cmd"]]
        about = [str(one["id"])] if one.get("id") else words
        name = f"recorded-{place.macos}-{_slug([place.label or place.chip, by, *about])}"
        ids[name] = ids.get(name, 0) + 1
        record = {
            "id": name if ids[name] == 1 else f"{name}-{ids[name]}",
            "command": words,
            "input": clean(one["input"]) if one.get("input") else None,
            "stdout": _ended(clean(one["stdout"])),
            "stderr": None if one.get("merged") else _ended(clean(one.get("stderr", ""))),
            "stream_known": not one.get("merged"),
            "rc": one.get("rc"),
            "macos": place.macos or None,
            "hardware": place.hardware or None,
            "context": "; ".join(filter(None, (one.get("how", ""), f"as root by {by}", place.context, _STAND_INS))),
            "source": f"make transcripts on a GitHub runner, {place.label}"
            if place.label
            else "a Mac of a contributor",
            "confidence": "verbatim",
        }
        found.append(record)
    return found


_STAND_INS = "names, GUIDs and addresses are stand-ins"


def _slug(words: Iterable[str]) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", " ".join(words).lower()).strip("-")


def _ended(text: str) -> str:
    """Ansible takes the last new line away."""
    return text and text.rstrip("\n") + "\n"


def main() -> None:
    folder, host = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    asked = json.load(sys.stdin)
    made = transcripts(asked["said"], machine(asked["machine"]), asked["connection"].rpartition(".")[2])
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in made)
    # A host's name is nobody's business either. Several Macs write at a time, so a file that is there is somebody's.
    for number in itertools.count(1):
        try:
            with (folder / f"mac-{number}.jsonl").open("x", encoding="utf-8") as stream:
                stream.write(lines)
        except FileExistsError:
            continue
        print(f"{host}: {stream.name}")
        return


if __name__ == "__main__":
    main()
