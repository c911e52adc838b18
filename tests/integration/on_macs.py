# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make test-mac`, `make transcripts` and `make ask-mac` run: the playbooks of this folder, on Macs of yours."""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from checks.environments import TREE, link_tree
from harness.ansible import FOLDER, RUNNER, binaries
from harness.search import spellings
from proving import autologin, place, result

RUNNERS = ("python", "shell")
AT_HAND = "localhost"
TEST_USER = "khtest"
PROVING = FOLDER.parent / "macos"

WARNING = """\
make {what} is DESTRUCTIVE. On every Mac of the group "macs" of {inventory} it
{does}
  * authenticates as keyholder_granter, by a password that you give.
If macOS does what nobody expected, a Mac may be left with an account or a token too many, or without the
token of an account. Take Macs that nobody needs and that you can erase.

The inventory, or ARGS="-e @file", has to give keyholder_granter, keyholder_granter_password, keyholder_test_user
and keyholder_test_password; tests/integration/README.md tells more. Nothing has been done yet.
If that is what you want: make {what} INVENTORY={inventory} CONFIRM=yes"""
DOES = {
    "test-mac": """\
  * creates the account keyholder_test_user, grants it a Secure Token, revokes that, changes its password,
    and deletes it again together with its home folder;""",
    "ask-mac": """\
  * creates the accounts khask, khask2 and khask3 by macOS's own programs, grants tokens, revokes them, disables,
    gives wrong passwords, and deletes the accounts again;""",
}

Variables = dict[str, str]


class Refused(Exception):
    """Says why nothing was done."""


@dataclass(frozen=True)
class Macs:
    """Which Macs, and what else ansible-playbook is told of them."""

    inventory: Path
    arguments: tuple[str, ...]


def main() -> int:
    given, others = _arguments()
    try:
        _look_at(given)
        link_tree()
        with _inventory(given.inventory) as path:
            return _run(given, Macs(path, tuple(others)))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 2


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("what", choices=("test", "record", "ask"))
    parser.add_argument("--inventory", required=True, help=f"a file, or {AT_HAND} for the Mac that this runs on")
    parser.add_argument("--confirm", default="")
    parser.add_argument("--record", default="", help="the folder for transcripts")
    parser.add_argument("--result", default="", help="the folder for the table and the data of what was proven")
    parser.add_argument("--runner", action="append", choices=RUNNERS, help="by default both, one after the other")
    parser.add_argument("--hosted", action="store_true", help="a runner of GitHub's, whose own account is the granter")
    return parser.parse_known_args()


def _look_at(given: argparse.Namespace) -> None:
    """Refuse what was not said well, or not at all."""
    changes = given.what != "record"
    if not given.inventory:
        raise Refused("Say which Macs: INVENTORY=macs.yml")
    if changes and given.confirm != "yes":
        target = {"test": "test-mac", "ask": "ask-mac"}[given.what]
        raise Refused(WARNING.format(inventory=given.inventory, what=target, does=DOES[target]))
    if given.what in ("record", "ask") and not given.record:
        raise Refused("Say where to: make transcripts INVENTORY=macs.yml RECORD=folder")
    if given.hosted and (reasons := place.refusals_of_environment(os.environ)):
        raise Refused(_not_hosted(reasons))


def _not_hosted(reasons: list[str]) -> str:
    lines = "".join(f"\n  * {reason}" for reason in reasons)
    return f"This is no macOS runner that GitHub hosts, so nothing was done:{lines}"


@contextmanager
def _inventory(named: str) -> Iterator[Path]:
    """Give the file that was named, or one with the Mac at hand in it."""
    if named != AT_HAND:
        yield Path(named).resolve()
        return
    host = {
        "ansible_connection": "local",
        # The Python that Ansible itself runs on: a Mac may have no other.
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "ansible_become": True,
    }
    with tempfile.TemporaryDirectory(prefix="keyholder-") as folder:
        path = Path(folder, "macs.json")
        path.write_text(json.dumps({"macs": {"hosts": {AT_HAND: host}}}), encoding="utf-8")
        yield path


def _run(given: argparse.Namespace, macs: Macs) -> int:
    variables = _hosted(macs) if given.hosted else {}
    folder = Path(given.record).resolve()
    if given.what == "ask":
        settings = (f"keyholder_record={folder}", f"keyholder_spoils={str(given.hosted).lower()}")
        return play("ask.yml", macs, variables, "keyholder_may_break_these_macs=true", *settings)
    if given.record:
        # Before anything is changed.
        if status := play("record.yml", macs, {}, f"keyholder_record={folder}"):
            return status
        print(f"Transcripts are in {folder}. Read them before you send them: CONTRIBUTING.md tells where to.")
    return _test(given, macs, variables) if given.what == "test" else 0


def _test(given: argparse.Namespace, macs: Macs, variables: Variables) -> int:
    """Run the targets by each runner, and tell as a table and as data what came of it."""
    worst = 0
    found = []
    with tempfile.TemporaryDirectory(prefix="keyholder-") as kept:
        for runner in given.runner or RUNNERS:
            lines = Path(kept, f"{runner}.jsonl")
            lines.touch(mode=0o600)
            settings = ("keyholder_may_break_these_macs=true", f"{RUNNER}={runner}")
            status = play("targets.yml", macs, variables, *settings, results=lines)
            worst = worst or status
            if _holds(lines.read_bytes(), variables.get(_SECRETS[0])):
                raise Refused("The granter's password stands in what the tasks returned. Nothing of it was kept.")
            targets = {path.name for path in (FOLDER / "targets").iterdir()}
            found += result.results(lines, runner, targets, os.environ)
    text = result.table(found)
    print(f"\n{text}")
    _summarise(text)
    if given.result:
        folder = Path(given.result)
        folder.mkdir(parents=True, exist_ok=True)
        Path(folder, "result.md").write_text(text, encoding="utf-8")
        data = json.dumps([one.as_data() for one in found], indent=1) + "\n"
        Path(folder, "result.json").write_text(data, encoding="utf-8")
    return worst or int(not found or not all(one.passed for one in found))


_SECRETS = ("keyholder_granter_password", "keyholder_test_password")


def _holds(text: bytes, secret: str | None) -> bool:
    return secret is not None and any(spelling in text for spelling in spellings(secret))


def _summarise(text: str) -> None:
    """Show the table on the page of the job, where this is one."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(f"{text}\n")


def _hosted(macs: Macs) -> Variables:
    """Take the account that a runner of GitHub's logs in by itself for the granter. Its password is in this process,
    and goes on through a pipe alone."""
    said = {name: _said(macs, command, root) for name, (command, root) in place.QUESTIONS.items()}
    if reasons := place.refusals_of_mac(said):
        raise Refused(_not_hosted(reasons))
    try:
        password = autologin.password_from(_said(macs, autologin.ASK, True))
    except ValueError as error:
        raise Refused(f"{error}. Nothing was done.") from None
    variables = {
        "keyholder_granter": place.USER,
        "keyholder_granter_password": password,
        "keyholder_test_user": TEST_USER,
        "keyholder_test_password": f"Kh-{secrets.token_urlsafe(12)}",
    }
    for name in _SECRETS:
        print(autologin.masked(variables[name]), flush=True)
    return variables


def _said(macs: Macs, command: str, root: bool) -> str:
    """Return what the one Mac answers, "" for nothing. No log of Ansible's gets it."""
    argv = [binaries() / "ansible", "macs", "-i", macs.inventory, "-m", "ansible.builtin.raw", "-a", command]
    # An inventory may say become for all: the question decides.
    argv += ["-e", f"ansible_become={str(root).lower()}"]
    # What else Ansible would tell stands between the answer and its end.
    argv += [word for word in macs.arguments if not re.fullmatch("-v+|--verbose", word)]
    environment = {name: value for name, value in _environment().items() if name != "ANSIBLE_LOG_PATH"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    head, mark, said = done.stdout.partition("rc=0 >>\n")
    if done.returncode or not mark or "rc=" in said:
        return ""
    return said.rstrip("\n")


def play(playbook: str, macs: Macs, variables: Mapping[str, str], *settings: str, results: Path | None = None) -> int:
    """Run a playbook of this folder. ``variables`` may be secrets: a pipe takes them there, and no file or argument."""
    argv = [binaries() / "ansible-playbook", "-i", macs.inventory, FOLDER / playbook, *macs.arguments]
    argv += [word for setting in settings for word in ("-e", setting)]
    environment = {**_environment(), **({"KEYHOLDER_RESULTS": str(results)} if results else {})}
    with _served(variables) as named:
        # In the folder that it was called from: arguments may name files there.
        return subprocess.run([*argv, *named], env=environment, check=False).returncode


@contextmanager
def _served(variables: Mapping[str, str]) -> Iterator[list[str]]:
    """Give the arguments by which ansible-playbook reads the variables from a named pipe, once, as it does."""
    if not variables:
        yield []
        return
    with tempfile.TemporaryDirectory(prefix="keyholder-") as folder:
        pipe = Path(folder, "variables.json")
        os.mkfifo(pipe, 0o600)
        # Waits for the reader, and for as long as one may come.
        server = threading.Thread(target=_serve, args=(pipe, json.dumps(dict(variables))), daemon=True)
        server.start()
        try:
            yield ["-e", f"@{pipe}"]
        finally:
            # Nobody may have come, where Ansible ended before.
            os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
            server.join(5)


def _serve(pipe: Path, text: str) -> None:
    with suppress(BrokenPipeError), open(pipe, "w", encoding="utf-8") as stream:
        stream.write(text)


def _environment() -> dict[str, str]:
    paths = [str(PROVING), str(FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(TREE),
        "ANSIBLE_CONFIG": str(FOLDER / "ansible.cfg"),
        "PYTHONPATH": os.pathsep.join(paths),
    }


if __name__ == "__main__":
    sys.exit(main())
