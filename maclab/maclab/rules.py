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
FIRST_TOKEN_FROM_HASH: Rule[bool] = Rule(
    "first_token_from_hash",
    "an account whose password came as a hash gets the first token at its first login, by `dscl -authonly` as well",
    (Row(EVERY, True, _guide("4.5")), Row((11,), True, assumed=True)),
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
FIRST_TOKEN_MOBILE: Rule[bool] = Rule(
    "first_token_mobile",
    "a mobile account can receive the first Secure Token by itself",
    (Row(EVERY, False, "createmobile-no-token"), Row((10, 14), False, assumed=True)),
)
MOBILE_DIRECTORY_DECIDES: Rule[bool] = Rule(
    "mobile_directory_decides",
    "while the directory can be reached it decides on a mobile account's password, and the Mac then keeps that one",
    (Row(EVERY, True, assumed=True),),
)
MOBILE_KEY_FOLLOWS: Rule[bool] = Rule(
    "mobile_key_follows",
    "a mobile account's key on the volume follows a password that was changed in the directory",
    (Row(EVERY, False, assumed=True),),
)
CREATEMOBILE_MAKES_HOME: Rule[bool] = Rule(
    "createmobile_makes_home",
    "createmobileaccount makes the home folder, and does so last",
    (Row(EVERY, True, assumed=True),),
)
CREATEMOBILE_WITHOUT_PASSWORD: Rule[bool] = Rule(
    "createmobile_without_password",
    "an account that createmobileaccount has made has no password on the Mac until somebody authenticates",
    (Row(EVERY, True, assumed=True),),
)
HASH_GOES: Rule[bool] = Rule(
    "hash_goes",
    "the hash of a password goes as soon as the value ;ShadowHash; leaves AuthenticationAuthority",
    (Row(EVERY, False, assumed=True), Row((10, 14, 4), True, "captam3rica/mdm-scripts, Demobilize-Mobile-Account")),
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
    "-addUser with wrong administrator credentials says so, and makes the account without a token",
    (
        Row(EVERY, "made_without_token", assumed=True),
        Row((15, 3), "made_without_token", "adduser-wrong-admin-15.3"),
        Row((15, 4), "made_without_token", assumed=True),
    ),
)
ADDUSER_NEEDS_ACCESS: Rule[bool] = Rule(
    "adduser_needs_access",
    "-addUser without Full Disk Access reports -14120 and makes the account all the same",
    (
        Row(EVERY, False, assumed=True),
        Row((26,), True, "adduser-ssh-no-fda-vm"),
        Row((27,), True, "adduser-no-fda-27"),
    ),
)
ADDUSER_STRAY_LINE: Rule[bool] = Rule(
    "adduser_stray_line",
    "-addUser on a virtual Mac prints a line of a driver",
    (Row(EVERY, False, assumed=True), Row((27,), True, "adduser-no-fda-27")),
)
DELETE_BANNER: Rule[bool] = Rule(
    "delete_banner",
    "-deleteUser without an administrator's credentials begins with the banner of -addUser",
    (
        Row(EVERY, False, "delete-last-admin-or-token"),
        Row((12,), True, "delete-banner-12"),
        Row((13,), True, assumed=True),
        Row((26,), False, "delete-ok-fda"),
        Row((27,), True, "delete-last-holder-banner-27"),
    ),
)
DELETE_GUARD_STATUS: Rule[int] = Rule(
    "delete_guard_status",
    "exit status of -deleteUser that refuses the last administrator or holder (27.0.1: not 0, the number is not known)",
    (Row(EVERY, 0, "delete-last-admin-or-token"), Row((12,), 0, assumed=True), Row((27,), 1, assumed=True)),
)
DELETE_BTMM_LINE: Rule[bool] = Rule(
    "delete_btmm_line",
    "-deleteUser mentions Back to My Mac",
    (Row(EVERY, True, assumed=True), Row((26,), True, "delete-ok-fda"), Row((27,), False, "delete-no-fda-27")),
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
OWN_TOKEN_OFF: Rule[str] = Rule(
    "own_token_off",
    "an account takes its own token away by its own credentials: never, or not while it is the last holder",
    (Row(EVERY, "refused_to_the_last", assumed=True), Row((27,), "refused", "stoff-self-5101-27")),
)
RESET_BY_ITSELF: Rule[bool] = Rule(
    "reset_by_itself",
    "-resetPasswordFor takes the account's own credentials, though it is no administrator",
    (Row(EVERY, True, assumed=True), Row((27,), True, "reset-by-self-ok-27")),
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
DATA_VOLUME: Rule[bool] = Rule(
    "data_volume",
    "the start volume is two: the system's, and Data",
    (Row(EVERY, False, "public file #215726586"), Row((10, 15), True, "public file #74896431")),
)
DATA_VOLUME_NAME: Rule[str] = Rule(
    "data_volume_name",
    "what the Data volume is called",
    (Row(EVERY, "Macintosh HD - Data", "public file #74896431"), Row((13,), "Data", assumed=True)),
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
PROFILES_SHOW: Rule[bool] = Rule(
    "profiles_show",
    "`profiles show -output stdout-xml` lists what is installed",
    (Row(EVERY, True, assumed=True), Row((10, 15), True, "usnistgov/macos_security")),
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

# --- FileVault ------------------------------------------------------------------------------------

FULL_DISK_ACCESS: Rule[str] = Rule(
    "full_disk_access",
    "what `fdesetup enable` does without Full Disk Access while somebody is logged in at the screen",
    (Row(EVERY, "allowed", "filevault.md 6"), Row((10, 15), "dialog", "fde-enable-tcc-dialog")),
)
FULL_DISK_ACCESS_UNATTENDED: Rule[str] = Rule(
    "full_disk_access_unattended",
    "what `fdesetup enable` does without Full Disk Access while nobody is logged in at the screen",
    (Row(EVERY, "allowed", "filevault.md 6"), Row((10, 15), "refused", assumed=True)),
)
ENABLE_ALREADY_ON: Rule[int] = Rule(
    "enable_already_on",
    "exit status of `fdesetup enable` where FileVault is on",
    (Row(EVERY, 24, assumed=True), Row((11,), 32, assumed=True)),
)
ENABLE_SHOWS_KEY: Rule[bool] = Rule(
    "enable_shows_key",
    "`fdesetup enable` prints the recovery key without -outputplist",
    (Row(EVERY, True, "fde-enable-sequoia"), Row((26,), False, "fde-enable-tahoe-no-key")),
)
CHANGE_SHOWS_KEY: Rule[bool] = Rule(
    "change_shows_key",
    "`fdesetup changerecovery` prints the recovery key without -outputplist",
    (Row(EVERY, True, "filevault.md 7.15"), Row((26,), False, assumed=True)),
)
KEY_OUTLIVES_DISABLE: Rule[bool] = Rule(
    "key_outlives_disable",
    "the recovery key stays when FileVault is disabled, and enabling makes no new one",
    (Row(EVERY, True, "filevault.md 4"),),
)
CONVERTS: Rule[frozenset[str]] = Rule(
    "converts",
    "hardware on which turning FileVault on or off takes time",
    (Row(EVERY, frozenset({"intel"}), assumed=True),),
)
CONVERSION_ADVANCE: Rule[float] = Rule(
    "conversion_advance",
    "percent of the volume that are converted from one `fdesetup status` to the next (the lab's own clock)",
    (Row(EVERY, 25.0, assumed=True),),
)
ENABLE_UPDATES_PREBOOT: Rule[bool] = Rule(
    "enable_updates_preboot",
    "enabling FileVault tells the preboot volume who may unlock",
    (Row(EVERY, True, assumed=True),),
)
DISABLE_INPUTPLIST: Rule[bool] = Rule(
    "disable_inputplist",
    "`fdesetup disable` reads -inputplist, which its manual does not name",
    (Row(EVERY, True, assumed=True),),
)
KEY_AUTHENTICATES: Rule[bool] = Rule(
    "key_authenticates",
    "the recovery key authenticates its own change or removal, and disabling",
    (Row(EVERY, False, "fde-changerecovery-136"), Row((10, 14), True, "filevault.md 4")),
)
KEY_ADDS_USERS: Rule[bool] = Rule(
    "key_adds_users",
    "the recovery key authorises `fdesetup add`",
    (Row(EVERY, False, "fde-add-inputplist-rc17"), Row((10, 14), True, assumed=True)),
)
ADD_GRANTS_TOKEN: Rule[bool] = Rule(
    "add_grants_token",
    "`fdesetup add` gives a Secure Token to a user who has none",
    (Row(EVERY, True, assumed=True),),
)
ADD_UPDATES_PREBOOT: Rule[bool] = Rule(
    "add_updates_preboot",
    "`fdesetup add` tells the preboot volume of the user",
    (Row(EVERY, False, assumed=True),),
)
REMOVE_TAKES_TOKEN: Rule[bool] = Rule(
    "remove_takes_token",
    "`fdesetup remove` takes the Secure Token and the key on the volume as well",
    (Row(EVERY, False, "fde-remove-keeps-token"), Row((10, 15), False, assumed=True)),
)
REMOVE_ORPHANS: Rule[frozenset[str]] = Rule(
    "remove_orphans",
    "hardware on which `fdesetup remove -uuid` deletes a crypto user whose account is gone",
    (Row(EVERY, frozenset({"intel"}), "fde-remove-orphan-uuid"),),
)
SYNC_REMOVES_ORPHANS: Rule[frozenset[str]] = Rule(
    "sync_removes_orphans",
    "hardware on which `fdesetup sync` deletes crypto users whose account is gone",
    (Row(EVERY, frozenset({"intel"}), assumed=True),),
)
CHANGE_REFUSED: Rule[int] = Rule(
    "change_refused",
    "exit status of `fdesetup changerecovery` that could not authenticate",
    (Row(EVERY, 136, "fde-changerecovery-136"), Row((10, 14), 11, "fde-changerecovery-auth-fail")),
)
CHANGE_INTERNAL_ERROR: Rule[bool] = Rule(
    "change_internal_error",
    "`fdesetup changerecovery -inputplist` always fails with status 99",
    (
        Row(EVERY, False, "fde-changerecovery-deletes-prk"),
        Row((10, 15), True, "fde-changerecovery-99"),
        Row((10, 15, 1), False, assumed=True),
    ),
)
FAILED_CHANGE_DELETES_KEY: Rule[bool] = Rule(
    "failed_change_deletes_key",
    "a `fdesetup changerecovery` that fails deletes the recovery key",
    (Row(EVERY, True, "fde-changerecovery-deletes-prk"), Row((10, 13, 2), False, assumed=True)),
)
CHANGE_NEEDS_CONSOLE_USER: Rule[bool] = Rule(
    "change_needs_console_user",
    "`fdesetup changerecovery` takes the password of the user at the screen alone",
    (Row(EVERY, True, "fde-changerecovery-deletes-prk"), Row((10, 13, 2), False, assumed=True)),
)
REMOVE_KEY_REFUSED: Rule[int] = Rule(
    "remove_key_refused",
    "exit status of `fdesetup removerecovery` that could not authenticate",
    (Row(EVERY, 27, assumed=True), Row((10, 15), 27, "fde-removerecovery-fail")),
)
VALIDATE_FALSE: Rule[int] = Rule(
    "validate_false",
    "exit status of `fdesetup validaterecovery` that says false",
    (Row(EVERY, 1, assumed=True),),
)
USING_RECOVERY_KEY: Rule[bool] = Rule(
    "using_recovery_key",
    "`fdesetup usingrecoverykey` answers on APFS",
    (Row(EVERY, False, "fde-usingrecoverykey-apfs"), Row((10, 15), True, "fde-usingrecoverykey-10.15")),
)
DEFERRAL_SHOWS_KEY: Rule[bool] = Rule(
    "deferral_shows_key",
    "a deferral shows the user the recovery key without -showrecoverykey",
    (Row(EVERY, True, "filevault.md 5"), Row((27,), False, "filevault.md 5")),
)
DEFERRAL_FIRES: Rule[str] = Rule(
    "deferral_fires",
    "when a deferral that asks at logout enables FileVault: at the graphical login, as if a logout followed at once",
    (Row(EVERY, "login", assumed=True),),
)

# --- Bootstrap Token and enrollment ---------------------------------------------------------------

BOOTSTRAP_ENROLLMENT: Rule[str] = Rule(
    "bootstrap_enrollment",
    "the enrollment that a Bootstrap Token needs",
    (
        Row(EVERY, "ade", "filevault.md 4"),
        Row((10, 15, 4), "user_approved", "filevault.md 4"),
        Row((11,), "supervised", "filevault.md 4"),
    ),
)
SUPERVISED_BY_APPROVAL: Rule[bool] = Rule(
    "supervised_by_approval",
    "a user-approved enrollment supervises the Mac",
    (Row(EVERY, False, assumed=True), Row((11,), True, "filevault.md 4")),
)
BOOTSTRAP_GRANTS: Rule[str] = Rule(
    "bootstrap_grants",
    "who gets a Secure Token from the Bootstrap Token at a graphical login",
    (
        Row(EVERY, "nobody", "filevault.md 5"),
        Row((10, 15), "mobile_and_managed_admin", "filevault.md 4"),
        Row((11,), "everybody", "filevault.md 4"),
    ),
)
BOOTSTRAP_AT_LOGIN: Rule[bool] = Rule(
    "bootstrap_at_login",
    "the graphical login of a holder makes and escrows a Bootstrap Token",
    (Row(EVERY, False, "filevault.md 4"), Row((10, 15, 4), True, "filevault.md 4")),
)
BOOTSTRAP_TTY_LIMIT: Rule[tuple[int, int]] = Rule(
    "bootstrap_tty_limit",
    "bytes of a password at the prompt of profiles: the most that work, the fewest that hang",
    (Row(EVERY, (128, 1024), "bt-install-long-password-tty"), Row((13,), (128, 1024), assumed=True)),
)
BOOTSTRAP_ARGV_LIMIT: Rule[int] = Rule(
    "bootstrap_argv_limit",
    "bytes of a password in the arguments of profiles that work",
    (Row(EVERY, 512, "bt-install-long-password-argv"), Row((12,), 512, assumed=True)),
)
ENROLLMENT_REQUESTS: Rule[int] = Rule(
    "enrollment_requests",
    "how often within 23 hours `profiles show -type enrollment` may ask (0: any number)",
    (Row(EVERY, 0, "filevault.md 5"), Row((12, 3), 1, "filevault.md 5"), Row((13,), 10, assumed=True)),
)
EACS_PREFLIGHT: Rule[bool] = Rule(
    "eacs_preflight",
    "mdmclient says whether the Bootstrap Token would authorise an erasure",
    (Row(EVERY, False, "filevault.md 5"), Row((13, 3), True, "filevault.md 5")),
)
MDMCLIENT_SECONDS: Rule[float] = Rule(
    "mdmclient_seconds",
    "seconds that mdmclient takes in the lab (11 on a real Mac)",
    (Row(EVERY, 0.2, assumed=True),),
)

# --- starting -------------------------------------------------------------------------------------

SSH_UNLOCKS: Rule[bool] = Rule(
    "ssh_unlocks",
    "a Mac that waits at FileVault's unlock screen runs sshd, and a password there unlocks the volume",
    (Row(EVERY, False, "filevault.md 6"), Row((26,), True, "preboot-ssh-unlock-26")),
)
PREBOOT_PASSWORD_METHOD: Rule[bool] = Rule(
    "preboot_password_method",
    "at the unlock screen the SSH method password unlocks as keyboard-interactive does (Apple's source says so, the"
    " author of fv-ssh-unlock saw keyboard-interactive alone)",
    (Row(EVERY, True, assumed=True),),
)
PREBOOT_MOUNTED: Rule[bool] = Rule(
    "preboot_mounted",
    "the preboot volume is at /System/Volumes/Preboot, with CryptoUserInfo.plist in a folder for each volume group",
    (Row(EVERY, False, assumed=True), Row((11,), True, assumed=True), Row((26,), True, "public file #60865698703")),
)
PREBOOT_ATTEMPTS: Rule[int] = Rule(
    "preboot_attempts",
    "wrong passwords at the unlock screen after which only macOS Recovery unlocks",
    (Row(EVERY, 10, "README of lime (Rust, 2026)"),),
)
PREBOOT_DELAYS_FROM: Rule[int] = Rule(
    "preboot_delays_from",
    "the wrong password at the unlock screen after which Apple silicon makes everybody wait",
    (Row(EVERY, 3, "eclecticlight.co 2025-10-22"),),
)
PREBOOT_DELAY: Rule[float] = Rule(
    "preboot_delay",
    "seconds for which Apple silicon looks at no password at the unlock screen",
    (Row(EVERY, 60.0, assumed=True),),
)
SSHD_INCLUDES: Rule[bool] = Rule(
    "sshd_includes",
    "sshd reads the files in /etc/ssh/sshd_config.d (Big Sur's has no Include; hardening guides of later versions put"
    " theirs there)",
    (
        Row(EVERY, False, "README of egberts/openssh-config"),
        Row((12,), True, assumed=True),
        Row((13,), True, "usnistgov/macos_security; README of lime (Rust, 2026)"),
    ),
)
UPDATE_PASSES_UNLOCK: Rule[bool] = Rule(
    "update_passes_unlock",
    "an update that an owner of the volume has authorised restarts past FileVault's unlock screen",
    (Row(EVERY, True, assumed=True),),
)
UPDATE_NEEDS_OWNER: Rule[frozenset[str]] = Rule(
    "update_needs_owner",
    "hardware on which an owner of the volume has to authorise an update of macOS (softwareupdate --user, --stdinpass)",
    (
        Row(EVERY, frozenset(), "softwareupdate-owner"),
        Row((11,), frozenset({"apple-silicon"}), "softwareupdate-owner"),
    ),
)
UPDATE_FAILURE_STATUS: Rule[int] = Rule(
    "update_failure_status",
    "exit status of softwareupdate where an update was refused or failed",
    (Row(EVERY, 1, assumed=True),),
)
PLATFORM_SSO: Rule[bool] = Rule(
    "platform_sso",
    "app-sso tells of Platform SSO (`app-sso platform -s`)",
    (Row(EVERY, False, assumed=True), Row((13,), True, "Microsoft's documentation of Platform SSO for macOS")),
)
SSO_POLICIES: Rule[bool] = Rule(
    "sso_policies",
    "Platform SSO has policies for FileVault, the login window and the locked screen, and accounts that are exempt",
    (Row(EVERY, False, assumed=True), Row((15,), True, "apple/device-management, com.apple.extensiblesso")),
)
STUB_NEEDS_A_SCREEN: Rule[bool] = Rule(
    "stub_needs_a_screen",
    "Apple's stub for python3 opens its dialog only while a user is logged in at the screen",
    (Row(EVERY, True, assumed=True),),
)


def every_rule() -> list[Rule[object]]:
    """All rules of this module, in the order in which they stand."""
    return [value for value in globals().values() if isinstance(value, Rule)]
