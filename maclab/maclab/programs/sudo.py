# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides like sudo who may act for whom, asks for the password where it has to, and turns the caller into that."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from maclab import directory, fullpaths
from maclab.call import Call
from maclab.host import EUID, SESSION, USER
from maclab.state import Account

# macOS's sudoers keeps these; TMPDIR as well, because the lab's stands for the Mac's /tmp. PATH stays: macOS sets none.
KEPT = "COLORTERM EDITOR HOME LANG LANGUAGE LINES COLUMNS MAIL PATH SSH_AUTH_SOCK TERM TZ VISUAL TMPDIR".split()
KEPT += [SESSION]
TRIES = 3
LIMIT = 255


@dataclass
class Wish:
    """What the command line asks for."""

    user: str = "root"
    home: bool = False
    from_stdin: bool = False
    never_ask: bool = False
    keep: bool = False
    shell: bool = False
    login: bool = False
    forget: bool = False
    validate: bool = False
    show: bool = False
    prompt: str = "Password:"
    variables: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)


class Usage(Exception):
    """An option that sudo does not know."""


class NotModelled(Exception):
    """An option that sudo has, and the lab has not."""


OTHERS = "ABbCDegPRrTtUV"
"""Letters of sudo(8) that are not modelled."""
OTHER_LONG = set(
    "--askpass --bell --background --close-from --chdir --edit --group --preserve-groups --chroot --role "
    "--command-timeout --type --other-user --version --help --host --no-update".split()
)
KNOWN = "-E -H -K -S -i -k -l -n -p -s -u -v, and their long names"


FLAGS = {
    "H": "home",
    "S": "from_stdin",
    "n": "never_ask",
    "E": "keep",
    "s": "shell",
    "i": "login",
    "k": "forget",
    "K": "forget",
    "v": "validate",
    "l": "show",
}
LONG = {
    "--set-home": "home",
    "--stdin": "from_stdin",
    "--non-interactive": "never_ask",
    "--preserve-env": "keep",
    "--shell": "shell",
    "--login": "login",
    "--reset-timestamp": "forget",
    "--remove-timestamp": "forget",
    "--validate": "validate",
    "--list": "show",
}
VALUES = {"u": "user", "p": "prompt"}


def parse(argv: list[str]) -> Wish:
    wish = Wish()
    words = list(argv)
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        if word in LONG:
            setattr(wish, LONG[word], True)
        elif word.startswith(("--user", "--prompt")):
            name, equals, value = word[2:].partition("=")
            setattr(wish, name, value if equals else _next(words, word))
        elif word.partition("=")[0] in OTHER_LONG:
            raise NotModelled
        elif word.startswith("--"):
            raise Usage(f"unrecognized option `{word}'")
        else:
            _short(wish, word[1:], words)
    while words and "=" in words[0] and words[0].partition("=")[0].isidentifier():
        name, _, value = words.pop(0).partition("=")
        wish.variables[name] = value
    wish.command = words
    return wish


def _short(wish: Wish, letters: str, words: list[str]) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in VALUES:
            setattr(wish, VALUES[letter], letters or _next(words, f"-{letter}"))
            return
        if letter in OTHERS:
            raise NotModelled
        if letter not in FLAGS:
            raise Usage(f"invalid option -- {letter}")
        setattr(wish, FLAGS[letter], True)


def _next(words: list[str], option: str) -> str:
    if not words:
        raise Usage(f"option requires an argument -- {option.lstrip('-')}")
    return words.pop(0)


async def main(call: Call) -> int:
    try:
        wish = parse(call.argv)
    except NotModelled:
        return call.refuse(KNOWN)
    except Usage as error:
        call.err(f"sudo: {error}\n{USAGE}")
        return 1
    if not wish.command and not (wish.shell or wish.login or wish.validate or wish.show):
        if wish.forget:
            return 0
        call.err(USAGE)
        return 1
    caller = call.mac.accounts.get(call.user)
    target = _target(call, wish.user)
    if caller is None:
        call.err("sudo: you do not exist in the passwd database\n")
        return 1
    if target is None:
        call.err(f"sudo: unknown user: {wish.user.removeprefix('#')}\n")
        if call.mac.version_tuple < (11,):
            call.err("sudo: unable to initialize policy plugin\n")
        return 1
    if call.mac.requiretty and not call.has_tty:
        # Of root as well, and before anybody is asked for a password (sudoers.c of sudo).
        call.err("sudo: sorry, you must have a tty to run sudo\n")
        return 1
    if not await _allowed(call, wish, caller, target):
        return 1
    if wish.validate:
        return 0
    if wish.show:
        return _show(call, caller)
    return _become(call, wish, caller, target)


USAGE = """usage: sudo -h | -K | -k | -V
usage: sudo -v [-AknS] [-g group] [-h host] [-p prompt] [-u user]
usage: sudo -l [-AknS] [-g group] [-h host] [-p prompt] [-U user] [-u user] [command]
usage: sudo [-AbEHknPS] [-C num] [-g group] [-h host] [-p prompt] [-T timeout] [-u user] [VAR=value] [-i|-s] [<command>]
"""


def _target(call: Call, name: str) -> Account | None:
    if name.startswith("#") and name[1:].lstrip("-").isdigit():
        return call.mac.by_uid(int(name[1:]))
    return directory.find(call.mac, name)


async def _allowed(call: Call, wish: Wish, caller: Account, target: Account) -> bool:
    if call.is_root:
        return True
    admin = directory.is_admin(call.mac, caller)
    if (not admin or _is_asked(call, caller)) and not await _authenticate(call, wish, caller, target):
        return False
    if not admin:
        # Who may not is asked for the password first, so that a stranger at the keyboard does not learn it.
        old = call.mac.version_tuple < (14,)
        last = "  This incident will be reported." if old else "\nThis incident has been reported to the administrator."
        call.err(f"{caller.name} is not in the sudoers file.{last}\n")
    return admin


def _is_asked(call: Call, caller: Account) -> bool:
    return call.mac.sudo_password if caller.sudo_password is None else caller.sudo_password


async def _authenticate(call: Call, wish: Wish, caller: Account, target: Account) -> bool:
    if wish.never_ask:
        call.err("sudo: a password is required\n")
        return False
    if not wish.from_stdin and not call.has_tty:
        if call.mac.version_tuple < (11,):
            call.err("sudo: no tty present and no askpass program specified\n")
        else:
            call.err(
                "sudo: a terminal is required to read the password; either use the -S option to read from standard"
                " input or configure an askpass helper\nsudo: a password is required\n"
            )
        return False
    prompt = _expanded(wish.prompt, call, caller, target)
    for tried in range(TRIES):
        # Standard input that is a terminal is told to be quiet as well (tgetpass.c of sudo).
        piped = wish.from_stdin and not call.stdin_is_tty
        typed = await (call.ask_on_stdin(prompt, LIMIT) if piped else call.getpass(prompt, LIMIT))
        if typed is None:
            call.err(f"\nsudo: {_wrong(tried)}\n" if tried else "\nsudo: no password was provided\n")
            call.err("" if tried else "sudo: a password is required\n")
            return False
        ok = bool(directory.authenticate(call.mac, caller.name, typed))
        call.authenticated(caller.name, ok)
        await call.commit()
        if ok:
            return True
        if tried + 1 < TRIES:
            call.err("Sorry, try again.\n")
    call.err(f"sudo: {_wrong(TRIES)}\n")
    return False


def _wrong(tries: int) -> str:
    return f"{tries} incorrect password attempt{'' if tries == 1 else 's'}"


def _expanded(prompt: str, call: Call, caller: Account, target: Account) -> str:
    values = {"u": caller.name, "p": caller.name, "U": target.name, "h": call.mac.name, "H": call.mac.name, "%": "%"}
    parts: list[str] = []
    letters = iter(prompt)
    for letter in letters:
        if letter != "%":
            parts.append(letter)
            continue
        following = next(letters, "")
        parts.append(values.get(following, f"%{following}"))
    return "".join(parts)


def _show(call: Call, caller: Account) -> int:
    asks = "" if _is_asked(call, caller) and not call.is_root else "NOPASSWD: "
    call.out(f"User {caller.name} may run the following commands on {call.mac.name}:\n    (ALL) {asks}ALL\n")
    return 0


def _become(call: Call, wish: Wish, caller: Account, target: Account) -> int:
    env = _environment(call, wish, caller, target)
    argv = wish.command
    if wish.shell or wish.login:
        # -i and -s hand the command to a shell, in one text.
        argv = ["/bin/sh", *(["-c", " ".join(argv)] if argv else [])]
    path = find_command(call, argv[0], env.get("PATH", ""))
    if path is None:
        call.err(f"sudo: {argv[0]}: command not found\n")
        return 1
    env["SUDO_COMMAND"] = " ".join([path, *argv[1:]])
    folder = target.home if wish.login else ""
    return call.become([path, *argv[1:]], env, target.name, target.uid == 0, folder)


def _environment(call: Call, wish: Wish, caller: Account, target: Account) -> dict[str, str]:
    env = {key: value for key, value in call.env.items() if wish.keep or key in KEPT or key.startswith("LC_")}
    env |= {
        "USER": target.name,
        "LOGNAME": target.name,
        "SHELL": "/bin/sh",
        "SUDO_USER": caller.name,
        "SUDO_UID": str(caller.uid),
        "SUDO_GID": str(caller.gid),
        USER: target.name,
        EUID: str(target.uid),
    }
    env.setdefault("PATH", _bin_folder(call))
    if wish.home or wish.login or "HOME" not in env:
        env["HOME"] = home_of(call, target)
    return env | wish.variables


def _bin_folder(call: Call) -> str:
    if call.full_paths:
        return fullpaths.PATH
    return str(call.folder / "bin") if call.folder is not None else ""


def home_of(call: Call, target: Account) -> str:
    root = call.folder / "root" if call.folder is not None else Path("/")
    home = root / target.home.lstrip("/")
    if call.folder is not None:
        home.mkdir(parents=True, exist_ok=True)
    return target.home if call.full_paths else str(home)


def find_command(call: Call, name: str, path: str) -> str | None:
    """The caller's PATH decides, as it does for the real programs on a macOS without secure_path."""
    named = [name] if "/" in name else [f"{folder}/{name}" for folder in path.split(os.pathsep) if folder]
    candidates = (os.path.join(call.cwd, one) for one in named)
    return next((one for one in candidates if _is_program(call.place(one))), None)


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
