# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan: steps for one Mac, and the guard that no plan passes which could leave the Mac unrecoverable. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils._account import (
    NO_TOKEN,
    PENDING,
    UNKNOWN,
    Account,
    Sources,
)
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
from ansible_collections.keyholder.macos.plugins.module_utils._macos import SECURE_TOKENS
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._recoverable import (
    recoverability,
    recovery_keys,
    sure_ways_in,
    ways_in,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step, has_kind, of_kind
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import (
    PROVE_PREBOOT,
    Note,
    Prove,
    UpdatePreboot,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import CheckPassword, VerifyKey
from ansible_collections.keyholder.macos.plugins.module_utils._text import folded
from ansible_collections.keyholder.macos.plugins.module_utils._unfinished import PREBOOT


@dataclass(frozen=True)
class Plan:
    """What a run would do to ``before``. ``notes``: what a person should know beside the steps."""

    before: Mac
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def after(self) -> Mac:
        """Return the Mac as it will read: the prediction that check mode reports and the run is compared with."""
        return self.states()[-1]

    def states(self) -> list[Mac]:
        """Return the Mac before the first step and after each: every state that a cut could leave."""
        states = [self.before]
        for step in self.steps:
            states.append(step.after(states[-1]))
        return states

    @property
    def changes(self) -> bool:
        """Return whether the Mac will be another one."""
        return any(step.writes for step in self.steps)

    def words(self) -> list[str]:
        return [step.words for step in self.steps]


@dataclass(frozen=True)
class Proof:
    """Who may prove, before a step that leaves one holder, that this one's password opens its key. ``given``: names of
    the password options that have a value."""

    admin_user: str = ""
    given: frozenset[str] = frozenset()


def lawful_plan(before: Mac, steps: t.Sequence[Step], notes: t.Sequence[str] = (), proof: Proof | None = None) -> Plan:
    """Return a plan in its lawful order that has passed the guard. Raises :class:`Refusal`.

    Every password is checked first, and once. What may fail silently is proven before anything builds on it. Where
    tokens change, that is noted before and the preboot volume told after. ``proof``: who may prove that the last
    holder's key is not stale; None: the request takes nothing away.
    """
    given, said = _last_key(before, steps, proof) if proof is not None else ((), ())
    steps = (*given, *steps)
    checks = tuple(dict.fromkeys(of_kind(steps, CheckPassword)))
    for check in checks:
        may_authenticate(before, check)
    changes = _with_proofs([step for step in steps if step not in checks])
    plan = Plan(before, checks + _with_preboot(before, changes), (*notes, *said))
    lawful(plan)
    return plan


def lawful(plan: Plan) -> None:
    """Raise :class:`Refusal` where the guard finds a step that this Mac must not see (design rule 3)."""
    states = plan.states()
    for step, state, following in zip(plan.steps, states, states[1:]):
        _guard_own(step, state, following)
        guard(state, following)
        _guard_administrators(plan.before, following)
    _guard_recovery_key(plan, states)


def guard(before: Mac, after: Mac) -> None:
    """Raise :class:`Refusal` where ``after`` is a Mac that is worse to recover than ``before``.

    It is asked about each step, as what a plan itself has brought is worth keeping too: the run after one that was cut
    off there must not be refused the rest. One that cannot log in is worth keeping where there is no other: it can be
    enabled again.
    """
    for who in (_granters, _likely_granters, _admin_holders, _token_admins, _keyed_admins):
        had, left = who(before), who(after)
        if had and not left:
            names = ", ".join(account.name for account in had)
            raise Refusal(
                "last_admin_holder",
                f"no administrator with a Secure Token would remain without {names}",
                tuple(f"{account.name}: {account.sources.words()}" for account in had),
            )
    if any(shut and not was for was, shut in zip(_shut(before), _shut(after))):
        raise Refusal(
            "would_lock_out",
            f"{_filevault(before)}, and neither a holder who can log in nor a recovery key would remain",
            tuple(f"{account.name}: {account.sources.words()}" for account in before.holders)
            + tuple(
                f"crypto user {guid}: belongs to no account, but its password opens the volume"
                for guid in before.orphans
            ),
        )
    if before.filevault.asks and before.able_unlockers and not after.able_unlockers:
        names = ", ".join(account.name for account in before.able_unlockers)
        raise Refusal(
            "last_unlocker", f"{names} is the last account that can unlock FileVault, and macOS does not remove it"
        )
    _guard_verdict(before, after)


def _guard_verdict(before: Mac, after: Mac) -> None:
    """Raise :class:`Refusal` where the verdict would be a worse one, and something was lost for it.

    A gain is none, though it may bring a doubt: an administrator who gets a token, and whom a rule may have locked.
    What could not be read of FileVault's status and the Bootstrap Token is looked at both ways, as a Mac where all is
    well has that to lose.
    """
    if not facts(before) - facts(after):
        return
    for seen in (before, after), (hopeful(before), hopeful(after)):
        was, now = map(recoverability, seen)
        if now.worse_than(was):
            words = now.verdict.replace("_", " ")
            raise Refusal("would_worsen", f"this Mac would be {words}: {now.why}", (f"now {was.verdict}: {was.why}",))


def facts(mac: Mac) -> frozenset[tuple[str, str]]:
    """Return what a verdict can rest on, each fact for itself."""
    known = {
        "administrator": [who.name for who in mac.accounts if who.admin and who.name not in mac.promoted],
        "token, there or to come": [who.name for who in mac.accounts if who.holder or mac.verdict_of(who) == PENDING],
        "key": [who.name for who in mac.accounts if who.sources.crypto is not False],
        "listed": [who.name for who in mac.unlockers],
        "login": [who.name for who in mac.accounts if who.able and mac.locked(who) is not True],
        "other key": [*recovery_keys(mac), *mac.orphans, *(["Apple Account"] if mac.filevault.icloud_key else [])],
        "Bootstrap Token": ["it grants at login"] if mac.grants_at_login else [],
    }
    return frozenset((kind, what) for kind, those in known.items() for what in those)


def hopeful(mac: Mac) -> Mac:
    """Return the Mac as it is at its best: FileVault is off, and a Bootstrap Token works, where that was not read."""
    if mac.filevault.state == UNKNOWN:
        mac = replace(mac, filevault=replace(mac.filevault, state="off"))
    managed = mac.management
    unread = managed.bootstrap == UNKNOWN or (managed.preflight is None and managed.preflight_asked)
    hope = replace(managed, bootstrap="valid", preflight=True)
    return replace(mac, management=hope) if unread and managed.bootstrap_crypto_user else mac


def _guard_administrators(before: Mac, after: Mac) -> None:
    """Raise :class:`Refusal` where the Mac would lose its last administrator. Root does not count: it has no login."""
    had = [account for account in before.accounts if account.admin and account.uid != 0]
    if had and not any(account.admin and account.uid != 0 for account in after.accounts):
        names = ", ".join(account.name for account in had)
        raise Refusal("last_holder", f"no administrator would remain on this Mac without {names}")


def _guard_own(step: Step, before: Mac, after: Mac) -> None:
    """Raise :class:`Refusal` where a step takes something from the account that the run came in by."""
    for name in sorted(before.own):
        account = before.account(name)
        if account is None:
            continue
        loss = _loss(step, account, after.account(name))
        if loss:
            raise Refusal(
                "own_account", f"this run logged in with {name} or became root from it, and {name} would {loss}"
            )


def _loss(step: Step, was: Account, now: Account | None) -> str:
    """Return in words what the account would lose, "" for nothing."""
    if now is None:
        return "be deleted"
    if was.admin and not now.admin:
        return "no longer be an administrator"
    if step.sets_password_of == was.name:
        return "get another password"
    if now.kind != was.kind:
        return "leave its directory, and its login may then fail"
    if now.disabled and not was.disabled:
        return "be disabled"
    if step.shuts_out == was.name:
        return "be refused by sshd"
    if (was.holder and not now.holder) or (was.sources.filevault and not now.sources.filevault):
        return "lose its Secure Token, or its right to unlock FileVault"
    if (was.home, was.shell) != (now.home, now.shell):
        return "get another home folder or shell, and its login may then fail"
    return ""


def _guard_recovery_key(plan: Plan, states: t.Sequence[Mac]) -> None:
    """Raise :class:`Refusal` where the last recovery key goes before a holder's key has been proven to open."""
    proven = {step.user for step in of_kind(plan.steps, VerifyKey) if step.early and step.needed}
    for state, following in zip(states, states[1:]):
        gone = recovery_keys(state) and not recovery_keys(following)
        left = any(who.name in proven and following.opens(who) for who in following.holders)
        if gone and following.filevault.asks and not left:
            raise Refusal("last_recovery_key", f"{_filevault(state)}, and its last recovery key would go")


def _last_key(before: Mac, steps: t.Sequence[Step], proof: Proof) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """Return the steps that prove the key of the one holder, or granter, whom the steps would leave; and where nothing
    was given for that, a note. A key that did not follow its password is stale, and no reading shows it."""
    after = Plan(before, tuple(steps)).after
    last = None
    for who in (_sure_holders, _holders_who_open, _granters, _likely_granters):
        had, left = who(before), who(after)
        last = left[0] if len(left) == 1 and len(had) > 1 else last
    if last is None or not before.filevault.asks:
        return (), ()
    if proof.admin_user == last.name and "admin_password" in proof.given:
        check = CheckPassword(last.name, "admin_password", "granter")
        return (check, VerifyKey(last.name, last.guid, "admin_password", early=True)), ()
    return (), (
        f"{last.name} is then the last account that can unlock this Mac or grant tokens, and it was not checked that"
        f" its password opens its key: give admin_user {last.name} and admin_password to have that proven first",
    )


def writable(mac: Mac) -> None:
    """Refuse before any write where the reading does not carry a decision. Raises :class:`Refusal`."""
    if mac.version < SECURE_TOKENS.first:
        raise Refusal("macos_too_old", f"this Mac runs macOS {mac.version}")
    if not mac.as_root:
        raise Refusal("not_root", "the reading lacks what only root can read", mac.unread)
    if mac.volume.apfs is False:
        raise Refusal("not_apfs", "the boot volume of this Mac is not APFS")
    unread = [account for account in mac.accounts if None in (account.sources.crypto, account.sources.filevault)]
    if mac.volume.apfs is None or unread or not mac.groups_read:
        raise Refusal("reading_incomplete", "a source that this decision needs could not be read", mac.unread)


def absent_or_refuse(mac: Mac, name: str, who: Account | None) -> bool:
    """Return whether ``name`` is no account on this Mac. Raises :class:`Refusal` if it may be one in other letters:
    macOS does not tell them apart by case (assumed, because it refuses a name that differs only by that)."""
    if who is not None:
        return False
    other = next((account.name for account in mac.accounts if folded(account.name) == folded(name)), "")
    if other:
        msg = f"{name} is no account on this Mac, but {other} is, and macOS takes the two names for one: write {other}"
        raise Refusal("name_differs", msg)
    if folded(name) in mac.names:
        raise Refusal("name_differs", f"{name} is not a user's account on this Mac, but a record uses that name")
    number = name.lstrip("0") or "0"
    if name.isascii() and name.isdigit() and f"uid:{number}" in mac.taken:
        whose = next((account.name for account in mac.accounts if str(account.uid) == number), "")
        write = f": write {whose}" if whose else ""
        raise Refusal("name_differs", f"{name} is no account on this Mac, but the UID of one is {number}{write}")
    return True


def existing(mac: Mac, name: str) -> Account:
    """Return the account of that name. Raises :class:`Refusal` if there is none, or one in other letters."""
    account = mac.account(name)
    if account is None:
        absent_or_refuse(mac, name, account)
        raise Refusal("user_unknown", f"{name} has no account on this Mac")
    return account


def not_logged_in(mac: Mac, name: str, then: str) -> None:
    """Raise :class:`Refusal` for an account that is logged in, or may be. ``then``: what would become of that."""
    if mac.sessions is None:
        raise Refusal("reading_incomplete", f"it could not be read whether {name} is logged in", mac.unread)
    if name in mac.sessions:
        raise Refusal("user_logged_in", f"{name} is logged in, and {then}")


def candidates(mac: Mac) -> str:
    """Say who could authorise."""
    if mac.likely_granters:
        return f"granters on this Mac: {', '.join(account.name for account in mac.likely_granters)}"
    others = f", only {', '.join(account.name for account in mac.holders)}" if mac.holders else ""
    return f"no administrator who can log in on this Mac holds a token{others}"


def may_authenticate(mac: Mac, check: CheckPassword) -> None:
    """Raise :class:`Refusal` for an account that macOS refuses a right password for: each attempt may count."""
    account = mac.account(check.user)
    if account is None or (account.able and mac.locked(account) is not True):
        return
    why = "is disabled" if account.disabled else "has no password"
    if account.able:
        why = f"is locked after {account.failed_logins} failed logins"
    others = f"; {candidates(mac)}" if check.role == "granter" else ""
    seen = (f"{check.user}: {account.disabled_by}",) if account.disabled_by else ()
    raise Refusal(check.if_disabled, f"{check.user} {why}, so macOS would not accept its password{others}", seen)


def _with_proofs(steps: t.Sequence[Step]) -> tuple[Step, ...]:
    """sysadminctl fails and exits 0: nothing may build on what it says before a reading has proven it."""
    proven: list[Step] = []
    for index, step in enumerate(steps):
        proven.append(step)
        if step.sets_password_of and not has_kind(steps[index + 1 : index + 2], Prove):
            proven.append(Prove((step.sets_password_of,)))
    return tuple(proven)


def _with_preboot(before: Mac, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps, and the update of the preboot volume behind them if it is due: tokens change, an earlier run
    owes it, or a step is to prove it."""
    states = Plan(before, steps).states()
    moved = [index for index in range(len(steps)) if _tokens(states[index]) != _tokens(states[index + 1])]
    told: tuple[Step, ...] = (UpdatePreboot(),)
    if PROVE_PREBOOT in steps:
        steps = tuple(step for step in steps if step != PROVE_PREBOOT)
        told += (PROVE_PREBOOT,)
    if moved:
        return steps[: moved[0]] + (Note(PREBOOT),) + steps[moved[0] :] + told
    return steps + (told if PREBOOT in before.pending or PROVE_PREBOOT in told else ())


def _tokens(mac: Mac) -> frozenset[tuple[str, Sources]]:
    """What the preboot volume has to know: who is named by any source."""
    return frozenset((account.name, account.sources) for account in mac.accounts if account.verdict != NO_TOKEN)


def _shut(mac: Mac) -> tuple[bool, bool, bool]:
    """Return whether nothing opens the volume: if only what is sure counts; if all counts that may open it; and if
    accounts with a key that cannot log in count as well, as they can be enabled again."""
    asks, ways = mac.filevault.asks, ways_in(mac)
    keyed = any(account.sources.crypto is not False for account in mac.accounts)
    return asks and not sure_ways_in(mac), asks and not ways, asks and not ways and not keyed


def _filevault(mac: Mac) -> str:
    """Return FileVault's state in words, for a refusal."""
    if mac.filevault.state == UNKNOWN:
        return "FileVault's status could not be read, so it counts as on"
    return "FileVault is on" if mac.filevault.on else f"FileVault is not off yet ({mac.filevault.state})"


def _granters(mac: Mac) -> tuple[Account, ...]:
    return mac.granters


def _likely_granters(mac: Mac) -> tuple[Account, ...]:
    return mac.likely_granters


def _admin_holders(mac: Mac) -> tuple[Account, ...]:
    return mac.admin_holders


def _token_admins(mac: Mac) -> tuple[Account, ...]:
    return mac.token_admins


def _keyed_admins(mac: Mac) -> tuple[Account, ...]:
    """Return the administrators with a crypto user, whatever the other sources say."""
    admins = (who for who in mac.accounts if who.admin and who.name not in mac.promoted)
    return tuple(who for who in admins if who.sources.crypto)


def _sure_holders(mac: Mac) -> tuple[Account, ...]:
    return tuple(who for who in mac.holders if mac.opens(who))


def _holders_who_open(mac: Mac) -> tuple[Account, ...]:
    return tuple(who for who in mac.holders if who.able and mac.locked(who) is not True)
