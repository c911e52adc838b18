# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the YAML that a person writes into Macs, and says exactly what is wrong where it cannot."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from maclab import directory, faults, inactivity, models, network, rules, sso, updates, vault
from maclab.bootstrap import BOOTSTRAP_UUID
from maclab.state import (
    DISABLED_TAG,
    MDM,
    SECURE_TOKEN,
    Account,
    CryptoUser,
    DirectoryUser,
    FileVault,
    Group,
    Link,
    Mac,
    NetworkDirectory,
    PlatformSSO,
    Policy,
    Settings,
    Update,
    Waiting,
)
from maclab.vault import PRK_UUID

SHADOW_HASH = ";ShadowHash;HASHLIST:<SALTED-SHA512-PBKDF2,SRP-RFC5054-4096-SHA512-PBKDF2>"
EPOCH = 1735689600.0

MAC_KEYS = (
    "macos build hardware model filesystem device python ssh_user port count accounts groups crypto_users "
    "filevault mdm directory policy preboot root_locked_out logged_in locked reboot_seconds launchd_seconds faults "
    "sudo_password requiretty settings preboot_ssh updates prepare_seconds platform_sso network installer"
).split()
ACCOUNT_KEYS = (
    "name full_name uid gid generated_uid kind admin password key_password token disabled_tag authority hidden shell "
    "home home_exists hint picture locked disabled failed_logins attributes service sudo_password shell_banner "
    "idle_days prehashed"
).split()
TOKEN_KEYS = ("authority", "crypto", "filevault", "owner")
FILEVAULT_STATES = (
    "off",
    "on",
    "encrypting",
    "decrypting",
    "pending",
    "off_needs_restart",
    "on_needs_restart",
    "off_will_enable",
)
FILEVAULT_KEYS = "state percent advance deferred_user deferral_path prk irk master_keychain".split()
MDM_KEYS = (
    "enrolled user_approved server supervised managed_admin escrow_profile prk_escrowed forbids_filevault bootstrap "
    "token_dialog_bypass recovery_lock"
).split()
SETTINGS_KEYS = (
    "screen_lock autologin guest_account smb_guest sip authenticated_root version_extra power battery activation_lock "
    "firmware_password"
).split()
POWER = ("ac", "battery", "ups")
DIRECTORY_KEYS = "node online users".split()
DIRECTORY_USER_KEYS = "name full_name uid generated_uid password".split()
BOOTSTRAP_KEYS = "supported escrowed stale error".split()
PREBOOT_SSH_KEYS = "after_unlock password_method says_unknown enabled host_keys".split()
NETWORK_KEYS = "kind interface security ieee8021x".split()
SECURITIES = "NONE WEP WPA_PSK WPA2_PSK WPA3_SAE WPA2_ENTERPRISE WPA3_ENTERPRISE".split()
UPDATE_KEYS = "version build title label size restart downloaded".split()
INSTALLER_KEYS = "path version build".split()
SSO_KEYS = (
    "extension display_name registered method filevault login unlock exempt offline_hours unregistered_hours".split()
)
SSO_POLICIES = {
    "filevault": sso.EVERYWHERE,
    "login": sso.EVERYWHERE,
    "unlock": (*sso.EVERYWHERE, sso.TOUCH_ID_TO_UNLOCK),
}
AFTER_UNLOCK = ("failure", "close", "hang")
CRYPTO_KINDS = ("LocalOpenDirectory", "PersonalRecovery", "MDMRecovery", "iCloudRecovery", "DiskUser", "Unknown")
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
SHORT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@'+-]*")
"""Of an account: identity providers and directories have addresses and apostrophes."""

_IN_SHORT_NAMES = "letters, digits, '_', '.', '-', '@', '+' and the apostrophe"


class ScenarioError(ValueError):
    """Names the file, the Mac, the key, the wrong value and what is allowed."""


@dataclass(frozen=True)
class Planned:
    """A Mac as the scenario describes it; `port` None means any free one."""

    mac: Mac
    port: int | None


def load(path: Path) -> dict[str, Planned]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from None
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path}: not YAML: {error}") from None
    return parse(data, str(path))


def parse(data: Any, source: str) -> dict[str, Planned]:
    top = _Keys(source, data)
    top.only(["macs", "sudo_password"])
    asks = top.flag("sudo_password", True)
    described = top.mapping("macs")
    if not described:
        raise top.wrong("macs", described, "at least one Mac")
    planned: dict[str, Planned] = {}
    for name, value in described.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise top.wrong("macs", name, "names of letters, digits, '_', '.' and '-'; numbers in quotes")
        keys = _Keys(f"{source}: {name}", value)
        for stamped, port in _stamps(name, keys):
            if stamped in planned:
                raise top.wrong("macs", stamped, "a name that no other Mac has")
            planned[stamped] = Planned(_mac(stamped, keys, asks), port)
    return planned


def _stamps(name: str, keys: _Keys) -> Iterable[tuple[str, int | None]]:
    count = keys.number("count", 0, 0, 999)
    port = keys.number("port", 0, 0, 65535) or None
    if "count" not in keys.data:
        return [(name, port)]
    return [(f"{name}-{index:03d}", port + index - 1 if port else None) for index in range(1, count + 1)]


class _Keys:
    """One mapping of the scenario, with checks that know where they are."""

    def __init__(self, where: str, data: Any) -> None:
        if not isinstance(data, dict):
            raise ScenarioError(f"{where}: {data!r} (allowed: a mapping)")
        self.where = where
        self.data: dict[str, Any] = data

    def wrong(self, key: str, value: Any, allowed: str) -> ScenarioError:
        return ScenarioError(f"{self.where}: {key}: {value!r} (allowed: {allowed})")

    def only(self, allowed: Iterable[str]) -> None:
        known = list(allowed)
        for key in self.data:
            if key not in known:
                raise ScenarioError(f"{self.where}: no such key: {key!r} (allowed: {', '.join(known)})")

    def text(self, key: str, default: str) -> str:
        value = self.data.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, value, "text; put numbers and words like on, off, yes, no in quotes")
        return value

    def optional_text(self, key: str) -> str | None:
        return None if self.data.get(key) is None else self.text(key, "")

    def choice(self, key: str, default: str, allowed: Iterable[str]) -> str:
        value = self.data.get(key, default)
        if isinstance(value, bool):  # YAML reads an unquoted on, off, yes or no as a boolean
            words = ("on", "yes") if value else ("off", "no")
            value = next((word for word in words if word in allowed), value)
        if value not in allowed:
            raise self.wrong(key, value, ", ".join(allowed))
        return str(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true, false")
        return value

    def optional_flag(self, key: str) -> bool | None:
        return None if self.data.get(key) is None else self.flag(key, False)

    def number(self, key: str, default: int, least: int, most: int) -> int:
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(key, value, f"a whole number from {least} to {most}")
        return value

    def seconds(self, key: str, default: float, most: float) -> float:
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise self.wrong(key, value, f"seconds from 0 to {most:g}")
        return float(value)

    def mapping(self, key: str) -> dict[str, Any]:
        value = self.data.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, value, "a mapping")
        return value

    def listed(self, key: str) -> list[Any]:
        value = self.data.get(key, [])
        if not isinstance(value, list):
            raise self.wrong(key, value, "a list")
        return value

    def inner(self, key: str, index: int | None = None) -> _Keys:
        if index is None:
            return _Keys(f"{self.where}: {key}", self.mapping(key))
        return _Keys(f"{self.where}: {key}[{index}]", self.listed(key)[index])


def _mac(name: str, keys: _Keys, asks: bool) -> Mac:
    keys.only(MAC_KEYS)
    version = keys.text("macos", "")
    if not re.fullmatch(r"\d+\.\d+(\.\d+)?", version) or models.too_old(version):
        raise keys.wrong("macos", version, 'a version from 10.13, in quotes, such as "15.6"')
    hardware = keys.choice("hardware", models.default_hardware(version), models.HARDWARE)
    if hardware == "apple-silicon" and int(version.split(".")[0]) < 11:
        raise keys.wrong("hardware", hardware, "t2, intel: macOS before 11 does not run on Apple silicon")
    filesystem = keys.choice("filesystem", "apfs", ("apfs", "hfs"))
    mac = Mac(
        name=name,
        version=version,
        build=keys.text("build", models.build(version)),
        hardware=hardware,
        model=keys.text("model", models.model(version, hardware)),
        filesystem=filesystem,
        device=keys.text("device", models.device(version, hardware, filesystem)),
        policy=_policy(keys.inner("policy")),
        root_locked_out=keys.flag("root_locked_out", False),
        booted_at=EPOCH,
        reboot_seconds=keys.seconds("reboot_seconds", 1.0, 600),
        launchd_seconds=keys.seconds("launchd_seconds", 0.0, 3600),
        python=_python(keys),
        sudo_password=keys.flag("sudo_password", asks),
        requiretty=keys.flag("requiretty", False),
    )
    mac.network = _network(mac, keys)
    _add_system_records(mac)
    _add_accounts(mac, keys)
    _lock(mac)
    _add_groups(mac, keys)
    mac.mdm = _mdm(mac, keys.inner("mdm"))
    mac.filevault = _filevault(mac, keys.inner("filevault"))
    _add_escrow(mac, keys.inner("mdm"))
    _add_crypto_users(mac, keys)
    _add_tokens(mac, keys)
    mac.preboot = _preboot(mac, keys)
    mac.logged_in = [_account_name(mac, keys, "logged_in", who) for who in keys.listed("logged_in")]
    mac.locked = _locked(mac, keys)
    mac.settings = _settings(mac, keys.inner("settings"))
    mac.waiting = _waiting(keys.inner("preboot_ssh"))
    mac.updates = [_update(keys.inner("updates", index)) for index in range(len(keys.listed("updates")))]
    mac.prepare_seconds = keys.seconds("prepare_seconds", 0.0, 3600)
    _add_installer(mac, keys)
    mac.sso = _sso(mac, keys)
    mac.link = _link(keys.inner("network"))
    mac.ssh_user = _ssh_user(mac, keys)
    _add_faults(mac, keys)
    return mac


def _python(keys: _Keys) -> str:
    wanted = keys.text("python", "")
    if wanted and not re.fullmatch(r"none|stub|\d(\.\d+)?", wanted):
        raise keys.wrong("python", wanted, 'a version such as "3.9", none for a Mac without Python, or stub')
    return wanted


def guid(*parts: str) -> str:
    """The same scenario always gives the same GUIDs, so that a failure can be run again."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "maclab:" + "/".join(parts))).upper()


def salt(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def _add_system_records(mac: Mac) -> None:
    for record in models.SYSTEM_ACCOUNTS:
        mac.accounts[record.name] = Account(
            name=record.name,
            full_name=record.full_name,
            uid=record.uid,
            gid=record.gid,
            generated_uid=record.generated_uid,
            shell=record.shell,
            home=record.home,
            created_at=EPOCH,
            salt=salt(mac.name, record.name),
            service=True,
        )
    mac.groups = models.system_groups()


def _add_accounts(mac: Mac, keys: _Keys) -> None:
    if not keys.listed("accounts"):
        raise keys.wrong("accounts", keys.data.get("accounts"), "a list with at least one account")
    for index in range(len(keys.listed("accounts"))):
        entry = keys.inner("accounts", index)
        entry.only(ACCOUNT_KEYS)
        account = _account(mac, entry)
        mac.accounts[account.name] = account
        if entry.flag("admin", False):
            directory.make_admin(mac, account)
        if entry.flag("disabled", False):
            directory.disable(mac, account)


_USUAL_LIMIT = 5
"""Failed logins that lock an account, where the scenario names an account that is locked and no limit."""


def _lock(mac: Mac) -> None:
    """Let a locked account show what has locked it: a rule of the Mac, and as many failed logins as that allows."""
    for account in mac.accounts.values():
        if account.locked:
            mac.policy.max_failed = mac.policy.max_failed or _USUAL_LIMIT
            account.failed_logins = max(account.failed_logins, mac.policy.max_failed)


def _account(mac: Mac, entry: _Keys) -> Account:
    name = entry.text("name", "")
    if not SHORT_NAME.fullmatch(name):
        raise entry.wrong("name", name, _IN_SHORT_NAMES)
    if name in mac.accounts:
        raise entry.wrong("name", name, "a name that no other account has")
    uid = entry.number("uid", _free_uid(mac), 0, 2**31 - 1)
    if mac.by_uid(uid) is not None:
        raise entry.wrong("uid", uid, f"a UID that no other account has; {uid} is {_owner_of(mac, uid)}'s")
    password = entry.optional_text("password")
    kind = entry.choice("kind", "local", ("local", "mobile"))
    account = Account(
        name=name,
        full_name=entry.text("full_name", name),
        uid=uid,
        gid=entry.number("gid", 20, 0, 2**31 - 1),
        generated_uid=entry.text("generated_uid", guid(mac.name, name)).upper(),
        kind=kind,
        password=password,
        hidden=entry.flag("hidden", False),
        shell=entry.text("shell", "/bin/zsh"),
        home=entry.text("home", f"/Users/{name}"),
        home_exists=entry.flag("home_exists", True),
        hint=entry.text("hint", ""),
        picture=entry.text("picture", ""),
        created_at=EPOCH + uid,
        password_set_at=None if password is None else EPOCH + uid,
        failed_logins=entry.number("failed_logins", 0, 0, 999),
        locked=entry.flag("locked", False),
        salt=salt(mac.name, name),
        attributes=_attributes(entry),
        service=entry.flag("service", False),
        sudo_password=entry.optional_flag("sudo_password"),
        shell_banner=_banner(entry),
        authenticated_at=_last_use(entry),
    )
    account.authority = _authority(mac, account, entry)
    return account


def _last_use(entry: _Keys) -> float | None:
    if "idle_days" not in entry.data:
        return None
    return time.time() - entry.number("idle_days", 0, 0, 99999) * inactivity.DAY


def _banner(entry: _Keys) -> str:
    banner = entry.text("shell_banner", "")
    if not banner.isprintable():
        raise entry.wrong("shell_banner", banner, "one line of text, which the shell prints before every command")
    return banner


def _free_uid(mac: Mac) -> int:
    return max([500, *(account.uid for account in mac.accounts.values() if account.uid < 60000)]) + 1


def _owner_of(mac: Mac, uid: int) -> str:
    owner = mac.by_uid(uid)
    return owner.name if owner else "nobody"


def _attributes(entry: _Keys) -> dict[str, list[str]]:
    attributes: dict[str, list[str]] = {}
    for key, value in entry.mapping("attributes").items():
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) for one in values):
            raise entry.wrong(f"attributes: {key}", value, "text or a list of texts")
        attributes[key] = values
    return attributes


def _authority(mac: Mac, account: Account, entry: _Keys) -> list[str]:
    if "authority" in entry.data:
        return [str(value) for value in entry.listed("authority")]
    values: list[str] = []
    if account.password is not None:
        realm = "LKDC:SHA1." + hashlib.sha1(mac.name.encode()).hexdigest().upper()
        values += [SHADOW_HASH, f";Kerberosv5;;{account.name}@{realm};{realm};"]
    if account.kind == "mobile":
        values.append(network.cached_user(network.node_of(mac), account.name, account.generated_uid))
    if entry.flag("disabled_tag", False):
        values.append(DISABLED_TAG)
    return values


def _add_tokens(mac: Mac, keys: _Keys) -> None:
    for index in range(len(keys.listed("accounts"))):
        entry = keys.inner("accounts", index)
        account = mac.accounts[entry.text("name", "")]
        wanted = _token(mac, entry)
        if wanted["authority"] and SECURE_TOKEN not in account.authority:
            account.authority.append(SECURE_TOKEN)
        if wanted["crypto"]:
            user = CryptoUser(account.generated_uid, "LocalOpenDirectory", wanted["owner"])
            mac.crypto_users[account.generated_uid] = user
            account.key_password = account.password
        if "key_password" in entry.data:
            account.key_password = entry.optional_text("key_password")
        if entry.flag("prehashed", False):
            _prehash(account, entry)
        if wanted["crypto"] and not wanted["filevault"]:
            mac.filevault.hidden_users.append(account.generated_uid)
        if wanted["filevault"] and not wanted["crypto"]:
            mac.filevault.ghosts.append(account.generated_uid)


def _prehash(account: Account, entry: _Keys) -> None:
    """Let the password have come as a hash, as that of an MDM's administrator does: no login has been there yet."""
    if account.kind != "local" or not account.password or account.key_password is not None:
        raise entry.wrong("prehashed", True, "that of a local account with a password and without a token")
    account.attributes[directory.PREHASHED] = ["1"]


def _token(mac: Mac, entry: _Keys) -> dict[str, bool]:
    """`token: true` is a whole one; a mapping says which of the three sources know it (a phantom otherwise)."""
    value = entry.data.get("token", False)
    if isinstance(value, bool):
        wanted = dict.fromkeys(TOKEN_KEYS, value)
        wanted["owner"] = value and mac.hardware == "apple-silicon"
    elif isinstance(value, dict):
        parts = entry.inner("token")
        parts.only(TOKEN_KEYS)
        wanted = {key: parts.flag(key, False) for key in TOKEN_KEYS}
        wanted["owner"] = parts.flag("owner", wanted["crypto"] and mac.hardware == "apple-silicon")
    else:
        raise entry.wrong("token", value, f"true, false, or a mapping of {', '.join(TOKEN_KEYS)}")
    if wanted["crypto"] and mac.filesystem == "hfs":
        raise entry.wrong("token", value, "no token on an hfs volume: Secure Tokens need apfs")
    if wanted["crypto"] and not entry.data.get("password"):
        raise entry.wrong("token", value, "a token only with a password that is not empty")
    return wanted


def _add_groups(mac: Mac, keys: _Keys) -> None:
    for name in keys.mapping("groups"):
        entry = _Keys(f"{keys.where}: groups: {name}", keys.mapping("groups")[name])
        entry.only(["gid", "members", "nested"])
        members = [_account_name(mac, entry, "members", member) for member in entry.listed("members")]
        group = mac.groups.get(name)
        if group is None:
            gid = entry.number("gid", max(501, *(other.gid + 1 for other in mac.groups.values())), 0, 2**31 - 1)
            group = mac.groups[name] = Group(name, gid, guid(mac.name, "group", name))
        group.members += [member for member in members if member not in group.members]
        guids = [mac.accounts[member].generated_uid for member in members]
        group.member_guids += [value for value in guids if value not in group.member_guids]
        for other in entry.listed("nested"):
            if other not in mac.groups:
                raise entry.wrong("nested", other, ", ".join(mac.groups))
            group.nested.append(mac.groups[other].generated_uid)


def _account_name(mac: Mac, keys: _Keys, key: str, value: Any) -> str:
    if not isinstance(value, str) or value not in mac.accounts:
        allowed = [account.name for account in mac.accounts.values() if not account.service]
        raise keys.wrong(key, value, f"accounts of this Mac: {', '.join(allowed)}")
    return value


def _filevault(mac: Mac, keys: _Keys) -> FileVault:
    keys.only(FILEVAULT_KEYS)
    described = FileVault(
        state=keys.choice("state", "off", FILEVAULT_STATES),
        irk=keys.flag("irk", False),
        master_keychain=keys.flag("master_keychain", False),
    )
    for key in ("percent", "advance"):
        if keys.data.get(key) is not None:
            setattr(described, key, _percent(keys, key))
    if keys.data.get("deferred_user") is not None:
        anybody = keys.data["deferred_user"] == ""
        described.deferred_user = (
            "" if anybody else _account_name(mac, keys, "deferred_user", keys.data["deferred_user"])
        )
    described.deferral.path = keys.text("deferral_path", described.deferral.path)
    prk = keys.data.get("prk", False)
    if isinstance(prk, bool):
        described.prk = vault.key_number(mac.name, 0) if prk else None
    elif isinstance(prk, str) and re.fullmatch(r"[A-Z0-9]{4}(-[A-Z0-9]{4}){5}", prk):
        described.prk = prk
    else:
        raise keys.wrong("prk", prk, "true, false, or a key such as ABCD-EFGH-2345-ABCD-EFGH-2345")
    return described


def _percent(keys: _Keys, key: str) -> float:
    percent = keys.data[key]
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
        raise keys.wrong(key, percent, "a number from 0 to 100")
    return float(percent)


def _add_escrow(mac: Mac, keys: _Keys) -> None:
    """A key that a profile escrows has been escrowed, unless the scenario says that it was made before."""
    if keys.flag("prk_escrowed", mac.mdm.escrow_profile and mac.filevault.prk is not None):
        vault.escrow_key(mac, EPOCH)


def _locked(mac: Mac, keys: _Keys) -> bool:
    locked = keys.flag("locked", False)
    if locked and not vault.is_on(mac):
        raise keys.wrong("locked", locked, "true only where FileVault is on")
    return locked


def _add_crypto_users(mac: Mac, keys: _Keys) -> None:
    if mac.filesystem == "apfs" and mac.filevault.prk:
        mac.crypto_users[PRK_UUID] = CryptoUser(PRK_UUID, "PersonalRecovery", mac.hardware == "apple-silicon")
    if mac.filesystem == "apfs" and mac.mdm.bootstrap_escrowed:
        mac.crypto_users[BOOTSTRAP_UUID] = CryptoUser(BOOTSTRAP_UUID, "MDMRecovery", mac.hardware == "apple-silicon")
    for index in range(len(keys.listed("crypto_users"))):
        entry = keys.inner("crypto_users", index)
        entry.only(["uuid", "kind", "owner"])
        kind = entry.choice("kind", "LocalOpenDirectory", CRYPTO_KINDS)
        identity = entry.text("uuid", guid(mac.name, "crypto", str(index))).upper()
        mac.crypto_users[identity] = CryptoUser(identity, kind, entry.flag("owner", mac.hardware == "apple-silicon"))


def _preboot(mac: Mac, keys: _Keys) -> list[str]:
    if "preboot" in keys.data:
        names = [_account_name(mac, keys, "preboot", name) for name in keys.listed("preboot")]
        return [mac.accounts[name].generated_uid for name in names]
    known = {account.generated_uid for account in mac.accounts.values()}
    return [identity for identity in mac.crypto_users if identity in known]


def _waiting(keys: _Keys) -> Waiting:
    keys.only(PREBOOT_SSH_KEYS)
    return Waiting(
        keys.choice("after_unlock", AFTER_UNLOCK[0], AFTER_UNLOCK),
        keys.optional_flag("password_method"),
        says_unknown=keys.flag("says_unknown", False),
        enabled=keys.optional_flag("enabled") if "enabled" in keys.data else True,
        host_keys=keys.choice("host_keys", "same", ("same", "other", "missing")),
    )


def _link(keys: _Keys) -> Link:
    keys.only(NETWORK_KEYS)
    kind = keys.choice("kind", "ethernet", ("ethernet", "wifi", "vpn", "none"))
    interface = keys.text("interface", "utun4" if kind == "vpn" else "en0")
    security = keys.choice("security", "WPA2_PSK", SECURITIES)
    return Link(kind, interface, security, keys.flag("ieee8021x", "ENTERPRISE" in security and kind == "wifi"))


def _update(keys: _Keys) -> Update:
    """Read an offer: a version alone is a macOS as Apple names it."""
    keys.only(UPDATE_KEYS)
    version = keys.text("version", "")
    if not re.fullmatch(r"\d+(\.\d+){0,2}", version):
        raise keys.wrong("version", version, 'a version in quotes, such as "15.6.1"')
    build = keys.text("build", models.build(version if "." in version else f"{version}.0"))
    title = keys.text("title", updates.title(version))
    return Update(
        title=title,
        label=keys.text("label", f"{title}-{build}"),
        version=version,
        build=build,
        size=keys.number("size", 4000000, 0, 10**9),
        restart=keys.flag("restart", True),
        downloaded=keys.flag("downloaded", False),
    )


def _add_installer(mac: Mac, keys: _Keys) -> None:
    if "installer" not in keys.data:
        return
    described = keys.inner("installer")
    described.only(INSTALLER_KEYS)
    version = described.text("version", "")
    if not re.fullmatch(r"\d+(\.\d+){0,2}", version):
        raise described.wrong("version", version, 'a version in quotes, such as "26.1"')
    name = updates.title(version).removesuffix(f" {version}")
    path = described.text("path", f"/Applications/Install {name}.app")
    if not path.startswith("/"):
        raise described.wrong("path", path, "an absolute path")
    build = described.text("build", models.build(version if "." in version else f"{version}.0"))
    updates.put_installer(mac, path, version, build)


def _sso(mac: Mac, keys: _Keys) -> PlatformSSO:
    """Read Platform SSO: a profile asks for it where the scenario describes it."""
    if "platform_sso" not in keys.data:
        return PlatformSSO()
    described = keys.inner("platform_sso")
    described.only(SSO_KEYS)
    version = mac.version_tuple
    if not rules.PLATFORM_SSO.at(version):
        raise keys.wrong("platform_sso", keys.data["platform_sso"], "none before macOS 13")
    policies: dict[str, list[str]] = {}
    for where, known in SSO_POLICIES.items():
        policies[where] = described.listed(where)
        for word in policies[where]:
            if word not in known:
                raise described.wrong(where, word, ", ".join(known))
        if policies[where] and not rules.SSO_POLICIES.at(version):
            raise described.wrong(where, policies[where], "none before macOS 15")
    return PlatformSSO(
        extension=described.text("extension", sso.EXTENSION),
        display_name=described.text("display_name", sso.DISPLAY_NAME),
        registered=described.flag("registered", True),
        method=described.choice("method", "password", sso.METHODS),
        exempt=[str(name) for name in described.listed("exempt")],
        offline_hours=described.number("offline_hours", 0, 0, 9999),
        unregistered_hours=described.number("unregistered_hours", 0, 0, 9999),
        **policies,
    )


def _network(mac: Mac, keys: _Keys) -> NetworkDirectory:
    """A Mac is bound to a directory where the scenario describes one."""
    if "directory" not in keys.data:
        return NetworkDirectory()
    described = keys.inner("directory")
    described.only(DIRECTORY_KEYS)
    node = described.text("node", network.DEFAULT_NODE)
    if not node.startswith("/") or node in ("/Local/Default", "/Search"):
        raise described.wrong("node", node, f"a path such as {network.DEFAULT_NODE}")
    bound = NetworkDirectory(node, described.flag("online", True))
    for index in range(len(described.listed("users"))):
        entry = described.inner("users", index)
        entry.only(DIRECTORY_USER_KEYS)
        name = entry.text("name", "")
        if not SHORT_NAME.fullmatch(name) or name in bound.users:
            raise entry.wrong("name", name, f"{_IN_SHORT_NAMES}, and nobody twice")
        if not entry.text("password", ""):
            raise entry.wrong("password", entry.data.get("password"), "text that is not empty")
        identity = entry.text("generated_uid", guid("directory", node, name)).upper()
        # Active Directory's plug-in makes the number of the first bits of the identity.
        uid = entry.number("uid", int(identity[:8], 16) & 0x7FFFFFFF, 1000, 2**31 - 1)
        full_name = entry.text("full_name", name)
        bound.users[name] = DirectoryUser(name, full_name, uid, identity, entry.text("password", ""))
    return bound


def _mdm(mac: Mac, keys: _Keys) -> MDM:
    keys.only(MDM_KEYS)
    enrolled = keys.choice("enrolled", "no", ("no", "user", "ade"))
    bootstrap = keys.inner("bootstrap")
    bootstrap.only(BOOTSTRAP_KEYS)
    escrowed = bootstrap.flag("escrowed", False)
    approved = keys.flag("user_approved", enrolled != "no")
    supervised = approved and rules.SUPERVISED_BY_APPROVAL.at(mac.version_tuple)
    managed_admin = keys.data.get("managed_admin")
    bypass = keys.data.get("token_dialog_bypass")
    return MDM(
        enrolled=enrolled,
        user_approved=approved,
        server=keys.text("server", "" if enrolled == "no" else "https://mdm.example.test/mdm"),
        supervised=keys.flag("supervised", enrolled == "ade" or supervised),
        bootstrap_supported=bootstrap.flag("supported", escrowed or enrolled == "ade"),
        bootstrap_escrowed=escrowed,
        bootstrap_stale=bootstrap.flag("stale", False),
        managed_admin="" if managed_admin is None else _account_name(mac, keys, "managed_admin", managed_admin),
        escrow_profile=keys.flag("escrow_profile", False),
        forbids_filevault=keys.flag("forbids_filevault", False),
        token_dialog_bypass=None if bypass is None else keys.flag("token_dialog_bypass", False),
        bootstrap_status_error=bootstrap.optional_text("error"),
        recovery_lock=keys.flag("recovery_lock", False),
    )


def _policy(keys: _Keys) -> Policy:
    keys.only(["min_length", "max_failed", "pattern", "xml"])
    return Policy(
        min_length=keys.number("min_length", 0, 0, 999),
        max_failed=keys.number("max_failed", 0, 0, 999),
        pattern=keys.text("pattern", ""),
        xml=keys.optional_text("xml"),
    )


def _settings(mac: Mac, keys: _Keys) -> Settings:
    keys.only(SETTINGS_KEYS)
    screen_lock = keys.data.get("screen_lock", "off")
    if not (isinstance(screen_lock, str) and screen_lock.isdigit()):
        screen_lock = keys.choice("screen_lock", "off", ("off", "immediate"))
    autologin = keys.data.get("autologin")
    return Settings(
        screen_lock=screen_lock,
        autologin="" if autologin is None else _account_name(mac, keys, "autologin", autologin),
        guest_account=keys.optional_flag("guest_account"),
        smb_guest=keys.optional_flag("smb_guest"),
        sip=keys.flag("sip", True),
        authenticated_root=keys.flag("authenticated_root", True),
        version_extra=keys.text("version_extra", ""),
        power=keys.choice("power", "ac", POWER),
        battery=None if keys.data.get("battery") is None else keys.number("battery", 100, 0, 100),
        activation_lock=keys.optional_flag("activation_lock"),
        firmware_password=keys.flag("firmware_password", False),
    )


def _ssh_user(mac: Mac, keys: _Keys) -> str:
    if "ssh_user" in keys.data:
        return _account_name(mac, keys, "ssh_user", keys.data["ssh_user"])
    people = [account for account in mac.accounts.values() if not account.service]
    usable = [account for account in people if account.password is not None]
    admins = [account for account in usable if mac.is_admin(account.name)]
    return next((account.name for account in admins + usable), "root")


def _add_faults(mac: Mac, keys: _Keys) -> None:
    for index, entry in enumerate(keys.listed("faults")):
        if not isinstance(entry, Mapping) or "fault" not in entry:
            raise keys.wrong("faults", entry, "a mapping with the key 'fault'")
        options = {key: value for key, value in entry.items() if key != "fault"}
        try:
            faults.set_fault(mac, faults.parse(entry["fault"], options, mac))
        except faults.FaultError as error:
            raise ScenarioError(f"{keys.where}: faults[{index}]: {error}") from None
