# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the webhooks of an MDM, and hand on what they say of a Mac as one form of event: the event source mdm."""

from __future__ import annotations

DOCUMENTATION = r"""
short_description: Take the webhooks of Fleet, Jamf Pro, NanoMDM, MicroMDM and Zentral
description:
  - An event source for ansible-rulebook. It listens for the webhooks of one or more MDM servers and hands on C(event),
    one of C(enrolled), C(escrowed), C(key_rotated) and C(user_created), with C(mac.serial), C(mac.udid),
    C(mac.hostname), C(source), C(id) and C(time). What an MDM does not say is null. C(mac.key) is the first of the
    three that it says.
  - Nothing else of a webhook is handed on. A webhook can hold secrets, such as a Bootstrap Token.
  - A request without the secrets of its sender, that is too large, that is not JSON, that is too old, or in which a
    serial number, a UDID or a name has characters that mean something to a shell or to Jinja, is refused. One line of
    the log says so, without a word of the request.
  - An event that comes twice is handed on once.
  - ansible-rulebook's own webhook source has one shared secret for all senders, as a bearer token or an HMAC. No one of
    these MDMs sends either, so this source stands in its place.
options:
  senders:
    description:
      - By the name of each MDM, C(fleet), C(jamf), C(nanomdm) (for MicroMDM and NanoHUB too) or C(zentral), the secrets
        that its requests must have. The name is the path of the URL. If several kinds are given, a request needs all.
      - C(url_secret), which the URL ends with as C(?token=...).
      - C(username) and C(password) of HTTP basic authentication.
      - C(header) and C(header_secret), a header and its value.
      - C(hmac_header) and C(hmac_secret), a header with the HMAC of the body, and C(hmac_algorithm) (C(sha256)) and
        C(hmac_encoding) (C(hex) or C(base64)).
      - A secret has at least 16 characters.
    type: dict
    required: true
  host:
    description: The address to listen on. On any but the loopback's, O(certfile) or O(behind_proxy) is needed.
    type: str
    default: 127.0.0.1
  port:
    description: The port to listen on.
    type: int
    default: 5000
  certfile:
    description: The file of the TLS certificate, with its chain.
    type: path
  keyfile:
    description: The file of the certificate's key.
    type: path
  behind_proxy:
    description: Say that a proxy in front ends TLS, and that only it reaches this port.
    type: bool
    default: false
  max_body:
    description: Bytes that a request may have.
    type: int
    default: 1048576
  max_age:
    description: Seconds after which an event is too old to be taken. Fleet tries to send one for half an hour.
    type: int
    default: 3600
  rate:
    description: Events that are taken in a minute. More are answered with the status 429. The MDM may try again.
    type: int
    default: 60
  waiting:
    description: Events that may wait for ansible-rulebook. More are answered with the status 429.
    type: int
    default: 100
  spacing:
    description:
      - Seconds between two events of the same kind of one Mac. Those in between are handed on as one, when the time is
        over.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Onboard Macs when their MDM says so
  hosts: all,localhost
  execution_strategy: parallel
  sources:
    - keyholder.macos.mdm:
        certfile: /etc/keyholder/tls.pem
        keyfile: /etc/keyholder/tls.key
        host: 0.0.0.0
        senders:
          jamf:
            username: jamf
            password: "{{ jamf_webhook_password }}"
  rules:
    - name: A Mac was enrolled
      condition: event.event == "enrolled"
      action:
        run_playbook:
          name: keyholder.macos.on_event
          lock: "{{ event.mac.key }}"
"""

import asyncio
import importlib.util
import ipaddress
import json
import logging
import ssl
import sys
import time
import typing as t
from pathlib import Path

from aiohttp import web

if t.TYPE_CHECKING:
    from types import ModuleType

logger = logging.getLogger("keyholder.macos.mdm")

AT_ONCE = 16
"""Requests whose bodies are read at the same time."""

SECONDS = 10.0
"""In which a body must be here."""

PATIENCE = 30.0
"""Seconds after which a connection may be closed, whatever it waits for: a head that comes drop by drop, too."""

LINES = 30
"""Refusals that are logged in a minute, each in a line. Of more, a line says how many."""

DEFAULTS: dict[str, t.Any] = {
    "senders": None, "host": "127.0.0.1", "port": 5000, "certfile": None, "keyfile": None, "behind_proxy": False,
    "max_body": 1 << 20, "max_age": 3600, "rate": 60, "waiting": 100, "spacing": 300,
}  # fmt: skip

ANSWERS: dict[str, tuple[int, str]] = {
    "taken": (200, ""),
    "joined": (200, ""),
    "doubled": (200, ""),
    "old": (400, "it is too old"),
    "early": (400, "its time is in the future"),
    "flood": (429, "too many events come in a minute"),
    "full": (429, "too many events wait"),
}
"""The status of each verdict, and why an event is refused."""


def _load(name: str) -> ModuleType:
    """Load a file of plugins/plugin_utils: ansible-rulebook runs this one by its path, and knows no collections."""
    path = Path(__file__).resolve().parents[4] / "plugins" / "plugin_utils" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"keyholder{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is missing")
    module = importlib.util.module_from_spec(spec)
    # dataclasses look for the module of the class.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Refused(Exception):
    """Refuse a request, with a status and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Source:
    """Serve HTTP, and hold what was taken."""

    def __init__(self, args: dict[str, t.Any]) -> None:
        """Raise ``ValueError`` for settings that cannot be used."""
        self._events, gate = _load("_mdm_events"), _load("_mdm_gate")
        self.args = {**DEFAULTS, **args}
        _check(self.args, self._events.FORMS)
        self._senders = {name: gate.Sender(name, settings) for name, settings in self.args["senders"].items()}
        self._gate = gate.Gate(*(self.args[name] for name in ("max_age", "rate", "waiting", "spacing")))
        self._came = asyncio.Event()
        self._reading = asyncio.Semaphore(AT_ONCE)
        self._logged: list[float] = []
        self._unlogged = 0

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request, whatever it is. No word of it is logged or answered."""
        name = request.path.strip("/")
        sender = self._senders.get(name)
        try:
            if sender is None:
                raise Refused(404, "no sender has this path")
            await self._take(request, sender)
        except Refused as refused:
            self._log(name if sender else "an unknown path", request.remote, str(refused))
            return _answer(refused.status)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception as problem:
            self._log(name, request.remote, f"{type(problem).__name__} while it was read")
            return _answer(400)
        return _answer(200, "ok")

    async def _take(self, request: web.Request, sender: t.Any) -> None:
        """Take the event of a request, if it has one. Raise :class:`Refused`."""
        if request.method != "POST":
            raise Refused(405, "it is no POST")
        if not sender.proves_head(request.query, request.headers):
            raise Refused(401, "its secret is missing or wrong")
        if request.content_type != "application/json":
            raise Refused(415, "its content type is not application/json")
        body = await self._body(request)
        if not sender.proves_body(request.headers, body):
            raise Refused(401, "its signature is missing or wrong")
        try:
            event = self._events.event_of(sender.name, json.loads(body), body)
        except self._events.UnusableError as problem:
            raise Refused(400, str(problem)) from problem
        except (ValueError, RecursionError) as problem:
            raise Refused(400, "it is not JSON") from problem
        if event is None:
            return
        status, why = ANSWERS[self._gate.offer(event, self._events.seconds_of(event), time.time())]
        if why:
            raise Refused(status, why)
        self._came.set()

    async def _body(self, request: web.Request) -> bytes:
        if self._reading.locked():
            raise Refused(429, "too many requests come at once")
        if (request.content_length or 0) > self.args["max_body"]:
            raise Refused(413, "it is too large")
        async with self._reading:
            try:
                return await asyncio.wait_for(request.read(), SECONDS)
            except web.HTTPRequestEntityTooLarge as problem:
                raise Refused(413, "it is too large") from problem
            except asyncio.TimeoutError as problem:
                raise Refused(408, f"it took longer than {SECONDS:.0f} seconds") from problem

    def _log(self, sender: str, remote: str | None, why: str) -> None:
        """Log a refusal in one line, and not more lines than anyone reads."""
        now = time.monotonic()
        self._logged = [then for then in self._logged if then > now - 60]
        if len(self._logged) >= LINES:
            self._unlogged += 1
            return
        more, self._unlogged = self._unlogged, 0
        self._logged.append(now)
        tail = f"; {more} more were refused before it" if more else ""
        logger.warning("refused a request for %s from %s: %s%s", sender, remote or "nowhere", why, tail)

    async def hand_on(self, queue: asyncio.Queue[t.Any]) -> None:
        """Hand on what was taken, one event after the other, as ansible-rulebook takes them."""
        while True:
            event = self._gate.next(time.time())
            if event is not None:
                logger.info("%s: %s of %s", event["source"], event["event"], event["mac"]["key"])
                await queue.put(event)
                continue
            self._came.clear()
            try:
                await asyncio.wait_for(self._came.wait(), self._gate.pause(time.time()))
            except asyncio.TimeoutError:
                continue


def _answer(status: int, text: str = "") -> web.Response:
    """Return an answer that ends the connection: aiohttp would keep it for an hour, for whoever has no secret too."""
    answer = web.Response(status=status, text=text)
    answer.force_close()
    return answer


async def _end_slow(server: t.Any) -> None:
    """Close each connection that is there at two looks."""
    before: set[t.Any] = set()
    while True:
        await asyncio.sleep(PATIENCE)
        for connection in before.intersection(server.connections):
            connection.force_close()
        before = set(server.connections)


def _check(args: dict[str, t.Any], known: t.Mapping[str, t.Any]) -> None:
    """Raise ``ValueError`` for settings that cannot be used."""
    if unknown := sorted(args.keys() - DEFAULTS.keys()):
        raise ValueError(f"keyholder.macos.mdm has no option {', '.join(unknown)}")
    senders = args["senders"]
    if not isinstance(senders, dict) or not senders or (unknown := sorted(map(str, senders.keys() - known.keys()))):
        raise ValueError(f"senders must be a dictionary by these names: {', '.join(known)}")
    for name in ("port", "max_body", "max_age", "rate", "waiting", "spacing"):
        value = args[name] = int(args[name])
        if value < (0 if name == "spacing" else 1):
            raise ValueError(f"{name} must be a number above 0")
    if not args["certfile"] and not args["behind_proxy"] and not _is_loopback(str(args["host"])):
        raise ValueError("host is no address of the loopback: give certfile, or behind_proxy, for the secrets' sake")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tls(args: dict[str, t.Any]) -> ssl.SSLContext | None:
    if not args["certfile"]:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args["certfile"], args["keyfile"])
    return context


async def main(queue: asyncio.Queue[t.Any], args: dict[str, t.Any]) -> None:
    """Listen until ansible-rulebook ends."""
    source = Source(args)
    app = web.Application(client_max_size=source.args["max_body"])
    app.router.add_route("*", "/{path:.*}", source.handle)
    # Neither a URL, which can hold a secret, nor a line that is not HTTP gets into a log.
    silent = logging.getLogger("keyholder.macos.mdm.http")
    silent.disabled = True
    runner = web.AppRunner(app, access_log=None, logger=silent)
    await runner.setup()
    ending = asyncio.create_task(_end_slow(runner.server))
    try:
        tls = _tls(source.args)
        await web.TCPSite(runner, source.args["host"], source.args["port"], ssl_context=tls).start()
        logger.info("listening on %s:%s", source.args["host"], source.args["port"])
        await source.hand_on(queue)
    finally:
        ending.cancel()
        await runner.cleanup()
