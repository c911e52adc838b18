# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way a change is made: read, plan, check the passwords, act, read again, compare. No Ansible here.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyholder.macos.plugins.module_utils import _act
from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    diskutil,
    dscl,
    fdesetup,
    launchd,
    profiles,
    sysadminctl,
)
from ansible_collections.keyholder.macos.plugins.module_utils._delivery import Recipients
from ansible_collections.keyholder.macos.plugins.module_utils._lock import Lock, NoLock
from ansible_collections.keyholder.macos.plugins.module_utils._model import (
    ESCROWED,
    MOBILE,
    PREBOOT,
    RECOVERY_KEY,
    Account,
    Mac,
    folded,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
from ansible_collections.keyholder.macos.plugins.module_utils._plan.promotion import (
    healed,
    healing,
    notes,
    with_healing,
)
from ansible_collections.keyholder.macos.plugins.module_utils._plan.repair import OPENS
from ansible_collections.keyholder.macos.plugins.module_utils._plan.steps import (
    NEW_GUID,
    ArchiveHome,
    ArmRestart,
    BecomeFirstHolder,
    ChangeKey,
    CheckPassword,
    CheckRecipients,
    CreateMobileAccount,
    DeliverKey,
    EnableFileVault,
    Forget,
    Note,
    Prove,
    ReadKeyFile,
    SetPassword,
    Step,
    UpdatePreboot,
    ValidateBootstrap,
    ValidateKey,
    VerifyKey,
)
from ansible_collections.keyholder.macos.plugins.module_utils._probe import ProbeError, read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reason import REASONS, Refusal

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Ran, Runner, Secret


class Request(t.Protocol):
    """What a module wants of a Mac. ``extras``: what the reading must hold beside the usual."""

    @property
    def extras(self) -> tuple[str, ...]:
        raise NotImplementedError

    def compares(self, mac: Mac) -> t.Mapping[str, str]:
        """Option -> account whose own password it must be compared with before there is a plan."""

    def plan(self, mac: Mac, same: t.Mapping[str, bool | None]) -> Plan:
        """``same``: whether each of those is the account's password; None: unknown. Raises :class:`Refusal`."""

    def view(self, mac: Mac) -> dict[str, t.Any]:
        """The part of a reading that the request manages."""


@t.runtime_checkable
class Tries(t.Protocol):
    """A request that must know whether a password opens a key before there is a plan."""

    def tries(self, mac: Mac, same: t.Mapping[str, bool | None]) -> tuple[str, str] | None:
        """The key's GUID and the option with the password; None: nothing is tried."""


@dataclass
class Outcome:
    """What happened. ``refusal`` None: all is as asked, or will be, in check mode."""

    before: dict[str, t.Any]
    after: dict[str, t.Any]
    plan: list[str]
    notes: list[str]
    changed: bool = False
    refusal: Refusal | None = None
    same: dict[str, bool | None] = dataclasses.field(default_factory=dict)
    """Whether the request's passwords were the accounts' own; None: unknown."""
    recovery_key: str = ""
    """A new recovery key as the caller asked for it: encrypted, or as it is; "" for none."""


PREBOOT_TRIES = 3
"""updatePreboot fails now and then and works the next time, so others ask as often (Macjutsu/super)."""
PREBOOT_PAUSE = 2.0
"""Seconds between two tries: something else may hold the preboot volume."""


class Flow:
    """One run of one request against one Mac. ``deadline``: seconds for each command. ``own``: names, as
    :func:`folded`, of the accounts that the run came in by and must leave alone. ``lock``: keeps other changing runs
    away, from before the first reading to after the last."""

    def __init__(
        self,
        runner: Runner,
        secrets: t.Mapping[str, Secret],
        deadline: float,
        recipients: t.Sequence[str] = (),
        own: t.Collection[str] = (),
        lock: Lock | None = None,
        pause: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self._runner = runner
        self._secrets = secrets
        self._deadline = deadline
        self._recipients = Recipients(recipients)
        self._own = frozenset(own)
        self._lock = lock or NoLock()
        self._pause = pause
        self._extras: tuple[str, ...] = ()
        self._key: Secret | None = None
        self._done: list[Step] = []
        self._evidence: list[str] = []
        self._answers: list[Ran] = []
        self._notes: list[str] = []

    def run(self, request: Request, check_mode: bool) -> Outcome:
        """In check mode nothing is changed, and no lock is taken: what it reads may be another run's work half done."""
        if check_mode:
            return self._run(request, True)
        try:
            with self._lock.held() as waited:
                outcome = self._run(request, False)
        except Refusal as refusal:
            return Outcome(before={}, after={}, plan=[], notes=[], refusal=refusal)
        outcome.notes[:0] = [waited] if waited else []
        return outcome

    def _run(self, request: Request, check_mode: bool) -> Outcome:
        outcome = Outcome(before={}, after={}, plan=[], notes=[])
        self._extras = request.extras
        try:
            mac = self._read()
            outcome.before = outcome.after = request.view(mac)
            try:
                plan = self._plan(request, mac, outcome, check_mode)
            except Refusal as refusal:
                outcome.refusal = refusal
                plan = self._only_healing(mac, outcome)
            if check_mode:
                outcome.after = request.view(plan.after)
                outcome.changed = plan.changes
            elif plan.steps:
                self._carry_out(plan, request, outcome)
        except Refusal as refusal:
            outcome.refusal = outcome.refusal or refusal
        outcome.notes += self._notes
        return outcome

    @staticmethod
    def _only_healing(mac: Mac, outcome: Outcome) -> Plan:
        """Rights that an earlier run has left behind must not wait for a request that can be met."""
        plan = Plan(mac, tuple(healing(mac)))
        outcome.plan, outcome.notes = plan.words(), list(notes(mac))
        return plan

    # -- before the first write ---------------------------------------------------------------------------------------

    def _plan(self, request: Request, mac: Mac, outcome: Outcome, check_mode: bool) -> Plan:
        """A plan whose passwords have been checked, or a :class:`Refusal`."""
        sound = healed(mac)
        same = outcome.same = {
            option: self._compare_password(sound, user, option, may_authenticate=not check_mode)
            for option, user in request.compares(sound).items()
        }
        tried = request.tries(sound, same) if isinstance(request, Tries) else None
        if tried is not None:
            same[OPENS] = self._opens(*tried)
        plan = with_healing(mac, request.plan(sound, same))
        outcome.plan, outcome.notes = plan.words(), list(plan.notes)
        self._usable(plan)
        self._check(plan, may_authenticate=not check_mode)
        return plan

    def _read(self) -> Mac:
        try:
            mac = read_mac(self._runner, self._deadline, self._extras)
            return replace(mac, own=frozenset(who.name for who in mac.accounts if folded(who.name) in self._own))
        except ProbeError as exc:
            raise Refusal(exc.reason, str(exc)) from exc

    def _usable(self, plan: Plan) -> None:
        """Every password that the plan hands to a prompt is there, and fits through it."""
        for step, mac in zip(plan.steps, plan.states()):
            for option, limit in _act.needs(step, mac).items():
                if option not in self._secrets:
                    raise Refusal("option_missing", f"{option} was not given, and is needed to {step.words}")
                problem = unusable(self._secrets[option], limit)
                if not problem and _act.typed(step):
                    problem = profiles.untypable(self._secrets[option])
                if problem:
                    raise Refusal("password_unusable", f"{option} {problem}, so it cannot be used to {step.words}")

    def _check(self, plan: Plan, may_authenticate: bool) -> None:
        # Up to 10.15 the check itself would hand out the first token, unnoted and unproven.
        becoming = {
            step.user for step in plan.steps if isinstance(step, BecomeFirstHolder) and step.how == "authenticate"
        }
        unsure: set[str] = set()
        for step in plan.steps:
            if isinstance(step, CheckPassword):
                known = self._check_password(step, plan.before, may_authenticate and step.user not in becoming)
                unsure |= set() if known else {step.secret}
            elif isinstance(step, CheckRecipients):
                self._recipients.check(self._runner, self._deadline)
            elif isinstance(step, ValidateKey) and step.secret:
                self._validate_key(step.secret, self._secrets[step.secret])
            elif isinstance(step, VerifyKey) and step.early and step.secret in unsure:
                # The Secure Enclave counts wrong ones, and this one may be wrong.
                self._notes.append(f"check mode does not try whether {step.secret} opens the key of {step.user}")
            elif isinstance(step, VerifyKey) and step.early:
                self._verify_key(step, "Nothing was changed")

    def _check_password(self, step: CheckPassword, mac: Mac, may_authenticate: bool) -> bool:
        """Return whether the password is known to be right, by the account's hash where it can be read: that is no
        login, so it counts as none and grants nothing. Raises :class:`Refusal` where it is wrong.

        What a Mac has kept of a directory's password proves no other one wrong: there the directory is asked.
        """
        account = mac.account(step.user)
        same = self._same(step.user, step.secret) if account is not None else None
        if same is False and account is not None and mac.decided_elsewhere(account):
            same = None
        answer = {True: "right", False: "wrong", None: "unknown"}[same]
        if same is None and may_authenticate:
            answer = self._authenticate(step.user, step.secret, anywhere=account is None)
        if answer == "wrong":
            msg = f"{step.secret} is not the password of {step.user}; nothing was changed"
            raise Refusal(f"{step.role}_password_wrong", msg, tuple(self._evidence[-1:]))
        if answer == "disabled":
            raise Refusal(f"{step.role}_disabled", f"{step.user} is disabled or locked", tuple(self._evidence[-1:]))
        if answer == "unknown" and may_authenticate:
            raise Refusal(
                "command_failed", f"the password of {step.user} could not be checked", tuple(self._evidence[-1:])
            )
        return answer == "right"

    def _verify_key(self, step: VerifyKey, fate: str) -> None:
        """Where macOS does not answer, nothing is proven and nothing is refuted."""
        opens = self._opens(step.guid, step.secret)
        if opens is False:
            msg = f"{step.secret} is the password of {step.user}, but does not open its key: the key is stale. {fate}"
            raise Refusal("stale_key", msg, tuple(self._evidence[-1:]))
        if opens is None and step.needed:
            msg = f"it could not be checked whether the password of {step.user} opens its key. {fate}"
            raise Refusal("key_unproven", msg, tuple(self._evidence[-1:]))
        if opens is None:
            self._notes.append(f"it could not be checked whether the key of {step.user} follows its password")

    def _opens(self, guid: str, option: str) -> bool | None:
        problem = unusable(self._secrets[option], sysadminctl.STDIN_BYTES)
        if problem:
            raise Refusal("password_unusable", f"{option} {problem}, so it cannot be tried against the key")
        return diskutil.key_opens(self._start(diskutil.verify_key(guid, self._secrets[option])))

    def _compare_password(self, mac: Mac, user: str, option: str, may_authenticate: bool) -> bool | None:
        """A holder's is tried once where its hash is unreadable: to set the same one again takes its old password,
        which would be a failed login at every run. An account without a token has it set again by root. A mobile
        account's is never tried: nothing here may set it."""
        same = self._same(user, option)
        account = mac.account(user)
        tried = account is not None and account.holder and account.able and account.kind != MOBILE
        if same is None and may_authenticate and tried:
            return {"right": True, "wrong": False}.get(self._authenticate(user, option))
        return same

    def _authenticate(self, user: str, option: str, anywhere: bool = False) -> str:
        """A real login: right, wrong, disabled or unknown."""
        secret = self._secrets[option]
        problem = unusable(secret, dscl.GETPASS_BYTES)
        if problem:
            raise Refusal(
                "password_unusable",
                f"{option} {problem}, so it cannot be checked, because the account's hash cannot be read",
            )
        return dscl.authentication_answer(self._start(dscl.authenticate(user, secret, anywhere)))

    def _same(self, user: str, option: str) -> bool | None:
        if option not in self._secrets:
            return None
        return dscl.hash_matches(self._start(dscl.read_hash(user)), self._secrets[option])

    # -- writing ------------------------------------------------------------------------------------------------------

    def _carry_out(self, plan: Plan, request: Request, outcome: Outcome) -> None:
        states = plan.states()
        mac = plan.before
        owed: frozenset[str] = frozenset()
        self._evidence.clear()
        self._answers.clear()
        try:
            for index, step in enumerate(plan.steps):
                if isinstance(step, Prove):
                    mac = self._read()
                    outcome.after = request.view(mac)
                    outcome.changed = outcome.after != outcome.before
                    self._compare(plan, index, states[index], mac)
                    continue
                self._handle_key(step, outcome)
                if isinstance(step, VerifyKey) and not step.early:
                    self._verify_key(step, "The password was changed, but its key did not follow")
                if isinstance(step, UpdatePreboot) and not self._update_preboot(plan, step, mac):
                    owed = frozenset({PREBOOT})
                    continue
                acting = Forget(PREBOOT) if isinstance(step, UpdatePreboot) else step
                for command in _act.commands(step, states[index], self._secrets):
                    self._judge(acting, self._start(command))
                self._done.append(step)
            outcome.changed = any(step.writes for step in self._done)
            # Since the last reading only notes have gone, and each of those commands has said that it worked.
            outcome.after = request.view(replace(mac, pending=plan.after.pending | owed))
        except Refusal as refusal:
            raise self._aftermath(plan, request, outcome, refusal) from refusal

    def _update_preboot(self, plan: Plan, step: UpdatePreboot, mac: Mac) -> bool:
        """Whether the preboot volume was told. Where this run owes it that, a failure is the run's: raises
        :class:`Refusal`. What an earlier run has left to do fails no run that cannot help it: its note stays."""
        until = time.monotonic() + self._deadline
        for left in reversed(range(PREBOOT_TRIES)):
            ran = self._start(diskutil.UPDATE_PREBOOT)
            if diskutil.preboot_updated(ran):
                return True
            if ran.rc is None or not left or time.monotonic() + PREBOOT_PAUSE >= until:
                break
            self._pause(PREBOOT_PAUSE)
        why = _preboot_cause(mac, ran)
        msg = f"the preboot volume could not be updated{why}"
        if Note(PREBOOT) in plan.steps:
            self._done.append(step)
            reason = "timeout" if ran.timed_out else "preboot_failed"
            raise Refusal(reason, f"{msg}; everything else was done", tuple(self._evidence))
        remedy = REASONS["preboot_failed"].remedy
        self._notes.append(f"{msg}. An earlier run left this to do. {remedy} [preboot_failed]")
        return False

    def _judge(self, step: Step, ran: Ran) -> None:
        """Stop at once where going on makes no sense. That a step *worked* is for the next reading to say."""
        if launchd.may_fail(ran) or dscl.already_forgotten(ran):
            return
        if ran.timed_out:
            # Nobody knows whether it was done.
            self._done.append(step)
            raise Refusal("timeout", f"no answer while trying to {step.words}", tuple(self._evidence))
        if ran.too_long:
            self._done.append(step)
            raise Refusal(
                "output_too_long", f"a program was stopped while trying to {step.words}", tuple(self._evidence)
            )
        if ran.rc is None:
            raise Refusal("command_failed", f"could not {step.words}: {ran.err}", tuple(self._evidence))
        if isinstance(step, BecomeFirstHolder) and step.how == "authenticate":
            reasons = {"wrong": "user_password_wrong", "disabled": "user_disabled"}
            answer = dscl.authentication_answer(ran)
            if answer != "right":
                reason = reasons.get(answer, "command_failed")
                raise Refusal(reason, f"could not {step.words}", tuple(self._evidence))
        elif isinstance(step, ReadKeyFile) and ran.rc == 0:
            if fdesetup.new_key(ran) is None:
                raise Refusal("key_file_unusable", f"{step.path} holds no recovery key", tuple(self._evidence[-1:]))
        elif isinstance(step, ValidateBootstrap):
            if not profiles.validated(ran):
                raise Refusal(_meaning(ran) or "bootstrap_stale", f"could not {step.words}", tuple(self._evidence))
        elif isinstance(step, CreateMobileAccount):
            return  # Nobody has published its exit statuses, and public scripts call some of its errors benign.
        elif ran.rc != 0:
            reason = _meaning(ran) or "command_failed"
            raise Refusal(reason, f"could not {step.words}", tuple(self._evidence))

    def _compare(self, plan: Plan, index: int, wanted: Mac, found: Mac) -> None:
        step = t.cast(Prove, plan.steps[index])
        for user in step.users:
            differs = differences(wanted.account(user), found.account(user))
            before = plan.before.account(user)
            if wanted.account(user) is None and before is not None and before.guid in found.orphans:
                differs.append("its crypto user is still there")
            if differs:
                self._evidence.append(f"reading again: {user}: {'; '.join(differs)}")
                raise Refusal(
                    self._last_meaning() or "not_proven",
                    f"{user} is not as planned: {'; '.join(differs)}",
                    tuple(self._evidence),
                )
        for fact in step.facts:
            said = disagreement(fact, plan.before, wanted, found)
            if said:
                self._evidence.append(f"reading again: {said}")
                raise Refusal(
                    self._last_meaning() or "not_proven",
                    f"the Mac is not as planned: {said}",
                    tuple(self._evidence),
                )
        self._same_password(plan.steps[:index], step)

    def _same_password(self, done: t.Sequence[Step], prove: Prove) -> None:
        """A password that was set is proven by the account's hash, without logging in. Where that cannot be read, it
        is enough that sysadminctl did not say that it failed."""
        last = {step.user: step.new for step in done if isinstance(step, SetPassword)}
        for user, option in last.items():
            if user not in prove.users:
                continue
            same = self._same(user, option)
            if same is False or (same is None and self._last_meaning()):
                raise Refusal(
                    self._last_meaning() or "not_proven",
                    f"{user} does not have the new password",
                    tuple(self._evidence),
                )

    def _last_meaning(self) -> str:
        return next(filter(None, (_meaning(ran) for ran in reversed(self._answers))), "")

    # -- recovery keys ------------------------------------------------------------------------------------------------

    def _handle_key(self, step: Step, outcome: Outcome) -> None:
        """That macOS gave no key is a state, not an error, unless the one before has died for it: on enabling, macOS
        may have kept the one of an earlier time."""
        if isinstance(step, ValidateKey) and not step.secret and self._key is not None:
            self._validate_key("the new recovery key", self._key)
        elif isinstance(step, DeliverKey) and self._key is not None:
            self._deliver(step, self._key, outcome)
        elif isinstance(step, DeliverKey) and any(isinstance(done, ChangeKey) for done in self._done):
            msg = "macOS made a new recovery key and did not return it; the old key no longer works"
            raise Refusal("key_not_given", msg, tuple(self._evidence))

    def _deliver(self, step: DeliverKey, key: Secret, outcome: Outcome) -> None:
        if step.how == "encrypt":
            outcome.recovery_key = self._recipients.encrypt(key, self._runner, self._deadline)
        else:
            outcome.recovery_key = key.reveal().decode("utf-8")

    def _validate_key(self, whose: str, key: Secret) -> None:
        ran = self._start(fdesetup.validate_key(key))
        if ran.timed_out:
            raise Refusal("timeout", f"no answer while macOS validated {whose}", tuple(self._evidence[-1:]))
        if fdesetup.says_true(ran) is not True:
            raise Refusal("key_invalid", f"{whose} does not open this Mac", tuple(self._evidence[-1:]))

    def _rescue(self, plan: Plan, outcome: Outcome) -> None:
        """A key that macOS has made and that the run could not finish with may be the only one: it is not lost."""
        for step in plan.steps:
            if isinstance(step, DeliverKey) and self._key is not None and not outcome.recovery_key:
                with contextlib.suppress(Refusal):
                    self._deliver(step, self._key, outcome)

    def _aftermath(self, plan: Plan, request: Request, outcome: Outcome, refusal: Refusal) -> Refusal:
        """After a failure half-way: what is true now, and no note left behind where nothing changed."""
        if refusal.reason != "key_invalid":
            self._rescue(plan, outcome)
        if any(isinstance(step, ArmRestart) for step in self._done):
            armed = f"{refusal.msg}; the next restart still comes up with the volume unlocked"
            refusal = Refusal(refusal.reason, armed, refusal.evidence)
        refusal = self._half_way_back(refusal)
        unseen = self._unseen_change(plan)
        outcome.changed = outcome.changed or unseen
        try:
            mac = self._read()
        except Refusal:
            return refusal
        mac = self._undo_promotion(mac, set(mac.promoted) - set(plan.before.promoted))
        ours = {step.work for step in plan.steps if isinstance(step, Note)} & mac.pending - plan.before.pending
        if UpdatePreboot() in self._done:
            # Tokens have come and gone, though the accounts look as before.
            ours -= {PREBOOT}
        made = self._key is not None or any(isinstance(step, EnableFileVault) for step in self._done)
        if made and (mac.filevault.asks or mac.filevault.personal_key is not False):
            # A key came to be, or may have, and the caller may not get it.
            ours -= {RECOVERY_KEY}
        if ours and _settled(mac) == _settled(plan.before) and not unseen:
            for work in sorted(ours):
                self._start(dscl.forget(work))
            mac = replace(mac, pending=mac.pending - ours)
        outcome.after = request.view(mac)
        outcome.changed = unseen or outcome.after != outcome.before
        return refusal

    @property
    def _renewed(self) -> list[SetPassword]:
        return [step for step in self._done if isinstance(step, SetPassword)]

    def _half_way_back(self, refusal: Refusal) -> Refusal:
        """A repair sets the old password and then the wanted one again: who fails in between must be told."""
        back = next((step for step in self._renewed if step.new == "old_password"), None)
        if back is None or not self._same(back.user, "old_password"):
            return refusal
        msg = f"{refusal.msg}; the password of {back.user} is old_password now: run again to set the wanted one"
        return Refusal(refusal.reason, msg, refusal.evidence)

    def _undo_promotion(self, mac: Mac, own: set[str]) -> Mac:
        """Demote whom this run has promoted, whatever went wrong. What fails here is left to the Mac's own job and to
        the next run: the note still stands. ``own``: whom this run has promoted."""
        steps = healing(mac, own)
        if not steps:
            return mac
        with contextlib.suppress(Refusal):
            for step, state in zip(steps, Plan(mac, tuple(steps)).states()):
                if isinstance(step, Prove) and any(
                    who.name in step.users and who.admin for who in self._read().accounts
                ):
                    break
                for command in _act.commands(step, state, self._secrets):
                    self._judge(step, self._start(command))
            return self._read()
        return mac

    def _unseen_change(self, plan: Plan) -> bool:
        """Whether something was changed that no reading shows: a password, a key, an archive, the next restart."""
        if any(isinstance(step, ArchiveHome) for step in plan.steps) and any(isinstance(do, Note) for do in self._done):
            return True
        made = self._key is not None and any(isinstance(step, ChangeKey) for step in plan.steps)
        # Where no hash can be read, a password was set, unless the program that exited with 0 says that it was not.
        said = next((ran for ran in reversed(self._answers) if _meaning(ran)), None)
        refused = self._done[-1] if self._done and said is not None and said.rc == 0 else None
        renewed = [(step, self._same(step.user, step.new)) for step in self._renewed]
        return (
            made
            or any(isinstance(step, (ChangeKey, ArmRestart)) for step in self._done)
            or any(same or (same is None and step is not refused) for step, same in renewed)
        )

    def _start(self, command: t.Any) -> Ran:
        ran = self._runner.run(command, self._deadline)
        self._key = fdesetup.new_key(ran) or self._key
        known = [*self._secrets.values(), *([self._key] if self._key is not None else [])]
        self._evidence.append(ran.evidence_without(known))
        self._answers.append(ran)
        return ran


def _settled(mac: Mac) -> list[Account]:
    """The accounts, but for what a wrong guess changes."""
    return [replace(account, failed_logins=None) for account in mac.accounts]


def _preboot_cause(mac: Mac, ran: Ran) -> str:
    """Say whom updatePreboot failed for; else which crypto user that belongs to no account may be why (assumed)."""
    if ran.rc is None:
        return ": diskutil did not answer"
    failed = diskutil.preboot_failed_for(ran)
    names = {account.guid: account.name for account in mac.accounts}
    if failed:
        whom = [names.get(guid, f"the crypto user {guid}, which belongs to no account") for guid in failed]
        return f": diskutil failed for {', '.join(whom)}"
    if mac.orphans:
        return f"; the cause may be the crypto user {', '.join(mac.orphans)}, which belongs to no account"
    return ""


def _meaning(ran: Ran) -> str:
    """The reason that a command's words or exit status name, "" for none."""
    program = ran.command.argv[0]
    if program == "fdesetup":
        return fdesetup.exit_reason(ran)
    if program == "dscl":
        return dscl.meaning(ran)
    return profiles.meaning(ran) if program == "profiles" else sysadminctl.meaning(ran)


def disagreement(fact: str, before: Mac, wanted: Mac, found: Mac) -> str:
    """In words, where a fact of the Mac as a whole is not as planned; "" where it is."""
    if fact == "bootstrap":
        planned, real = wanted.management.bootstrap, found.management.bootstrap
        agree = planned == real or (planned in ESCROWED and real in ESCROWED)
        return "" if agree else f"the Bootstrap Token is {real} (wanted: {planned})"
    if fact == "filevault":
        on = wanted.filevault.on
        agree = found.filevault.on if on else not found.filevault.on
        return "" if agree else f"FileVault is {found.filevault.state} (wanted: {wanted.filevault.state})"
    if fact == "deferral":
        planned, real = wanted.filevault.deferred_user, found.filevault.deferred_user
        return (
            "" if planned == real else f"FileVault is deferred for {real or 'no user'} (wanted: {planned or 'no user'})"
        )
    if fact == "key_file":
        left = ", ".join(sorted(found.files - wanted.files))
        return f"{left} is still there" if left else ""
    if fact == "escrow":
        earlier, now = before.filevault.escrowed_at, found.filevault.escrowed_at
        if earlier is None or now is None:
            return "it could not be read whether the new key was escrowed to MDM"
        return "" if now > earlier else "the new key was not escrowed to MDM"
    if fact == "orphans":
        left = ", ".join(guid for guid in found.orphans if guid not in wanted.orphans)
        return f"the crypto user {left} is still there" if left else ""
    agree = wanted.filevault.personal_key == found.filevault.personal_key
    return "" if agree else f"the personal recovery key is {'present' if found.filevault.personal_key else 'missing'}"


def unusable(secret: Secret, limit: int) -> str:
    """Why a prompt cannot take this password, "" where it can. A prompt ends at a line break, NUL ends a C string, a
    terminal acts on control characters, and a property list cannot hold them."""
    value = secret.reveal()
    if not value:
        return "is empty"
    if any(byte < 0x20 or byte == 0x7F for byte in value):
        return "holds a line break or another control character"
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return "is not valid text"
    if "\ufffe" in text or "\uffff" in text:
        return "holds a character that no property list can hold"
    return f"has {len(value)} bytes, and the prompt takes {limit}" if len(value) > limit else ""


def differences(wanted: Account | None, found: Account | None) -> list[str]:
    """What the second reading shows otherwise than planned, in words. A field that the plan leaves open is not
    compared."""
    if wanted is None or found is None:
        return [] if wanted is found else ["the account is there" if wanted is None else "there is no such account"]
    differs = []
    if wanted.sources != found.sources:
        differs.append(f"{found.sources.words()} (wanted: {wanted.sources.words()})")
    for key in (
        "kind",
        "full_name",
        "uid",
        "gid",
        "shell",
        "home",
        "hint",
        "picture",
        "hidden",
        "admin",
        "disabled_tag",
        "has_password",
    ):
        value = getattr(wanted, key)
        if value not in (None, "") and value != getattr(found, key):
            differs.append(f"{key} is {getattr(found, key)!r} (wanted: {value!r})")
    if wanted.guid not in (NEW_GUID, found.guid):
        differs.append("another account has taken its name")
    return differs
