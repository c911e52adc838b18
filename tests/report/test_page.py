# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in a real browser: it shows, sorts, searches and asks for nothing, and no name on it is more than a text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from test__audit_report import EVIL, STATES

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (apt-get install chromium)")
# Chromium itself asks its maker for this and that, and refuses to run as root in its sandbox.
SWITCHES = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync".split()
)
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


class Watched:
    """A page, and all that it said and asked for."""

    def __init__(self, browser: Browser, path: Path, **context: object) -> None:
        self.context = browser.new_context(**context)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("#macs tbody tr")

    def column(self, number: int) -> list[str]:
        cells = self.page.locator(f"#macs tbody tr td:nth-child({number})").all_inner_texts()
        return [text.split("\n")[0].strip() for text in cells]

    @property
    def hosts(self) -> list[str]:
        return self.page.locator("#macs tbody tr").evaluate_all("rows => rows.map(row => row.dataset.host)")

    def wait_for(self, number: int) -> None:
        expect(self.page.locator("#macs tbody tr")).to_have_count(number)

    def show(self, host: str) -> str:
        self.page.locator(f'#macs tr[data-host="{host}"] td.why').click()
        self.page.wait_for_selector("#mac[open] h2")
        return self.page.locator("#mac").inner_text()


@pytest.fixture
def page(browser: Browser, small: Path) -> Iterator[Watched]:
    watched = Watched(browser, small / "audit.html", viewport={"width": 1280, "height": 900})
    yield watched
    assert watched.said == []
    assert watched.asked == [(small / "audit.html").as_uri()]
    watched.context.close()


def test_every_mac_is_there_the_worst_first(page: Watched) -> None:
    assert sorted(page.hosts) == sorted(STATES)
    assert page.hosts[:2] == ["lost", "off"]
    assert page.hosts[-1] == "good"
    assert page.page.locator("#count").inner_text() == "7 Macs"


def test_the_picture_says_the_numbers(page: Watched) -> None:
    bar = page.page.locator("svg.bar").get_attribute("aria-label") or ""
    assert "Lost: 1." in bar
    assert "Needs attention: 2." in bar
    assert page.page.locator(".big.recoverable").inner_text().split() == ["57", "%", "recoverable:", "4", "of", "7"]
    assert page.page.locator(".big.compliant").inner_text().split() == ["14", "%", "compliant:", "1", "of", "7"]
    assert "Recoverable: 4 of 7 Macs (1 no, 2 not read)" in page.page.locator("main").inner_text()
    assert "2 audits" in page.page.locator(".trend").inner_text()


@pytest.mark.parametrize("column", range(1, 10))
def test_a_click_sorts_and_another_turns_it_around(page: Watched, column: int) -> None:
    header = page.page.locator(f"#macs th:nth-child({column})")
    before = set(page.hosts)
    header.locator("button").click()
    first, way = page.hosts, header.get_attribute("aria-sort")
    header.locator("button").click()
    second = page.hosts
    assert {way, header.get_attribute("aria-sort")} == {"ascending", "descending"}
    assert set(first) == set(second) == before
    if column == 1:
        assert [first, second] == [sorted(first), sorted(first, reverse=True)]


def test_by_state_by_rule_and_by_words(page: Watched) -> None:
    page.page.locator("#states button", has_text="Urgent").click()
    assert page.hosts == ["off"]
    page.page.locator("#states button", has_text="Lost").click()
    assert page.hosts == ["lost", "off"]
    page.page.locator("#reset").click()
    page.wait_for(7)
    page.page.locator("#rules button", has_text="FileVault: off").click()
    assert page.hosts == ["off"]
    page.page.locator("#reset").click()
    page.page.fill("#search", "sudo password")
    page.wait_for(1)
    assert page.hosts == ["shut"]
    page.page.fill("#search", "ITADMIN")
    page.wait_for(4)
    page.page.fill("#search", "nothing of the kind")
    page.wait_for(0)
    page.page.locator("#reset").click()
    page.wait_for(7)


def test_what_has_changed(page: Watched) -> None:
    page.page.check("#changed")
    assert "good" not in page.hosts
    assert "off" in page.hosts
    assert "1 Mac is gone: left" in page.page.locator("main").inner_text()
    assert "It was: Compliant." in page.show("off")


def test_one_mac_in_full(page: Watched) -> None:
    text = page.show("off")
    for words in (
        "FileVault is on", "What to do: Turn FileVault on",
        "ansible-playbook keyholder.macos.filevault -e filevault_user=itadmin -e @secrets.yml -i INVENTORY --limit off",
        "IT Administrator", "Crypto user", "APPL-26-005020", "2026-09-21",
    ):  # fmt: skip
        assert words in text
    page.page.keyboard.press("Escape")
    assert page.page.locator("#mac[open]").count() == 0
    assert "Missing sudo password" in page.show("shut")


def test_a_link_leads_to_a_mac(browser: Browser, small: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto((small / "audit.html").as_uri() + "#mac=odd")
    page.wait_for_selector("#mac[open] h2")
    assert "could not be read" in page.locator("#mac").inner_text().lower()
    context.close()


def test_a_hostile_name_is_a_text(page: Watched) -> None:
    """Whatever ran would have opened a dialog, and the fixture would have seen it."""
    text = page.show("evil")
    assert "<script>alert(1)</script>" in text
    assert "\u202e" not in page.page.content().split("<script")[0]
    assert "<script>alert(1)</script>" in page.page.title()
    assert page.page.locator("#mac script, #mac img, #macs script").count() == 0
    assert EVIL not in text


def test_nothing_else_could_run_or_load(page: Watched, small: Path) -> None:
    """The page's policy holds against a script that somebody did smuggle in."""
    ran = page.page.evaluate(
        """() => new Promise((done) => {
            window.ran = false;
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const image = new Image();
            image.onload = () => done("loaded");
            image.onerror = () => done(window.ran ? "ran" : "blocked");
            image.src = "http://127.0.0.1:9/x.png";
        })"""
    )
    assert ran == "blocked"
    assert any("Content Security Policy" in line for line in page.said)
    page.said.clear()
    page.asked[:] = [(small / "audit.html").as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_readable(browser: Browser, small: Path, scheme: str) -> None:
    watched = Watched(browser, small / "audit.html", color_scheme=scheme)

    def contrast() -> float:
        return float(
            watched.page.evaluate(
                """() => {
                    const luminance = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map((value) => {
                        const part = value / 255;
                        return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
                    }).reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
                    const card = luminance(getComputedStyle(document.querySelector(".card")).backgroundColor);
                    return Math.min(...["#macs td", ".muted", "#macs td a", ".severity", "th"].flatMap(
                        (selector) => [...document.querySelectorAll(selector)]).map((element) => {
                        const text = luminance(getComputedStyle(element).color);
                        return (Math.max(text, card) + 0.05) / (Math.min(text, card) + 0.05);
                    }));
                }"""
            )
        )

    # What the Web Content Accessibility Guidelines ask of small text.
    assert contrast() >= 4.5
    before = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
    watched.page.click("#theme")
    assert watched.page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert contrast() >= 4.5
    assert watched.said == []
    watched.context.close()


def test_a_phone_shows_it_without_scrolling_sideways(browser: Browser, small: Path, large: Path) -> None:
    for folder in (small, large):
        watched = Watched(browser, folder / "audit.html", viewport=PHONE, has_touch=True, is_mobile=True)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        host = watched.hosts[0]
        watched.show(host)
        assert watched.page.evaluate("document.querySelector('#mac').scrollWidth") <= PHONE["width"]
        assert watched.said == []
        watched.context.close()


def test_ten_thousand_macs(browser: Browser, large: Path) -> None:
    watched = Watched(browser, large / "audit.html")
    assert watched.page.locator("#count").inner_text() == "10,000 Macs"
    assert len(watched.hosts) == 100
    watched.page.locator("#forth").click()
    assert "page 2 of 100" in watched.page.locator(".pager").inner_text()
    watched.page.fill("#search", "mac-09999.example.com")
    watched.wait_for(1)
    assert "mac-09999.example.com" in watched.show("mac-09999.example.com")
    assert watched.said == []
    assert watched.asked == [(large / "audit.html").as_uri()]
    watched.context.close()


def test_on_paper_every_mac_is_there_and_nothing_to_press(browser: Browser, large: Path) -> None:
    watched = Watched(browser, large / "audit.html", color_scheme="dark")
    watched.page.fill("#search", "mac-000")
    watched.wait_for(100)
    watched.page.fill("#search", "mac-00")
    expect(watched.page.locator("#count")).to_have_text("1,000 of 10,000 Macs")
    watched.page.emulate_media(media="print")
    watched.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert len(watched.hosts) == 1000
    assert (
        watched.page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    for selector in ("#theme", ".pager", "#search", "#reset"):
        assert not watched.page.locator(selector).is_visible()
    watched.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert len(watched.hosts) == 100
    watched.context.close()


def test_without_scripts_the_most_urgent_are_there(browser: Browser, small: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((small / "audit.html").as_uri())
    text = page.locator("body").inner_text()
    assert "lost" in text
    assert "14 %" in text
    context.close()
