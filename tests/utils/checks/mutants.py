# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make mutants`: changes the core in thousands of places, one at a time, and lists the changes that no test notices.

Not part of `make test`: it takes hours. tests/mutants/README.md says what counts, and why each survivor may live.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

from .environments import CACHE, REQUIREMENTS, ROOT, ensure
from .mirror import tracked

if t.TYPE_CHECKING:
    from collections.abc import Sequence

PLACE = CACHE / "mutants"
TREE = Path("ansible_collections") / "keyholder" / "macos"
CORE = TREE / "plugins" / "module_utils"
MUTATED = (
    "_recoverable.py",
    "_plan/plan.py",
    "_run/*.py",
    "_plan/account.py",
    "_plan/*.py",
    "_account.py",
    "_mac.py",
    "_macos.py",
    "_place.py",
    "_unfinished.py",
    "_reading/*.py",
    "_command/*.py",
    "_step/*.py",
)
# Those that draw sequences, or cut a run at each write, take minutes: what they find wants a quick test, too.
TESTS = (
    "unit/plugins/module_utils",
    *(
        f"property/test_{what}_on_lab.py"
        for what in (
            "faults",
            "filevault",
            "half_answers",
            "last_way_in",
            "lies",
            "mobile",
            "offboarding",
            "promotion",
            "repair",
            "run",
            "run_borders",
            "situations",
            "two_runs",
        )
    ),
)
# Read the sources, in which they would find what the mutants say; start processes; try thousands of values.
UNFIT = [f"--ignore={TREE}/tests/{TESTS[0]}/test__{name}.py" for name in ("reason", "house", "runner", "hostile")]
RESULTS = ROOT / "tests" / "mutants" / "results.json"
SETTINGS = f"""
[tool.mutmut]
source_paths = ["{CORE}"]
only_mutate = FILES
also_copy = ["{TREE}/plugins", "{TREE}/tests", "{TREE}/maclab", "pytest.ini"]
pytest_add_cli_args_test_selection = TESTS
pytest_add_cli_args = {json.dumps(["-p", "no:cacheprovider", *UNFIT])}
"""


def main() -> int:
    options = _options()
    environment = ensure(CACHE / "environments" / "mutants", Path(sys.executable), REQUIREMENTS / "mutants.txt")
    files = options.files or [
        str(path.relative_to(ROOT / "plugins" / "module_utils"))
        for pattern in MUTATED
        for path in sorted((ROOT / "plugins" / "module_utils").glob(pattern))
    ]
    if options.report:
        _report()
        return 0
    if not options.again:
        shutil.rmtree(PLACE, ignore_errors=True)
    _copy(options.files or MUTATED, options.tests or TESTS)
    command = [environment / "bin" / "python", ROOT / "tests" / "utils" / "mutate.py"]
    chosen = {"MUTANTS_PART": str(options.part), "MUTANTS_AGAIN": "1" * options.again, "MUTANTS_ORDER": " ".join(files)}
    names = [f"*{name}__mutmut*" for name in options.only]
    run: list[str | Path] = [*command, "run", "--max-children", str(options.workers), *names]
    done = subprocess.run(run, cwd=PLACE, env={**os.environ, **chosen}, check=False)
    if done.returncode == 0:
        _report()
    return done.returncode


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument(
        "files", nargs="*", help="these only, as `_run/compare.py _command/*.py`; all others keep their results"
    )
    parser.add_argument("--part", type=int, default=1, help="a sample: one mutant of so many")
    parser.add_argument("--only", action="append", default=[], help="a function by its name, and no other")
    parser.add_argument(
        "--again", action="store_true", help="go on with the last run, and try its survivors with the tests of today"
    )
    parser.add_argument(
        "--tests", action="append", default=[], help="these decide, as `unit/plugins/module_utils/test__guard.py`"
    )
    parser.add_argument("--report", action="store_true", help="write down what a run that is still going has found")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def _copy(files: Sequence[str], tests: Sequence[str]) -> None:
    """As mutmut names a mutant by its path, that must be the name it is imported by: .cache/tree will not do."""
    for relative in tracked("plugins/*", "tests/unit/*", "tests/property/*", "maclab/*"):
        target = PLACE / TREE / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / relative, target)
    settings = SETTINGS.replace("FILES", json.dumps([f"{CORE}/{name}" for name in files]))
    chosen = json.dumps([f"{TREE}/tests/{place}" for place in tests])
    (PLACE / "pyproject.toml").write_text(settings.replace("TESTS", chosen))
    paths = " ".join(f"{TREE}/{folder}" for folder in ("maclab", "maclab/tests"))
    (PLACE / "pytest.ini").write_text(f"[pytest]\npythonpath = . {paths}\naddopts = --strict-markers\n")


def _report() -> None:
    """Count by file, and keep each survivor with its change: a name alone means another mutant after the next edit."""
    known: dict[str, t.Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for meta in sorted((PLACE / "mutants" / CORE).rglob("*.meta")):
        statuses = json.loads(meta.read_text())["exit_code_by_key"]
        alive = [name for name, status in statuses.items() if status in (0, 33)]
        module = str(meta.relative_to(PLACE / "mutants" / CORE)).removesuffix(".meta")
        known[module] = {
            "killed": sum(status is not None for status in statuses.values()) - len(alive),
            "survived": len(alive),
            "untried": sum(status is None for status in statuses.values()),
            "survivors": _changes(meta.with_suffix(""), [name.rpartition(".")[2] for name in alive]),
        }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False) + "\n")
    total = {key: sum(of[key] for of in known.values()) for key in ("killed", "survived", "untried")}
    print(f"{total['killed']} killed, {total['survived']} survived, {total['untried']} not tried: {RESULTS}")


def _changes(path: Path, names: t.Collection[str]) -> dict[str, str]:
    """What each mutant changes. mutmut leaves it beside the original, as a function of its own."""
    source = path.read_text()
    lines = source.splitlines()
    functions = {
        node.name: lines[node.lineno : node.end_lineno]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name
    }
    return {
        name: "\n".join(
            line
            for line in difflib.ndiff(functions[f"{name.partition('__mutmut_')[0]}__mutmut_orig"], functions[name])
            if line[:1] in "+-"
        )
        for name in names
    }


if __name__ == "__main__":
    sys.exit(main())
