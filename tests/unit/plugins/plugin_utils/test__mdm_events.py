# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from mdm_payloads import FLEET_ENROLLED, IGNORED, JAMF_ENROLLED, NOW, SECRET, SERIAL, TIME, USED, ZENTRAL_ENROLLED, but

from ansible_collections.keyholder.macos.plugins.plugin_utils._mdm_events import (
    EVENTS,
    FORMS,
    MAC,
    UnusableError,
    checked,
    event_of,
    events_of,
    seconds_of,
)

HOSTILE = (
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{#",
    "$(id)",
    "`id`",
    "a;id",
    "a|id",
    "a&b",
    "a>b",
    "a\nb",
    'a"b',
    "a\\b",
    "!unsafe a",
    "../a",
    "-e",
    "",
)


def _event(mdm: str, payload: Any) -> dict[str, Any] | None:
    return event_of(mdm, payload, json.dumps(payload).encode())


@pytest.mark.parametrize(("mdm", "event", "payload", "mac"), USED)
def test_each_published_form_is_one_event(mdm: str, event: str, payload: dict[str, Any], mac: tuple[str, ...]) -> None:
    found = _event(mdm, payload)
    assert found is not None
    assert (found["event"], found["source"], found["time"]) == (event, mdm, TIME)
    assert tuple(found["mac"][name] for name in MAC) == mac
    assert found["mac"]["key"] == next(f"{name}:{found['mac'][name]}" for name in MAC if found["mac"][name])
    assert seconds_of(found) == NOW
    assert checked(found) == found


def test_each_form_is_shown_by_a_payload() -> None:
    """A form that nothing shows is in the table by a mistake."""
    shown = {(mdm, event) for mdm, event, _payload, _mac in USED}
    assert {(mdm, form.event) for mdm, forms in FORMS.items() for form in forms} == shown
    assert {event for _mdm, event in shown} == set(EVENTS)
    assert all(form.source for forms in FORMS.values() for form in forms)


@pytest.mark.parametrize(("mdm", "payload"), IGNORED)
def test_what_is_about_nothing_of_ours_is_no_event(mdm: str, payload: dict[str, Any]) -> None:
    assert _event(mdm, payload) is None


@pytest.mark.parametrize(("mdm", "event", "payload", "mac"), USED)
def test_no_secret_of_a_payload_is_in_an_event(mdm: str, event: str, payload: dict[str, Any], mac: Any) -> None:
    assert SECRET.decode() not in json.dumps(_event(mdm, payload))


def test_an_id_is_the_mdms_or_the_bodys() -> None:
    body = json.dumps(JAMF_ENROLLED).encode()
    found = event_of("jamf", JAMF_ENROLLED, body)
    assert found is not None
    assert found["id"] == hashlib.sha256(body).hexdigest()
    of_zentral, of_micromdm = (
        _event(mdm, payload) for mdm, payload in (("zentral", ZENTRAL_ENROLLED), ("nanomdm", USED[6][2]))
    )
    assert of_zentral is not None
    assert of_micromdm is not None
    assert (of_zentral["id"], of_micromdm["id"]) == ("8d0ed0a5-3a2d-4e5f-9d2d-0f2d8a0c1b11.2", "e7c1f7b2-52a4")


@pytest.mark.parametrize("place", ["event.serialNumber", "event.udid", "event.deviceName"])
@pytest.mark.parametrize("text", [*HOSTILE[:-1], 7, ["x"], {"a": "b"}])
def test_a_text_that_could_mean_something_to_a_shell_or_to_jinja_is_refused(place: str, text: Any) -> None:
    with pytest.raises(UnusableError) as raised:
        _event("jamf", but(JAMF_ENROLLED, place, text))
    assert str(text) not in str(raised.value)


@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_an_event_that_reaches_the_playbook_by_another_way_is_checked_as_well(text: str) -> None:
    event = {"event": "enrolled", "mac": {"serial": SERIAL}, "source": "jamf", "id": "1", "time": TIME}
    assert checked(event)["mac"] == {"serial": SERIAL, "udid": None, "hostname": None, "key": f"serial:{SERIAL}"}
    for spoilt in (
        {**event, "mac": {"serial": text}},
        {**event, "mac": {"serial": SERIAL, "hostname": text}},
        *({**event, name: text} for name in ("event", "source", "id", "time")),
    ):
        with pytest.raises(UnusableError):
            checked(spoilt)


@pytest.mark.parametrize(
    "event",
    [None, "x", [], {}, {"mac": {}}, {"event": "enrolled", "source": "jamf", "mac": {}, "id": "1", "time": TIME}],
)
def test_what_is_no_event_is_refused(event: Any) -> None:
    with pytest.raises(UnusableError):
        checked(event)


@pytest.mark.parametrize("payload", [[], "x", 7, None])
def test_what_is_no_object_is_refused(payload: Any) -> None:
    with pytest.raises(UnusableError):
        _event("fleet", payload)


@pytest.mark.parametrize(
    "time", [None, "", "yesterday", True, "2026-13-01T10:00:00Z", 1e300, float("nan"), "2026-03-01"]
)
def test_an_event_without_a_time_is_refused(time: Any) -> None:
    with pytest.raises(UnusableError):
        _event("fleet", but(FLEET_ENROLLED, "timestamp", time))


def test_jamfs_time_is_in_seconds_or_in_milliseconds() -> None:
    found = _event("jamf", but(JAMF_ENROLLED, "webhook.eventTimestamp", int(NOW)))
    assert found is not None
    assert found["time"] == TIME


@pytest.mark.parametrize(
    "name", ["John\u2019s MacBook Pro", "Zo\u00eb (2)", "MacBookPro16,1 (C08VQ2AXHT96)", "mac_7.local"]
)
def test_names_that_people_give_their_macs_are_names(name: str) -> None:
    found = _event("jamf", but(JAMF_ENROLLED, "event.deviceName", name))
    assert found is not None
    assert found["mac"]["hostname"] == name


def test_a_playbook_gets_one_event_or_several() -> None:
    assert list(events_of({"event": 1})) == [1]
    assert list(events_of({"events": {"m_0": 1, "m_1": 2}})) == [1, 2]
    assert [list(events_of(given)) for given in (None, {}, "x", {"events": "x"})] == [[]] * 4
