# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a runner of GitHub's be reached over SSH from itself, as a fleet's Mac is: a session without Full Disk Access.

    python -m proving.remote_login FOLDER     FOLDER gets a key, the host's key and an inventory, macs.yml

It switches Remote Login on and lets a key in that it has just made, so it refuses on every other machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from proving import place

ADDRESS = "127.0.0.1"
SSH_JOB = "/System/Library/LaunchDaemons/ssh.plist"
SECONDS = 30

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("sudo", "-n", "launchctl", "load", "-w", SSH_JOB),
    # Where macOS keeps a list of who may come, the account has to be on it.
    ("sudo", "-n", "dseditgroup", "-o", "edit", "-a", place.USER, "-t", "user", "com.apple.access_ssh"),
)
"""Either may fail, where it was so already. That somebody answers and lets the key in is what counts."""


def main() -> int:
    folder = Path(sys.argv[1]).resolve()
    reasons = place.refusals_of_environment(os.environ) or place.refusals_of_mac(said(_locally))
    if reasons:
        print("Remote Login was left as it is:\n  * " + "\n  * ".join(reasons), file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "keyholder", "-f", key], check=True)
    let_in(Path.home(), key.with_suffix(".pub").read_text(encoding="utf-8"))
    for command in COMMANDS:
        subprocess.run(command, check=False)
    known = folder / "known_hosts"
    known.write_text(_host_key(), encoding="utf-8")
    (folder / "macs.yml").write_text(inventory(key, known), encoding="utf-8")
    return 0


def said(run: Callable[[Sequence[str]], str]) -> dict[str, str]:
    """Ask this Mac what :mod:`proving.place` wants to know. ``run`` gives what a command printed."""
    asked = place.QUESTIONS.items()
    return {name: run([*(("sudo", "-n") if root else ()), *command.split()]) for name, (command, root) in asked}


def let_in(home: Path, public: str) -> None:
    """Add a public key to those that may log in; sshd takes the file only if nobody else may write it."""
    folder = home / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "authorized_keys"
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    path.touch(mode=0o600)
    path.write_text(old + ("" if old.endswith("\n") or not old else "\n") + public, encoding="utf-8")


def inventory(key: Path, known: Path) -> str:
    """Return an inventory, as JSON, which is YAML. Nobody else's keys, hosts and settings have a say."""
    host = {
        "ansible_host": ADDRESS,
        "ansible_user": place.USER,
        "ansible_become": True,
        "ansible_ssh_private_key_file": str(key),
        "ansible_ssh_common_args": f"-F /dev/null -o IdentitiesOnly=yes -o 'UserKnownHostsFile=\"{known}\"'",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    return json.dumps({"macs": {"hosts": {"over-ssh": host}}}, indent=1) + "\n"


def _locally(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout


def _host_key() -> str:
    """Ask sshd for its key until it answers."""
    until = time.monotonic() + SECONDS
    while True:
        found = _locally(["ssh-keyscan", "-t", "ed25519", ADDRESS])
        if found or time.monotonic() > until:
            break
        time.sleep(1)
    if not found:
        raise SystemExit(f"sshd did not answer within {SECONDS} s")
    return found


if __name__ == "__main__":
    sys.exit(main())
