# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends webhooks as each MDM does, by the payloads of the unit tests, with the secrets that it can send."""

from __future__ import annotations

import base64
import copy
import datetime
import http.client
import json
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "unit" / "plugins" / "plugin_utils"), str(Path(__file__).parent)]

SECRET = "a-secret-of-the-tests-8c2f"
JSON = "application/json; charset=utf-8"
SENDERS: dict[str, dict[str, Any]] = {
    "fleet": {"url_secret": SECRET},
    "jamf": {"username": "jamf", "password": SECRET},
    "nanomdm": {"url_secret": SECRET},
    "zentral": {"header": "X-Zentral-Secret", "header_secret": SECRET},
}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Request:
    """What is sent, and how."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"

    def send(self, port: int) -> int:
        """The status that came back."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request(self.method, self.path, self.body, {"Content-Type": JSON, **self.headers})
            return connection.getresponse().status
        finally:
            connection.close()


def webhook(mdm: str, payload: Any, secret: str = SECRET) -> Request:
    """A webhook as this MDM sends it."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {"jamf": {"Authorization": basic(f"jamf:{secret}")}, "zentral": {"X-Zentral-Secret": secret}}
    query = f"?token={secret}" if mdm in ("fleet", "nanomdm") else ""
    return Request(f"/{mdm}{query}", body, headers.get(mdm, {}))


def at(payload: dict[str, Any], moment: float) -> dict[str, Any]:
    """The same webhook of another moment."""
    changed = copy.deepcopy(payload)
    text = datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat()
    for key in ("timestamp", "created_at"):
        if key in changed:
            changed[key] = text
    if "webhook" in changed:
        changed["webhook"]["eventTimestamp"] = int(moment * 1000)
    return changed
