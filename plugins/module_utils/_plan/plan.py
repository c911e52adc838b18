# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan: steps for one Mac, and the guard that no plan passes which could leave the Mac unrecoverable. Pure.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.keyholder.macos.plugins.module_utils._model import (
    NO_TOKEN,
    PREBOOT,
    Account,
    Mac,
    Sources,
    Version,
    folded,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.steps import (
    CheckPassword,
    CreateAccount,
    Note,
    Prove,
    SetPassword,
    Step,
    UpdatePreboot,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal

OLDEST = Version(10, 13)


@dataclass(frozen=True)
class Plan:
    """What a run would do to ``before``. ``notes``: what a person should know beside the steps."""

    before: Mac
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def after(self) -> Mac:
        """The Mac as it will read: the prediction that check mode reports and the run is compared with."""
        return self.states()[-1]

    def states(self) -> list[Mac]:
        """The Mac before the first step and after each: every state that a cut could leave."""
        states = [self.before]
        for step in self.steps:
            states.append(step.after(states[-1]))
        return states

    @property
    def changes(self) -> bool:
        """Whether the Mac will be another one."""
        return any(step.writes for step in self.steps)

    def words(self) -> list[str]:
        return [step.words for step in self.steps]


def made(before: Mac, steps: t.Sequence[Step], notes: t.Sequence[str] = ()) -> Plan:
    """A plan in its lawful order that has passed the guard. Raises :class:`Refusal`.

    Every password is checked first, and once. What may fail silently is proven before anything builds on it. Where
    tokens change, that is noted before and the preboot volume told after.
    """
    checks = tuple(dict.fromkeys(step for step in steps if isinstance(step, CheckPassword)))
    for check in checks:
        may_authenticate(before, check)
    changes = _with_proofs([step for step in steps if not isinstance(step, CheckPassword)])
    plan = Plan(before, checks + _with_preboot(before, changes), tuple(notes))
    states = plan.states()
    for state, following in zip(states, states[1:]):
        guard(state, following)
    return plan


def guard(before: Mac, after: Mac) -> None:
    """Design rule 3: a Mac keeps an admin holder that it has, and FileVault never stays on with no way in.

    It is asked about each step, as what a plan itself has brought is worth keeping too: the run after one that was cut
    off there must not be refused the rest. One that cannot log in is worth keeping where there is no other: it can be
    enabled again.
    """
    for had, left in ((before.granters, after.granters), (before.token_admins, after.token_admins)):
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
            "FileVault is on, and neither a holder nor a personal recovery key would remain",
            tuple(f"{account.name}: {account.sources.words()}" for account in before.holders)
            + tuple(f"crypto user {guid}: nobody's here, but its password opens the volume" for guid in before.orphans),
        )


def writable(mac: Mac) -> None:
    """Refuse before any write where the reading does not carry a decision. Raises :class:`Refusal`."""
    if mac.version < OLDEST:
        raise Refusal("macos_too_old", f"this Mac runs macOS {mac.version}")
    if not mac.as_root:
        raise Refusal("not_root", "the reading lacks what only root may read", mac.unread)
    if mac.volume.apfs is False:
        raise Refusal("not_apfs", "the boot volume of this Mac is not APFS")
    unread = [account for account in mac.accounts if None in (account.sources.crypto, account.sources.filevault)]
    if mac.volume.apfs is None or unread or not mac.groups_read:
        raise Refusal("reading_incomplete", "a source that the decision rests on could not be read", mac.unread)


def nobody(mac: Mac, name: str, who: Account | None) -> bool:
    """Whether ``name`` is no account here. Raises :class:`Refusal` where it may be one under other letters: macOS does
    not tell them apart by case (assumed, as it refuses a name that differs only by that)."""
    if who is not None:
        return False
    if folded(name) in mac.names:
        raise Refusal("name_differs", f"{name} is no account of a person here, but a record uses that name")
    return True


def candidates(mac: Mac) -> str:
    """In words, who could authorise."""
    if mac.granters:
        return f"granters on this Mac: {', '.join(account.name for account in mac.granters)}"
    others = f", only {', '.join(account.name for account in mac.holders)}" if mac.holders else ""
    return f"no administrator who can log in on this Mac holds a token{others}"


def may_authenticate(mac: Mac, check: CheckPassword) -> None:
    """A right password is refused for these, and each attempt may count: so there is none."""
    account = mac.account(check.user)
    if account is None or (account.able and not mac.locked(account)):
        return
    why = "is disabled" if account.disabled else "has no password"
    if account.able:
        why = f"is locked after {account.failed_logins} failed logins"
    others = f"; {candidates(mac)}" if check.role == "granter" else ""
    raise Refusal(f"{check.role}_disabled", f"{check.user} {why}, so macOS would not accept its password{others}")


def _with_proofs(steps: t.Sequence[Step]) -> tuple[Step, ...]:
    """sysadminctl fails and exits 0: nothing may build on what it says before a reading has proven it."""
    proven: list[Step] = []
    for index, step in enumerate(steps):
        proven.append(step)
        followed = isinstance(steps[index + 1], Prove) if index + 1 < len(steps) else False
        if (isinstance(step, SetPassword) or (isinstance(step, CreateAccount) and not step.bare)) and not followed:
            proven.append(Prove((step.user,)))
    return tuple(proven)


def _with_preboot(before: Mac, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    states = Plan(before, steps).states()
    moved = [index for index in range(len(steps)) if _tokens(states[index]) != _tokens(states[index + 1])]
    if moved:
        return steps[: moved[0]] + (Note(PREBOOT),) + steps[moved[0] :] + (UpdatePreboot(),)
    return steps + ((UpdatePreboot(),) if PREBOOT in before.pending else ())


def _tokens(mac: Mac) -> frozenset[tuple[str, Sources]]:
    """What the preboot volume has to know: who is named by any source."""
    return frozenset((account.name, account.sources) for account in mac.accounts if account.verdict != NO_TOKEN)


def _shut(mac: Mac) -> tuple[bool, bool, bool]:
    """Whether nothing opens the volume: if only holders count who can log in; if all do; if a crypto user of nobody
    counts beside those who can, as whoever knows its password may be the last who gets in."""
    asks = (mac.filevault.on or mac.filevault.busy) and not mac.filevault.personal_key
    able = any(account.able for account in mac.holders)
    return asks and not able, asks and not mac.holders, asks and not able and not mac.orphans
