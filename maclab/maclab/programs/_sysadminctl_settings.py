# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show and change the settings that sysadminctl has beside accounts, where somebody has shown the answer."""

from __future__ import annotations

from maclab import directory, vault
from maclab.call import Call
from maclab.programs._sysadminctl import Request, admin_secret, full_name, secret, tell
from maclab.texts import say

OFF, IMMEDIATE = "off", "immediate"
KNOWN = "-screenLock and -autologin, -guestAccount and -smbGuestAccess on, off and status, -filesystem status"


async def unmodelled(call: Call, request: Request) -> int:
    return call.refuse(KNOWN)


async def screen_lock(call: Call, request: Request) -> int:
    """Only the user at the screen changes it, and by the password."""
    wanted, settings = request.values["-screenLock"], call.mac.settings
    if wanted == "status":
        known = settings.screen_lock in (OFF, IMMEDIATE)
        key = f"screen_lock_{settings.screen_lock}" if known else "screen_lock_seconds"
        tell(call, key, **({} if known else {"seconds": settings.screen_lock}))
        return 0
    if wanted not in (OFF, IMMEDIATE) and not wanted.isdigit():
        return call.refuse(KNOWN)
    if request.get("-password") is None:
        tell(call, "password_required")
        return 0
    prompt = say("sysadminctl.prompt_admin", call.mac.version_tuple, full_name=full_name(call.mac, call.user))
    right = directory.authenticate(call.mac, call.user, await secret(call, request.get("-password") or "", prompt))
    call.authenticated(call.user, bool(right))
    if not right:
        await call.commit()
        return call.refuse("-screenLock with the right password of the user at the screen")
    if call.user in call.mac.logged_in:
        settings.screen_lock = wanted
        call.wrote("screen lock set")
        await call.commit()
    return 0


async def autologin(call: Call, request: Request) -> int:
    """Over SSH nobody is at the screen, and macOS sets nothing (transcript autologin-err22)."""
    wanted, settings = request.values["-autologin"], call.mac.settings
    if "interactive" in request.flags:
        return call.refuse(KNOWN)
    if wanted == "set":
        await secret(call, request.get("-password") or "", say("sysadminctl.prompt_user", call.mac.version_tuple))
        if request.granter is not None:
            await admin_secret(call, request)
        tell(call, "autologin_refused")
        return 0
    if wanted == OFF:
        if not call.is_root:
            return call.refuse(f"{KNOWN}, to set them as root only")
        settings.autologin = ""
        call.wrote("automatic login off")
        await call.commit()
        return 0
    if wanted != "status":
        return call.refuse(KNOWN)
    if settings.autologin:
        tell(call, "autologin_user", user=settings.autologin)
    else:
        tell(call, "autologin_filevault" if vault.is_on(call.mac) else "autologin_off")
    return 0


async def guest_account(call: Call, request: Request) -> int:
    return await _switch(call, request.values["-guestAccount"], "guest", "guest_account")


async def smb_guest(call: Call, request: Request) -> int:
    return await _switch(call, request.values["-smbGuestAccess"], "smb", "smb_guest")


async def _switch(call: Call, wanted: str, key: str, setting: str) -> int:
    if wanted == "status":
        tell(call, key, state="enabled" if getattr(call.mac.settings, setting) else "disabled")
        return 0
    if wanted not in ("on", OFF) or not call.is_root:
        return call.refuse(f"{KNOWN}, to set them as root only")
    setattr(call.mac.settings, setting, wanted == "on")
    call.wrote(f"{setting} {wanted}")
    await call.commit()
    return 0


async def filesystem(call: Call, request: Request) -> int:
    if request.values["-filesystem"] != "status" or call.mac.filesystem != "apfs":
        return call.refuse(KNOWN)
    tell(call, "filesystem_cs", answer="NO")
    tell(call, "filesystem_apfs", answer="YES" if vault.is_on(call.mac) else "NO")
    return 0
