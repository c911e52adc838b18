# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each example of the documentation runs as it is printed, from the installed collection, in an empty folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from checks.environments import ROOT, VENV
from checks.mirror import mirror
from harness.ansible import binaries
from maclab.lab import Lab
from maclab.layout import own_python
from stage import data
from stage.scene import Run, Stage, parsed, play, titles, understood
from stage.snippets import all_snippets

SNIPPETS = all_snippets()
QUESTION = re.compile(r"(Ask|Check|Find|Go on only|List|Look|Prove|Read|See|Show|Stop|Sum up|Validate|Verify)\b")


def test_each_example_has_a_row_and_each_row_its_example() -> None:
    rows = {name for scene in data.SCENES for name in scene.snippets()}
    assert set(SNIPPETS) - rows - set(data.NOT_RUN) == set(), "examples that nothing tries: see scenes.yml"
    assert (rows | set(data.NOT_RUN)) - set(SNIPPETS) == set(), "rows of scenes.yml without an example"
    assert rows & set(data.NOT_RUN) == set(), "examples that run, and are said not to"


def test_an_example_that_is_named_as_a_question_changes_nothing() -> None:
    """What it runs beside is a question, too: the journal of the Macs tells of a whole run."""
    questions = 0
    for step in (step for scene in data.SCENES for step in scene.steps if "tasks" in step):
        names = [title for name in step["tasks"] for title in titles(SNIPPETS[name])]
        if any(map(QUESTION.match, names)):
            questions += 1
            assert "changed" not in step["due"], names
    assert questions


@pytest.mark.parametrize("name", sorted(data.NOT_RUN))
def test_what_cannot_run_here_can_be_read(name: str) -> None:
    parsed(SNIPPETS[name])


def test_each_core_understands_the_words_of_every_task_and_play(installed: Path, tmp_path: Path) -> None:
    """Names of modules, roles and keywords: the oldest core plays only some of them."""
    names = sorted({name for scene in data.SCENES for name in scene.snippets() if SNIPPETS[name].language == "yaml"})
    assert understood([SNIPPETS[name] for name in names], binaries(), installed, tmp_path)


@pytest.mark.parametrize("scene", data.played(), ids=lambda scene: scene.scene)
def test_scene(scene: data.Scene, lab: Lab, installed: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    folder = {"empty": tmp_path / "empty", "clone": ROOT, "copy of the clone": mirror("examples-copy")}[scene.where]
    folder.mkdir(exist_ok=True)
    macs = {name: scene.inside(name) for name in scene.macs}
    stage = Stage(folder, beside, installed, lab, macs, scene.replaced)
    try:
        if scene.inventory and scene.where == "empty":
            stage.write("inventory.yml", SNIPPETS[data.INVENTORY].text)
            stage.write(scene.vault_in, yaml.safe_dump(data.VAULT | scene.vault))
        if scene.python:
            # As on a Mac whose Python Ansible finds by itself: the places are another computer's here. The python3 of
            # the Mac's own folder stands for the one of /usr/bin.
            stage.write("group_vars/macs/python.yml", f"ansible_python_interpreter: {own_python()}\n")
        before: list[Run] = []
        for step in scene.steps:
            before = play(stage, SNIPPETS, step, before) or before
    finally:
        if scene.where == "clone":
            stage.typed(f"PATH={VENV}/bin:$PATH PYTHONPATH={ROOT}/maclab python -m maclab down")
        stage.close()
    assert stage.unused() == set(), "nothing is replaced by these"
