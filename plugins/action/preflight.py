# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at everything that a run on a Mac needs, and write nothing; or report what was found on all of them."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
import typing as t
from collections.abc import Mapping

from ansible import context
from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader

from ansible_collections.keyholder.macos.plugins.module_utils._command import system
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret
from ansible_collections.keyholder.macos.plugins.module_utils._text import plain_data
from ansible_collections.keyholder.macos.plugins.plugin_utils import _asked, _perl
from ansible_collections.keyholder.macos.plugins.plugin_utils import _preflight as pre
from ansible_collections.keyholder.macos.plugins.plugin_utils import _preflight_controller as here
from ansible_collections.keyholder.macos.plugins.plugin_utils import _preflight_look as look
from ansible_collections.keyholder.macos.plugins.plugin_utils import _preflight_mac as there
from ansible_collections.keyholder.macos.plugins.plugin_utils import _preflight_way as way
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import Action, failure
from ansible_collections.keyholder.macos.plugins.plugin_utils._audit.formats.base import WholeFile
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import FROM_STDIN, Said
from ansible_collections.keyholder.macos.plugins.plugin_utils._login import uses_password
from ansible_collections.keyholder.macos.plugins.plugin_utils._own_password import Ways
from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight_report import (
    FAIL_ON,
    Report,
    fleet_verdicts,
    verdicts_of,
)
from ansible_collections.keyholder.macos.plugins.plugin_utils._store_options import lookup_by
from ansible_collections.keyholder.macos.plugins.plugin_utils._unread import clause

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command
    from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import Exec

SPEC: dict[str, dict[str, t.Any]] = {
    "report": {"type": "bool", "default": False},
    "variable": {"type": "str", "default": "keyholder_checked"},
    "dest": {"type": "path"},
    "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": "stops"},
    "timeout": {"type": "int", "default": 120},
}


class ActionModule(Action):
    """Do the work of the module of the same name, which is documentation only."""

    _supports_async = False
    SPEC = SPEC

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what was found on this Mac, or the report."""
        _valid, given = t.cast("t.Any", self).validate_argument_spec(SPEC)
        if not given["report"]:
            return {"changed": False, "verdicts": self._looked(given["timeout"], task_vars)}
        try:
            return self._report(given, task_vars)
        except Refusal as refusal:
            return failure(refusal)

    def _looked(self, deadline: int, variables: Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
        """Return what was found on this Mac: whatever goes wrong here costs its own row, and no other Mac's."""
        try:
            return self._look(deadline, variables)
        except Exception as problem:  # pylint: disable=broad-except
            # Its text may hold anything.
            words = f"the preflight could not look: {type(problem).__name__}"
            remedy = "Report it, with the output of -vvv: this is a fault of the collection."
            return [one.view() for one in pre.whole([pre.unknown("login", words, remedy)])]

    # --- one Mac ---

    def _look(self, deadline: int, variables: Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
        values, found = self._values(variables)
        host = str(variables.get("inventory_hostname", ""))
        lookup = lookup_by(self._loader, self._templar, variables)
        store, stored = here.store_verdict(values, host, variables, lookup)
        found += [store, here.key_store_verdict(values, variables), here.recipients_verdict(values)]
        found += here.unnamed(values)
        people = here.people_of(values, stored)
        found += self._visit(people, values, deadline)
        secrets = [*(secret for dummy, secret in people), *Ways(self._connection, self._play_context).given.values()]
        return [_masked(one, secrets) for one in pre.whole(found)]

    def _values(self, variables: Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[pre.Verdict]]:
        """Return the values of the variables that are looked at, and a verdict for each that has none."""
        values: dict[str, t.Any] = {}
        found = []
        for name in (*here.LOOKED_AT, "keyholder_runner", "ansible_python_interpreter"):
            if name in variables:
                try:
                    values[name] = _decrypted(self._templar.template(variables[name]))
                except Exception as problem:  # pylint: disable=broad-except
                    words = f"{name} cannot be resolved: {clause(str(problem))}"
                    remedy = "Set what the message names, or correct the template."
                    found.append(pre.stop("variables", words, remedy))
        return values, found or [pre.ok("variables")]

    def _visit(
        self, people: t.Sequence[tuple[there.Wanted, str]], values: Mapping[str, t.Any], deadline: int
    ) -> list[pre.Verdict]:
        route = look.route_of(self._connection)
        become = self._connection.become
        method = str(getattr(become, "name", "") or "become")
        how = f"the become method {method}" if self._connection.has_pipelining else f"a {self._connection.transport}"
        found = [way.pipelining_verdict(self._pipelining, self.pipes, how), way.socket_verdict(route, sys.platform)]
        key, unresolved = look.key_of(route), look.unresolved(route)
        named = str(values.get("ansible_python_interpreter") or "")
        named = "" if named.startswith("auto") else named
        compared = {
            person: _perl.compare(person.name, Secret(secret)) for person, secret in people if secret and self.pipes
        }
        asked = [*look.questions(named), *compared.values()]
        met = way.Met(
            by_password=uses_password(self._connection),
            given=bool(Ways(self._connection, self._play_context).become_password),
            method=method,
        )
        seen = look.Seen()
        if not unresolved:
            visit = look.Visit(self._connection, self.send, self._plainly, deadline)
            met, seen = visit.meet(look.options_for(route, key), met, asked)
        found += way.way_verdicts(route, unresolved, key, met)
        if unresolved or met.refused:
            return found
        return [*found, *_of_mac(seen, named, values), *_of_people(seen, people, compared)]

    @property
    def _pipelining(self) -> bool:
        with contextlib.suppress(KeyError, AnsibleError):
            return bool(self._connection.get_option("pipelining"))
        return False

    def _plainly(self, asked: Exec) -> Said:
        """Run a script as the account that Ansible logs in with."""
        execute = t.cast("t.Callable[..., dict[str, t.Any]]", self._low_level_execute_command)
        given = f"/bin/sh -c {shlex.quote(FROM_STDIN)}"
        ran = execute(given, in_data=asked.piped, sudoable=False, encoding_errors="surrogateescape")
        return Said(ran["rc"], *(ran[stream].encode("utf-8", "surrogateescape") for stream in ("stdout", "stderr")))

    # --- all of them ---

    def _report(self, given: Mapping[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        hosts = [str(host) for host in variables.get("ansible_play_hosts_all") or ()]
        hostvars = variables["hostvars"]
        found = {}
        for host in hosts:
            known = hostvars.raw_get(host) if host in hostvars else {}
            found[host] = verdicts_of(host, known.get(given["variable"]), _undecryptable(known))
        fleet = fleet_verdicts(
            hosts,
            variables.get("groups", {}).get("macs"),
            "keyholder_hosts" in variables,
            self._misspelt(hosts, variables),
            int(context.CLIARGS.get("forks") or 0),
        )
        report = Report(found, fleet)
        if given["dest"]:
            _write(given["dest"], report.view())
        view = t.cast("dict[str, t.Any]", plain_data(report.view()))
        kept = {name: view[name] for name in ("fleet", "causes", "stopped", "troubled")}
        return {"changed": False, **kept, "lines": report.lines(), "problem": report.problem(given["fail_on"])}

    def _misspelt(self, hosts: list[str], variables: dict[str, t.Any]) -> str:
        """Return what is wrong with the names of variables."""
        plugin = lookup_loader.get("keyholder.macos.unknown_variables", loader=self._loader, templar=self._templar)
        try:
            return str(plugin.run(hosts, variables=variables)[0])
        except Exception as problem:  # pylint: disable=broad-except
            return f"they cannot be looked at: {clause(str(problem))}"


def _of_mac(seen: look.Seen, named: str, values: Mapping[str, t.Any]) -> list[pre.Verdict]:
    """Return the verdicts on a Mac that was reached."""
    macos = there.macos_verdict(seen.mac, seen.said(system.UNAME), seen.problem, seen.reason)
    clock = there.clock_verdict(seen.began, seen.ended, seen.said(system.CLOCK))
    if seen.mac is None:
        return [macos, clock] if seen.answers else [macos]
    python = there.python_verdict(
        named, seen.said(_asked.python_at(named)), seen.said(_asked.STUB), values.get("keyholder_runner") == "python"
    )
    return [macos, python, there.access_verdict(seen.mac), clock]


def _of_people(
    seen: look.Seen,
    people: t.Sequence[tuple[there.Wanted, str]],
    compared: Mapping[there.Wanted, Command],
) -> list[pre.Verdict]:
    """Return the verdicts on the accounts that variables name."""
    if seen.mac is None:
        return []
    found = []
    for person, _secret in people:
        command = compared.get(person)
        ran = seen.answers.get(command) if command is not None else None
        found.append(there.person_verdict(seen.mac, person, None if ran is None else _perl.compared(ran)))
    return found


def _masked(verdict: pre.Verdict, secrets: t.Iterable[str]) -> dict[str, t.Any]:
    """Return a verdict in whose words no password stands, whatever a program has said."""
    view = verdict.view()
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for part in ("words", "remedy"):
            view[part] = Secret(secret).hidden_in(view[part])
    return view


_ENCRYPTED = ("AnsibleVaultEncryptedUnicode", "EncryptedString")
"""What ansible-core calls a value with the tag !vault, up to 2.18 and from 2.19 on."""


def _undecryptable(variables: Mapping[str, t.Any]) -> list[str]:
    """Return the variables with a value that no given password of the vault opens."""
    return sorted(name for name, value in variables.items() if not _opens(value))


def _decrypted(value: t.Any) -> t.Any:
    """Return a value with what the vault has encrypted in it as text, which ansible-core 2.16 leaves to its reader."""
    if type(value).__name__ in _ENCRYPTED:
        return str(value)
    if isinstance(value, Mapping):
        return {name: _decrypted(one) for name, one in value.items()}
    return list(map(_decrypted, value)) if isinstance(value, (list, tuple)) else value


def _opens(value: t.Any) -> bool:
    if type(value).__name__ in _ENCRYPTED:
        try:
            str(value)
        except Exception:  # pylint: disable=broad-except
            return False
        return True
    if isinstance(value, Mapping):
        return all(map(_opens, value.values()))
    return all(map(_opens, value)) if isinstance(value, (list, tuple)) else True


def _write(path: str, content: Mapping[str, t.Any]) -> None:
    """Raises :class:`Refusal`."""
    try:
        file = WholeFile(path)
    except OSError as problem:
        raise Refusal("report_unwritable", f"no report was made: {problem}") from problem
    try:
        file.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        file.done()
    except OSError as problem:
        raise Refusal("report_unwritable", f"no report was made: {problem}") from problem
    finally:
        file.drop()
