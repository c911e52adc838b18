# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mac as its owner sees it, by macOS's own commands over SSH, and as the lab saw what was done to it."""

from __future__ import annotations

import functools
import json
import os
import plistlib
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testinfra.host import Host

from maclab import journal
from maclab.layout import LabFolder
from maclab.state import Mac as State
from maclab.state import from_json

PLACE = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


class Mac:
    """Ask a Mac without the collection: a second opinion. One for each file of tests, so it reads once."""

    def __init__(self, host: Host) -> None:
        self.host = host

    @property
    def name(self) -> str:
        return str(self.host.backend.get_hostname())

    @property
    def journal(self) -> list[journal.Entry]:
        """What was done to the Mac by others than these tests, which use no program that writes or authenticates."""
        return journal.read(LabFolder(PLACE / "lab").mac(self.name).journal)

    def token_status(self, user: str) -> str:
        """sysadminctl says it on stderr: "Secure token is ENABLED for user Ana Sousa"."""
        return self.root(f"sysadminctl -secureTokenStatus {user}").stderr.strip().partition("] ")[2]

    @functools.cached_property
    def crypto_users(self) -> set[str]:
        listed = plistlib.loads(self.root("diskutil apfs listCryptoUsers -plist /").stdout.encode())
        return {user["APFSCryptoUserUUID"] for user in listed["Users"]}

    def people_with_a_key(self) -> set[str]:
        """The crypto users that are people, by their GUIDs."""
        listed = plistlib.loads(self.root("diskutil apfs listCryptoUsers -plist /").stdout.encode())
        return {
            user["APFSCryptoUserUUID"] for user in listed["Users"] if user["APFSCryptoUserType"] == "LocalOpenDirectory"
        }

    @functools.cached_property
    def filevault_users(self) -> set[str]:
        return {line.partition(",")[0] for line in self.root("fdesetup list").stdout.splitlines()}

    @property
    def bootstrap_token_escrowed(self) -> bool:
        return "escrowed to server: YES" in self.root("profiles status -type bootstraptoken").stdout

    @property
    def recovery_key(self) -> str:
        """As the Mac itself knows it; no command of macOS shows it."""
        key = self._state.filevault.prk
        assert key is not None
        return key

    @property
    def files(self) -> list[str]:
        """Those that a deferral has left."""
        return [path for path in self._state.files if path.endswith(".plist")]

    @property
    def jobs(self) -> list[str]:
        """What launchd has loaded."""
        return list(self._state.jobs)

    def stored_key(self) -> str:
        """What the help desk reads in the store, with its private key."""
        stored = PLACE / "store" / f"{self.name}.pem"
        argv = ["openssl", "smime", "-decrypt", "-inform", "PEM", "-inkey", str(PLACE / "helpdesk.key"), "-in"]
        return subprocess.run([*argv, str(stored)], capture_output=True, text=True, check=True).stdout

    def stored_password(self, user: str, host: str = "") -> dict[str, str]:
        """What the help desk reads in the store, with its age identity."""
        import pyrage

        identity = pyrage.x25519.Identity.from_str((PLACE / "identity.txt").read_text())
        stored = (PLACE / "store" / f"{host or self.name}.{user}.age").read_bytes()
        content: dict[str, str] = json.loads(pyrage.decrypt(stored, [identity]))
        return content

    def password_is(self, user: str, password: str) -> bool:
        """By the lab's own state: a test that logs in would be a login."""
        return self._state.accounts[user].password == password

    def unlocks(self, user: str, password: str) -> bool:
        account = self._state.accounts[user]
        return account.key_password in (None, password)

    @property
    def _state(self) -> State:
        return from_json(LabFolder(PLACE / "lab").mac(self.name).state.read_text(encoding="utf-8"))

    @property
    def in_preboot(self) -> set[str]:
        """GUIDs of those whom the preboot volume knows, by the lab's own state."""
        return set(self._state.preboot)

    def attribute(self, user: str, name: str) -> str:
        return self.root(f"dscl . -read /Users/{user} {name}").stdout.partition(":")[2].strip()

    def exists(self, user: str) -> bool:
        return self.host.run(f"id -u {user}").rc == 0

    def by_all_three_sources(self, user: str) -> tuple[bool, bool, bool]:
        return (
            self.token_status(user).startswith("Secure token is ENABLED for user"),
            self.attribute(user, "GeneratedUID") in self.crypto_users,
            user in self.filevault_users,
        )

    def root(self, command: str) -> Any:
        with self.host.sudo():
            done = self.host.run(command)
        assert done.rc == 0, done
        return done


@dataclass(frozen=True)
class Seen:
    """How much of the journal an earlier step of the scenario has judged."""

    path: Path

    def mark(self, mac: Mac) -> None:
        self.path.write_text(json.dumps(max((entry.start for entry in mac.journal), default=0.0)))

    def since(self, mac: Mac) -> list[journal.Entry]:
        start = json.loads(self.path.read_text())
        return [entry for entry in mac.journal if entry.start > start]
