# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try the programs that read the volume, FileVault, the enrollment and the version."""

from __future__ import annotations

import plistlib

import pytest
from fakes import mac, people, run

from maclab.state import CryptoUser, Fault, Mac


def test_not_an_apfs_volume() -> None:
    made = people(mac("10.13.6", "intel", filesystem="hfs"))
    assert run(made, "diskutil", "apfs", "listUsers", "/").status == 1
    assert plistlib.loads(run(made, "diskutil", "info", "-plist", "/").out.encode())["FilesystemType"] == "hfs"


def test_update_preboot_needs_root_and_remembers() -> None:
    made = people(mac())
    assert run(made, "diskutil", "apfs", "updatePreboot", "/", root=False).status == 1
    assert made.preboot == []
    done = run(made, "diskutil", "apfs", "updatePreboot", "/")
    assert done.out.endswith("overall error=(ZeroMeansSuccess)=0\nFinished APFS operation\n")
    assert '    ";SecureToken;",\n' in done.out
    assert made.preboot == [made.accounts["admin"].generated_uid]


USERS = "/System/Volumes/Preboot/*/var/db/CryptoUserInfo.plist"


def in_preboot(made: Mac, *words: str) -> tuple[int, list[str], str]:
    done = run(made, "grep", *words)
    return done.status, done.out.splitlines(), done.err


def test_the_preboot_volume_has_those_of_its_last_update_and_the_keys() -> None:
    made = people(mac())
    key = CryptoUser("EBC6C064-0000-11AA-AA11-00306543ECAC", "PersonalRecovery")
    made.crypto_users[key.uuid] = key
    assert in_preboot(made, "-aohE", "[-0-9A-F]{36}", USERS) == (0, [key.uuid], "")
    run(made, "diskutil", "apfs", "updatePreboot", "/")
    admin = made.accounts["admin"].generated_uid
    assert in_preboot(made, "-aohE", "[-0-9A-F]{36}", USERS) == (0, [admin, key.uuid], "")
    status, named, _ = in_preboot(made, "-aoHE", "[-0-9A-F]{36}", USERS)
    assert status == 0
    assert [line.partition(":")[2] for line in named] == [admin, key.uuid]
    group = plistlib.loads(run(made, "diskutil", "info", "-plist", "/").out.encode())["APFSVolumeGroupID"]
    assert {line.partition(":")[0] for line in named} == {USERS.replace("*", group)}
    assert in_preboot(made, "-aohE", "no such text", USERS) == (1, [], "")


def test_what_is_not_on_the_preboot_volume() -> None:
    made = people(mac())
    wrong = USERS.replace("Crypto", "Other")
    assert in_preboot(made, "-aohE", "x", wrong) == (2, [], f"grep: {wrong}: No such file or directory\n")
    for old in (people(mac("10.15.7", "t2")), people(mac("10.13.6", "intel", filesystem="hfs"))):
        assert in_preboot(old, "-aohE", "x", USERS)[0] == 2
    assert run(made, "grep", "-c", "x", USERS).status not in (0, 1, 2)


@pytest.mark.parametrize(
    ("because", "orphaned", "names"),
    [("nothing", False, False), ("orphan", True, True), ("unnamed_orphan", True, False)],
)
def test_update_preboot_fails_as_often_as_the_fault_says(because: str, orphaned: bool, names: bool) -> None:
    made = people(mac())
    made.faults.append(Fault("preboot_fails", {"times": 2, "because": because}))
    if orphaned:
        assert run(made, "diskutil", "apfs", "updatePreboot", "/").status == 0
        made.preboot.clear()
        made.crypto_users["ORPHAN"] = CryptoUser("ORPHAN")
    for _try in range(2):
        done = run(made, "diskutil", "apfs", "updatePreboot", "/")
        assert (done.status, made.preboot) == (1, [])
        assert "error=(ZeroMeansSuccess)=-69537" in done.out
        assert ("ORPHAN" in done.out) is names
    assert run(made, "diskutil", "apfs", "updatePreboot", "/").status == 0
    assert made.accounts["admin"].generated_uid in made.preboot


@pytest.mark.parametrize("device", ["/", "disk3s1s1", "disk3s1", "disk3s5", "/dev/disk3s1s1"])
def test_the_start_volume_has_many_names(device: str) -> None:
    assert run(people(mac()), "diskutil", "apfs", "LISTUSERS", device).status == 0


@pytest.mark.parametrize(
    ("state", "head", "rest", "active"),
    [
        ("on", "FileVault is On.", "", 0),
        ("off", "FileVault is Off.", "", 1),
        ("on_needs_restart", "FileVault is On, but needs to be restarted to finish.", "", 2),
        ("off_needs_restart", "FileVault is Off, but needs to be restarted to finish.", "", 1),
        ("off_will_enable", "FileVault is Off, but will be enabled after the next restart.", "", 1),
        ("encrypting", "FileVault is On.", "Encryption in progress: Percent completed = 12.5\n", 2),
        ("decrypting", "FileVault is On.", "Decryption in progress: Percent completed = 12.5\n", 2),
        ("pending", "FileVault is On.", "Encryption in progress: Pending\n", 2),
    ],
)
def test_filevault_states(state: str, head: str, rest: str, active: int) -> None:
    made = people(mac())
    made.filevault.state, made.filevault.percent = state, 12.5
    assert run(made, "fdesetup", "status", root=False).out == f"{head}\n{rest}"
    assert run(made, "fdesetup", "isactive", root=False).status == active


def test_fdesetup_list_shows_orphans_and_ghosts_and_hides_the_removed() -> None:
    made = people(mac())
    made.crypto_users["ORPHAN"] = CryptoUser("ORPHAN")
    made.filevault.ghosts.append(made.accounts["user"].generated_uid)
    made.filevault.hidden_users.append(made.accounts["admin"].generated_uid)
    assert run(made, "fdesetup", "list").out == f"(null),ORPHAN\nuser,{made.accounts['user'].generated_uid}\n"
    denied = run(made, "fdesetup", "list", root=False)
    assert denied.status != 0
    assert denied.out == ""


def test_enrollment() -> None:
    made = people(mac())
    made.mdm.enrolled, made.mdm.user_approved, made.mdm.server = "ade", True, "https://mdm.example.com"
    assert run(made, "profiles", "status", "-type", "enrollment").out == (
        "Enrolled via DEP: Yes\nMDM enrollment: Yes (User Approved)\nMDM server: https://mdm.example.com\n"
    )


def test_bootstrap_status_needs_catalina_and_a_server() -> None:
    made = people(mac("10.14.6", "t2"))
    made.mdm.enrolled = "ade"
    words = ["profiles", "status", "-type", "bootstraptoken"]
    assert run(made, *words).status != 0
    made.version = "11.7.10"
    assert run(made, *words).status == 0
    made.faults.append(Fault("mdm_unreachable"))
    assert run(made, *words).status != 0


def test_sysctl_asks_for_several_oids() -> None:
    oids = ["hw.optional.arm64", "hw.model", "kern.osproductversion", "kern.hv_vmm_present"]
    assert run(mac(), "sysctl", "-in", *oids).out == "1\nMac14,2\n15.6\n0\n"
    old = run(mac("10.13.3", "intel"), "sysctl", "-i", *oids)
    assert (old.status, old.out) == (0, "hw.model: Mac14,2\n")


@pytest.mark.parametrize(
    ("version", "release"), [("10.13.6", "17.6.0"), ("11.7.10", "20.7.0"), ("15.6", "24.6.0"), ("26.3", "25.3.0")]
)
def test_kernel_release(version: str, release: str) -> None:
    assert run(mac(version), "sysctl", "-n", "kern.osrelease").out == f"{release}\n"


def test_sw_vers_options_by_version() -> None:
    assert run(mac("15.6"), "sw_vers", "--productName").out == "macOS\n"
    assert run(mac("12.7.6"), "sw_vers", "--productName").status == 1
    assert run(mac("10.15.7"), "sw_vers", "-productName").out == "Mac OS X\n"
    assert run(mac("13.6.9"), "sw_vers", "-productVersion", env={"SYSTEM_VERSION_COMPAT": "1"}).out == "13.6.9\n"


def test_pwpolicy_prints_a_line_before_the_plist() -> None:
    made = people(mac())
    made.policy.max_failed = 3
    first, plist = run(made, "pwpolicy", "-getaccountpolicies").out.split("\n", 1)
    assert first == "Getting global account policies"
    assert "policyCategoryAuthentication" in plistlib.loads(plist.encode())
    assert run(made, "pwpolicy", "-u", "user", "-getaccountpolicies").out.startswith(
        "Getting account policies for user"
    )
