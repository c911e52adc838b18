# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let Ansible go on while the password of the account that it logs in with changes, and refuse where it could not.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import re
import secrets
import typing as t
from dataclasses import dataclass, field

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded
from ansible_collections.keyholder.macos.plugins.plugin_utils._held import supposed

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOOKUP = "keyholder.macos.managed_password"
BECOME = ("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass", "ansible_doas_pass")
LOGIN = ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password")
"""The variables that may hold a password of the connection, by use."""

_REFUSED = re.compile(r"Incorrect \S+ password")
"""What Ansible says when become's program asks again. The command has not been run then."""
_NOT_IN = re.compile(r"Invalid/incorrect .*password|Permission denied \(")
"""What it says when sshd lets nobody in by this password: sshpass's words, and ssh's own."""
_ASKS = re.compile(r"\b(?:lookup|query|q)\s*\(\s*(?:['\"]([\w.]+))?")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass
class Ways:
    """The passwords by which a task logs in and becomes root, and those to try if one of them is refused.

    Each password is tried once, because wrong ones lock an account. ``given``: what the task began with, by use.
    ``came_in``: the accounts that Ansible came in by, as the Mac says, once it was asked.
    """

    connection: t.Any
    context: t.Any
    given: Mapping[str, str] = field(init=False)
    came_in: frozenset[str] = frozenset()
    _others: list[str] = field(default_factory=list)
    _tried: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.given = {"become": self.become_password, "the login": self.login_password}

    @property
    def user(self) -> str:
        """Return the account that Ansible logs in with, "" if that is not known."""
        return str(_option(self.connection, "remote_user") or self.context.remote_user or "")

    def is_own(self, name: str) -> bool:
        """Return whether the account is that one. macOS tells no capitals from small letters in names."""
        return folded(name) in {folded(one) for one in (self.user, *self.came_in) if one}

    def may_be_own(self, name: str) -> bool:
        """Return whether it may be: the user may be known to SSH's own configuration alone."""
        return not self.user or self.is_own(name)

    @property
    def become_password(self) -> str:
        """Return the password that become's program would get, "" for none or another account's."""
        become = self.connection.become
        if become is None or getattr(become, "name", "") == "su":
            return ""
        return str(_option(become, "become_pass") or self.context.become_pass or "")

    @property
    def login_password(self) -> str:
        return str(_option(self.connection, "password") or self.context.password or "")

    def also(self, *passwords: str) -> None:
        """Try these as well, in this order, if the one in use is refused."""
        self._others += [one for one in passwords if one and one not in self._others]

    def instead(self, problem: AnsibleError) -> bool:
        """Take the next password for what was refused. Return whether there is one: then the command may run again."""
        if _REFUSED.search(str(problem)):
            following = self._next(self.become_password)
            if following and self.connection.become is not None:
                self.connection.become.set_option("become_pass", following)
                self.context.become_pass = following
        elif isinstance(problem, AnsibleConnectionFailure) and _NOT_IN.search(str(problem)):
            following = self._next(self.login_password)
            if following:
                self.connection.set_option("password", following)
                self.context.password = following
        else:
            return False
        return bool(following)

    def _next(self, refused: str) -> str:
        if not refused:
            return ""
        self._tried.add(refused)
        return next((one for one in self._others if one not in self._tried), "")


def _option(plugin: t.Any, name: str) -> t.Any:
    """Return a plugin's option, None if the plugin has none of that name."""
    try:
        return plugin.get_option(name)
    except (AttributeError, KeyError, AnsibleError):
        return None


def demand_following(
    ways: Ways, name: str, place: str, variables: Mapping[str, t.Any], template: Callable[[t.Any], t.Any]
) -> None:
    """Raise :class:`Refusal` if this is the account that Ansible logs in with, and a password of the connection would
    stay the old one. ``place``: the entry of the store that the new one gets into.

    Whether a password follows the store is tried: the variable is resolved as if the store held another password. One
    that is resolved by another lookup may follow it too, which nothing here can tell.
    """
    if not ways.is_own(name):
        return
    for (use, password), names in zip(ways.given.items(), (BECOME, LOGIN)):
        source = next((one for one in names if one in variables and str(template(variables[one])) == password), None)
        if password and not (source and _follows(variables, source, place, template)):
            raise Refusal("own_account", _fixed(name, use, source, names[0]))


def _follows(variables: Mapping[str, t.Any], source: str, place: str, template: Callable[[t.Any], t.Any]) -> bool:
    probe = secrets.token_hex(16)
    with supposed(place, probe):
        if str(template(variables[source])) == probe:
            return True
    asked = _lookups(variables[source], variables, set())
    return bool(asked - {LOOKUP})


def _lookups(value: t.Any, variables: Mapping[str, t.Any], seen: set[str]) -> set[str]:
    """Return the lookups that a template asks, also through other variables; "" for one whose name is no literal."""
    if not isinstance(value, (str, dict, list)):
        # The variables of other hosts, for one: too much to look through.
        return {""}
    text = str(value)
    if "{{" not in text and "{%" not in text:
        return set()
    found = {match.group(1) or "" for match in _ASKS.finditer(text)}
    for word in set(_WORD.findall(text)) & set(variables) - seen:
        seen.add(word)
        found |= _lookups(variables[word], variables, seen)
    return found


def _fixed(name: str, use: str, source: str | None, variable: str) -> str:
    return (
        f"{name} is the account that Ansible logs in with, and its password for {use} ({source or 'of no variable'})"
        " is not read from the store that gets the new one, so the next task would be refused. Set"
        f" {source or variable} to \"{{{{ lookup('{LOOKUP}', '{name}', store=..., default=...) }}}}\" with the store of"
        " this task, and as default the password that the account has now. If no password is needed there, give none"
    )
