# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Know the events that an MDM publishes, in which forms, and make one form of them. Pure.

The event source `extensions/eda/plugins/event_source/mdm.py` loads this file by its path, in a process that knows no
collections. So it imports the standard library alone.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import plistlib
import re
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.parsers.expat import ExpatError

EVENTS = ("enrolled", "escrowed", "key_rotated", "user_created")

NOTHING, SOME = object(), object()
"""In place of a value: that there is none, or that there is any. Empty text is none."""

Payload = Mapping[str, t.Any]


class UnusableError(ValueError):
    """Say why an event cannot be used, and nothing of the event."""


@dataclass(frozen=True)
class Form:
    """One event in the form in which an MDM publishes it. ``where``: values by their places, a place being keys with
    dots between them; several values: one of these. ``serial``, ``udid``, ``hostname``, ``time`` and ``id``: the places
    of what an event says, "" for what it does not. ``source``: where the form was published. ``assumed``: what of it
    no published text shows."""

    event: str
    where: Mapping[str, t.Any]
    source: str
    serial: str = ""
    udid: str = ""
    hostname: str = ""
    time: str = ""
    id: str = ""
    assumed: str = ""


_FLEET = (
    "github.com/fleetdm/fleet, docs/Contributing/reference/audit-logs.md and"
    " server/activity/internal/service/new_activity.go"
)
_FLEET_HOSTS = "fleetdm.com/docs, Host audit logs (host_activities_webhook)"
_JAMF = "developer.jamf.com/jamf-pro/docs/webhooks-1"
_NANOMDM = "github.com/micromdm/nanomdm, service/webhook"
_MICROMDM = f"{_NANOMDM}; github.com/micromdm/micromdm, docs/user-guide/api-and-webhooks.md"
_APPLE = "developer.apple.com/documentation/devicemanagement"
_ZENTRAL_STORE = "github.com/zentralopensource/zentral, zentral/core/stores/backends/http.py and zentral/contrib/mdm"
_ZENTRAL = f"{_ZENTRAL_STORE}/public_views/mdm.py"
_ZENTRAL_PRK = f"{_ZENTRAL_STORE}/events/filevault.py"


def _fleet(event: str, kind: str, source: str = _FLEET, **other: t.Any) -> Form:
    where = {"type": kind, **other.pop("where", {})}
    return Form(event, where, source, hostname="details.host_display_name", time="timestamp", **other)


def _checkin(event: str, topic: str, source: str, where: Payload, assumed: str = "") -> Form:
    return Form(
        event, {"topic": topic, **where}, source,
        serial="plist.SerialNumber", udid="checkin_event.udid", time="created_at", id="event_id", assumed=assumed,
    )  # fmt: skip


def _zentral(event: str, kind: str, source: str, where: Payload, assumed: str = "") -> Form:
    return Form(
        event, {"type": kind, **{f"{kind}.{place}": value for place, value in where.items()}}, source,
        serial="machine_serial_number", udid=f"{kind}.udid", time="created_at", id="zentral_id", assumed=assumed,
    )  # fmt: skip


FORMS: dict[str, tuple[Form, ...]] = {
    "fleet": (
        # A Mac that its user enrolled as his own has no serial number: an enrolment's ID is in its place.
        _fleet(
            "enrolled",
            "mdm_enrolled",
            serial="details.host_serial",
            where={
                "details.mdm_platform": ("apple", NOTHING),
                "details.platform": ("darwin", NOTHING),
                "details.enrollment_id": NOTHING,
            },
        ),
        _fleet("escrowed", "escrowed_disk_encryption_key", assumed="that Fleet publishes it of Macs too"),
        _fleet("key_rotated", "rotated_disk_encryption_key", _FLEET_HOSTS),
        _fleet("user_created", "created_managed_local_account"),
    ),
    "jamf": (
        Form(
            "enrolled",
            {"webhook.webhookEvent": "ComputerAdded"},
            _JAMF,
            serial="event.serialNumber",
            udid="event.udid",
            hostname="event.deviceName",
            time="webhook.eventTimestamp",
        ),
    ),
    # MicroMDM and NanoHUB publish the same; MicroMDM no tally, so that each of its token updates counts.
    "nanomdm": (
        _checkin(
            "enrolled",
            "mdm.TokenUpdate",
            _MICROMDM,
            {
                "plist.MessageType": "TokenUpdate",
                "plist.UserID": NOTHING,
                "checkin_event.token_update_tally": (1, NOTHING),
            },
        ),
        _checkin(
            "escrowed",
            "mdm.SetBootstrapToken",
            f"{_NANOMDM}; {_APPLE}/setbootstraptokenrequest",
            {"plist.BootstrapToken": SOME},
        ),
        Form(
            "key_rotated",
            {"topic": "mdm.Connect", "acknowledge_event.status": "Acknowledged", "plist.RotateResult": SOME},
            f"{_NANOMDM}; {_APPLE}/rotatefilevaultkeyresponse",
            udid="acknowledge_event.udid",
            time="created_at",
            id="event_id",
            assumed="that the answer to no other command has a RotateResult",
        ),
        _checkin(
            "user_created",
            "mdm.TokenUpdate",
            f"{_NANOMDM}; {_APPLE}/tokenupdaterequest",
            {"plist.UserID": SOME, "plist.UserShortName": SOME, "checkin_event.token_update_tally": 1},
            "that the first token of a user's channel comes when the account has been made",
        ),
    ),
    "zentral": (
        _zentral(
            "enrolled",
            "mdm_request",
            _ZENTRAL,
            {"message_type": "TokenUpdate", "token_type": "device", "status": "success"},
        ),
        _zentral("escrowed", "mdm_request", _ZENTRAL, {"message_type": "SetBootstrapToken", "status": "success"}),
        _zentral(
            "escrowed",
            "filevault_prk_updated",
            _ZENTRAL_PRK,
            {"command.request_type": "SecurityInfo"},
            "that the command of a key that was escrowed is SecurityInfo",
        ),
        _zentral(
            "key_rotated",
            "filevault_prk_updated",
            _ZENTRAL_PRK,
            {"command.request_type": "RotateFileVaultKey"},
            "that the command of a key that was rotated is RotateFileVaultKey",
        ),
        _zentral(
            "user_created",
            "mdm_request",
            _ZENTRAL,
            {"message_type": "TokenUpdate", "token_type": "user", "user_created": True, "status": "success"},
        ),
    ),
}
"""What each MDM publishes. Jamf Pro has no webhook of an escrow, a key or an account."""

# What may stand in an event. No character of these means anything to a shell, to Jinja or to YAML's tags. A name is
# written by the Mac's user, and a name is all that some events say.
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+/=-]{4,39}")
_UDID = re.compile(r"[A-Fa-f0-9]{8}(-[A-Fa-f0-9]{4,16}){1,4}|[A-Fa-f0-9]{40}")
_HOSTNAME = re.compile(r"[^\W_][\w .,'\u2019()+-]{0,254}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,99}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?")
_MILLISECONDS = 10**11
"""A number of seconds this large is in the year 5138, so these are milliseconds."""


def event_of(mdm: str, payload: t.Any, body: bytes) -> dict[str, t.Any] | None:
    """Return what an MDM's payload says as one event, None if it is about nothing of ours. ``body``: its bytes.

    Raise :class:`UnusableError`.
    """
    if not isinstance(payload, Mapping):
        raise UnusableError("it is no JSON object")
    whole = _whole(mdm, payload)
    form = next((form for form in FORMS[mdm] if all(_is(whole, *one) for one in form.where.items())), None)
    if form is None:
        return None
    mac = {name: _text(whole, getattr(form, name), name) for name in MAC}
    found = _at(whole, form.id) if form.id else None
    return checked(
        {
            "event": form.event,
            "mac": mac,
            "source": mdm,
            "id": found if isinstance(found, str) and found else hashlib.sha256(body).hexdigest(),
            "time": _moment(_at(whole, form.time)),
        }
    )


def _hostname_fits(name: str) -> bool:
    return bool(_HOSTNAME.fullmatch(name))


MAC: dict[str, t.Callable[[str], bool]] = {
    "serial": lambda text: bool(_SERIAL.fullmatch(text)),
    "udid": lambda text: bool(_UDID.fullmatch(text)),
    "hostname": _hostname_fits,
}
"""What an event says of a Mac, and whether a text may be it."""


def checked(event: t.Any) -> dict[str, t.Any]:
    """Return an event in the one form, made anew of plain text, and with the key of its Mac. Raise
    :class:`UnusableError` for any other."""
    if not isinstance(event, Mapping) or not isinstance(event.get("mac"), Mapping):
        raise UnusableError("it is no event of an MDM")
    if event.get("event") not in EVENTS or event.get("source") not in FORMS:
        raise UnusableError("its event or its source is not one that is known")
    mac: dict[str, str | None] = {}
    for name, fits in MAC.items():
        value = event["mac"].get(name)
        if value is not None and not (isinstance(value, str) and fits(value)):
            raise UnusableError(f"the {_SAID[name]} has characters that no {_SAID[name]} may have here")
        mac[name] = None if value is None else str(value)
    known = next((f"{name}:{mac[name]}" for name in MAC if mac[name]), None)
    if known is None:
        raise UnusableError("it names no Mac")
    if not _ID.fullmatch(str(event.get("id"))):
        raise UnusableError("its id has characters that no id may have here")
    if not _TIME.fullmatch(str(event.get("time"))):
        raise UnusableError("its time is none")
    plain = {name: str(event[name]) for name in ("event", "source", "id", "time")}
    return {**plain, "mac": {**mac, "key": known}}


_SAID = {"serial": "serial number", "udid": "UDID", "hostname": "name"}


def _whole(mdm: str, payload: Payload) -> dict[str, t.Any]:
    """Return a payload with what is packed in it: the property list that a Mac sent; an event's ID with its number."""
    whole = dict(payload)
    if mdm == "nanomdm":
        whole["plist"] = _plist(
            _at(payload, "checkin_event.raw_payload") or _at(payload, "acknowledge_event.raw_payload")
        )
    if mdm == "zentral":
        whole["zentral_id"] = f"{payload.get('id')}.{payload.get('index', 0)}" if payload.get("id") else None
    return whole


def _plist(text: t.Any) -> Payload:
    """Return the property list in a text in base64, empty if it is none. It may hold secrets: what is not asked for by
    a form is left here."""
    try:
        found = plistlib.loads(base64.b64decode(text, validate=True))
    except (
        TypeError,
        ValueError,
        binascii.Error,
        plistlib.InvalidFileException,
        ExpatError,
        OverflowError,
        AttributeError,
    ):
        return {}
    return found if isinstance(found, Mapping) else {}


def _at(payload: t.Any, place: str) -> t.Any:
    for key in place.split(".") if place else ():
        payload = payload.get(key) if isinstance(payload, Mapping) else None
    return payload if place else None


def _is(payload: Payload, place: str, wanted: t.Any) -> bool:
    found = _at(payload, place)
    return any(_fits(found, one) for one in (wanted if isinstance(wanted, tuple) else (wanted,)))


def _fits(found: t.Any, wanted: t.Any) -> bool:
    if wanted is NOTHING or wanted is SOME:
        return (found in (None, "", b"")) is (wanted is NOTHING)
    return type(found) is type(wanted) and bool(found == wanted)


def _text(payload: Payload, place: str, name: str) -> str | None:
    found = _at(payload, place)
    if found in (None, ""):
        return None
    if not isinstance(found, str):
        raise UnusableError(f"the {_SAID[name]} is no text")
    return found


def _moment(value: t.Any) -> str:
    """Return a time as text in UTC."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = value / 1000 if value >= _MILLISECONDS else value
            return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(FORMAT)
        match = _TIME.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError
        zone = "+00:00" if match[3] in (None, "Z") else match[3]
        moment = datetime.datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}")
        return moment.astimezone(datetime.timezone.utc).strftime(FORMAT)
    except (ValueError, OverflowError, OSError) as problem:
        raise UnusableError("its time is none") from problem


FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def seconds_of(event: Payload) -> float:
    """Return the time of an event in seconds since 1970."""
    moment = datetime.datetime.strptime(event["time"], FORMAT)
    return moment.replace(tzinfo=datetime.timezone.utc).timestamp()


def events_of(given: t.Any) -> Iterator[t.Any]:
    """Yield the events in what ansible-rulebook hands to a playbook as ``ansible_eda``: one, or several by names."""
    if isinstance(given, Mapping):
        several = given.get("events")
        yield from [given["event"]] if "event" in given else several.values() if isinstance(several, Mapping) else ()
