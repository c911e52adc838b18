# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotate a password between the store on the controller and the Mac; what happens when is in plugin_utils/_rotation."""

from __future__ import annotations

import contextlib
import datetime
import functools
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.validation import check_type_dict

from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import usable_name
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.modules import account
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import failure, not_run, ran
from ansible_collections.keyholder.macos.plugins.plugin_utils._changing import ChangingAction
from ansible_collections.keyholder.macos.plugins.plugin_utils._held import forget
from ansible_collections.keyholder.macos.plugins.plugin_utils._new_password import PolicyError, new_password
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import check
from ansible_collections.keyholder.macos.plugins.plugin_utils._own_password import Ways, demand_following
from ansible_collections.keyholder.macos.plugins.plugin_utils._password_store import AgeStore
from ansible_collections.keyholder.macos.plugins.plugin_utils._rotation import Rotated, Wanted, rotate
from ansible_collections.keyholder.macos.plugins.plugin_utils._store_options import (
    OPTION,
    lookup_by,
    place_of,
    store_of,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._stored import Store, Stored, StoreError

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac

_ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "store": OPTION,
    "rotate": {"type": "bool", "default": False},
    "max_age_days": {"type": "int", "default": 0},
    "current_password": {"type": "str", "no_log": True},
    "key_password": {"type": "str", "no_log": True},
    "length": {"type": "int", "default": 24},
    "account": {"type": "dict"},
    "repair_stale_key": {"type": "bool", "default": False},
    "allow_own_account": {"type": "bool", "default": False},
    "verify_key": {"type": "str", "choices": ["on_change", "always", "never"], "default": "on_change"},
    "timeout": {"type": "int", "default": 120},
    "lock_timeout": {"type": "int"},
}

_DECIDED = ("name", "password", "old_password", "timeout")
"""Options of the module account that this one decides itself; and it takes no account away."""


class ActionModule(ChangingAction):
    """Do the work of the module of the same name, which is documentation only."""

    _supports_async = False
    SPEC = _ARGUMENTS

    def check(self) -> None:
        """Raise :class:`Refusal`, before the store is touched, for the options of an account to be made too."""
        super().check()
        given = self._task.args
        usable_name("name", str(given["name"]))
        options = {option: entry for option, entry in account.SPEC.items() if option not in _DECIDED}
        check({**options, "state": {"choices": ["present"]}}, check_type_dict(given.get("account") or {}), "account.")

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        validate: t.Callable[..., tuple[t.Any, dict[str, t.Any]]] = self.validate_argument_spec
        dummy, arguments = validate(argument_spec=_ARGUMENTS)
        mac = _OnTheMac(self, arguments, task_vars)
        written = _Written(
            self.ways if arguments["allow_own_account"] and self.ways.may_be_own(arguments["name"]) else None
        )
        try:
            store = self._store(arguments, task_vars)
            may_write = self._may_write(arguments, store, task_vars)
            mac.may_write = may_write
            wanted = Wanted(
                now=datetime.datetime.now(datetime.timezone.utc),
                rotate=arguments["rotate"],
                max_age_days=arguments["max_age_days"],
                current=arguments["current_password"] or "",
                repair=arguments["repair_stale_key"],
                check_mode=bool(self._task.check_mode),
                key=arguments["key_password"] or "",
            )
            # Vault itself refuses to write over another run; what a command writes to cannot be locked here.
            alone: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
            if isinstance(store, AgeStore) and not wanted.check_mode:
                alone = store.alone(arguments["timeout"])
            with alone:
                rotated = rotate(written.on(store, may_write), mac, wanted)
            if wanted.check_mode and rotated.changed:
                may_write()
        except StoreError as exc:
            return failure(Refusal("store_failed", str(exc)), exc.changed)
        except NotRun as gone:
            why = Refusal(gone.reason, f"{gone.msg}; {written.words(mac.unsure)}", gone.evidence)
            told = failure(why, mac.changed or mac.unsure)
            return {**told, "failed": False, "unreachable": True} if gone.unreachable else told
        except Refusal as refusal:
            return failure(refusal)
        return _result_of(rotated)

    def execute(
        self, module: str, arguments: dict[str, t.Any], task_vars: dict[str, t.Any], check: bool
    ) -> dict[str, t.Any]:
        """Run a module on the Mac, and return its result. A task in check mode changes nothing, whatever ``check``
        says. Raises :class:`NotRun`."""
        asked = self._task.check_mode
        self._task.check_mode = asked or check
        try:
            answer = self._execute_module(
                module_name=f"keyholder.macos.{module}", module_args=arguments, task_vars=task_vars
            )
        except AnsibleError as exc:
            raise NotRun({"msg": str(exc)}, isinstance(exc, AnsibleConnectionFailure)) from exc
        finally:
            self._task.check_mode = asked
        answer.pop("invocation", None)
        if not ran(answer) or (answer.get("failed") and "reason" not in answer):
            raise NotRun(answer, bool(answer.get("unreachable")))
        return answer

    def looked(self, deadline: float) -> Mac:
        """Return a reading of the Mac. Raises :class:`Refusal`."""
        try:
            return self.read(deadline)
        except AnsibleError as exc:
            raise NotRun({"msg": str(exc)}, isinstance(exc, AnsibleConnectionFailure)) from exc

    @property
    def only_looks(self) -> bool:
        return bool(self._task.check_mode)

    def _may_write(
        self, arguments: dict[str, t.Any], store: Store, task_vars: dict[str, t.Any]
    ) -> t.Callable[[], None]:
        """Return what raises :class:`Refusal` if Ansible could not go on after the rotation. It is found out once."""
        place = place_of(arguments["store"], store)

        @functools.cache
        def ask() -> None:
            demand_following(self.ways, arguments["name"], place, task_vars, self._templar.template)

        return ask

    def _store(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> Store:
        host, lookup = (
            str(task_vars.get("inventory_hostname", "host")),
            lookup_by(self._loader, self._templar, task_vars),
        )
        return store_of(arguments["store"], host, arguments["name"], task_vars, lookup)


class NotRun(Refusal):
    """Say that Ansible could not run a module to its end: what it did to the Mac is not known."""

    def __init__(self, answer: dict[str, t.Any], unreachable: bool) -> None:
        why = not_run(answer)
        super().__init__(why.reason, why.msg, why.evidence)
        self.unreachable = unreachable


class _Written:
    """Keep what this run has written to its store last. ``ways``: the connection's passwords, if they are this one."""

    def __init__(self, ways: Ways | None) -> None:
        self._last: Stored | None = None
        self._ways = ways

    def on(self, store: Store, may_write: t.Callable[[], None]) -> Store:
        """Return the store, of which this notices what is written. ``may_write``: asked before."""
        self._store = store
        self._may_write = may_write
        return self

    def read(self) -> Stored:
        stored = self._store.read()
        self._notice(stored)
        return stored

    def write(self, stored: Stored) -> None:
        self._may_write()
        self._last = stored
        self._notice(stored)
        self._store.write(stored)
        forget()

    def _notice(self, stored: Stored) -> None:
        if self._ways is not None:
            self._ways.also(stored.pending, stored.current)

    def words(self, unsure: bool) -> str:
        """Return what became of the passwords, for a person. ``unsure``: the Mac may have got the pending one."""
        if self._last is None:
            return "the store was left as it is"
        if not self._last.pending:
            return "the store holds the password that was set before"
        has = "may have it" if unsure else "has not got it"
        return f"the store holds a password that is pending, and the Mac {has}: the next run goes on from there"


class _OnTheMac:
    """Change the account by this collection's own modules. ``changed``: one of them said so. ``unsure``: one that was
    to change something has not answered. ``may_write``: asked before one changes something."""

    changed = False
    unsure = False

    def __init__(self, action: ActionModule, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> None:
        self._action = action
        self._arguments = arguments
        self._task_vars = task_vars
        self._name = arguments["name"]
        self._limit = {"timeout": arguments["timeout"]}
        self._patience = {"lock_timeout": arguments["lock_timeout"]}
        self.may_write: t.Callable[[], None] = lambda: None

    def set(self, new: str, old: str, check: bool) -> dict[str, t.Any]:
        # One that is there already is tried against the key too: a cut may have come before the key followed.
        verify = "never" if self._arguments["verify_key"] == "never" else "always"
        options = {"password": new, "verify_key": verify, **({"old_password": old} if old else {})}
        return self._change("account_password", {"name": self._name, **options}, check)

    def look(self, password: str) -> dict[str, t.Any]:
        options = {"password": password, "old_password": password, "verify_key": self._arguments["verify_key"]}
        return self._change("account_password", {"name": self._name, **options}, True)

    def create(self, password: str, check: bool) -> dict[str, t.Any] | None:
        account = self._arguments["account"]
        if account is None:
            return None
        return self._change("account", {**account, "name": self._name, "password": password}, check)

    def repair(self, password: str, key_password: str, check: bool) -> dict[str, t.Any]:
        options = {"user": self._name, "password": password, "old_password": key_password, "apply": True}
        return self._change("repair", options, check)

    def generate(self) -> str:
        patterns = self._action.looked(self._arguments["timeout"]).policy.patterns
        try:
            return new_password(patterns, self._arguments["length"])
        except PolicyError as exc:
            raise Refusal("password_policy", str(exc)) from exc

    def _change(self, module: str, options: dict[str, t.Any], check: bool) -> dict[str, t.Any]:
        """Run a module that changes the Mac. Each holds the Mac's lock by itself: another run may come in between two,
        and each one reads what that has done."""
        real = not check and not self._action.only_looks
        if real:
            self.may_write()
        self.unsure = self.unsure or real
        own = {"allow_own_account": self._arguments["allow_own_account"]}
        given = {**options, **self._patience, **self._limit, **own}
        answer = self._action.execute(module, given, self._task_vars, check)
        self.unsure = False
        self.changed = self.changed or (real and bool(answer.get("changed")))
        return answer


def _result_of(rotated: Rotated) -> dict[str, t.Any]:
    """Return the module's own result, and beside it what became of the password."""
    told = {**rotated.result, "changed": rotated.changed, "rotated": rotated.rotated, "healed": rotated.healed}
    if told.get("reason") == "password_drifted":
        refusal = Refusal("password_drifted", f"no password in the store is the password of {_account_of(told)}")
        told.update(failure(refusal, rotated.changed))
    elif told.get("reason") == "option_missing" and told.get("state", {}).get("before", {}).get("exists"):
        # The module on the Mac asks for its old_password, which nobody can give here.
        missing = f"{_account_of(told)} holds a token, and neither the store nor current_password has its password"
        told.update(failure(Refusal("option_missing", missing), rotated.changed))
    elif not told.get("failed"):
        for key in ("failed", "reason", "remedy", "evidence", "msg"):
            told.pop(key, None)
    return told


def _account_of(result: dict[str, t.Any]) -> str:
    return str(result.get("state", {}).get("before", {}).get("name", "this account"))
