# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds what one Mac is at this moment, and keeps it in one JSON file that a crash cannot tear."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

SECURE_TOKEN = ";SecureToken;"
DISABLED_TAG = ";DisabledTags;SecureToken"
ADMIN_GROUP = "admin"


T = TypeVar("T")


def named(records: Mapping[str, T], name: str) -> T | None:
    """Return the record of that name in whatever case, as macOS finds it (public file #62010025054: getpwnam)."""
    if name in records:
        return records[name]
    folded = name.casefold()
    return next((found for other, found in records.items() if other.casefold() == folded), None)


@dataclass
class Account:
    """A record of the local directory node."""

    name: str
    full_name: str
    uid: int
    gid: int
    generated_uid: str
    kind: str = "local"
    password: str | None = None
    key_password: str | None = None
    authority: list[str] = field(default_factory=list)
    hidden: bool = False
    shell: str = "/bin/zsh"
    home: str = ""
    home_exists: bool = True
    hint: str = ""
    picture: str = ""
    created_at: float = 0.0
    password_set_at: float | None = None
    failed_logins: int = 0
    failed_login_at: float = 0.0
    locked: bool = False
    salt: str = ""
    attributes: dict[str, list[str]] = field(default_factory=dict)
    service: bool = False
    # Belongs to sudo, not to the directory: whether sudo asks this administrator for the password; None: as the Mac's
    # others.
    sudo_password: bool | None = None
    # A line that the shell's start-up files print before every command.
    shell_banner: str = ""
    # When somebody last authenticated as it; None: nobody keeps count.
    authenticated_at: float | None = None

    def __post_init__(self) -> None:
        self.home = self.home or f"/Users/{self.name}"

    @property
    def aliases(self) -> list[str]:
        """Short names beside the first one, which is the name of the home folder and of memberships."""
        return self.attributes.get("RecordName", [])

    @property
    def has_authority_token(self) -> bool:
        # The whole value: a substring would also match the tag that prevents a token.
        return SECURE_TOKEN in self.authority


@dataclass
class Group:
    """A group record; `nested` holds the GUIDs of groups inside it."""

    name: str
    gid: int
    generated_uid: str
    members: list[str] = field(default_factory=list)
    member_guids: list[str] = field(default_factory=list)
    nested: list[str] = field(default_factory=list)
    attributes: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class CryptoUser:
    """An entry of `diskutil apfs listUsers`."""

    uuid: str
    kind: str = "LocalOpenDirectory"
    owner: bool = False


@dataclass
class Deferral:
    """How FileVault will be enabled later; it is pending while `FileVault.deferred_user` is not None."""

    path: str = "/var/db/ConfigurationProfiles/fdesetup.plist"
    force_at_login: int | None = None
    ask_at_logout: bool = True
    show_key: bool = True


@dataclass
class FileVault:
    """FileVault's own view, including where it disagrees with the volume's crypto users."""

    state: str = "off"
    percent: float | None = None
    # How far the volume is converted from one `fdesetup status` to the next; None stands still.
    advance: float | None = None
    # Whom a deferral waits for: "" for anybody, None without a deferral.
    deferred_user: str | None = None
    deferral: Deferral = field(default_factory=Deferral)
    prk: str | None = None
    irk: bool = False
    master_keychain: bool = False
    # How many keys fdesetup has made; the next one is a function of it.
    keys_made: int = 0
    # The recovery key, and not a person, unlocked the volume when the Mac started.
    unlocked_by_key: bool = False
    hidden_users: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)


@dataclass
class DirectoryUser:
    """What a directory that the Mac is bound to knows of one person; the password can be changed there by anybody."""

    name: str
    full_name: str
    uid: int
    generated_uid: str
    password: str


@dataclass
class NetworkDirectory:
    """The directory that the Mac is bound to; without a node it is bound to none."""

    node: str = ""
    online: bool = True
    users: dict[str, DirectoryUser] = field(default_factory=dict)


@dataclass
class MDM:
    """Enrollment and the Bootstrap Token."""

    enrolled: str = "no"
    user_approved: bool = False
    server: str = ""
    supervised: bool = False
    bootstrap_supported: bool = False
    bootstrap_escrowed: bool = False
    # The server has a token that no longer opens the volume.
    bootstrap_stale: bool = False
    bootstrap_status_error: str | None = None
    # The administrator that automated enrollment made.
    managed_admin: str = ""
    # Profiles: FDERecoveryKeyEscrow, and dontAllowFDEEnable.
    escrow_profile: bool = False
    forbids_filevault: bool = False
    # The setting cachedaccounts.askForSecureTokenAuthBypass of a profile; None: no profile has it.
    token_dialog_bypass: bool | None = None
    prk_escrowed_at: float | None = None
    # A password of the device management guards the recovery system of Apple silicon.
    recovery_lock: bool = False
    # When `profiles` asked for the enrollment's configuration.
    asked_at: list[float] = field(default_factory=list)


@dataclass
class Policy:
    """The password policy of the local node."""

    min_length: int = 0
    max_failed: int = 0
    pattern: str = ""
    xml: str | None = None


@dataclass
class Fault:
    """Something that is wrong with this Mac; `seen` counts the events a `step` option waits for."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    spent: bool = False


@dataclass
class ModelFile:
    """A file that the Mac has and this host has not; only root may read it. A test can make it a folder or a link."""

    content: str
    changed_at: float
    kind: str = "Regular File"
    owner: int = 0
    mode: int = 0o600


@dataclass
class Waiting:
    """What a Mac is like over SSH while it waits at FileVault's unlock screen."""

    # How a connection goes on that has unlocked the volume: failure, close or hang. It never succeeds.
    after_unlock: str = "failure"
    # Whether the method `password` unlocks as well; None: as the rule says.
    password_method: bool | None = None
    # Somebody has connected since the start, so that nobody is told any more what the Mac waits for.
    greeted: bool = False
    # Wrong passwords so far, and until when no password is looked at.
    failures: int = 0
    delayed_until: float = 0.0
    # Whether whoever has no account that the unlock screen knows is told so.
    says_unknown: bool = False
    # What of it is on the preboot volume: the switch (None: no file), and the staged host keys (same, other, missing).
    enabled: bool | None = True
    host_keys: str = "same"


@dataclass
class Link:
    """Hold what the default route leads over. `kind`: ethernet, wifi, vpn or none; `security`: of Wi-Fi."""

    kind: str = "ethernet"
    interface: str = "en0"
    security: str = "WPA2_PSK"
    # A supplicant runs on it.
    ieee8021x: bool = False


@dataclass
class PlatformSSO:
    """Hold what a profile asks of Platform SSO. `extension` "": no profile does."""

    extension: str = ""
    display_name: str = ""
    registered: bool = False
    # password, secure_enclave_key, smart_card or access_key.
    method: str = "password"
    # Apple's words, each from 15 on.
    filevault: list[str] = field(default_factory=list)
    login: list[str] = field(default_factory=list)
    unlock: list[str] = field(default_factory=list)
    exempt: list[str] = field(default_factory=list)
    offline_hours: int = 0
    unregistered_hours: int = 0


@dataclass
class Job:
    """A job that launchd has loaded from a property list of the Mac, and starts every so many seconds."""

    path: str
    argv: list[str]
    interval: int = 0


@dataclass
class Update:
    """Hold what Apple's servers offer this Mac: a macOS, or with ``restart`` off something beside it."""

    title: str
    label: str
    version: str
    build: str = ""
    size: int = 4000000
    restart: bool = True
    # It lies on the Mac already, so that it need not come over the network once more.
    downloaded: bool = False


@dataclass
class Settings:
    """What is set for the whole Mac; `screen_lock`: off, immediate, or a number of seconds."""

    screen_lock: str = "off"
    autologin: str = ""
    # None: never set, so off.
    guest_account: bool | None = None
    smb_guest: bool | None = None
    sip: bool = True
    authenticated_root: bool = True
    # The letter of a rapid security response, such as "(a)".
    version_extra: str = ""
    # What it draws its power from: ac, battery or ups; None: it has no battery of its own.
    power: str = "ac"
    battery: int | None = None
    # None: this hardware, or this macOS, does not say.
    activation_lock: bool | None = None
    # Of an Intel Mac.
    firmware_password: bool = False
    # Jobs that launchd has been told not to load, by their labels.
    disabled_jobs: list[str] = field(default_factory=list)


@dataclass
class Mac:
    """One Mac. Programs change it between two awaits, then persist it with `Call.commit`."""

    name: str
    version: str
    build: str
    hardware: str
    model: str
    device: str
    filesystem: str = "apfs"
    accounts: dict[str, Account] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    crypto_users: dict[str, CryptoUser] = field(default_factory=dict)
    filevault: FileVault = field(default_factory=FileVault)
    mdm: MDM = field(default_factory=MDM)
    policy: Policy = field(default_factory=Policy)
    preboot: list[str] = field(default_factory=list)
    root_locked_out: bool = False
    logged_in: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    clock: float = 0.0
    files: dict[str, ModelFile] = field(default_factory=dict)
    network: NetworkDirectory = field(default_factory=NetworkDirectory)
    booted_at: float = 0.0
    reboot_seconds: float = 1.0
    # Waits at the start-up screen for somebody to unlock FileVault.
    locked: bool = False
    # `fdesetup authrestart -delayminutes -1`: the next restart unlocks the volume by itself.
    restart_armed: bool = False
    jobs: dict[str, Job] = field(default_factory=dict)
    # The lab's own clock for jobs: how many seconds an interval really takes; 0: as many as the job says.
    launchd_seconds: float = 0.0
    # How people reach the Mac; not part of what macOS knows.
    ssh_user: str = ""
    python: str = ""
    # Whether sudo asks administrators for their password, as macOS's does, and whether it wants a terminal.
    sudo_password: bool = False
    requiretty: bool = False
    settings: Settings = field(default_factory=Settings)
    waiting: Waiting = field(default_factory=Waiting)
    sso: PlatformSSO = field(default_factory=PlatformSSO)
    link: Link = field(default_factory=Link)
    # What `scutil --set` has set: ComputerName, LocalHostName, HostName.
    names: dict[str, str] = field(default_factory=dict)
    # What softwareupdate finds, and the lab's own clock for how long macOS prepares one before it restarts the Mac.
    updates: list[Update] = field(default_factory=list)
    prepare_seconds: float = 0.0
    # An installer application that lies on the Mac; its label is the path. None: there is none.
    installer: Update | None = None

    @property
    def version_tuple(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split("."))

    def is_admin(self, name: str) -> bool:
        group = self.groups.get(ADMIN_GROUP)
        account = self.accounts.get(name)
        if group is None or account is None:
            return False
        return name in group.members or account.generated_uid in group.member_guids

    def account(self, name: str) -> Account | None:
        """Return the account of that short name, or of that other short name of its record."""
        folded = name.casefold()
        others = (each for each in self.accounts.values() if folded in map(str.casefold, each.aliases))
        return named(self.accounts, name) or next(others, None)

    def group(self, name: str) -> Group | None:
        return named(self.groups, name)

    def by_guid(self, guid: str) -> Account | None:
        return next((account for account in self.accounts.values() if account.generated_uid == guid), None)

    def by_uid(self, uid: int) -> Account | None:
        return next((account for account in self.accounts.values() if account.uid == uid), None)


def to_json(mac: Mac) -> str:
    return json.dumps(asdict(mac), indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Mac:
    data: dict[str, Any] = json.loads(text)
    return Mac(
        **{
            **data,
            "accounts": {name: Account(**value) for name, value in data["accounts"].items()},
            "groups": {name: Group(**value) for name, value in data["groups"].items()},
            "crypto_users": {uuid: CryptoUser(**value) for uuid, value in data["crypto_users"].items()},
            "filevault": _filevault(data["filevault"]),
            "files": {path: ModelFile(**value) for path, value in data.get("files", {}).items()},
            "network": _network(data.get("network", {})),
            "waiting": Waiting(**data.get("waiting", {})),
            "sso": PlatformSSO(**data.get("sso", {})),
            "link": Link(**data.get("link", {})),
            "jobs": {label: Job(**value) for label, value in data.get("jobs", {}).items()},
            "updates": [Update(**value) for value in data.get("updates", [])],
            "installer": Update(**data["installer"]) if data.get("installer") else None,
            "mdm": MDM(**data["mdm"]),
            "policy": Policy(**data["policy"]),
            "settings": Settings(**data.get("settings", {})),
            "faults": [Fault(**value) for value in data["faults"]],
        }
    )


def _network(data: dict[str, Any]) -> NetworkDirectory:
    users = {name: DirectoryUser(**value) for name, value in data.get("users", {}).items()}
    return NetworkDirectory(**{**data, "users": users})


def _filevault(data: dict[str, Any]) -> FileVault:
    return FileVault(**{**data, "deferral": Deferral(**data.get("deferral", {}))})


def write_atomically(path: Path, text: str) -> None:
    """Readers see the old file or the new one, whatever happens to this process half-way."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class Store:
    """The one JSON file of a Mac. Memory is the truth while the lab runs; the file is what survives it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = asyncio.Lock()

    def load(self) -> Mac:
        return from_json(self.path.read_text(encoding="utf-8"))

    def save(self, mac: Mac) -> None:
        write_atomically(self.path, to_json(mac))

    async def commit(self, mac: Mac) -> None:
        # The text is taken inside the lock, so that a later commit can never be overtaken by an earlier state.
        async with self._lock:
            await asyncio.to_thread(write_atomically, self.path, to_json(mac))
