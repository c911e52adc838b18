# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes and renews the virtual environments that everything runs in; needs nothing but a bare Python.

Run as a program it makes the one that the Makefile's other targets use: `.venv`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"
TREE = CACHE / "tree"
REQUIREMENTS = ROOT / "tests" / "requirements"


class SetUpError(Exception):
    """An environment could not be made."""


def ensure(place: Path, python: Path, *requirements: Path) -> Path:
    """Make the environment, unless it stands there already with the same Python and requirements."""
    version = _output([python, "-c", "import sys; print(sys.version, sys.base_prefix)"])
    # Tools find each other by the paths inside an environment, so one that was moved with the work tree is stale too.
    texts = "\n".join(path.read_text() for path in requirements)
    wanted = hashlib.sha256(f"{place}\n{version}\n{texts}".encode()).hexdigest()
    with alone(place.name):
        if not _stands(place, wanted):
            files = ", ".join(path.name for path in requirements)
            print(f"Setting up {place.relative_to(ROOT)} (Python {version.split()[0]}, {files}) ...", flush=True)
            shutil.rmtree(place, ignore_errors=True)
            _make(place, python, [f"--requirement={path}" for path in requirements])
            _stamp(place).write_text(wanted)
    return place


def link_tree() -> None:
    """Let Ansible and Python import the work tree as ansible_collections.keyholder.macos, wherever it was cloned to."""
    link = TREE / "ansible_collections" / "keyholder" / "macos"
    link.parent.mkdir(parents=True, exist_ok=True)
    with alone("tree"):
        if not (link.is_symlink() and link.resolve() == ROOT):
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(ROOT, link.parent))


@contextlib.contextmanager
def alone(name: str) -> Iterator[None]:
    """Two targets started at the same time must not both build the same thing."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stamp(place: Path) -> Path:
    return place / "set-up"


def _stands(place: Path, wanted: str) -> bool:
    # The interpreter below an environment can vanish, by an upgrade for one, and leave a dangling link.
    return _stamp(place).exists() and _stamp(place).read_text() == wanted and (place / "bin" / "python").exists()


def _make(place: Path, python: Path, requirements: list[str]) -> None:
    # uv does in seconds what takes Python and pip a minute. They stay the way out: pip alone knows a mirror from
    # pip.conf.
    try:
        _by_uv(place, python, requirements)
    except SetUpError as problem:
        print(f"uv could not do it, so pip does ({str(problem).splitlines()[-1]})", flush=True)
        shutil.rmtree(place, ignore_errors=True)
        _output([python, "-m", "venv", place])
        _output([*_pip(place), *requirements])


def _by_uv(place: Path, python: Path, requirements: list[str]) -> None:
    # uv brings certificates of its own, which miss those of a company's proxy.
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    # The first environment has it for all others.
    uv = VENV / "bin" / "uv"
    if place == VENV or not uv.exists():
        uv = place / "bin" / "uv"
        _output([python, "-m", "venv", place])
        wanted = next(line for line in (REQUIREMENTS / "dev.txt").read_text().splitlines() if line.startswith("uv=="))
        _output([*_pip(place), wanted])
    else:
        # With a pip, which ansible-test asks for.
        _output([uv, "venv", "--quiet", "--seed", "--python", python, place], environment)
    _output([uv, "pip", "install", "--quiet", "--python", place / "bin" / "python", *requirements], environment)


def _pip(place: Path) -> list[str | Path]:
    return [place / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _output(argv: list[str | Path], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetUpError(f"{' '.join(map(str, argv))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    try:
        ensure(VENV, Path(sys.executable), REQUIREMENTS / "dev.txt")
        link_tree()
    except SetUpError as problem:
        sys.exit(f"The set-up failed.\n{problem}")


if __name__ == "__main__":
    main()
