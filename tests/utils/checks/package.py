# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection as Galaxy gets it, and looks at it as somebody who installed it does."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from typing import TYPE_CHECKING, Any

from .environments import CACHE
from .execution import CheckFailed
from .mirror import mirror, tracked

if TYPE_CHECKING:
    from pathlib import Path

    from .execution import Job

NAME = "keyholder.macos"
# The tarball is for those who use the collection.
ALLOWED = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "REUSE.toml",
    "changelogs",
    "docs",
    "examples",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "roles",
    "tests",
}


def install(job: Job) -> str:
    """Build, install without network, and read the documentation of every module and role from the installed files."""
    archive = build(job, "package")
    with tarfile.open(archive) as tar:
        strangers = {name.split("/")[0] for name in tar.getnames()} - ALLOWED
    if strangers:
        raise CheckFailed(
            f"the tarball holds what only developers need: {', '.join(sorted(strangers))} (galaxy.yml, build_ignore)"
        )

    place = _installed(job, archive, "package", "ansible-galaxy")
    only_there = {"ANSIBLE_COLLECTIONS_PATH": str(place)}
    job.run("ansible-galaxy", "collection", "verify", NAME, "--offline", also=only_there)

    modules = [f"{NAME}.{path.stem}" for path in tracked("plugins/modules/*.py")]
    roles = sorted({f"{NAME}.{path.parts[1]}" for path in tracked("roles/*/meta/argument_specs.yml")})
    # Below that folder is what AWX is set up from, with a collection that is not here.
    playbooks = [f"{NAME}.{path.stem}" for path in tracked("playbooks/*.yml") if path.parent.name == "playbooks"]
    if not modules:
        raise CheckFailed("there is no module")
    _documented(job, "module", modules, only_there)
    if roles:
        _documented(job, "role", roles, only_there)
    for playbook in playbooks:
        job.run("ansible-playbook", "--syntax-check", "-i", "mac,", playbook, also=only_there)
    return f"{len(modules)} modules, {len(roles)} roles, {len(playbooks)} playbooks"


def installed(job: Job, name: str, galaxy: Path) -> Path:
    """Return a collections path with nothing in it but what the tarball holds, installed by that ansible-galaxy."""
    return _installed(job, build(job, name), name, galaxy)


def _installed(job: Job, archive: Path, name: str, galaxy: str | Path) -> Path:
    place = CACHE / "installed" / name
    shutil.rmtree(place, ignore_errors=True)
    also = {"ANSIBLE_COLLECTIONS_PATH": str(place)}
    job.run(galaxy, "collection", "install", archive, "-p", place, "--offline", also=also)
    return place


def importer(job: Job) -> str:
    """Let Galaxy's own importer judge the tarball."""
    archive = build(job, "importer")
    config = CACHE / "galaxy-importer.cfg"
    # Its ansible-lint is that of the check `ansible-lint`, which sees more files.
    config.write_text(
        "[galaxy-importer]\nRUN_ANSIBLE_TEST = False\nRUN_ANSIBLE_LINT = False\nCHECK_REQUIRED_TAGS = True\n"
    )
    output = job.run(
        "python",
        "-m",
        "galaxy_importer.main",
        archive,
        cwd=archive.parent,
        also={"GALAXY_IMPORTER_CONFIG": str(config)},
    )
    complaints = re.findall(r"^(?:WARNING|ERROR).*", output, re.MULTILINE)
    if complaints:
        raise CheckFailed(f"galaxy-importer: {complaints[0]}")
    if "Importer processing completed successfully" not in output:
        raise CheckFailed("galaxy-importer did not finish")
    loaded = re.findall(r"^Loading (?:module|role) (\S+)", output, re.MULTILINE)
    expected = len(tracked("plugins/modules/*.py")) + len(tracked("roles/*/tasks/main.yml"))
    if not loaded or len(loaded) < expected:
        raise CheckFailed(f"galaxy-importer loaded {len(loaded)} of {expected} modules and roles")
    return f"{len(loaded)} modules and roles"


def build(job: Job, name: str) -> Path:
    folder = CACHE / "dist" / name
    shutil.rmtree(folder, ignore_errors=True)
    job.run("ansible-galaxy", "collection", "build", "--output-path", folder, mirror(name))
    archives = list(folder.glob("*.tar.gz"))
    if len(archives) != 1:
        raise CheckFailed(f"ansible-galaxy built {len(archives)} tarballs")
    return archives[0]


def _documented(job: Job, kind: str, names: list[str], environment: dict[str, str]) -> None:
    output = job.run("ansible-doc", "--json", "--type", kind, *names, also=environment)
    said: dict[str, Any] = json.loads(output[output.index("{") : output.rindex("}") + 1])
    missing = set(names) - set(said)
    if missing:
        raise CheckFailed(f"ansible-doc does not know {', '.join(sorted(missing))}")
