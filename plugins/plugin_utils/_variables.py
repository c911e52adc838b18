# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Know the variables of the collection's roles and playbooks, and find those that are misspelt.

The roles' own are what their argument specs say; everything else that is known stands here.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import difflib
import functools
import re
import typing as t
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import shortened
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal

ROLES = Path(__file__).parents[2] / "roles"

OWN = "keyholder_own_variables"
"""The variable that lists a user's own variables, by name or by a pattern such as ``grant_sudo_*``."""

LIMIT_REQUIRED = "keyholder_limit_required"
"""The variable that keeps a playbook that changes Macs from running without a limit."""

SERIAL, MAX_FAIL_PERCENTAGE = "keyholder_serial", "keyholder_max_fail_percentage"
"""The variables that Ansible needs before it chooses the hosts."""

HOSTS, PLAYBOOK = "keyholder_hosts", "__keyholder_playbook"
"""The variable that names the hosts of a playbook, and the one that a playbook of the collection sets for its play."""

ABSENT: t.Final = object()
"""What is given in place of a variable that there is not: null is a value."""

OF_PLAYBOOKS = frozenset(
    """
    grant_accept_pending
    grant_admin_password
    grant_admin_user
    grant_allow_temporary_promotion
    grant_first_token
    grant_password
    grant_user
    keyholder_about
    keyholder_columns
    keyholder_computer_name
    keyholder_details
    keyholder_fail_on
    keyholder_history
    keyholder_hosts
    keyholder_include
    keyholder_lock_timeout
    keyholder_log
    keyholder_max_fail_percentage
    keyholder_pack
    keyholder_partial
    keyholder_policy
    keyholder_policy_files
    keyholder_preflight_fail_on
    keyholder_preflight_file
    keyholder_publish
    keyholder_publish_key_file
    keyholder_publish_page
    keyholder_publish_password
    keyholder_publish_user
    keyholder_reader
    keyholder_ready_accept
    keyholder_ready_battery
    keyholder_ready_for
    keyholder_ready_user
    keyholder_recovery_key_store
    keyholder_report
    keyholder_report_formats
    keyholder_report_title
    keyholder_saved
    keyholder_serial
    keyholder_serial_number
    keyholder_since
    keyholder_summary
    keyholder_timeout
    keyholder_udid
    keyholder_wait
    macos_upgrade_accept
    macos_upgrade_battery
    macos_upgrade_install_timeout
    macos_upgrade_installer
    macos_upgrade_lock_timeout
    macos_upgrade_password
    macos_upgrade_reboot_timeout
    macos_upgrade_recovery_key_store
    macos_upgrade_timeout
    macos_upgrade_user
    macos_upgrade_version
    unlock_macos
    unlock_password
    unlock_reboot_timeout
    unlock_user
    unlock_wait
    """.split()
)
"""What the playbooks themselves take. The head of each says so, too."""

OF_AWX = frozenset(
    """
    keyholder_answers keyholder_failure keyholder_granter_password_json keyholder_granter_user_json
    keyholder_limit_required keyholder_orphans keyholder_recipient_json keyholder_reports keyholder_rotate
    keyholder_since_days keyholder_store_identity keyholder_stores keyholder_target_admin keyholder_target_full_name
    keyholder_target_name keyholder_target_password keyholder_target_password_json keyholder_target_version
    keyholder_publish_json keyholder_publish_page_json keyholder_publish_password_json keyholder_publish_user_json
    keyholder_awx_credentials keyholder_awx_execution_environment keyholder_awx_execution_environment_credential
    keyholder_awx_execution_environment_image keyholder_awx_project_credential
    keyholder_awx_expose keyholder_awx_forks keyholder_awx_inventory keyholder_awx_machine_credential
    keyholder_awx_managed_admin keyholder_awx_organization keyholder_awx_project_branch keyholder_awx_project_url
    keyholder_awx_report keyholder_awx_roles keyholder_awx_slices keyholder_awx_stores keyholder_awx_try_stores
    keyholder_awx_webhook
    """.split()
)
"""What the surveys, credentials and settings of playbooks/awx give."""

OF_TESTS = frozenset(
    """
    keyholder_granter keyholder_granter_password keyholder_may_break_these_macs keyholder_test_password
    keyholder_test_user
    """.split()
)
"""What an inventory of Macs to spare has for `make test-mac`."""

ANYWHERE = frozenset({OWN, "keyholder_runner", "keyholder_reading", "keyholder_audited"})
"""What modules look at in any play: how a change is carried out, and the reading that a play may have registered. What
an audit hands to the next job of a workflow stands beside that job's own variables."""

PACKED = "keyholder_packed_"
"""Begins the names under which an audit hands on one Mac's answer."""

GENERAL = frozenset({"python"})
"""Roles whose names other people's variables begin with, too. Only what is near to one of theirs is misspelt, and only
beside one of theirs: a role that is run has defaults."""

_MEANT, _NEAR, _TYPED = 0.75, 0.85, 0.92
"""How alike a name is to the one that may have been meant, to one of a role's whose names are anybody's, and to one in
which a letter or two were mistyped."""

_RESULT = frozenset({"changed", "failed", "skipped", "unreachable"})
_NAMED_MACS = 3


@functools.cache
def known() -> frozenset[str]:
    """Return every variable that a role, a playbook or a module of the collection takes."""
    return frozenset().union(OF_PLAYBOOKS, OF_AWX, OF_TESTS, ANYWHERE, *_of_roles().values())


@functools.cache
def prefixes() -> tuple[str, ...]:
    """Return what no variable but ours begins with."""
    of_playbooks = ("keyholder_", "grant_", "macos_upgrade_", "unlock_")
    return (*of_playbooks, *(f"{role}_" for role in sorted(_of_roles().keys() - GENERAL)))


def entries_of(name: str) -> Mapping[str, t.Any] | None:
    """Return the options of each entry of a role's list, None if it is no list of dictionaries."""
    for options in _of_roles().values():
        if name in options:
            entry = options[name]
            return t.cast("Mapping[str, t.Any]", entry["options"]) if entry.get("elements") == "dict" else None
    return None


@functools.cache
def _of_roles() -> Mapping[str, Mapping[str, Mapping[str, t.Any]]]:
    found = {}
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        specs = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        found[path.parts[-3]] = specs["argument_specs"]["main"]["options"]
    return found


def nearest(name: str, beside: Collection[str] = ()) -> str | None:
    """Return the variable that a name was meant to be, "" if it is ours and near to none, None if it is not misspelt.

    ``beside``: the other variables.
    """
    if name in known() or name.startswith(("_", "ansible_", PACKED)):
        return None
    plain = _plain(name)
    if plain.startswith(prefixes()):
        return _closest(plain, _MEANT)
    for role in GENERAL:
        if plain.startswith(f"{role}_") and not _of_roles()[role].keys().isdisjoint(beside):
            return next(iter(difflib.get_close_matches(plain, _of_roles()[role], 1, _NEAR)), None)
    close = _closest(plain, _TYPED)
    # Something that stands before it is no mistyped letter: vault_filevault_password.
    return close if close and not plain.endswith(f"_{close}") else None


@functools.cache
def _closest(name: str, cutoff: float) -> str:
    """Return the known variable that a name is nearest to, "" if none is that near. Kept, as a task asks twice for it:
    for its condition and for its message."""
    return next(iter(difflib.get_close_matches(name, _distinct(), 1, cutoff)), "")


@functools.cache
def _distinct() -> tuple[str, ...]:
    """Return the known variables, without those of roles whose names are anybody's."""
    return tuple(sorted(known().difference(*(_of_roles()[role] for role in GENERAL))))


def own_names(value: t.Any) -> list[str]:
    """Return what a user says of variables of his own: a list, or text with commas. Raises :class:`Refusal`."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise Refusal("value_unusable", f"{OWN} is {shortened(value)}, and must be a list of names")
    return [name.strip() for name in names]


def is_own(name: str, own: Iterable[str]) -> bool:
    """Return whether a user has said that a variable is his own."""
    return any(fnmatchcase(name, pattern) for pattern in own)


def is_result(value: t.Any) -> bool:
    """Return whether a value is what a task has returned: that is no variable that a user has misspelt."""
    return isinstance(value, Mapping) and not _RESULT.isdisjoint(value)


def check_names(found: Mapping[str, Sequence[str]]) -> None:
    """Raise one :class:`Refusal` for all misspelt variables.

    ``found``: each variable, with the Macs that alone have it; none: all of them do.
    """
    told = [
        f"{shortened(name)} ({_where(found[name])}{_meant(meant, name)})"
        for name in sorted(found)
        for meant in [nearest(name, found)]
        if meant is not None
    ]
    if told:
        raise Refusal("variable_unknown", f"unknown variable{'s' if len(told) > 1 else ''}: {', '.join(told)}")


def _where(macs: Sequence[str]) -> str:
    more = f" and {len(macs) - _NAMED_MACS} more" if len(macs) > _NAMED_MACS else ""
    return f"of {', '.join(sorted(macs)[:_NAMED_MACS])}{more}; " if macs else ""


def _meant(meant: str, name: str) -> str:
    if meant:
        return f"did you mean {meant}?"
    prefix = next(one for one in prefixes() if _plain(name).startswith(one))
    mine = sorted(one for one in known() - OF_AWX - OF_TESTS if one.startswith(prefix))
    return f"there are {', '.join(mine)}"


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def choose_hosts(
    given: t.Any,
    groups: Mapping[str, Sequence[str]],
    matching: t.Callable[[str], Collection[str]],
    split: t.Callable[[t.Any], Sequence[str]],
    confined: bool,
) -> list[str]:
    """Return the patterns of the hosts that a playbook works on. Raises :class:`Refusal` where that is not certain.

    ``given``: keyholder_hosts, :data:`ABSENT` if it was not given. ``matching``: the hosts of a pattern. ``split``: the
    parts of it. ``confined``: whether the playbook only reads, or was told by --limit where to work.
    """
    if given is ABSENT:
        if groups.get("macs"):
            return ["macs"]
        if not confined and len(groups.get("all", ())) > 1:
            msg = "keyholder_hosts was not given, and the inventory has no group macs with hosts"
            raise Refusal(
                "option_missing", f"{msg}: say which are meant, with -e keyholder_hosts=NAMES or with --limit"
            )
        return ["all"]
    parts = _parts(given)
    if not parts or not all(isinstance(part, str) and part.strip() for part in parts):
        raise Refusal("value_unusable", f"keyholder_hosts is {_said(given)}, and must name hosts or groups")
    single = [part for one in parts for part in split(one)]
    names = sorted({*groups, *(host for hosts in groups.values() for host in hosts)})
    for part in single:
        wanted = part.lstrip("!&")
        if wanted not in groups and not matching(wanted):
            near = difflib.get_close_matches(wanted, names, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            msg = f"keyholder_hosts names {shortened(wanted)}{hint}, which the inventory does not have"
            raise Refusal("value_unusable", msg)
    if not matching(",".join(single)):
        raise Refusal("value_unusable", f"keyholder_hosts is {_said(given)}, which leaves no host")
    return parts


def check_limit(required: t.Any, limit: t.Any) -> None:
    """Raise :class:`Refusal` where a limit is required and there is none. Only what says no does not require one."""
    if limit or str(required).strip().lower() in ("false", "no", "0", "none", ""):
        return
    msg = f"{LIMIT_REQUIRED} is set, and no limit was given: say which Macs are meant"
    raise Refusal(
        "option_missing", f"{msg}, with the job's limit in AWX or with --limit. All of them are the limit all"
    )


def check_batches(serial: t.Any, max_fail_percentage: t.Any) -> None:
    """Raise :class:`Refusal` for what Ansible would call a probable bug of its own, with a traceback."""
    for part in _parts(serial):
        if not _COUNT.fullmatch(str(part)):
            msg = f"{SERIAL} is {_said(part)}, and must be a number of Macs, a percentage, or a list of them"
            raise Refusal("value_unusable", msg)
    if not _COUNT.fullmatch(str(max_fail_percentage)):
        msg = f"{MAX_FAIL_PERCENTAGE} is {_said(max_fail_percentage)}, and must be a percentage, such as 10"
        raise Refusal("value_unusable", msg)


_COUNT = re.compile(r"[0-9]+(?:\.[0-9]+)?%?")


def pattern_of(given: t.Any) -> str:
    """Return the one pattern that keyholder_hosts means."""
    return ",".join(map(str, _parts(given)))


def check_chosen(pattern: str, hosts: Iterable[str], wanted: Collection[str]) -> None:
    """Raise :class:`Refusal` if hosts of a play are none of those that keyholder_hosts of the inventory names."""
    others = [host for host in hosts if host not in wanted]
    if others:
        wish = f"keyholder_hosts={shortened(pattern)}"
        msg = f"the inventory sets {wish}, but is read after the hosts of the play are chosen"
        raise Refusal("value_unusable", f"{msg}, and {others[0]} is one of them: give it with -e {wish}")


def _parts(given: t.Any) -> list[t.Any]:
    return list(given) if isinstance(given, Sequence) and not isinstance(given, (str, bytes)) else [given]


def _said(value: t.Any) -> str:
    return shortened(value) if value and str(value).strip() else "empty"
