# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A holder of a modelled Mac is parked and taken into use again: it stays a holder, nobody else loses what only it had,
and what it was comes back, whatever cuts the run off."""

from __future__ import annotations

import typing as t

import fakes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inmemory import LabRunner, PowerCut, admin_holders, counted, snapshot
from test_core_on_lab import MACS

from ansible_collections.keyholder.macos.plugins.module_utils._plan.parking import ParkRequest
from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome, Request
from ansible_collections.keyholder.macos.plugins.module_utils._plan.ssh_access import SshAccessRequest
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from maclab import directory, sshd_config
from maclab.state import Mac, ModelFile

FALSE = "/usr/bin/false"
FILE = "/etc/ssh/sshd_config.d/040-keyholder-setup.conf"
PARK, WAKE = ParkRequest("setup"), ParkRequest("setup", state="active")
VERSIONS = tuple(sorted({version for version, _ in MACS}))


def cast(version: str = "15.6", hardware: str = "apple-silicon") -> Mac:
    mac = fakes.mac(version, hardware)
    fakes.person(mac, "root", None, uid=0).service = True
    fakes.person(mac, "setup", "setup-pw-1", admin=True, token=True)
    fakes.person(mac, "itadmin", "it-pw-1", admin=True, token=True)
    mac.filevault.state = "on"
    mac.preboot = [account.generated_uid for account in mac.accounts.values() if account.has_authority_token]
    return mac


def flow(
    mac: Mac, request: Request, check: bool = False, cut: int | None = None, own: str = "itadmin"
) -> tuple[Outcome, LabRunner]:
    runner = LabRunner(mac, cut=cut)
    return counted(Run(runner, {}, 5, own=lambda: {own}).run(request, check)), runner


def reason(outcome: Outcome) -> str | None:
    return outcome.refusal.reason if outcome.refusal is not None else None


def facts(mac: Mac, name: str = "setup") -> tuple[t.Any, ...]:
    """By the lab's own state: what parking changes of an account."""
    who = mac.accounts[name]
    admin = directory.is_admin(mac, who)
    return directory.refused(mac, who), who.hidden, who.shell, admin, sshd_config.denies(mac, name)


@pytest.mark.parametrize(("version", "hardware"), MACS)
@pytest.mark.parametrize("admin", [None, False])
def test_a_parked_holder_is_harmless_and_still_a_holder_and_comes_back(
    version: str, hardware: str, admin: bool | None
) -> None:
    mac = cast(version, hardware)
    request = ParkRequest("setup", admin=admin)
    before, was = snapshot(mac), facts(mac)
    foreseen, looked = flow(mac, request, check=True)
    assert (mac, looked.writes) == (before, [])
    done, runner = flow(mac, request)
    assert (done.refusal, done.changed) == (None, True)
    assert (done.plan, done.after) == (foreseen.plan, foreseen.after)
    setup = mac.accounts["setup"]
    includes = not version.startswith(("10.", "11."))
    assert facts(mac) == (True, True, FALSE, admin is None, includes)
    assert directory.is_holder(mac, setup) and setup.generated_uid in mac.preboot
    assert mac.crypto_users == before.crypto_users
    assert runner.authentications == []
    again, idle = flow(mac, request)
    assert (again.refusal, again.changed, again.plan, idle.writes) == (None, False, [], [])
    foreseen, looked = flow(mac, WAKE, check=True)
    assert looked.writes == []
    back, _ = flow(mac, WAKE)
    assert (back.refusal, back.changed) == (None, True)
    assert (back.plan, back.after) == (foreseen.plan, foreseen.after)
    assert facts(mac) == was
    assert not mac.accounts["setup"].attributes and FILE not in mac.files
    assert flow(mac, WAKE)[0].plan == []


@pytest.mark.parametrize("request_", [PARK, ParkRequest("setup", admin=False)])
def test_cut_anywhere_the_next_run_goes_on_and_the_way_back_is_known(request_: ParkRequest) -> None:
    whole, was = cast(), facts(cast())
    _, runner = flow(whole, request_)
    wanted = facts(whole)
    for cut in range(1, len(runner.writes) + 1):
        mac = cast()
        with pytest.raises(PowerCut):
            flow(mac, request_, cut=cut)
        turned_back = snapshot(mac)
        assert flow(mac, request_)[0].refusal is None
        assert facts(mac) == wanted
        for one in (mac, turned_back):
            assert flow(one, WAKE)[0].refusal is None
            assert facts(one) == was
            assert not one.accounts["setup"].attributes
    _, runner = flow(snapshot(whole), WAKE)
    for cut in range(1, len(runner.writes) + 1):
        mac = snapshot(whole)
        with pytest.raises(PowerCut):
            flow(mac, WAKE, cut=cut)
        assert flow(mac, WAKE)[0].refusal is None
        assert facts(mac) == was


def test_an_account_that_sshd_refused_before_it_was_parked_stays_refused() -> None:
    mac = cast()
    assert flow(mac, SshAccessRequest("setup"))[0].refusal is None
    was = facts(mac)
    assert was[4]
    assert flow(mac, PARK)[0].refusal is None
    foreseen, _ = flow(mac, WAKE, check=True)
    back, _ = flow(mac, WAKE)
    assert (back.refusal, back.after) == (None, foreseen.after)
    assert facts(mac) == was
    assert FILE in mac.files


def test_an_account_taken_into_use_by_hand_is_noted_anew_before_it_is_parked_again() -> None:
    mac = cast()
    assert flow(mac, PARK)[0].refusal is None
    setup = mac.accounts["setup"]
    directory.enable(mac, setup)
    setup.hidden, setup.shell = False, "/bin/bash"
    directory.drop_member(mac.groups["admin"], setup)
    was = facts(mac)
    assert flow(mac, PARK)[0].refusal is None
    assert flow(mac, WAKE)[0].refusal is None
    assert facts(mac) == was


@pytest.mark.parametrize("typed", ["setup", "SetUp"])
def test_no_spelling_of_the_name_gets_past_sshd(typed: str) -> None:
    mac = cast()
    assert flow(mac, SshAccessRequest("setup"))[0].refusal is None
    settings = sshd_config.settings(mac, typed)
    assert "*" in settings.deny_users or "setup" in settings.deny_users
    assert not sshd_config.denies(mac, "itadmin")


# -- the guard --------------------------------------------------------------------------------------------------------


@st.composite
def troubled(draw: st.DrawFn) -> Mac:
    """A Mac on which setup may be the last of some kind."""
    version, hardware = draw(st.sampled_from(MACS))
    mac = fakes.mac(version, hardware)
    fakes.person(mac, "root", None, uid=0).service = True
    flag = st.booleans()
    fakes.person(mac, "setup", "setup-pw-1", admin=draw(flag), token=True)
    for name in ("itadmin", "ana"):
        if draw(st.integers(0, 3)):
            fakes.person(mac, name, f"{name}-pw-2", admin=draw(flag), token=draw(flag))
            if draw(st.integers(0, 3)) == 0:
                directory.disable(mac, mac.accounts[name])
            if draw(st.integers(0, 5)) == 0 and mac.accounts[name].generated_uid in mac.crypto_users:
                mac.crypto_users[mac.accounts[name].generated_uid].owner = False
    if draw(flag):
        mac.filevault.state = "on"
    mac.preboot = [account.generated_uid for account in mac.accounts.values() if account.has_authority_token]
    return mac


def usable(mac: Mac) -> list[t.Any]:
    people = [who for who in mac.accounts.values() if who.name not in ("setup", "root") and not who.service]
    return [who for who in people if who.password and not directory.refused(mac, who)]


@given(troubled(), st.sampled_from([None, False]))
def test_nobody_is_parked_whose_like_does_not_remain(mac: Mac, admin: bool | None) -> None:
    setup, others = mac.accounts["setup"], usable(mac)
    admins = [who for who in others if directory.is_admin(mac, who)]
    holders = [who for who in others if directory.is_holder(mac, who)]
    owners = [who for who in holders if mac.crypto_users[who.generated_uid].owner]
    needed = (
        not holders
        or (directory.is_admin(mac, setup) and not (admins and admin_holders(mac) - {"setup"}))
        or (mac.crypto_users[setup.generated_uid].owner and not owners)
    )
    before = snapshot(mac)
    done, runner = flow(mac, ParkRequest("setup", admin=admin), own="nobody")
    if needed:
        assert reason(done) in ("would_worsen", "last_admin_holder", "would_lock_out", "last_unlocker")
        assert (mac, runner.writes) == (before, [])
    else:
        assert done.refusal is None, done.refusal


def test_the_account_that_ansible_came_in_by_is_not_parked() -> None:
    for request in (PARK, SshAccessRequest("setup")):
        mac = cast()
        before = snapshot(mac)
        done, runner = flow(mac, request, own="setup")
        assert (reason(done), runner.writes) == ("own_account", [])
        assert mac == before


def test_the_last_usable_owner_of_the_volume_is_not_parked() -> None:
    mac = cast()
    mac.crypto_users[mac.accounts["itadmin"].generated_uid].owner = False
    done, runner = flow(mac, PARK)
    assert (reason(done), runner.writes) == ("would_worsen", [])
    assert done.refusal and "owns the volume" in done.refusal.msg


def test_the_last_holder_whom_the_unlock_screen_knows_is_not_parked() -> None:
    mac = cast()
    mac.preboot = [mac.accounts["setup"].generated_uid]
    done, runner = flow(mac, PARK)
    assert (reason(done), runner.writes) == ("would_worsen", [])
    assert done.refusal and "preboot volume" in done.refusal.msg
    mac.preboot.append(mac.accounts["itadmin"].generated_uid)
    assert flow(mac, PARK)[0].refusal is None
    off = cast()
    off.preboot, off.filevault.state = [off.accounts["setup"].generated_uid], "off"
    assert flow(off, PARK)[0].refusal is None


def test_the_last_administrator_who_can_log_in_is_not_parked_token_or_not() -> None:
    mac = cast()
    directory.take_token(mac, mac.accounts["setup"])
    directory.drop_member(mac.groups["admin"], mac.accounts["itadmin"])
    done, runner = flow(mac, PARK, own="nobody")
    assert (reason(done), runner.writes) == ("would_worsen", [])
    assert done.refusal and "no other administrator" in done.refusal.msg


def test_being_disabled_alone_is_a_loss_for_the_account_that_ansible_came_in_by() -> None:
    mac = cast()
    mac.accounts["setup"].hidden, mac.accounts["setup"].shell = True, FALSE
    done, runner = flow(mac, ParkRequest("setup", deny_ssh=False), own="setup")
    assert (reason(done), runner.writes) == ("own_account", [])


def test_somebody_who_is_logged_in_is_left_alone_unless_forced() -> None:
    mac = cast()
    mac.logged_in = ["setup"]
    done, runner = flow(mac, PARK)
    assert (reason(done), runner.writes) == ("user_logged_in", [])
    assert flow(mac, ParkRequest("setup", force=True))[0].refusal is None


def test_who_was_parked_without_us_is_noted_and_stays_so() -> None:
    mac = cast()
    setup = mac.accounts["setup"]
    directory.disable(mac, setup)
    setup.hidden, setup.shell = True, FALSE
    done, _ = flow(mac, PARK)
    was = {"hidden": True, "admin": True, "disabled": True, "shell": FALSE, "refused_by_sshd": False}
    assert done.after["was"] == was
    assert any("stays so" in note for note in flow(mac, WAKE)[0].notes)
    assert facts(mac) == (True, True, FALSE, True, False)


def test_an_account_whose_record_had_no_shell_is_not_called_as_it_was() -> None:
    mac = cast()
    mac.accounts["setup"].shell = ""
    assert flow(mac, PARK)[0].refusal is None
    back, _ = flow(mac, WAKE)
    assert (back.refusal, facts(mac)) == (None, (False, False, FALSE, True, False))
    assert any("had no shell before" in note for note in back.notes)


def test_an_account_of_which_nothing_is_known_is_enabled_and_the_rest_is_asked_for() -> None:
    mac = cast()
    setup = mac.accounts["setup"]
    directory.disable(mac, setup)
    setup.hidden, setup.shell = True, FALSE
    done, _ = flow(mac, WAKE)
    assert (reason(done), facts(mac)) == (None, (False, True, FALSE, True, False))
    assert "Give shell" in done.notes[0]
    flow(mac, ParkRequest("setup", state="active", shell="/bin/zsh", hidden=False))
    assert facts(mac) == (False, False, "/bin/zsh", True, False)


def test_a_disabling_that_did_nothing_is_not_believed() -> None:
    mac = cast()

    class Deaf(LabRunner):
        def started(self, argv: tuple[str, ...], how: dict[str, t.Any]) -> fakes.Run:
            return super().started(("whoami",) if argv[0] == "pwpolicy" else argv, how)

    done = Run(Deaf(mac), {}, 5, own=lambda: {"itadmin"}).run(PARK, False)
    assert reason(done) == "not_proven"
    assert flow(mac, PARK)[0].refusal is None


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ParkRequest("nobody-here"), "user_unknown"),
        (ParkRequest("root"), "system_account"),
        (ParkRequest("setup", shell="zsh"), "value_unusable"),
        (SshAccessRequest("nobody-here"), "user_unknown"),
        (SshAccessRequest("set up"), "name_unusable"),
    ],
)
def test_what_is_refused_at_once(request_: Request, code: str) -> None:
    mac = cast()
    done, runner = flow(mac, request_)
    assert (reason(done), runner.writes) == (code, [])


# -- sshd alone -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_sshd_refuses_one_account_and_lets_it_in_again(version: str) -> None:
    mac = cast(version)
    done, _ = flow(mac, SshAccessRequest("setup"))
    if version.startswith(("10.", "11.")):
        assert reason(done) == "macos_too_old"
        return
    assert (reason(done), done.changed) == (None, True)
    assert sshd_config.denies(mac, "setup") and not sshd_config.denies(mac, "itadmin")
    assert sshd_config.settings(mac, "setup").values == {
        "passwordauthentication": "no",
        "kbdinteractiveauthentication": "no",
    }
    assert flow(mac, SshAccessRequest("setup"))[0].plan == []
    del mac.accounts["setup"]
    back, _ = flow(mac, SshAccessRequest("setup", state="allowed"))
    assert (reason(back), back.changed, FILE in mac.files) == (None, True, False)


def test_nothing_is_written_beside_settings_that_sshd_does_not_take() -> None:
    mac = cast()
    mac.files["/etc/ssh/sshd_config.d/100-odd.conf"] = ModelFile("Colour blue\n", 0.0)
    done, runner = flow(mac, SshAccessRequest("setup"))
    assert (reason(done), runner.writes) == ("reading_incomplete", [])
    assert "Colour" in " ".join(done.refusal.evidence if done.refusal else ())


def test_what_others_have_refused_is_left_to_them() -> None:
    mac = cast()
    mac.files["/etc/ssh/sshd_config.d/100-own.conf"] = ModelFile("DenyUsers setup\n", 0.0)
    assert flow(mac, SshAccessRequest("setup"))[0].plan == []
    done, _ = flow(mac, SshAccessRequest("setup", state="allowed"))
    assert (done.plan, sshd_config.denies(mac, "setup")) == ([], True)
    assert "did not write" in done.notes[0]
