# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the documentation site from the modules, the roles and the guides; a warning is an error."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

from .environments import CACHE, ROOT
from .execution import CheckFailed
from .mirror import mirror, tracked

if TYPE_CHECKING:
    from .execution import Job

SITE = ROOT / "docs" / "build"
COLLECTION = "keyholder.macos"

# Labels in Ansible's own documentation. Sphinx would have to download its index to know them; they stay plain text.
ELSEWHERE = re.compile(
    r"undefined label: '"
    r"(action_plugins|ansible_configuration_settings|common_return_values|ansible_collections\.(?!keyholder\.macos\.).+)'"
)


def build(job: Job) -> str:
    source = CACHE / "docs-source"
    shutil.rmtree(source, ignore_errors=True)
    pages = source / "rst"
    # antsibull-docs refuses to write into a folder that others may write to, whatever the umask.
    pages.mkdir(parents=True)
    pages.chmod(0o755)
    where = {"ANSIBLE_COLLECTIONS_PATH": str(mirror("docs").parents[2])}
    options = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir")
    titles = ("--project", COLLECTION, "--copyright", f"{COLLECTION} contributors", "--title", COLLECTION)
    job.run("antsibull-docs", "sphinx-init", *titles, *options, source, COLLECTION, also=where)
    job.run("antsibull-docs", "collection", *options, pages, COLLECTION, also=where)
    with (source / "conf.py").open("a") as configuration:
        configuration.write("\nintersphinx_mapping = {}\n")
    site = source / "html"
    output = job.run(sys.executable, "-m", "sphinx", "-b", "html", "-c", source, pages, site)

    warnings = [line for line in output.splitlines() if re.search("WARNING|ERROR", line) and not ELSEWHERE.search(line)]
    if warnings:
        job.note("\n".join(warnings))
        raise CheckFailed(f"Sphinx: {warnings[0]}")
    modules = [path.stem for path in tracked("plugins/modules/*.py")]
    missing = [name for name in modules if not (site / f"{name}_module.html").exists()]
    if missing or not modules:
        raise CheckFailed(f"the site has no page for {', '.join(missing) or 'any module'}")
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.copytree(site, SITE)
    return f"{len(list(SITE.rglob('*.html')))} pages"
