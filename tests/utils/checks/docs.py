# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the documentation site from the modules, the roles and the guides; a warning is an error."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import yaml

from .environments import CACHE, ROOT
from .execution import CheckFailed
from .mirror import mirror, tracked

if TYPE_CHECKING:
    from pathlib import Path

    from .execution import Job

DOCSITE = ROOT / "docs" / "docsite"
SITE = ROOT / "docs" / "build"
COLLECTION = "keyholder.macos"

# Labels in Ansible's own documentation. Sphinx would have to download its index to know them; they stay plain text.
ELSEWHERE = re.compile(
    r"undefined label: '"
    r"(action_plugins|ansible_configuration_settings|common_return_values|ansible_collections\.(?!keyholder\.macos\.).+)'"
)


CONFIGURATION = """
intersphinx_mapping = {}
html_title = "keyholder.macos"
html_static_path = ["site"]
html_css_files = ["site.css"]
# The names of two styles for code, of the theme's own choice, light and dark.
pygments_style, pygments_dark_style = "a11y-light", "a11y-dark"
"""

CONTENTS = re.compile(r"^\.\. contents::.*\n(?: +:.*\n)*", re.MULTILINE)


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
    job.run(
        "antsibull-docs", "sphinx-init", "--sphinx-theme", "furo", *titles, *options, source, COLLECTION, also=where
    )
    job.run("antsibull-docs", "collection", *options, pages, COLLECTION, also=where)
    _dress(source, pages)
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
    home = (site / "index.html").read_text(encoding="utf-8")
    unlinked = [
        path.stem for path in tracked("docs/docsite/rst/*.rst") if f'href="docsite/{path.stem}.html' not in home
    ]
    if unlinked:
        raise CheckFailed(f"no link leads to {', '.join(unlinked)} (docs/docsite/extra-docs.yml)")
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.copytree(site, SITE)
    return f"{len(list(SITE.rglob('*.html')))} pages"


def _dress(source: Path, pages: Path) -> None:
    """Give the site its front page, its order and its colours: antsibull-docs begins with the release notes."""
    generated = (pages / "index.rst").read_text(encoding="utf-8")
    reference = generated[generated.index(".. _plugin_index_for_") :]
    title = f".. _plugins_in_{COLLECTION}:\n\nModules, plugins and roles\n==========================\n\n"
    (pages / "reference.rst").write_text(title + reference, encoding="utf-8")
    sections = yaml.safe_load((DOCSITE / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    trees = [_tree(one["title"], [f"docsite/{page}" for page in one["toctree"]]) for one in sections]
    trees.append(_tree("Reference", ["reference", "environment_variables", "changelog"]))
    home = (DOCSITE / "site" / "index.rst").read_text(encoding="utf-8")
    (pages / "index.rst").write_text("\n".join([home, *trees]), encoding="utf-8")
    # The theme has each page's contents beside it.
    for page in pages.rglob("*.rst"):
        page.write_text(CONTENTS.sub("", page.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copytree(DOCSITE / "site", source / "site", ignore=shutil.ignore_patterns("*.rst"))
    with (source / "conf.py").open("a", encoding="utf-8") as configuration:
        configuration.write(CONFIGURATION)


def _tree(title: str, pages: list[str]) -> str:
    return "\n".join(
        [".. toctree::", f"   :caption: {title}", "   :hidden:", "", *(f"   {page}" for page in pages), ""]
    )
