# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source as ansible-rulebook loads it, by its path, without ansible-rulebook: what it takes, and what not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import runpy
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import ROOT, SECRET, SENDERS, Request, at, basic, free_port, webhook
from mdm_payloads import FLEET_ENROLLED, JAMF_ENROLLED, NANOMDM_ESCROWED, USED, but

from ansible_collections.keyholder.macos.plugins.plugin_utils._mdm_events import FORMS, NOTHING, SOME, Form

SOURCE = ROOT / "extensions" / "eda" / "plugins" / "event_source" / "mdm.py"
MAX_BODY = 20_000


class Running:
    """The source on a thread of its own, as one that listens."""

    def __init__(self, **settings: Any) -> None:
        self.port = free_port()
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._settings = {"senders": SENDERS, "port": self.port, "max_body": MAX_BODY, **settings}
        self.main = runpy.run_path(str(SOURCE))["main"]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    async def put(self, event: dict[str, Any]) -> None:
        self.events.put(event)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self.main(self, self._settings))
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def __enter__(self) -> Running:
        self._thread.start()
        for _turn in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return self
            time.sleep(0.05)
        raise AssertionError("the source does not listen")

    def __exit__(self, *_exception: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def taken(self) -> list[dict[str, Any]]:
        """What was handed on since the last time."""
        # One that is known to be taken tells that all before it are.
        mark = but(at(JAMF_ENROLLED, time.time()), "event.serialNumber", f"MARK{time.monotonic_ns()}")
        assert webhook("jamf", mark).send(self.port) == 200
        found = []
        while (event := self.events.get(timeout=10))["mac"]["serial"] != mark["event"]["serialNumber"]:
            found.append(event)
        return found


@pytest.fixture(scope="module")
def source() -> Iterator[Running]:
    with Running(rate=10_000) as running:
        yield running


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def warnings(said: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in said.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(("mdm", "kind", "payload", "mac"), USED)
def test_each_mdms_webhook_is_taken_once(source: Running, mdm: str, kind: str, payload: Any, mac: Any) -> None:
    # Other Macs' events of the same kind have another key.
    now = at(payload, time.time())
    with Running() as fresh:
        assert [webhook(mdm, now).send(fresh.port) for _turn in range(2)] == [200, 200]
        (event,) = fresh.taken()
    assert (event["event"], event["source"]) == (kind, mdm)
    assert tuple(event["mac"][name] for name in ("serial", "udid", "hostname")) == mac
    assert event.keys() == {"event", "mac", "source", "id", "time"}


NOW = at(JAMF_ENROLLED, time.time())
FINE = webhook("jamf", NOW)
EVIL = "{{ lookup('pipe', 'touch /tmp/x') }}"
HOSTILE: list[tuple[str, Request, int]] = [
    ("a wrong password", webhook("jamf", NOW, "a-guess-91"), 401),
    ("no password", Request("/jamf", FINE.body), 401),
    ("another MDM's secret", Request("/jamf?token=" + SECRET, FINE.body), 401),
    ("a wrong token", webhook("fleet", FLEET_ENROLLED, "a-guess-91"), 401),
    ("a wrong header", webhook("zentral", {}, "a-guess-91"), 401),
    ("a password that is no text", Request("/jamf", FINE.body, {"Authorization": "Basic \xff\xfe"}), 401),
    ("no such path", Request("/other", FINE.body, FINE.headers), 404),
    ("a path with more", Request("/jamf/../fleet", FINE.body, FINE.headers), 404),
    ("no POST", Request("/jamf", b"", FINE.headers, "GET"), 405),
    ("no JSON's content type", Request("/jamf", FINE.body, {**FINE.headers, "Content-Type": "text/xml"}), 415),
    ("no JSON", webhook("jamf", b"<JSSEvent/>"), 400),
    ("no text", webhook("jamf", b"\xff\xfe\x00"), 400),
    ("JSON that is deep", webhook("jamf", b"[" * 9000 + b"]" * 9000), 400),
    ("no object", webhook("jamf", [NOW]), 400),
    ("a huge body", webhook("jamf", b'{"a": "' + b"x" * MAX_BODY + b'"}'), 413),
    ("a template in the name", webhook("jamf", but(NOW, "event.deviceName", EVIL)), 400),
    ("a template in the serial number", webhook("jamf", but(NOW, "event.serialNumber", EVIL)), 400),
    ("a shell's words in the name", webhook("jamf", but(NOW, "event.deviceName", "x'; rm -rf $HOME; '")), 400),
    ("a replayed one", webhook("jamf", at(JAMF_ENROLLED, time.time() - 86_400)), 400),
    ("one of tomorrow", webhook("jamf", at(JAMF_ENROLLED, time.time() + 86_400)), 400),
]


@pytest.mark.parametrize(("request_", "status"), [one[1:] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
def test_a_hostile_request_does_nothing_and_is_one_line_without_its_words(
    source: Running, said: pytest.LogCaptureFixture, request_: Request, status: int
) -> None:
    assert request_.send(source.port) == status
    (line,) = warnings(said)
    assert line.startswith("refused a request for ")
    for word in (SECRET, EVIL, "a-guess-91", "rm -rf", "other", "xxx", "C08VQ", "JSSEvent"):
        assert word not in line
    assert source.taken() == []


def test_a_body_that_says_no_length_is_bounded_as_well(source: Running, said: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.0.0.1", source.port), timeout=20) as one:
        proof = f"Authorization: {basic(f'jamf:{SECRET}')}\r\n"
        head = "POST /jamf HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        one.sendall(f"{head}{proof}\r\n".encode())
        with contextlib.suppress(OSError):
            for _turn in range(200):
                one.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
        with contextlib.suppress(OSError):
            assert one.recv(100).startswith(b"HTTP/1.1 413")
    (line,) = warnings(said)
    assert line.endswith("it is too large")


@pytest.mark.parametrize("head", [b"", b"POST /jamf HTTP/1.1\r\nX-Slow: "], ids=["nothing", "a head without an end"])
def test_a_connection_on_which_no_request_comes_is_closed(head: bytes) -> None:
    running = Running()
    running.main.__globals__["PATIENCE"] = 0.2
    with running, socket.create_connection(("127.0.0.1", running.port), timeout=60) as one:
        one.sendall(head)
        assert one.recv(100) == b""


@pytest.mark.parametrize("path", ["/jamf", "/other"])
def test_a_connection_ends_with_its_answer(source: Running, path: str) -> None:
    with socket.create_connection(("127.0.0.1", source.port), timeout=60) as one:
        one.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        assert b"\r\n\r\n" in b"".join(iter(lambda: one.recv(1000), b""))


def test_what_is_not_http_is_in_no_log(source: Running, said: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.0.0.1", source.port), timeout=20) as one:
        one.sendall(b"{{ evil }} \x00\x16\x03\r\n\r\n")
        one.recv(100)
    assert "evil" not in said.text
    assert source.taken() == []


def test_a_flood_is_bounded_and_so_is_its_log(said: pytest.LogCaptureFixture) -> None:
    now = time.time()
    with Running(rate=50) as running:
        flood = [webhook("jamf", but(at(JAMF_ENROLLED, now), "event.serialNumber", f"SERIAL{n}")) for n in range(200)]
        statuses = [one.send(running.port) for one in flood]
        minutes = 1 + int((time.time() - now) // 60)
        assert set(statuses) == {200, 429}
        assert running.events.qsize() <= statuses.count(200) <= 50 * minutes
    assert len(warnings(said)) <= 30 * minutes


def test_one_macs_events_of_a_kind_come_as_one() -> None:
    now = time.time()
    with Running(spacing=60) as running:
        many = [webhook("jamf", but(at(JAMF_ENROLLED, now), "webhook.id", number)) for number in range(20)]
        assert {one.send(running.port) for one in many} == {200}
        assert len(running.taken()) == 1


def test_no_secret_of_a_webhook_is_handed_on_or_logged(source: Running, said: pytest.LogCaptureFixture) -> None:
    assert webhook("nanomdm", at(NANOMDM_ESCROWED, time.time())).send(source.port) == 200
    handed = source.taken()
    assert [event["event"] for event in handed] == ["escrowed"]
    packed = NANOMDM_ESCROWED["checkin_event"]["raw_payload"]
    assert packed not in said.text + str(handed)
    assert SECRET not in said.text + str(handed)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"senders": {}}, "by these names: fleet, jamf, nanomdm, zentral"),
        ({"senders": None}, "by these names"),
        ({"senders": {"intune": {"url_secret": SECRET}}}, "by these names"),
        ({"senders": {"jamf": {"password": "short", "username": "x"}}}, "shorter than 16"),
        ({"host": "0.0.0.0"}, "give certfile, or behind_proxy"),
        ({"host": "mdm.example.com"}, "give certfile, or behind_proxy"),
        ({"rates": 7}, "no option rates"),
        ({"rate": 0}, "rate must be a number above 0"),
    ],
)
def test_settings_that_would_leave_the_door_open_are_refused(settings: dict[str, Any], words: str) -> None:
    main = runpy.run_path(str(SOURCE))["main"]
    with pytest.raises(ValueError, match=words) as raised:
        asyncio.run(main(asyncio.Queue(), {"senders": SENDERS, "port": free_port(), **settings}))
    assert SECRET not in str(raised.value)


def test_behind_a_proxy_it_listens_on_any_address() -> None:
    with Running(host="0.0.0.0", behind_proxy=True) as running:
        assert running.taken() == []


NAMES = {"fleet": "Fleet", "jamf": "Jamf Pro", "nanomdm": "NanoMDM, NanoHUB, MicroMDM", "zentral": "Zentral"}


def row(mdm: str, form: Form) -> str:
    """The form's row in the guide."""
    said = [
        f"``{place}``" if value is SOME else f"``{place}`` ``{str(value).lower() if value is True else value}``"
        for place, value in form.where.items()
        if value is not NOTHING and not isinstance(value, tuple)
    ]
    assumed = f" *Assumed*: {form.assumed}." if form.assumed else ""
    where = f"{', '.join(said)}. {form.source}.{assumed}"
    return f"   * - {NAMES[mdm]}\n     - ``{form.event}``\n     - {where}\n"


def test_the_guide_names_each_form_its_source_and_what_of_it_is_assumed() -> None:
    guide = (ROOT / "docs" / "docsite" / "rst" / "guide_events.rst").read_text(encoding="utf-8")
    for mdm, forms in FORMS.items():
        for form in forms:
            assert row(mdm, form) in guide
