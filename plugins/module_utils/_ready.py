# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge whether a Mac may be erased or upgraded: one list of checks for each, and the one verdict. Pure.

"Could not verify" is not "no", and it is no "yes" either: what could not be read is never ready. Erase means what an
MDM server does (Erase All Content and Settings); upgrade means an update that a volume owner authorises.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils import _key_holder
from ansible_collections.keyholder.macos.plugins.module_utils._account import UNKNOWN
from ansible_collections.keyholder.macos.plugins.module_utils._key_holder import StoredKey, facts_of, key_holder
from ansible_collections.keyholder.macos.plugins.module_utils._mac import ESCROWED, T2_MODELS
from ansible_collections.keyholder.macos.plugins.module_utils._macos import ERASE_PREFLIGHT, ERASES_CONTENT
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import YES, recoverability
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import note_in_words

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac

READY, NOT_READY, COULD_NOT_VERIFY, ACCEPTED = "ready", "not_ready", "could_not_verify", "accepted"
"""The verdicts. accepted: of one check only, which the caller has taken upon himself."""

ERASE, UPGRADE = "erase", "upgrade"

BATTERY = 50
"""Percent that a battery must have where there is no mains. That this is enough is assumed."""


@dataclass(frozen=True)
class Checked:
    """Hold what one check says. ``why``: in words; ``remedy``: what to do about it, "" where it is ready."""

    check: str
    verdict: str
    why: str
    remedy: str = ""

    @property
    def view(self) -> dict[str, str]:
        """Return it as a result shows it."""
        return {"check": self.check, "verdict": self.verdict, "why": self.why, "remedy": self.remedy}


@dataclass(frozen=True)
class Wish:
    """Hold what the caller says. ``owner``: who is to authorise the upgrade, "" for any administrator. ``stored``: what
    the store of recovery keys holds, None if it was not asked. ``battery``: percent. ``accepted``: checks that the
    caller has settled in another way."""

    owner: str = ""
    stored: StoredKey | None = None
    battery: int = BATTERY
    accepted: tuple[str, ...] = ()


NOTHING_SAID = Wish()


@dataclass(frozen=True)
class Readiness:
    """Hold the answer: a finding for each check, in the order of the checks."""

    what: str
    findings: tuple[Checked, ...]

    @property
    def verdict(self) -> str:
        """Return the worst of the findings: a certain no before what is not known."""
        said = {finding.verdict for finding in self.findings}
        return NOT_READY if NOT_READY in said else COULD_NOT_VERIFY if COULD_NOT_VERIFY in said else READY

    @property
    def open(self) -> tuple[Checked, ...]:
        """Return what speaks against it, the certain first."""
        against = (NOT_READY, COULD_NOT_VERIFY)
        return tuple(one for verdict in against for one in self.findings if one.verdict == verdict)

    @property
    def words(self) -> str:
        """Return the verdict with its reasons, in one line."""
        named = [f"{one.check}: {one.why}" for one in self.open]
        return f"{self.verdict.replace('_', ' ')} for {self.what}" + (f" ({'; '.join(named)})" if named else "")


def asked_by(what: str) -> Ask:
    """Return what a reading must hold beside the usual."""
    return Ask(escrow=True, preflight=True, power=True, activation_lock=what == ERASE)


def ready_for(mac: Mac, what: str, wish: Wish = NOTHING_SAID) -> Readiness:
    """Return whether a Mac is ready. ``mac``: a reading that holds :func:`asked_by`."""
    findings = (check(mac, wish) for check in CHECKS[what])
    return Readiness(what, tuple(_accepted(one, wish) for one in findings))


def _accepted(finding: Checked, wish: Wish) -> Checked:
    taken = finding.check in wish.accepted and finding.verdict != READY
    return replace(finding, verdict=ACCEPTED, remedy="") if taken else finding


def refusal_of(readiness: Readiness) -> Refusal:
    """Return why a Mac must not be erased or upgraded, as a refusal."""
    evidence = tuple(f"{one.check}: {one.why}. {one.remedy}" for one in readiness.open)
    certain = readiness.verdict == NOT_READY
    return Refusal("not_ready" if certain else "could_not_verify", f"this Mac: {readiness.words}", evidence)


# -- the checks --------------------------------------------------------------------------------------------------------


def _content_can_be_erased(mac: Mac, _wish: Wish) -> Checked:
    """Elsewhere the server's command destroys macOS as well, and somebody must install it by hand."""
    name = "erase_supported"
    if mac.version < ERASES_CONTENT.first:
        why = f"macOS {mac.version} cannot erase its content alone: the erase takes macOS away as well"
        return Checked(name, NOT_READY, why, "Upgrade macOS first.")
    if mac.apple_silicon or mac.model in T2_MODELS:
        return Checked(name, READY, "this hardware erases its content and keeps macOS")
    if mac.apple_silicon is None:
        return Checked(name, COULD_NOT_VERIFY, "which hardware this is could not be read", READ_AGAIN)
    why = "only Apple silicon and Macs with a T2 chip erase their content and keep macOS"
    return Checked(name, NOT_READY, why, "Erase it by hand, where somebody can install macOS again.")


def _token_for_erase(mac: Mac, _wish: Wish) -> Checked:
    if mac.management.enrolled is False:
        why = "the Mac is not enrolled, so there is no Bootstrap Token that authorises the erase"
        return Checked(TOKEN, NOT_READY, why, "Enrol the Mac, and escrow the token.")
    return _token(mac)


def _token_for_upgrade(mac: Mac, _wish: Wish) -> Checked:
    if mac.management.enrolled is False:
        return Checked(TOKEN, READY, "the Mac is not enrolled: the owner's password alone authorises")
    if mac.management.bootstrap == "unsupported":
        return Checked(TOKEN, READY, "there is no Bootstrap Token here: the owner's password alone authorises")
    return _token(mac)


TOKEN = "bootstrap_token"
ESCROW_IT = "Escrow it: ansible-playbook keyholder.macos.escrow_bootstrap_token."
READ_AGAIN = "Look at what could not be read (keyholder.macos.trust_info names it), and run this again."


def _token(mac: Mac) -> Checked:
    """Return whether macOS itself says that it would use the token. That one is escrowed proves nothing."""
    management = mac.management
    if management.enrolled is None or management.bootstrap == "unknown":
        return Checked(TOKEN, COULD_NOT_VERIFY, "the status of the Bootstrap Token could not be read", READ_AGAIN)
    if management.bootstrap not in ESCROWED:
        why = f"the Bootstrap Token is {management.bootstrap.replace('_', ' ')}"
        return Checked(TOKEN, NOT_READY, why, ESCROW_IT)
    if management.preflight is False:
        why = "a Bootstrap Token is escrowed, and macOS says that it would not use it"
        return Checked(TOKEN, NOT_READY, why, ESCROW_IT)
    if management.preflight:
        return Checked(TOKEN, READY, "macOS says that it would use the escrowed Bootstrap Token")
    if mac.version < ERASE_PREFLIGHT.first:
        why = f"a Bootstrap Token is escrowed, and macOS {mac.version} does not say whether it would use it"
        return Checked(TOKEN, COULD_NOT_VERIFY, why, "Validate it: keyholder.macos.bootstrap_token, state valid.")
    why = "a Bootstrap Token is escrowed, and macOS did not say whether it would use it"
    return Checked(TOKEN, COULD_NOT_VERIFY, why, "Run this again. If it stays so, escrow the token again.")


def _comes_back(mac: Mac, _wish: Wish) -> Checked:
    """The recovery plan of an erased Mac: Automated Device Enrollment, which needs nobody who knows it."""
    name, management = "enrolment", mac.management
    if management.automated:
        return Checked(name, READY, "Automated Device Enrollment takes the Mac back after the erase")
    if management.enrolled is None or management.automated is None:
        return Checked(name, COULD_NOT_VERIFY, "how the Mac is enrolled could not be read", READ_AGAIN)
    why = "the Mac is not enrolled by Automated Device Enrollment, so somebody must set it up at its screen"
    return Checked(name, NOT_READY, why, "Assign it to your server in Apple Business, or have somebody at hand.")


def _activation(mac: Mac, _wish: Wish) -> Checked:
    name = "activation_lock"
    if mac.activation_lock is None:
        why = "macOS did not say whether Activation Lock is on"
        return Checked(name, COULD_NOT_VERIFY, why, "Look into your MDM server, which knows it.")
    if not mac.activation_lock:
        return Checked(name, READY, "Activation Lock is off")
    why = "Activation Lock is on, so the erased Mac asks for a person's Apple Account"
    return Checked(name, NOT_READY, why, "Have the person sign out, or make sure that your server has the bypass code.")


def _owner(mac: Mac, wish: Wish) -> Checked:
    name = "volume_owner"
    if not mac.groups_read or any(who.sources.crypto is None for who in mac.accounts) or mac.volume.apfs is None:
        return Checked(name, COULD_NOT_VERIFY, "who owns the volume could not be read", READ_AGAIN)
    if wish.owner:
        return _named_owner(mac, wish.owner)
    candidates = [who for who in mac.accounts if who.admin and who.uid != 0 and who.name not in mac.promoted]
    owners = [who for who in candidates if _owns(mac, who.name)]
    sure = [who.name for who in owners if mac.opens(who)]
    if sure:
        return Checked(name, READY, f"{', '.join(sure)} can authorise")
    unsure = [who.name for who in owners if who.able and mac.locked(who) is None]
    unsure += [who.name for who in candidates if _owns(mac, who.name) is None]
    if unsure:
        why = f"whether {', '.join(unsure)} can authorise is not known"
        return Checked(name, COULD_NOT_VERIFY, why, READ_AGAIN)
    return Checked(name, NOT_READY, "no administrator who can log in owns the volume", GRANT_OWNER)


GRANT_OWNER = "Grant an administrator a Secure Token, which makes it an owner: ansible-playbook keyholder.macos.grant."


def _named_owner(mac: Mac, user: str) -> Checked:
    name, account = "volume_owner", mac.account(user)
    if account is None:
        return Checked(name, NOT_READY, f"{user} has no account on this Mac", "Name an account that there is.")
    owns = _owns(mac, user)
    if owns is None:
        return Checked(name, COULD_NOT_VERIFY, f"whether {user} owns the volume could not be read", READ_AGAIN)
    if not owns:
        return Checked(name, NOT_READY, f"{user} does not own the volume", GRANT_OWNER)
    if not account.able or mac.locked(account):
        return Checked(name, NOT_READY, f"{user} is disabled or locked, or has no password", "Enable or unlock it.")
    if not mac.opens(account):
        return Checked(name, COULD_NOT_VERIFY, f"whether a rule has locked {user} is not known", READ_AGAIN)
    return Checked(name, READY, f"{user} can authorise")


def _owns(mac: Mac, user: str) -> bool | None:
    """Return whether an account may authorise. Only Apple silicon asks for an owner; others for an admin."""
    account = mac.account(user)
    if account is None:
        return False
    if mac.apple_silicon is False:
        return account.admin and user not in mac.promoted
    return account.volume_owner and account.holder if account.volume_owner is not None else None


def _key(mac: Mac, wish: Wish) -> Checked:
    """Return whether the way in that needs no account is there, should the upgrade leave the Mac at its unlock
    screen."""
    name = "recovery_key"
    if not mac.filevault.asks:
        return Checked(name, READY, "FileVault is off")
    said = key_holder(facts_of(mac), wish.stored)
    why = "; ".join(said.evidence)
    if said.holder == _key_holder.OUR_STORE:
        return Checked(name, READY, why)
    if said.holder == _key_holder.NO_KEY and mac.filevault.institutional_key and mac.apple_silicon is False:
        why = "the volume has an institutional key, and whether you have it cannot be seen"
        return Checked(name, COULD_NOT_VERIFY, why, "Look whether you have it, and accept the check recovery_key.")
    if said.holder in (_key_holder.MDM, _key_holder.UNKNOWN):
        asked = "" if wish.stored is not None else "Name the store of your keys. "
        return Checked(name, COULD_NOT_VERIFY, why, f"{asked}{LOOK_FOR_KEY}")
    return Checked(name, NOT_READY, why, MAKE_KEY)


LOOK_FOR_KEY = "Or look whether your MDM server shows the key, and accept the check recovery_key."
MAKE_KEY = "Make a new key and store it: ansible-playbook keyholder.macos.filevault -e filevault_rotate=true."


AUDIT_SAYS = "Put it right first: keyholder.macos.audit says by which playbook."


def _recoverable(mac: Mac, _wish: Wish) -> Checked:
    said = recoverability(mac)
    if said.verdict == YES:
        return Checked("recoverable", READY, said.why)
    verdict = COULD_NOT_VERIFY if said.verdict == UNKNOWN else NOT_READY
    return Checked("recoverable", verdict, said.why, AUDIT_SAYS)


def _power(mac: Mac, wish: Wish) -> Checked:
    name, power = "power", mac.power
    if power is None or power.source == "unknown":
        return Checked(name, COULD_NOT_VERIFY, "macOS did not say what it draws its power from", READ_AGAIN)
    if power.source == "ac":
        return Checked(name, READY, "the Mac draws its power from the mains")
    if power.source == "ups":
        return Checked(name, NOT_READY, "the Mac draws its power from a UPS", "Wait until the mains are back.")
    if power.percent is None:
        return Checked(name, COULD_NOT_VERIFY, "the Mac runs on its battery, and its charge was not said", READ_AGAIN)
    why = f"the Mac runs on its battery, which has {power.percent} %"
    if power.percent < wish.battery:
        return Checked(name, NOT_READY, f"{why}, and {wish.battery} % are asked for", "Connect it to the mains.")
    return Checked(name, READY, why)


def _finished(mac: Mac, _wish: Wish) -> Checked:
    """A note that an earlier run left speaks of rights to take back and of work half done."""
    name = "finished"
    if mac.pending:
        notes = ", ".join(note_in_words(note) for note in sorted(mac.pending))
        remedy = "Run the interrupted play again, or ansible-playbook keyholder.macos.repair."
        return Checked(name, NOT_READY, f"an earlier run was interrupted: {notes}", remedy)
    return Checked(name, READY, "no earlier run was interrupted")


CHECKS: t.Mapping[str, tuple[t.Callable[[Mac, Wish], Checked], ...]] = {
    ERASE: (_content_can_be_erased, _token_for_erase, _comes_back, _activation, _power, _finished),
    UPGRADE: (_owner, _token_for_upgrade, _key, _recoverable, _power, _finished),
}
"""What is looked at before an erase, and before an upgrade."""

NAMES = (
    "erase_supported",
    "bootstrap_token",
    "enrolment",
    "activation_lock",
    "volume_owner",
    "recovery_key",
    "recoverable",
    "power",
    "finished",
)
"""The checks that a caller may accept."""
