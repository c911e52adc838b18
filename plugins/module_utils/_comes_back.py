# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge whether a Mac would come back after a restart without a person before it, and say by which facts. Pure.

trust_info, the audit and filevault_reboot use these functions. What could not be read is never a yes. There are three
ways back: there is no unlock screen; macOS restarts past it (``fdesetup authrestart``), which has to be told before;
and a login over SSH at the screen, from macOS 26 on, which is all that is left after a power cut.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._macos import SSH_UNLOCKS, SSH_UNLOCKS_BY_WIFI
from ansible_collections.keyholder.macos.plugins.module_utils._sso import PlatformSSO
from ansible_collections.keyholder.macos.plugins.module_utils._start_up import (
    ETHERNET,
    MISSING,
    OTHER,
    SAME,
    WIFI,
    StartUp,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._account import Account
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac

YES, NO, UNKNOWN = "yes", "no", "unknown"
NO_SCREEN, AUTHRESTART, BY_SSH = "no_unlock_screen", "authrestart", "ssh_unlock"

SCREEN = "filevault"
"""The fact of the unlock screen."""
OPEN, PERSONAL = frozenset(("NONE",)), frozenset(("WPA_PSK", "WPA2_PSK"))
"""What ipconfig calls the security of the networks that a Mac joins before it is unlocked: open ones, and WPA2 with a
key (Apple's guide). WPA_PSK: assumed, as older base stations offer both."""


@dataclass(frozen=True)
class Fact:
    """Hold one fact. ``says``: yes, it lets the Mac come back; no; or unknown. ``why``: in words."""

    fact: str
    says: str
    why: str

    def view(self) -> dict[str, str]:
        """Return it as a result shows it."""
        return {"fact": self.fact, "says": self.says, "why": self.why}


@dataclass(frozen=True)
class Comeback:
    """Hold the answer: yes, no or unknown; by which way, "" for none; and the facts that it rests on."""

    verdict: str
    way: str
    because: tuple[Fact, ...]

    @property
    def against(self) -> tuple[Fact, ...]:
        """Return what speaks against it, the certain first. That there is an unlock screen does not, by itself."""
        facts = [fact for fact in self.because if (fact.fact, fact.says) != (SCREEN, NO)]
        return tuple(fact for says in (NO, UNKNOWN) for fact in facts if fact.says == says)

    @property
    def words(self) -> str:
        """Return what speaks against it in one line."""
        return "; ".join(fact.why for fact in self.against)


def after_restart(mac: Mac, user: str = "") -> Comeback:
    """Return whether the Mac comes back from a restart that it is told of before. ``user``: who authorises it, "" for
    any holder."""
    screen = _screen(mac)
    if screen.says == YES:
        return Comeback(YES, NO_SCREEN, (screen,))
    told = (screen, _authrestart(mac), _authoriser(mac, user))
    past = _worst(told[1:])
    if past == YES:
        return Comeback(YES, AUTHRESTART, told)
    by_ssh = after_power_cut(mac, user)
    if by_ssh.verdict == YES:
        return by_ssh
    verdict = NO if screen.says == past == by_ssh.verdict == NO else UNKNOWN
    # Without the fact of the screen, which both have.
    return Comeback(verdict, "", (*told, *by_ssh.because[1:]))


def after_power_cut(mac: Mac, user: str = "") -> Comeback:
    """Return whether the Mac can be unlocked over SSH after it has started by itself, or has no unlock screen."""
    screen = _screen(mac)
    if screen.says == YES:
        return Comeback(YES, NO_SCREEN, (screen,))
    facts = ssh_facts(mac, user)
    said = _worst(facts)
    # A Mac that may have no unlock screen may come back, whatever the rest says.
    verdict = said if screen.says == NO else UNKNOWN
    return Comeback(YES if said == YES else verdict, BY_SSH if said == YES else "", (screen, *facts))


def ssh_facts(mac: Mac, user: str = "") -> tuple[Fact, ...]:
    """Return the facts that a login at the unlock screen takes. Of a macOS that knows none there is only that one."""
    name = "macos"
    if mac.version < SSH_UNLOCKS.first:
        why = f"macOS {mac.version} takes no login over SSH at its unlock screen, which begins with {SSH_UNLOCKS.first}"
        return (Fact(name, NO, why),)
    start = mac.start_up or StartUp()
    known = Fact(name, YES, f"macOS {mac.version} takes a login over SSH at its unlock screen")
    return (known, _switch(start), _host_keys(start), _unlocker(mac, user), _network(mac, start), _policy(mac, user))


def _worst(facts: t.Iterable[Fact]) -> str:
    said = {fact.says for fact in facts}
    return NO if NO in said else UNKNOWN if UNKNOWN in said else YES


def _screen(mac: Mac) -> Fact:
    """Return whether the Mac starts without an unlock screen."""
    name, state = SCREEN, mac.filevault.state
    if not mac.filevault.asks:
        return Fact(name, YES, "FileVault is off, so there is no unlock screen")
    if state == "unknown":
        return Fact(name, UNKNOWN, "the status of FileVault could not be read")
    return Fact(name, NO, f"FileVault is {state.replace('_', ' ')}, so the Mac may wait at its unlock screen")


def _authrestart(mac: Mac) -> Fact:
    name, supported = "authrestart", mac.filevault.authrestart
    if supported is None:
        return Fact(name, UNKNOWN, "macOS did not say whether it can restart past the unlock screen")
    words = "can" if supported else "cannot"
    return Fact(name, YES if supported else NO, f"macOS says that it {words} restart past the unlock screen")


def _authoriser(mac: Mac, user: str) -> Fact:
    """Return whether somebody can authorise a restart past the screen: a holder, or whoever has the recovery key."""
    name = "authoriser"
    if not user and mac.filevault.personal_key:
        return Fact(name, YES, "the recovery key authorises it")
    people = [who for who in mac.holders if user in ("", who.name)]
    able = [who.name for who in people if mac.opens(who)]
    if able:
        return Fact(name, YES, f"{', '.join(able)} can authorise it")
    doubt = any(_may_open(mac, who) for who in people) or (not user and mac.filevault.personal_key is None)
    why = f"it is not known whether {user or 'a holder'} can authorise it" if doubt else "nobody can authorise it"
    return Fact(name, UNKNOWN if doubt else NO, why)


def _switch(start: StartUp) -> Fact:
    name = "preboot_ssh"
    if start.enabled is None:
        return Fact(name, UNKNOWN, "it could not be read whether the preboot volume has SSH switched on")
    return Fact(name, YES if start.enabled else NO, f"SSH at the unlock screen is {'on' if start.enabled else 'off'}")


def _host_keys(start: StartUp) -> Fact:
    name = "host_keys"
    said = {
        SAME: (YES, "the preboot volume has this Mac's host keys"),
        OTHER: (NO, "the host keys on the preboot volume are not this Mac's, so no client would know it there"),
        MISSING: (NO, "the preboot volume has no host keys"),
    }
    return Fact(
        name, *said.get(start.host_keys or "", (UNKNOWN, "the host keys on the preboot volume could not be read"))
    )


def _unlocker(mac: Mac, user: str) -> Fact:
    """Return whether somebody whom the preboot volume knows can unlock it."""
    name = "unlocker"
    sure = [who.name for who in _sure(mac, user)]
    if sure:
        return Fact(name, YES, f"{', '.join(sure)} can unlock it, and the preboot volume knows them")
    people = [who for who in mac.able_unlockers if user in ("", who.name)]
    if any(who.in_preboot is not False and _may_open(mac, who) for who in people) or _list_unread(mac, user):
        return Fact(name, UNKNOWN, f"it is not known whether {user or 'anybody'} can unlock it at its screen")
    nobody = f"{user} cannot unlock it at its screen" if user else "the preboot volume knows nobody who can unlock it"
    return Fact(name, NO, nobody)


def _sure(mac: Mac, user: str) -> tuple[Account, ...]:
    """Return who surely unlocks it at its screen. ``user``: who is asked about, "" for anybody."""
    people = (who for who in mac.able_unlockers if user in ("", who.name))
    return tuple(who for who in people if who.in_preboot and mac.opens(who))


def _may_open(mac: Mac, account: Account) -> bool:
    return account.able and mac.locked(account) is not True


def _list_unread(mac: Mac, user: str) -> bool:
    return any(who.sources.filevault is None for who in mac.accounts if user in ("", who.name))


def _network(mac: Mac, start: StartUp) -> Fact:
    name, link = "network", start.link
    if link.ieee8021x:
        return Fact(name, NO, f"{link.name} speaks 802.1X, which a Mac does not before it is unlocked")
    if link.kind == ETHERNET and link.ieee8021x is False:
        return Fact(name, YES, f"{link.name} is Ethernet without 802.1X")
    if link.kind == WIFI and link.security:
        return _wifi(mac, link.name, link.security)
    return Fact(name, UNKNOWN, "it could not be read which network the Mac would have before it is unlocked")


def _wifi(mac: Mac, interface: str, security: str) -> Fact:
    name, what = "network", f"{interface} is Wi-Fi ({security})"
    if "ENTERPRISE" in security.upper() or "8021X" in security.upper():
        return Fact(name, NO, f"{what}, which a Mac does not join before it is unlocked")
    if security not in OPEN | PERSONAL:
        return Fact(name, UNKNOWN, f"{what}, of which it is not known whether a Mac joins it before it is unlocked")
    if mac.version < SSH_UNLOCKS_BY_WIFI.first:
        why = f"{what}, over which an unlock is reported from macOS {SSH_UNLOCKS_BY_WIFI.first} on"
        return Fact(name, UNKNOWN, why)
    return Fact(name, YES, f"{what}, which a Mac joins before it is unlocked")


def _policy(mac: Mac, user: str) -> Fact:
    """Return whether Platform SSO lets a local password unlock. Apple says nowhere what its policy does to a login over
    SSH at the screen, so one that is there, and leaves nobody alone, is no yes."""
    fact, sso = "platform_sso", mac.sso or PlatformSSO()
    if sso.configured is False or sso.filevault == ():
        return Fact(fact, YES, "Platform SSO has no policy for the unlock screen")
    if sso.configured is None or sso.filevault is None:
        return Fact(fact, UNKNOWN, "it could not be read whether Platform SSO has a policy for the unlock screen")
    # Two accounts, one that unlocks and one that is exempt, would be no way in.
    exempt = [name for name in ([user] if user else [who.name for who in _sure(mac, "")]) if sso.exempts(name)]
    if exempt:
        return Fact(fact, YES, f"Platform SSO leaves {', '.join(exempt)} alone")
    nobody = f"{user} is not" if user else "nobody who surely unlocks it is"
    why = f"Platform SSO has the policy {', '.join(sso.filevault)} for the unlock screen, and {nobody} exempt"
    return Fact(fact, UNKNOWN, why)
