# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which commands carry out a step, and which passwords they need of whom.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import (
    accounts,
    dscl,
    fdesetup,
    launchd,
    network,
    profiles,
    sysadminctl,
    system,
)
from ansible_collections.keyholder.macos.plugins.module_utils._macos import ADD_USER_GID, ASKS_OLD_PASSWORD
from ansible_collections.keyholder.macos.plugins.module_utils._model import PREBOOT, promotion
from ansible_collections.keyholder.macos.plugins.module_utils._plan import steps as do
from ansible_collections.keyholder.macos.plugins.module_utils._plan.filevault import additional

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._model import Mac
    from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Secret

    Secrets = t.Mapping[str, Secret]


def needs(step: do.Step, mac: Mac) -> dict[str, int]:
    """Options whose password the step hands to a prompt, and the most bytes that prompt can take."""
    prompt = sysadminctl.STDIN_BYTES
    if isinstance(step, do.CheckPassword):
        return {step.secret: prompt}
    if isinstance(step, do.VerifyKey):
        return {step.secret: prompt}
    if isinstance(step, (do.Grant, do.Revoke)):
        return {"admin_password": prompt, "password": prompt}
    if isinstance(step, do.CreateAccount):
        return {} if step.bare else {"password": prompt}
    if isinstance(step, do.BecomeFirstHolder):
        return {"password": dscl.GETPASS_BYTES if step.how == "authenticate" else prompt}
    if isinstance(step, do.SetPassword):
        if step.how == "old":
            limit = dscl.GETPASS_BYTES if mac.version >= ASKS_OLD_PASSWORD.first else prompt
            return {step.old: limit, step.new: limit}
        return {step.new: prompt, "admin_password": prompt} if step.how == "granter" else {step.new: prompt}
    if isinstance(step, (do.EscrowBootstrap, do.RemoveBootstrap, do.ValidateBootstrap)):
        return {"admin_password": profiles.TTY_BYTES}
    if isinstance(step, do.EnableFileVault):
        return dict.fromkeys(("password", *(additional(index) for index in range(len(step.others)))), prompt)
    if isinstance(step, do.AddUnlocker):
        return {"admin_password": prompt, "password": prompt}
    if isinstance(step, do.DisableFileVault):
        return {"password": prompt}
    if isinstance(step, (do.ChangeKey, do.RemoveKey, do.ArmRestart)):
        return {"password" if step.by else "current_key": prompt}
    if isinstance(step, do.ValidateKey):
        return {step.secret: prompt} if step.secret else {}
    return {}


def typed(step: do.Step) -> bool:
    """Whether the step's password is typed at a terminal, and not handed to a pipe."""
    return isinstance(step, (do.EscrowBootstrap, do.RemoveBootstrap, do.ValidateBootstrap))


def commands(step: do.Step, mac: Mac, secrets: Secrets) -> list[Command]:
    """What carries out ``step`` on ``mac`` as it reads before it. Steps that only look have none."""
    if isinstance(step, do.Note):
        return [dscl.note(step.work)]
    if isinstance(step, do.Forget):
        return [dscl.forget(step.work)]
    if isinstance(step, do.UpdatePreboot):
        # The update itself has more than one try, so the run starts it.
        return [dscl.forget(PREBOOT)] if PREBOOT in mac.pending else []
    if isinstance(step, do.Grant):
        return [sysadminctl.grant(step.user, step.granter, secrets["admin_password"], secrets["password"])]
    if isinstance(step, do.Revoke):
        return [sysadminctl.revoke(step.user, step.granter, secrets["admin_password"], secrets["password"])]
    if isinstance(step, do.BecomeFirstHolder):
        if step.how == "authenticate":
            return [dscl.authenticate(step.user, secrets["password"])]
        return [sysadminctl.reset_password(step.user, secrets["password"])]
    if isinstance(step, do.CreateAccount):
        return _create(step, mac, secrets)
    if isinstance(step, do.CreateMobileAccount):
        return [network.create_mobile_account(step.account.name, step.home)]
    if isinstance(step, do.SetAttribute):
        return [dscl.set_field(step.user, step.key, step.value)]
    if isinstance(step, do.SetAdmin):
        return [accounts.set_membership(step.user, "admin", step.admin)]
    if isinstance(step, do.PlanDemotion):
        return launchd.plan_demotion(step.user, promotion(step.user), step.minutes * 60)
    if isinstance(step, do.DropDemotion):
        return launchd.drop_demotion()
    if isinstance(step, do.PreventToken):
        return [dscl.prevent_token(step.user)]
    if isinstance(step, do.SetPassword):
        return [_set_password(step, mac, secrets)]
    if isinstance(step, do.CreateHome):
        return [accounts.create_home(step.user)]
    if isinstance(step, do.AllowToken):
        return [dscl.allow_token(step.user)]
    if isinstance(step, do.RemoveMarker):
        return [dscl.remove_marker(step.user)]
    if isinstance(step, do.RemoveOrphan):
        return [fdesetup.remove_crypto_user(step.guid)]
    if isinstance(step, do.ArchiveHome):
        return [accounts.archive(step.home, step.path)]
    if isinstance(step, do.ProofArchive):
        return [accounts.read_archive(step.path)]
    if isinstance(step, do.DeleteAccount):
        return [sysadminctl.delete_user(step.user, step.home)]
    return _bootstrap(step, secrets) + _filevault(step, secrets)


def _bootstrap(step: do.Step, secrets: Secrets) -> list[Command]:
    if isinstance(step, do.EscrowBootstrap):
        return [profiles.bootstrap("install", step.granter, secrets["admin_password"])]
    if isinstance(step, do.RemoveBootstrap):
        return [profiles.bootstrap("remove", step.granter, secrets["admin_password"])]
    if isinstance(step, do.ValidateBootstrap):
        return [profiles.bootstrap("validate", step.granter, secrets["admin_password"])]
    return []


def _filevault(step: do.Step, secrets: Secrets) -> list[Command]:
    if isinstance(step, do.EnableFileVault):
        others = [fdesetup.Person(name, secrets[additional(index)]) for index, name in enumerate(step.others)]
        return [fdesetup.enable(fdesetup.Person(step.user, secrets["password"]), others)]
    if isinstance(step, do.DeferFileVault):
        return [fdesetup.defer(step.user, step.path, step.force_at_login, step.ask_at_logout, step.show_key)]
    if isinstance(step, do.CancelDeferral):
        return [fdesetup.CANCEL_DEFERRAL]
    if isinstance(step, do.DisableFileVault):
        return [fdesetup.disable(fdesetup.Person(step.user, secrets["password"]))]
    if isinstance(step, do.AddUnlocker):
        granter = fdesetup.Person(step.granter, secrets["admin_password"])
        return [fdesetup.add(granter, fdesetup.Person(step.user, secrets["password"]))]
    if isinstance(step, do.RemoveUnlocker):
        return [fdesetup.remove(step.user)]
    if isinstance(step, do.ChangeKey):
        return [fdesetup.change_key(_authority(step.by, secrets))]
    if isinstance(step, do.RemoveKey):
        return [fdesetup.remove_key(_authority(step.by, secrets))]
    if isinstance(step, do.ReadKeyFile):
        return [fdesetup.read_key_file(step.path)]
    if isinstance(step, do.RemoveKeyFile):
        return [fdesetup.remove_key_file(step.path)]
    if isinstance(step, do.ArmRestart):
        return [fdesetup.arm_restart(_authority(step.by, secrets))]
    return [system.RESTART] if isinstance(step, do.Restart) else []


def _authority(by: str, secrets: Secrets) -> fdesetup.Person:
    return fdesetup.Person(by, secrets["password" if by else "current_key"])


def _create(step: do.CreateAccount, mac: Mac, secrets: Secrets) -> list[Command]:
    account = step.account
    if step.bare:
        values = {field: getattr(account, field) for field in dscl.FIELDS}
        wanted = {field: value for field, value in values.items() if value not in (None, "", False)}
        return [
            dscl.create_record(account.name),
            *(dscl.set_field(account.name, field, value) for field, value in wanted.items()),
        ]
    # With -home the folder is assigned, not created: it must not be made before the numbers are right, which
    # sysadminctl does not promise from macOS 13 on (transcript adduser-2026-home-assigned; FleetLock).
    numbered = account.uid is not None or account.gid is not None
    user = sysadminctl.NewUser(
        name=account.name,
        full_name=account.full_name,
        uid=account.uid,
        gid=account.gid if mac.version >= ADD_USER_GID.first else None,
        shell=account.shell,
        home=account.home or (f"/Users/{account.name}" if numbered else ""),
        hint=account.hint,
        picture=account.picture,
        admin=account.admin,
    )
    return [sysadminctl.add_user(user, secrets["password"])]


def _set_password(step: do.SetPassword, mac: Mac, secrets: Secrets) -> Command:
    new = secrets[step.new]
    if step.how == "granter":
        return sysadminctl.reset_password(step.user, new, step.granter, secrets["admin_password"])
    if step.how == "root":
        return sysadminctl.reset_password(step.user, new)
    if mac.version >= ASKS_OLD_PASSWORD.first:
        return dscl.change_password(step.user, secrets[step.old], new)
    account = mac.account(step.user)
    uid = account.uid if account is not None and account.uid is not None else 0
    return sysadminctl.change_own_password(step.user, uid, secrets[step.old], new)
