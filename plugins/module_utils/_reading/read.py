# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a whole Mac with a few commands.

Eight processes and a few that were asked for, however many accounts there are. Nothing is authenticated and nothing is
written.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import os
import traceback
import typing as t
from dataclasses import replace

from ansible_collections.keyholder.macos.plugins.module_utils._account import PENDING
from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    accounts,
    app_sso,
    directory_copy,
    diskutil,
    dscl,
    fdesetup,
    hardware,
    mdmclient,
    network,
    preboot,
    profiles,
    records,
    softwareupdate,
    sshd_settings,
    start_up,
    startosinstall,
    system,
)
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Missing, Network, Person
from ansible_collections.keyholder.macos.plugins.module_utils._macos import (
    ADD_USER_ACCESS,
    BOOTSTRAP_TOKEN,
    ERASE_PREFLIGHT,
    PLATFORM_SSO,
    SSH_UNLOCKS,
    TOKEN_DIALOG,
    Version,
)
from ansible_collections.keyholder.macos.plugins.module_utils._place import way
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.parse import (
    Answers,
    ReadingError,
    mac_from,
    unusable,
    version_of,
)
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE
from ansible_collections.keyholder.macos.plugins.module_utils._sso import NONE_HERE
from ansible_collections.keyholder.macos.plugins.module_utils._start_up import Link, StartUp

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Runner

READING = (
    dscl.READ_ALL,
    diskutil.LIST_USERS,
    fdesetup.LIST,
    fdesetup.STATUS,
    profiles.ENROLLMENT,
    profiles.BOOTSTRAP_STATUS,
    system.SYSCTL,
    preboot.READ_USERS,
)
"""What every reading asks for, in one go: it can be asked before any answer is known. The Bootstrap Token's status is
asked for even if the version or the enrolment will rule it out."""

NOTHING_ELSE = Ask()

_START_UP = (start_up.HOST_KEYS, start_up.SWITCH, start_up.ROUTE)

LIST_SECONDS = 300.0
"""Seconds that softwareupdate may look for updates, if other commands may take less: it asks over the network."""


def commands_of(ask: Ask = NOTHING_ELSE) -> tuple[Command, ...]:
    """Return what a reading asks in its first go; few Macs need more."""
    more = {fdesetup.ESCROW: ask.escrow, fdesetup.USING_KEY: ask.key_used, app_sso.STATE: ask.platform_sso}
    return READING + tuple(command for command, is_wanted in more.items() if is_wanted)


def ahead(ask: Ask) -> list[Command]:
    """Return what a reading will probably ask after its first go, and can be asked before any answer is known."""
    if ask.updates_below:
        return []
    wanted = {
        fdesetup.ESCROW: ask.escrow_if_off,
        profiles.INSTALLED: ask.escrow_profile or ask.escrow_if_off,
        fdesetup.SUPPORTS_AUTHRESTART: ask.authrestart,
        network.READ_TOKEN_DIALOG: ask.token_dialog,
        system.FULL_DISK_ACCESS: ask.full_disk_access,
        accounts.LOGGED_IN: ask.sessions,
        hardware.POWER: ask.power,
        hardware.HARDWARE: ask.activation_lock,
    }
    commands = [command for command, is_wanted in wanted.items() if is_wanted]
    if ask.sshd is not None:
        commands.append(sshd_settings.read(ask.sshd))
    commands += _START_UP if ask.restart else ()
    commands += [system.stat(path) for path in ask.exists if path.startswith("/")]
    if ask.directory_user is not None:
        commands += [network.NODES, network.read_person(ask.directory_user)]
    return commands


def read_mac(runner: Runner, deadline: float, ask: Ask = NOTHING_ELSE) -> Mac:
    """Return one reading. ``deadline``: seconds for each command. Raises :class:`ReadingError` where too little can be
    read or understood, and whatever keeps the runner from asking at all."""
    whole = _Whole(runner)
    try:
        return _read_mac(whole, deadline, ask)
    except ReadingError:
        raise
    except Exception as problem:
        if any(problem is one for one in whole.failed):
            raise
        where = traceback.extract_tb(problem.__traceback__)[-1]
        said = f"the Mac's answer could not be understood ({os.path.basename(where.filename)}, line {where.lineno})"
        raise ReadingError(said, "reading_damaged") from problem


def read_notes(runner: Runner, deadline: float) -> frozenset[str]:
    """Return what root's record says of unfinished work, and nothing else of the Mac. Raises :class:`ReadingError`."""
    whole = _Whole(runner)
    answer, directory = _directory(whole, deadline, whole.run(dscl.READ_ALL, deadline))
    users = directory.users
    if users is None:
        raise ReadingError(f"the notes on the Mac could not be read: {answer.evidence}", "reading_incomplete")
    return frozenset(note for user in users for note in user.pending)


class _Whole:
    """Give answers that are whole or nothing: see :attr:`Ran.whole`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

        self.failed: list[BaseException] = []
        """What kept the runner from asking at all; that is no fault of an answer."""

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        """Return one whole answer."""
        return self.run_all((command,), deadline)[0]

    def run_all(self, commands: t.Sequence[Command], deadline: float = DEADLINE) -> list[Ran]:
        """Return whole answers; what the runner raises is kept."""
        try:
            return [ran.whole for ran in self._runner.run_all(commands, deadline)]
        except BaseException as problem:
            self.failed.append(problem)
            raise


def _read_mac(runner: Runner, deadline: float, ask: Ask) -> Mac:
    first = commands_of(ask)
    said = dict(zip(first, runner.run_all(first, deadline)))
    mac = mac_from(_answers(runner, deadline, said))
    if ask.updates_below and mac.version >= Version.parse(ask.updates_below):
        return mac
    if (ask.preflight or _rests_on_bootstrap(mac, ask)) and _may_preflight(mac):
        mac = _with_preflight(mac, mdmclient.parse_preflight(runner.run(mdmclient.DEVICE_INFORMATION, deadline)))
    if ask.escrow:
        mac = _with_escrow(mac, said[fdesetup.ESCROW])
    if ask.key_used:
        used = fdesetup.says_true(said[fdesetup.USING_KEY])
        mac = replace(mac, filevault=replace(mac.filevault, key_used=used))
    if ask.platform_sso:
        known = mac.version >= PLATFORM_SSO.first
        mac = replace(mac, sso=app_sso.parse_state(said[app_sso.STATE]) if known else NONE_HERE)
    mac = _with_more_of_filevault(runner, deadline, ask, mac)
    if ask.restart:
        mac = replace(mac, start_up=_start_up(runner, deadline, mac))
    if ask.directory_user is not None:
        mac = replace(mac, network=_network(runner, deadline, ask.directory_user))
    if ask.token_dialog and mac.version >= TOKEN_DIALOG.first:
        suppressed = network.parse_token_dialog(runner.run(network.READ_TOKEN_DIALOG, deadline))
        mac = replace(mac, management=replace(mac.management, token_dialog_suppressed=suppressed))
    if ask.full_disk_access or _makes(mac, ask.access_to_make):
        answer = runner.run(system.FULL_DISK_ACCESS, deadline)
        allowed = system.parse_full_disk_access(answer)
        mac = replace(mac, full_disk_access=allowed, full_disk_evidence=answer.evidence)
    mac = _with_hardware(runner, deadline, ask, mac)
    if ask.directory_copy is not None and mac.account(ask.directory_copy) is not None:
        answer = runner.run(directory_copy.read(ask.directory_copy), deadline)
        copy = directory_copy.parse(answer)
        lacks = "what a record has of a directory"
        mac = _lacking(mac, lacks, answer) if copy is None else replace(mac, directory_copy=copy)
    if ask.sshd is not None:
        answer = runner.run(sshd_settings.read(ask.sshd), deadline)
        refuses = sshd_settings.parse(answer, ask.sshd)
        mac = _lacking(mac, "sshd's settings", answer) if refuses is None else replace(mac, sshd_refuses=refuses)
    if ask.sessions:
        mac = replace(mac, sessions=accounts.parse_who(runner.run(accounts.LOGGED_IN, deadline)))
    if ask.installer:
        mac = _with_installer(mac, runner.run(startosinstall.read_version(ask.installer), deadline))
    elif ask.updates or ask.updates_below:
        mac = _with_offers(mac, runner.run(softwareupdate.LIST, max(deadline, LIST_SECONDS)))
    return _with_places(runner, deadline, ask, mac)


def _lacking(mac: Mac, what: str, answer: Ran) -> Mac:
    """Return the Mac with what could not be read named among what is missing."""
    return replace(mac, missing=(*mac.missing, Missing(what, answer.evidence)))


def _with_offers(mac: Mac, answer: Ran) -> Mac:
    offers = softwareupdate.parse_list(answer)
    return _lacking(mac, "which macOS is offered", answer) if offers is None else replace(mac, offers=offers)


def _with_installer(mac: Mac, answer: Ran) -> Mac:
    version = startosinstall.parse_version(answer)
    return _lacking(mac, "which macOS an installer has", answer) if version is None else replace(mac, installer=version)


def _answers(runner: Runner, deadline: float, said: t.Mapping[Command, Ran]) -> Answers:
    """Return the answers of :data:`READING`, where older systems are asked again in their own way."""
    facts = _system(runner, deadline, said[system.SYSCTL])
    enrolled = profiles.parse_enrollment(said[profiles.ENROLLMENT])
    has_bootstrap = version_of(facts) >= BOOTSTRAP_TOKEN.first and (enrolled is None or enrolled.enrolled)
    answer, directory = _directory(runner, deadline, said[dscl.READ_ALL])
    return Answers(
        system=facts,
        directory=answer,
        crypto=said[diskutil.LIST_USERS],
        filevault_list=said[fdesetup.LIST],
        filevault_status=said[fdesetup.STATUS],
        enrollment=said[profiles.ENROLLMENT],
        bootstrap=said[profiles.BOOTSTRAP_STATUS] if has_bootstrap else None,
        parsed=directory,
        preboot=said[preboot.READ_USERS],
    )


def _system(runner: Runner, deadline: float, answer: Ran) -> system.System:
    facts = system.parse_sysctl(answer)
    if facts.version:
        return facts
    answer = runner.run(system.SW_VERS, deadline)
    facts = system.with_sw_vers(facts, answer)
    if not facts.version:
        hangs = answer.timed_out or answer.too_long
        raise unusable("the version of macOS could not be read" if hangs else "this does not look like a Mac", answer)
    return facts


def _directory(runner: Runner, deadline: float, answer: Ran) -> tuple[Ran, records.Directory]:
    """Return what dscl said, and the records in it: of all that a reading parses, these take the longest."""
    directory = records.parse_directory(answer.out)
    if directory.users is not None or answer.rc is None:
        return answer, directory
    singly = [runner.run(command, deadline) for command in dscl.READ_EACH]
    whole = type(answer)(
        answer.command,
        next((ran.rc for ran in singly if ran.rc), singly[0].rc),
        "".join(ran.out for ran in singly),
        "".join(ran.err for ran in singly),
        timed_out=any(ran.timed_out for ran in singly),
        too_long=any(ran.too_long for ran in singly),
    )
    return whole, records.parse_directory(whole.out)


def _may_preflight(mac: Mac) -> bool:
    return mac.version >= ERASE_PREFLIGHT.first and bool(mac.management.enrolled)


def _rests_on_bootstrap(mac: Mac, ask: Ask) -> bool:
    """Return whether somebody counts on a token that the Bootstrap Token grants: the verdict, or the request's account.
    Then macOS is asked, as profiles was seen to call a token escrowed that macOS would not use."""
    if recoverability(mac).verdict == PENDING:
        return True
    if ask.waiting is None or not mac.grants_at_login:
        return False
    account = mac.account(ask.waiting)
    return account is None or mac.verdict_of(account) == PENDING


def _with_preflight(mac: Mac, preflight: bool | None) -> Mac:
    """Return the Mac with mdmclient's word, which outweighs profiles: that was seen to say the opposite
    (bootstrap-buddy issue 11)."""
    bootstrap = "valid" if preflight else mac.management.bootstrap
    management = replace(mac.management, preflight=preflight, preflight_asked=True, bootstrap=bootstrap)
    return replace(mac, management=management)


def _with_escrow(mac: Mac, answer: Ran) -> Mac:
    found = system.parse_stat(answer)
    if found is None:
        return _lacking(mac, "when a recovery key was last escrowed", answer)
    escrowed_at = 0 if found == system.NO_FILE else found
    return replace(mac, filevault=replace(mac.filevault, escrowed_at=escrowed_at))


def _with_more_of_filevault(runner: Runner, deadline: float, ask: Ask, mac: Mac) -> Mac:
    about_to_make = ask.escrow_if_off and not mac.filevault.on
    if about_to_make and not ask.escrow:
        mac = _with_escrow(mac, runner.run(fdesetup.ESCROW, deadline))
    if ask.escrow_profile or about_to_make:
        # Not in an audit: what profiles carry has no business outside the Mac.
        profile = profiles.parse_escrow(runner.run(profiles.INSTALLED, deadline))
        mac = replace(mac, filevault=replace(mac.filevault, escrow_profile=profile))
    if ask.deferral and mac.filevault.deferred_user:
        path = fdesetup.parse_deferral_path(runner.run(fdesetup.DEFERRAL, deadline))
        mac = replace(mac, filevault=replace(mac.filevault, deferral_path=path))
    if ask.authrestart:
        supported = fdesetup.says_true(runner.run(fdesetup.SUPPORTS_AUTHRESTART, deadline))
        mac = replace(mac, filevault=replace(mac.filevault, authrestart=supported))
    return mac


def _makes(mac: Mac, name: str | None) -> bool:
    """Return whether an account is to be made that is not there, by a macOS that asks for Full Disk Access then."""
    return name is not None and mac.account(name) is None and mac.version >= ADD_USER_ACCESS.first


def _with_hardware(runner: Runner, deadline: float, ask: Ask, mac: Mac) -> Mac:
    if ask.power:
        mac = replace(mac, power=hardware.parse_power(runner.run(hardware.POWER, deadline)))
    if ask.activation_lock:
        locked = hardware.parse_activation_lock(runner.run(hardware.HARDWARE, deadline))
        mac = replace(mac, activation_lock=locked)
    if ask.recovery_lock and mac.apple_silicon is not None:
        mac = replace(mac, recovery_lock=_recovery_lock(runner, deadline, bool(mac.apple_silicon)))
    return mac


def _recovery_lock(runner: Runner, deadline: float, apple_silicon: bool) -> bool | None:
    if apple_silicon:
        return mdmclient.parse_recovery_lock(runner.run(mdmclient.SECURITY_INFORMATION, deadline))
    return hardware.parse_firmware_password(runner.run(hardware.FIRMWARE_PASSWORD, deadline))


def _with_places(runner: Runner, deadline: float, ask: Ask, mac: Mac) -> Mac:
    looked_for = [path for path in (*ask.exists, _home(mac, ask.home)) if path is not None and path.startswith("/")]
    wanted = [path for path in (ask.way, _home(mac, ask.way_home)) if path is not None]
    usable = [path for path in wanted if path.startswith("/") and path.isprintable()]
    on_the_way = list(dict.fromkeys(path for one in usable for path in way(one)))
    commands = [*map(system.stat, looked_for), *([system.stat_each(on_the_way)] if on_the_way else [])]
    answers = runner.run_all(commands, deadline) if commands else []
    mac = replace(mac, files=frozenset(path for path, one in zip(looked_for, answers) if _is_there(path, one)))
    if not on_the_way:
        return mac
    answer = answers[-1]
    places = system.parse_places(answer, on_the_way)
    unread = [Missing(f"what {place.path} is", answer.evidence) for place in places if place.kind == "unread"]
    return replace(mac, places=places, missing=(*mac.missing, *unread[:1]))


def _home(mac: Mac, name: str | None) -> str | None:
    account = None if name is None else mac.account(name)
    return account.home if account is not None and account.home.startswith("/") else None


def _is_there(path: str, answer: Ran) -> bool:
    found = system.parse_stat(answer)
    if found is None:
        raise ReadingError(f"it could not be read whether {path} exists: {answer.evidence}", "reading_incomplete")
    return found != system.NO_FILE


def _start_up(runner: Runner, deadline: float, mac: Mac) -> StartUp:
    """Return what is read where a Mac may wait at an unlock screen that takes SSH."""
    if mac.version < SSH_UNLOCKS.first or not mac.filevault.asks:
        return StartUp()
    keys, switch, route = runner.run_all(_START_UP, deadline)
    interface, link = start_up.parse_route(route), Link()
    if interface:
        summary, supplicants = runner.run_all((start_up.summary_of(interface), start_up.SUPPLICANTS), deadline)
        link = start_up.parse_link(interface, summary, supplicants)
    return StartUp(start_up.parse_switch(switch), start_up.parse_host_keys(keys), link)


def _network(runner: Runner, deadline: float, name: str) -> Network:
    nodes = network.parse_nodes(runner.run(network.NODES, deadline))
    found = network.parse_person(runner.run(network.read_person(name), deadline))
    elsewhere = found is not None and not found.node.startswith("/Local")
    return Network(
        nodes=tuple(nodes or ()),
        online=None if nodes is None else any(nodes.values()),
        person=Person(found.name, found.full_name, found.uid) if found is not None and elsewhere else None,
    )
