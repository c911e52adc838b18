# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the README's pictures: the demo's table as a terminal shows it, and the page of an audit of the same Macs.

`make pictures` runs the demo and the audit, and takes a picture of each with Chromium, which must be on PATH.
"""

from __future__ import annotations

import html
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
LAB = ROOT / ".cache" / "demo" / "lab"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# What the codes of tests/demo/screen.py look like on a dark terminal.
STYLES = {
    "32": "color:#7ee787",
    "1;31": "color:#ff7b72;font-weight:bold",
    "2": "color:#9da7b3",
    "1": "font-weight:bold",
}
TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: transparent }
pre { display: inline-block; margin: 0; padding: 18px 22px; background: #161b22; color: #e6edf3;
  border: 1px solid #6e7681; border-radius: 10px; font: 14px/1.5 "DejaVu Sans Mono", Menlo, monospace }
</style><pre>%s</pre>"""


def main() -> int:
    if CHROMIUM is None:
        print("There is no Chromium here (apt-get install chromium).", file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            shown = _on_a_terminal(sys.executable, str(ROOT / "tests" / "demo" / "run.py"), "--keep")
            _take_terminal(browser, _table(shown), Path(folder))
            _take_audit(browser, Path(folder))
        finally:
            browser.close()
            down = ("-m", "maclab", "down", "--dir", str(LAB))
            subprocess.run([sys.executable, *down], check=False, capture_output=True)
    return 0


def _on_a_terminal(*command: str) -> str:
    """Return what a program prints where it sees a terminal, which is where it shows colours."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux's word for the end of a terminal
                break
            if not part:
                break
            said += part
    os.close(ours)
    text = said.decode("utf-8").replace("\r\n", "\n")
    if process.returncode:
        raise SystemExit(text)
    return text


def _table(shown: str) -> str:
    """Return the command of the demo, the table, and why the one Mac was refused."""
    lines = shown.splitlines()
    call = next(line.strip() for line in lines if "$ ansible-playbook" in line)
    start = next(place for place, line in enumerate(lines) if "BEFORE -> AFTER" in line)
    end = next(place for place, line in enumerate(lines) if "WHAT IT TOOK" in line)
    return "\n".join([call, "", *lines[start:end]]).rstrip()


def _take_terminal(browser: Browser, text: str, folder: Path) -> None:
    body = re.sub(
        "\x1b\\[([0-9;]+)m(.*?)\x1b\\[0m",
        lambda found: f'<span style="{STYLES[found[1]]}">{found[2]}</span>',
        html.escape(text),
        flags=re.DOTALL,
    )
    page = folder / "terminal.html"
    page.write_text(TERMINAL % body, encoding="utf-8")
    tab = browser.new_page(viewport={"width": 1200, "height": 900}, device_scale_factor=1.5)
    tab.goto(page.as_uri())
    tab.locator("pre").screenshot(path=PICTURES / "demo.png", omit_background=True)


def _take_audit(browser: Browser, folder: Path) -> None:
    # The page repeats how the inventory was named.
    shutil.copy(LAB / "inventory.yml", folder)
    variables = f"@{ROOT / 'tests' / 'demo' / 'onboarding.yml'}"
    ansible = ["ansible-playbook", "keyholder.macos.audit", "-i", "inventory.yml", "-e", variables]
    done = subprocess.run(ansible, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    # The page's own policy allows no style but its own.
    tab = browser.new_page(
        viewport={"width": 1180, "height": 760}, device_scale_factor=1.5, color_scheme="light", bypass_csp=True
    )
    tab.goto((folder / "keyholder-audit" / "audit.html").as_uri())
    tab.wait_for_selector("#macs tbody tr")
    # A line around it, or the page would run into the page that shows it.
    tab.add_style_tag(content="html { outline: 1px solid #8c959f; outline-offset: -1px }")
    tab.screenshot(path=PICTURES / "audit.png", full_page=False)


if __name__ == "__main__":
    sys.exit(main())
