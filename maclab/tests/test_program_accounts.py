# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try the programs that change accounts: steps, prompts, and the failures that look like success."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest
from fakes import mac, people, person, run

from maclab import directory
from maclab.state import Fault, Mac


def sysadminctl(on: Mac, line: str, **how: object) -> str:
    done = run(on, "sysadminctl", *line.split(), **how)  # type: ignore[arg-type]
    assert done.status == 0
    assert done.out == ""
    return done.err


# --- sysadminctl ----------------------------------------------------------------------------------


def test_piped_passwords_are_read_admin_first() -> None:
    made = people(mac())
    line = "-secureTokenOn user -password - -adminUser admin -adminPassword -"
    assert "- Done!" in sysadminctl(made, line, stdin="admin-pw\nuser-pw\n")
    assert directory.is_holder(made, made.accounts["user"])
    swapped = people(mac())
    sysadminctl(swapped, line, stdin="user-pw\nadmin-pw\n")
    assert not directory.is_holder(swapped, swapped.accounts["user"])


def test_a_pipe_has_no_128_byte_cap_and_a_terminal_has() -> None:
    long = "x" * 200
    line = "-secureTokenOn user -password - -adminUser admin -adminPassword -"
    for typed, works in ((None, True), (["admin-pw", long], False)):
        made = people(mac())
        made.accounts["user"].password = long
        sysadminctl(made, line, stdin=f"admin-pw\n{long}\n", typed=typed)
        assert directory.is_holder(made, made.accounts["user"]) is works


def test_reset_asks_for_the_new_password_first() -> None:
    made = people(mac())
    line = "-resetPasswordFor user -newPassword - -adminUser admin -adminPassword -"
    done = run(made, "sysadminctl", *line.split(), typed=["fresh", "admin-pw"])
    assert done.terminal == "New password:Enter password for Ada Admin :"
    assert made.accounts["user"].password == "fresh"


def test_reset_of_an_unknown_user_says_nothing() -> None:
    assert sysadminctl(people(mac()), "-resetPasswordFor nobody-here -newPassword x") == ""


def test_a_power_cut_leaves_an_account_whose_password_was_never_set() -> None:
    made = people(mac())
    run(made, "sysadminctl", "-addUser", "new", "-password", "pw", cut_after=1)
    assert (made.accounts["new"].password, made.accounts["new"].password_set_at) == (None, None)
    assert not made.accounts["new"].home_exists
    run(made, "sysadminctl", "-addUser", "new", "-password", "pw")
    assert made.accounts["new"].password == "pw"


def test_add_user_with_granter_gives_a_token_and_no_banner() -> None:
    made = people(mac())
    said = sysadminctl(made, "-addUser new -password pw -admin -adminUser admin -adminPassword admin-pw")
    assert "clear text password" not in said
    assert directory.is_holder(made, made.accounts["new"])
    assert directory.is_admin(made, made.accounts["new"])


WRONG_GRANTERS = {
    "wrong-password": ("admin", "wrong", -14090),
    "nobody": ("nobody-here", "pw", -14090),
    "the-account-itself": ("new", "pw", -14090),
    "disabled": ("parked", "pw", -14167),
}


@pytest.mark.parametrize(("granter", "password", "code"), WRONG_GRANTERS.values(), ids=WRONG_GRANTERS)
@pytest.mark.parametrize("version", ["10.13.6", "15.3", "26.1", "27.0.1"])
def test_add_user_with_a_wrong_granter_makes_an_account_without_a_token(
    version: str, granter: str, password: str, code: int
) -> None:
    made = people(mac(version))
    person(made, "parked", "pw", admin=True, token=True).authority.append(directory.DISABLED_USER)
    line = f"-addUser new -password pw -admin -adminUser {granter} -adminPassword {password}"
    said = sysadminctl(made, line).splitlines()
    assert f"### Error:{code} " in said[0]
    assert ["clear text password" in text for text in said[1:4]] == [False, True, False]
    assert "Creating user record" in said[4]
    assert not made.accounts["new"].has_authority_token
    assert made.accounts["new"].password == "pw"
    assert directory.is_admin(made, made.accounts["new"])


def test_the_policy_speaks_before_the_record_is_begun() -> None:
    made = people(mac())
    made.policy.min_length = 8
    said = sysadminctl(made, "-addUser new -password weak -adminUser admin -adminPassword wrong")
    assert said.count("\n") == 5
    assert said.endswith("New account password error.  (5402)\n")
    assert "Creating" not in said
    assert "new" not in made.accounts
    assert made.accounts["admin"].failed_logins == 1


def test_add_user_with_a_granter_without_a_token_says_nothing_of_it() -> None:
    made = people(mac())
    person(made, "other", "pw", admin=True)
    said = sysadminctl(made, "-addUser new -password pw -adminUser other -adminPassword pw")
    assert "clear text password" not in said
    assert not made.accounts["new"].has_authority_token


@pytest.mark.parametrize("verb", ["-secureTokenOn user -password user-pw", "-resetPasswordFor admin -newPassword new"])
@pytest.mark.parametrize("version", ["12.7.6", "15.6", "27.0.1"])
def test_a_wrong_granter_is_named_by_its_code_before_the_refusal(version: str, verb: str) -> None:
    made = people(mac(version))
    said = sysadminctl(made, f"{verb} -adminUser admin -adminPassword wrong").splitlines()
    assert "### Error:-14090 " in said[0]
    assert said[1].endswith("Operation is not permitted without secure token unlock.")
    assert len(said) == 2


@pytest.mark.parametrize(("version", "status"), [("15.6", 0), ("26.1", 0), ("27.0", 1)])
def test_the_last_holder_is_not_deleted_and_27_says_so_by_its_status(version: str, status: int) -> None:
    made = people(mac(version))
    done = run(made, "sysadminctl", "-deleteUser", "admin")
    assert done.status == status
    assert "can not be deleted" in done.err
    assert "admin" in made.accounts


def test_nobody_takes_his_own_token_on_27() -> None:
    for version, kept in (("26.1", False), ("27.0", True)):
        made = people(mac(version))
        person(made, "other", "pw", admin=True, token=True)
        said = sysadminctl(made, "-secureTokenOff other -password pw -adminUser other -adminPassword pw")
        assert ("SEP credential" in said) is kept
        assert made.accounts["other"].has_authority_token is kept


def test_an_account_resets_its_own_password_though_it_is_no_administrator() -> None:
    made = people(mac("27.0.1"))
    person(made, "former", "pw", token=True)
    line = "-resetPasswordFor former -newPassword new -adminUser former -adminPassword pw"
    assert sysadminctl(made, line).endswith("- Done\n")
    assert made.accounts["former"].key_password == "new"
    other = "-resetPasswordFor admin -newPassword new -adminUser former -adminPassword new"
    assert "Code=5101" in sysadminctl(made, other)
    assert made.accounts["admin"].password == "admin-pw"


@pytest.mark.parametrize("version", ["15.6", "26.1", "27.0.1"])
def test_without_full_disk_access_an_account_is_made_all_the_same(version: str) -> None:
    made = people(mac(version))
    made.faults.append(Fault("no_full_disk_access"))
    said = sysadminctl(made, "-addUser new -password pw")
    assert ("### Error:-14120 " in said) is (version != "15.6")
    assert made.accounts["new"].password == "pw"
    assert made.accounts["new"].home_exists


def test_add_user_without_password_has_an_empty_one_at_once() -> None:
    made = people(mac())
    assert "clear text password" in sysadminctl(made, "-addUser new")
    assert made.accounts["new"].password == ""
    assert made.accounts["new"].password_set_at is not None


@pytest.mark.parametrize(("version", "uid"), [("12.7.6", 777), ("26.3", 503)])
def test_add_user_ignores_the_uid_from_26_3(version: str, uid: int) -> None:
    made = people(mac(version))
    sysadminctl(made, "-addUser new -UID 777 -password pw")
    assert made.accounts["new"].uid == uid


def test_an_option_without_value_eats_the_next_word() -> None:
    made = people(mac())
    assert "Usage: sysadminctl" in sysadminctl(made, "-addUser -fullName New -password pw")
    assert "New" not in made.accounts


def test_an_unknown_flag_of_a_later_version_is_usage() -> None:
    assert "Usage: sysadminctl" in sysadminctl(people(mac("10.15.7")), "-addUser new -GID 20")


@pytest.mark.parametrize("home", ["/Users/user", "/", "/Users", "/Users/..", "/Users/a/b", ""])
def test_what_lies_in_a_home_goes_with_it_even_if_the_record_stays(tmp_path: Path, home: str) -> None:
    made = people(mac())
    made.faults.append(Fault("no_full_disk_access"))
    made.accounts["user"].home = home
    kept = [tmp_path / "root" / "Users" / name / "file" for name in ("user", "admin", "a/b")]
    for file in kept:
        file.parent.mkdir(parents=True)
        file.touch()
    run(made, "sysadminctl", "-deleteUser", "user", folder=tmp_path)
    assert "user" in made.accounts
    assert [file.exists() for file in kept] == [home != "/Users/user", True, True]


def test_delete_without_full_disk_access_has_already_erased_the_home() -> None:
    made = people(mac())
    made.faults.append(Fault("no_full_disk_access"))
    assert "### Error:-14120" in sysadminctl(made, "-deleteUser user")
    assert "user" in made.accounts
    assert not made.accounts["user"].home_exists


def test_done_may_be_a_lie() -> None:
    made = people(mac())
    made.faults.append(Fault("token_does_not_stick", {"user": "user"}))
    said = sysadminctl(made, "-secureTokenOn user -password user-pw -adminUser admin -adminPassword admin-pw")
    assert "- Done!" in said
    assert not made.accounts["user"].has_authority_token


def test_a_fault_of_another_user_does_not_bite() -> None:
    made = people(mac())
    made.faults.append(Fault("token_does_not_stick", {"user": "admin"}))
    sysadminctl(made, "-secureTokenOn user -password user-pw -adminUser admin -adminPassword admin-pw")
    assert made.accounts["user"].has_authority_token


def test_interactive_fails_without_a_person() -> None:
    assert "-60007" in sysadminctl(people(mac()), "-secureTokenOn user -password user-pw interactive")


# --- dscl -----------------------------------------------------------------------------------------


def test_interactive_dscl_makes_an_account_and_goes_on_after_errors() -> None:
    made = mac()
    lines = """
read /Users/nobody-here
create /Users/new
create /Users/new RealName "New Person"
create /Users/new UniqueID 510
create /Users/new PrimaryGroupID 20
create /Users/new UserShell /bin/zsh
create /Users/new NFSHomeDirectory /Users/new
append /Groups/admin GroupMembership new
passwd /Users/new first\\ pass
"""
    done = run(made, "dscl", "-q", ".", stdin=lines)
    assert done.status == 0
    assert done.out == ""
    assert done.err == "<dscl_cmd> DS Error: -14136 (eDSRecordNotFound)\n"
    account = made.accounts["new"]
    assert (account.full_name, account.uid, account.password) == ("New Person", 510, "first pass")
    assert len(account.generated_uid) == 36
    assert directory.is_holder(made, account)
    assert directory.is_admin(made, account)


def test_interactive_dscl_prompts_unless_quiet() -> None:
    done = run(mac(), "dscl", stdin="list /Local/Default/Groups\nquit\n")
    assert done.out.startswith("Entering interactive mode")
    assert done.out.endswith("Goodbye\n")
    at_a_node = run(mac(), "dscl", ".", stdin="cd /groups\nread admin RecordName\ncd ..\n")
    assert at_a_node.out == "/ > /Groups > RecordName: admin\n/Groups > / > Goodbye\n"
    assert run(mac(), "dscl", "-q", ".", stdin="cd Groups\nread admin RecordName\n").out == "RecordName: admin\n"


def test_readall_prints_one_plist_of_records() -> None:
    made = people(mac())
    person(made, "unset", password=None)
    keys = ["RecordName", "UniqueID", "accountPolicyData", "NoSuchThing"]
    done = run(made, "dscl", "-plist", ".", "-readall", "/Users", *keys)
    found = {record["dsAttrTypeStandard:RecordName"][0]: record for record in plistlib.loads(done.out.encode())}
    assert found["user"]["dsAttrTypeStandard:UniqueID"] == ["502"]
    policy = plistlib.loads(found["user"]["dsAttrTypeNative:accountPolicyData"][0].encode())
    assert policy["failedLoginCount"] == 0
    assert "passwordLastSetTime" in policy
    unset = plistlib.loads(found["unset"]["dsAttrTypeNative:accountPolicyData"][0].encode())
    assert "passwordLastSetTime" not in unset


def test_only_root_reads_policy_data_and_the_hash_and_nobody_reads_a_password() -> None:
    made = people(mac())
    as_user = run(made, "dscl", ".", "-read", "/Users/user", root=False).out
    as_root = run(made, "dscl", ".", "-read", "/Users/user").out
    assert "accountPolicyData" not in as_user
    assert "accountPolicyData" in as_root
    assert "ShadowHashData" in as_root
    assert "ShadowHashData" not in as_user
    of_all = run(made, "dscl", "-plist", ".", "readall", "/Users").out
    assert {"dsAttrTypeNative:ShadowHashData" in each for each in plistlib.loads(of_all.encode())} == {True}
    named = run(made, "dscl", ".", "-read", "/Users/user", "ShadowHashData")
    assert named.out.startswith("dsAttrTypeNative:ShadowHashData:")
    assert "user-pw" not in as_root + named.out


def test_deleting_the_authority_leaves_a_phantom() -> None:
    made = people(mac())
    guid = made.accounts["admin"].generated_uid
    assert run(made, "dscl", ".", "-delete", "/Users/admin", "AuthenticationAuthority").status == 0
    assert not made.accounts["admin"].has_authority_token
    assert guid in made.crypto_users


def test_passwd_asks_the_new_password_then_the_old_one() -> None:
    made = people(mac("26.1"))
    done = run(made, "dscl", ".", "-passwd", "/Users/admin", stdin="fresh\nadmin-pw\n")
    assert done.status == 0
    assert done.err == "New Password: Permission denied. Please enter user's old password:"
    assert made.accounts["admin"].key_password == "fresh"


def test_root_leaves_a_stale_key_on_10_13() -> None:
    made = people(mac("10.13.6", "intel"))
    assert run(made, "dscl", ".", "-passwd", "/Users/admin", "fresh").status == 0
    account = made.accounts["admin"]
    assert (account.password, account.key_password) == ("fresh", "admin-pw")
    assert account.has_authority_token


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["/nowhere", "-list", "/"], 69),
        ([".", "-append", "/Users/nosuch", "Comment", "x"], 185),
        ([".", "-read", "/Nothing/x"], 185),
        ([".", "-create", "/Users/user", "UniqueID", "501"], 55),
        ([".", "-delete", "/Users/user", "Comment"], 54),
        ([".", "-authonly", "user", "user-pw"], 0),
        (["/Local/Default", "read", "/Users/user", "RealName"], 0),
        (["localhost", "-read", "/Local/Default/Users/user", "RealName"], 0),
    ],
)
def test_exit_status(words: list[str], status: int) -> None:
    assert run(people(mac()), "dscl", *words).status == status


def test_the_shadowhash_record_exists_with_a_policy() -> None:
    made = people(mac())
    made.policy.max_failed = 5
    done = run(made, "dscl", "-plist", ".", "-read", "/Config/shadowhash", "accountPolicyData")
    policy = plistlib.loads(plistlib.loads(done.out.encode())["dsAttrTypeNative:accountPolicyData"][0].encode())
    assert policy["policyCategoryAuthentication"][0]["policyParameters"] == {
        "policyAttributeMaximumFailedAuthentications": 5
    }


def test_authonly_reads_the_password_and_counts() -> None:
    made = people(mac())
    assert run(made, "dscl", ".", "-authonly", "user", stdin="wrong\n", root=False).status == 10
    assert made.accounts["user"].failed_logins == 1
    done = run(made, "dscl", ".", "-authonly", "user", stdin="user-pw\n", root=False)
    assert (done.status, done.err) == (0, "Password: ")
    assert made.accounts["user"].failed_logins == 0


# --- groups, names, homes -------------------------------------------------------------------------


def test_group_membership_and_its_exit_statuses() -> None:
    made = people(mac())
    check = ["dseditgroup", "-o", "checkmember", "-m", "user", "admin"]
    assert run(made, *check).status == 67
    assert run(made, "dseditgroup", "-o", "edit", "-a", "user", "-t", "user", "admin").status == 0
    assert run(made, *check).out == "yes user is a member of admin\n"
    assert run(made, "dsmemberutil", "checkmembership", "-U", "user", "-G", "admin").status == 0
    assert run(made, "dseditgroup", "-o", "edit", "-d", "user", "-t", "user", "admin").status == 0
    assert run(made, *check).out == "no user is NOT a member of admin\n"


def test_nested_groups_count() -> None:
    made = people(mac())
    assert run(made, "dseditgroup", "-o", "create", "helpers").status == 0
    run(made, "dseditgroup", "-o", "edit", "-a", "user", "-t", "user", "helpers")
    run(made, "dseditgroup", "-o", "edit", "-a", "helpers", "-t", "group", "admin")
    assert directory.is_admin(made, made.accounts["user"])


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["-un"], "user\n"),
        (["-u", "user"], "502\n"),
        (["-gn", "user"], "staff\n"),
        (["-Gn", "user"], "staff everyone localaccounts _lpoperator\n"),
        (["-G", "admin"], "20 12 61 80 33 79 81 98 100 204 250\n"),
    ],
)
def test_id(words: list[str], out: str) -> None:
    assert run(people(mac()), "id", *words, user="user", root=False).out == out


def test_id_of_nobody() -> None:
    done = run(people(mac()), "id", "nosuch")
    assert (done.status, done.err) == (1, "id: nosuch: no such user\n")


def test_createhomedir_makes_missing_homes() -> None:
    made = people(mac())
    made.accounts["user"].home_exists = False
    assert run(made, "createhomedir", "-c", "-u", "user").status == 0
    assert made.accounts["user"].home_exists
