# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what diskutil shows of a Mac's disks together: text, documents and every way to name a disk, on every Mac."""

from __future__ import annotations

import plistlib
import re
from typing import Any

import pytest
from fakes import Run, mac, people, run
from transcripts import TRANSCRIPTS

from maclab import disks, models, scenario
from maclab.call import UNMODELLED
from maclab.state import Mac

VERSIONS = ("10.13.6", "10.14.6", "10.15.7", "11.7.10", "13.6.9", "15.6", "26.1", "27.0.1")
LAYOUTS = [
    (version, hardware, filesystem)
    for version in VERSIONS
    for hardware in models.HARDWARE
    for filesystem in ("apfs", "hfs")
    if (hardware != "apple-silicon" or models.parts(version) >= (11,))
    and (filesystem == "apfs" or models.parts(version) < (10, 14))
]


def made_of(version: str, hardware: str, filesystem: str, state: str = "off") -> Mac:
    accounts = [{"name": "ana", "password": "pw", "admin": True}]
    described: dict[str, Any] = {"macos": version, "hardware": hardware, "filesystem": filesystem, "accounts": accounts}
    described["filevault"] = {"state": state}
    return scenario.parse({"macs": {"m": described}}, "test")["m"].mac


def diskutil(made: Mac, *words: str) -> Run:
    return run(made, "diskutil", *words, root=False)


def document(made: Mac, *words: str) -> Any:
    return plistlib.loads(diskutil(made, *words).out.encode())


def lines(text: str) -> dict[str, str]:
    return dict(re.findall(r"^ +([A-Z][^:\n]*):\s+(.*)$", text, re.MULTILINE))


@pytest.mark.parametrize(("version", "hardware", "filesystem"), LAYOUTS)
def test_text_and_documents_tell_of_the_same_disks(version: str, hardware: str, filesystem: str) -> None:
    made = made_of(version, hardware, filesystem, "on" if filesystem == "apfs" else "off")
    listed = document(made, "list", "-plist")
    shown = set(re.findall(r"\b(disk\d+(?:s\d+)*)$", diskutil(made, "list").out, re.MULTILINE))
    assert shown == set(listed["AllDisks"])
    for device in listed["AllDisks"]:
        said, told = document(made, "info", "-plist", device), lines(diskutil(made, "info", device).out)
        assert said["DeviceIdentifier"] == device == told["Device Identifier"]
        assert said["ParentWholeDisk"] == told["Part of Whole"]
        assert said["WholeDisk"] == (told["Whole"] == "Yes")
        assert f"({said['Size']} Bytes)" in told["Disk Size"]
        for key, name in (("VolumeName", "Volume Name"), ("VolumeUUID", "Volume UUID"), ("MountPoint", "Mount Point")):
            assert said.get(key) in (told.get(name), None, "")
        if "FileVault" in said:
            assert ("Yes" if said["FileVault"] else "No") == told["FileVault"]
            assert said.get("Sealed") == told.get("Sealed")
            assert f"({said['APFSContainerFree']} Bytes)" in told["Container Free Space"]
    names = [
        volume["VolumeName"] for entry in listed["AllDisksAndPartitions"] for volume in entry.get("APFSVolumes", [])
    ]
    assert listed["VolumesFromDisks"] == (names or ["Macintosh HD"])


@pytest.mark.parametrize(("version", "hardware", "filesystem"), LAYOUTS)
def test_the_container_adds_up_and_its_volumes_have_their_own_numbers(
    version: str, hardware: str, filesystem: str
) -> None:
    made = made_of(version, hardware, filesystem)
    containers = document(made, "apfs", "list", "-plist").get("Containers", [])
    assert len(containers) == (filesystem == "apfs")
    for container in containers:
        devices = [volume["DeviceIdentifier"] for volume in container["Volumes"]]
        assert len(set(devices)) == len(devices)
        used = sum(volume["CapacityInUse"] for volume in container["Volumes"])
        assert used + container["CapacityFree"] == container["CapacityCeiling"]
        text = diskutil(made, "ap", "list").out
        assert re.findall(r"APFS Volume Disk \(Role\):   (\S+) ", text) == devices
        assert container["APFSContainerUUID"] in text


@pytest.mark.parametrize(
    ("version", "hardware", "roles", "root"),
    [
        ("10.13.6", "intel", {"disk1s1": [], "disk1s4": ["VM"]}, "disk1s1"),
        ("10.15.7", "t2", {"disk1s5": ["System"], "disk1s1": ["Data"]}, "disk1s5"),
        ("13.6.9", "intel", {"disk1s5": ["System"], "disk1s1": ["Data"]}, "disk1s5s1"),
        ("15.6", "apple-silicon", {"disk3s1": ["System"], "disk3s5": ["Data"], "disk3s6": ["VM"]}, "disk3s1s1"),
    ],
)
def test_the_layout_is_that_of_the_version_and_the_chip(
    version: str, hardware: str, roles: dict[str, list[str]], root: str
) -> None:
    made = made_of(version, hardware, "apfs")
    volumes = document(made, "apfs", "list", "-plist")["Containers"][0]["Volumes"]
    assert {each["DeviceIdentifier"]: each["Roles"] for each in volumes}.items() >= roles.items()
    assert lines(diskutil(made, "info", "/").out)["Device Identifier"] == root
    assert ("(Container disk1)" in diskutil(made, "list").out) is False
    assert ("Apple_APFS_ISC" in diskutil(made, "list").out) == (hardware == "apple-silicon")


@pytest.mark.parametrize(
    ("asked", "device"),
    [
        ("/", "disk3s1s1"),
        ("disk3s1", "disk3s1"),
        ("/dev/disk3s5", "disk3s5"),
        ("/dev/rdisk3s5", "disk3s5"),
        ("/System/Volumes/Data", "disk3s5"),
        ("/System/Volumes/Preboot", "disk3s2"),
        ("Macintosh HD", "disk3s1"),
        ("Data", "disk3s5"),
        ("disk0", "disk0"),
        ("disk0s2", "disk0s2"),
        ("disk3", "disk3"),
    ],
)
def test_every_way_to_name_a_disk_leads_to_that_disk(asked: str, device: str) -> None:
    made = people(mac("15.6"))
    assert lines(diskutil(made, "info", asked).out)["Device Identifier"] == device
    assert document(made, "information", "-plist", asked)["DeviceIdentifier"] == device


def test_what_each_disk_says_of_itself() -> None:
    made = made_of("15.6", "apple-silicon", "apfs", "on")
    root, data, whole = (lines(diskutil(made, "info", each).out) for each in ("/", "/System/Volumes/Data", "disk0"))
    assert (root["File System Personality"], root["Type (Bundle)"], root["Part of Whole"]) == ("APFS", "apfs", "disk3")
    assert root["Disk / Partition UUID"] == root["Volume UUID"] == root["APFS Snapshot UUID"]
    assert (root["Sealed"], data["Sealed"]) == ("Yes", "No")
    assert (root["FileVault"], data["FileVault"]) == ("Yes", "Yes")
    assert (root.get("Encrypted"), data.get("Encrypted")) == ("No", None)
    assert data["APFS Volume Group"] == data["Volume UUID"] == root["APFS Volume Group"]
    assert (whole["File System"], whole["Content (IOContent)"]) == ("None", "GUID_partition_scheme")
    assert lines(diskutil(made_of("10.13.6", "intel", "hfs"), "info", "/").out)["Type (Bundle)"] == "hfs"


@pytest.mark.parametrize(
    ("words", "wholes"),
    [
        ([], ["disk0", "disk3"]),
        (["internal"], ["disk0", "disk3"]),
        (["internal", "physical"], ["disk0"]),
        (["physical"], ["disk0"]),
        (["virtual"], ["disk3"]),
        (["external"], []),
        (["external", "physical"], []),
        (["disk3s5"], ["disk3"]),
        (["/dev/disk0"], ["disk0"]),
    ],
)
def test_filters_of_a_list(words: list[str], wholes: list[str]) -> None:
    made = people(mac("15.6"))
    assert re.findall(r"^/dev/(disk\d+) ", diskutil(made, "list", *words).out, re.MULTILINE) == wholes
    assert document(made, "list", "-plist", *words)["WholeDisks"] == wholes


@pytest.mark.parametrize(
    ("state", "rows"),
    [
        ("on", ["FileVault:                 Yes (Unlocked)"] * 2),
        ("off", ["FileVault:                 No"]),
        ("encrypting", ["Encryption Progress:       42.5% (Unlocked)"] * 2),
        ("decrypting", ["Decryption Progress:       42.5% (Unlocked)"] * 2),
    ],
)
def test_filevault_is_where_it_should_be(state: str, rows: list[str]) -> None:
    made = made_of("15.6", "intel", "apfs", state)
    made.filevault.percent = 42.5 if state.endswith("crypting") else None
    text = diskutil(made, "apfs", "list").out
    assert text.count(rows[0]) >= len(rows)
    assert ("FileVault:                 Yes" in text) == (state == "on")
    assert "No (Encrypted at rest)" not in text
    assert "No (Encrypted at rest)" in diskutil(made_of("15.6", "t2", "apfs"), "apfs", "list").out


def test_crypto_users_are_the_start_volumes_alone() -> None:
    made = people(mac("15.6"))
    guid = made.accounts["admin"].generated_uid
    for device in ("/", "disk3s1", "/System/Volumes/Data", "Data"):
        assert guid in diskutil(made, "apfs", "listUsers", device).out
    assert diskutil(made, "apfs", "listUsers", "/").out.startswith("Cryptographic user for disk3s1s1 ")
    assert diskutil(made, "apfs", "listUsers", "/System/Volumes/Data").out.startswith("Cryptographic user for disk3s5 ")
    assert diskutil(made, "apfs", "listUsers", "disk3s6").out == "No cryptographic users for disk3s6\n"


def test_what_is_not_there_is_said_in_words_and_in_a_document() -> None:
    made = people(mac())
    for words in (("info", "disk9"), ("list", "disk9"), ("apfs", "listUsers", "disk9"), ("apfs", "list", "disk9")):
        done = diskutil(made, *words)
        assert (done.status, done.err) == (1, "Could not find disk: disk9\n")
    assert document(made, "info", "-plist", "disk9") == {
        "Error": True,
        "ErrorMessage": "Could not find disk: disk9",
        "ExitCode": 1,
    }


def test_there_is_no_core_storage() -> None:
    made = people(mac())
    assert diskutil(made, "cs", "list").out == "No CoreStorage logical volume groups found\n"
    assert document(made, "coreStorage", "list", "-plist") == {"CoreStorageLogicalVolumeGroups": []}
    assert (diskutil(made, "cs", "info", "/").status, diskutil(made, "cs", "info", "/").out) == (1, "")
    hfs = made_of("10.13.6", "intel", "hfs")
    hfs.filevault.state = "on"
    assert diskutil(hfs, "cs", "list").status == UNMODELLED


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (20480, "20.5 KB"),
        (524288000, "524.3 MB"),
        (999949999, "999.9 MB"),
        (999960000, "1.0 GB"),
        (494384795648, "494.4 GB"),
        (1000240963584, "1.0 TB"),
    ],
)
def test_sizes_are_in_powers_of_ten(size: int, text: str) -> None:
    assert disks.human(size) == text


def test_the_system_volume_reads_as_in_a_public_excerpt() -> None:
    """The lines of transcript du-apfs-list-fragment, of a Mac in the middle of an update and with more containers."""
    made = made_of("12.7.6", "apple-silicon", "apfs", "on")
    excerpt = str(TRANSCRIPTS["du-apfs-list-fragment"].stdout).replace("|   |   ", "    |   ")
    for there, here in (
        ("/System/Volumes/Update/mnt1", "Not Mounted"),
        ("FAA23E0C-791C-43FF-B0E7-0E1C0810AC61", disks.volume_uuid(made, "snapshot")),
    ):
        excerpt = excerpt.replace(there, here)
    assert excerpt.strip() in diskutil(made, "apfs", "list").out
