# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what macOS does differently from one version to the next, each row with the place it was learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
Version = tuple[int, ...]

EVERY: Version = (10, 13)


@dataclass(frozen=True)
class Row(Generic[T]):
    """One value, from the first version that has it until the next row."""

    first: Version
    value: T
    source: str = ""
    assumed: bool = False


@dataclass(frozen=True)
class Rule(Generic[T]):
    """One behaviour across versions."""

    name: str
    about: str
    rows: tuple[Row[T], ...]

    def at(self, version: Version) -> T:
        chosen = self.rows[0]
        for row in self.rows:
            if row.first <= version:
                chosen = row
        return chosen.value


def _guide(section: str) -> str:
    return f"sysadminctl.md {section}"


FIRST_TOKEN: Rule[str] = Rule(
    "first_token",
    "who receives the first Secure Token by itself, and when",
    (
        Row(EVERY, "only_user_authenticates", _guide("4.1")),
        Row((10, 15), "administrator_authenticates", _guide("4.1")),
        Row((11,), "password_set", _guide("4.1")),
    ),
)
FIRST_TOKEN_EMPTY_PASSWORD: Rule[bool] = Rule(
    "first_token_empty_password",
    "an empty password being set is enough for the first token",
    (Row(EVERY, False, assumed=True),),
)
FIRST_TOKEN_BLOCKED_BY_ORPHAN: Rule[bool] = Rule(
    "first_token_blocked_by_orphan",
    "a crypto user whose account is gone still counts as a holder for the first-token rule",
    (Row(EVERY, True, assumed=True),),
)
DISABLED_TAG: Rule[bool] = Rule(
    "disabled_tag",
    "the authority ;DisabledTags;SecureToken keeps the first token away",
    (Row(EVERY, False, _guide("4.2")), Row((11,), True, _guide("4.2"))),
)
SELF_GRANT: Rule[str] = Rule(
    "self_grant",
    "an administrator grants itself a token while nobody holds one",
    (
        Row(EVERY, "grants", _guide("4.4")),
        Row((15,), "done_but_nothing_under_mdm", "sts-disabled-after-done-fleetlock"),
    ),
)
GRANTER_COUNTS_AUTHENTICATION: Rule[bool] = Rule(
    "granter_counts_authentication",
    "the credentials that sysadminctl is given are verified like a login: failures count, success resets the count",
    (Row(EVERY, True, assumed=True),),
)
CREDENTIALS_ALWAYS_NEEDED: Rule[bool] = Rule(
    "credentials_always_needed",
    "sysadminctl answers nothing without administrator credentials",
    (
        Row(EVERY, False, "sysadminctl.md 5, rdar 34874069"),
        Row((10, 13, 2), True, "sts-no-creds-10.13.2"),
        Row((10, 13, 4), False, "sysadminctl.md 5, JumpCloud"),
    ),
)
STDIN_LIMIT: Rule[int] = Rule(
    "stdin_limit",
    "bytes of a piped password that sysadminctl keeps",
    (Row(EVERY, 1023, _guide("2.1")), Row((13,), 1023, assumed=True)),
)
STDIN_LIMIT_GRANTER: Rule[int] = Rule(
    "stdin_limit_granter",
    "bytes of the granter's piped password that sysadminctl keeps",
    (
        Row(EVERY, 1023, "ston-piped-1023-byte-admin-pw"),
        Row((10, 14), 1022, "ston-piped-1023-byte-admin-pw"),
        Row((13,), 1022, assumed=True),
    ),
)
ADDUSER_PROMPT_ORDER: Rule[tuple[str, ...]] = Rule(
    "adduser_prompt_order",
    "who is asked first when -addUser has - for both passwords",
    (Row(EVERY, ("user", "admin"), assumed=True),),
)
ADDUSER_UID: Rule[bool] = Rule(
    "adduser_uid",
    "-addUser -UID is honoured (contested from 13 on)",
    (
        Row(EVERY, True, "adduser-existing-record-10.13"),
        Row((13,), True, assumed=True),
        Row((26, 3), False, _guide("4.13")),
    ),
)
ADDUSER_LINES: Rule[str] = Rule(
    "adduser_lines",
    "whether -addUser names the group and tells an assigned home from a created one",
    (
        Row(EVERY, "old", "adduser-existing-record-10.13"),
        Row((13,), "new", assumed=True),
        Row((26,), "new", "adduser-2026-home-assigned"),
    ),
)
ADDUSER_FLAGS_11: Rule[bool] = Rule(
    "adduser_flags_11",
    "-addUser knows -GID and -roleAccount",
    (Row(EVERY, False, "usage-10.13"), Row((11,), True, "usage-11-12")),
)
SCREEN_LOCK: Rule[bool] = Rule(
    "screen_lock",
    "sysadminctl knows -screenLock",
    (Row(EVERY, False, "usage-10.13"), Row((10, 14), True, "usage-10.14-10.15-tail")),
)
AUTOLOGIN: Rule[bool] = Rule(
    "autologin",
    "sysadminctl knows -autologin",
    (Row(EVERY, False, "usage-11-12"), Row((13,), True, "usage-13.2.1")),
)
ADDUSER_WRONG_ADMIN: Rule[str] = Rule(
    "adduser_wrong_admin",
    "-addUser with wrong administrator credentials makes no account",
    (Row(EVERY, "refused", assumed=True),),
)
ROLE_ACCOUNT_SHAPE: Rule[str] = Rule(
    "role_account_shape",
    "a role account is hidden, has no password, no home folder and the shell /usr/bin/false",
    (Row(EVERY, "no_password", assumed=True),),
)
SELF_CHANGE_OVER_SSH: Rule[bool] = Rule(
    "self_change_over_ssh",
    "sysadminctl -newPassword -oldPassword changes the password over SSH",
    (Row(EVERY, True, "selfchange-stdin-mkuser"), Row((26, 5), False, "selfchange-tahoe-noop")),
)
ROOT_PASSWD_ON_HOLDER: Rule[str] = Rule(
    "root_passwd_on_holder",
    "what `dscl . -passwd` of root does to a holder without the old password",
    (
        Row(EVERY, "stale_key", assumed=True),
        Row((10, 14), "asks_old", assumed=True),
        Row((26,), "asks_old", "dscl-passwd-root-token-26"),
    ),
)
RESET_ON_HOLDER_WITHOUT_GRANTER: Rule[bool] = Rule(
    "reset_on_holder_without_granter",
    "root may -resetPasswordFor a holder without a granter's credentials (and leaves the key stale)",
    (Row(EVERY, True, assumed=True), Row((10, 14), False, _guide("4.7"))),
)
LAST_HOLDER_DELETE_GUARD: Rule[bool] = Rule(
    "last_holder_delete_guard",
    "-deleteUser refuses the last administrator and the last holder",
    (Row(EVERY, True, "delete-last-admin-or-token"),),
)
LAST_HOLDER_OFF_GUARD: Rule[bool] = Rule(
    "last_holder_off_guard",
    "-secureTokenOff refuses the last holder",
    (Row(EVERY, True, assumed=True),),
)
ALREADY_HOLDER: Rule[str] = Rule(
    "already_holder",
    "-secureTokenOn of a holder says Done! and wraps the key again",
    (Row(EVERY, "done", assumed=True),),
)
CRYPTO_USER_OUTLIVES_RECORD: Rule[frozenset[str]] = Rule(
    "crypto_user_outlives_record",
    "hardware on which `dscl . -delete` of a holder leaves its crypto user behind",
    (Row(EVERY, frozenset({"t2", "apple-silicon"}), assumed=True),),
)
DUPLICATE_UNIQUE_ID: Rule[bool] = Rule(
    "duplicate_unique_id",
    "dscl accepts a UniqueID that another account has",
    (Row(EVERY, True, assumed=True), Row((15,), False, assumed=True)),
)
VOLUME_OWNER_SHOWN: Rule[bool] = Rule(
    "volume_owner_shown",
    "diskutil shows volume owners",
    (Row(EVERY, False, "du-listusers-10.15"), Row((11,), True, "du-listcryptousers-tahoe")),
)
VOLUME_OWNER: Rule[frozenset[str]] = Rule(
    "volume_owner",
    "hardware on which a new crypto user is a volume owner",
    (
        Row(EVERY, frozenset[str](), "du-listusers-10.15"),
        Row((11,), frozenset({"intel", "t2", "apple-silicon"}), assumed=True),
    ),
)
SEALED: Rule[bool] = Rule(
    "sealed",
    "the system volume is sealed",
    (Row(EVERY, False, "filevault.md 5"), Row((11,), True, "du-apfs-list-fragment")),
)
APFS_LIST_FILEVAULT_KEY: Rule[bool] = Rule(
    "apfs_list_filevault_key",
    "`diskutil apfs list -plist` has a FileVault key",
    (Row(EVERY, False, "du-apfs-list-plist-keys"), Row((10, 14), True, assumed=True)),
)
FDESETUP_LIST_PRK: Rule[bool] = Rule(
    "fdesetup_list_prk",
    "`fdesetup list` shows the personal recovery key as (null)",
    (Row(EVERY, True, "fde-list-null-prk"), Row((10, 14), False, assumed=True)),
)
PROFILES_BOOTSTRAP: Rule[bool] = Rule(
    "profiles_bootstrap",
    "`profiles status -type bootstraptoken` exists",
    (Row(EVERY, False, "filevault.md 5"), Row((10, 15), True, "filevault.md 5")),
)
PROFILES_STATUS: Rule[bool] = Rule(
    "profiles_status",
    "`profiles status -type enrollment` answers",
    (Row(EVERY, False, "filevault.md 5"), Row((10, 13, 4), True, "enr-status-none")),
)
PRODUCT_NAME: Rule[str] = Rule(
    "product_name",
    "what sw_vers calls the system",
    (Row(EVERY, "Mac OS X", assumed=True), Row((11,), "macOS", "sw-vers-14")),
)
SW_VERS_LONG: Rule[bool] = Rule(
    "sw_vers_long",
    "sw_vers knows --long options and ProductVersionExtra",
    (Row(EVERY, False, "filevault.md 5"), Row((13,), True, "swvers-full-13")),
)
SYSTEM_VERSION_COMPAT: Rule[bool] = Rule(
    "system_version_compat",
    "sw_vers says 10.16 when SYSTEM_VERSION_COMPAT=1",
    (
        Row(EVERY, False, "swvers-compat-11"),
        Row((11,), True, "swvers-compat-11"),
        Row((13,), False, "swvers-compat-11"),
    ),
)
SYSCTL_PRODUCT_VERSION: Rule[bool] = Rule(
    "sysctl_product_version",
    "the oid kern.osproductversion exists",
    (Row(EVERY, False, assumed=True), Row((10, 13, 4), True, assumed=True)),
)
SYSCTL_VMM: Rule[bool] = Rule(
    "sysctl_vmm",
    "the oid kern.hv_vmm_present exists",
    (Row(EVERY, False, assumed=True), Row((11,), True, assumed=True)),
)
BRAND_APPLE_SILICON: Rule[str] = Rule(
    "brand_apple_silicon",
    "machdep.cpu.brand_string of Apple silicon",
    (Row((11,), "Apple", "hw-brand-as-11.0"), Row((11, 1), "Apple M1", "hw-brand-as")),
)


def every_rule() -> list[Rule[object]]:
    """All rules of this module, in the order in which they stand."""
    return [value for value in globals().values() if isinstance(value, Rule)]
