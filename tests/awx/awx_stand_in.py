# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers as AWX's API does to what awx.awx asks for our set-up, and keeps what was sent: no AWX fits into a test.

It refuses what AWX is known to refuse and awx.awx does not notice by itself: an empty survey, an unknown type of
question (awx/api/views), a job template whose playbook the project does not have, a schedule that leaves a required
question open, a body for a webhook that is no JSON object (awx/api/serializers). A project's first update starts by
itself, and one that fails leaves the project as it is. A launch takes what the template asks for and ignores the rest;
credentials that are given take the place of all, may replace one of the same type, and may not leave one out
(awx/api/serializers, JobLaunchSerializer). A folder that is not on a node, or not exposed, is not there for its jobs,
and no job says so. What awx.awx does not ask for is not found.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlparse

from jinja2 import StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

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
    "roles": ("teams",),
    "instance_groups": ("instances",),
}
ROLES = {
    "job_templates": ("admin_role", "execute_role", "read_role"),
    "workflow_job_templates": ("admin_role", "execute_role", "read_role", "approval_role"),
}
# What a job may be told at launch -> what its template has to ask for (awx/main/models/jobs.py). The rest is ignored.
ASKED = {
    "job_type": "ask_job_type_on_launch",
    "limit": "ask_limit_on_launch",
    "credentials": "ask_credential_on_launch",
    "instance_groups": "ask_instance_groups_on_launch",
}
# The fields of a job that a notification may show (JOB_FIELDS_ALLOWED_LIST, awx/main/models/notifications.py). Its
# extra variables are not among them, but in job_metadata, which is AWX's own body.
TOLD = ("id", "name", "status", "limit", "job_type", "job_explanation", "artifacts", "host_status_counts")
STUB = {
    "id": 42, "name": "Stub", "status": "running", "limit": "bar", "job_type": "run", "job_explanation": "Sample",
    "artifacts": {}, "host_status_counts": {"ok": 5, "failures": 0}, "extra_vars": {},
}  # fmt: skip
DEFAULT_BODY = "{{ job_metadata }}"


class Refused(Exception):
    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        super().__init__(status, answer)
        self.status, self.answer = status, answer


@dataclass
class StandIn:
    """``playbooks``: the project's. ``sent``: method, path and body of each request that would change one. ``nodes``:
    the execution nodes, each with the folders that it has. ``trouble``: why the project cannot be synchronised, "" if
    it can.
    """

    playbooks: frozenset[str]
    nodes: dict[str, set[str]] = field(default_factory=dict)
    trouble: str = ""
    marks: set[tuple[str, str]] = field(default_factory=set)
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
        if kind in ROLES:
            roles = {name: {"id": self.add("roles", {"name": name})["id"]} for name in ROLES[kind]}
            thing["summary_fields"] = {"object_roles": roles}
        if kind == "projects":
            thing |= {"scm_revision": "", "status": "pending"}
            thing["related"]["update"] = f"{url}update/"
            self._updated(thing)
        if kind == "job_templates":
            thing["related"]["launch"] = f"{url}launch/"
        self.things[kind].append(thing)
        return thing

    def _updated(self, project: dict[str, Any]) -> dict[str, Any]:
        """Synchronise a project: the update knows why it failed, and the project only that it did."""
        status = "failed" if self.trouble else "successful"
        project |= {"status": status, "scm_revision": project["scm_revision"] if self.trouble else "1"}
        return self.add("project_updates", _ended(bool(self.trouble), scm_revision=project["scm_revision"]))

    def launched(self, template: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Run a job. Only "keyholder store" does something: it marks the folders that its container has, or looks for
        the marks. A folder of the container alone is gone with it."""
        taken = {
            name: value for name, value in given.items() if template.get(ASKED.get(name, "")) or name == "extra_vars"
        }
        attached = self.connections[f"job_templates/{template['id']}/credentials"]
        credentials = self._replaced(attached, taken["credentials"]) if "credentials" in taken else attached
        (group, *_) = taken.get("instance_groups") or [None]
        instances = self.connections[f"instance_groups/{group}/instances"] if group else []
        names = [thing["hostname"] for thing in self.things["instances"] if thing["id"] in instances]
        node = next(iter(names or self.nodes), "")
        folders = json.loads(template.get("extra_vars") or "{}").get("keyholder_stores", [])
        shown = {part.split(":")[0] for part in self.settings.get("AWX_ISOLATION_SHOW_PATHS", [])}
        kept = {folder for folder in folders for path in shown & self.nodes.get(node, set()) if folder.startswith(path)}
        failed = self.things["projects"][-1]["status"] != "successful"
        if taken.get("job_type") == "check":
            failed |= not {(node, folder) for folder in folders} <= self.marks
        else:
            self.marks |= {(node, folder) for folder in kept}
        fields = {**_ended(failed), **taken, "credentials": list(credentials), "execution_node": node}
        return self.add("jobs", {"name": template["name"], **fields})

    def _replaced(self, attached: list[int], given: list[int]) -> list[int]:
        by_id = {thing["id"]: thing for thing in self.things["credentials"]}
        kinds = [by_id[number].get("credential_type") for number in given]
        lacking = [by_id[number]["name"] for number in attached if by_id[number].get("credential_type") not in kinds]
        if lacking:
            wrong = "Removing credentials at launch time without replacement is not supported. Provided list lacked"
            raise Refused(400, {"credentials": [f"{wrong} credential(s): {', '.join(lacking)}."]})
        return given

    def notified(self, template: Mapping[str, Any], job: Mapping[str, Any], event: str = "error") -> Any:
        """Return what the webhook is sent of a job, as AWX makes it of its own body or of ours."""
        body = ((template.get("messages") or {}).get(event) or {}).get("body") or DEFAULT_BODY
        return json.loads(_rendered(body, job, Undefined))

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
        if path[0] == "project_updates" and path[2:] == ["events"]:
            event = {"event": "runner_on_failed", "event_data": {"res": {"msg": self.trouble}}}
            return {"count": 1, "results": [event] if query.get("event") == event["event"] else [], "next": None}
        if len(path) == 1:
            paging = ("page", "page_size", "order_by")
            found = self.find(path[0], {name: value for name, value in query.items() if name not in paging})
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
        if path[2] == "update":
            return 202, self._updated(thing)
        if path[2] == "launch":
            return 201, self.launched(thing, body)
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

    def delete(self, path: list[str], _body: dict[str, Any]) -> tuple[int, Any]:
        self.things[path[0]].remove(self.one(*path))
        return 204, None

    def _check(self, kind: str, body: Mapping[str, Any]) -> None:
        if kind == "notification_templates":
            for message in (body.get("messages") or {}).values():
                _check_body(message["body"])
        if kind == "job_templates" and body["playbook"] not in self.playbooks:
            raise Refused(400, {"playbook": ["Playbook not found for project."]})
        if kind == "schedules":
            (template,) = self.find("unified_job_templates", {"id": str(body["unified_job_template"])})
            asked = template.get("survey_spec", {}).get("spec", [])
            required = {question["variable"] for question in asked if question["required"]}
            missing = sorted(required - set(body.get("extra_data", {})))
            if missing:
                raise Refused(400, {"variables_needed_to_start": missing})


def _ended(failed: bool, **other: Any) -> dict[str, Any]:
    return {
        "status": "failed" if failed else "successful",
        "failed": failed,
        "finished": "2026-01-05T05:00:00Z",
        **other,
    }


def _rendered(body: str, job: Mapping[str, Any], undefined: type[Undefined]) -> str:
    jinja = ImmutableSandboxedEnvironment(undefined=undefined)
    told = {name: job[name] for name in TOLD if name in job}
    known = {"job": told, "url": f"https://awx.example.com/#/jobs/playbook/{job['id']}", "job_friendly_name": "Job"}
    return jinja.from_string(body).render(**known, job_metadata=json.dumps({**job, "extra_vars": job["extra_vars"]}))


def _check_body(body: str) -> None:
    try:
        told = json.loads(_rendered(body, STUB, StrictUndefined))
    except Exception as problem:
        raise Refused(400, {"messages": [f"Unable to render message: {problem}"]}) from problem
    if not isinstance(told, dict):
        raise Refused(400, {"messages": ["Webhook body should be a json dictionary."]})


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
    answers = {"POST": stand_in.post, "PATCH": stand_in.patch, "DELETE": stand_in.delete}

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
                        status, content = answers[self.command](path, body)
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

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # http.server looks for these names.

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
