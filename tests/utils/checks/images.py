# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the execution environments as far as this machine can: what a build would install, and where there is a
container engine, the build itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from . import package
from .environments import CACHE, ROOT
from .execution import CheckFailed
from .mirror import tracked

if TYPE_CHECKING:
    from pathlib import Path

    from .execution import Job

DEFINITIONS = {"execution-environment": "3.12", "execution-environment-debian": "3.13"}
"""Each definition, with the version of its Python."""
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")
IN_IT = (
    ("python3", "-c", "import pyrage, cryptography, ansible_runner"),
    ("ansible-galaxy", "collection", "list", package.NAME),
    ("ansible-runner", "--version"),
    ("ssh", "-V"),
    ("sshpass", "-V"),
)
"""What has to work in an image: recovery keys and stores, AWX's runner, the ways to a Mac."""


def build(job: Job) -> str:
    """Make each build's context from the tarball, take from it what the build would, and resolve that."""
    found = {path.stem for path in tracked("playbooks/awx/execution-environment*.yml")}
    if found != set(DEFINITIONS):
        raise CheckFailed(f"definitions: {', '.join(sorted(found))}; known are {', '.join(sorted(DEFINITIONS))}")
    archive = package.build(job, "execution-environment")
    place = CACHE / "images"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(ROOT / "playbooks" / "awx", place / "playbooks" / "awx")
    shutil.copy(archive, place)
    packages = {name: _look(job, place, name, python) for name, python in DEFINITIONS.items()}
    engine = _engine()
    if not engine:
        return f"{len(packages)} definitions resolved, and no image built: no container engine answers here"
    for name in DEFINITIONS:
        _image(job, engine, place, name)
    return f"{len(packages)} images, by {engine}"


def _look(job: Job, place: Path, name: str, python: str) -> list[str]:
    """Return the Python packages of a definition's image, for each platform the same."""
    definition, context = place / "playbooks" / "awx" / f"{name}.yml", place / name
    if not re.search(rf"python:?{python}\b", definition.read_text()):
        raise CheckFailed(f"{name}: its Python is not {python}")
    job.run("ansible-builder", "create", "-f", definition, "-c", context, "--output-filename", "Containerfile")
    containerfile = (context / "Containerfile").read_text()
    if "ansible-galaxy collection install" not in containerfile or "/output/scripts/assemble" not in containerfile:
        raise CheckFailed(f"{name}: the build would install no collection or none of its requirements")
    # As the build does it, in the folder that it copies.
    collections = place / f"{name}-collections"
    only_there = {"ANSIBLE_COLLECTIONS_PATH": str(collections)}
    argv: list[str | Path] = ["collection", "install", "--offline", "-r", "requirements.yml", "--collections-path"]
    job.run("ansible-galaxy", *argv, collections, cwd=context / "_build", also=only_there)
    pip, system = context / "pip.txt", context / "bindep.txt"
    introspect = context / "_build" / "scripts" / "introspect.py"
    job.run(sys.executable, introspect, "introspect", f"--write-pip={pip}", f"--write-bindep={system}", collections)
    _check_system(name, system.read_text() if system.exists() else "")
    (installed,) = re.findall(r'^ARG ANSIBLE_INSTALL_REFS="(.*)"$', containerfile, re.MULTILINE)
    asked = context / "asked.txt"
    asked.write_text("\n".join([*installed.split(), pip.read_text() if pip.exists() else ""]))
    return [line for platform in PLATFORMS for line in _resolved(job, name, asked, python, platform)]


def _check_system(name: str, asked: str) -> None:
    """Raise unless the SSH client is asked for by the name that each kind of package has, and sshpass by both."""
    lines = [line.split() for line in asked.splitlines() if line.strip() and not line.startswith("#")]
    for kind, client in (("rpm", "openssh-clients"), ("dpkg", "openssh-client")):
        named = {words[0] for words in lines if "[platform:" not in str(words) or f"[platform:{kind}]" in words}
        if not {client, "sshpass"} <= named:
            raise CheckFailed(f"{name}: with {kind} the image would hold {', '.join(sorted(named)) or 'nothing'}")


def _resolved(job: Job, name: str, asked: Path, python: str, platform: str) -> list[str]:
    """Return what the index has for these requirements, ready to install: an image has no compiler."""
    wanted = ["--python-version", python, "--python-platform", platform, "--only-binary", ":all:"]
    try:
        argv: list[str | Path] = ["pip", "compile", asked, *wanted, "--no-header", "--no-annotate"]
        output = job.run("uv", *argv, also={"UV_SYSTEM_CERTS": "1"})
        found = re.findall(r"^([\w.-]+)==", output, re.MULTILINE)
    except CheckFailed:
        found = _resolved_by_pip(job, asked, python, platform)
    lacking = {"ansible-core", "ansible-runner", "cryptography", "pyrage"} - set(found)
    if lacking:
        raise CheckFailed(f"{name}: an image for {platform} would lack {', '.join(sorted(lacking))}")
    return found


def _resolved_by_pip(job: Job, asked: Path, python: str, platform: str) -> list[str]:
    """Return the same, slower: pip alone knows a mirror from pip.conf."""
    # uv knows which older platforms a platform stands for. pip wants each by its name.
    tags = [f"{tag}_{platform.split('-')[0]}" for tag in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")]
    report = asked.with_name("report.json")
    wanted = ["--python-version", python, *(f"--platform={tag}" for tag in tags), "--only-binary", ":all:"]
    nowhere = asked.with_name("nowhere")
    argv = ["-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", f"--target={nowhere}", *wanted]
    job.run(sys.executable, *argv, "--report", report, "-r", asked)
    return [str(one["metadata"]["name"]) for one in json.loads(report.read_text())["install"]]


def _engine() -> str | None:
    """Return a program that can build here: one that is installed may have nothing behind it."""
    for name in ("podman", "docker"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return name
    return None


def _image(job: Job, engine: str, place: Path, name: str) -> None:
    definition, tag = place / "playbooks" / "awx" / f"{name}.yml", f"keyholder-{name}:check"
    options: list[str | Path] = ["-c", place / f"{name}-build", "-t", tag, f"--container-runtime={engine}"]
    job.run("ansible-builder", "build", "-f", definition, *options)
    for command in IN_IT:
        job.run(engine, "run", "--rm", tag, *command)
