# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide what accounts, passwords and Secure Tokens do to a Mac's state: the rules, without any program around them."""

from __future__ import annotations

import enum
import re
import time
import uuid

from maclab import inactivity, models, network, rules
from maclab.state import Account, CryptoUser, Group, Mac

TOKEN = ";SecureToken;"
DISABLED_TAG = ";DisabledTags;SecureToken"
DISABLED_USER = ";DisabledUser;"
ACCESS_DISABLED = "com.apple.access_disabled"
SHADOW_HASH = ";ShadowHash;HASHLIST:<SALTED-SHA512-PBKDF2,SRP-RFC5054-4096-SHA512-PBKDF2>"
PREHASHED = "maclab:prehashed"
LOCAL_USER = "LocalOpenDirectory"
STAFF_GID = 20
ADMIN_GID = 80
# No record says who is in these: everyone, and the accounts of this Mac (public file #54991264922, of nobody's too).
COMPUTED_GIDS = frozenset({12, 61})
FIRST_PERSON_UID = 500
MAX_NAME_BYTES = 244


class Verdict(enum.Enum):
    """What an authentication came to; true when it succeeded."""

    OK = "ok"
    WRONG = "wrong"
    DISABLED = "disabled"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        return self is Verdict.OK


class Outcome(enum.Enum):
    """What a token or password operation came to; true when it says that it succeeded."""

    DONE = "done"
    DONE_BUT_NOTHING = "done_but_nothing"
    USER_UNKNOWN = "user_unknown"
    USER_PASSWORD_WRONG = "user_password_wrong"
    NOT_ADMIN = "not_admin"
    NO_UNLOCK = "no_unlock"
    GRANTER_WRONG = "granter_wrong"
    GRANTER_DISABLED = "granter_disabled"
    OWN_CREDENTIAL = "own_credential"
    POLICY = "policy"

    def __bool__(self) -> bool:
        return self in (Outcome.DONE, Outcome.DONE_BUT_NOTHING)


GRANTER_REFUSED = {Outcome.GRANTER_WRONG: Verdict.WRONG, Outcome.GRANTER_DISABLED: Verdict.DISABLED}


# --- looking up -----------------------------------------------------------------------------------


def find(mac: Mac, name: str) -> Account | None:
    return mac.account(name)


def find_group(mac: Mac, name: str) -> Group | None:
    return mac.group(name)


def console_user(mac: Mac) -> str:
    """Return whose the screen is, root's while nobody is logged in: what `who` and the owner of /dev/console say."""
    return mac.logged_in[0] if mac.logged_in else "root"


def groups_of(mac: Mac, account: Account) -> list[Group]:
    """Return the groups that the account is in as `id` lists them: the primary one, its own, those by nesting."""
    groups = [group for group in mac.groups.values() if is_member(mac, account, group)]
    return sorted(groups, key=lambda group: (group.gid != account.gid, not _is_in(account, group), group.gid))


def is_member(mac: Mac, account: Account, group: Group) -> bool:
    """Tell what every program says: by record, by number, by macOS's own reckoning, or through a group inside."""
    return _is_member(mac, account, group, frozenset())


def _is_member(mac: Mac, account: Account, group: Group, above: frozenset[str]) -> bool:
    if group.generated_uid in above:
        return False
    if _is_in(account, group):
        return True
    inner = [other for other in mac.groups.values() if other.generated_uid in group.nested]
    return any(_is_member(mac, account, other, above | {group.generated_uid}) for other in inner)


def _is_in(account: Account, group: Group) -> bool:
    if group.gid in COMPUTED_GIDS or account.gid == group.gid:
        return True
    return account.name in group.members or account.generated_uid in group.member_guids


def is_admin(mac: Mac, account: Account) -> bool:
    group = find_group(mac, "admin")
    return group is not None and is_member(mac, account, group)


def has_key(mac: Mac, account: Account) -> bool:
    """Tell whether the volume holds a wrapped key for the account."""
    return account.key_password is not None and account.generated_uid in mac.crypto_users


def is_holder(mac: Mac, account: Account) -> bool:
    """Tell whether the token works: the marker in the directory and the key on the volume."""
    return TOKEN in account.authority and has_key(mac, account)


def holders(mac: Mac) -> list[Account]:
    return [account for account in mac.accounts.values() if is_holder(mac, account)]


def somebody_holds(mac: Mac) -> bool:
    """Tell whether the volume knows a person, living or orphaned: nobody gets the first token then."""
    if holders(mac):
        return True
    if not rules.FIRST_TOKEN_BLOCKED_BY_ORPHAN.at(mac.version_tuple):
        return False
    return any(user.kind == LOCAL_USER for user in mac.crypto_users.values())


def admins(mac: Mac) -> list[Account]:
    return [account for account in mac.accounts.values() if not account.service and is_admin(mac, account)]


def is_last_guarded(mac: Mac, account: Account) -> bool:
    """Tell whether sysadminctl refuses to delete the account: the last administrator or the last holder."""
    last_admin = is_admin(mac, account) and len(admins(mac)) == 1
    last_holder = is_holder(mac, account) and len(holders(mac)) == 1
    return (last_admin or last_holder) and rules.LAST_HOLDER_DELETE_GUARD.at(mac.version_tuple)


# --- authentication -------------------------------------------------------------------------------


def authenticate(mac: Mac, name: str, password: str, now: float | None = None) -> Verdict:
    """Verify a password the one way there is: failures count, success resets them and may hand out the first token."""
    account = find(mac, name)
    if account is None:
        return Verdict.UNKNOWN
    if account.locked or refused(mac, account) or inactivity.shut_out_by(mac, account, now):
        return Verdict.DISABLED
    right = network.right_password(mac, account)
    if right is None or right != password:
        _count_failure(mac, account, _now(now))
        return Verdict.WRONG
    if account.password != password:
        _cache(mac, account, password, now)
    account.failed_logins = 0
    account.failed_login_at = 0.0
    if account.authenticated_at is not None:
        account.authenticated_at = _now(now)
    _first_token_at_authentication(mac, account)
    return Verdict.OK


def refused(mac: Mac, account: Account) -> bool:
    """Tell whether the account is disabled: by its record, or by a group (transcript dscl-read-disabled-27)."""
    group = mac.groups.get(ACCESS_DISABLED)
    listed = group is not None and (account.name in group.members or account.generated_uid in group.member_guids)
    return listed or any(value.startswith(DISABLED_USER) for value in account.authority)


def disable(mac: Mac, account: Account) -> None:
    """Refuse the account every login; nothing of it stands in its record, and its token stays."""
    add_member(mac.groups.setdefault(ACCESS_DISABLED, models.system_groups()[ACCESS_DISABLED]), account)


def enable(mac: Mac, account: Account) -> None:
    """Let the account in again, whatever a policy or -disableuser had shut it out by; assumed for ;DisabledUser;."""
    group = mac.groups.get(ACCESS_DISABLED)
    if group is not None:
        drop_member(group, account)
    account.locked = False
    account.failed_logins = 0
    account.authenticated_at = None
    account.authority[:] = [value for value in account.authority if not value.startswith(DISABLED_USER)]


def authenticate_anywhere(mac: Mac, name: str, password: str) -> Verdict:
    """Verify a password of whoever the search path finds: an account of this Mac, or a person of the directory."""
    person = network.find(mac, name)
    if find(mac, name) is not None or person is None:
        return authenticate(mac, name, password)
    return Verdict.OK if person.password == password else Verdict.WRONG


def _cache(mac: Mac, account: Account, password: str, now: float | None) -> None:
    """Keep what the directory has confirmed, for the time when it cannot be reached; the account's key goes stale."""
    account.password = password
    account.password_set_at = _now(now)
    if not any(value.startswith(";ShadowHash;") for value in account.authority):
        account.authority.append(SHADOW_HASH)
    if network.key_follows(mac) and account.key_password is not None:
        account.key_password = password
    resalt(account)


def _count_failure(mac: Mac, account: Account, now: float) -> None:
    account.failed_logins += 1
    account.failed_login_at = now
    if 0 < mac.policy.max_failed <= account.failed_logins:
        account.locked = True


def unlock_key(mac: Mac, account: Account, password: str) -> bool:
    """Tell whether the password unwraps the account's volume key; a stale key does not open."""
    return is_holder(mac, account) and account.key_password == password


# --- the first token ------------------------------------------------------------------------------


def _first_token_at_authentication(mac: Mac, account: Account) -> None:
    if not _may_get_first_token(mac, account):
        return
    qualifies = {
        "only_user_authenticates": [person.name for person in _people(mac)] == [account.name],
        "administrator_authenticates": is_admin(mac, account),
        "password_set": PREHASHED in account.attributes and rules.FIRST_TOKEN_FROM_HASH.at(mac.version_tuple),
    }
    if qualifies[rules.FIRST_TOKEN.at(mac.version_tuple)]:
        give_token(mac, account)


def _first_token_at_password(mac: Mac, account: Account) -> None:
    if rules.FIRST_TOKEN.at(mac.version_tuple) == "password_set" and _may_get_first_token(mac, account):
        give_token(mac, account)


def _may_get_first_token(mac: Mac, account: Account) -> bool:
    version = mac.version_tuple
    if mac.filesystem != "apfs" or account.service or somebody_holds(mac):
        return False
    if account.kind == "mobile" and not rules.FIRST_TOKEN_MOBILE.at(version):
        return False
    if not account.password and not rules.FIRST_TOKEN_EMPTY_PASSWORD.at(version):
        return False
    return not (rules.DISABLED_TAG.at(version) and DISABLED_TAG in account.authority)


def _people(mac: Mac) -> list[Account]:
    return [account for account in mac.accounts.values() if account.uid >= FIRST_PERSON_UID and not account.service]


# --- tokens ---------------------------------------------------------------------------------------


def give_token(mac: Mac, account: Account) -> None:
    """Wrap the volume key with the account's password; the preboot volume learns of it only by updatePreboot."""
    if TOKEN not in account.authority:
        account.authority.append(TOKEN)
    account.key_password = account.password
    owner = mac.hardware in rules.VOLUME_OWNER.at(mac.version_tuple)
    mac.crypto_users[account.generated_uid] = CryptoUser(uuid=account.generated_uid, kind=LOCAL_USER, owner=owner)
    resalt(account)


def take_token(mac: Mac, account: Account) -> None:
    account.authority[:] = [value for value in account.authority if value != TOKEN]
    account.key_password = None
    _forget_key(mac, account)
    resalt(account)


def _forget_key(mac: Mac, account: Account) -> None:
    """A key that is gone cannot be hidden from FileVault's list either."""
    mac.crypto_users.pop(account.generated_uid, None)
    hidden = mac.filevault.hidden_users
    hidden[:] = [guid for guid in hidden if guid != account.generated_uid]


def grant(mac: Mac, user: str, password: str, granter: str, granter_password: str, sticks: bool = True) -> Outcome:
    """Do what -secureTokenOn does."""
    refusal = check_granter(mac, granter, granter_password, self_grant=user == granter)
    if refusal is not Outcome.DONE:
        return refusal
    account = find(mac, user)
    if account is None:
        return Outcome.USER_UNKNOWN
    if not authenticate(mac, user, password):
        return Outcome.USER_PASSWORD_WRONG
    if not sticks or _self_grant_does_nothing(mac, user, granter):
        return Outcome.DONE_BUT_NOTHING
    give_token(mac, account)
    return Outcome.DONE


def revoke(mac: Mac, user: str, password: str, granter: str, granter_password: str) -> Outcome:
    """Do what -secureTokenOff does."""
    refusal = check_granter(mac, granter, granter_password, self_grant=False)
    if refusal is not Outcome.DONE:
        return refusal
    account = find(mac, user)
    if account is None:
        return Outcome.USER_UNKNOWN
    if not authenticate(mac, user, password):
        return Outcome.USER_PASSWORD_WRONG
    if user == granter and (rules.OWN_TOKEN_OFF.at(mac.version_tuple) == "refused" or len(holders(mac)) == 1):
        return Outcome.OWN_CREDENTIAL
    take_token(mac, account)
    return Outcome.DONE


def check_granter(mac: Mac, name: str, password: str, self_grant: bool, admin_needed: bool = True) -> Outcome:
    """Tell why the granter may not authorise token work, or DONE when it may."""
    granter = find(mac, name)
    if not name:
        return Outcome.NO_UNLOCK
    verdict = authenticate(mac, name, password)
    if granter is None or not verdict:
        return Outcome.GRANTER_DISABLED if verdict is Verdict.DISABLED else Outcome.GRANTER_WRONG
    if admin_needed and not is_admin(mac, granter):
        return Outcome.NOT_ADMIN
    if self_grant and not somebody_holds(mac):
        return Outcome.DONE
    return Outcome.DONE if unlock_key(mac, granter, password) else Outcome.NO_UNLOCK


def _self_grant_does_nothing(mac: Mac, user: str, granter: str) -> bool:
    if user != granter or somebody_holds(mac):
        return False
    rule = rules.SELF_GRANT.at(mac.version_tuple)
    return rule == "done_but_nothing_under_mdm" and mac.mdm.enrolled != "no"


# --- passwords ------------------------------------------------------------------------------------


def policy_refuses(mac: Mac, password: str) -> bool:
    if len(password) < mac.policy.min_length:
        return True
    return bool(mac.policy.pattern) and re.search(mac.policy.pattern, password) is None


def set_password(mac: Mac, account: Account, password: str, rewrap: bool, now: float | None = None) -> None:
    """Store a password; with `rewrap` the volume key follows it, without it an existing key goes stale."""
    account.password = password
    account.password_set_at = _now(now)
    account.attributes.pop(PREHASHED, None)
    account.failed_logins = 0
    account.locked = False
    if not any(value.startswith(";ShadowHash;") for value in account.authority):
        account.authority.insert(0, SHADOW_HASH)
    if rewrap and account.key_password is not None:
        account.key_password = password
    resalt(account)
    _first_token_at_password(mac, account)


def set_hash(mac: Mac, account: Account, password: str, now: float | None = None) -> None:
    """Take a password that came as a hash, as by the MDM command SetAutoAdminPassword: an old key goes on being opened
    by the old one, and a first token waits for a login."""
    account.password = password
    account.password_set_at = _now(now)
    account.failed_logins = 0
    account.locked = False
    if not is_holder(mac, account):
        account.attributes[PREHASHED] = ["1"]
    resalt(account)


def change_password(mac: Mac, account: Account, old: str, new: str, now: float | None = None) -> Outcome:
    """Change a password with the old one: a token survives, unless its key was stale before."""
    if not authenticate(mac, account.name, old, now):
        return Outcome.USER_PASSWORD_WRONG
    if policy_refuses(mac, new):
        return Outcome.POLICY
    set_password(mac, account, new, rewrap=account.key_password == old, now=now)
    return Outcome.DONE


def reset_password(
    mac: Mac, account: Account, new: str, granter: str | None, granter_password: str | None, now: float | None = None
) -> Outcome:
    """Do what -resetPasswordFor does: a holder's password needs a granter, and keeps its token."""
    if policy_refuses(mac, new):
        return Outcome.POLICY
    with_granter = Outcome.NO_UNLOCK
    if granter is not None:
        itself = granter == account.name and rules.RESET_BY_ITSELF.at(mac.version_tuple)
        with_granter = check_granter(mac, granter, granter_password or "", self_grant=False, admin_needed=not itself)
    guarded = not rules.RESET_ON_HOLDER_WITHOUT_GRANTER.at(mac.version_tuple)
    if has_key(mac, account) and guarded and with_granter is not Outcome.DONE:
        return with_granter
    set_password(mac, account, new, rewrap=with_granter is Outcome.DONE, now=now)
    return Outcome.DONE


def resalt(account: Account) -> None:
    account.salt = uuid.uuid4().hex.upper()


# --- records --------------------------------------------------------------------------------------


def new_guid() -> str:
    return str(uuid.uuid4()).upper()


def next_uid(mac: Mac) -> int:
    taken = {account.uid for account in mac.accounts.values()}
    return next(uid for uid in range(FIRST_PERSON_UID + 1, FIRST_PERSON_UID + 2 + len(taken)) if uid not in taken)


def new_account(mac: Mac, name: str, full_name: str, uid: int, gid: int, now: float | None = None) -> Account:
    """Add a record without a password: what both dscl and sysadminctl make first."""
    account = Account(
        name=name,
        full_name=full_name,
        uid=uid,
        gid=gid,
        generated_uid=new_guid(),
        authority=[],
        home=f"/Users/{name}",
        home_exists=False,
        created_at=_now(now),
        password_set_at=None,
        salt="",
    )
    mac.accounts[name] = account
    return account


def make_admin(mac: Mac, account: Account) -> None:
    group = find_group(mac, "admin")
    if group is None:
        return
    add_member(group, account)


def add_member(group: Group, account: Account) -> None:
    if account.name not in group.members:
        group.members.append(account.name)
    if account.generated_uid not in group.member_guids:
        group.member_guids.append(account.generated_uid)


def drop_member(group: Group, account: Account) -> None:
    group.members[:] = [name for name in group.members if name != account.name]
    group.member_guids[:] = [guid for guid in group.member_guids if guid != account.generated_uid]


def delete_account(mac: Mac, account: Account, keep_crypto_user: bool = False) -> None:
    """Remove the record; sysadminctl tidies up behind it, dscl does so only where there is no Secure Enclave."""
    del mac.accounts[account.name]
    if not keep_crypto_user:
        _forget_key(mac, account)
    for group in mac.groups.values():
        drop_member(group, account)


def dscl_leaves_crypto_user(mac: Mac) -> bool:
    return mac.hardware in rules.CRYPTO_USER_OUTLIVES_RECORD.at(mac.version_tuple)


def full_name_taken(mac: Mac, full_name: str, name: str) -> bool:
    return any(other.full_name == full_name and other.name != name for other in mac.accounts.values())


def _now(now: float | None) -> float:
    return time.time() if now is None else now
