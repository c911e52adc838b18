# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test without containers and without its own download host, and counts what it ran."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

from .environments import CACHE, REQUIREMENTS, ROOT, ensure
from .execution import CheckFailed, count
from .mirror import mirror
from .skips import skipped

if TYPE_CHECKING:
    from pathlib import Path

    from .execution import Job
    from .matrix import Core, Matrix

# Every release named in the matrix has at least this many sanity tests for a collection.
SANITY_TESTS = 20
# They read the source, and what they say does not depend on the ansible-core beside them. The newest one's pylint has
# every rule of the oldest one's but those that were given up because their answer varies with Python.
OF_THE_SOURCE = ("changelog", "pep8", "pylint", "shellcheck", "yamllint")
# What a Python between two others cannot import, one of these two cannot either.
ON_EACH_PYTHON = ("compile", "import")
# The unit tests of what runs on the controller.
CONTROLLERS = ("tests/unit/plugins/lookup/", "tests/unit/plugins/plugin_utils/")


def sanity(job: Job, matrix: Matrix, core: Core, controller: str) -> str:
    lints = first(matrix, core)
    skipped_tests = () if lints else OF_THE_SOURCE
    skips = [word for name in (*skipped_tests, *ON_EACH_PYTHON) for word in ("--skip-test", name)]
    pythons = _ends(matrix.targets(core))
    output = _ansible_test(job, matrix, core, controller, "sanity", "--local", *skips)
    for python in pythons:
        tests = [word for name in ON_EACH_PYTHON for word in ("--test", name)]
        output += _ansible_test(job, matrix, core, controller, "sanity", "--local", *tests, "--python", python)
    ran = re.findall(r'^Running sanity test "([^"]+)"(?: on Python (\S+))?', output, re.MULTILINE)
    names = {name for name, _python in ran}
    if len(names) < SANITY_TESTS - len(skipped_tests):
        raise CheckFailed(f"ansible-test ran {len(names)} sanity tests, but has at least {SANITY_TESTS}")
    if lints and "pylint" not in names:
        raise CheckFailed("ansible-test did not run pylint")
    for name in ON_EACH_PYTHON:
        missing = {*pythons} - {python for test, python in ran if test == name}
        if missing:
            raise CheckFailed(f"ansible-test did not run {name} on Python {', '.join(sorted(missing))}")
    if needed := re.search(r'Required program "(.+)" not found', output):
        raise CheckFailed(f"ansible-test skipped a test for want of {needed[1]}")
    return f"{len(names)} sanity tests, {len(ran)} runs"


def _ends(pythons: list[str]) -> list[str]:
    """Return the oldest and the newest of these."""
    return pythons[:1] + pythons[1:][-1:]


def first(matrix: Matrix, core: Core) -> bool:
    """Tell whether this run is to try what need not be tried twice. KEYHOLDER_AGAIN=1 says that another one has."""
    return core is matrix.cores[0][0] and os.environ.get("KEYHOLDER_AGAIN") != "1"


def units(job: Job, matrix: Matrix, core: Core, controller: str) -> str:
    # ansible-test would go through every Python on PATH, and be content when it finds none. What runs on a Mac must not
    # know Ansible: the checks of the core try it without, on the Pythons of Macs. Here is what runs on the controller.
    where = ("--venv", "--python", controller, *CONTROLLERS)
    output = _ansible_test(job, matrix, core, controller, "units", *where)
    ran = re.findall(r"^Unit test \S+ with Python (\S+)$", output, re.MULTILINE)
    if {*ran} != {controller}:
        raise CheckFailed(f"unit tests ran on Python {', '.join(ran) or 'none'}, and not on {controller}")
    passed = count(r"^=.* (\d+) passed", output, what="unit tests passed")
    return ", ".join(filter(None, (f"{passed} tests on Python {controller}", skipped(output, matrix))))


def environment(matrix: Matrix, core: Core, controller: str) -> Path:
    """Where this ansible-core is installed, and nothing besides it."""
    name = f"core-{core.version}"
    return ensure(CACHE / "environments" / name, matrix.pythons[controller], REQUIREMENTS / f"{name}.txt")


def _ansible_test(job: Job, matrix: Matrix, core: Core, controller: str, command: str, *options: str) -> str:
    programs = environment(matrix, core, controller) / "bin"
    place = f"{command}-{core.version}"
    path = os.pathsep.join(map(str, (programs, CACHE / "pythons", job.environment["PATH"])))
    output = job.run(
        programs / "ansible-test",
        command,
        *options,
        "--color=no",
        "--truncate=0",
        # A copy and a home for each command: two of them at the same time would trip over each other's files.
        # Its rules are for code that Ansible runs; the lab and this driver are under mypy's and ruff's eyes.
        cwd=mirror(place, shipped_only=True),
        also={"HOME": str(_home(job, place, core.pip)), "PATH": path},
    )
    if "All targets skipped" in output:
        raise CheckFailed("ansible-test saw no file")
    return output


def _home(job: Job, place: str, pip: str) -> Path:
    """The home folder that ansible-test makes its environments in, with the pip that it would otherwise download."""
    home = CACHE / "home" / place
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob(f"pip-{pip}-*.whl")):
        job.run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", cache, f"pip=={pip}")
    shutil.copy(ROOT / "tests" / "utils" / "get_pip.py", cache / f"get_pip_{pip.replace('.', '_')}.py")
    return home
