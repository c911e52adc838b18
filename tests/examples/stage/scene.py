# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays one scene of scenes.yml: a folder, Macs, and the examples that a reader would try there one after the other."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from checks.environments import ROOT, VENV
from harness.ansible import FOLDER, binaries
from harness.recipients import HelpDesk, Safe
from maclab.journal import Event, ProgramRun
from maclab.lab import Handle, Lab
from stage import data
from stage.snippets import Snippet, commands

TIME_LIMIT = 600
PLAY = "example.yml"
DESK, SAFE = HelpDesk.new("help desk"), Safe.new()
STAND_INS = {
    "CERTIFICATE": DESK.pem,
    "CERTIFICATES-KEY": DESK.private,
    "RECIPIENT": SAFE.recipient,
    "IDENTITY": str(SAFE.identity),
    "VAULT": yaml.safe_dump(data.VAULT),
}
"""Whole texts of files, or of what is replaced, that are made anew for each run."""
DUE = re.compile(r"ok|changed|said|failed \w+|some failed")
WARNING = re.compile(r"\[(?:DEPRECATION )?WARNING\]: *(.{,40})")
# Ansible's own words that no example is about may stand: on a Python that it found, and on an SSH connection that had
# ended by itself when a restart was to end it.
OWN = re.compile(r"(Host '\S+'|Platform \w+ on host|Failed to reset connection)")
# What differs from run to run where an example shows output.
DIFFERS = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|\+00:00)?|\b\d+(?:\.\d+)? ?(?:s|seconds|minutes)\b")


AGE = """
import sys
from pathlib import Path
import pyrage
decrypt, identity, file, message = sys.argv[1:]
assert (decrypt, identity) == ("--decrypt", "--identity"), sys.argv
identities = [pyrage.x25519.Identity.from_str(Path(file).read_text().strip())]
print(pyrage.decrypt(Path(message).read_bytes(), identities).decode(), end="")
"""


@dataclass
class Run:
    """What came of one command: its output, and the results of its tasks."""

    rc: int
    output: str
    lines: list[dict[str, Any]] = field(default_factory=list)

    def of(self, task: str | None) -> list[dict[str, Any]]:
        """Results of a task, and of the handlers and roles in between if none is named."""
        return [line for line in self.lines if task in (None, line["task"])]


class Stage:
    """Where a scene is played: only the installed collection is there, and SSH leads each name to a Mac of the lab."""

    def __init__(
        self,
        folder: Path,
        beside: Path,
        collections: Path,
        lab: Lab,
        macs: Mapping[str, str],
        replaced: Mapping[str, str],
    ) -> None:
        self.folder = folder
        self.macs: dict[str, Handle] = {name: lab.mac(inside) for name, inside in macs.items()}
        self._beside = beside
        self._own = {"FOLDER": str(folder), "BESIDE": str(beside)} | STAND_INS
        self._replaced = {old: self.filled(new) for old, new in replaced.items()}
        # The path of a control socket must be short, and two scenes must not share one.
        self._sockets = tempfile.TemporaryDirectory(prefix="kh-")
        self._exported: list[str] = []
        self._environment = self._settings(collections, lab)
        self.used: set[str] = set()

    def close(self) -> None:
        self._sockets.cleanup()

    def filled(self, text: str) -> str:
        """A text of scenes.yml with what is made anew for each run, and with this scene's folders."""
        return re.sub(r"\b[A-Z][A-Z-]+\b", lambda name: self._own.get(name[0], name[0]), text)

    def text(self, text: str) -> str:
        """As it is written, but for what the scene says about this machine: absolute paths and stand-ins."""
        for old, new in self._replaced.items():
            if old in text:
                self.used.add(old)
                text = text.replace(old, new)
        return text

    def unused(self) -> set[str]:
        return set(self._replaced) - self.used

    def write(self, name: str, text: str) -> None:
        path = self.folder / self._replaced.get(name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def typed(self, command: str) -> Run:
        """One command at a shell, which remembers what was exported before."""
        if command.startswith("export "):
            self._exported.append(command)
        results = self._beside / "results.jsonl"
        results.write_text("")
        argv = ["/bin/sh", "-c", "\n".join([*self._exported, command])]
        run = _run_at_a_terminal if command.startswith("ansible-vault ") else _run
        rc, output = run(argv, self.folder, self._environment | {"KEYHOLDER_RESULTS": str(results)})
        return Run(rc, output, [json.loads(line) for line in results.read_text().splitlines()])

    def writes(self) -> list[str]:
        """Every program that wrote on a Mac of the scene so far, and every password that unlocked one over SSH."""
        return [
            f"{name}: {entry}"
            for name, mac in self.macs.items()
            for entry in mac.journal()
            if (isinstance(entry, ProgramRun) and entry.writes)
            or (isinstance(entry, Event) and entry.what == "unlock" and "over SSH" in entry.reason)
        ]

    def _settings(self, collections: Path, lab: Lab) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("TMPDIR", "MACLAB_COMPILED") if name in os.environ}
        one = next(iter(self.macs.values()), None)
        # Nobody of this machine is called like the people of a Mac, so ~user leads nowhere.
        places = (
            {"ANSIBLE_REMOTE_TMP": f"{one.file_tree}/tmp", "ANSIBLE_SYSTEM_TMPDIRS": f"{one.file_tree}/tmp"}
            if one
            else {}
        )
        return kept | places | {
            "ANSIBLE_CALLBACKS_ENABLED": "keyholder_results",
            "ANSIBLE_CALLBACK_PLUGINS": str(FOLDER / "plugins" / "callback"),
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_HOME": str(self._beside / "ansible"),
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SSH_ARGS": f"-F {self._ssh_config(lab)} -o ControlMaster=auto -o ControlPersist=30s",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": self._sockets.name,
            "ANSIBLE_VAULT_PASSWORD_FILE": str(self._file("vault-password", "of this test")),
            "EDITOR": f"cp {self._file('edited', STAND_INS['VAULT'])}",
            "HOME": str(self._beside),
            "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
            "MACLAB_DIR": str(self._beside / "lab"),
            "PATH": os.pathsep.join([str(binaries()), str(self._programs()), os.environ["PATH"], str(VENV / "bin")]),
        }  # fmt: skip

    def _file(self, name: str, text: str) -> Path:
        path = self._beside / name
        path.write_text(text, encoding="utf-8")
        return path

    def _programs(self) -> Path:
        """A folder with an `age` that can do what the examples have it do, for machines without one, and with a `make`
        that does not renew the environment in which these tests run."""
        folder = self._beside / "bin"
        folder.mkdir()
        texts = {"age": f"#!{sys.executable}\n{AGE}", "make": f'#!/bin/sh\nexec {shutil.which("make")} -o setup "$@"\n'}
        for name, text in texts.items():
            self._file(f"bin/{name}", text).chmod(0o755)
        return folder

    def _ssh_config(self, lab: Lab) -> Path:
        hosts = [f"Host {name}\n    Port {mac.port}\n" for name, mac in self.macs.items()]
        everywhere = {
            "HostName": "127.0.0.1",
            "IdentityFile": lab.folder.client_key,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": lab.folder.known_hosts,
            "StrictHostKeyChecking": "yes",
            "LogLevel": "ERROR",
        }
        rest = [f"    {key} {one}\n" for key, one in everywhere.items()]
        return self._file("ssh_config", "".join([*hosts, "Host *\n", *rest]))


def play(stage: Stage, snippets: Mapping[str, Snippet], step: Mapping[str, Any], before: list[Run]) -> list[Run]:
    """Carry one step out, and hold what came of it against what is due."""
    match step:
        case {"given": files}:
            for name, text in files.items():
                stage.write(name, stage.filled(text))
        case {"copy": folder}:
            shutil.copytree(ROOT / folder, stage.folder, dirs_exist_ok=True)
        case {"lab": [order, *words]}:
            getattr(next(iter(stage.macs.values())), order)(*words)
        case {"file": name}:
            text = stage.text(snippets[name].text)
            named = re.match(r"# ([\w./-]+\.yml)\b", text)
            assert named is None or step.get("as", named[1]) == named[1], f"{name} calls itself {named}"
            stage.write(step.get("as") or (named[1] if named else ""), text)
        case {"tasks": names, "due": due}:
            head = yaml.safe_dump(
                [{"hosts": "macs", "gather_facts": False, **step.get("of_play", {})}], sort_keys=False
            )
            body = textwrap.indent("".join(stage.text(snippets[name].text) for name in names), "    ")
            stage.write(PLAY, f"{head}  tasks:\n{body}")
            return [_played(stage, [title for name in names for title in titles(snippets[name])], due)]
        case {"play": name, "due": due}:
            stage.write(PLAY, stage.text(snippets[name].text))
            return [_played(stage, [None], [due], step.get("arguments", ""))]
        case {"typed": command, "due": due}:
            return [_judged(stage, stage.text(command), [None], [due])]
        case {"run": name, "due": due}:
            typed = commands(stage.text(snippets[name].text))
            assert len(typed) == len(due), f"{name} has {len(typed)} commands, and {len(due)} results are due"
            return [_judged(stage, command, [None], [one]) for command, one in zip(typed, due, strict=True)]
        case {"shown": name}:
            shown(stage.text(snippets[name].text), "\n".join(run.output for run in before))
        case _:
            raise AssertionError(f"no step is like this: {step}")
    return []


def titles(snippet: Snippet) -> list[str]:
    """Return the names of the tasks of an example."""
    return [str(task["name"]) for task in yaml.safe_load(snippet.text)]


def _played(stage: Stage, tasks: Sequence[str | None], due: list[str], arguments: str = "") -> Run:
    return _judged(stage, f"ansible-playbook -i inventory.yml {PLAY} {arguments}".rstrip(), tasks, due)


def _judged(stage: Stage, command: str, tasks: Sequence[str | None], due: list[str]) -> Run:
    earlier = len(stage.writes())
    run = stage.typed(command)
    wrote = stage.writes()[earlier:]
    told = f"$ {command}\n{run.output}\nwrote: {wrote}"
    failed = [one for one in due if "failed" in one]
    assert (run.rc != 0) == bool(failed), f"exit status {run.rc}, due: {due}\n{told}"
    for task, one in zip(tasks, due, strict=True):
        assert DUE.fullmatch(one), f"nothing is due that is called {one}"
        lines = run.of(task)
        assert task is None or lines, f"{task} did not run\n{told}"
        changed = any(line["result"].get("changed") for line in lines)
        if one == "some failed":
            assert changed, f"{command}: nothing has changed\n{told}"
        elif one.startswith("failed"):
            reasons = {
                line["result"].get("reason", "none") for line in lines if line["status"] in ("failed", "unreachable")
            }
            assert one.split()[1] in reasons, f"{task}: {one} is due, not {reasons}\n{told}"
        else:
            assert changed == (one != "ok"), f"{task or command}: {one} is due\n{told}"
    assert bool(wrote) == bool({"changed", "some failed"} & set(due)), f"due: {due}\n{told}"
    # What a module has to say beside its steps is a warning, too.
    told_of = [one for line in run.lines for one in (line["result"], *line["result"].get("results", []))]
    notes = [note for one in told_of for note in one.get("notes", [])]
    for warning in WARNING.findall(run.output):
        assert OWN.match(warning) or any(note.startswith(warning) for note in notes), told
    return run


def shown(example: str, output: str) -> None:
    """Compare line by line what an example shows; three dots stand for anything."""
    if example.startswith("{"):
        # One line of a file, broken to fit the page.
        said, held = (_lasting(json.loads(text)) for text in (example, output))
        assert said == held, f"the example shows\n{said}\nand the file holds\n{held}"
        return
    have = [_plain(line) for line in output.splitlines()]
    at = 0
    for line in filter(None, map(_plain, example.splitlines())):
        pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
        found = [number for number in range(at, len(have)) if pattern.search(have[number])]
        assert found, f"the example shows\n{line}\nwhich is not among\n" + "\n".join(have[at:])
        at = found[0] + 1


def _lasting(line: dict[str, Any]) -> dict[str, Any]:
    return {key: "" if key in ("time", "by") else value for key, value in line.items()}


def _plain(line: str) -> str:
    """Without Ansible's quotes, with each space once, and without what differs from run to run."""
    line = re.sub(r'^\s*"|",?\s*$', "", line).replace('\\"', '"')
    return DIFFERS.sub("TIME", " ".join(line.split()))


def _run(argv: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=TIME_LIMIT, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.decode(errors="replace")


def _run_at_a_terminal(argv: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """For the few words of a program that insists on one."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            timeout=TIME_LIMIT,
            check=False,
        )
        return done.returncode, os.read(ours, 1 << 16).decode(errors="replace") if done.returncode else ""
    finally:
        os.close(ours)
        os.close(theirs)


def understood(snippets: Sequence[Snippet], programs: Path, collections: Path, folder: Path) -> int:
    """Have one ansible-playbook look at the words of all tasks and plays among them; return how many these are."""
    files: list[Path] = []
    for snippet in snippets:
        content = yaml.safe_load(snippet.text)
        if not isinstance(content, list) or any("vars_files" in each for each in content):
            continue
        plays = all({"hosts", "import_playbook", "ansible.builtin.import_playbook"} & set(each) for each in content)
        text = snippet.text if plays else f"- hosts: macs\n  tasks:\n{textwrap.indent(snippet.text, '    ')}"
        files.append(folder / f"{len(files)}.yml")
        files[-1].write_text(f"# {snippet.name}\n{text}", encoding="utf-8")
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "HOME": str(folder),
        "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
        "PATH": os.environ["PATH"],
    }
    rc, said = _run(
        [str(programs / "ansible-playbook"), "--syntax-check", "-i", "mac,", *map(str, files)], folder, environment
    )
    assert rc == 0 and said.count("playbook: ") == len(files), said
    return len(files)


def parsed(snippet: Snippet) -> None:
    """The least that is asked of an example that cannot run here."""
    if snippet.language == "yaml":
        assert yaml.safe_load(snippet.text)
    elif snippet.language != "text":
        script = "\n".join(commands(snippet.text))
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 0 and not done.stderr, done.stderr
