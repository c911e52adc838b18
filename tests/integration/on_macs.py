# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make test-mac` and `make transcripts` run: the targets and the recorder of this folder, on Macs of yours."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from checks.environments import TREE, link_tree
from harness.ansible import FOLDER, binaries

WARNING = """\
make test-mac is DESTRUCTIVE. On every Mac of the group "macs" of {inventory} it
  * creates the account keyholder_test_user, grants it a Secure Token, revokes that, changes its password,
    and deletes it again together with its home folder;
  * authenticates as keyholder_granter, by a password that you give.
If macOS does what nobody expected, a Mac may be left with an account or a token too many, or without the
token of an account. Take Macs that nobody needs and that you can erase.

The inventory, or ARGS="-e @file", has to give keyholder_granter, keyholder_granter_password, keyholder_test_user
and keyholder_test_password; tests/integration/README.md tells more. Nothing has been done yet.
If that is what you want: make test-mac INVENTORY={inventory} CONFIRM=yes"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("what", choices=("test", "record"))
    parser.add_argument("--inventory", required=True)
    parser.add_argument("--confirm", default="")
    parser.add_argument("--record", default="", help="the folder for transcripts")
    given, others = parser.parse_known_args()
    if not given.inventory:
        print("Say which Macs: INVENTORY=macs.yml", file=sys.stderr)
        return 2
    if given.what == "test" and given.confirm != "yes":
        print(WARNING.format(inventory=given.inventory), file=sys.stderr)
        return 2
    if given.what == "record" and not given.record:
        print("Say where to: make transcripts INVENTORY=macs.yml RECORD=folder", file=sys.stderr)
        return 2
    link_tree()
    inventory = str(Path(given.inventory).resolve())
    if given.record:
        # Before anything is changed.
        folder = Path(given.record).resolve()
        if status := play("record.yml", inventory, *others, "-e", f"keyholder_record={folder}"):
            return status
        print(f"Transcripts are in {folder}. Read them before you send them: CONTRIBUTING.md tells where to.")
    if given.what == "test":
        return play("targets.yml", inventory, *others, "-e", "keyholder_may_break_these_macs=true")
    return 0


def play(playbook: str, inventory: str, *arguments: str) -> int:
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(TREE), "ANSIBLE_CONFIG": str(FOLDER / "ansible.cfg")}
    # In the folder that it was called from: arguments may name files there.
    argv = [binaries() / "ansible-playbook", "-i", inventory, FOLDER / playbook, *arguments]
    return subprocess.run(argv, env={**os.environ, **settings}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
