# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before the first write: every secret fits through its prompt, and every password and key is the right one.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._account import MOBILE
from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    diskutil,
    dscl,
    fdesetup,
    profiles,
    sysadminctl,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import of_kind
from ansible_collections.keyholder.macos.plugins.module_utils._step.filevault import CheckRecipients, ValidateKey
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    BecomeFirstHolder,
    CheckPassword,
    VerifyKey,
)

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._mac import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._plan.plan import Plan
    from ansible_collections.keyholder.macos.plugins.module_utils._run.session import Session
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Secret


def unusable(secret: Secret, limit: int) -> str:
    """Return why a prompt cannot take this password, "" if it can. ``limit``: bytes. A prompt ends at a line break, NUL
    ends a C string, a terminal acts on control characters, and a property list cannot hold them."""
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


def check_secrets(session: Session, plan: Plan) -> None:
    """Raise :class:`Refusal` unless every secret that the plan hands to a prompt is there, and fits through it, and no
    recovery key comes where it may not."""
    for step, mac in zip(plan.steps, plan.states()):
        if step.shows_key and not session.may_show_key():
            msg = f"to {step.words} from here, its recovery key would have to leave this Mac unencrypted"
            raise Refusal("needs_python", msg)
        for option, limit in step.needs(mac).items():
            if option not in session.secrets:
                raise Refusal("option_missing", f"{option} was not given, and is needed to {step.words}")
            problem = unusable(session.secrets[option], limit)
            if not problem and step.at_a_terminal:
                problem = profiles.untypable(session.secrets[option])
            if problem:
                raise Refusal("password_unusable", f"{option} {problem}, so it cannot be used to {step.words}")


def check_passwords(session: Session, plan: Plan, may_authenticate: bool) -> None:
    """Raise :class:`Refusal` unless the passwords, keys and recipients that the plan rests on are the right ones."""
    # The check itself would hand out the first token, unnoted and unproven: there, the step itself is the check.
    becoming = {step.user for step in of_kind(plan.steps, BecomeFirstHolder)}
    unsure: set[str] = set()
    for step in plan.steps:
        if isinstance(step, CheckPassword):
            if not _check_password(session, step, plan.before, may_authenticate and step.user not in becoming):
                unsure.add(step.secret)
                if step.user in becoming:
                    _refuse_what_no_login_takes(session.secrets[step.secret], step.secret)
        elif isinstance(step, CheckRecipients):
            session.recipients.check(session.runner, session.deadline)
        elif isinstance(step, ValidateKey) and step.secret:
            validate_key(session, step.secret, session.secrets[step.secret])
        elif isinstance(step, VerifyKey) and step.early and step.secret in unsure:
            # The Secure Enclave counts wrong ones, and this one may be wrong.
            session.notes.append(f"check mode does not try whether {step.secret} opens the key of {step.user}")
        elif isinstance(step, VerifyKey) and step.early:
            verify_key(session, step, "Nothing was changed")


def compare_password(session: Session, mac: Mac, user: str, option: str, may_authenticate: bool) -> bool | None:
    """Return whether the option holds the account's password; None: unknown.

    A holder's is tried once if its hash is unreadable: to set the same one again takes its old password, which would be
    a failed login at every run. An account without a token has it set again by root. A mobile account's is never tried:
    nothing here may set it.
    """
    matches = session.is_password(user, option)
    account = mac.account(user)
    tried = account is not None and account.holder and account.able and account.kind != MOBILE
    if matches is None and may_authenticate and tried:
        return {"right": True, "wrong": False}.get(_authenticate(session, user, option))
    return matches


def key_opens(session: Session, guid: str, option: str) -> bool | None:
    """Return whether the option's password opens that key on the volume; None: macOS did not answer. Raises
    :class:`Refusal`."""
    problem = unusable(session.secrets[option], sysadminctl.STDIN_BYTES)
    if problem:
        raise Refusal("password_unusable", f"{option} {problem}, so it cannot be tried against the key")
    return diskutil.passphrase_opens(session.start(diskutil.try_passphrase(guid, session.secrets[option])))


def verify_key(session: Session, step: VerifyKey, fate: str) -> None:
    """Raise :class:`Refusal` if the key is stale. If macOS does not answer, nothing is proven and nothing is refuted.
    ``fate``: a sentence on what was changed, for the message."""
    opens = key_opens(session, step.guid, step.secret)
    if opens is False:
        msg = f"{step.secret} is the password of {step.user}, but does not open its key: the key is stale. {fate}"
        raise session.stop_by_last("stale_key", msg)
    if opens is None and step.needed:
        msg = f"it could not be checked whether the password of {step.user} opens its key. {fate}"
        raise session.stop_by_last("key_unproven", msg)
    if opens is None:
        session.notes.append(f"it could not be checked whether the key of {step.user} follows its password")


def validate_key(session: Session, whose: str, key: Secret) -> None:
    """Raise :class:`Refusal` unless macOS says that the recovery key opens this Mac. ``whose``: how to call it."""
    ran = session.start(fdesetup.validate_recovery_key(key))
    if ran.timed_out:
        raise session.stop_by_last("timeout", f"no answer while macOS validated {whose}")
    if fdesetup.says_true(ran) is not True:
        raise session.stop_by_last("key_invalid", f"{whose} does not open this Mac")


def _check_password(session: Session, step: CheckPassword, mac: Mac, may_authenticate: bool) -> bool:
    """Return whether the password is known to be right, by the account's hash if it can be read: that is no login, so
    it counts as none and grants nothing. Raises :class:`Refusal` if it is wrong.

    What a Mac has kept of a directory's password proves no other one wrong: there the directory is asked.
    """
    account = mac.account(step.user)
    matches = session.is_password(step.user, step.secret) if account is not None else None
    if matches is False and account is not None and mac.decided_elsewhere(account):
        matches = None
    answer = {True: "right", False: "wrong", None: "unknown"}[matches]
    if matches is None and may_authenticate:
        answer = _authenticate(session, step.user, step.secret, anywhere=account is None)
    if answer == "wrong":
        msg = f"{step.secret} is not the password of {step.user}; nothing was changed"
        raise session.stop_by_last(step.if_wrong, msg)
    if answer == "disabled":
        raise session.stop_by_last(step.if_disabled, f"{step.user} is disabled or locked")
    if answer == "expired":
        msg = f"the password of {step.user} has expired, or macOS wants it changed first"
        raise session.stop_by_last(step.if_disabled, msg)
    if answer == "unknown" and may_authenticate:
        raise session.stop_by_last("command_failed", f"the password of {step.user} could not be checked")
    return answer == "right"


def _authenticate(session: Session, user: str, option: str, anywhere: bool = False) -> str:
    """Log in for once, and return right, wrong, disabled, expired or unknown. Raises :class:`Refusal`."""
    secret = session.secrets[option]
    _refuse_what_no_login_takes(secret, option)
    return dscl.authentication_answer(session.start(dscl.authenticate(user, secret, anywhere)))


def _refuse_what_no_login_takes(secret: Secret, option: str) -> None:
    """Raise :class:`Refusal` for a password that only a login could check, and that its prompt cannot take."""
    problem = unusable(secret, dscl.GETPASS_BYTES)
    if problem:
        msg = f"{option} {problem}, so it cannot be checked, because the account's hash cannot be read"
        raise Refusal("password_unusable", msg)
