# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold every text that the programs of a Mac print, by key and version, each with the place it was seen."""

from __future__ import annotations

from maclab.generic_texts import GENERIC
from maclab.rules import Version
from maclab.wording import Wordings, assumed, seen

_CREDENTIALS = "(interactive || -adminUser <administrator user name> -adminPassword <administrator password>)"
_CREDENTIALS_BENT = _CREDENTIALS.replace("(interactive", "(interactive]")


def _usage(version: Version) -> str:
    later = version >= (11,)
    lines = [
        "-adminUser <admin user name> -adminPassword <admin user password>" if version < (10, 14) else "",
        f"-deleteUser <user name> [-secure || -keepHome] {_CREDENTIALS}",
        "-newPassword <new password> -oldPassword <old password> [-passwordHint <password hint>]",
        "-resetPasswordFor <local user name> -newPassword <new password> [-passwordHint <password hint>] "
        + _CREDENTIALS_BENT,
        "-addUser <user name> [-fullName <full name>] [-UID <user ID>] "
        + ("[-GID <group ID>] " if later else "")
        + "[-shell <path to shell>] [-password <user password>] [-hint <user hint>] "
        + "[-home <full path to home>] [-admin] "
        + ("[-roleAccount] " if later else "")
        + f"[-picture <full path to user image>] {_CREDENTIALS_BENT}",
        "-secureTokenStatus <user name>",
        f"-secureTokenOn <user name> -password <password> {_CREDENTIALS}",
        f"-secureTokenOff <user name> -password <password> {_CREDENTIALS}",
        "-autologin set -userName <user name> [-password <user password>] || off || status " + _CREDENTIALS
        if version >= (13,)
        else "",
        "-guestAccount <on || off || status>",
        "-afpGuestAccess <on || off || status>",
        "-smbGuestAccess <on || off || status>",
        "-automaticTime <on || off || status>",
        "-filesystem status",
        _usage_screen_lock(version),
    ]
    head = "Usage: sysadminctl\n" + "".join(f"\t{line}\n" for line in lines if line)
    return head + _usage_tail(version)


def _usage_screen_lock(version: Version) -> str:
    if version < (10, 14):
        return ""
    choices = "status || immediate || off || seconds" if version >= (11,) else "immediate || off"
    return f"-screenLock <{choices}> -password <password>"


def _usage_tail(version: Version) -> str:
    prompt = "Pass '-' instead of password in commands above to request prompt."
    if version < (10, 14):
        return prompt
    scripted = (
        "'-adminPassword' used mostly for scripted operation. Use '-' or 'interactive' to get the authentication "
        "string interactively. This preferred for security reasons\n"
    )
    roles = "\n*Role accounts require name starting with _ and UID in 200-400 range." if version >= (11,) else ""
    return f"\n{prompt}\n{scripted}{roles}".rstrip("\n")


_SUPER_LOG = "Macjutsu/super, Example-Logs/13.0->13.3-Apple-Silicon-User-Authenticated/asu.log"
_NOT_ADMIN = (
    "Authentication server refused operation because the current credentials are not authorized "
    "for the requested operation."
)
_NOT_VERIFIED = "Credentials could not be verified, username or password is invalid."
_MAIN = "addremoveuser/main.m"
_GUARD = (
    "User {user} can not be deleted (it's either last admin user or last secure token user neither of which can be "
    "deleted)"
)
_OWN = "User cannot disable their own SEP credential"
_SEP = (
    f'NSUnderlyingError=0x101744120 {{{{Error Domain=com.apple.OpenDirectory Code=5101 "{_OWN}" '
    f"UserInfo={{{{NSDescription={_OWN}}}}}}}}}, "
)
# Where Apple built sysadminctl; BUILD stands for what differs from build to build.
_BUILD = "0123456789"
_CACHES = "Library/Caches/com.apple.xbs"
_ROOT_10 = f"/BuildRoot/{_CACHES}/Sources/Admin/Admin-679"
_ROOT_12 = f"/System/Volumes/Data/SWE/macOS/BuildRoots/{_BUILD}/{_CACHES}/Sources/Admin/Admin-911"
_ROOT_15 = f"/AppleInternal/Library/BuildRoots/{_BUILD}/{_CACHES}/Sources/Admin"
_ROOT_27 = f"/AppleInternal/Library/BuildRoots/{_BUILD}/{_CACHES}/TemporaryDirectory.{_BUILD}/Sources"


def _od_error(code: int, words: str, key: str, under: str = "") -> str:
    info = f"{under}NSLocalizedDescription={words}, NSLocalizedFailureReason={words}"
    return f'{key} error Error Domain=com.apple.OpenDirectory Code={code} "{words}" UserInfo={{{{{info}}}}}'


def _source_line(root: str, file: str = "DSRecord.m", line: str = "{line}") -> str:
    return f"### Error:{{code}} File:{root}/{file} Line:{line}"


_SSHD = "system/com.openssh.sshd = {{\n\tactive count = 0\n\tpath = (submitted by smd[29])\n"

TEXTS: dict[str, Wordings] = {
    # --- sysadminctl ---
    "sysadminctl.usage": (
        seen(_usage((10, 13)), "usage-10.13"),
        seen(_usage((10, 14)), "usage-10.15", (10, 14)),
        assumed(_usage((11,)), (11,)),
        seen(_usage((13,)), "usage-13.2.1", (13,)),
    ),
    "sysadminctl.not_root": (
        seen(
            "sysadminctl should be run as root, or in interactive mode! (Error Domain=NSOSStatusErrorDomain "
            'Code=-60007 "errAuthorizationInteractionNotAllowed: The authorization was denied '
            'since no user interaction was possible. ")',
            "adduser-not-root-10.13.6",
        ),
    ),
    "sysadminctl.framework": (
        seen("Failed to authenticate with SystemAdministration framework.", "sts-no-creds-10.13.2"),
    ),
    "sysadminctl.unknown_user": (seen("Unknown user {user}", "sts-unknown-26.6"),),
    "sysadminctl.token_user_unknown": (assumed("Unknown user {user}"),),
    "sysadminctl.status": (seen("Secure token is {state} for user {full_name}", "sts-enabled-realname-2024"),),
    "sysadminctl.done": (seen("- Done!", "ston-done-2024-07-b"),),
    "sysadminctl.not_admin": (
        seen(_od_error(5101, _NOT_ADMIN, "setSecureTokenAuthorizationEnabled"), "ston-5101-not-authorized"),
    ),
    "sysadminctl.no_unlock": (seen("Operation is not permitted without secure token unlock.", "reset-no-unlock-2023"),),
    "sysadminctl.wrong_user_password": (assumed(_od_error(5000, _NOT_VERIFIED, "setSecureTokenAuthorizationEnabled")),),
    "sysadminctl.off_own_credential": (
        assumed(_od_error(5101, _NOT_ADMIN, "setSecureTokenAuthorizationEnabled", _SEP)),
        seen(_od_error(5101, _NOT_ADMIN, "setSecureTokenAuthorizationEnabled", _SEP), "stoff-self-5101-27", (27,)),
    ),
    "sysadminctl.auth_error": (
        seen(_source_line(_ROOT_10, "DSAuthenticator.m", "94"), "sts-wrong-admin-10.13.2"),
        assumed(_source_line(_ROOT_12, "DSAuthenticator.m", "94"), (11,)),
        assumed(_source_line(_ROOT_15, "DSAuthenticator.m", "94"), (13,)),
        seen(_source_line(_ROOT_15, "DSAuthenticator.m", "94"), "adduser-wrong-admin-15.3", (15,)),
        seen(
            _source_line(f"{_ROOT_27}/Admin_sysadminctl", _MAIN, "381"),
            "reset-by-disabled-admin-27",
            (27,),
        ),
    ),
    "sysadminctl.resetting": (
        assumed("resetting password for {full_name}. (Keychain will not be updated!)"),
        seen("resetting password for {full_name}. (Keychain will not be updated!)", "reset-by-self-ok-27", (27,)),
    ),
    "sysadminctl.reset_done": (
        assumed("- Done"),
        seen("- Done", "reset-by-self-ok-27", (27,)),
    ),
    "sysadminctl.prompt_admin": (seen("Enter password for {full_name} :", "screenlock-prompt"),),
    "sysadminctl.prompt_user_token": (assumed("Enter password for {full_name} :"),),
    "sysadminctl.prompt_user": (seen("User password:", "adduser-existing-record-10.13"),),
    "sysadminctl.prompt_new": (seen("New password:", "reset-prompt-new"),),
    "sysadminctl.prompt_old": (assumed("Old password:"),),
    "sysadminctl.banner": (
        seen(
            "No clear text password or interactive option was specified (adduser, change/reset password "
            "will not allow user to use FDE) !",
            "adduser-existing-record-10.13",
        ),
    ),
    "sysadminctl.banner_rule": (seen("----------------------------", "adduser-existing-record-10.13"),),
    "sysadminctl.creating": (seen("Creating user record…", "adduser-existing-record-10.13"),),
    "sysadminctl.stray_line": (
        seen("IOServiceMatchingfailed for: AppleM2ScalerParavirtDriver\n", "adduser-no-fda-27"),
    ),
    "sysadminctl.record_error": (
        seen(_source_line(_ROOT_10), "adduser-existing-record-10.13"),
        assumed(_source_line(_ROOT_12), (11,)),
        seen(_source_line(_ROOT_12), "delete-no-fda-12", (12,)),
        assumed(_source_line(_ROOT_15), (13,)),
        seen(_source_line(_ROOT_15), "delete-no-fda-26", (26,)),
        seen(_source_line(f"{_ROOT_27}/Admin"), "delete-no-fda-27", (27,)),
    ),
    "sysadminctl.uid": (seen("Assigning UID: {uid}", "adduser-existing-record-10.13"),),
    "sysadminctl.uid_gid": (seen("Assigning UID: {uid} GID: {gid}", "adduser-2026-home-assigned"),),
    "sysadminctl.home_created": (seen("Creating home directory at {home}", "adduser-2026-home-created"),),
    "sysadminctl.home_exists": (seen("Directory at path:{home} already exists", "adduser-existing-record-10.13"),),
    "sysadminctl.home_assigned": (
        seen("Home directory is assigned (not created!) at {home}", "adduser-2026-home-assigned"),
    ),
    "sysadminctl.policy": (seen("New account password error.  (5402)", "adduser-wrong-admin-15.3"),),
    "sysadminctl.policy_change": (assumed("Password does not meet the policies enforced by the system. (5402)"),),
    "sysadminctl.full_name_taken": (assumed("Full name {full_name} is already used by another account"),),
    "sysadminctl.role_refused": (assumed("Role accounts require name starting with _ and UID in 200-400 range."),),
    "sysadminctl.delete_unknown": (assumed("User {user} not found"),),
    "sysadminctl.delete_guard": (
        seen(_GUARD, "delete-last-admin-or-token"),
        seen(f"{_GUARD}.", "delete-last-holder-creds-27", (27,)),
    ),
    "sysadminctl.delete_kill": (seen("Killing all processes for UID {uid}", "delete-ok-fda"),),
    "sysadminctl.delete_home_secure": (seen("Securely removing {user}'s home at {home}", "delete-ok-fda"),),
    "sysadminctl.delete_home": (seen("Removing {user}'s home at {home}", "delete-no-fda-27"),),
    "sysadminctl.delete_home_keep": (assumed("Keeping {user}'s home at {home}"),),
    "sysadminctl.delete_share": (seen("Deleting Public share point for {user}", "delete-ok-fda"),),
    "sysadminctl.delete_record": (seen("Deleting record for {user}", "delete-ok-fda"),),
    "sysadminctl.delete_btmm": (
        seen(
            "AOSKit INFO: Disabling BTMM for user, no zone found for uid={uid}, usersToZones: (null)", "delete-ok-fda"
        ),
    ),
    "sysadminctl.password_required": (seen("Password is required!", "screenlock-pw-required-rc0"),),
    "sysadminctl.screen_lock_off": (seen("screenLock is off", "screenlock-off"),),
    "sysadminctl.screen_lock_immediate": (seen("screenLock delay is immediate", "screenlock-immediate"),),
    "sysadminctl.screen_lock_seconds": (seen("screenLock delay is {seconds} seconds", "screenlock-seconds"),),
    "sysadminctl.autologin_refused": (seen("SACSetAutoLoginPassword error:22", "autologin-err22"),),
    "sysadminctl.autologin_off": (seen("Automatic login is OFF.", "autologin-status-off"),),
    "sysadminctl.autologin_user": (seen("Automatic login user: {user}", "autologin-status-user"),),
    "sysadminctl.autologin_filevault": (
        seen("Automatic login is disabled because FileVault is enabled.", "autologin-status-filevault"),
    ),
    "sysadminctl.guest": (seen("Guest account {state}.", "guest-status"),),
    "sysadminctl.smb": (seen("SMB guest access {state}", "smb-guest-status"),),
    "sysadminctl.filesystem_cs": (seen("Boot volume CS FDE: {answer}", "filesystem-status-10.15"),),
    "sysadminctl.filesystem_apfs": (seen("Boot volume APFS FDE: {answer}", "filesystem-status-10.15"),),
    # --- dscl ---
    "dscl.usage": (
        assumed(
            "dscl (v200.12)\nusage: dscl [options] [<datasource> [<command>]]\n"
            "datasource:\n    localhost    or    <hostname>    or    <nodename>\n"
        ),
    ),
    "dscl.auth_failed": (seen("Authentication for node {node} failed. ({code}, {name})\n", "dscl-authonly-bad"),),
    "dscl.error": (seen("<dscl_cmd> DS Error: {code} ({name})\n", "dscl-absent-record"),),
    "dscl.status": (seen("<main> {what} status: {name}\n", "dscl-passwd-eds-perm"),),
    "dscl.invalid_path": (seen("{command}: Invalid Path\n", "dscl-invalid-path"),),
    "dscl.no_key": (seen("No such key: {key}\n", "dscl-authority-local-notoken"),),
    "dscl.prompt_password": (seen("Password: ", "dscl-authonly-prompt"),),
    "dscl.prompt_new": (assumed("New Password: "),),
    "dscl.prompt_old": (
        assumed("Permission denied. Please enter user's old password:"),
        seen("Permission denied. Please enter user's old password:", "dscl-passwd-root-token-26", (26,)),
    ),
    "dscl.no_source": (seen("Data source ({node}) is not valid.\n", "apple-oss-distributions/DSTools dscl"),),
    "dscl.no_host": (
        seen("Cannot open remote host, error: DSOpenDirServiceErr\n", "apple-oss-distributions/DSTools dscl"),
    ),
    "dscl.enter": (
        seen('Entering interactive mode... (type "help" for commands)\n', "apple-oss-distributions/DSTools dscl"),
    ),
    "dscl.prompt": (assumed("{path} > "),),
    "dscl.goodbye": (seen("Goodbye\n", "apple-oss-distributions/DSTools dscl"),),
    "dscl.too_few": (seen("Too few parameters for {command} operation\n", "apple-oss-distributions/DSTools dscl"),),
    "dscl.invalid_key": (seen("Invalid key.\n", "apple-oss-distributions/DSTools dscl"),),
    "dscl.no_plist_path": (seen("No such plist path: {path}\n", "apple-oss-distributions/DSTools dscl"),),
    "dscl.changing": (seen("Changing {what}\n", "apple-oss-distributions/DSTools dscl"),),
    "dscl.not_searched": (
        seen("You can only search a node or record type path.\n", "apple-oss-distributions/DSTools dscl"),
    ),
    "dscl.search_row": (seen("{name}\t\t{key} = ({values})\n", "apple-oss-distributions/DSTools dscl"),),
    # --- directories ---
    "createmobileaccount.usage": (assumed("usage: createmobileaccount -n username\n"),),
    "createmobileaccount.not_root": (assumed("createmobileaccount: must be run as root\n"),),
    "createmobileaccount.unknown": (assumed("createmobileaccount: could not find the user record of {user}\n"),),
    "createmobileaccount.local": (assumed("createmobileaccount: {user} is a local account\n"),),
    "createmobileaccount.created": (assumed("createmobileaccount: created {user} with the home {home}\n"),),
    "odutil.node": (assumed("{name}  {status}\n"),),
    "odutil.usage": (assumed("Usage: odutil [show | reset | set] ...\n"),),
    # --- groups and names ---
    "dseditgroup.yes": (seen("yes {user} is a member of {group}\n", "dseditgroup-yes"),),
    "dseditgroup.no": (seen("no {user} is NOT a member of {group}\n", "dseditgroup-no"),),
    "dseditgroup.no_user": (seen("Unable to find the user record\n", "dseditgroup-unknown-user"),),
    "dseditgroup.no_group": (seen("Group not found.\n", "dseditgroup-unknown-group"),),
    "dseditgroup.no_name": (seen("No group name provided\n", "apple-oss-distributions/DSTools ugtools/dseditgroup.c"),),
    "dseditgroup.no_record": (
        seen("Record was not found.\n", "apple-oss-distributions/DSTools ugtools/dseditgroup.c"),
    ),
    "dseditgroup.no_credentials": (
        seen("Username and password must be provided.\n", "apple-oss-distributions/DSTools ugtools/dseditgroup.c"),
    ),
    "dseditgroup.bad_credentials": (
        seen("Failed to set credentials.\n", "apple-oss-distributions/DSTools ugtools/dseditgroup.c"),
    ),
    "dseditgroup.not_permitted": (assumed("Could not add member to group.\n"),),
    "dseditgroup.prompt": (
        seen("Please enter user password:", "apple-oss-distributions/DSTools ugtools/dseditgroup.c"),
    ),
    "dseditgroup.overwrite": (
        seen(
            "Create called on existing record - do you want to overwrite, y or n : ",
            "apple-oss-distributions/DSTools ugtools/dseditgroup.c",
        ),
    ),
    "dseditgroup.not_replaced": (
        seen(
            "Operation cancelled because record could not be replaced\n",
            "apple-oss-distributions/DSTools ugtools/dseditgroup.c",
        ),
    ),
    "dseditgroup.will_delete": (
        seen("Group record below will be deleted:\n", "apple-oss-distributions/DSTools ugtools/dseditgroup.c"),
    ),
    "dseditgroup.gid_taken": (seen("GID already exists\n", "apple-oss-distributions/DSTools ugtools/dseditgroup.c"),),
    "dseditgroup.gid_not_numeric": (
        seen("GID contains non-numeric characters\n", "apple-oss-distributions/DSTools ugtools/dseditgroup.c"),
    ),
    "dseditgroup.guid_not_valid": (
        seen("GUID provided is not a valid UUID\n", "apple-oss-distributions/DSTools ugtools/dseditgroup.c"),
    ),
    "dseditgroup.usage": (
        assumed(
            "\ndseditgroup (DSTools):: Manipulate group records with the Open Directory API.\n\n"
            "Usage: dseditgroup [-pqv] -o operation [options] groupname\n\n"
            "See dseditgroup(8) man page for details.\n\n"
        ),
    ),
    "dsmemberutil.yes": (
        seen("user is a member of the group\n", "apple-oss-distributions/DSTools dsmbrutil/dsmbrutil.c"),
    ),
    "dsmemberutil.no": (
        seen("user is not a member of the group\n", "apple-oss-distributions/DSTools dsmbrutil/dsmbrutil.c"),
    ),
    "dsmemberutil.no_user": (seen("The user {user} cannot be found\n", "dsmemberutil-unknown"),),
    "dsmemberutil.no_group": (
        seen("The group {group} cannot be found\n", "apple-oss-distributions/DSTools dsmbrutil/dsmbrutil.c"),
    ),
    "dsmemberutil.user_not_found": (seen("User not found\n", "apple-oss-distributions/DSTools dsmbrutil/dsmbrutil.c"),),
    "dsmemberutil.group_not_found": (
        seen("Group not found\n", "apple-oss-distributions/DSTools dsmbrutil/dsmbrutil.c"),
    ),
    "dsmemberutil.unknown_error": (
        seen("There was an unknown error.\n", "apple-oss-distributions/DSTools dsmbrutil/dsmbrutil.c"),
    ),
    "dsmemberutil.no_uuid": (
        seen("There is no uuid for {kind} {name}\n", "apple-oss-distributions/DSTools dsmbrutil/dsmbrutil.c"),
    ),
    "dsmemberutil.no_id": (seen("id not found\n", "apple-oss-distributions/DSTools dsmbrutil/dsmbrutil.c"),),
    "dsmemberutil.usage": (
        assumed(
            "Usage: dsmemberutil [flags] <command> [options]\ncommands: getuuid, getid, checkmembership, flushcache\n"
        ),
    ),
    "dsmemberutil.usage_getuuid": (
        seen(
            "Usage: dsmemberutil getuuid must have one flag and parameter\n",
            "apple-oss-distributions/DSTools dsmbrutil/dsmbrutil.c",
        ),
    ),
    "dsmemberutil.usage_getid": (
        seen(
            "Usage: dsmemberutil getid must have one flag and parameter\n",
            "apple-oss-distributions/DSTools dsmbrutil/dsmbrutil.c",
        ),
    ),
    "dsmemberutil.usage_check": (
        seen(
            "Usage: dsmemberutil checkmembership missing appropriate options\n"
            "    checkmembership  [-uUx] value [-GX] value\n",
            "apple-oss-distributions/DSTools dsmbrutil/dsmbrutil.c",
        ),
    ),
    "getopt.complaint": (seen("{program}: {complaint}\n", "getopt.c of Apple's Libc"),),
    "id.usage": (
        assumed(
            "usage: id [user]\n       id -A\n       id -F [user]\n       id -G [-n] [user]\n       id -M\n"
            "       id -P [user]\n       id -g [-nr] [user]\n       id -p [user]\n       id -u [-nr] [user]\n"
        ),
    ),
    "id.no_user": (seen("id: {user}: no such user\n", "id-unknown"),),
    # --- diskutil ---
    "diskutil.none": (seen("No cryptographic users for {device}\n", "du-listcryptousers-none"),),
    "diskutil.one": (seen("Cryptographic user for {device} (1 found)\n", "diskutil-list-users-1"),),
    "diskutil.many": (seen("Cryptographic users for {device} ({count} found)\n", "du-listcryptousers-tahoe"),),
    "diskutil.listed": (seen("", "du-listcryptousers-tahoe"), seen(" \n", "du-listcryptousers-27", (27,))),
    "diskutil.not_apfs": (assumed("{device} is not an APFS Volume\n"),),
    "diskutil.no_disk": (seen("Could not find disk: {device}\n", "public file #56912689801"),),
    "diskutil.not_container": (assumed("{device} is not an APFS Container or disk\n"),),
    "diskutil.no_core_storage": (
        seen("No CoreStorage logical volume groups found\n", "public files #11044388293, #20582748406"),
    ),
    "diskutil.not_core_storage": (assumed("{device} is not a CoreStorage disk\n"),),
    "diskutil.usage": (assumed("Usage:  diskutil [quiet] <verb> <options>\n"),),
    "diskutil.owner_needed": (assumed("Ownership of the affected disks is required\n"),),
    "diskutil.no_passphrase": (
        seen("Error: A zero-length passphrase is not supported\n", "du-verify-empty-passphrase"),
    ),
    "diskutil.not_encrypted": (assumed("{device} is not encrypted\n"),),
    "diskutil.verifying": (assumed('Verifying the "{guid}" cryptographic user on APFS Volume {device}\n'),),
    "diskutil.verified": (assumed("The passphrase is correct\n"),),
    "diskutil.wrong_passphrase": (assumed("Passphrase incorrect or user does not exist\n"),),
    "diskutil.preboot_start": (assumed("Started APFS operation\n"),),
    "diskutil.preboot_user": (seen("UpdatePreboot: Considering user {guid}\n", "du-updatepreboot-user-lines"),),
    "diskutil.preboot_auths": (
        seen(
            "UpdatePreboot: Got authentication auths strings for this user; strings=(\n{strings}\n)\n",
            "du-updatepreboot-user-lines",
        ),
    ),
    "diskutil.preboot_name": (
        seen("UpdatePreboot: Got username ({full_name}) for this user\n", "du-updatepreboot-user-lines"),
    ),
    "diskutil.preboot_admin": (
        seen(
            "UpdatePreboot: This is an admin user (in set of admin users from query above)\n",
            "du-updatepreboot-user-lines",
        ),
    ),
    "diskutil.preboot_user_end": (seen("UpdatePreboot: Error for this user was 0\n", "du-updatepreboot-user-lines"),),
    "diskutil.preboot_orphan": (
        assumed(
            "UpdatePreboot: Considering APFS Crypto User {guid}\n"
            "UpdatePreboot: Processed APFS Volume Crypto User {guid}\n"
            "UpdatePreboot: Error for this processed user was -69537\n"
        ),
    ),
    "diskutil.preboot_failed": (
        assumed(
            "UpdatePreboot: Exiting Update Preboot operation with overall error=(ZeroMeansSuccess)=-69537\n"
            "Error: -69537: Couldn't update the Preboot volume\n"
        ),
    ),
    "diskutil.preboot_end": (
        seen(
            "UpdatePreboot: Releasing flock hold on Preboot Volume Subject Dir\n"
            "UpdatePreboot: Releasing mount hold on Preboot Volume\n"
            "UpdatePreboot: Restoring mount state of Preboot Volume\n"
            "UpdatePreboot: Did restore mount state of Preboot Volume err=(ignored)=0\n"
            "UpdatePreboot: Doing memory releases\n"
            "UpdatePreboot: Exiting Update Preboot operation with overall error=(ZeroMeansSuccess)=0\n"
            "Finished APFS operation\n",
            "du-updatepreboot-ok",
        ),
    ),
    # --- fdesetup ---
    "fdesetup.on": (seen("FileVault is On.\n", "fde-status-after-ade"),),
    "fdesetup.off": (seen("FileVault is Off.\n", "fde-status-off-deferred"),),
    "fdesetup.on_restart": (seen("FileVault is On, but needs to be restarted to finish.\n", "fde-status-restart-on"),),
    "fdesetup.off_restart": (
        seen("FileVault is Off, but needs to be restarted to finish.\n", "fde-status-restart-off"),
    ),
    "fdesetup.off_will": (
        seen("FileVault is Off, but will be enabled after the next restart.\n", "fde-status-restart-off-will"),
    ),
    "fdesetup.encrypting": (
        seen("Encryption in progress: Percent completed = {percent}\n", "fde-status-encrypting-percent"),
    ),
    "fdesetup.decrypting": (assumed("Decryption in progress: Percent completed = {percent}\n"),),
    "fdesetup.pending": (seen("Encryption in progress: Pending\n", "fde-status-encrypting-pending"),),
    "fdesetup.deferred": (
        seen("Deferred enablement appears to be active for user '{user}'.\n", "fde-status-off-deferred"),
    ),
    "fdesetup.master": (seen("FileVault master keychain appears to be installed.\n", "fde-status-on-master-keychain"),),
    "fdesetup.not_root": (assumed("fdesetup: Error, root access required.\n"),),
    "fdesetup.usage": (assumed("usage: fdesetup [-help] <verb> [options]\n"),),
    "fdesetup.unknown": (assumed("Error: Unknown command.\n"),),
    "fdesetup.parameter": (assumed("Error: Invalid option '{word}'.\n"),),
    "fdesetup.bad_input": (assumed("Error: Unable to read the input plist.\n"),),
    # Of this line only its first words are known (fde-status-extended).
    "fdesetup.extended": (assumed("Volume is APFS\n"),),
    "fdesetup.prompt_user": (seen("Enter the user name:", "fde-enable-sequoia"),),
    "fdesetup.prompt_password": (seen("Enter the password for user '{user}':", "fde-enable-sequoia"),),
    "fdesetup.prompt_added": (seen("Enter the password for the added user '{user}':", "fde-add-prompts-apfs"),),
    "fdesetup.prompt_key": (seen("Enter the current recovery key:", "fde-validate-prompt-true"),),
    "fdesetup.verbose_stdin": (seen("fdesetup: auth info dictionary path = stdin\n", "fde-add-inputplist-rc17"),),
    "fdesetup.verbose_no_key": (seen("fdesetup: do not return recovery key\n", "fde-changerecovery-verbose-fail"),),
    "fdesetup.verbose_personal": (seen("fdesetup: use personal recovery key\n", "fde-changerecovery-136"),),
    "fdesetup.verbose_device": (seen("fdesetup: device path = /\n", "fde-add-inputplist-rc17"),),
    "fdesetup.verbose_not_authenticated": (
        seen("OD user '{user}' could not be authenticated.\n", "fde-add-inputplist-rc17"),
    ),
    "fdesetup.verbose_adding": (seen("Adding user '{user}' to existing FileVault\n", "fde-add-inputplist-rc17"),),
    "fdesetup.key": (seen("Recovery key = '{key}'\n", "fde-enable-sequoia"),),
    "fdesetup.new_key": (seen("New personal recovery key = '{key}'\n", "fde-changerecovery-new-key"),),
    "fdesetup.not_authenticated": (
        seen(
            "Error: User could not be authenticated.\nError: Unable to unlock or authenticate to FileVault.\n",
            "fde-changerecovery-auth-fail",
        ),
    ),
    "fdesetup.not_changed": (seen("Error: Unable to change key.\n", "fde-changerecovery-136b"),),
    "fdesetup.not_changed_typed": (
        seen(
            "Error: Unable to change key.\nError: User could not be authenticated.\n",
            "fde-changerecovery-verbose-fail",
        ),
    ),
    "fdesetup.internal": (assumed("Internal error\n"),),
    "fdesetup.key_not_removed": (assumed("Error: Unable to remove recovery key.\n"),),
    "fdesetup.no_key": (assumed("Error: There is no personal recovery key.\n"),),
    "fdesetup.which_key": (assumed("Error: Either -personal or -institutional must be given.\n"),),
    "fdesetup.not_on_apfs": (seen("This command is not supported on APFS volumes.\n", "fde-usingrecoverykey-apfs"),),
    "fdesetup.already_on": (assumed("Error: FileVault is already On.\n"),),
    "fdesetup.not_ready": (assumed("Error: FileVault is either Off, busy, or the volume is locked.\n"),),
    "fdesetup.corestorage": (assumed("Error: Unable to enable FileVault on this volume (22).\n"),),
    "fdesetup.managed": (assumed("Error: Unable to enable FileVault due to management settings.\n"),),
    "fdesetup.blank": (assumed("Error: One or more users have a blank password. FileVault cannot be enabled.\n"),),
    "fdesetup.no_access": (assumed("Error: fdesetup is not allowed to enable FileVault.\n"),),
    "fdesetup.no_record": (assumed("Error: User '{user}' could not be found.\n"),),
    "fdesetup.not_added": (
        seen(
            "Error: user could not be added (-69578).\nError: Unable to add one or more users to FileVault.\n",
            "fde-add-inputplist-rc17",
        ),
    ),
    "fdesetup.not_removed": (assumed("Error: Unable to remove user from FileVault.\n"),),
    "fdesetup.disabled": (assumed("FileVault has been disabled.\n"),),
    "fdesetup.not_disabled": (seen("FileVault was not disabled (-69594).\n", "fde-disable-69594"),),
    "fdesetup.no_deferral": (seen("Not found.\n", "fde-showdeferral-none"),),
    "fdesetup.restarting": (seen("System is being restarted\n", "fde-authrestart-ok-stderr"),),
    "fdesetup.not_restarting": (seen("Error: Unable to restart (error = -54).\n", "fde-authrestart-54"),),
    # --- profiles ---
    "profiles.supported": (seen("profiles: Bootstrap Token supported on server: {answer}\n", "bt-status-yes-yes"),),
    "profiles.escrowed": (seen("profiles: Bootstrap Token escrowed to server: {answer}\n", "bt-status-yes-yes"),),
    "profiles.not_enrolled": (assumed("profiles: Error: This machine is not enrolled in MDM.\n"),),
    "profiles.unreachable": (assumed("profiles: Error: Unable to contact the MDM server.\n"),),
    "profiles.type_unknown": (assumed("profiles: the type '{kind}' is not recognized\n"),),
    "profiles.usage": (assumed("usage: profiles <verb> [options]\n"),),
    "profiles.not_root": (assumed("profiles: this command requires root privileges\n"),),
    "profiles.none_all": (seen("There are no configuration profiles installed\n", "public file #58599107904"),),
    "profiles.none_system": (
        seen("There are no configuration profiles installed in the system domain\n", "public file #39059404733"),
    ),
    "profiles.none_user": (
        seen("There are no configuration profiles installed for user '{user}'\n", "public file #69396166518"),
    ),
    "profiles.some": (seen("There are {count} system configuration profiles installed\n", "public file #747270284"),),
    "profiles.functionality": (
        seen(
            "Bootstrap Token functionality is not supported on the server.\n", "bt-status-functionality-not-supported"
        ),
    ),
    "profiles.not_supervised": (assumed("profiles: Error: Bootstrap Token requires a supervised device.\n"),),
    "profiles.prompt_user": (seen("Enter the admin user name:", "bt-install-prompts"),),
    "profiles.prompt_password": (seen("Enter the password for user '{user}':", "bt-install-prompts"),),
    "profiles.created": (seen("profiles: Bootstrap Token created\n", "bt-install-ok"),),
    "profiles.escrow": (seen("profiles: Bootstrap Token escrowed\n", "bt-install-ok"),),
    "profiles.not_escrowed": (assumed("profiles: Error: Unable to escrow the Bootstrap Token to the server.\n"),),
    "profiles.password_required": (seen("Error: Password is required.\n", "bt-install-empty-password"),),
    "profiles.password_too_long": (assumed("profiles: Error: Unable to create the Bootstrap Token (-69581).\n"),),
    "profiles.not_authenticated": (seen("Unable to authenticate user information\n", "bt-install-unauthenticated"),),
    "profiles.not_authenticated_validate": (
        seen("Unable to authenticate user information.\n", "bt-validate-unauthenticated"),
    ),
    "profiles.not_authorised": (assumed("profiles: Error: The user must be an administrator with a Secure Token.\n"),),
    "profiles.removed": (assumed("profiles: Bootstrap Token removed\n"),),
    "profiles.validated": (seen("profiles: Bootstrap Token validated.\n", "bt-validate-ok"),),
    "profiles.not_verified": (seen("Unable to verify token (err = -69594).\n", "bt-validate-stale"),),
    "profiles.no_token": (assumed("profiles: Error: There is no Bootstrap Token.\n"),),
    "profiles.too_soon": (
        assumed("Error fetching Device Enrollment configuration - Request too soon.  Try again later.\n"),
    ),
    "profiles.no_dep": (
        seen("Error fetching Device Enrollment configuration: Client is not DEP enabled.\n", "enr-show-not-dep"),
    ),
    "profiles.no_cloud": (
        assumed(
            "Error fetching Device Enrollment configuration: (34006) The cloud configuration server is unavailable.\n"
        ),
    ),
    "profiles.configuration": (seen("Device Enrollment configuration:\n{dictionary}\n", "enr-show-config"),),
    "profiles.dep": (seen("Enrolled via DEP: {answer}\n", "enr-status-none"),),
    "profiles.mdm": (seen("MDM enrollment: {answer}\n", "enr-status-none"),),
    "profiles.server": (assumed("MDM server: {server}\n"),),
    # --- mdmclient ---
    "mdmclient.usage": (assumed("usage: mdmclient <command> [options]\n"),),
    "mdmclient.answer": (assumed("Daemon response: {dictionary}\n"),),
    "mdmclient.not_enrolled": (assumed("This computer is not enrolled in MDM.\n"),),
    "mdmclient.preflight_ok": (seen("success", "bt-eacs-success"),),
    "mdmclient.preflight_none": (assumed("bootstrap token not available"),),
    "mdmclient.preflight_stale": (assumed("bootstrap token could not be verified"),),
    # --- installing ---
    "python3.stub": (
        seen(
            "xcode-select: note: No developer tools were found, requesting install.\n"
            "If developer tools are located at a non-default location on disk, use `sudo xcode-select --switch "
            "path/to/Xcode.app` to specify the Xcode that you wish to use for command line developer tools, and cancel "
            "the installation dialog.\nSee `man xcode-select` for more details.\n",
            "python3-stub",
        ),
    ),
    "python3.stub_without_a_screen": (
        seen(
            "xcode-select: error: no developer tools were found at '/Applications/Xcode.app', and no install could be "
            "requested (perhaps no UI is present), please install manually from 'developer.apple.com'.\n",
            "python3-stub-no-screen",
        ),
    ),
    # --- su ---
    "su.sorry": (assumed("su: Sorry\n"),),
    "su.unknown": (assumed("su: unknown login: {name}\n"),),
    "su.usage": (assumed("usage: su [-] [-flm] [login [args]]\n"),),
    "installer.done": (
        seen(
            "installer: Package name is {name}\ninstaller: Installing at base path /\n"
            "installer: The install was successful.\n",
            "installer-done",
        ),
    ),
    "installer.not_root": (seen("installer: Must be run as root to install this package.\n", "installer-not-root"),),
    "installer.no_package": (assumed("installer: Error - the package path specified was invalid: '{path}'.\n"),),
    "installer.usage": (assumed("Usage: installer -pkg pathToPackage -target device\n"),),
    "curl.failed": (assumed("curl: ({code}) {words}\n"),),
    "shasum.missing": (assumed("shasum: {path}: No such file or directory\n"),),
    # --- restarting ---
    "launchctl.usage": (
        assumed("Unrecognized subcommand: {verb}\nUsage: launchctl <subcommand> ... | help [subcommand]\n"),
    ),
    "launchctl.load_failed": (
        assumed("Load failed: 5: Input/output error\nTry running `launchctl bootstrap` as root for richer errors.\n"),
    ),
    "launchctl.unload_failed": (
        assumed("Unload failed: 5: Input/output error\nTry running `launchctl bootout` as root for richer errors.\n"),
    ),
    "launchctl.bootstrap_failed": (assumed("Bootstrap failed: {code}: {words}\n"),),
    "launchctl.bootout_failed": (assumed("Boot-out failed: {code}: {words}\n"),),
    "launchctl.unknown": (
        assumed('Could not find service "{label}" in domain for system\n'),
        seen(
            'Bad request.\nCould not find service "{label}" in domain for system\n', "launchctl-print-missing-27", (27,)
        ),
    ),
    "launchctl.print_sshd": (
        assumed(_SSHD),
        seen(_SSHD, "launchctl-print-sshd-27", (27,)),
    ),
    "launchctl.print_sshd_end": (assumed("\ttype = LaunchDaemon\n\tstate = not running\n}\n"),),
    "launchctl.disabled_begin": (assumed("\n\tdisabled services = {\n"),),
    "launchctl.disabled_yes": (
        assumed('\t\t"{label}" => true\n'),
        assumed('\t\t"{label}" => disabled\n', (13,)),
        seen('\t\t"{label}" => disabled\n', "launchctl-print-disabled-ssh-off-27", (27,)),
    ),
    "launchctl.disabled_no": (
        seen('\t\t"{label}" => false\n', "launchctl-print-disabled-true-12"),
        assumed('\t\t"{label}" => enabled\n', (13,)),
        seen('\t\t"{label}" => enabled\n', "launchctl-print-disabled-ssh-on-27", (27,)),
    ),
    "launchctl.disabled_end": (assumed("\t}\n"),),
    "systemsetup.not_root": (
        seen("You need administrator access to run this tool... exiting!\n", "systemsetup-not-root"),
    ),
    "systemsetup.remote_login": (seen("Remote Login: {state}\n", "systemsetup-remotelogin-on-27"),),
    "csrutil.root": (seen("Authenticated Root status: {state}\n", "csrutil-authroot"),),
    "csrutil.status": (seen("System Integrity Protection status: {state}.\n", "csrutil-enabled"),),
    "launchctl.print": (
        assumed(
            "system/{label} = {{\n\tactive count = 0\n\tpath = {path}\n\ttype = LaunchDaemon\n\tstate = not running"
            "\n\trun interval = {interval} seconds\n}}\n"
        ),
    ),
    "who.line": (assumed("{user:<16} console  {when} \n"),),
    "tar.denied": (assumed("tar: {path}: Couldn't visit directory: Operation not permitted\n"),),
    "tar.missing": (assumed("tar: {path}: Cannot stat: No such file or directory\n"),),
    "tar.unreadable": (assumed("tar: Error opening archive: Failed to open '{path}'\n"),),
    "softwareupdate.begin": (seen("Software Update Tool\n\nFinding available software\n", _SUPER_LOG),),
    "softwareupdate.found": (
        seen("Software Update found the following new or updated software:\n", "Macjutsu/super issue 151"),
    ),
    "softwareupdate.offer": (
        seen("   * {label}\n\t{title} ({version}), {size}K [recommended]{restart}\n", "bp88/JSS-Scripts issue 15"),
        seen(
            "* Label: {label}\n\tTitle: {title}, Version: {version}, Size: {size}K, Recommended: YES, {restart}\n",
            "WaveBirdDash/install-or-defer issue 60",
            (10, 15),
        ),
        seen(
            "* Label: {label}\n\tTitle: {title}, Version: {version}, Size: {size}KiB, Recommended: YES, {restart}\n",
            "Macjutsu/super issue 151",
            (12,),
        ),
    ),
    "softwareupdate.restart": (
        seen(" [restart]", "mm2270/JamfProScripts issue 14"),
        seen("Action: restart, ", "Macjutsu/super issue 151", (10, 15)),
    ),
    "softwareupdate.none": (seen("No new software available.\n", "public file #1420535521"),),
    "softwareupdate.unknown": (seen("{label}: No such update\n", "mm2270/JamfProScripts issue 14"),),
    "softwareupdate.nothing": (assumed("No updates are available.\n"),),
    "softwareupdate.downloading": (seen("Downloading {title}\n", _SUPER_LOG),),
    "softwareupdate.percent": (seen("\nDownloading: {percent}%\n", _SUPER_LOG),),
    "softwareupdate.downloaded": (seen("Downloaded: {title}\n", _SUPER_LOG),),
    "softwareupdate.installed": (seen("Done with {title}\nDone.\n", _SUPER_LOG),),
    "softwareupdate.space": (
        seen("Not enough free disk space: a total of {size} GB is required.\n", "cirruslabs/macos-image-templates 206"),
    ),
    "softwareupdate.no_download": (assumed("Failed to download {title}: The network connection was lost.\n"),),
    "softwareupdate.refused": (seen("Failed to authenticate\n", "Macjutsu/super issue 219"),),
    "softwareupdate.restarting": (seen("Restarting...\n", "public file #63353691010"),),
    "softwareupdate.not_root": (assumed("softwareupdate: This command must be run as root.\n"),),
    "softwareupdate.usage": (assumed("usage: softwareupdate <cmd> [<args> ...]\n"),),
    "startosinstall.license": (
        seen(
            "By using the agreetolicense option, you are agreeing that you have run this tool with the license only "
            "option and have read and agreed to the terms.\nIf you do not agree, press CTRL-C and cancel this process "
            "immediately.\n",
            "kc9wwh/macOSUpgrade issues 44 and 149",
        ),
    ),
    "startosinstall.begin": (seen("Preparing to run macOS Installer...\n", "kc9wwh/macOSUpgrade issue 44"),),
    "startosinstall.percent": (seen("\rPreparing: {percent}%            ", "grahampugh/erase-install issue 253"),),
    "startosinstall.restarting": (seen("\nRestarting...\n", "kc9wwh/macOSUpgrade issue 44"),),
    "startosinstall.no_password": (
        seen(
            "Error: failed to authorize for installation. Provide a password with --stdinpass or --passprompt.\n",
            "kc9wwh/macOSUpgrade issue 165",
        ),
    ),
    "startosinstall.refused": (
        seen("Error: could not get authorization...\n", "grahampugh/erase-install issues 71, 281 and 457"),
    ),
    "startosinstall.space": (assumed("Error: Not enough free disk space: a total of {size} GB is required.\n"),),
    "startosinstall.failed": (assumed("Error: Failed to prepare the installation.\n"),),
    "startosinstall.not_root": (assumed("This tool must be run as root.\n"),),
    "shutdown.not_root": (assumed("shutdown: NOT super-user\n"),),
    "shutdown.now": (assumed("Shutdown NOW!\n"),),
    "shutdown.later": (assumed("Shutdown at {when}.\n"),),
    "reboot.not_root": (assumed("reboot: Operation not permitted\n"),),
    # --- files ---
    "files.denied": (assumed("{program}: {path}: Permission denied\n"),),
    "files.protected": (assumed("{program}: {path}: Operation not permitted\n"),),
    "stat.missing": (assumed("stat: {path}: stat: No such file or directory\n"),),
    # --- the rest ---
    "sysctl.boottime": (assumed("{{ sec = {seconds}, usec = {micro} }} {text}"),),
    "sysctl.unknown": (seen("sysctl: unknown oid '{oid}'\n", "hw-sysctl-arm64-intel"),),
    "sysctl.usage": (assumed("usage: sysctl [-bdehiNnoqx] name[=value] ...\n"),),
    "sw_vers.usage": (assumed("Usage: sw_vers [-productName|-productVersion|-buildVersion]\n"),),
    "pwpolicy.global": (seen("Getting global account policies\n", "pwpolicy-global"),),
    "pwpolicy.user": (seen("Getting account policies for user {user}\n", "pwpolicy-user"),),
    "pwpolicy.no_user": (assumed("Error: User record not found\n"),),
    "pwpolicy.allowed": (assumed("Policy allows user <{user}> to authenticate\n"),),
    "pwpolicy.disabled": (
        seen(
            "User <{user}> is not allowed to authenticate: "
            "Credential verification failed because account is disabled.\n",
            "pwpolicy-auth-allowed-disabled-27",
        ),
    ),
    "pwpolicy.locked": (
        seen(
            'User <{user}> is not allowed to authenticate: Failed record policy "{policy}"\n', "public file #8442190233"
        ),
    ),
    "pwpolicy.disabling": (seen("Disabling account for user <{user}>\n", "pwpolicy-disableuser-27"),),
    "pwpolicy.enabling": (assumed("Enabling account for user <{user}>\n"),),
    "pwpolicy.usage": (assumed("usage: pwpolicy [-h]\n"),),
    "createhomedir.created": (seen("creating home directories for ({host})\ncreated ({home})\n", "createhomedir-27"),),
    "createhomedir.none": (assumed("creating home directories for ({host})\n"),),
    "createhomedir.usage": (assumed("usage: createhomedir [[-scbalh] [[-n directoryDomainName] | [-u username]]]\n"),),
    "createhomedir.no_user": (assumed("createhomedir: user {user} not found\n"),),
    "sshd.no_keys": (assumed("sshd: no hostkeys available -- exiting.\n"),),
    "sshd.wrong": (assumed("{where}: Bad configuration option\n"),),
    # --- the link ---
    "route.default": (
        seen(
            "   route to: default\ndestination: default\n       mask: default\n    gateway: 192.168.1.1\n"
            "  interface: {interface}\n      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>\n",
            "public file #70110637107",
        ),
    ),
    "route.none": (assumed("route: writing to routing socket: not in table\n"),),
    "ipconfig.ethernet": (
        seen(
            "<dictionary> {{\n  InterfaceType : Ethernet\n  LinkStatusActive : TRUE\n}}\n", "public file #70110637107"
        ),
    ),
    "ipconfig.wifi": (
        seen(
            "<dictionary> {{\n  BSSID : <redacted>\n  ConnectionID : 1\n  InterfaceType : WiFi\n"
            "  LinkStatusActive : TRUE\n  NetworkID : <redacted>\n  SSID : <redacted>\n  Security : {security}\n}}\n",
            "public file #70110637107",
        ),
    ),
    "pgrep.supplicant": (
        assumed(
            "/System/Library/SystemConfiguration/EAPOLController.bundle/Contents/Resources/eapolclient -i {interface}"
            " -u 0 -g 0"
        ),
    ),
    # --- app-sso ---
    "app_sso.state": (
        seen(
            "Time: {time}\n\nDevice Configuration:\n {device}\n\nLogin Configuration:\n {login}\n\n"
            "User Configuration:\n {user}\n\nSSO Tokens:\n{tokens}\n",
            "public file #54232938797",
        ),
    ),
    "app_sso.none": (seen("(null)", "public file #9555975072"),),
    "app_sso.policy": (seen("{words} ({number})", "public file #54232938797"),),
    "app_sso.usage": (assumed("usage: app-sso [-l] [-i realm] [-h]\n"),),
    # --- sshd while the Mac waits at FileVault's unlock screen ---
    "preboot.banner": (
        seen(
            "This system is locked. To unlock it, use a local\r\naccount name and password. Once successfully\r\n"
            "unlocked, you will be able to connect normally.",
            "public files #61929969230, #61947589620",
        ),
    ),
    "preboot.unlocked": (
        seen(
            "System successfully unlocked.\nYou may now use SSH to authenticate normally.",
            "apple-oss-distributions/OpenSSH OpenSSH-354.0.3, pam_basesystem",
        ),
    ),
    "preboot.unavailable": (
        seen(
            "Account {user} is temporarily unavailable.",
            "apple-oss-distributions/OpenSSH OpenSSH-354.0.3, pam_basesystem",
        ),
    ),
    "preboot.unknown": (assumed("system error"),),
    **GENERIC,
}


def say(key: str, version: Version, /, **values: object) -> str:
    """Return the wording of `key` on `version`, filled in."""
    chosen = TEXTS[key][0]
    for wording in TEXTS[key]:
        if wording.first <= version:
            chosen = wording
    return chosen.text.format(**values) if values or "{{" in chosen.text else chosen.text
