# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide what the Bootstrap Token and a graphical login do to a Mac's state."""

from __future__ import annotations

from maclab import directory, faults, network, rules, vault
from maclab.state import Account, CryptoUser, Mac

BOOTSTRAP_UUID = "2457711A-523C-4604-B75A-F48A571D5036"
KIND = "MDMRecovery"
DAY = 23 * 3600.0


def reachable(mac: Mac) -> bool:
    """Tell whether the device management answers."""
    return faults.find(mac, "mdm_unreachable", "profiles", ()) is None


def eligible(mac: Mac) -> bool:
    """Tell whether the enrollment is one that a Bootstrap Token goes with."""
    mdm = mac.mdm
    return {
        "ade": mdm.enrolled == "ade",
        "user_approved": mdm.enrolled == "ade" or (mdm.enrolled != "no" and mdm.user_approved),
        "supervised": mdm.enrolled != "no" and mdm.supervised,
    }[rules.BOOTSTRAP_ENROLLMENT.at(mac.version_tuple)]


def may_make(mac: Mac, account: Account, password: str) -> bool:
    """Tell whether the account may make one by hand: an administrator whose token opens the volume."""
    return directory.is_admin(mac, account) and directory.unlock_key(mac, account, password)


def create(mac: Mac) -> None:
    """Give the volume a key for the device management; what the server had before opens nothing any more."""
    mac.crypto_users[BOOTSTRAP_UUID] = CryptoUser(BOOTSTRAP_UUID, KIND, mac.hardware == "apple-silicon")
    mac.mdm.bootstrap_stale = mac.mdm.bootstrap_escrowed


def escrow(mac: Mac) -> bool:
    if not reachable(mac):
        return False
    mac.mdm.bootstrap_escrowed = True
    mac.mdm.bootstrap_stale = False
    return True


def remove(mac: Mac) -> None:
    """Take the key off the volume, and the token off a server that can be reached; else that one goes stale."""
    mac.crypto_users.pop(BOOTSTRAP_UUID, None)
    if reachable(mac):
        mac.mdm.bootstrap_escrowed = False
        mac.mdm.bootstrap_stale = False
    else:
        mac.mdm.bootstrap_stale = mac.mdm.bootstrap_escrowed


def works(mac: Mac) -> bool:
    """Tell whether the token that the server has opens this volume."""
    return mac.mdm.bootstrap_escrowed and not mac.mdm.bootstrap_stale and BOOTSTRAP_UUID in mac.crypto_users


def too_soon(mac: Mac, now: float) -> bool:
    """Count a question for the enrollment's configuration; true when there were too many."""
    allowed = rules.ENROLLMENT_REQUESTS.at(mac.version_tuple)
    mac.mdm.asked_at[:] = [then for then in mac.mdm.asked_at if now - then < DAY]
    if allowed and len(mac.mdm.asked_at) >= allowed:
        return True
    mac.mdm.asked_at.append(now)
    return False


# --- graphical login ------------------------------------------------------------------------------


class LoginRefused(ValueError):
    """Why nobody got in at the screen."""


def log_in(mac: Mac, name: str, password: str | None, now: float) -> list[str]:
    """Let somebody log in at the screen and return what came of it; without a password it is the right one.

    Only this grants by the Bootstrap Token, makes one, and makes a deferral come true: an SSH login does none of it.
    """
    account = directory.find(mac, name)
    if account is None or account.service:
        raise LoginRefused(f"{mac.name} has no account {name!r} that logs in at the screen")
    if mac.locked:
        raise LoginRefused(f"{mac.name} waits for somebody to unlock FileVault (maclab unlock)")
    held = directory.is_holder(mac, account)
    typed = network.right_password(mac, account) or "" if password is None else password
    verdict = directory.authenticate(mac, name, typed, now)
    if not verdict:
        raise LoginRefused(f"{name} did not get in: {verdict.value}")
    done = [] if held or not directory.is_holder(mac, account) else ["first token"]
    if name not in mac.logged_in:
        mac.logged_in.append(name)
    if _is_granted(mac, account):
        directory.give_token(mac, account)
        done.append("token granted by the Bootstrap Token")
    if _makes_token(mac, account):
        create(mac)
        done.append("Bootstrap Token created")
        done += ["Bootstrap Token escrowed"] if escrow(mac) else []
    if vault.fires(mac, account):
        vault.fire(mac, account, now)
        done.append("FileVault enabled by the deferral")
    return done


def _is_granted(mac: Mac, account: Account) -> bool:
    who = rules.BOOTSTRAP_GRANTS.at(mac.version_tuple)
    meant = who == "everybody" or (
        who == "mobile_and_managed_admin" and (account.kind == "mobile" or account.name == mac.mdm.managed_admin)
    )
    blank = not account.password
    return meant and not blank and not directory.is_holder(mac, account) and works(mac) and reachable(mac)


def _makes_token(mac: Mac, account: Account) -> bool:
    supported = mac.mdm.bootstrap_supported and mac.mdm.bootstrap_status_error is None
    wanted = rules.BOOTSTRAP_AT_LOGIN.at(mac.version_tuple) and supported and not mac.mdm.bootstrap_escrowed
    return wanted and eligible(mac) and directory.is_holder(mac, account)
