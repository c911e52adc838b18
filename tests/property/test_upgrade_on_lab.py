# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another macOS on modelled Macs: what is begun by whom, compared with an oracle that knows the lab's own state, and
that nothing is begun which could not be authorised or come back."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import fakes
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inmemory import LabRunner, counted, snapshot

from ansible_collections.keyholder.macos.plugins.module_utils._plan.request import Outcome
from ansible_collections.keyholder.macos.plugins.module_utils._plan.upgrade import UpgradeRequest
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import LIST_SECONDS
from ansible_collections.keyholder.macos.plugins.module_utils._run.run import Run
from ansible_collections.keyholder.macos.plugins.module_utils._runner import DEADLINE, Command, Ran, Secret
from maclab import directory, updates, vault
from maclab.state import Fault, Mac, Update

PW, OTHER = "admin-pw-1", "old-pw-99"
MACS = (("10.15.7", "t2"), ("12.7.6", "intel"), ("13.6.9", "apple-silicon"), ("15.6", "apple-silicon"), ("15.6", "t2"))
SLOW = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SETTLED = ("bootstrap_token", "volume_owner", "recovery_key", "recoverable", "power", "finished")
"""Every check of the readiness: what is left is what the upgrade itself demands."""
APPLICATION = "/Applications/Install macOS.app"
PROGRAM = f"{APPLICATION}/Contents/Resources/startosinstall"
NEWER = {"10.15.7": "11.7.10", "12.7.6": "12.7.7", "13.6.9": "15.6.1", "15.6": "15.6.1"}


def offered(version: str) -> Update:
    title = updates.title(version)
    return Update(title, f"{title}-99Z999", version, "99Z999")


def cast(version: str = "15.6", hardware: str = "apple-silicon", filevault: str = "on") -> Mac:
    """A Mac with an owner who is an administrator, a person who owns it too, and one who holds nothing."""
    mac = fakes.mac(version, hardware)
    root = fakes.person(mac, "root", None, uid=0)
    root.service = True
    root.authority.clear()
    fakes.person(mac, "itadmin", PW, full_name="IT Administrator", admin=True, token=True)
    fakes.person(mac, "ana", "ana-pw-12", token=True)
    fakes.person(mac, "ben", "ben-pw-12", admin=True)
    for user in mac.crypto_users.values():
        user.owner = hardware == "apple-silicon"
    mac.filevault.state = filevault
    safari = Update("Safari", "Safari18-18", "18", restart=False)
    mac.updates = [safari, offered(NEWER[version])]
    updates.put_installer(mac, APPLICATION, NEWER[version], "99Z999")
    return mac


def flow(mac: Mac, request: UpgradeRequest, check: bool = False, **passwords: str) -> tuple[Outcome, LabRunner]:
    runner = LabRunner(mac)
    secrets = {option: Secret(value) for option, value in passwords.items()}
    asked = replace(request, given=frozenset(secrets))
    return counted(Run(runner, secrets, 5).run(asked, check)), runner


def reason(outcome: Outcome) -> str:
    return outcome.refusal.reason if outcome.refusal else ""


def begun(runner: LabRunner) -> list[tuple[str, ...]]:
    return [one.argv for one, _run in runner.runs if "--install" in one.argv or one.argv[0] == PROGRAM]


def gone(mac: Mac) -> None:
    for path in [path for path in mac.files if path.startswith(APPLICATION)]:
        del mac.files[path]


def no_program(mac: Mac) -> None:
    del mac.files[PROGRAM]


def no_version(mac: Mac) -> None:
    del mac.files[f"{APPLICATION}/Contents/Info.plist"]


def other_version(mac: Mac) -> None:
    """One that is newer, and another one than was asked for."""
    updates.put_installer(mac, APPLICATION, "98.1", "98Z998")


def same_version(mac: Mac) -> None:
    updates.put_installer(mac, APPLICATION, mac.version, mac.build)


def of_somebody(mac: Mac) -> None:
    mac.files[APPLICATION].owner = 501


def folder_for_all(mac: Mac) -> None:
    mac.files[f"{APPLICATION}/Contents/Resources"].mode = 0o777


def group_writes(mac: Mac) -> None:
    mac.files[PROGRAM].mode = 0o775


def linked(mac: Mac) -> None:
    mac.files[f"{APPLICATION}/Contents"].kind = "Symbolic Link"


BESIDE: tuple[t.Callable[[Mac], None], ...] = (gone, no_program, no_version, other_version, same_version)
UNSAFE: tuple[t.Callable[[Mac], None], ...] = (of_somebody, folder_for_all, group_writes, linked)


@st.composite
def errands(draw: st.DrawFn) -> tuple[Mac, UpgradeRequest, dict[str, str]]:
    version, hardware = draw(st.sampled_from(MACS))
    mac = cast(version, hardware, draw(st.sampled_from(["on", "off", "encrypting", "decrypting"])))
    installer = draw(st.sampled_from(["", APPLICATION]))
    if draw(st.integers(0, 3)) == 0:
        mac.updates.pop()
    if draw(st.integers(0, 3)) == 0:
        draw(st.sampled_from([*BESIDE, *UNSAFE]))(mac)
    user = draw(st.sampled_from(["itadmin", "itadmin", "ana", "ben", "nobody", ""]))
    account = mac.accounts.get(user)
    if account is not None and draw(st.integers(0, 4)) == 0:
        directory.disable(mac, account)
    if account is not None and account.key_password and draw(st.integers(0, 4)) == 0:
        account.key_password = OTHER
    if account is not None and account.generated_uid in mac.crypto_users and draw(st.integers(0, 4)) == 0:
        mac.crypto_users[account.generated_uid].owner = False
    if draw(st.integers(0, 4)) == 0:
        mac.faults.append(Fault("authrestart_unsupported", {}))
    right = account.password if account is not None else PW
    password = draw(st.sampled_from([right, right, right, "wrong-pw-1", None]))
    wish = draw(st.sampled_from([NEWER[version], NEWER[version].split(".")[0], version, "99"]))
    asked = UpgradeRequest(wish, user, accept=SETTLED, installer=installer)
    return mac, asked, {} if password is None else {"password": password}


def may_begin(mac: Mac, request: UpgradeRequest, passwords: dict[str, str]) -> bool:
    """By the lab's own state: whether this may be begun at all."""
    wish = [int(part) for part in request.version.split(".")]
    there = [one for one in mac.updates if one.restart]
    if request.installer:
        # Only as it was put there: whatever has become of a part of it is a reason.
        whole = fakes.mac()
        whole.booted_at, held = mac.booted_at, t.cast("Update", mac.installer)
        updates.put_installer(whole, APPLICATION, held.version, held.build)
        there = [held] if mac.files == whole.files else []
    if list(mac.version_tuple)[: len(wish)] >= wish or not any(
        [int(part) for part in one.version.split(".")][: len(wish)] == wish for one in there
    ):
        return False
    account = mac.accounts.get(request.user)
    able = account is not None and not directory.refused(mac, account) and passwords.get("password") == account.password
    opens = account is not None and account.key_password == account.password
    if mac.hardware == "apple-silicon":
        owner = account is not None and account.generated_uid in mac.crypto_users
        owner = owner and mac.crypto_users[account.generated_uid].owner  # type: ignore[union-attr]
        return able and owner and (opens or mac.filevault.state not in ("on", "encrypting"))
    if mac.filevault.state == "off":
        return True
    armed = mac.filevault.state == "on" and not mac.faults
    return able and directory.is_holder(mac, account) and armed  # type: ignore[arg-type]


@SLOW
@given(errands())
def test_what_is_begun_is_what_the_oracle_allows(errand: t.Any) -> None:
    mac, request, passwords = errand
    allowed, before = may_begin(mac, request, passwords), snapshot(mac)
    done, runner = flow(mac, request, **passwords)
    if begun(runner):
        assert allowed, done.plan
    elif allowed and mac.hardware != "apple-silicon" and mac.filevault.state == "on":
        # A stale key: macOS itself does not arm the restart.
        assert before.accounts[request.user].key_password == OTHER, reason(done)
    else:
        assert not allowed, reason(done)
        assert (mac, runner.writes) == (before, []) or reason(done) in ("user_password_wrong", "user_disabled")
    for value in passwords.values():
        assert value not in runner.argv
    assert len(runner.authentications) <= 2
    assert [who for who, right in runner.authentications if not right] in ([], [request.user])


@SLOW
@given(errands())
def test_check_mode_touches_nothing_and_says_what_the_run_does(errand: t.Any) -> None:
    mac, request, passwords = errand
    before = snapshot(mac)
    checked, looked = flow(mac, request, check=True, **passwords)
    assert (mac, looked.writes, looked.authentications) == (before, [], [])
    done, runner = flow(mac, request, **passwords)
    if done.refusal is None:
        assert (checked.refusal, checked.changed, checked.plan) == (None, done.changed, done.plan)
        assert bool(begun(runner)) is checked.changed
    elif checked.refusal is not None:
        assert reason(checked) == reason(done)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (gone, "installer_unusable"),
        (no_program, "installer_unusable"),
        (no_version, "reading_incomplete"),
        (other_version, "installer_unusable"),
        (same_version, "installer_unusable"),
        *((one, "path_unsafe") for one in UNSAFE),
    ],
)
@pytest.mark.parametrize("hardware", ["apple-silicon", "t2"])
def test_an_installer_application_is_there_and_roots_and_has_what_was_asked_for(
    spoil: t.Callable[[Mac], None], code: str, hardware: str
) -> None:
    mac = cast(hardware=hardware)
    # It is not asked what Apple offers.
    mac.updates.clear()
    asked = UpgradeRequest("15.6.1", "itadmin", accept=SETTLED, installer=APPLICATION)
    done, runner = flow(snapshot(mac), asked, password=PW)
    assert (reason(done), done.changed, len(begun(runner))) == ("", True, 1)
    assert all(command.argv[0] != "softwareupdate" for command, _run in runner.runs)
    assert done.plan[-1].startswith(f"install macOS 15.6.1 by {APPLICATION}")
    spoil(mac)
    before = snapshot(mac)
    for check in (True, False):
        done, runner = flow(mac, asked, check=check, password=PW)
        assert reason(done) == code
        assert (begun(runner), runner.writes, runner.authentications, mac) == ([], [], [], before)


@pytest.mark.parametrize(
    ("installer", "code"),
    [
        ("Install macOS.app", "value_unusable"),
        ("/Applications/../tmp/Install macOS.app", "value_unusable"),
        ("/Applications/Install macOS.app/", "value_unusable"),
        ("/Applications/Install\nmacOS.app", "value_unusable"),
        ("/Applications/Install\0macOS.app", "value_unusable"),
        ("/Applications/Install macOS", "value_unusable"),
        ("/Volumes/USB/Install macOS.app", "path_unsafe"),
        ("/Users/Shared/Install macOS.app", "installer_unusable"),
    ],
)
def test_the_path_of_an_installer_application_is_looked_at_first(installer: str, code: str) -> None:
    mac = cast()
    before = snapshot(mac)
    done, runner = flow(mac, UpgradeRequest("15.6.1", "itadmin", accept=SETTLED, installer=installer), password=PW)
    assert reason(done) == code
    assert (begun(runner), runner.writes, runner.authentications, mac) == ([], [], [], before)


def test_an_installer_application_needs_the_version_that_it_is_for() -> None:
    done, runner = flow(cast(), UpgradeRequest("", "itadmin", installer=APPLICATION), password=PW)
    assert (reason(done), begun(runner)) == ("option_missing", [])


def test_a_mac_that_is_new_enough_starts_no_installer_application() -> None:
    asked = UpgradeRequest("15.6", "itadmin", accept=SETTLED, installer=APPLICATION)
    done, runner = flow(cast(), asked, password="wrong-pw-1")
    assert (reason(done), done.changed, begun(runner), runner.authentications) == ("", False, [], [])


def no_owner(mac: Mac) -> None:
    mac.crypto_users[mac.accounts["itadmin"].generated_uid].owner = False


def stale(mac: Mac) -> None:
    mac.accounts["itadmin"].key_password = OTHER


def cannot_restart(mac: Mac) -> None:
    mac.faults.append(Fault("authrestart_unsupported", {}))


def nothing_offered(mac: Mac) -> None:
    mac.updates.clear()


def no_list(mac: Mac) -> None:
    mac.faults.append(Fault("hang", {"program": "softwareupdate"}))


@pytest.mark.parametrize(
    ("hardware", "filevault", "spoil", "code"),
    [
        ("apple-silicon", "on", no_owner, "user_not_owner"),
        ("apple-silicon", "off", no_owner, "user_not_owner"),
        ("apple-silicon", "on", stale, "stale_key"),
        ("t2", "on", cannot_restart, "authrestart_unsupported"),
        ("t2", "encrypting", cannot_restart, "authrestart_unsupported"),
        ("t2", "decrypting", cannot_restart, "authrestart_unsupported"),
        ("apple-silicon", "on", nothing_offered, "update_not_offered"),
        ("t2", "off", no_list, "reading_incomplete"),
    ],
)
def test_each_guard_by_itself_keeps_the_rest_from_beginning(
    hardware: str, filevault: str, spoil: t.Callable[[Mac], None], code: str
) -> None:
    # By an installer application it is not asked what is offered.
    for installer in ("",) if spoil in (nothing_offered, no_list) else ("", APPLICATION):
        mac = cast("15.6", hardware, filevault)
        asked = UpgradeRequest("15.6.1", "itadmin", accept=SETTLED, installer=installer)
        assert flow(snapshot(mac), asked, check=True, password=PW)[0].changed is (filevault in ("on", "off"))
        spoil(mac)
        before = snapshot(mac)
        done, runner = flow(mac, asked, password=PW)
        assert reason(done) == code
        assert (begun(runner), runner.writes, mac) == ([], [], before)


@pytest.mark.parametrize(("version", "hardware"), MACS)
def test_a_mac_that_is_new_enough_is_asked_nothing_more_and_uses_no_password(version: str, hardware: str) -> None:
    for wish in (version, version.split(".")[0]):
        mac = cast(version, hardware)
        done, runner = flow(mac, UpgradeRequest(wish, "itadmin", accept=SETTLED), password="wrong-pw-1")
        assert (done.refusal, done.changed, done.plan, runner.authentications) == (None, False, [], [])
        assert all(command.argv[0] != "softwareupdate" for command, _run in runner.runs)


def test_the_newest_of_those_that_begin_as_asked_is_taken() -> None:
    mac = cast()
    mac.updates = [offered(version) for version in ("15.6.1", "15.7", "15.7.2", "26.1")]
    for wish, taken in (("15.6.1", "15.6.1"), ("15.7", "15.7.2"), ("26", "26.1")):
        done, _ = flow(mac, UpgradeRequest(wish, "itadmin", accept=SETTLED), check=True, password=PW)
        assert done.after == {"version": taken, "build": "99Z999"}, wish
    refused, _ = flow(mac, UpgradeRequest("26.2", "itadmin", accept=SETTLED), check=True, password=PW)
    assert refused.refusal is not None
    assert reason(refused) == "update_not_offered"
    assert "macOS Sequoia 15.7.2" in refused.refusal.msg


@pytest.mark.parametrize(
    ("beta", "build"), [("macOS Sequoia 15.6.1 Beta 2", "24G5074c"), ("macOS Sequoia 15.6.1", "24G5074c")]
)
@pytest.mark.parametrize("released", [True, False])
def test_a_beta_is_never_taken_for_the_release(beta: str, build: str, released: bool) -> None:
    mac = cast()
    mac.updates = [Update(beta, f"{beta}-{build}", "15.6.1", build), *([offered("15.6.1")] if released else [])]
    request = UpgradeRequest("15.6.1", "itadmin", accept=SETTLED)
    outcome, runner = flow(mac, request, password=PW)
    label = f"{updates.title('15.6.1')}-99Z999"
    assert [argv[argv.index("--install") + 1] for argv in begun(runner)] == ([label] if released else [])
    assert reason(outcome) == ("" if released else "update_not_offered")


@pytest.mark.parametrize(("filevault", "noted"), [("on", 1), ("off", 0)])
def test_a_restart_that_stays_unlocked_after_a_failure_is_told(filevault: str, noted: int) -> None:
    """On an Intel Mac the next restart has been told to come up unlocked, and nothing takes that back."""
    mac = cast("15.6", "t2", filevault)
    mac.faults.append(Fault("update_fails", {"because": "space"}))
    request = UpgradeRequest("15.6.1", "itadmin", accept=SETTLED)
    outcome, _runner = flow(mac, request, password=PW)
    assert reason(outcome) == "disk_full"
    assert len([note for note in outcome.notes if "comes up with the volume unlocked" in note]) == noted


@pytest.mark.parametrize(
    ("fault", "options", "code"),
    [("update_fails", {"because": "space"}, "disk_full"), ("update_fails", {"because": "download"}, "update_failed")],
)
@pytest.mark.parametrize("status", [0, 1])
def test_what_failed_is_told_whatever_the_exit_status(
    fault: str, options: dict[str, t.Any], code: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maclab import rules

    row = rules.Row(rules.EVERY, status, assumed=True)
    monkeypatch.setattr(rules, "UPDATE_FAILURE_STATUS", rules.Rule("update_failure_status", "", (row,)))
    for installer in ("", APPLICATION):
        mac = cast()
        mac.faults.append(Fault(fault, options))
        done, _ = flow(mac, UpgradeRequest("15.6.1", "itadmin", accept=SETTLED, installer=installer), password=PW)
        # What startosinstall says of a preparation that fails nobody has shown: only its exit status tells.
        assert reason(done) == (code if not installer or code == "disk_full" or status else "")


@pytest.mark.parametrize("installer", ["", APPLICATION])
def test_a_key_that_is_stale_is_told_where_only_macos_can_say_it(installer: str) -> None:
    mac = cast(filevault="off")
    mac.accounts["itadmin"].key_password = OTHER
    done, runner = flow(mac, UpgradeRequest("15.6.1", "itadmin", accept=SETTLED, installer=installer), password=PW)
    assert reason(done) == "owner_refused"
    assert begun(runner)


READY = UpgradeRequest("15.6.1", "itadmin", accept=("recovery_key",))


def enrolled(mac: Mac) -> None:
    mac.mdm.enrolled, mac.mdm.bootstrap_supported, mac.mdm.bootstrap_escrowed = "ade", True, False


def on_battery(mac: Mac) -> None:
    mac.settings.power, mac.settings.battery = "battery", 12


@pytest.mark.parametrize(
    ("spoil", "check", "code"),
    [(enrolled, "bootstrap_token", "not_ready"), (on_battery, "power", "not_ready")],
)
def test_a_mac_that_is_not_ready_gets_nothing_until_that_is_accepted(
    spoil: t.Callable[[Mac], None], check: str, code: str
) -> None:
    mac = cast()
    vault.make_key(mac)
    spoil(mac)
    before = snapshot(mac)
    for checked in (True, False):
        done, runner = flow(mac, READY, check=checked, password=PW)
        assert reason(done) == code and done.refusal is not None
        assert [line for line in done.refusal.evidence if line.startswith(f"{check}: ")], done.refusal.evidence
        assert (mac, runner.writes, runner.authentications) == (before, [], [])
    done, runner = flow(mac, replace(READY, accept=("recovery_key", check)), password=PW)
    assert (reason(done), len(begun(runner))) == ("", 1)


def test_what_could_not_be_verified_is_no_yes() -> None:
    mac = cast()
    vault.make_key(mac)
    done, runner = flow(mac, replace(READY, accept=()), password=PW)
    assert reason(done) == "could_not_verify"
    assert not begun(runner)
    mac = cast(filevault="off")
    done, runner = flow(mac, replace(READY, accept=()), password=PW)
    assert (reason(done), len(begun(runner))) == ("", 1)


class Timed(LabRunner):
    """Keeps how long each program may take."""

    allowed: t.ClassVar[dict[str, float]] = {}

    def run(self, command: Command, deadline: float = DEADLINE) -> Ran:
        self.allowed[" ".join(command.argv[:2])] = deadline
        return super().run(command, deadline)


def test_the_installation_has_a_deadline_of_its_own() -> None:
    runner = Timed(cast(filevault="off"))
    asked = replace(READY, install_timeout=4711, given=frozenset({"password"}))
    done = Run(runner, {"password": Secret(PW)}, 5).run(asked, False)
    assert done.refusal is None
    assert runner.allowed["softwareupdate --install"] == 4711
    assert runner.allowed["softwareupdate --list"] == LIST_SECONDS
    assert runner.allowed["pmset -g"] == 5


def test_what_is_offered_is_shown_without_a_version() -> None:
    mac = cast()
    done, runner = flow(mac, UpgradeRequest())
    assert (done.refusal, done.changed, runner.writes) == (None, False, [])
    assert done.before == {"version": "15.6", "build": mac.build, "offered": ["macOS Sequoia 15.6.1"]}


def test_a_version_that_is_none_is_refused_before_anything_else() -> None:
    for wish in ("sequoia", "15.6.1.2", "1", "-1", "26 "):
        done, runner = flow(cast(), UpgradeRequest(wish, "itadmin", accept=SETTLED), password=PW)
        assert reason(done) == "value_unusable", wish
        assert not begun(runner)
