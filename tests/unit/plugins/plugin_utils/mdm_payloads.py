# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the webhooks of each MDM, in the forms that they publish: `_mdm_events.FORMS` names where."""

from __future__ import annotations

import base64
import copy
import datetime
import plistlib
import typing as t

SERIAL, UDID = "C08VQ2AXHT96", "66ADE930-5FDF-5EC4-8429-15640684C489"
NOW = datetime.datetime(2026, 3, 1, 10, 30, tzinfo=datetime.timezone.utc).timestamp()
TIME = "2026-03-01T10:30:00Z"
SECRET = b"a token that no event may hold"


def packed(**content: t.Any) -> str:
    """Return what a Mac sent to NanoMDM, as its webhook holds it."""
    return base64.b64encode(plistlib.dumps({"UDID": UDID, **content})).decode()


def _fleet(kind: str, **details: t.Any) -> dict[str, t.Any]:
    return {
        "timestamp": "2026-03-01T11:30:00.123456789+01:00", "actor_full_name": None, "actor_id": None,
        "actor_email": None, "type": kind, "details": details,
    }  # fmt: skip


def _checkin(message: str, tally: int | None = None, event_id: str | None = None, **content: t.Any) -> dict[str, t.Any]:
    event: dict[str, t.Any] = {"udid": UDID, "raw_payload": packed(MessageType=message, **content), "url_params": None}
    if tally is not None:
        event["token_update_tally"] = tally
    webhook = {"topic": f"mdm.{message}", "created_at": "2026-03-01T10:30:00.5Z", "checkin_event": event}
    return {**webhook, "event_id": event_id} if event_id else webhook


def _zentral(kind: str, **event: t.Any) -> dict[str, t.Any]:
    return {
        "created_at": "2026-03-01T10:30:00.123456", "id": "8d0ed0a5-3a2d-4e5f-9d2d-0f2d8a0c1b11", "index": 2,
        "type": kind, "namespace": kind, "tags": ["mdm", "heartbeat"], "machine_serial_number": SERIAL, kind: event,
    }  # fmt: skip


FLEET_ENROLLED = _fleet(
    "mdm_enrolled", host_serial=SERIAL, host_display_name="MacBookPro16,1 (C08VQ2AXHT96)", installed_from_dep=True,
    mdm_platform="apple", enrollment_id=None, platform="darwin",
)  # fmt: skip
FLEET_NAMED = {"host_id": 1, "host_display_name": "Anna's MacBook Pro"}
FLEET_USER = _fleet("created_managed_local_account", **FLEET_NAMED)
JAMF_ENROLLED = {
    "event": {
        "alternateMacAddress": "72:00:01:DD:A0:B9", "building": "Block D", "department": "Information Technology",
        "deviceName": "John's MacBook Pro", "emailAddress": "john.smith@company.com", "ipAddress": "192.0.2.7",
        "jssID": 13, "macAddress": "60:03:08:A3:64:9D", "model": "13-inch Retina MacBook Pro (Late 2013)",
        "osBuild": "16G29", "osVersion": "10.12.6", "phone": "555-472-9829", "position": "Desktop Services Specialist",
        "realName": "John Smith", "reportedIpAddress": "192.0.2.7", "room": "487", "serialNumber": SERIAL, "udid": UDID,
        "userDirectoryID": "-1", "username": "john.smith", "managementId": "0b0e7e4c",
    },
    "webhook": {"eventTimestamp": int(NOW * 1000), "id": 7, "name": "Enrolled", "webhookEvent": "ComputerAdded"},
}  # fmt: skip
NANOMDM_ENROLLED = _checkin("TokenUpdate", 1, Topic="com.apple.mgmt.External.e0bd", Token=b"x", PushMagic="y")
NANOMDM_ESCROWED = _checkin("SetBootstrapToken", BootstrapToken=SECRET)
ZENTRAL_ENROLLED = _zentral(
    "mdm_request", status="success", udid=UDID, view_name="checkin", message_type="TokenUpdate", token_type="device",
    user_id=None, device_created=False, user_created=False, enrollment_session={"pk": 1, "status": "COMPLETED"},
)  # fmt: skip
ZENTRAL_ESCROWED = _zentral("mdm_request", status="success", udid=UDID, message_type="SetBootstrapToken")
ZENTRAL_KEY_ESCROWED = _zentral("filevault_prk_updated", command={"request_type": "SecurityInfo"})
ZENTRAL_USER = _zentral(
    "mdm_request", status="success", udid=UDID, message_type="TokenUpdate", token_type="user", user_id="F1",
    user_created=True,
)  # fmt: skip
ZENTRAL_KEY = _zentral("filevault_prk_updated", command={"request_type": "RotateFileVaultKey", "uuid": "c0ffee"})

USED: list[tuple[str, str, dict[str, t.Any], tuple[str | None, str | None, str | None]]] = [
    ("fleet", "enrolled", FLEET_ENROLLED, (SERIAL, None, "MacBookPro16,1 (C08VQ2AXHT96)")),
    ("fleet", "escrowed", _fleet("escrowed_disk_encryption_key", **FLEET_NAMED), (None, None, "Anna's MacBook Pro")),
    ("fleet", "key_rotated", _fleet("rotated_disk_encryption_key", **FLEET_NAMED), (None, None, "Anna's MacBook Pro")),
    ("fleet", "user_created", FLEET_USER, (None, None, "Anna's MacBook Pro")),
    ("jamf", "enrolled", JAMF_ENROLLED, (SERIAL, UDID, "John's MacBook Pro")),
    ("nanomdm", "enrolled", NANOMDM_ENROLLED, (None, UDID, None)),
    # MicroMDM has an ID, and no tally.
    ("nanomdm", "enrolled", _checkin("TokenUpdate", None, "e7c1f7b2-52a4"), (None, UDID, None)),
    ("nanomdm", "escrowed", NANOMDM_ESCROWED, (None, UDID, None)),
    (
        "nanomdm",
        "key_rotated",
        {
            "topic": "mdm.Connect",
            "created_at": "2026-03-01T10:30:00Z",
            "acknowledge_event": {
                "udid": UDID,
                "status": "Acknowledged",
                "command_uuid": "76eda240-5488",
                "raw_payload": packed(Status="Acknowledged", RotateResult={"EncryptedNewRecoveryKey": SECRET}),
            },
        },
        (None, UDID, None),
    ),
    ("nanomdm", "user_created", _checkin("TokenUpdate", 1, UserID="F151140B", UserShortName="ana"), (None, UDID, None)),
    ("zentral", "enrolled", ZENTRAL_ENROLLED, (SERIAL, UDID, None)),
    ("zentral", "escrowed", ZENTRAL_ESCROWED, (SERIAL, UDID, None)),
    ("zentral", "escrowed", ZENTRAL_KEY_ESCROWED, (SERIAL, None, None)),
    ("zentral", "key_rotated", ZENTRAL_KEY, (SERIAL, None, None)),
    ("zentral", "user_created", ZENTRAL_USER, (SERIAL, UDID, None)),
]  # fmt: skip
"""Of each: the MDM, what happened, the webhook, and the Mac's serial number, UDID and name."""


def but(payload: dict[str, t.Any], place: str, value: t.Any) -> dict[str, t.Any]:
    """Return a webhook with another value at a place."""
    changed = copy.deepcopy(payload)
    *way, last = place.split(".")
    inner = changed
    for key in way:
        inner = inner[key]
    inner[last] = value
    return changed


IGNORED: list[tuple[str, dict[str, t.Any]]] = [
    ("fleet", _fleet("mdm_unenrolled", host_serial=SERIAL)),
    ("fleet", but(FLEET_ENROLLED, "details.mdm_platform", "microsoft")),
    ("fleet", but(FLEET_ENROLLED, "details.platform", "ipados")),
    ("fleet", but(FLEET_ENROLLED, "details.enrollment_id", "B318EDB72B55")),
    ("fleet", JAMF_ENROLLED),
    ("fleet", {}),
    ("jamf", but(JAMF_ENROLLED, "webhook.webhookEvent", "ComputerCheckIn")),
    ("jamf", {"webhook": "ComputerAdded", "event": []}),
    ("nanomdm", _checkin("Authenticate", SerialNumber=SERIAL)),
    ("nanomdm", _checkin("TokenUpdate", 2)),
    ("nanomdm", _checkin("TokenUpdate", 2, UserID="F151140B", UserShortName="ana")),
    # Without a token in it, the message takes away the one that is escrowed.
    ("nanomdm", _checkin("SetBootstrapToken")),
    ("nanomdm", _checkin("SetBootstrapToken", BootstrapToken=b"")),
    ("nanomdm", but(NANOMDM_ENROLLED, "checkin_event.raw_payload", "no base64")),
    ("nanomdm", but(NANOMDM_ENROLLED, "checkin_event.raw_payload", base64.b64encode(b"bplist00 no list").decode())),
    ("zentral", but(ZENTRAL_ENROLLED, "mdm_request.status", "failure")),
    ("zentral", but(ZENTRAL_ENROLLED, "mdm_request.message_type", "CheckOut")),
    ("zentral", but(ZENTRAL_KEY, "filevault_prk_updated.command.request_type", "Other")),
]
"""What an MDM publishes that is about nothing of ours."""
