# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""softwareupdate: who may install what, and that a restart which comes before macOS's own leads into the old one."""

from __future__ import annotations

import fakes
import pytest
from fakes import mac, people

from maclab import rules, updates
from maclab.call import UNMODELLED
from maclab.state import Fault, Mac, Update, from_json, to_json

LABEL = "macOS Sequoia 15.6.1-24G90"
INSTALL = ("softwareupdate", "--install", LABEL, "--restart", "--user", "admin", "--stdinpass")


def outdated(hardware: str = "apple-silicon") -> Mac:
    made = people(mac("15.6", hardware))
    made.updates = [
        Update("Safari", "Safari18.6-18.6", "18.6", restart=False),
        Update("macOS Sequoia 15.6.1", LABEL, "15.6.1", "24G90"),
    ]
    for user in made.crypto_users.values():
        user.owner = hardware == "apple-silicon"
    return made


def password(made: Mac) -> str:
    return f"{made.accounts['admin'].password}\n"


def test_the_list_has_the_labels_that_install_takes() -> None:
    made = outdated()
    assert f"* Label: {LABEL}\n" in fakes.run(made, "softwareupdate", "--list", root=False).out
    assert fakes.run(made, "softwareupdate", "-l").record.writes == []
    done = fakes.run(made, *INSTALL, stdin=password(made))
    assert done.restart is not None and (done.restart.into, done.restart.unlocked) == (LABEL, True)
    assert updates.install(made, done.restart.into)
    assert (made.version, made.build) == ("15.6.1", "24G90")
    assert "macOS Sequoia" not in fakes.run(made, "softwareupdate", "--list").out
    assert from_json(to_json(made)).updates == made.updates


@pytest.mark.parametrize("spoil", ["nobody", "wrong", "no owner", "stale"])
def test_apple_silicon_asks_for_an_owner_after_the_download(spoil: str) -> None:
    made = outdated()
    given, words = password(made), INSTALL
    if spoil == "nobody":
        words = INSTALL[:4]
    elif spoil == "wrong":
        given = "no-password\n"
    elif spoil == "no owner":
        made.crypto_users[made.accounts["admin"].generated_uid].owner = False
    else:
        made.accounts["admin"].key_password = "an old one"
    done = fakes.run(made, *words, stdin=given)
    assert done.restart is None
    assert done.out.endswith("Downloaded: macOS Sequoia 15.6.1\n") and done.err == "Failed to authenticate\n"
    assert done.status == rules.UPDATE_FAILURE_STATUS.at((15, 6))
    assert made.updates[1].downloaded


def test_an_intel_mac_asks_nobody_and_comes_back_locked() -> None:
    done = fakes.run(outdated("intel"), *INSTALL[:4])
    assert done.restart is not None and not done.restart.unlocked
    assert done.record.authentications == []


def test_what_is_not_offered_or_not_root() -> None:
    assert "No such update" in fakes.run(outdated(), "softwareupdate", "--install", "macOS 99", "--restart").err
    assert fakes.run(outdated(), *INSTALL, root=False).status == 1
    assert fakes.run(outdated(), "softwareupdate", "--schedule", "on").status == UNMODELLED


@pytest.mark.parametrize("restarts", [True, False])
def test_an_update_that_is_accepted_and_never_installed(restarts: bool) -> None:
    made = outdated()
    made.faults.append(Fault("update_does_nothing", {"restarts": restarts}))
    done = fakes.run(made, *INSTALL, stdin=password(made))
    assert done.out.endswith("Restarting...\n") and done.status == 0
    assert (done.restart is not None) is restarts
    assert done.restart is None or done.restart.into == ""


APPLICATION = "/Applications/Install macOS Tahoe.app"
START = ("startosinstall", "--agreetolicense", "--nointeraction", "--forcequitapps")
AS_OWNER = (*START, "--user", "admin", "--stdinpass")


def with_installer(hardware: str = "apple-silicon") -> Mac:
    made = outdated(hardware)
    updates.put_installer(made, APPLICATION, "26.1", "25B78")
    return made


def test_an_installer_application_says_what_it_installs_and_installs_it() -> None:
    made = with_installer()
    told = fakes.run(made, "defaults", "read", f"{APPLICATION}/Contents/Info.plist", "DTPlatformVersion")
    assert (told.status, told.out) == (0, "26.1\n")
    form = ("stat", "-f", "%HT|%u|%Lp|%N")
    assert fakes.run(made, *form, updates.program_of(APPLICATION)).out.startswith("Regular File|0|755|")
    assert fakes.run(made, *form, APPLICATION).out == f"Directory|0|755|{APPLICATION}\n"
    done = fakes.run(made, *AS_OWNER, stdin=password(made))
    assert done.record.authentications == [("admin", True)]
    assert done.restart is not None and (done.restart.into, done.restart.unlocked) == (APPLICATION, True)
    assert updates.install(made, done.restart.into)
    assert (made.version, made.build) == ("26.1", "25B78")
    assert from_json(to_json(made)) == made


@pytest.mark.parametrize("spoil", ["nobody", "wrong", "no owner", "stale"])
def test_an_installer_application_asks_for_an_owner_first(spoil: str) -> None:
    made = with_installer()
    given, words, said = password(made), AS_OWNER, "Error: could not get authorization...\n"
    if spoil == "nobody":
        words = START
        said = "Error: failed to authorize for installation. Provide a password with --stdinpass or --passprompt.\n"
    elif spoil == "wrong":
        given = "no-password\n"
    elif spoil == "no owner":
        made.crypto_users[made.accounts["admin"].generated_uid].owner = False
    else:
        made.accounts["admin"].key_password = "an old one"
    done = fakes.run(made, *words, stdin=given)
    assert (done.restart, done.err) == (None, said)
    assert "Preparing" not in done.out


def test_an_installer_application_on_intel_and_what_it_does_not_do() -> None:
    done = fakes.run(with_installer("intel"), *START)
    assert done.restart is not None and not done.restart.unlocked
    assert done.record.authentications == []
    assert fakes.run(with_installer(), *AS_OWNER, root=False).status == 1
    assert fakes.run(with_installer(), "startosinstall", "--eraseinstall", "--agreetolicense").status == UNMODELLED
    assert fakes.run(outdated(), *AS_OWNER).status == 127


@pytest.mark.parametrize(("because", "words"), [("space", "Not enough free disk space"), ("download", "Failed to")])
def test_an_installer_application_that_fails(because: str, words: str) -> None:
    made = with_installer()
    made.faults.append(Fault("update_fails", {"because": because}))
    done = fakes.run(made, *AS_OWNER, stdin=password(made))
    assert words in done.err and done.restart is None and done.status == rules.UPDATE_FAILURE_STATUS.at((15, 6))
