# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflow gives each job what it needs and no more, calls make targets that exist, and pushes nothing to main."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / ".github" / "workflows" / "macos.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
LABELS = ["macos-15", "macos-15-intel", "macos-26", "macos-26-intel"]
SCRIPTS = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]
MAKE = (ROOT / "Makefile").read_text(encoding="utf-8")


def scripts(job: str) -> str:
    return "\n".join(step.get("run", "") for step in JOBS[job]["steps"])


def test_every_action_is_pinned_to_a_commit_and_says_its_version() -> None:
    used = re.findall(r"uses: (.*)", TEXT)
    assert len(used) > 8
    assert [one for one in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


def test_nothing_is_granted_but_where_it_is_needed() -> None:
    assert WORKFLOW["permissions"] == {}
    granted = {name: job["permissions"] for name, job in JOBS.items()}
    assert granted.pop("propose") == {"contents": "write", "pull-requests": "write"}
    assert granted.pop("record") == {"contents": "read", "actions": "read"}
    assert set(map(str, granted.values())) == {"{'contents': 'read'}"}
    kept = [step["with"] for job in JOBS.values() for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert [one["persist-credentials"] for one in kept] == [False] * len(JOBS)


@pytest.mark.parametrize("job", ["record", "disposable", "unknowns"])
def test_each_kind_of_runner_is_tried_and_one_that_fails_ends_no_other(job: str) -> None:
    strategy = JOBS[job]["strategy"]
    assert strategy["matrix"]["label"] == LABELS
    assert strategy["fail-fast"] is False
    assert JOBS[job]["timeout-minutes"] <= 45


def test_a_pull_request_runs_what_reads_and_nothing_else() -> None:
    free = {name for name, job in JOBS.items() if "if" not in job}
    assert free == {"record"}
    assert "CONFIRM" not in scripts("record")
    conditions = {name: str(job["if"]) for name, job in JOBS.items() if "if" in job}
    assert "github.event_name != 'pull_request'" in conditions["disposable"]
    assert "github.event_name == 'workflow_dispatch'" in conditions["unknowns"]
    assert "github.ref == 'refs/heads/main'" in conditions["propose"]
    # Neither gives a fork's code the rights of this repository.
    assert not {"pull_request_target", "workflow_run"} & set(WORKFLOW["on"])


def test_what_is_destructive_is_guarded() -> None:
    guarded = [line for script in SCRIPTS for line in script.splitlines() if "CONFIRM=yes" in line]
    assert len(guarded) == 3
    assert all("ARGS=--hosted" in line for line in guarded)


def test_what_was_proven_is_proposed_and_never_pushed_to_main() -> None:
    script = scripts("propose")
    assert re.findall(r"git push .*", script) == ["git push --force origin proven"]
    assert "git checkout -b proven" in script
    assert "gh pr create --base main" in script
    assert not [one for name in JOBS if name != "propose" for one in ("git push", "gh pr") if one in scripts(name)]


def test_the_make_targets_are_there_and_take_these_variables() -> None:
    called = [line.split()[1:] for script in SCRIPTS for line in script.splitlines() if line.startswith("make ")]
    assert len(called) >= 9
    for target, *settings in called:
        (recipe,) = re.findall(rf"^{target}: setup.*\n((?:\t.*\n)+)", MAKE, re.MULTILINE)
        assert [one for one in settings if f"$({one.partition('=')[0]})" not in recipe] == [], target


def test_make_takes_the_python_that_the_job_has_set_up() -> None:
    """An image has newer ones, which make would prefer."""
    assert re.fullmatch(r"3\.\d+", WORKFLOW["env"]["KEYHOLDER_PYTHON"])
    used = [step["with"] for job in JOBS.values() for step in job["steps"] if "setup-python" in step.get("uses", "")]
    assert [one["python-version"] for one in used] == ["${{ env.KEYHOLDER_PYTHON }}"] * len(JOBS)


def test_what_a_pull_request_recorded_is_not_what_main_has() -> None:
    """The branch of a fork may be called main as well."""
    asked = scripts("record").partition("gh run list ")[2].partition("\nif ")[0]
    assert "--branch main" in asked
    assert 'map(select(.event != "pull_request"))' in asked


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_each_runner_finds_a_cryptography_that_need_not_be_built(architecture: str) -> None:
    """From 49 on it has wheels for Apple silicon alone, and building one takes Rust and OpenSSL's headers."""
    lines = (ROOT / "tests" / "requirements" / "dev.txt").read_text(encoding="utf-8").splitlines()
    mac = {"sys_platform": "darwin", "platform_machine": architecture}
    found = [Requirement(line) for line in lines if line.startswith("cryptography")]
    (one,) = [each for each in found if each.marker is None or each.marker.evaluate(mac)]
    (pinned,) = (Version(part.version) for part in one.specifier)
    assert (pinned < Version("49")) == (architecture == "x86_64")


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_script_is_made_of_what_somebody_else_wrote(script: str) -> None:
    """A branch's name, a title or a matrix in a script would be a program."""
    assert "${{" not in script
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
