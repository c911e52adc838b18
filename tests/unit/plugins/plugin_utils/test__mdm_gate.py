# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from ansible_collections.keyholder.macos.plugins.plugin_utils._mdm_gate import AHEAD, Gate, Sender

LONG = "a secret of twenty-six chars"
NOW = 1_700_000_000.0
BODY = b'{"a": 1}'


def _signature(algorithm: str = "sha256", body: bytes = BODY) -> bytes:
    return hmac.new(LONG.encode(), body, getattr(hashlib, algorithm)).digest()


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


URL = {"url_secret": LONG}
BASIC = {"username": "jamf", "password": LONG}
HEADER = {"header": "X-Events", "header_secret": LONG}
HMAC = {"hmac_header": "X-Signature", "hmac_secret": LONG}
OPENS: list[tuple[dict[str, str], dict[str, str], dict[str, str]]] = [
    (URL, {"token": LONG}, {}),
    (BASIC, {}, {"Authorization": _basic(f"jamf:{LONG}")}),
    (HEADER, {}, {"X-Events": LONG}),
    (HMAC, {}, {"X-Signature": _signature().hex()}),
    (HMAC, {}, {"X-Signature": f"sha256={_signature().hex()}"}),
    (
        {**HMAC, "hmac_algorithm": "sha512", "hmac_encoding": "base64"},
        {},
        {"X-Signature": base64.b64encode(_signature("sha512")).decode()},
    ),
    ({**URL, **BASIC}, {"token": LONG}, {"Authorization": _basic(f"jamf:{LONG}")}),
]
STAYS_SHUT: list[tuple[dict[str, str], dict[str, str], dict[str, str]]] = [
    (URL, {}, {}),
    (URL, {"token": LONG + "x"}, {}),
    (URL, {"token": ""}, {}),
    (BASIC, {}, {}),
    (BASIC, {}, {"Authorization": _basic(f"other:{LONG}")}),
    (BASIC, {}, {"Authorization": _basic(LONG)}),
    (BASIC, {}, {"Authorization": f"Bearer {LONG}"}),
    (BASIC, {}, {"Authorization": "Basic no base64"}),
    (HEADER, {}, {"X-Events": "\udcff"}),
    (HMAC, {}, {}),
    (HMAC, {}, {"X-Signature": _signature(body=b"{}").hex()}),
    (HMAC, {}, {"X-Signature": "ä"}),
    ({**URL, **BASIC}, {"token": LONG}, {}),
    ({**URL, **BASIC}, {}, {"Authorization": _basic(f"jamf:{LONG}")}),
]


def _proven(settings: dict[str, str], query: dict[str, str], headers: dict[str, str]) -> bool:
    sender = Sender("jamf", settings)
    return sender.proves_head(query, headers) and sender.proves_body(headers, BODY)


@pytest.mark.parametrize(("settings", "query", "headers"), OPENS)
def test_a_request_with_its_secrets_is_taken(settings: Any, query: Any, headers: Any) -> None:
    assert _proven(settings, query, headers)


@pytest.mark.parametrize(("settings", "query", "headers"), STAYS_SHUT)
def test_a_request_that_lacks_one_of_its_secrets_is_not(settings: Any, query: Any, headers: Any) -> None:
    assert not _proven(settings, query, headers)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (None, "must be a dictionary"),
        ({}, "has no secret"),
        ({"token": LONG}, "has no token"),
        ({"url_secret": "short"}, "shorter than 16"),
        ({"url_secret": 1234567890123456}, "must be text"),
        ({"username": "jamf"}, "password must be text"),
        ({**BASIC, "username": ""}, "username must be text"),
        ({**HMAC, "hmac_algorithm": "md5"}, "must be one of"),
        ({**HMAC, "hmac_encoding": "raw"}, "must be one of"),
    ],
)
def test_a_sender_without_a_usable_secret_is_refused(settings: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        Sender("jamf", settings)
    assert LONG not in str(raised.value)


def _event(number: int = 0, mac: str = "serial:C02", kind: str = "enrolled") -> dict[str, Any]:
    return {"event": kind, "mac": {"key": mac}, "source": "jamf", "id": str(number)}


def _gate(max_age: float = 3600, rate: int = 60, places: int = 100, spacing: float = 300) -> Gate:
    return Gate(max_age, rate, places, spacing)


def test_an_event_is_handed_on_once() -> None:
    gate = _gate()
    assert [gate.offer(_event(), NOW, NOW + later) for later in (0, 1, 3600)] == ["taken", "doubled", "doubled"]
    assert gate.next(NOW) == _event()
    assert (gate.next(NOW), gate.pause(NOW)) == (None, None)


@pytest.mark.parametrize(
    ("happened", "verdict"), [(-3601.0, "old"), (-3600.0, "taken"), (AHEAD, "taken"), (AHEAD + 1, "early")]
)
def test_an_old_event_is_none_and_neither_is_one_of_the_future(happened: float, verdict: str) -> None:
    gate = _gate()
    assert gate.offer(_event(), NOW + happened, NOW) == verdict
    assert (gate.next(NOW) is not None) is (verdict == "taken")


def test_no_moment_is_left_in_which_an_event_is_neither_old_nor_remembered() -> None:
    gate = _gate(max_age=10, rate=10**6)
    gate.offer(_event(), NOW + AHEAD, NOW)
    for later in range(int(AHEAD) + 20):
        # Others come, as old ones are forgotten then.
        gate.offer(_event(later + 1, f"serial:{later}"), NOW + later, NOW + later)
        assert gate.offer(_event(), NOW + AHEAD, NOW + later) in ("doubled", "old")


def test_one_event_of_a_mac_waits_and_the_newest_counts() -> None:
    gate = _gate()
    verdicts = [gate.offer(_event(number), NOW, NOW) for number in range(3)]
    others = [gate.offer(_event(8, "serial:D11"), NOW, NOW), gate.offer(_event(9, kind="escrowed"), NOW, NOW)]
    assert (verdicts, others) == (["taken", "joined", "joined"], ["taken", "taken"])
    assert [gate.next(NOW) for _turn in range(4)] == [
        _event(2),
        _event(8, "serial:D11"),
        _event(9, kind="escrowed"),
        None,
    ]


def test_the_next_event_of_a_mac_keeps_its_distance_and_is_not_lost() -> None:
    gate = _gate(spacing=300)
    gate.offer(_event(0), NOW, NOW)
    gate.next(NOW)
    assert gate.offer(_event(1), NOW, NOW + 1) == "taken"
    assert (gate.next(NOW + 1), gate.pause(NOW + 1)) == (None, 299)
    # It keeps no other Mac waiting.
    gate.offer(_event(2, "serial:D11"), NOW, NOW + 1)
    assert gate.next(NOW + 1) == _event(2, "serial:D11")
    assert (gate.next(NOW + 299), gate.next(NOW + 300)) == (None, _event(1))


def test_a_flood_is_bounded_and_what_is_turned_away_may_come_again() -> None:
    gate = _gate(rate=60, places=10**6)
    verdicts = [gate.offer(_event(number, f"serial:{number}"), NOW, NOW) for number in range(200)]
    assert verdicts == ["taken"] * 60 + ["flood"] * 140
    assert gate.offer(_event(199, "serial:199"), NOW, NOW + 60) == "taken"


def test_no_more_events_wait_than_there_are_places_for() -> None:
    gate = _gate(places=2)
    assert [gate.offer(_event(number, f"serial:{number}"), NOW, NOW) for number in range(3)] == [
        "taken",
        "taken",
        "full",
    ]
    # One that joins another one takes no place.
    assert gate.offer(_event(9, "serial:1"), NOW, NOW) == "joined"
    gate.next(NOW)
    assert gate.offer(_event(2, "serial:2"), NOW, NOW) == "taken"
