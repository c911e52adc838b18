# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver must not take a tool that did nothing for one that found nothing."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from checks import ansible_test, catalogue, execution, interpreters, matrix
from checks.execution import Check, CheckFailed, Job, count
from checks.skips import skipped


def pythons(*versions: str) -> dict[str, Path]:
    return {version: Path(f"/usr/bin/python{version}") for version in versions}


def cores(planned: matrix.Matrix) -> list[tuple[str, str]]:
    return [(core.version, controller) for core, controller in planned.cores]


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "LOGS", tmp_path)
    monkeypatch.setattr(execution, "ROOT", tmp_path)


def test_numbers_are_added_up() -> None:
    assert count(r"(\d+) passed", "3 passed\n4 passed", what="tests") == 7


@pytest.mark.parametrize("said", ["", "0 passed", "All targets skipped"])
def test_nothing_done_is_a_failure(said: str) -> None:
    with pytest.raises(CheckFailed, match="0 tests"):
        count(r"(\d+) passed", said, what="tests")


def test_too_little_done_is_a_failure() -> None:
    with pytest.raises(CheckFailed, match="2 files, but at least 3"):
        count(r"(\d+) files", "2 files", at_least=3, what="files")


def test_the_output_is_that_of_the_last_command() -> None:
    job = Job("driver", os.environ)
    job.run(sys.executable, "-c", "print('1 passed')")
    assert job.run(sys.executable, "-c", "print('\x1b[32m2 passed\x1b[0m')") == "2 passed\n"


def test_a_command_that_fails_fails_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    def run(job: Job) -> str:
        return job.run(sys.executable, "-c", "import sys; sys.exit(3)")

    (result,) = execution.run_all([Check("driver-that-fails", run)], os.environ)
    assert not result.passed
    assert "exit status 3" in result.what
    assert "FAILED" in capsys.readouterr().out


def test_the_whole_matrix() -> None:
    planned = matrix.plan(pythons("3.9", "3.10", "3.11", "3.12", "3.13"), full=True)
    assert cores(planned) == [("2.21", "3.13"), ("2.16", "3.12")]
    assert planned.mac_pythons == ["3.9", "3.13"]
    assert not planned.left_out


def test_a_machine_with_python_3_11_only() -> None:
    planned = matrix.plan(pythons("3.11"), full=False)
    assert cores(planned) == [("2.19", "3.11"), ("2.16", "3.11")]
    assert planned.mac_pythons == ["3.11"]
    assert any("2.21" in line and "2.19 took its place" in line for line in planned.left_out)


@pytest.mark.parametrize("version", ["3.13", "3.14"])
def test_a_machine_with_one_new_python_only(version: str) -> None:
    planned = matrix.plan(pythons(version), full=False)
    assert cores(planned) == [("2.21", version)]
    assert any(line.startswith("ansible-core 2.16") for line in planned.left_out)
    assert any(line.startswith("Python 3.9 ") for line in planned.left_out)


WANT = "SKIPPED [2] tests/test_fleet.py:126: this host has no Python 3.9"
OTHER = "SKIPPED [1] tests/test_page.py:16: there is no Chromium here"
END = "= short test summary info =\n{}\n10 passed, {} skipped in 1.23s"


def test_skips_are_named() -> None:
    planned = matrix.plan(pythons("3.11"), full=False)
    assert skipped("10 passed in 1.23s", planned) == ""
    assert skipped(END.format(f"{WANT}\n{OTHER}", 3), planned) == "3 skipped (2 for there is no Python 3.9)"


@pytest.mark.parametrize(
    "said",
    [END.format(WANT, 2), "== 10 passed, 2 skipped, 1 warning in 75.00s (0:01:15) =="],
    ids=["quiet", "loud"],
)
def test_with_the_whole_matrix_no_test_is_skipped(said: str) -> None:
    planned = matrix.plan(pythons("3.9", "3.10", "3.11", "3.12", "3.13"), full=True)
    with pytest.raises(CheckFailed, match="2 tests were skipped"):
        skipped(said, planned)


def test_a_newcomer_skips_for_want_of_a_python_alone() -> None:
    planned = matrix.plan(pythons("3.11"), full=False, strict=True)
    assert skipped(END.format(WANT, 2), planned) == "2 skipped (2 for there is no Python 3.9)"
    with pytest.raises(CheckFailed, match="no Chromium"):
        skipped(END.format(f"{WANT}\n{OTHER}", 3), planned)
    with pytest.raises(CheckFailed, match="3 tests were skipped, and 2 of them"):
        skipped(END.format(WANT, 3), planned)


def test_a_python_that_is_there_explains_no_skip() -> None:
    planned = matrix.plan(pythons("3.9", "3.11"), full=False, strict=True)
    with pytest.raises(CheckFailed, match="no Python 3.9"):
        skipped(END.format(WANT, 2), planned)


def test_the_name_of_a_test_is_no_skip() -> None:
    said = "0.10s call     test_driver.py::test_sum[10 passed, 2 skipped in 1.23s]\n10 passed in 1.23s"
    assert skipped(said, matrix.plan(pythons("3.13"), full=True)) == ""


@pytest.mark.parametrize(
    ("number", "lacks", "says", "linted"),
    [
        (0, "", "", False),
        (0, '"pylint"', "did not run pylint", False),
        (0, '"pylint"', "", True),
        (1, '"pylint"', "", False),
        (1, '"import" on Python 3.9', "did not run import on Python 3.9", False),
    ],
)
def test_pylint_runs_once_with_the_newest_core_and_imports_with_each(
    number: int, lacks: str, says: str, linted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYHOLDER_AGAIN", str(int(linted)))
    planned = matrix.plan(pythons("3.9", "3.12", "3.13"), full=False)
    core, controller = planned.cores[number]
    asked: list[str] = []

    def tool(*arguments: Any) -> str:
        asked.extend(arguments[5:])
        each = [f'"{name}" on Python {python}' for name in ("compile", "import") for python in planned.targets(core)]
        others = [f'"test-{index}"' for index in range(20)]
        return "".join(f"Running sanity test {test}\n" for test in [*each, *others, '"pylint"'] if test != lacks)

    monkeypatch.setattr(ansible_test, "_ansible_test", tool)
    with pytest.raises(CheckFailed, match=says) if says else contextlib.nullcontext():
        ansible_test.sanity(Job("driver", os.environ), planned, core, controller)
    assert ("pylint" in asked) is bool(number or linted)


def test_each_file_of_integration_tests_is_in_one_half_and_the_halves_take_as_long() -> None:
    files = [Path(f"tests/integration/test_{name}.py") for name in (*catalogue.COSTS, "other", "another")]
    parts = catalogue.halves(files)
    assert sorted(path for part in parts for path in part) == sorted(files)
    costs = [sum(catalogue.COSTS.get(path.stem.removeprefix("test_"), 10) for path in part) for part in parts]
    assert max(costs) - min(costs) <= 10
    there = {path.stem.removeprefix("test_") for path in (Path(__file__).parents[2] / "integration").glob("test_*.py")}
    assert set(catalogue.COSTS) <= there


@pytest.mark.parametrize(
    ("said", "status", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 0, 17),
        ('openjdk version "21" 2023-09-19', 0, 21),
        ('java version "1.8.0_402"', 0, 1),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", 1, 0),
    ],
)
def test_the_version_of_java(
    said: str, status: int, version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "java"
    program.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\nexit {status}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert interpreters.java() == version


def test_without_java_it_is_said_and_the_whole_matrix_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreters.java() == 0
    every = pythons("3.9", "3.10", "3.11", "3.12", "3.13")
    (line,) = matrix.plan(every, full=True, java=False).left_out
    assert line.startswith("Java 17 or newer")
    with pytest.raises(CheckFailed, match="Java 17"):
        catalogue._matrix(matrix.plan(every, full=True, java=False))
