# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Knows where everything of a lab lies on disk, and makes the folders that a Mac's commands run in."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from maclab import frames, keeper
from maclab.state import Account

# Utilities that macOS has too. Their options are this host's, so scripts must keep to POSIX. perl: perl(1) and
# perlmacosx(1) of macOS; which version it is depends on macOS, so use what every one of them has in its core.
UTILITIES = (
    "[ awk base64 basename bash bc cat cksum clear cmp comm cp csh cut date dd diff dirname echo egrep env expect expr "
    "false fgrep find fold grep gunzip gzip head join kill ksh ln logname ls mkdir mkfifo mktemp mv nice nohup od "
    "openssl paste perl pr printf pwd readlink rm rmdir sed seq sh sleep sort split sqlite3 stty tail tar tcsh tee "
    "test time touch tr true tty uniq wc which xargs xmllint yes zsh"
).split()
UTILITY_FOLDERS = ("/bin", "/usr/bin", "/opt/homebrew/bin", "/usr/local/bin")

# Programs of the lab for a host that lacks the utility of that name.
STAND_INS = "bc csh expect ksh openssl sqlite3 tcsh xmllint zsh".split()

# Everything runs as the one user who started the lab, so ownership cannot be real; nor are macOS's access lists.
CHANGE_MODE = """#!/bin/sh
case $1 in [+-]a*) exit 0 ;; esac
exec {real} "$@"
"""
_CHANGE_OWNER = """#!/bin/sh
[ "$MACLAB_EUID" = 0 ] && exit 0
echo "$(basename "$0"): Operation not permitted" >&2
exit 1
"""
# What is not in the lab's folder may be a file that only the Mac has: the lab knows.
MODELLED = ("cat", "date", "grep", "ls", "rm", "tar", "tee")
_OTHER_FILES = """#!/bin/sh
for word; do
    case $word in
        {own}) ;;
        /*) exec {modelled}/{name} "$@" ;;
    esac
done
exec {real} "$@"
"""
# All that this host's date and macOS's have in common: GNU's has other options, which no Mac takes.
_OTHER_OPTIONS = """#!/bin/sh
for word; do
    case $word in
        +* | -u | -R) ;;
        *) exec {modelled}/{name} "$@" ;;
    esac
done
exec {real} "$@"
"""


# Names a folder in which the Macs' Pythons keep what they compile of Ansible's modules, which is half of what a module
# costs. Who tests wants that; who measures does not, as a Mac has no such thing.
COMPILED = "MACLAB_COMPILED"


@dataclass(frozen=True)
class MacFolder:
    """The folder of one Mac."""

    path: Path

    @property
    def bin(self) -> Path:
        return self.path / "bin"

    @property
    def modelled(self) -> Path:
        """The programs behind those of `bin` that ask the lab only sometimes."""
        return self.path / "modelled"

    @property
    def root(self) -> Path:
        return self.path / "root"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def databases(self) -> Path:
        """The Mac's /var/db, where a run that changes the Mac holds its lock. macOS has it for root alone; here the one
        user of all Macs may write there, as ownership is not real."""
        return self.root / "var" / "db"

    @property
    def state(self) -> Path:
        return self.path / "state.json"

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    def home(self, account: Account) -> Path:
        return self.root / account.home.lstrip("/")


@dataclass(frozen=True)
class LabFolder:
    """The folder of a lab."""

    path: Path

    @property
    def info(self) -> Path:
        return self.path / "lab.json"

    @property
    def scenario(self) -> Path:
        return self.path / "scenario.yml"

    @property
    def inventory(self) -> Path:
        return self.path / "inventory.yml"

    @property
    def socket(self) -> Path:
        return self.path / frames.SOCKET_NAME

    @property
    def host_key(self) -> Path:
        return self.path / "host_key"

    @property
    def client_key(self) -> Path:
        return self.path / "client_key"

    @property
    def known_hosts(self) -> Path:
        return self.path / "known_hosts"

    @property
    def log(self) -> Path:
        return self.path / "lab.log"

    def mac(self, name: str) -> MacFolder:
        return MacFolder(self.path / "macs" / name)

    def create(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The state holds passwords and the socket runs commands: nobody else may enter, whoever made the folder.
        self.path.chmod(0o700)
        write_script(self.path / "program", program())
        write_script(self.path / "chmod", CHANGE_MODE.format(real=of_this_host("chmod") or "/bin/chmod"))
        write_script(self.path / "chown", _CHANGE_OWNER)
        lab, modelled = shlex.quote(str(self.path)), '"${0%/bin/*}/modelled"'
        for name in MODELLED:
            real = of_this_host(name) or f"/bin/{name}"
            write_script(self.path / name, asking(name, f"{lab}/*", modelled, real))

    def create_mac(self, name: str, programs: Iterable[str], python: Path | None, accounts: Iterable[Account]) -> None:
        folder = self.mac(name)
        for needed in (folder.bin, folder.modelled, folder.tmp, folder.root / "var" / "root"):
            needed.mkdir(parents=True, exist_ok=True)
        folder.databases.mkdir(exist_ok=True)
        # As on a Mac, whatever the caller's umask is: who locks looks at it.
        folder.databases.chmod(0o755)
        for account in accounts:
            if not account.service and account.home_exists:
                folder.home(account).mkdir(parents=True, exist_ok=True)
        links = utilities() | ({"python3": _as_installed(folder.path, python)} if python else {})
        links |= {"chmod": "../../../chmod", "chown": "../../../chown", "chgrp": "../../../chown"}
        # Nobody has to install what only stands in for a program of the host.
        links |= {name: "../../../program" for name in programs if name not in STAND_INS or name not in links}
        links |= {name: f"../../../{name}" for name in MODELLED}
        for stale in set(os.listdir(folder.bin)) - set(links):
            (folder.bin / stale).unlink()
        for link, target in links.items():
            relink(folder.bin / link, target)
        for name in MODELLED:
            relink(folder.modelled / name, "../../../program")
        (folder.path / "pyvenv.cfg").unlink(missing_ok=True)
        if python is not None and os.environ.get(COMPILED):
            _keep_compiled(folder.path, python.resolve(), Path(os.environ[COMPILED]).resolve())


def _as_installed(folder: Path, python: Path) -> str:
    """Return where a Mac's python3 leads to. None that was installed is in /usr/bin, where macOS has its stub: a link
    there would be taken for that one."""
    if python.parent != Path("/usr/bin"):
        return str(python)
    write_script(folder / "python3", f'#!/bin/sh\nexec {python} "$@"\n')
    return "../python3"


def _keep_compiled(folder: Path, python: Path, kept: Path) -> None:
    """Make of a Mac's folder a virtual environment: its Python has a start-up file then."""
    version = re.search(r"(\d+\.\d+)$", python.name)
    if version is None:
        return
    site = folder / "lib" / f"python{version.group(1)}" / "site-packages"
    for needed in (kept, site):
        needed.mkdir(parents=True, exist_ok=True)
    (folder / "pyvenv.cfg").write_text(f"home = {python.parent}\n", encoding="utf-8")
    (site / "keeper.py").write_text(Path(keeper.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    (site / "keeper.pth").write_text(f"import keeper; keeper.keep_in({str(kept)!r})\n", encoding="utf-8")


def relink(path: Path, target: str) -> None:
    if path.is_symlink() and os.readlink(path) == target:
        return
    path.unlink(missing_ok=True)
    path.symlink_to(target)


_found: dict[str, str] = {}


def of_this_host(name: str) -> str | None:
    """Return where this host has the program of that name."""
    return shutil.which(name, path=os.pathsep.join(UTILITY_FOLDERS))


def utilities() -> dict[str, str]:
    """Return where this host has what macOS has too, by name."""
    if not _found:
        _found.update({name: path for name in UTILITIES if (path := of_this_host(name))})
    return _found


def own_python() -> Path:
    """The interpreter itself: through a virtual environment's link, each start would look for that environment."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable)


def asking(name: str, own: str, modelled: str, real: str) -> str:
    """Return the script that is this host's program, and asks the lab about what only a Mac knows."""
    text = _OTHER_OPTIONS if name == "date" else _OTHER_FILES
    return text.format(own=own, modelled=modelled, name=name, real=real)


def program(host: str = "", place: str = "") -> str:
    """Return the script that stands in for every program of a Mac. `host` is where this host's tree is, `place` the
    folder of the programs, for a script that cannot tell by its own path. Raises LookupError without a perl."""
    env, perl = (of_this_host(name) for name in ("env", "perl"))
    if env is None or perl is None:
        raise LookupError("the programs of the lab's Macs are in Perl, and this host has no perl: install it")
    env, perl = (f"{host}{os.path.realpath(path)}" for path in (env, perl))
    # A caller's locale need not be one of this host; perl would say so on stderr.
    first = f"#!{env} -S -u PERL5OPT PERL_BADLANG=0 {perl}\n"
    begin = f"our $PLACE = {_in_perl(place)};\n" if place else ""
    return first + begin + Path(__file__).with_name("program.pl").read_text(encoding="utf-8")


def _in_perl(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def write_script(path: Path, text: str) -> None:
    write(path, text.encode(), 0o755)


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    # Replaced rather than rewritten: a running program may be reading it, and the kernel refuses to run an open file.
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(content)
    temporary.chmod(mode)
    temporary.replace(path)


NO_PYTHON = "none"
# Its python3 is Apple's stub, which has no developer tools to start and opens a dialog.
STUB_PYTHON = "stub"


def find_python(version: str) -> Path | None:
    """The interpreter of that version ("3.9"), from pyenv's folders or PATH; None if this host has none."""
    if not version:
        return own_python()
    name = f"python{version}"
    roots = [os.environ.get("PYENV_ROOT", ""), str(Path.home() / ".pyenv")]
    for root in filter(None, roots):
        # The folder may be another user's, and closed to this one.
        with suppress(OSError):
            for found in sorted(Path(root, "versions").glob(f"{version}*/bin/{name}")):
                return found
    for folder in os.get_exec_path():
        candidate = Path(folder, name)
        # pyenv's own wrappers need its PATH, which a Mac of the lab does not have.
        if "shims" not in candidate.parts and os.access(candidate, os.X_OK):
            return candidate
    return None
