# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each option of a module that is a value for macOS reaches the program that it is meant for, on a Mac in memory.

Whoever adds an option gets a failure here until `COMMANDS` says what it has a program do, or `PLAN_ONLY` why none is
told of it. A secret goes in by standard input or at a terminal, and never stands in an argument.
"""

from __future__ import annotations

import importlib
import json
import plistlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import fakes
import pytest
from ansible.module_utils.testing import patch_module_args
from inmemory import LabRunner
from test_options import MODULES, spec

from ansible_collections.keyholder.macos.plugins.module_utils import _module_change
from ansible_collections.keyholder.macos.plugins.module_utils._lock import NoLock
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command
from maclab import directory, network, updates, vault
from maclab.state import DirectoryUser, Mac, ModelFile, NetworkDirectory, Update

IT, ANA, RUI, EVA, NEW = "itadmin-pw-1", "ana-pw-123", "rui-pw-123", "eva-pw-123", "new-pw-1234"
LEFT = "/var/root/marked.plist"
APPLICATION = "/Applications/Install macOS Sequoia.app"


def cast(hardware: str = "apple-silicon") -> Mac:
    """An administrator who holds a token; ana, who holds none; rui, who does. FileVault is off."""
    mac = fakes.mac("15.6", hardware)
    mac.accounts["root"] = fakes.person(mac, "root", None, uid=0)
    mac.accounts["root"].service = True
    fakes.person(mac, "itadmin", IT, full_name="IT Administrator", admin=True, token=True)
    fakes.person(mac, "ana", ANA, full_name="Ana Sousa")
    fakes.person(mac, "rui", RUI, full_name="Rui Nunes", token=True)
    mac.mdm.enrolled = "ade"
    mac.mdm.user_approved = mac.mdm.supervised = mac.mdm.bootstrap_supported = True
    return mac


def bare() -> Mac:
    """Nobody holds a token."""
    mac = cast()
    for name in ("itadmin", "rui"):
        directory.take_token(mac, mac.accounts[name])
    return mac


def standard() -> Mac:
    """The only holder is no administrator."""
    mac = cast()
    directory.take_token(mac, mac.accounts["itadmin"])
    return mac


def escrowing() -> Mac:
    mac = cast()
    mac.mdm.escrow_profile = True
    return mac


def encrypted() -> Mac:
    mac = escrowing()
    vault.turn_on(mac)
    mac.filevault.state = "on"
    return mac


def shut_out() -> Mac:
    """Rui holds a token, and may not unlock."""
    mac = encrypted()
    vault.remove_unlocker(mac, mac.accounts["rui"].generated_uid)
    return mac


def stale() -> Mac:
    mac = encrypted()
    mac.accounts["rui"].key_password = "old-pw-1234"
    return mac


def keyless() -> Mac:
    """Rui's token is a marker without a key."""
    mac = encrypted()
    mac.crypto_users.pop(mac.accounts["rui"].generated_uid)
    mac.accounts["rui"].key_password = None
    return mac


def parked() -> Mac:
    """Rui is disabled and hidden, and has no shell."""
    mac = cast()
    directory.disable(mac, mac.accounts["rui"])
    mac.accounts["rui"].hidden, mac.accounts["rui"].shell = True, "/usr/bin/false"
    return mac


def copied() -> Mac:
    """Eva has a mobile account, whose password the Mac keeps."""
    mac = bound()
    network.create_mobile_account(mac, mac.network.users["eva"], "/Users/eva")
    directory.authenticate(mac, "eva", EVA)
    return mac


def refused_by_sshd() -> Mac:
    mac = cast()
    mac.files["/etc/ssh/sshd_config.d/040-keyholder-rui.conf"] = ModelFile("DenyUsers rui\n", 1_700_000_000.0)
    return mac


def orphaned() -> Mac:
    """A crypto user whose account is gone, on a Mac that lets it be removed."""
    mac = cast("intel")
    vault.turn_on(mac)
    mac.filevault.state = "on"
    del mac.accounts["rui"]
    return mac


def deferred() -> Mac:
    """FileVault came on at a login, and the file with its key lies there."""
    mac = encrypted()
    left = plistlib.dumps({"RecoveryKey": mac.filevault.prk, "EnabledDate": "2026-01-01"}).decode()
    mac.files[vault.normal(LEFT)] = ModelFile(left, 1_700_000_000.0)
    return mac


def bound() -> Mac:
    """Its directory knows eva."""
    mac = cast()
    mac.network = NetworkDirectory("/Active Directory/EXAMPLE/All Domains")
    mac.network.users["eva"] = DirectoryUser("eva", "Eva Alves", 1234567, directory.new_guid(), EVA)
    return mac


def newest() -> Mac:
    mac = cast()
    mac.version = "27.0.1"
    return mac


def outdated() -> Mac:
    """Apple offers it a newer macOS, which an owner has to authorise."""
    mac = cast()
    mac.version = "15.6"
    mac.updates = [Update("macOS Sequoia 15.6.1", "macOS Sequoia 15.6.1-24G90", "15.6.1", "24G90")]
    for user in mac.crypto_users.values():
        user.owner = mac.hardware == "apple-silicon"
    return mac


def with_installer() -> Mac:
    """An installer application lies on it, too."""
    mac = outdated()
    updates.put_installer(mac, APPLICATION, "15.6.1", "24G90")
    return mac


def escrowed() -> Mac:
    mac = cast()
    mac.mdm.bootstrap_escrowed = True
    return mac


@dataclass(frozen=True)
class Told:
    """Has ``program`` told ``text`` on ``mac``: in its arguments, or ``secretly``, on its standard input or a terminal.

    The module is given ``option`` as ``value`` and ``beside``. With ``beside`` alone the program is not told, unless
    the module demands the option.
    """

    module: str
    option: str
    value: Any
    program: str
    text: str
    beside: Mapping[str, Any]
    mac: Callable[[], Mac] = cast
    secretly: bool = False


GRANTER = {"admin_user": "itadmin", "admin_password": IT}
HOLDER = {"user": "itadmin", "password": IT}
CHANGED = {"name": "rui", "password": NEW, "old_password": RUI}
TAGGED = {"name": "eva", "password": EVA, "secure_token": "prevented"}
GRANTED = {"name": "eva", "password": EVA, "secure_token": "present", **GRANTER}
TOKEN = {"user": "ana", "password": ANA, **GRANTER}
NEWER = {"version": "15.6.1", "accept": ["bootstrap_token", "recovery_key", "recoverable"], **HOLDER}
LATER = {"state": "deferred", "user": "rui"}
UNLOCK = {"user": "rui", "password": RUI, **GRANTER}
ARCHIVED = {"name": "rui", "home": "archive"}
AWAKE = {"name": "rui", "state": "active"}
MOBILE = {"name": "eva", "password": EVA, "secure_token": "present", **GRANTER}
MENDED = {"user": "rui", "password": RUI, "old_password": "old-pw-1234", "apply": True}
REGRANTED = {**UNLOCK, "apply": True}
COLLECTED = {"state": "collected", "path": LEFT}
NOW = {"state": "enabled", **HOLDER}
ROTATED = {"state": "rotated", **HOLDER}
KEY = str(encrypted().filevault.prk)

COMMANDS = [
    Told("account", "name", "eva", "dscl", "-create /Users/eva", TAGGED),
    Told("account", "state", "absent", "sysadminctl", "-deleteUser ana", {"name": "ana"}),
    Told("account", "full_name", "Eva Alves", "dscl", "/Users/eva RealName Eva Alves", TAGGED),
    Told("account", "uid", 4711, "dscl", "/Users/eva UniqueID 4711", TAGGED),
    Told("account", "gid", 4712, "dscl", "/Users/eva PrimaryGroupID 4712", TAGGED),
    Told("account", "shell", "/bin/marked", "dscl", "/Users/eva UserShell /bin/marked", TAGGED),
    Told("account", "home", "/Users/marked", "dscl", "/Users/eva NFSHomeDirectory /Users/marked", TAGGED),
    Told("account", "hint", "the sea", "dscl", "/Users/eva AuthenticationHint the sea", TAGGED),
    Told("account", "picture", "/Library/sea.png", "dscl", "/Users/eva Picture /Library/sea.png", TAGGED),
    Told("account", "admin", True, "dseditgroup", "-a ana -t user admin", {"name": "ana"}),
    Told("account", "hidden", True, "dscl", "/Users/eva IsHidden 1", TAGGED),
    Told("account", "password", EVA, "sysadminctl", EVA, {"name": "eva"}, secretly=True),
    Told("account", "old_password", RUI, "dscl", RUI, {**CHANGED, "update_password": "always"}, secretly=True),
    Told("account", "update_password", "always", "dscl", "-passwd /Users/rui", CHANGED),
    Told("account", "secure_token", "prevented", "dscl", ";DisabledTags;SecureToken", {"name": "eva", "password": EVA}),
    Told("account", "secure_token", "present", "sysadminctl", "-secureTokenOn eva", GRANTED),
    Told("account", "admin_user", "itadmin", "sysadminctl", "-adminUser itadmin", GRANTED),
    Told("account", "admin_password", IT, "sysadminctl", IT, GRANTED, secretly=True),
    Told("account", "first_token", True, "sysadminctl", "-resetPasswordFor itadmin",
         {"name": "itadmin", "password": IT, "secure_token": "present"}, bare),
    Told("account", "allow_temporary_promotion", True, "dseditgroup", "-a rui -t user admin",
         {**GRANTED, "admin_user": "rui", "admin_password": RUI}, standard),
    Told("account", "remove", "secure", "sysadminctl", "-secure", {"name": "ana", "state": "absent"}),
    Told("account_password", "name", "rui", "dscl", "-passwd /Users/rui", CHANGED),
    Told("account_password", "password", NEW, "dscl", NEW, CHANGED, secretly=True),
    Told("account_password", "old_password", RUI, "dscl", RUI, CHANGED, secretly=True),
    Told("account_password", "verify_key", "always", "diskutil", "-verify", {**CHANGED, "password": RUI}, encrypted),
    Told("account_password", "admin_user", "itadmin", "sysadminctl", "-adminUser itadmin",
         {"name": "rui", "password": NEW, "admin_password": IT}),
    Told("account_password", "admin_password", IT, "sysadminctl", IT,
         {"name": "rui", "password": NEW, "admin_user": "itadmin"}, secretly=True),
    Told("bootstrap_token", "state", "absent", "profiles", "remove -type bootstraptoken", GRANTER, escrowed),
    Told("bootstrap_token", "admin_user", "itadmin", "profiles", "itadmin", GRANTER, secretly=True),
    Told("bootstrap_token", "admin_password", IT, "profiles", IT, GRANTER, secretly=True),
    Told("filevault", "state", "disabled", "fdesetup", "disable", HOLDER, encrypted),
    Told("filevault", "user", "itadmin", "fdesetup", "<string>itadmin<", NOW, escrowing, secretly=True),
    Told("filevault", "password", IT, "fdesetup", IT, NOW, escrowing, secretly=True),
    Told("filevault", "additional_users", [{"name": "rui", "password": RUI}], "fdesetup", f"<string>{RUI}<", NOW,
         escrowing, secretly=True),
    Told("filevault", "defer_path", LEFT, "fdesetup", f"-defer {LEFT}", LATER),
    Told("filevault", "force_at_login", 3, "fdesetup", "-forceatlogin 3", LATER),
    Told("filevault", "ask_at_logout", False, "fdesetup", "-dontaskatlogout", LATER),
    Told("filevault", "show_key", True, "fdesetup", "-showrecoverykey", LATER, newest),
    Told("filevault_reboot", "user", "itadmin", "fdesetup", "<string>itadmin<", HOLDER, encrypted, secretly=True),
    Told("filevault_reboot", "password", IT, "fdesetup", IT, HOLDER, encrypted, secretly=True),
    Told("filevault_reboot", "current_key", KEY, "fdesetup", KEY, {}, encrypted, secretly=True),
    Told("filevault_user", "user", "rui", "fdesetup", "remove -user rui", {"state": "absent"}, encrypted),
    Told("filevault_user", "state", "absent", "fdesetup", "remove -user rui", {"user": "rui"}, encrypted),
    Told("filevault_user", "password", RUI, "fdesetup", RUI, UNLOCK, shut_out, secretly=True),
    Told("filevault_user", "admin_user", "itadmin", "fdesetup", "<string>itadmin<", UNLOCK, shut_out, secretly=True),
    Told("filevault_user", "admin_password", IT, "fdesetup", IT, UNLOCK, shut_out, secretly=True),
    Told("filevault_recovery_key", "state", "rotated", "fdesetup", "changerecovery -personal", HOLDER, encrypted),
    Told("filevault_recovery_key", "user", "itadmin", "fdesetup", "<string>itadmin<", ROTATED, encrypted,
         secretly=True),
    Told("filevault_recovery_key", "password", IT, "fdesetup", IT, ROTATED, encrypted, secretly=True),
    Told("filevault_recovery_key", "current_key", KEY, "fdesetup", KEY, {"state": "validated"}, encrypted,
         secretly=True),
    Told("filevault_recovery_key", "path", LEFT, "cat", LEFT, COLLECTED, deferred),
    Told("filevault_recovery_key", "remove", True, "rm", LEFT, COLLECTED, deferred),
    Told("macos_upgrade", "version", "15.6.1", "softwareupdate", "--install macOS Sequoia 15.6.1-24G90", NEWER,
         outdated),
    Told("macos_upgrade", "installer", APPLICATION, updates.program_of(APPLICATION), "--agreetolicense", NEWER,
         with_installer),
    Told("macos_upgrade", "user", "itadmin", "softwareupdate", "--user itadmin --stdinpass", NEWER, outdated),
    Told("macos_upgrade", "password", IT, "softwareupdate", IT, NEWER, outdated, secretly=True),
    Told("local_account", "name", "eva", "dscl", "-delete /Users/eva OriginalNodeName", {}, copied),
    Told("mobile_account", "name", "eva", "createmobileaccount", "-n eva", MOBILE, bound),
    Told("mobile_account", "home", "/Users/marked", "createmobileaccount", "-h /Users/marked", MOBILE, bound),
    Told("mobile_account", "password", EVA, "sysadminctl", EVA, MOBILE, bound, secretly=True),
    Told("mobile_account", "secure_token", "present", "sysadminctl", "-secureTokenOn eva", MOBILE, bound),
    Told("mobile_account", "admin_user", "itadmin", "sysadminctl", "-adminUser itadmin", MOBILE, bound),
    Told("mobile_account", "admin_password", IT, "sysadminctl", IT, MOBILE, bound, secretly=True),
    Told("offboard", "name", "rui", "sysadminctl", "-deleteUser rui", {}),
    Told("offboard", "home", "secure", "sysadminctl", "-secure", {"name": "rui"}),
    Told("offboard", "archive", "/var/root/marked.tgz", "tar", "/var/root/marked.tgz", ARCHIVED),
    Told("offboard", "admin_user", "itadmin", "diskutil", "-verify", {"name": "rui", "admin_password": IT}, encrypted),
    Told("offboard", "admin_password", IT, "diskutil", IT, {"name": "rui", "admin_user": "itadmin"}, encrypted,
         secretly=True),
    Told("parked_holder", "name", "rui", "pwpolicy", "-u rui -disableuser", {}),
    Told("parked_holder", "state", "active", "pwpolicy", "-u rui -enableuser", {"name": "rui"}, parked),
    Told("parked_holder", "admin", True, "dseditgroup", "-a rui -t user admin", {"name": "rui"}),
    Told("parked_holder", "shell", "/bin/marked", "dscl", "UserShell /bin/marked", AWAKE, parked),
    Told("parked_holder", "hidden", False, "dscl", "IsHidden 0", AWAKE, parked),
    Told("parked_holder", "admin_user", "itadmin", "diskutil", "-verify", {"name": "rui", "admin_password": IT},
         encrypted),
    Told("parked_holder", "admin_password", IT, "diskutil", IT, {"name": "rui", "admin_user": "itadmin"}, encrypted,
         secretly=True),
    Told("repair", "user", "rui", "dscl", "-passwd /Users/rui", MENDED, stale),
    Told("repair", "password", RUI, "dscl", RUI, MENDED, stale, secretly=True),
    Told("repair", "old_password", "old-pw-1234", "dscl", "old-pw-1234", MENDED, stale, secretly=True),
    Told("repair", "admin_user", "itadmin", "sysadminctl", "-adminUser itadmin", REGRANTED, keyless),
    Told("repair", "admin_password", IT, "sysadminctl", IT, REGRANTED, keyless, secretly=True),
    Told("repair", "orphans", True, "fdesetup", "remove -uuid", {"apply": True}, orphaned),
    Told("repair", "apply", True, "dscl", "-passwd /Users/rui", MENDED, stale),
    Told("ssh_access", "name", "rui", "tee", "040-keyholder-rui.conf", {}),
    Told("ssh_access", "state", "allowed", "rm", "040-keyholder-rui.conf", {"name": "rui"}, refused_by_sshd),
    Told("secure_token", "user", "ana", "sysadminctl", "-secureTokenOn ana", TOKEN),
    Told("secure_token", "state", "absent", "sysadminctl", "-secureTokenOff rui", UNLOCK),
    Told("secure_token", "password", ANA, "sysadminctl", ANA, TOKEN, secretly=True),
    Told("secure_token", "admin_user", "itadmin", "sysadminctl", "-adminUser itadmin", TOKEN),
    Told("secure_token", "admin_password", IT, "sysadminctl", IT, TOKEN, secretly=True),
    Told("secure_token", "first_token", True, "sysadminctl", "-resetPasswordFor itadmin", HOLDER, bare),
    Told("secure_token", "allow_temporary_promotion", True, "dseditgroup", "-a rui -t user admin",
         {**TOKEN, "admin_user": "rui", "admin_password": RUI}, standard),
]  # fmt: skip

ANYWHERE = {
    "timeout": "how long each program may take",
    "lock_timeout": "how long another run is waited for",
    "runner": "where the steps are carried out",
    "allow_own_account": "whether the account that Ansible came in by may lose something",
}
PLAN_ONLY = {
    **{(module, option): why for module in MODULES for option, why in ANYWHERE.items() if option in spec(module)},
    **{(module, option): "what becomes of the key after macOS has made it"
       for module in ("filevault", "filevault_recovery_key") for option in ("recovery_key", "recipients")},
    ("account", "accept_pending"): "whether a token that comes at a login is good enough",
    ("secure_token", "accept_pending"): "whether a token that comes at a login is good enough",
    ("filevault_reboot", "reboot_timeout"): "how long the controller waits",
    ("filevault_reboot", "ssh_unlock"): "what the controller does while it waits",
    ("macos_upgrade", "accept"): "what speaks against it no longer",
    ("macos_upgrade", "battery"): "how much the battery must have",
    ("filevault_reboot", "require_comes_back"): "whether a Mac that may wait at its unlock screen is restarted",
    ("macos_upgrade", "install_timeout"): "how long softwareupdate may take",
    ("macos_upgrade", "reboot_timeout"): "how long the controller waits",
    ("local_account", "force"): "whether it is refused while somebody is logged in",
    ("local_account", "password"): "whether the hash is compared, and the key",
    ("offboard", "force"): "whether it is refused while somebody is logged in",
    ("parked_holder", "deny_ssh"): "whether sshd is among what refuses it",
    ("parked_holder", "force"): "whether it is refused while somebody is logged in",
    ("trust_info", "include"): "what else is read",
    ("trust_info", "reader"): "who reads",
    ("trust_info", "wait"): "how long the controller waits",
}  # fmt: skip
"""Options that no program is told of, and what they decide."""


@dataclass(frozen=True)
class Ran:
    """What each program was given, and what the module returned."""

    commands: list[tuple[tuple[str, ...], str]]
    result: dict[str, Any]

    def told(self, program: str, text: str, secretly: bool) -> bool:
        return any(
            text in (secret if secretly else " ".join(argv)) for argv, secret in self.commands if program in argv
        )


class Free(NoLock):
    descriptors = tuple


Start = Callable[[str, Mapping[str, Any], Mac], Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Start:
    """Start a module on a Mac in memory."""

    def start(module: str, options: Mapping[str, Any], mac: Mac) -> Ran:
        runner = LabRunner(mac)
        monkeypatch.setattr(_module_change, "runner", lambda *_: runner)
        monkeypatch.setattr(_module_change, "lock", lambda *_: Free())
        plugin = importlib.import_module(f"ansible_collections.keyholder.macos.plugins.modules.{module}")
        with patch_module_args(dict(options)), pytest.raises(SystemExit):
            plugin.main()
        commands = [(command.argv, _secrets(command)) for command, _ in runner.runs]
        return Ran(commands, json.loads(capsys.readouterr().out))

    return start


def _secrets(command: Command) -> str:
    return "\n".join([command.input().decode(), *(secret.reveal().decode() for _, secret in command.dialogue)])


@pytest.mark.parametrize("told", COMMANDS, ids=lambda told: f"{told.module}.{told.option}-{told.value}"[:60])
def test_it_reaches_the_program(run: Start, told: Told) -> None:
    given = {**told.beside, told.option: told.value}
    done = run(told.module, given, told.mac())
    assert done.told(told.program, told.text, told.secretly), (done.result.get("msg"), done.commands)
    if spec(told.module)[told.option].get("no_log") is True:
        assert told.secretly and not any(told.value in " ".join(argv) for argv, _ in done.commands)
    if not spec(told.module)[told.option].get("required"):
        del given[told.option]
        assert not run(told.module, given, told.mac()).told(told.program, told.text, told.secretly)


def test_every_option_is_here() -> None:
    options = {(module, option) for module in MODULES for option in spec(module)}
    assert options == {(told.module, told.option) for told in COMMANDS} | set(PLAN_ONLY)
