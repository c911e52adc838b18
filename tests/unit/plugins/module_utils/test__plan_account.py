# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans about accounts, step by step: each option alone, beside the state in which it has nothing to do."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._account import EVERYWHERE, NOWHERE, Account, Sources
from ansible_collections.keyholder.macos.plugins.module_utils._mac import FileVault, Mac, Management, Volume
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._place import Place, way
from ansible_collections.keyholder.macos.plugins.module_utils._plan.account import (
    AccountRequest,
    not_the_last,
    of_macos,
    refuse_without_full_disk_access,
)
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._step.account import (
    CreateAccount,
    CreateHome,
    DeleteAccount,
    SetAdmin,
    SetAttribute,
    SetPassword,
    new_account,
)
from ansible_collections.keyholder.macos.plugins.module_utils._step.base import Step
from ansible_collections.keyholder.macos.plugins.module_utils._step.general import Forget, Note, Prove, UpdatePreboot
from ansible_collections.keyholder.macos.plugins.module_utils._step.token import (
    AllowToken,
    CheckPassword,
    Grant,
    PreventToken,
    VerifyKey,
)

ADMIN = Account("itadmin", "A" * 36, "IT Admin", 501, 20, admin=True, sources=EVERYWHERE, failed_logins=0)
DEPUTY = replace(ADMIN, name="deputy", guid="D" * 36, full_name="Deputy", uid=504)
ANA = Account(
    "ana",
    "B" * 36,
    "Ana Sousa",
    502,
    20,
    home="/Users/ana",
    shell="/bin/zsh",
    hint="the usual",
    picture="/Library/a.png",
    failed_logins=0,
)
BARE = replace(ANA, has_password=False, uid=None, gid=None, full_name="", home="", shell="", hint="", picture="")
PASSWORD = frozenset({"password"})
GRANTS = Management(bootstrap="valid", bootstrap_crypto_user=True, preflight=True)
CREATING, DONE = Note("creating bob"), Forget("creating bob")
PROVE, PROVE_ANA = Prove(("bob",)), Prove(("ana",))
NOTE, TELL = Note("preboot"), UpdatePreboot()
GRANTER = CheckPassword("itadmin", "admin_password", "granter")


def mac(*accounts: Account, version: str = "15.6", **more: t.Any) -> Mac:
    words = {word.lower() for who in accounts for word in (who.name, who.full_name, f"uid:{who.uid}")}
    made_up: dict[str, t.Any] = {
        "volume": Volume("disk3s1s1", True, True),
        "as_root": True,
        "filevault": FileVault("off", personal_key=False),
        "taken": frozenset(words),
        "names": frozenset(who.name for who in accounts),
    }
    return Mac(Version.parse(version), accounts=accounts, **{**made_up, **more})


def refusal(does: t.Callable[[], t.Any]) -> tuple[str, str]:
    with pytest.raises(Refusal) as refused:
        does()
    return refused.value.reason, refused.value.msg


def bob(**more: t.Any) -> Account:
    return replace(new_account("bob"), **{"full_name": "bob", **more})


def made(account: Account) -> tuple[Step, ...]:
    return CREATING, CreateAccount(account), PROVE


def sets(name: str = "bob", **fields: t.Any) -> list[Step]:
    return [SetAttribute(name, key, value) for key, value in fields.items()]


HOME = CreateHome("bob")

# -- creating ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, [*made(bob()), DONE]),
        ({"full_name": "Bob B"}, [*made(bob(full_name="Bob B")), DONE]),
        ({"admin": True}, [*made(bob(admin=True)), DONE]),
        ({"admin": False}, [*made(bob()), DONE]),
        ({"shell": "/bin/sh"}, [*made(bob(shell="/bin/sh")), DONE]),
        ({"hint": "h", "picture": "/p"}, [*made(bob(hint="h", picture="/p")), DONE]),
        ({"home": "/h"}, [*made(bob(home="/h")), HOME, PROVE, DONE]),
        ({"uid": 0}, [*made(bob(uid=0)), *sets(uid=0), HOME, PROVE, DONE]),
        ({"gid": 0}, [*made(bob(gid=0)), *sets(gid=0), HOME, PROVE, DONE]),
        ({"hidden": True}, [*made(bob(hidden=True)), *sets(hidden=True), PROVE, DONE]),
        ({"hidden": False}, [*made(bob()), DONE]),
        ({"full_name": "-x"}, [*made(bob()), *sets(full_name="-x"), PROVE, DONE]),
        ({"hint": "-x", "uid": 700}, [*made(bob(uid=700)), *sets(uid=700, hint="-x"), HOME, PROVE, DONE]),
        # No tag on macOS before 11: there a token cannot be kept away.
        ({"secure_token": "allowed"}, [*made(bob()), DONE]),
    ],
)
def test_a_new_account_step_by_step(options: dict[str, t.Any], steps: list[Step]) -> None:
    plan = AccountRequest("bob", **options).plan(mac(ADMIN), {})
    assert list(plan.steps) == steps
    assert plan.notes == ()


@pytest.mark.parametrize("admin", [None, False, True])
def test_a_new_account_that_never_gets_the_first_token_step_by_step(admin: bool | None) -> None:
    request = AccountRequest("bob", secure_token="prevented", admin=admin, hint="h")
    of = mac(replace(ADMIN, sources=NOWHERE), taken=frozenset({"uid:501", "uid:502"}))
    account = bob(uid=503, gid=20, home="/Users/bob", shell="/bin/zsh", hint="h", admin=bool(admin))
    assert list(request.plan(of, {}).steps) == [
        CREATING,
        CreateAccount(account, bare=True),
        PreventToken("bob"),
        SetPassword("bob", "root"),
        PROVE,
        *([SetAdmin("bob", True)] if admin else []),
        HOME,
        PROVE,
        DONE,
    ]
    chosen = replace(request, uid=0, gid=0, full_name="Bob B", home="/h", shell="/s")
    (create,) = [step for step in chosen.plan(of, {}).steps if isinstance(step, CreateAccount)]
    assert create.account == bob(uid=0, gid=0, full_name="Bob B", home="/h", shell="/s", hint="h", admin=bool(admin))
    old = request.plan(mac(ADMIN, version="10.15.7"), {})
    assert not any(isinstance(step, PreventToken) for step in old.steps)


def test_a_new_account_with_a_token_step_by_step() -> None:
    request = AccountRequest("bob", secure_token="present", admin_user="itadmin", given=PASSWORD)
    plan = request.plan(mac(ADMIN), {})
    assert list(plan.steps) == [
        GRANTER,
        *made(bob()),
        DONE,
        NOTE,
        Grant("bob", "itadmin"),
        PROVE,
        TELL,
    ]
    waits = replace(request, accept_pending=True)
    assert list(waits.plan(mac(ADMIN, management=GRANTS), {}).steps) == [*made(bob()), DONE]
    assert list(waits.plan(mac(ADMIN), {}).steps) == list(plan.steps)
    assert list(request.plan(mac(ADMIN, management=GRANTS), {}).steps) == list(plan.steps)


@pytest.mark.parametrize(
    ("request_", "of", "expected"),
    [
        (
            AccountRequest("bob", secure_token="present"),
            mac(ANA),
            ("no_holder", "set first_token to make bob the first"),
        ),
        (AccountRequest("bob", secure_token="present"), mac(ADMIN), ("granter_missing", "admin_user was not given")),
        (
            AccountRequest("bob", secure_token="prevented"),
            mac(ANA, version="10.15.7"),
            ("prevention_unsupported", "macOS 10.15.7 has no way to keep bob from the first token"),
        ),
        (AccountRequest("_bob"), mac(ADMIN), ("system_account", "names that begin with '_'")),
    ],
)
def test_accounts_that_are_not_made(request_: AccountRequest, of: Mac, expected: tuple[str, str]) -> None:
    reason, msg = refusal(lambda: request_.plan(of, {}))
    assert (reason, expected[1] in msg) == (expected[0], True), msg


def test_an_account_that_becomes_the_first_holder_by_its_making() -> None:
    request = AccountRequest("bob", secure_token="present", first_token=True, given=PASSWORD)
    plan = request.plan(mac(), {})
    assert list(plan.steps) == [CREATING, NOTE, CreateAccount(bob()), PROVE, DONE, TELL]
    assert plan.notes[0].startswith("bob gets the first Secure Token of this Mac")
    # Nothing keeps it away where the option does not say so.
    assert AccountRequest("bob").plan(mac(), {}).notes == plan.notes


# -- changing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, []),
        ({"uid": 502, "gid": 20, "full_name": "Ana Sousa", "hidden": False, "admin": False}, []),
        ({"shell": "/bin/zsh", "home": "/Users/ana", "hint": "the usual", "picture": "/Library/a.png"}, []),
        ({"full_name": "Ana S"}, [*sets("ana", full_name="Ana S"), PROVE_ANA]),
        ({"gid": 0}, [*sets("ana", gid=0), PROVE_ANA]),
        ({"hint": ""}, [*sets("ana", hint=""), PROVE_ANA]),
        ({"hidden": True, "shell": "/bin/sh"}, [*sets("ana", shell="/bin/sh", hidden=True), PROVE_ANA]),
        ({"admin": True}, [SetAdmin("ana", True), PROVE_ANA]),
        ({"secure_token": "prevented"}, [PreventToken("ana"), PROVE_ANA]),
        ({"secure_token": "allowed"}, []),
        ({"given": PASSWORD}, []),
        ({"secure_token": "present", "admin_user": "itadmin"}, "granted"),
    ],
)
def test_a_change_step_by_step(options: dict[str, t.Any], steps: t.Any) -> None:
    plan = AccountRequest("ana", **options).plan(mac(ADMIN, ANA), {})
    user = CheckPassword("ana", "password", "user")
    expected = [GRANTER, user, NOTE, Grant("ana", "itadmin"), PROVE_ANA, TELL] if steps == "granted" else steps
    assert list(plan.steps) == expected
    assert plan.notes == ()


def test_a_tag_step_by_step() -> None:
    tagged = replace(ANA, disabled_tag=True)
    allow = AccountRequest("ana", secure_token="allowed")
    assert list(allow.plan(mac(ADMIN, tagged), {}).steps) == [AllowToken("ana"), PROVE_ANA]
    for keeps in ("prevented", "omitted"):
        assert AccountRequest("ana", secure_token=keeps).plan(mac(ADMIN, tagged), {}).steps == ()
    assert AccountRequest("ana", secure_token="prevented").plan(mac(ADMIN, ANA, version="10.15.7"), {}).steps == ()
    holder = mac(ADMIN, replace(ANA, sources=EVERYWHERE))
    assert refusal(lambda: AccountRequest("ana", secure_token="prevented").plan(holder, {}))[0] == "holds_token"
    ghost = mac(ADMIN, replace(tagged, sources=Sources(True, False, False)))
    assert refusal(lambda: AccountRequest("ana", secure_token="prevented").plan(ghost, {}))[0] == "holds_token"


ALWAYS = AccountRequest("ana", update_password="always", given=PASSWORD)
SET = SetPassword("ana", "root")
UNREADABLE = "the hash of ana cannot be read, so its password is set even if it is the same"


@pytest.mark.parametrize(
    ("request_", "same", "steps", "notes"),
    [
        (ALWAYS, {"password": False}, [SET, PROVE_ANA], ()),
        (ALWAYS, {"password": True}, [], ()),
        (ALWAYS, {"password": None}, [SET, PROVE_ANA], (UNREADABLE,)),
        (ALWAYS, {}, [], ()),
        (replace(ALWAYS, update_password="on_create"), {"password": False}, [], ()),
        (
            replace(ALWAYS, hint="x", secure_token="prevented", admin=True),
            {"password": False},
            [
                PreventToken("ana"),
                SET,
                PROVE_ANA,
                SetAttribute("ana", "hint", "x"),
                SetAdmin("ana", True),
                PROVE_ANA,
            ],
            (),
        ),
        # Its password has just been set: it is not asked for once more.
        (
            replace(ALWAYS, secure_token="present", admin_user="itadmin"),
            {"password": False},
            [GRANTER, SET, PROVE_ANA, NOTE, Grant("ana", "itadmin"), PROVE_ANA, TELL],
            (),
        ),
    ],
)
def test_a_password_among_other_changes(
    request_: AccountRequest, same: dict[str, bool | None], steps: list[Step], notes: tuple[str, ...]
) -> None:
    plan = request_.plan(mac(ADMIN, ANA), same)
    assert (list(plan.steps), plan.notes) == (steps, notes)


def test_a_tag_before_the_password_keeps_the_first_token_away() -> None:
    alone = mac(ANA)
    (told,) = ALWAYS.plan(alone, {"password": False}).notes
    assert told.startswith("ana gets the first Secure Token of this Mac")
    prevented = replace(ALWAYS, secure_token="prevented").plan(alone, {"password": False})
    assert (prevented.notes, prevented.after.holders) == ((), ())


FINISH = [*sets("ana", uid=503, full_name="ana", gid=20, shell="/bin/zsh", home="/Users/ana")]
MAKING = frozenset({"creating ana"})


@pytest.mark.parametrize(
    ("who", "request_", "pending", "steps"),
    [
        (
            BARE,
            AccountRequest("ana", given=PASSWORD),
            frozenset(),
            [*FINISH, SET, PROVE_ANA, CreateHome("ana"), PROVE_ANA],
        ),
        (
            BARE,
            AccountRequest("ana"),
            MAKING,
            [*FINISH, SET, PROVE_ANA, CreateHome("ana"), PROVE_ANA, Forget("creating ana")],
        ),
        (BARE, AccountRequest("ana"), frozenset(), []),
        (
            BARE,
            AccountRequest("ana", given=PASSWORD, secure_token="prevented"),
            frozenset(),
            [*FINISH, PreventToken("ana"), SET, PROVE_ANA, CreateHome("ana"), PROVE_ANA],
        ),
        (
            BARE,
            AccountRequest("ana", uid=0, gid=0, given=PASSWORD),
            frozenset(),
            [
                *sets("ana", uid=0, full_name="ana", gid=0, shell="/bin/zsh", home="/Users/ana"),
                SET,
                PROVE_ANA,
                CreateHome("ana"),
                PROVE_ANA,
            ],
        ),
        (replace(BARE, kind="mobile"), AccountRequest("ana", given=PASSWORD), frozenset(), []),
        (ANA, AccountRequest("ana"), MAKING, [CreateHome("ana"), PROVE_ANA, Forget("creating ana")]),
        (ANA, AccountRequest("ana"), frozenset({"creating bob"}), []),
    ],
)
def test_an_account_that_is_half_made_step_by_step(
    who: Account, request_: AccountRequest, pending: frozenset[str], steps: list[Step]
) -> None:
    of = mac(ADMIN, who, pending=pending, taken=frozenset({"uid:501", "uid:502"}))
    plan = request_.plan(of, {})
    assert (list(plan.steps), plan.notes) == (steps, ())


@pytest.mark.parametrize(
    ("pending", "same", "who", "reason"),
    [
        (MAKING, {"password": True}, ANA, ""),
        (MAKING, {"password": None}, ANA, ""),
        (MAKING, {"password": False}, ANA, "uid_differs"),
        (MAKING, {}, ANA, "uid_differs"),
        (MAKING, {}, BARE, ""),
        (MAKING, {}, replace(BARE, uid=502), ""),
        (frozenset(), {"password": True}, ANA, "uid_differs"),
        (frozenset(), {}, replace(BARE, uid=502), "uid_differs"),
    ],
)
def test_whose_number_may_still_change(
    pending: frozenset[str], same: dict[str, bool | None], who: Account, reason: str
) -> None:
    request = AccountRequest("ana", uid=777, given=PASSWORD)
    of = mac(ADMIN, who, pending=pending)
    if reason:
        assert refusal(lambda: request.plan(of, same)) == (reason, "ana has UID 502, and the task asks for 777")
    else:
        assert SetAttribute("ana", "uid", 777) in request.plan(of, same).steps
        taken = replace(of, taken=of.taken | {"uid:777"})
        assert refusal(lambda: request.plan(taken, same)) == ("uid_taken", "uid 777 is in use on this Mac")


@pytest.mark.parametrize(
    ("of", "asked", "compared"),
    [
        (mac(ANA), ALWAYS, True),
        (mac(ANA), replace(ALWAYS, update_password="on_create"), False),
        (mac(ANA, pending=MAKING), replace(ALWAYS, update_password="on_create"), True),
        (mac(ANA, pending=MAKING), ALWAYS, True),
        (mac(ANA), replace(ALWAYS, state="absent"), False),
        (mac(ANA), replace(ALWAYS, given=frozenset({"old_password"})), False),
        (mac(BARE), ALWAYS, False),
        (mac(ADMIN), ALWAYS, False),
    ],
)
def test_when_a_password_is_compared(of: Mac, asked: AccountRequest, compared: bool) -> None:
    assert asked.compares(of) == ({"password": "ana"} if compared else {})


def test_who_is_left_is_proven_where_rights_go_and_not_where_they_come() -> None:
    of = mac(ADMIN, DEPUTY, filevault=FileVault("on", personal_key=True))
    given = frozenset({"admin_password"})
    take = AccountRequest("deputy", admin=False, admin_user="itadmin", given=given).plan(of, {})
    assert VerifyKey("itadmin", "A" * 36, "admin_password", early=True) in take.steps
    keep = AccountRequest("deputy", hint="x", admin_user="itadmin", given=given).plan(of, {})
    assert not any(isinstance(step, VerifyKey) for step in keep.steps)


# -- refusals ---------------------------------------------------------------------------------------------------------

NOT_PRINTABLE = "{} holds a line break or another character that is not printable"
NO_PATH = "{} is {!r}, and must be an absolute path"


@pytest.mark.parametrize("key", ["full_name", "shell", "home", "hint", "picture"])
@pytest.mark.parametrize("bad", ["/a\n", "\x00", "/\u202e", "\u2028/"])
def test_a_value_that_no_record_should_hold(key: str, bad: str) -> None:
    request = AccountRequest("bob", **{key: bad})  # type: ignore[arg-type]
    assert refusal(lambda: request.plan(mac(ADMIN), {})) == ("value_unusable", NOT_PRINTABLE.format(key))


@pytest.mark.parametrize("key", ["shell", "home", "picture"])
@pytest.mark.parametrize("bad", ["x", "x/y", "~/x"])
def test_a_path_begins_at_the_root(key: str, bad: str) -> None:
    request = AccountRequest("bob", **{key: bad})  # type: ignore[arg-type]
    assert refusal(lambda: request.plan(mac(ADMIN), {})) == ("value_unusable", NO_PATH.format(key, bad))
    assert AccountRequest("bob", **{key: "/x"}).plan(mac(ADMIN), {}).steps  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"full_name": ""}, ("value_unusable", "full_name is empty")),
        ({"uid": -1}, ("value_unusable", "uid is -1, and must be 0 to 2147483647")),
        ({"gid": 2**31}, ("value_unusable", "gid is 2147483648, and must be 0 to 2147483647")),
        ({"gid": 80}, ("value_unusable", "gid 80 is the group of administrators: use admin instead")),
        ({"full_name": "ANA sousa"}, ("full_name_taken", "full_name 'ANA sousa' is in use on this Mac")),
        ({"uid": 502}, ("uid_taken", "uid 502 is in use on this Mac")),
    ],
)
def test_values_of_a_new_account_that_cannot_be(options: dict[str, t.Any], expected: tuple[str, str]) -> None:
    assert refusal(lambda: AccountRequest("bob", **options).plan(mac(ADMIN, ANA), {})) == expected


@pytest.mark.parametrize("options", [{"full_name": "BOB"}, {"full_name": "x"}, {"hint": ""}, {"gid": 79}, {"gid": 81}])
def test_values_of_a_new_account_that_can_be(options: dict[str, t.Any]) -> None:
    assert AccountRequest("bob", **options).plan(mac(ADMIN, ANA, taken=frozenset({"bobby", "ana sousa"})), {}).steps


def test_a_name_that_is_in_use_is_taken() -> None:
    of = mac(ADMIN, ANA)
    assert refusal(lambda: AccountRequest("ANA").plan(of, {}))[0] == "name_differs"
    as_full_name = "name 'IT Admin' is in use on this Mac, as a name or a full name"
    assert refusal(lambda: AccountRequest("IT Admin").plan(of, {})) == ("full_name_taken", as_full_name)
    # One's own full name and number are no one else's.
    assert AccountRequest("ana", full_name="Ana Sousa", uid=502).plan(of, {}).steps == ()
    assert refusal(lambda: AccountRequest("ana", full_name="it admin").plan(of, {}))[0] == "full_name_taken"
    assert AccountRequest("ana", full_name="ANA").plan(of, {}).steps[0] == SetAttribute("ana", "full_name", "ANA")


PRIMARY = "the primary group of ana is 80, which makes it an administrator: change the group by hand"


@pytest.mark.parametrize(
    ("gid", "options", "refused"),
    [
        (80, {"gid": 20}, True),
        (80, {"admin": False}, True),
        (80, {"hint": "x"}, False),
        (80, {"admin": True}, False),
        (20, {"gid": 0}, False),
        (20, {"admin": False}, False),
    ],
)
def test_who_is_an_administrator_by_the_primary_group(gid: int, options: dict[str, t.Any], refused: bool) -> None:
    of = mac(ADMIN, replace(ANA, gid=gid, admin=True))
    request = AccountRequest("ana", **options)
    if refused:
        assert refusal(lambda: request.plan(of, {})) == ("value_unusable", PRIMARY)
    else:
        request.plan(of, {})


# -- deleting ---------------------------------------------------------------------------------------------------------


def test_a_deletion_step_by_step() -> None:
    of = mac(ADMIN, ANA, full_disk_access=True)
    gone = AccountRequest("ana", state="absent")
    assert list(gone.plan(of, {}).steps) == [DeleteAccount("ana", "keep_home"), PROVE_ANA]
    noted = replace(of, pending=frozenset({"creating ana", "repairing bob"}))
    assert list(gone.plan(noted, {}).steps) == [
        DeleteAccount("ana", "keep_home"),
        PROVE_ANA,
        Forget("creating ana"),
    ]
    never = AccountRequest("bob", state="absent")
    assert never.plan(of, {}).steps == ()
    assert list(never.plan(noted, {}).steps) == [Forget("repairing bob")]
    assert refusal(lambda: AccountRequest("ANA", state="absent").plan(of, {}))[0] == "name_differs"


@pytest.mark.parametrize("remove", ["delete_home", "secure", "keep_home"])
def test_a_home_that_goes_is_looked_at_first(remove: str) -> None:
    request = AccountRequest("ana", state="absent", remove=remove)
    folders = tuple(Place(path, "folder", True) for path in way("/Users/ana"))
    assert request.plan(mac(ADMIN, ANA, places=folders), {}).steps[0] == DeleteAccount("ana", remove)
    of = mac(ADMIN, replace(ANA, home="/Users"), places=folders)
    if remove == "keep_home":
        assert request.plan(of, {}).steps
        assert request.ask == Ask(full_disk_access=True)
    else:
        assert refusal(lambda: request.plan(of, {}))[0] == "home_unsafe"
        assert request.ask == Ask(full_disk_access=True, way_home="ana")


def test_what_a_reading_must_hold_besides() -> None:
    assert AccountRequest("ana").ask == Ask(access_to_make="ana")
    assert AccountRequest("ana", accept_pending=True).ask == Ask(waiting="ana", access_to_make="ana")
    assert AccountRequest("ana", state="absent", accept_pending=True).ask == Ask(full_disk_access=True)


@pytest.mark.parametrize(("access", "refused"), [(True, False), (None, False), (False, True)])
def test_without_full_disk_access_nobody_is_deleted(access: bool | None, refused: bool) -> None:
    of = mac(ADMIN, ANA, full_disk_access=access, full_disk_evidence="ls: x")
    if refused:
        with pytest.raises(Refusal) as caught:
            refuse_without_full_disk_access(of, "ana")
        assert (caught.value.reason, caught.value.evidence) == ("no_full_disk_access", ("ls: x",))
    else:
        refuse_without_full_disk_access(of, "ana")


@pytest.mark.parametrize("access", [True, None, False])
@pytest.mark.parametrize("version", ["10.13", "15.6", "25.9", "26.0", "27.0.1"])
@pytest.mark.parametrize("how", ["omitted", "prevented"])
def test_without_full_disk_access_nobody_is_half_made(access: bool | None, version: str, how: str) -> None:
    """By dscl, as an account is made that must not become the first holder, no error was seen."""
    of = mac(ADMIN, full_disk_access=access, full_disk_evidence="ls: x")
    of = replace(of, version=Version.parse(version))
    request = AccountRequest("bob", secure_token=how, given=frozenset({"password"}))
    new = not version.startswith(("1", "25"))
    if access is False and new and how == "omitted":
        assert refusal(lambda: request.plan(of, {}))[0] == "no_full_disk_access"
    else:
        assert request.plan(of, {}).changes
    assert AccountRequest("ana").plan(replace(of, accounts=(ADMIN, ANA)), {}).steps == ()


@pytest.mark.parametrize(
    ("name", "uid", "says"),
    [
        ("root", 0, "root (UID 0) belongs to macOS"),
        ("daemon", 700, "daemon (UID 700) belongs to macOS"),
        ("nobody", None, "nobody (UID None) belongs to macOS"),
        ("_www", 700, "_www (UID 700) belongs to macOS"),
        ("svc", 199, "svc (UID 199) belongs to macOS"),
        ("svc", 200, ""),
        ("svc", None, ""),
        ("rooty", 501, ""),
    ],
)
def test_accounts_of_macos_itself(name: str, uid: int | None, says: str) -> None:
    who = replace(ANA, name=name, uid=uid)
    of = mac(ADMIN, who)
    if says:
        assert refusal(lambda: of_macos(of, name, who)) == ("system_account", says)
    else:
        of_macos(of, name, who)


@pytest.mark.parametrize(
    ("name", "names", "refused"),
    [
        ("_www", {"_www"}, True),
        ("root", {"root"}, True),
        ("_WWW", {"_www"}, True),
        ("_gone", {"_www"}, False),
        ("svc", {"svc"}, False),
    ],
)
def test_accounts_of_macos_that_a_reading_leaves_out(name: str, names: set[str], refused: bool) -> None:
    of = mac(ADMIN, names=frozenset(names))
    if refused:
        assert refusal(lambda: of_macos(of, name, None)) == ("system_account", f"{name} belongs to macOS")
    else:
        of_macos(of, name, None)


HOLDER = replace(ANA, sources=EVERYWHERE)
BOSS = replace(ANA, name="boss", guid="E" * 36, admin=True)
ROOT = Account("root", "R" * 36, uid=0, admin=True, sources=EVERYWHERE)
CANDIDATES = "no administrator who can log in on this Mac holds a token, only ana"


@pytest.mark.parametrize(
    ("who", "others", "says"),
    [
        (HOLDER, (BOSS,), f"ana is the last holder, and macOS would not delete it; {CANDIDATES}"),
        (HOLDER, (BOSS, ROOT), "ana is the last holder, and macOS would not delete it; granters on this Mac: root"),
        (HOLDER, (ADMIN,), ""),
        (HOLDER, (replace(ADMIN, admin=False),), ""),
        (HOLDER, (ADMIN, BOSS), ""),
        (BOSS, (HOLDER, replace(BOSS, name="b2")), ""),
        (BOSS, (HOLDER,), "boss is the last administrator, and macOS would not delete it"),
        (BOSS, (HOLDER, ROOT), "boss is the last administrator, and macOS would not delete it"),
        (BOSS, (replace(BOSS, name="b2"),), ""),
        (ANA, (), ""),
    ],
)
def test_the_last_that_macos_keeps(who: Account, others: tuple[Account, ...], says: str) -> None:
    of = mac(who, *others)
    if says:
        assert refusal(lambda: not_the_last(of, who)) == ("last_holder", says)
    else:
        not_the_last(of, who)


# -- what is returned -------------------------------------------------------------------------------------------------


def test_what_is_returned_of_an_account() -> None:
    request = AccountRequest("ana")
    assert request.view(mac(ADMIN)) == {"name": "ana", "exists": False}
    full = replace(ANA, admin=True, hidden=True, disabled_tag=True, sources=EVERYWHERE)
    pending = frozenset({"preboot", "creating ana", "promoted bob"})
    said = {
        "name": "ana",
        "exists": True,
        "full_name": "Ana Sousa",
        "uid": 502,
        "gid": 20,
        "shell": "/bin/zsh",
        "home": "/Users/ana",
        "hint": "the usual",
        "picture": "/Library/a.png",
        "admin": True,
        "hidden": True,
        "password_set": True,
        "first_token_prevented": True,
        "secure_token": "holder",
        "sources": EVERYWHERE.view(),
        "preboot_pending": True,
        "creation_pending": True,
        "promoted": ["bob"],
    }
    assert request.view(mac(full, pending=pending)) == said
    other = request.view(mac(BARE, pending=frozenset({"creating bob"})))
    assert other == {
        **said,
        **dict.fromkeys(("uid", "gid")),
        **dict.fromkeys(("full_name", "shell", "home", "hint", "picture"), ""),
        **dict.fromkeys(("admin", "hidden", "password_set", "first_token_prevented"), False),
        **dict.fromkeys(("preboot_pending", "creation_pending"), False),
        "secure_token": "none",
        "sources": NOWHERE.view(),
        "promoted": [],
    }
    foreseen = request.view(mac(new_account("ana")))
    assert [foreseen[key] for key in ("shell", "home", "picture", "hint")] == [None, None, None, ""]


# -- the version from which a tag keeps the first token away ----------------------------------------------------------


@pytest.mark.parametrize(("version", "tagged"), [("11.0", True), ("10.15.7", False)])
def test_the_tag_exists_from_macos_11_on(version: str, tagged: bool) -> None:
    of, alone = mac(ADMIN, ANA, version=version), mac(ANA, version=version)
    new, known = AccountRequest("bob", secure_token="prevented"), AccountRequest("ana", secure_token="prevented")
    for request in (new, known):
        assert any(isinstance(step, PreventToken) for step in request.plan(of, {}).steps) is tagged
    if tagged:
        assert new.plan(alone, {}).steps
    else:
        assert refusal(lambda: new.plan(alone, {}))[0] == "prevention_unsupported"


def test_who_gets_no_password_is_not_said_to_get_a_token_by_it() -> None:
    assert AccountRequest("ana", hint="x").plan(mac(ANA), {}).notes == ()
