# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places to publish at: WsgiDAV, moto's S3, git's own HTTP server, a plain web server, and a line that breaks."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import boto3  # type: ignore[import-not-found,import-untyped,unused-ignore]
from cheroot.wsgi import Server
from moto.server import ThreadedMotoServer
from wsgidav.wsgidav_app import WsgiDAVApp  # type: ignore[import-untyped]

USER, PASSWORD, TOKEN = "auditor", "d4v-Pa55:wörd/9c1e&x", "t0ken-51aa-of-the-web-server"


@dataclass
class Where:
    """``files``: what lies there now, by name."""

    options: dict[str, str]
    files: Callable[[], dict[str, bytes]]

    @property
    def url(self) -> str:
        return self.options["publish"]


def _files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextlib.contextmanager
def _serving(server: Any) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    folder: ClassVar[Path]

    def log_message(self, *dummy: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def known(self, *due: str) -> bool:
        if self.headers.get("Authorization") in due:
            return True
        self.body()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="reports"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class _Web(_Handler):
    """Takes PUT, as nginx with `dav_methods PUT DELETE` and Apache with a script do, and lists nothing."""

    def do_PUT(self) -> None:
        if self.known(f"Bearer {TOKEN}"):
            path = self.folder / self.path.lstrip("/")
            if self.headers["Content-Length"] is None:
                self.answer(411)
                return
            content = self.body()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            self.answer(201)

    def do_DELETE(self) -> None:
        if self.known(f"Bearer {TOKEN}"):
            (self.folder / self.path.lstrip("/")).unlink()
            self.answer(204)


class _GitWeb(_Handler):
    """Hands requests to `git http-backend`, as the servers of git's own manual do."""

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        if not self.known(_basic(USER, PASSWORD)):
            return
        path, _mark, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": USER,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        ran = subprocess.run(
            ["git", "http-backend"], input=self._given(), capture_output=True, env=environment, check=True
        )
        head, _gap, body = ran.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in {**fields, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _given(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.body()
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found


@contextlib.contextmanager
def _http(handler: type[_Handler], folder: Path) -> Iterator[int]:
    own = type(handler.__name__, (handler,), {"folder": folder})
    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), own)) as port:
        yield port


@contextlib.contextmanager
def web(room: Path) -> Iterator[Where]:
    folder = room / "served"
    folder.mkdir()
    with _http(_Web, folder) as port:
        options = {"publish": f"http://127.0.0.1:{port}/macs/all", "publish_password": TOKEN}
        yield Where(options, lambda: _files_below(folder / "macs" / "all"))


@contextlib.contextmanager
def webdav(room: Path) -> Iterator[Where]:
    folder = room / "served"
    folder.mkdir()
    config = {
        "provider_mapping": {"/": str(folder)},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
        "verbose": 0,
        "logging": {"enable": False},
    }
    server = Server(("127.0.0.1", 0), WsgiDAVApp(config))
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        who = {"publish_user": USER, "publish_password": PASSWORD}
        options = {"publish": f"webdav+http://127.0.0.1:{server.bind_addr[1]}/teams/macs%20all", **who}
        yield Where(options, lambda: _files_below(folder / "teams" / "macs all"))
    finally:
        server.stop()
        thread.join()


@contextlib.contextmanager
def s3(room: Path) -> Iterator[Where]:
    """With IAM: whoever has no key, or another one, is refused."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        _post(f"{url}/moto-api/reset", b"")
        _post(f"{url}/moto-api/reset-auth", b"1000")
        first = {"aws_access_key_id": "first", "aws_secret_access_key": "first", "region_name": "us-east-1"}
        clients = [boto3.client(name, endpoint_url=url, **first) for name in ("iam", "s3")]
        iam, bucket = clients
        iam.create_user(UserName=USER)
        key = iam.create_access_key(UserName=USER)["AccessKey"]
        allowed = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
        iam.put_user_policy(UserName=USER, PolicyName="reports", PolicyDocument=allowed)
        bucket.create_bucket(Bucket="reports")
        who = {"publish_user": key["AccessKeyId"], "publish_password": key["SecretAccessKey"]}
        reader = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )
        _post(f"{url}/moto-api/reset-auth", b"0")

        def files() -> dict[str, bytes]:
            listed = reader.list_objects_v2(Bucket="reports").get("Contents", [])
            return {
                one["Key"].removeprefix("macs/"): reader.get_object(Bucket="reports", Key=one["Key"])["Body"].read()
                for one in listed
            }

        yield Where({"publish": f"s3+http://{host}:{port}/reports/macs", **who}, files)
    finally:
        _post(f"{url}/moto-api/reset-auth", b"1000")
        server.stop()


def _post(url: str, body: bytes) -> None:
    request = urllib.request.Request(url, data=body, method="POST", headers={"Content-Type": "text/plain"})
    with urllib.request.urlopen(request) as answer:
        answer.read()


def _bare(room: Path) -> Path:
    repository = room / "served" / "macs.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "-b", "trunk", str(repository)], check=True)
    subprocess.run(["git", "-C", str(repository), "config", "http.receivepack", "true"], check=True)
    return repository


def _at_head(repository: Path, folder: str = "") -> Callable[[], dict[str, bytes]]:
    def files() -> dict[str, bytes]:
        git = ["git", "-C", str(repository)]
        listed = subprocess.run([*git, "ls-tree", "-r", "-z", "--name-only", "trunk"], capture_output=True, check=False)
        names = [name for name in listed.stdout.decode().split("\0") if name.startswith(folder)]
        return {
            name.removeprefix(folder): subprocess.run(
                [*git, "show", f"trunk:{name}"], capture_output=True, check=True
            ).stdout
            for name in names
        }

    return files


@contextlib.contextmanager
def git_file(room: Path) -> Iterator[Where]:
    repository = _bare(room)
    # With a commit, as most repositories have one.
    clone = room / "clone"
    subprocess.run(["git", "clone", "--quiet", str(repository), str(clone)], check=True, capture_output=True)
    (clone / "README").write_text("Reports\n")
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run(["git", "-C", str(clone), "add", "README"], check=True)
    subprocess.run(["git", "-C", str(clone), *who, "commit", "--quiet", "-m", "Begin"], check=True)
    subprocess.run(["git", "-C", str(clone), "push", "--quiet", "origin", "HEAD:trunk"], check=True)
    shutil.rmtree(clone)
    yield Where({"publish": f"git+file://{repository}"}, _at_head(repository))


@contextlib.contextmanager
def git_http(room: Path) -> Iterator[Where]:
    repository = _bare(room)
    with _http(_GitWeb, repository.parent) as port:
        who = {"publish_user": USER, "publish_password": PASSWORD}
        # It has no commit yet.
        yield Where(
            {"publish": f"git+http://127.0.0.1:{port}/macs.git//public/macs", **who},
            _at_head(repository, "public/macs/"),
        )


PLACES = {"web": web, "webdav": webdav, "s3": s3, "git over file": git_file, "git over http": git_http}


@contextlib.contextmanager
def breaking(port: int, after: int, times: int) -> Iterator[int]:
    """A line to a server on this machine that is cut once it has carried so many bytes one way, so many times."""
    left = [times]
    listener = socket.create_server(("127.0.0.1", 0))

    def carry(source: socket.socket, to: socket.socket, limit: int | None) -> None:
        carried = 0
        with contextlib.suppress(OSError):
            while block := source.recv(4096):
                carried += len(block)
                if limit is not None and carried > limit and left[0] > 0:
                    left[0] -= 1
                    break
                to.sendall(block)
        for one in (source, to):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=carry, args=(client, server, after), daemon=True).start()
                threading.Thread(target=carry, args=(server, client, None), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
