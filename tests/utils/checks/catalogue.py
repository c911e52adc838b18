# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of everything that `make test` runs. tests/README.md tells what each check is for."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import yaml

from . import action_groups, ansible_test, docs, images, package
from .environments import CACHE, REQUIREMENTS, ROOT, TREE, ensure
from .execution import Check, CheckFailed, count
from .mirror import mirror, tracked
from .skips import skipped

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .execution import Job
    from .matrix import Core, Matrix

UNIT_REQUIREMENTS = ROOT / "tests" / "unit" / "requirements.txt"
HALVES = 2
COSTS = {
    "secrets": 61,
    "targets": 46,
    "filevault_role": 41,
    "filevault": 36,
    "two_runs": 33,
    "changes": 27,
    "strings": 32,
    "filevault_reboot": 24,
    "filevault_unlock": 45,
    "trust_info_shell": 23,
    "upgrade": 24,
    "github_runner": 90,
    "on_macs": 36,
    "fleet_folder": 60,
    "rotated_password": 45,
    "cuts": 25,
    "rotation": 19,
    "sequences": 22,
    "bad_input": 17,
    "audit": 15,
    "on_event": 40,
    "faults": 14,
}
"""Seconds of one core that a file of integration tests takes; one that is not here takes about ten."""


GLUE_OF_EACH_CORE = (
    "tests/glue/test_variables.py",
    "tests/glue/test_typos.py::test_a_playbook_stops_for_a_slip_in_any_of_its_variables",
    "tests/glue/test_typos.py::test_by_whatever_way_it_comes",
    "tests/glue/test_typos.py::test_a_value_of_another_kind_is_right_or_refused_by_the_variables_name",
)
"""What templates and includes come to, in which versions of ansible-core differ."""


def fast(matrix: Matrix) -> list[str]:
    """What a person runs between two edits: the core on its oldest Python, where most mistakes show."""
    return ["ruff", "mypy", "yamllint", f"core-{matrix.mac_pythons[0]}"]


def checks(matrix: Matrix) -> list[Check]:
    """All of them. They start in this order, so the long ones stand first, lest one of them runs alone at the end."""
    return [
        Check("matrix", lambda _job: _matrix(matrix)),
        *(check for core, controller in matrix.cores for check in _integration(matrix, core, controller)),
        *(_sanity(matrix, core, controller) for core, controller in matrix.cores),
        *(_examples(matrix, core, controller) for core, controller in matrix.cores),
        Check("awx", lambda job: _pytest(job, matrix, "tests/awx")),
        Check("publish", lambda job: _pytest(job, matrix, "tests/publish")),
        Check("eda", lambda job: _eda(job, matrix)),
        Check("property", lambda job: _pytest(job, matrix, "tests/property")),
        Check("ansible-lint", _ansible_lint),
        *(_units(matrix, core, controller) for core, controller in matrix.cores),
        *_molecule(),
        *(_core(matrix, version) for version in matrix.mac_pythons),
        Check("lab", lambda job: _pytest(job, matrix, "maclab/tests")),
        *(_glue(matrix, core, controller) for core, controller in matrix.cores),
        Check("galaxy-importer", package.importer),
        Check("demo", _demo),
        Check("macos", lambda job: _pytest(job, matrix, "tests/macos")),
        Check("report", lambda job: _pytest(job, matrix, "tests/report")),
        Check("docs", docs.build),
        Check("docs-lint", _docs_lint),
        Check("package", package.install),
        Check("execution-environment", images.build),
        Check("mypy", _mypy),
        Check("changelog", _changelog),
        Check("reuse", _reuse),
        Check("yamllint", _yamllint),
        Check("shellcheck", _shellcheck),
        Check("ruff", _ruff),
        Check("workflows", lambda job: _workflows(job, matrix)),
        Check("driver", lambda job: _pytest(job, matrix, "tests/utils/tests")),
        Check("action-groups", lambda _job: action_groups.compare()),
    ]


def _matrix(matrix: Matrix) -> str:
    if matrix.full and matrix.left_out:
        raise CheckFailed("; ".join(matrix.left_out))
    cores = ", ".join(f"{core.version} on Python {controller}" for core, controller in matrix.cores)
    return f"ansible-core {cores}"


def _sanity(matrix: Matrix, core: Core, controller: str) -> Check:
    return Check(f"sanity-{core.version}", lambda job: ansible_test.sanity(job, matrix, core, controller))


def _units(matrix: Matrix, core: Core, controller: str) -> Check:
    """What runs on the controller: by ansible-test, which gives each test a process of its own and takes twice the
    time; where that was done, by pytest alone."""

    def run(job: Job) -> str:
        if ansible_test.first(matrix, core):
            return ansible_test.units(job, matrix, core, controller)
        name = f"units-{core.version}"
        needed = (REQUIREMENTS / f"core-{core.version}.txt", REQUIREMENTS / "core-unit.txt", UNIT_REQUIREMENTS)
        place = ensure(CACHE / "environments" / name, matrix.pythons[controller], *needed)
        return _pytest(job, matrix, *ansible_test.CONTROLLERS, python=str(place / "bin" / "python"))

    return Check(f"units-{core.version}", run)


def _integration(matrix: Matrix, core: Core, controller: str) -> list[Check]:
    """Playbooks against the lab. Its Macs have the Pythons that the tests ask for, as far as this machine has them.

    Two checks, each half of the files, so that both cores are at work where nothing else is left. A file's tests share
    a lab, and no two files do.
    """

    def half(number: int) -> Check:
        def run(job: Job) -> str:
            programs = ansible_test.environment(matrix, core, controller) / "bin"
            files = halves(tracked("tests/integration/test_*.py"))[number]
            return _pytest(job, matrix, *map(str, files), also={"KEYHOLDER_ANSIBLE": str(programs)})

        return Check(f"integration-{core.version}-{number + 1}", run)

    return [half(number) for number in range(HALVES)]


def halves(files: Iterable[Path]) -> list[list[Path]]:
    """Return parts that take about the same time: the longest file first, and each to the part that is the shortest."""

    def cost(path: Path) -> int:
        return COSTS.get(path.stem.removeprefix("test_"), 10)

    parts: list[list[Path]] = [[] for _ in range(HALVES)]
    for path in sorted(files, key=lambda path: (-cost(path), path)):
        min(parts, key=lambda part: sum(map(cost, part))).append(path)
    return parts


def _glue(matrix: Matrix, core: Core, controller: str) -> Check:
    """What a caller says, from a playbook's variable to a program's argument. The modules are read by one core."""
    newest = core is matrix.cores[0][0]

    def run(job: Job) -> str:
        programs = ansible_test.environment(matrix, core, controller) / "bin"
        where = ["tests/glue"] if newest else GLUE_OF_EACH_CORE
        return _pytest(job, matrix, *where, also={"KEYHOLDER_ANSIBLE": str(programs)})

    return Check(f"glue-{core.version}", run)


def _examples(matrix: Matrix, core: Core, controller: str) -> Check:
    """Every example of the documentation, from the collection that this ansible-core has installed."""

    def run(job: Job) -> str:
        programs = ansible_test.environment(matrix, core, controller) / "bin"
        return _pytest(job, matrix, "tests/examples", also={"KEYHOLDER_ANSIBLE": str(programs)})

    return Check(f"examples-{core.version}", run)


def _core(matrix: Matrix, version: str) -> Check:
    """The code that runs on a Mac, as it runs there: an old Python, and no Ansible to lean on."""

    def run(job: Job) -> str:
        name = f"core-unit-{version}"
        python = (
            ensure(CACHE / "environments" / name, matrix.pythons[version], REQUIREMENTS / "core-unit.txt")
            / "bin"
            / "python"
        )
        job.run(python, "-c", "import importlib.util as u, sys; sys.exit(u.find_spec('ansible') is not None)")
        # A plan is the same on any Python, so it is asked for at random on one of them.
        many = {"KEYHOLDER_EXAMPLES": "150"} if version == matrix.mac_pythons[0] else {}
        return _pytest(job, matrix, "tests/unit/plugins/module_utils", python=str(python), also=many)

    return Check(f"core-{version}", run)


def _pytest(job: Job, matrix: Matrix, *where: str, python: str = "python", also: dict[str, str] | None = None) -> str:
    # pytest itself fails when it finds no test at all.
    output = job.run(python, "-m", "pytest", "-q", "--durations=20", *where, also=also)
    passed = count(r"^=*.*?(\d+) passed", output, what="tests passed")
    return ", ".join(filter(None, (f"{passed} tests", skipped(output, matrix))))


def _eda(job: Job, matrix: Matrix) -> str:
    """Webhooks into the event source, and where there is a Java, through ansible-rulebook to Macs of the lab."""
    core, controller = matrix.cores[0]
    programs = {
        "KEYHOLDER_ANSIBLE": ansible_test.environment(matrix, core, controller),
        "KEYHOLDER_RULEBOOK": ensure(
            CACHE / "environments" / "eda", matrix.pythons[controller], REQUIREMENTS / "eda.txt"
        ),
    }
    where = ["tests/eda"] if matrix.java else ["tests/eda/test_source.py"]
    said = _pytest(job, matrix, *where, also={name: str(place / "bin") for name, place in programs.items()})
    return said if matrix.java else f"{said}, and no rulebook: there is no Java"


def _molecule() -> list[Check]:
    """A check for each scenario: each has a lab and a folder of its own, and the last one need not run alone."""
    scenarios = sorted(path.parent.name for path in tracked("extensions/molecule/*/molecule.yml"))
    return [_scenario(name) for name in scenarios] or [Check("molecule", _no_scenario)]


def _scenario(name: str) -> Check:
    def run(job: Job) -> str:
        output = job.run("molecule", "test", "--scenario-name", name)
        return f"{count(r'([0-9]+) passed', output, what='testinfra tests')} testinfra tests"

    return Check(f"molecule-{name}", run)


def _no_scenario(_job: Job) -> str:
    raise CheckFailed("there is no scenario in extensions/molecule")


def _demo(job: Job) -> str:
    """`make demo`, which compares what happened with what it is to show."""
    folders = os.pathsep.join(str(ROOT / name) for name in ("tests/utils", "maclab"))
    output = job.run("python", "tests/demo/run.py", also={"PYTHONPATH": folders})
    ends = {"onboarded": " onboarded$", "refused": " REFUSED$", "unlocked": r" unlocked +up +1$"}
    seen = {word: len(re.findall(end, output, re.MULTILINE)) for word, end in ends.items()}
    if not all(seen.values()):
        raise CheckFailed(f"of the Macs {seen}: the demo shows nothing")
    return ", ".join(f"{number} {word}" for word, number in seen.items())


def _ansible_lint(job: Job) -> str:
    copy = mirror("ansible-lint")
    output = job.run("ansible-lint", cwd=copy, also={"ANSIBLE_COLLECTIONS_PATH": str(copy.parents[2])})
    if warned := re.search(r"([1-9]\d*) warning", output):
        raise CheckFailed(f"ansible-lint: {warned[0]}")
    processed = count(r"in (\d+) files processed", output, what="files")
    return f"{processed} files"


def _docs_lint(job: Job) -> str:
    copy = mirror("docs-lint")
    try:
        _lint_docs(job, copy)
    except CheckFailed:
        # Its folder has a random name, which stands in what it checks: one that ends in "_" is a link to nothing there.
        if 'Unknown target name: "antsibull-docs-' not in job.log.read_text():
            raise
        _lint_docs(job, copy)
    plugins = ("plugins/modules/*.py", "plugins/filter/*.py", "plugins/lookup/*.py", "plugins/test/*.py")
    documents = tracked(*plugins, "roles/*/meta/argument_specs.yml", "docs/docsite/rst/*.rst")
    if not tracked("plugins/modules/*.py"):
        raise CheckFailed("there is no module")
    return f"{len(documents)} modules, roles and guides"


def _lint_docs(job: Job, copy: Path) -> None:
    job.run(
        "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "all",
        "--check-extra-docs-refs", "--disallow-unknown-collection-refs", copy,
        also={"ANSIBLE_COLLECTIONS_PATH": str(copy.parents[2])},
    )  # fmt: skip


def _changelog(job: Job) -> str:
    """The changelog must be well-formed, tell of the present version, and be what CHANGELOG.md says."""
    copy = mirror("changelog")
    where = {"ANSIBLE_COLLECTIONS_PATH": str(copy.parents[2])}
    job.run("antsibull-changelog", "lint", cwd=copy, also=where)
    job.run("antsibull-changelog", "lint-changelog-yaml", "--strict", "changelogs/changelog.yaml", cwd=copy, also=where)
    version = yaml.safe_load((copy / "galaxy.yml").read_text())["version"]
    releases = yaml.safe_load((copy / "changelogs" / "changelog.yaml").read_text())["releases"]
    if version not in releases:
        raise CheckFailed(f"changelogs/changelog.yaml does not tell of {version}")
    job.run("antsibull-changelog", "generate", cwd=copy, also=where)
    if (copy / "CHANGELOG.md").read_text() != (ROOT / "CHANGELOG.md").read_text():
        raise CheckFailed("CHANGELOG.md differs from changelogs/changelog.yaml: run antsibull-changelog generate")
    return f"{len(releases)} releases"


def _mypy(job: Job) -> str:
    """Strict, for everything but the tests. A Mac's Python is older than mypy can imagine: 3.10 is its oldest."""
    checked = 0
    for package_name, python, pattern in (
        ("ansible_collections.keyholder.macos.plugins", "3.10", "plugins/*.py"),
        ("ansible_collections.keyholder.macos.extensions.eda.plugins", "3.10", "extensions/eda/plugins/*.py"),
        ("maclab", "3.11", "maclab/maclab/*.py"),
        ("checks", "3.11", "tests/utils/checks/*.py"),
        ("harness", "3.11", "tests/integration/harness/*.py"),
        ("proving", "3.11", "tests/macos/proving/*.py"),
        ("stage", "3.11", "tests/examples/stage/*.py"),
    ):
        output = job.run("mypy", "--python-version", python, "-p", package_name)
        checked += count(
            r"in (\d+) source files?$", output, at_least=len(tracked(pattern)), what=f"files of {package_name}"
        )
    return f"{checked} files"


def _ruff(job: Job) -> str:
    job.run("ruff", "check")
    output = job.run("ruff", "format", "--check")
    seen = count(r"(\d+) files? already formatted", output, at_least=len(tracked("*.py")), what="files")
    return f"{seen} files"


def _yamllint(job: Job) -> str:
    files = job.run("yamllint", "--list-files", ".").split()
    if len(files) < len(tracked("*.yml", "*.yaml")):
        raise CheckFailed(f"yamllint looks at {len(files)} files only")
    job.run("yamllint", "--strict", ".")
    return f"{len(files)} files"


def _shellcheck(job: Job) -> str:
    files = [*tracked("*.sh"), *tracked(".ci/*")]
    job.run("shellcheck", "--norc", *files)
    # Those that are composed for each Mac have to be composed to be looked at.
    composed = CACHE / "scripts"
    composed.mkdir(exist_ok=True)
    job.run("python", ROOT / "tests" / "utils" / "compose_scripts.py", composed, also={"PYTHONPATH": str(TREE)})
    scripts = sorted(composed.glob("*.sh"))
    # SC2016: the dollar signs in single quotes are Perl's.
    job.run("shellcheck", "--norc", "--exclude=SC2016", *scripts)
    return f"{len(files)} files, and {len(scripts)} scripts for a Mac"


def _workflows(job: Job, matrix: Matrix) -> str:
    """The workflows by GitHub's schema, by what a stranger could do with them, and where there is actionlint, by it."""
    python = matrix.pythons[matrix.cores[0][1]]
    tools = ensure(CACHE / "environments" / "workflows", python, REQUIREMENTS / "workflows.txt") / "bin"
    files = tracked(".github/workflows/*.yml")
    if not files:
        raise CheckFailed("there is no workflow")
    job.run(tools / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)
    said = job.run(tools / "zizmor", "--offline", "--no-progress", "--color=never", *files)
    if said.count(" completed ") < len(files):
        raise CheckFailed(f"zizmor has not looked at {len(files)} files")
    if (tools / "actionlint").exists():
        # It hands the scripts to the shellcheck that is on PATH.
        job.run(tools / "actionlint", "-no-color", *files)
    return f"{len(files)} files{'' if (tools / 'actionlint').exists() else ', without actionlint'}"


def _reuse(job: Job) -> str:
    output = job.run("reuse", "lint")
    licensed = count(r"license information: (\d+) /", output, what="files")
    return f"{licensed} files"
