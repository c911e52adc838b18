# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs all checks, or those that are named, and sums up."""

from __future__ import annotations

import argparse
import locale
import os
import sys
from pathlib import Path

from . import catalogue, interpreters, matrix
from .environments import CACHE, TREE, VENV, link_tree
from .execution import run_all, summary

# Settings of the person at the keyboard must not decide what a check finds.
FOREIGN = (
    "ANSIBLE_",
    "GIT_",
    "MOLECULE_",
    "MYPY",
    "PYENV_VERSION",
    # A container's image likes to set it: then each start of a tool compiles all of Ansible anew.
    "PYTHONDONTWRITEBYTECODE",
    "PYTEST_",
    "PYTHONPATH",
    "RUFF_",
    "SSH_AUTH_SOCK",
    "VIRTUAL_ENV",
)


def main() -> int:
    options = _options()
    link_tree()
    found = interpreters.find()
    asked = {name: os.environ.get(f"KEYHOLDER_{name.upper()}") == "1" for name in ("full_matrix", "strict_skips")}
    java = interpreters.java() >= matrix.JAVA
    planned = matrix.plan(found, full=asked["full_matrix"], strict=asked["strict_skips"], java=java)
    chosen = catalogue.checks(planned)
    if options.list:
        print("\n".join(check.name for check in chosen))
        return 0
    if wanted := catalogue.fast(planned) if options.fast else options.names:
        for name in wanted:
            if not any(_matches(check.name, name) for check in chosen):
                sys.exit(f"There is no check named {name}; here are: {', '.join(check.name for check in chosen)}")
        chosen = [check for check in chosen if any(_matches(check.name, name) for name in wanted)]

    results = run_all(chosen, _environment(interpreters.link(found)))
    print(f"\n{summary(results)}\n")
    if planned.left_out and not options.fast:
        print("Left out, because this machine lacks what it takes:")
        print("".join(f"  - {line}\n" for line in planned.left_out))
    failed = [result.name for result in results if not result.passed]
    if failed:
        print(f"Failed: {', '.join(failed)}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not results else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make test", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help="run these only; `sanity` stands for sanity-2.16 and all others that begin so"
    )
    parser.add_argument("--fast", action="store_true", help="run those only that take seconds")
    parser.add_argument("--list", action="store_true", help="list the checks")
    return parser.parse_args()


def _matches(check: str, name: str) -> bool:
    return check == name or check.startswith(f"{name}-")


def _environment(pythons: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    home = CACHE / "home" / "tools"
    home.mkdir(parents=True, exist_ok=True)
    # A shim stands for each version that pyenv has, and ansible-test would take it for one to test with.
    shims = "shims" if os.environ.get("KEYHOLDER_PYTHON") else None
    folders = [folder for folder in os.get_exec_path() if os.path.basename(folder.rstrip("/")) != shims]
    path = [str(VENV / "bin"), *folders, str(pythons)]
    return kept | {
        "ANSIBLE_COLLECTIONS_PATH": str(TREE),
        # Or tools fold their reports, and a count and its unit end up on two lines.
        "COLUMNS": "200",
        "HOME": str(home),
        "LC_ALL": _utf8(),
        "MACLAB_COMPILED": str(CACHE / "compiled"),
        "PATH": os.pathsep.join(path),
    }


def _utf8() -> str:
    """Ansible refuses to start without a UTF-8 locale, and no single name of one is known everywhere."""
    for name in ("C.UTF-8", "en_US.UTF-8"):
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:
            continue
        return name
    sys.exit("Neither the locale C.UTF-8 nor en_US.UTF-8 exists on this machine, and Ansible needs one of them.")


if __name__ == "__main__":
    sys.exit(main())
