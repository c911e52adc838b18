# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes of a Mac's folder a whole tree, in which commands find everything by the paths that macOS has (Linux only)."""

from __future__ import annotations

import marshal
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from maclab import control, enter, layout, places, state_files
from maclab.layout import LabFolder, MacFolder
from maclab.places import HOST
from maclab.state import Account, Mac, write_atomically

# What sshd of macOS gives a command.
PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
LINKED = ("etc", "tmp", "var")
LIBRARIES = "lib lib32 lib64 libx32 usr/lib usr/lib32 usr/lib64 usr/libx32 usr/share nix gnu".split()
# What programs of this host look for in /etc.
SETTINGS = (
    "alternatives ca-certificates crypto-policies hosts ld.so.cache ld.so.conf ld.so.conf.d localtime magic perl pki "
    "protocols resolv.conf services ssl terminfo"
).split()
SHELLS = "/bin/bash /bin/csh /bin/dash /bin/ksh /bin/sh /bin/tcsh /bin/zsh".split()
NEEDED = [
    "Library/Application Support",
    *"Applications/Utilities Library/Caches Library/LaunchAgents Library/LaunchDaemons Library/Logs".split(),
    *"Library/Preferences System/Library/CoreServices Users/Shared Volumes dev opt private/etc private/tmp".split(),
    *"private/var/db private/var/empty private/var/folders private/var/log private/var/root private/var/run".split(),
    *"private/var/tmp proc usr/local/bin".split(),
    HOST.lstrip("/"),
]
OPEN = ("Users/Shared", "private/tmp", "private/var/tmp")
# What macOS makes in a home.
HOME = "Desktop Documents Downloads Library/Caches Library/Preferences Movies Music Pictures Public".split()
# Words that are no file which the lab alone knows: the programs of the host do.
_ON_DISK = "/Users/*|/dev/fd/*|/tmp/*|/private/tmp/*|/var/folders/*|/private/var/folders/*"


def require() -> None:
    """Try whether this host lets anybody do it; LabError, with the way out, where it does not."""
    if sys.platform != "linux":
        raise control.LabError("--full-paths needs the namespaces of Linux; bring the lab up without it")
    python = layout.own_python()
    with tempfile.TemporaryDirectory(prefix="maclab-") as folder:
        _skeleton(Path(folder), (11,))
        _keep_in_place(Path(folder), python.resolve().parent.parent)
        argv = [str(python), "-ISE", str(enter.__file__), "in", folder, "501", "20", "/"]
        said = _said([*argv, f"{HOST}{os.path.realpath('/bin/sh')}", "-c", ":"])
        if said is not None:
            raise control.LabError(
                f"--full-paths needs user namespaces, and this machine does not allow them ({said}).\n"
                f"{_way_out()}, or bring the lab up without --full-paths."
            )
        said = _said([*argv, f"{HOST}{python}", "-ISE", "-c", ""])
    if said is not None:
        raise control.LabError(f"--full-paths: {python} does not start in a Mac's tree ({said}): use another Python")


def _said(argv: list[str]) -> str | None:
    """Return the last line of what a command complained of; None if it came to a good end."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return None if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2].removeprefix("maclab: ")


def _way_out() -> str:
    for name, closed in (
        ("kernel.apparmor_restrict_unprivileged_userns", "1"),
        ("kernel.unprivileged_userns_clone", "0"),
        ("user.max_user_namespaces", "0"),
    ):
        with suppress(OSError):
            if Path("/proc/sys", name.replace(".", "/")).read_text(encoding="ascii").strip() == closed:
                wanted = {"1": "0", "0": "10000" if "max" in name else "1"}[closed]
                return f"Allow them (sudo sysctl -w {name}={wanted})"
    options = "--security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    return f"Allow them (a container: start it with {options})"


@dataclass(frozen=True)
class View:
    """Keep the tree of one Mac."""

    lab: LabFolder
    mac: MacFolder

    @property
    def _own(self) -> str:
        """Return the Mac's folder, as its own commands see it."""
        return f"{HOST}{self.mac.path}"

    def make(self, mac: Mac, programs: Iterable[str], python: Path | None) -> None:
        root = self.mac.root
        _skeleton(root, mac.version_tuple)
        seen = layout.own_python()
        layout.write_script(self.mac.path / "program", layout.program(HOST, f"{self._own}/bin"))
        layout.write_script(self.mac.path / "chmod", layout.CHANGE_MODE.format(real=_host("chmod") or ""))
        own = {name: f"{self._own}/program" for name in programs if name not in layout.STAND_INS or not _host(name)}
        own |= dict.fromkeys(("chown", "chgrp"), f"{HOST}{self.lab.path}/chown") | {"chmod": f"{self._own}/chmod"}
        for name in layout.MODELLED:
            asked = layout.asking(name, _ON_DISK, shlex.quote(f"{self._own}/asked"), _host(name) or f"/bin/{name}")
            layout.write_script(self.mac.path / f"{name}.asking", asked)
            (self.mac.path / "asked").mkdir(exist_ok=True)
            layout.relink(self.mac.path / "asked" / name, "../program")
            own[name] = f"{self._own}/{name}.asking"
        links = {places.of_program(name): path for name in layout.utilities() if (path := _host(name))}
        # macOS's sh is a bash.
        links["/bin/sh"] = _host("bash") or f"{HOST}/bin/sh"
        links |= {places.of_program(name): target for name, target in own.items()}
        if python is not None:
            links["/usr/bin/python3"] = f"{HOST}{python.resolve()}"
        self._link(links)
        for interpreter in filter(None, (seen, python)):
            _keep_in_place(root, interpreter.resolve().parent.parent)
        self.follow(mac)

    def _link(self, links: dict[str, str]) -> None:
        root = self.mac.root
        for folder in places.FOLDERS:
            there = root / folder.lstrip("/")
            there.mkdir(parents=True, exist_ok=True)
            for stale in {path.name for path in there.iterdir() if path.is_symlink()}:
                if f"{folder}/{stale}" not in links:
                    (there / stale).unlink()
        for path, target in links.items():
            layout.relink(root / path.lstrip("/"), target)

    def follow(self, mac: Mac) -> None:
        """Write what a Mac's files say of its state: who has an account, which macOS this is, what only root reads."""
        root = self.mac.root
        accounts = sorted(mac.accounts.values(), key=lambda account: account.uid)
        users = [
            (one.name, "*", one.uid % 2**32, one.gid % 2**32, one.full_name, one.home, one.shell) for one in accounts
        ]
        groups = [(one.name, "*", one.gid % 2**32, ",".join(one.members)) for one in mac.groups.values()]
        _write(root / "private/etc/passwd", _lines(users))
        _write(root / "private/etc/group", _lines(groups))
        self._follow_homes([account for account in accounts if not account.service])
        self._follow_files(state_files.contents(mac))

    def _follow_homes(self, accounts: list[Account]) -> None:
        """Make the homes that are there, and take those away that have been there and are no more."""
        listed = self.mac.path / "homes"
        there = {account.home for account in accounts if account.home_exists}
        for home in {account.home for account in accounts if not account.home_exists} & _lines_of(listed):
            shutil.rmtree(self.mac.root / home.lstrip("/"), ignore_errors=True)
        for home in there:
            folder = self.mac.root / home.lstrip("/")
            for name in HOME if not (folder / "Library").exists() else ():
                (folder / name).mkdir(parents=True, exist_ok=True)
        _write(listed, "".join(f"{home}\n" for home in sorted(there)))

    def _follow_files(self, files: dict[str, tuple[bytes, int]]) -> None:
        """Put on disk what the state has, and take away what it had: `test` and redirections see no state."""
        listed = self.mac.path / "files"
        for path in _lines_of(listed) - set(files):
            (self.mac.root / path.lstrip("/")).unlink(missing_ok=True)
        for path, (content, mode) in files.items():
            place = self.mac.root / path.lstrip("/")
            if not place.is_file() or place.read_bytes() != content:
                place.parent.mkdir(parents=True, exist_ok=True)
                layout.write(place, content, mode)
        _write(listed, "".join(f"{path}\n" for path in sorted(files)))

    def environment(self, account: Account) -> dict[str, str]:
        """Return what differs from the environment of a command without full paths."""
        temporary = f"/var/folders/zz/{account.uid % 2**32}/T/"
        (self.mac.root / temporary.lstrip("/")).mkdir(parents=True, exist_ok=True)
        return {"PATH": PATH, "HOME": account.home, "SHELL": account.shell, "TMPDIR": temporary}

    def enter(self, account: Account, folder: str, argv: Sequence[str]) -> list[str]:
        """Return the command of this host that runs `argv` on the Mac, as this account."""
        numbers = [str(account.uid % 2**32), str(account.gid % 2**32)]
        python = str(layout.own_python())
        return [python, "-ISE", str(self.lab.path / "enter"), "in", str(self.mac.root), *numbers, folder, *argv]

    def become(self, account: Account, folder: str, argv: Sequence[str]) -> list[str]:
        """Return the command of the Mac that runs `argv` as this account, in a folder, or where the caller is."""
        words = ["as", str(account.uid % 2**32), str(account.gid % 2**32), folder or "."]
        return [f"{HOST}{layout.own_python()}", "-ISE", f"{HOST}{self.lab.path}/enter.inside", *words, *argv]


def prepare(lab: LabFolder) -> None:
    """Write what starts a command in a tree."""
    code = lab.path / "enter.code"
    source = Path(str(enter.__file__)).read_text(encoding="utf-8")
    layout.write(code, marshal.dumps(compile(source, enter.__name__, "exec", dont_inherit=True)))
    layout.write_script(lab.path / "enter", _starter(code))
    layout.write_script(lab.path / "enter.inside", _starter(Path(f"{HOST}{code}")))


def _starter(code: Path) -> str:
    """Start what was compiled beforehand: a Python keeps nothing of a script, and that is a sixth of a start."""
    python = str(layout.own_python())
    start = f"import marshal\nwith open({str(code)!r}, 'rb') as file:\n    exec(marshal.load(file))\n"
    if " " not in python and len(python) < 100:
        return f"#!{python} -ISE\n{start}"
    # A kernel splits the first line at blanks and cuts it off; sh reads this one, and Python sees a string.
    return f"#!/bin/sh\n'''exec' {shlex.quote(python)} -ISE \"$0\" \"$@\"\n' '''\n{start}"


def shell_of(path: str) -> str:
    """Return where a Mac has the shell of an account, if this host has it; /bin/sh if not."""
    name = Path(path).name
    known = f"/bin/{name}" in SHELLS or name == "false"
    return places.of_program(name) if known and _host(name) else "/bin/sh"


def _host(name: str) -> str | None:
    """Return where a Mac finds this host's program: the file itself, as a link in full would lead to the Mac's."""
    found = layout.of_this_host(name)
    return None if found is None else f"{HOST}{os.path.realpath(found)}"


def _skeleton(root: Path, version: tuple[int, ...]) -> None:
    for name in LINKED:
        there, real = root / name, root / "private" / name
        if there.is_dir() and not there.is_symlink():
            _merge(there, real)
    for name in NEEDED:
        (root / name).mkdir(parents=True, exist_ok=True)
    if version >= (10, 15):
        (root / enter.DATA).mkdir(parents=True, exist_ok=True)
    for name in OPEN:
        (root / name).chmod(0o1777)
    (root / "private/var/db").chmod(0o755)
    for name in LINKED:
        layout.relink(root / name, f"private/{name}")
    layout.relink(root / "Volumes/Macintosh HD", "..")
    for name in LIBRARIES:
        if Path("/", name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            layout.relink(root / name, f"{HOST}/{name}")
    for name in SETTINGS:
        if Path("/etc", name).exists():
            layout.relink(root / "private/etc" / name, f"{HOST}/etc/{name}")
    _write(root / "private/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    _write(root / "private/etc/shells", "".join(f"{path}\n" for path in SHELLS))


def _merge(old: Path, new: Path) -> None:
    """Move a folder of a lab that came up without full paths to where this one has it."""
    new.mkdir(parents=True, exist_ok=True)
    for path in list(old.iterdir()):
        there = new / path.name
        if path.is_dir() and there.is_dir() and not path.is_symlink():
            _merge(path, there)
        else:
            shutil.move(path, there)
    old.rmdir()


def _keep_in_place(root: Path, prefix: Path) -> None:
    """Keep a Python at the path that it was built for, where it looks for a library of its own."""
    if prefix in (Path("/"), Path("/usr")):
        return
    there = root / str(prefix).lstrip("/")
    # Such as /usr/local, which a Mac has too.
    names = ("lib", "lib64") if there.is_dir() and not there.is_symlink() else ("",)
    for name in names:
        if (prefix / name).exists() and not ((there / name).is_dir() and not (there / name).is_symlink()):
            (there / name).parent.mkdir(parents=True, exist_ok=True)
            layout.relink(there / name, f"{HOST}{prefix / name}")


def _lines_of(path: Path) -> set[str]:
    return set(path.read_text(encoding="utf-8").splitlines()) if path.exists() else set()


def _lines(rows: Iterable[tuple[object, ...]]) -> str:
    return "".join(":".join(str(value).replace(":", "") for value in row) + "\n" for row in rows)


def _write(path: Path, text: str) -> None:
    """Only where it differs: somebody may be reading it."""
    with suppress(OSError):
        if path.read_text(encoding="utf-8") == text:
            return
    write_atomically(path, text)
    path.chmod(0o644)
