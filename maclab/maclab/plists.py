# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the property lists that several programs print."""

from __future__ import annotations

import plistlib
import re
from functools import lru_cache
from typing import Any

from maclab.state import Account, Mac, Policy

_HEAD, _TAIL = plistlib.dumps("").decode().split("<string></string>\n")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class _Other(Exception):
    """Say that it holds what plistlib writes by rules of its own."""


def dumps(value: Any) -> str:
    """Write a property list to the letter as plistlib does, which is slow at what the lab mostly prints: texts."""
    try:
        written = f"{_HEAD}{_written(value, '')}{_TAIL}"
        written.encode()
    except (_Other, UnicodeEncodeError):
        return plistlib.dumps(value, sort_keys=False).decode()
    return written


def _written(value: Any, margin: str) -> str:
    if isinstance(value, str):
        return f"{margin}{_text(value)}\n"
    inside = f"{margin}\t"
    if isinstance(value, dict) and value:
        rows = [f"{inside}{_key(key)}\n{_written(each, inside)}" for key, each in value.items()]
        return f"{margin}<dict>\n{''.join(rows)}{margin}</dict>\n"
    if isinstance(value, list) and value:
        return f"{margin}<array>\n{''.join([_written(each, inside) for each in value])}{margin}</array>\n"
    if isinstance(value, int | float | dict | list):
        simple = plistlib.dumps(value).decode()
        return f"{margin}{simple[len(_HEAD) : -len(_TAIL)]}"
    raise _Other


@lru_cache(maxsize=4096)
def _text(text: str) -> str:
    return f"<string>{_escaped(text)}</string>"


@lru_cache(maxsize=4096)
def _key(key: Any) -> str:
    return f"<key>{_escaped(key)}</key>"


def _escaped(value: Any) -> str:
    if not isinstance(value, str) or _CONTROL.search(value):
        raise _Other
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def loads(text: str) -> Any:
    return plistlib.loads(text.encode())


def account_policy_data(account: Account) -> str:
    """Return what the directory keeps about an account's password; a password never set has no set time."""
    return _policy_data(account.created_at, account.failed_logins, account.failed_login_at, account.password_set_at)


@lru_cache(maxsize=4096)
def _policy_data(created_at: float, failed_logins: int, failed_login_at: float, set_at: float | None) -> str:
    data: dict[str, Any] = {
        "creationTime": float(created_at),
        "failedLoginCount": failed_logins,
        "failedLoginTimestamp": float(failed_login_at),
    }
    if set_at is not None:
        data["passwordLastSetTime"] = float(set_at)
    return dumps(data)


def put_account_policy_data(account: Account, text: str) -> None:
    """Take back what somebody has changed in it (`dscl . -deletepl`); a key that is gone is 0, or never."""
    data: dict[str, Any] = loads(text) if text else {}
    account.created_at = float(data.get("creationTime", 0.0))
    account.failed_logins = int(data.get("failedLoginCount", 0))
    account.failed_login_at = float(data.get("failedLoginTimestamp", 0.0))
    set_at = data.get("passwordLastSetTime")
    account.password_set_at = None if set_at is None else float(set_at)


def has_policy(policy: Policy) -> bool:
    return bool(policy.xml or policy.min_length or policy.max_failed or policy.pattern)


def global_policy(mac: Mac) -> str:
    """Return the global account policy as pwpolicy and the record /Config/shadowhash show it."""
    policy = mac.policy
    if policy.xml:
        return policy.xml
    content: list[dict[str, Any]] = []
    if policy.min_length:
        content.append(_content(f"policyAttributePassword matches '.{{{policy.min_length},}}'", "minimum length"))
    if policy.pattern:
        content.append(_content(f"policyAttributePassword matches '{policy.pattern}'", "pattern"))
    data: dict[str, Any] = {"policyCategoryPasswordContent": content} if content else {}
    if policy.max_failed:
        rule = "(policyAttributeFailedAuthentications < policyAttributeMaximumFailedAuthentications)"
        parameters = {"policyAttributeMaximumFailedAuthentications": policy.max_failed}
        data["policyCategoryAuthentication"] = [
            {"policyContent": rule, "policyIdentifier": "failed logins", "policyParameters": parameters}
        ]
    return dumps(data)


def _content(rule: str, name: str) -> dict[str, Any]:
    return {"policyContent": rule, "policyIdentifier": name}


def description(value: Any, margin: str = "") -> str:
    """Write a value as NSDictionary's description does: keys sorted, texts quoted where they are not one word."""
    if isinstance(value, dict):
        lines = [f"{margin}    {description(key)} = {_inner(value[key], margin)};\n" for key in sorted(value)]
        return f"{{\n{''.join(lines)}{margin}}}"
    if isinstance(value, list | tuple):
        items = ",\n".join(f"{margin}    {description(item, margin + '    ')}" for item in value)
        return f"(\n{items}\n{margin})" if items else f"(\n{margin})"
    if isinstance(value, bool | int):
        return str(int(value))
    if isinstance(value, bytes):
        return data_description(value)
    text = str(value)
    return text if re.fullmatch(r"[A-Za-z0-9_]+", text) else _quoted(text)


def data_description(value: bytes) -> str:
    """Write data as NSData's description does: the first bytes and the last where there are many."""
    if len(value) <= 24:
        return f"{{length = {len(value)}, bytes = 0x{value.hex()}}}"
    first = " ".join(value[at : at + 4].hex() for at in range(0, 16, 4))
    return f"{{length = {len(value)}, bytes = 0x{first} ... {value[-8:-4].hex()} {value[-4:].hex()} }}"


def _inner(value: Any, margin: str) -> str:
    inside = description(value, margin + "    ")
    return f"    {inside}" if isinstance(value, dict | list | tuple) else inside


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(letter if letter.isascii() else f"\\U{ord(letter):04x}" for letter in escaped) + '"'
