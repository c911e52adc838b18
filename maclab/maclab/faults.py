# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names everything that can be wrong with a Mac on purpose, and decides when a fault applies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maclab.state import Account, Fault, Mac

STALE_KEY = "the password before the last one"

# Fault -> option -> what its value may be; an option whose text begins with "required" must be given.
OPTIONS: dict[str, dict[str, str]] = {
    "no_full_disk_access": {},
    "hang": {"program": "name", "argument": "text", "at": "start|prompt"},
    "floods": {"program": "name", "argument": "text"},
    "token_does_not_stick": {"user": "account"},
    "stale_key": {"user": "required account"},
    "kill": {"step": "required number", "program": "name", "before": "boolean"},
    "ssh_cut": {"step": "required number", "program": "name"},
    "mdm_unreachable": {},
    "rate_limited": {},
    "prk_not_returned": {},
    "enable_does_nothing": {},
    "authrestart_fails": {},
    "authrestart_unsupported": {},
    "authrestart_forgotten": {},
    "locked": {"user": "required account"},
    "slow": {"seconds": "required seconds", "program": "name"},
    "lockout_root": {},
    "delete_does_nothing": {},
    "mobile_account_not_made": {},
    "installer_does_nothing": {},
    "hash_unreadable": {"user": "account"},
    "does_nothing": {"program": "required name", "argument": "text"},
    "delete_keeps_key": {},
    "escrow_stands_still": {},
    "source_stands_still": {"user": "required account", "source": "required authority|crypto_user|filevault_list"},
    "name_taken_over": {"user": "required account", "program": "name"},
    "archive_cut_off": {},
    "home_of_another": {},
    "ssh_resets": {"while": "locked|booted"},
    "update_fails": {"because": "required space|download"},
    "update_does_nothing": {"restarts": "boolean"},
    "preboot_fails": {"times": "number", "because": "nothing|orphan|unnamed_orphan"},
}


class FaultError(ValueError):
    """A fault that does not exist, or one that is described wrongly."""


def parse(name: Any, options: Mapping[str, Any], mac: Mac) -> Fault:
    """Accept values as YAML gives them and as a command line does (all text)."""
    if name not in OPTIONS:
        raise FaultError(f"no such fault: {name!r} (allowed: {', '.join(OPTIONS)})")
    allowed = OPTIONS[name]
    checked: dict[str, Any] = {}
    for key, value in options.items():
        if key not in allowed:
            raise FaultError(f"fault {name}: no such option: {key!r} (allowed: {', '.join(allowed) or 'none'})")
        checked[key] = _value(name, key, value, allowed[key].removeprefix("required "), mac)
    missing = [key for key, kind in allowed.items() if kind.startswith("required") and key not in checked]
    if missing:
        raise FaultError(f"fault {name}: needs {', '.join(missing)}")
    return Fault(str(name), checked)


def _value(fault: str, key: str, value: Any, kind: str, mac: Mac) -> Any:
    def wrong(allowed: str) -> FaultError:
        return FaultError(f"fault {fault}: {key}: {value!r} (allowed: {allowed})")

    if kind == "number":
        if isinstance(value, bool) or not str(value).isdigit() or int(value) < 1:
            raise wrong("a whole number from 1")
        return int(value)
    if kind == "seconds":
        try:
            seconds = float(value)
        except (TypeError, ValueError):
            raise wrong("seconds") from None
        if isinstance(value, bool) or seconds < 0:
            raise wrong("seconds")
        return seconds
    if kind == "boolean":
        words = {"true": True, "yes": True, "false": False, "no": False}
        if str(value).lower() not in words:
            raise wrong("true, false")
        return words[str(value).lower()]
    if kind == "account":
        if value not in mac.accounts:
            raise wrong(f"an account of this Mac: {', '.join(mac.accounts)}")
        return value
    if "|" in kind and value not in kind.split("|"):
        raise wrong(", ".join(kind.split("|")))
    if not isinstance(value, str) or not value:
        raise wrong("text")
    return value


def set_fault(mac: Mac, fault: Fault) -> None:
    """Some faults are a condition of the account rather than of a program, and take hold at once."""
    mac.faults.append(fault)
    account = mac.accounts.get(str(fault.options.get("user", "")))
    if account is not None and fault.name == "locked":
        account.locked = True
    if account is not None and fault.name == "stale_key" and account.key_password is not None:
        account.key_password = STALE_KEY


def clear_faults(mac: Mac) -> None:
    for fault in mac.faults:
        account = mac.accounts.get(str(fault.options.get("user", "")))
        if account is not None:
            _undo(fault, account)
    mac.faults.clear()


def _undo(fault: Fault, account: Account) -> None:
    if fault.name == "locked":
        account.locked = False
    if fault.name == "stale_key" and account.key_password == STALE_KEY:
        account.key_password = account.password


def find(mac: Mac, name: str, program: str, argv: Sequence[str]) -> Fault | None:
    """The active fault of that name that applies to this program and these arguments."""
    for fault in mac.faults:
        if fault.name == name and not fault.spent and _applies(fault, program, argv):
            return fault
    return None


def _applies(fault: Fault, program: str, argv: Sequence[str]) -> bool:
    if fault.options.get("program", program) != program:
        return False
    argument = fault.options.get("argument")
    if argument is not None and argument not in " ".join(argv):
        return False
    user = fault.options.get("user")
    return user is None or user in argv or any(word.endswith(f"/{user}") for word in argv)


def count(mac: Mac, name: str, program: str) -> Fault | None:
    """Count one event (a commit, a program start) and return the fault whose turn has come; it bites once."""
    due: Fault | None = None
    for fault in mac.faults:
        if fault.name != name or fault.spent or not _applies(fault, program, ()):
            continue
        fault.seen += 1
        if fault.seen >= int(fault.options["step"]) and due is None:
            fault.spent = True
            due = fault
    return due
