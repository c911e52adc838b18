# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the `maclab` command: a person brings a fleet up, looks at it, breaks it and throws it away."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import logging
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from maclab import control, faults, fullpaths, inventory, journal, lab, layout, scenario, show
from maclab.layout import LabFolder
from maclab.server import Server
from maclab.state import Mac, from_json

DEMO = Path(__file__).parent.parent / "scenarios" / "demo.yml"
PATIENCE = 60


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    command: Callable[[LabFolder, argparse.Namespace], int] = arguments.command
    try:
        return command(LabFolder(arguments.dir.resolve()), arguments)
    except (scenario.ScenarioError, control.LabError) as error:
        print(f"maclab: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # `maclab journal | head`: nobody reads on, and Python would complain about that once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


def _default_dir() -> Path:
    return Path(os.environ.get("MACLAB_DIR") or Path(tempfile.gettempdir(), f"maclab-{getpass.getuser()}"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="maclab", description="A fleet of Macs to rehearse on, behind a real SSH server."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, command: Callable[[LabFolder, argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--dir", type=Path, default=_default_dir(), help="the lab's folder (default: %(default)s)")
        added.set_defaults(command=command)
        return added

    up = add("up", _up, "bring the Macs up; a lab that was up before goes on with the state it had")
    up.add_argument("scenario", nargs="?", type=Path, help="a YAML file (default: the folder's own, else the demo)")
    up.add_argument("--fresh", action="store_true", help="forget the state, begin as the scenario says")
    up.add_argument("--foreground", action="store_true", help="stay in this terminal")
    up.add_argument("--keys-only", action="store_true", help="let nobody in by password")
    up.add_argument(
        "--full-paths",
        action="store_true",
        help="let commands find everything at macOS's own paths, such as /usr/sbin/sysadminctl (Linux)",
    )
    add("down", _down, "stop the lab; its state stays")
    add("list", _list, "list the Macs")
    shown = add("show", _show, "show what a Mac is at this moment")
    shown.add_argument("mac")
    shown.add_argument("--json", action="store_true", help="the whole state")
    journaled = add("journal", _journal, "show what was done to a Mac")
    journaled.add_argument("mac")
    journaled.add_argument("-n", type=int, default=20, help="how many lines (default: %(default)s)")
    journaled.add_argument("--json", action="store_true", help="JSON lines, with environments and times")
    add("inventory", _inventory, "print the inventory for Ansible")
    fault = add("fault", _fault, f"break a Mac: {', '.join(faults.OPTIONS)}")
    fault.add_argument("mac")
    fault.add_argument("fault", nargs="?")
    fault.add_argument("options", nargs="*", metavar="KEY=VALUE")
    fault.add_argument("--clear", action="store_true", help="repair everything")
    login = add(
        "login", _login, "log in at a Mac's screen, which is what grants by Bootstrap Token and fires a deferral"
    )
    login.add_argument("mac")
    login.add_argument("user")
    login.add_argument("--password", help="try this one (default: the right one)")
    unlock = add("unlock", _unlock, "unlock FileVault at the screen of a Mac that has restarted")
    unlock.add_argument("mac")
    unlock.add_argument("user", nargs="?", help="who does it, and is logged in by it (default: somebody)")
    unlock.add_argument("--password", help="try this one (default: the right one)")
    unlock.add_argument("--key", help="unlock with this recovery key")
    bound = add("directory", _directory, "take the directory that a Mac is bound to away, or change a password in it")
    bound.add_argument("mac")
    bound.add_argument("what", choices=("online", "offline", "password"))
    bound.add_argument("user", nargs="?", help="whose password")
    bound.add_argument("password", nargs="?", help="the new one")
    rotated = add("mdm", _mdm, "have the MDM set the password of the administrator that it has made, as a hash")
    rotated.add_argument("mac")
    rotated.add_argument("what", choices=("password",))
    rotated.add_argument("password", help="the new one")
    restart = add("restart", _restart, "press a Mac's power button")
    restart.add_argument("mac")
    cut = add("power-cut", _power_cut, "cut the power for a moment: Macs with FileVault then wait to be unlocked")
    cut.add_argument("macs", nargs="*", metavar="MAC", help="those whose power is cut (default: all)")
    reset = add("reset", _reset, "make a Mac what the scenario says again")
    reset.add_argument("mac")
    return parser


def _up(folder: LabFolder, arguments: argparse.Namespace) -> int:
    if control.is_up(folder):
        raise control.LabError(f"a lab is up in {folder.path} already (maclab down ends it)")
    described: Path | None = arguments.scenario
    if described is None and not folder.scenario.exists():
        described = DEMO
    # Read here as well, so that a mistake is shown where it can be read.
    scenario.load(described or folder.scenario)
    try:
        layout.program()
    except LookupError as missing:
        raise control.LabError(str(missing)) from None
    if arguments.full_paths:
        fullpaths.require()
    if arguments.foreground:
        return asyncio.run(_serve(folder, described, arguments))
    _start_daemon(folder, described, arguments)
    _print_welcome(folder)
    return 0


async def _serve(folder: LabFolder, described: Path | None, arguments: argparse.Namespace) -> int:
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s", level=logging.WARNING)
    kept = folder.scenario.read_bytes() if folder.scenario.exists() else None
    server = Server(
        folder, lab.prepare(folder, described, arguments.fresh), not arguments.keys_only, arguments.full_paths
    )
    if not arguments.fresh and kept is not None and kept != folder.scenario.read_bytes():
        server.notes.append("the scenario has changed; Macs that were there keep their state (--fresh forgets it)")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.stopping.set)
    await server.up()
    if sys.stdout.isatty():
        _print_welcome(folder)
    await server.stopping.wait()
    await server.down()
    return 0


def _start_daemon(folder: LabFolder, described: Path | None, arguments: argparse.Namespace) -> None:
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "maclab", "up", "--foreground", "--dir", str(folder.path)]
    argv += ["--fresh"] if arguments.fresh else []
    argv += ["--keys-only"] if arguments.keys_only else []
    argv += ["--full-paths"] if arguments.full_paths else []
    argv += [str(described.resolve())] if described else []
    path = os.pathsep.join([str(Path(__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    with folder.log.open("a") as log:
        daemon = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
    deadline = time.monotonic() + PATIENCE
    while not control.is_up(folder):
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise control.LabError(f"the lab did not come up; its log is {folder.log}\n{_tail(folder.log)}")
        time.sleep(0.05)


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-5:])


def _print_welcome(folder: LabFolder) -> None:
    names = _names(folder)
    first = names[0]
    mac = _state(folder, first)
    port = json.loads(folder.info.read_text())["macs"][first]["port"]
    ssh = ["ssh", *inventory.ssh_options(folder), "-i", str(folder.client_key), "-p", str(port)]
    print(f"{len(names)} Macs are up: {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}")
    for note in json.loads(folder.info.read_text())["notes"]:
        print(f"note: {note}")
    print(f"inventory: {folder.inventory}\n\nTry:")
    print(f"  ansible -i {shlex.quote(str(folder.inventory))} all -m raw -a sw_vers")
    print(
        f"  {shlex.join([*ssh, f'{mac.ssh_user}@{inventory.ADDRESS}'])} sysadminctl -secureTokenStatus {mac.ssh_user}"
    )
    elsewhere = folder.path != _default_dir().resolve()
    print(f"  {_myself()} show {first}" + (f" --dir {shlex.quote(str(folder.path))}" if elsewhere else ""))


def _myself() -> str:
    """How the person at the prompt can call this again from the same folder, installed or not."""
    if Path(sys.argv[0]).name == "maclab":
        return "maclab"
    package = shlex.quote(os.path.relpath(Path(__file__).parent.parent))
    return f"PYTHONPATH={package} {shlex.quote(os.path.relpath(sys.executable))} -m maclab"


def _down(folder: LabFolder, _arguments: argparse.Namespace) -> int:
    control.order(folder, "down")
    deadline = time.monotonic() + PATIENCE
    while folder.socket.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return 0


def _list(folder: LabFolder, _arguments: argparse.Namespace) -> int:
    ports = json.loads(folder.info.read_text())["macs"] if folder.info.exists() else {}
    macs = [_state(folder, name) for name in _names(folder)]
    rows = [
        (mac.name, mac.version, mac.hardware, str(ports.get(mac.name, {}).get("port", "-")), mac.ssh_user)
        for mac in macs
    ]
    print(show.table(("mac", "macOS", "hardware", "port", "user"), rows))
    print(f"\nThe lab in {folder.path} is {'up' if control.is_up(folder) else 'down'}.")
    return 0


def _show(folder: LabFolder, arguments: argparse.Namespace) -> int:
    mac = _state(folder, arguments.mac)
    if arguments.json:
        print(json.dumps(asdict(mac), indent=1, ensure_ascii=False))
    else:
        print(show.mac(mac, journal.read(folder.mac(mac.name).journal)), end="")
    return 0


def _journal(folder: LabFolder, arguments: argparse.Namespace) -> int:
    _state(folder, arguments.mac)
    entries = journal.read(folder.mac(arguments.mac).journal)[-arguments.n :]
    for text in [journal.line(entry).rstrip("\n") for entry in entries] if arguments.json else show.lines(entries):
        print(text)
    return 0


def _inventory(folder: LabFolder, _arguments: argparse.Namespace) -> int:
    _names(folder)
    print(folder.inventory.read_text(encoding="utf-8"), end="")
    return 0


def _fault(folder: LabFolder, arguments: argparse.Namespace) -> int:
    if arguments.clear:
        control.order(folder, "clear", mac=arguments.mac)
    if arguments.fault is None:
        if not arguments.clear:
            raise control.LabError(f"which fault? (allowed: {', '.join(faults.OPTIONS)})")
        return 0
    options: dict[str, str] = {}
    for word in arguments.options:
        key, equals, value = word.partition("=")
        if not equals:
            raise control.LabError(f"fault option {word!r} (allowed: KEY=VALUE)")
        options[key] = value
    control.order(folder, "fault", mac=arguments.mac, fault=arguments.fault, options=options)
    return 0


def _login(folder: LabFolder, arguments: argparse.Namespace) -> int:
    done = control.order(folder, "login", mac=arguments.mac, user=arguments.user, password=arguments.password)
    print("\n".join(done or ["logged in, and nothing else came of it"]))
    return 0


def _unlock(folder: LabFolder, arguments: argparse.Namespace) -> int:
    done = control.order(
        folder, "unlock", mac=arguments.mac, user=arguments.user, password=arguments.password, key=arguments.key
    )
    print("\n".join(["unlocked", *done]))
    return 0


def _directory(folder: LabFolder, arguments: argparse.Namespace) -> int:
    wanted: dict[str, object] = {"online": {"online": True, "offline": False}.get(arguments.what)}
    if arguments.what == "password":
        if not arguments.user or not arguments.password:
            raise control.LabError("whose password, and which? (maclab directory MAC password USER PASSWORD)")
        wanted |= {"user": arguments.user, "password": arguments.password}
    control.order(folder, "directory", mac=arguments.mac, **wanted)
    return 0


def _mdm(folder: LabFolder, arguments: argparse.Namespace) -> int:
    control.order(folder, "mdm", mac=arguments.mac, password=arguments.password)
    return 0


def _restart(folder: LabFolder, arguments: argparse.Namespace) -> int:
    control.order(folder, "restart", mac=arguments.mac)
    return 0


def _power_cut(folder: LabFolder, arguments: argparse.Namespace) -> int:
    cut = arguments.macs or _names(folder)
    for name in cut:
        control.order(folder, "power_cut", mac=name)
    rows = []
    for name in cut:
        now = control.order(folder, "started", mac=name)
        stands = "waits to be unlocked" if now["locked"] else "is up"
        rows.append((name, _state(folder, name).version, stands, "" if now["answers"] else "does not answer SSH"))
    print(show.table(("mac", "macOS", "", ""), rows))
    return 0


def _reset(folder: LabFolder, arguments: argparse.Namespace) -> int:
    control.order(folder, "reset", mac=arguments.mac)
    return 0


def _names(folder: LabFolder) -> list[str]:
    if not folder.scenario.exists() or not folder.info.exists():
        raise control.LabError(f"there is no lab in {folder.path} (maclab up makes one)")
    return list(json.loads(folder.info.read_text())["macs"])


def _state(folder: LabFolder, name: str) -> Mac:
    names = _names(folder)
    if name not in names:
        raise control.LabError(f"this lab has no Mac {name!r} (it has: {', '.join(names)})")
    return from_json(folder.mac(name).state.read_text(encoding="utf-8"))
