# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers as AWX's API does to what awx.awx asks for our set-up, and keeps what was sent: no AWX fits into a test.

It refuses what AWX is known to refuse and awx.awx does not notice by itself: an empty survey, an unknown type of
question (awx/api/views), a job template whose playbook the project does not have, and a schedule that leaves a required
question open (awx/api/serializers). What awx.awx does not ask for is not found.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlparse

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "24.6.1"
QUESTIONS = {"text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float"}
TEMPLATES = ("job_templates", "workflow_job_templates", "workflow_approval_templates")
# Kind -> what it may be connected with. Anything else is not found, as it is with AWX.
NOTIFIED = ("notification_templates_started", "notification_templates_success", "notification_templates_error")
RELATED: dict[str, tuple[str, ...]] = {
    "projects": NOTIFIED,
    "job_templates": ("credentials", "labels", "instance_groups", *NOTIFIED),
    "workflow_job_templates": ("labels", "notification_templates_approvals", *NOTIFIED),
    "workflow_job_template_nodes": ("success_nodes", "failure_nodes", "always_nodes", "credentials", "labels"),
    "schedules": ("credentials", "labels", "instance_groups"),
}


class Refused(Exception):
    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        super().__init__(status, answer)
        self.status, self.answer = status, answer


@dataclass
class StandIn:
    """``playbooks``: the project's. ``sent``: method, path and body of each request that would change one."""

    playbooks: frozenset[str]
    things: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    connections: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(
        default_factory=lambda: {"AWX_ISOLATION_SHOW_PATHS": ["/etc/pki/ca-trust:/etc/pki/ca-trust:O"]}
    )
    """As a system administrator sees them. None: somebody else asks."""
    _last: int = 0

    def add(self, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        self._last += 1
        url = f"/api/v2/{kind}/{self._last}/"
        thing = {"type": kind.rstrip("s"), **fields, "id": self._last, "url": url, "summary_fields": {}}
        thing["related"] = {name: f"{url}{name}/" for name in RELATED.get(kind, ())}
        if kind in ("job_templates", "workflow_job_templates"):
            thing["related"]["survey_spec"] = f"{url}survey_spec/"
            thing["survey_spec"] = {}
        if kind == "projects":
            thing |= {"scm_revision": "1", "status": "successful"}
        self.things[kind].append(thing)
        return thing

    def find(self, kind: str, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        kinds = TEMPLATES if kind == "unified_job_templates" else (kind,)
        found = [thing for one in kinds for thing in self.things[one]]
        return [thing for thing in found if all(str(thing.get(key)) == value for key, value in wanted.items())]

    def one(self, kind: str, number: str) -> dict[str, Any]:
        for thing in self.find(kind, {"id": number}):
            return thing
        raise Refused(404, {"detail": "Not found."})

    def get(self, path: list[str], query: Mapping[str, str]) -> Any:
        if path[0] == "settings":
            return self.settings
        if len(path) == 1:
            found = self.find(path[0], query)
            return {"count": len(found), "results": found, "next": None}
        thing = self.one(*path[:2])
        if len(path) == 2:
            return thing
        if path[2] == "survey_spec":
            return thing["survey_spec"]
        if path[2] not in RELATED.get(path[0], ()):
            raise Refused(404, {"detail": "Not found."})
        connected = [{"id": number} for number in self.connections["/".join(path)]]
        return {"count": len(connected), "results": connected, "next": None}

    def post(self, path: list[str], body: dict[str, Any]) -> tuple[int, Any]:
        if len(path) == 1:
            self._check(path[0], body)
            return 201, self.add(path[0], body)
        thing = self.one(*path[:2])
        if path[2] == "survey_spec":
            thing["survey_spec"] = _survey(body)
            return 200, {}
        if path[2] == "create_approval_template":
            approval = self.add("workflow_approval_templates", body)
            thing["unified_job_template"] = approval["id"]
            thing["related"]["unified_job_template"] = approval["url"]
            return 201, approval
        connected = self.connections["/".join(path)]
        (connected.remove if body.get("disassociate") else connected.append)(body["id"])
        return 204, None

    def patch(self, path: list[str], body: dict[str, Any]) -> tuple[int, Any]:
        if path[0] == "settings":
            if not self.settings:
                raise Refused(403, {"detail": "You do not have permission to perform this action."})
            self.settings |= body
            return 200, self.settings
        thing = self.one(*path)
        thing.update(body)
        return 200, thing

    def _check(self, kind: str, body: Mapping[str, Any]) -> None:
        if kind == "job_templates" and body["playbook"] not in self.playbooks:
            raise Refused(400, {"playbook": ["Playbook not found for project."]})
        if kind == "schedules":
            (template,) = self.find("unified_job_templates", {"id": str(body["unified_job_template"])})
            asked = template.get("survey_spec", {}).get("spec", [])
            required = {question["variable"] for question in asked if question["required"]}
            missing = sorted(required - set(body.get("extra_data", {})))
            if missing:
                raise Refused(400, {"variables_needed_to_start": missing})


def _survey(body: dict[str, Any]) -> dict[str, Any]:
    if not body.get("spec"):
        raise Refused(400, {"error": "'spec' doesn't contain any items."})
    for question in body["spec"]:
        absent = {"type", "question_name", "variable", "required"} - set(question)
        if absent or question["type"] not in QUESTIONS or not isinstance(question["required"], bool):
            raise Refused(400, {"error": f"{question}"})
    return body


def handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    alone = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            """Nobody reads it."""

        def answer(self) -> None:
            asked = urlparse(self.path)
            path = [part for part in asked.path.split("/") if part][2:]
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            try:
                with alone:
                    if self.command == "GET":
                        status, content = 200, stand_in.get(path, dict(parse_qsl(asked.query)))
                    else:
                        stand_in.sent.append((self.command, asked.path, body))
                        status, content = (stand_in.post if self.command == "POST" else stand_in.patch)(path, body)
            except Refused as refused:
                status, content = refused.status, refused.answer
            data = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            for name, value in (
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(data))),
                ("X-API-Product-Name", "AWX"),
                ("X-API-Product-Version", VERSION),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = answer  # http.server looks for these names.

    return Handler


class Served:
    """The stand-in on a port of 127.0.0.1, as a context manager."""

    def __init__(self, stand_in: StandIn) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(stand_in))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Served:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_arguments: object) -> None:
        self._server.shutdown()
        self._server.server_close()
