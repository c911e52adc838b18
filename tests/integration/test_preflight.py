# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook preflight on a fleet with one Mac for each trouble: each is named, and nothing is written or tried."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.keyholder.macos.plugins.plugin_utils._preflight import CHECKS
from harness.ansible import Ansible, Run, on_oldest_core
from harness.macs import PASSWORDS, mac, person, secret
from harness.recipients import HelpDesk, Safe
from harness.search import Search
from maclab import journal
from maclab.lab import Lab

PREFLIGHT = Path("keyholder.macos.preflight")
SAFE, DESK = Safe.new(), HelpDesk.new("help desk")
BAD, KEPT, VAULT = secret("bad"), secret("kept"), secret("vault")
ASKS = person("itadmin", sudo_password=True)

MACS: dict[str, dict[str, Any]] = {
    "fine": mac("15.6", ASKS, "deputy", "stan"),
    "old": mac("10.13.6", "itadmin", "deputy"),
    "wrong-sudo": mac("15.6", ASKS, "deputy"),
    "no-sudo": mac("26.1", ASKS, "deputy"),
    "silent-sudo": mac("15.6", ASKS, "deputy", faults=[{"fault": "hang", "program": "sudo"}]),
    "tty-sudo": mac("15.6", "itadmin", "deputy") | {"requiretty": True},
    "not-root": mac("15.6", "itadmin", "deputy"),
    "standard": mac("15.6", "itadmin", "deputy", "stan", ssh_user="stan"),
    "stub": mac("15.6", "itadmin", "deputy") | {"python": "stub"},
    "bare": mac("15.6", "itadmin", "deputy") | {"python": "none"},
    "named": mac("15.6", "itadmin", "deputy"),
    "no-disk": mac("27.0.1", "itadmin", "deputy", faults=[{"fault": "no_full_disk_access"}]),
    "newer": mac("28.0", "itadmin", "deputy"),
    "missing": mac("15.6", "itadmin"),
    "no-token": mac("15.6", "itadmin", person("deputy", token=False)),
    "no-admin": mac("15.6", "itadmin", person("deputy", admin=False)),
    "wrong": mac("15.6", "itadmin", person("deputy", password=secret("other"))),
    "phantom": mac("15.6", "itadmin", person("deputy", token={"authority": True, "filevault": True})),
    "disabled": mac("15.6", "itadmin", person("deputy", disabled=True)),
    "hashless": mac("15.6", "itadmin", "deputy", faults=[{"fault": "hash_unreadable", "user": "deputy"}]),
    "locked": mac("26.1", "itadmin", "deputy", filevault={"state": "on", "prk": True}, locked=True),
    "locked-password": mac("26.1", "itadmin", "deputy", filevault={"state": "on", "prk": True}, locked=True),
    "resets": mac("26.5.1", "itadmin", "deputy", faults=[{"fault": "ssh_resets", "while": "booted"}]),
    "other-key": mac("15.6", "itadmin", "deputy"),
    "no-key": mac("15.6", "itadmin", "deputy"),
    "unchecked": mac("15.6", "itadmin", "deputy"),
    "refused": mac("15.6", "itadmin", "deputy"),
    "rotated": mac("15.6", "itadmin", person("deputy", password=KEPT)),
    "no-store": mac("15.6", "itadmin", "deputy"),
    "keys": mac("15.6", "itadmin", "deputy"),
    "vaulted": mac("15.6", "itadmin", "deputy"),
    "aside": mac("15.6", "itadmin", "deputy"),
    "undefined": mac("15.6", "itadmin", "deputy"),
    "by-password": mac("15.6", "itadmin", "deputy"),
}
ELSEWHERE = ("closed", "unfound", "linux")
HOSTS = (*MACS, *ELSEWHERE)

# Mac -> the check that is not as usual, and its state, whether it stops a run, a part of its words and of its remedy.
Found = tuple[str, str, bool, str, str]
TROUBLE: dict[str, list[Found]] = {
    "fine": [],
    "old": [],
    "wrong-sudo": [("become", "failed", True, "the sudo password is wrong", "Correct ansible_become_password")],
    "no-sudo": [("become", "failed", True, "the sudo password is missing", "Give ansible_become_password")],
    "silent-sudo": [("become", "failed", True, "sudo on it did not answer", "sudo -v")],
    "tty-sudo": [("become", "failed", True, "demands a terminal", "!requiretty")],
    "not-root": [("become", "failed", True, "Ansible does not become root", "Set ansible_become to true")],
    "standard": [("become", "failed", True, "sudo is not allowed to the account", "as an administrator")],
    "stub": [("python", "failed", False, "only Apple's stub", "Run the role keyholder.macos.python")],
    "bare": [("python", "failed", False, "there is no Python", "Run the role keyholder.macos.python")],
    "named": [("python", "failed", False, "is /no/python3, and that is no Python", "take it out")],
    "no-disk": [("full_disk_access", "failed", False, "session has no Full Disk Access", "Allow full disk access")],
    "newer": [("macos", "failed", False, "macOS 28 is newer than macOS 27", "Upgrade this collection")],
    "missing": [("granter", "failed", True, "deputy (grant_admin_user) has no account", "one of: itadmin.")],
    "no-token": [("granter", "failed", True, "deputy (grant_admin_user) holds no Secure Token", "one of: itadmin.")],
    "no-admin": [("granter", "failed", True, "deputy (grant_admin_user) is no administrator", "one of: itadmin.")],
    "wrong": [("granter", "failed", True, "grant_admin_password is not the password of deputy", "Correct grant_")],
    "phantom": [("granter", "failed", True, "of deputy (grant_admin_user) the sources disagree", "repair_user=deputy")],
    "disabled": [("granter", "failed", True, "deputy (grant_admin_user) is disabled", "pwpolicy")],
    "hashless": [("granter", "unknown", False, "whether grant_admin_password is the password of deputy", "")],
    "locked": [("login", "failed", True, "it waits at FileVault's unlock screen", "Unlock it over SSH")],
    "locked-password": [("login", "failed", True, "it waits at FileVault's unlock screen", "Unlock it over SSH")],
    "resets": [("port", "failed", True, "drops them before SSH says a word", "Unlock it at its screen")],
    "other-key": [("host_key", "failed", True, "is not the one in known_hosts", "ssh-keygen -f ")],
    "no-key": [("host_key", "failed", True, "its host key is not in known_hosts", "Connect once by hand (ssh -o User")],
    "unchecked": [("host_key", "failed", False, "the check of host keys is off", "Connect once by hand")],
    "refused": [("login", "failed", True, "the login was refused", "heck ansible_user and its key")],
    "rotated": [],
    "no-store": [("store", "failed", True, "no program no-such-vault (read)", "Install it")],
    "keys": [
        ("key_store", "failed", False, "has mode 0755", "chmod 700"),
        ("recipients", "failed", True, "filevault_recipients, number 1: to this, no certificate", "age1..."),
    ],
    "vaulted": [("variables", "failed", True, "ansible_become_password cannot be decrypted", "--ask-vault-pass")],
    "aside": [("variables", "failed", True, "filevault_password cannot be decrypted", "--ask-vault-pass")],
    "undefined": [("variables", "failed", True, "offboard_user_admin_password cannot be resolved", "Set what")],
    "by-password": [],
    "closed": [("port", "failed", True, "its port refuses connections", "Turn Remote Login on")],
    "unfound": [("name", "failed", True, "its name was not found", "Correct ansible_host")],
    "linux": [("macos", "failed", True, "this is no Mac: it runs Linux", "Take it out of the group macs")],
}
if on_oldest_core():
    # It logs in by password with the help of a program that a controller may not have.
    TROUBLE["by-password"] = [("login", "failed", True, "the controller has no sshpass", "Install sshpass")]

UNREACHED = ("locked", "locked-password", "resets", "other-key", "no-key", "refused", "closed", "unfound")
pytestmark = pytest.mark.every_core


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[Mapping[str, Any]], Lab]) -> Lab:
    return bring_up(MACS)


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class _Encrypted(str):
    """Hold a text that Ansible must take for an encrypted one."""


class _Dumper(yaml.SafeDumper):
    """Writes such a text as !vault."""


_Dumper.add_representer(_Encrypted, lambda dumper, text: dumper.represent_scalar("!vault", str(text), style="|"))


@pytest.fixture(scope="module")
def encrypted(own: Ansible, tmp_path_factory: pytest.TempPathFactory) -> _Encrypted:
    """A value of a vault whose password is not given."""
    file = tmp_path_factory.mktemp("vault") / "password"
    file.write_text(VAULT, encoding="utf-8")
    rc, said = own.typed(f"ansible-vault encrypt_string --vault-password-file {file} {BAD}", file.parent)
    assert rc == 0, said
    (text,) = re.findall(r"\$ANSIBLE_VAULT;[^\n]*(?:\n +[0-9a-f]+)+", said)
    return _Encrypted("".join(f"{line.strip()}\n" for line in text.splitlines()))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stores and known hosts lie in, on the controller."""
    folder = tmp_path_factory.mktemp("places")
    (folder / "identity").write_text(str(SAFE.identity), encoding="utf-8")
    (folder / "passwords").mkdir(mode=0o700)
    kept = {"current": KEPT, "account": {"host": "rotated", "name": "deputy"}}
    (folder / "passwords" / "rotated.deputy.age").write_text(SAFE.sealed(json.dumps(kept)), encoding="utf-8")
    (folder / "open-keys").mkdir()
    (folder / "open-keys").chmod(0o755)
    (folder / "no-hosts").touch()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "other"], check=True)
    other = (folder / "other.pub").read_text(encoding="utf-8").rsplit(" ", 1)[0]
    (folder / "other-hosts").write_text(f"[127.0.0.1]:* {other}\n", encoding="utf-8")
    return folder


def ssh_args(file: Path, checks: str = "yes") -> str:
    return f"-F /dev/null -o IdentitiesOnly=yes -o UserKnownHostsFile={file} -o StrictHostKeyChecking={checks}"


@pytest.fixture(scope="module")
def inventory(lab: Lab, places: Path, encrypted: _Encrypted) -> Path:
    """Variables beside the lab's inventory, as an administrator would have them."""
    age = {
        "kind": "age",
        "directory": str(places / "passwords"),
        "recipients": [SAFE.recipient],
        "identity": str(places / "identity"),
    }
    granter = {"grant_admin_user": "deputy", "grant_admin_password": PASSWORDS["deputy"]}
    hosts: dict[str, dict[str, Any]] = {host: {} for host in MACS}
    hosts["fine"] = {
        "filevault_user": "stan",
        "filevault_password": PASSWORDS["stan"],
        "filevault_recipients": [SAFE.recipient, DESK.pem],
        "filevault_store_dir": str(places / "new-keys"),
        "managed_admin_name": "deputy",
        "managed_admin_store": age,
        "managed_admin_current_password": PASSWORDS["deputy"],
    }
    hosts["wrong-sudo"]["maclab_sudo_password"] = BAD
    hosts["no-sudo"]["maclab_sudo_password"] = ""
    hosts["not-root"]["ansible_become"] = False
    hosts["standard"]["ansible_become_password"] = PASSWORDS["stan"]
    hosts["named"]["ansible_python_interpreter"] = "/no/python3"
    hosts["other-key"]["ansible_ssh_common_args"] = ssh_args(places / "other-hosts")
    hosts["no-key"]["ansible_ssh_common_args"] = ssh_args(places / "no-hosts")
    hosts["unchecked"]["ansible_ssh_common_args"] = ssh_args(places / "no-hosts", "no")
    hosts["refused"]["ansible_ssh_private_key_file"] = str(places / "other")
    hosts["rotated"] = {"managed_admin_name": "deputy", "managed_admin_store": age, "grant_admin_password": KEPT}
    no_vault = {"kind": "command", "read": ["no-such-vault", "get"], "write": ["no-such-vault", "put"]}
    hosts["no-store"] = {"managed_admin_name": "deputy", "managed_admin_store": no_vault}
    hosts["keys"] = {"filevault_recipients": ["no certificate"], "filevault_store_dir": str(places / "open-keys")}
    hosts["vaulted"]["ansible_become_password"] = encrypted
    hosts["aside"]["filevault_password"] = encrypted
    hosts["undefined"]["offboard_user_admin_password"] = "{{ vault_offboard }}"
    hosts["locked-password"] = {"ansible_password": PASSWORDS["itadmin"], "ansible_ssh_private_key_file": ""}
    hosts["by-password"] = {"ansible_password": PASSWORDS["itadmin"], "ansible_ssh_private_key_file": ""}
    hosts["closed"] = {"ansible_port": unused_port(), "ansible_user": "itadmin"}
    hosts["unfound"] = {"ansible_host": "no-such-mac.invalid", "ansible_user": "itadmin"}
    hosts["linux"] = {"ansible_connection": "local", "ansible_become": False}
    path = places / "more.yml"
    content = {"macs": {"hosts": hosts, "vars": granter}}
    path.write_text(yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=1 << 30), encoding="utf-8")
    return path


def run(own: Ansible, lab: Lab, inventory: Path, *arguments: str) -> Run:
    return own.playbook(PREFLIGHT, lab.inventory, "-i", str(inventory), "-T", "5", *arguments)


@pytest.fixture(scope="module")
def before(controller: Path, own: Ansible, places: Path, inventory: Path) -> set[Path]:
    """The files of the controller, before anything is run."""
    assert inventory and own
    return files(controller, places)


def files(*folders: Path) -> set[Path]:
    found = {path for folder in folders for path in folder.rglob("*") if not path.is_dir()}
    return {path for path in found if not path.name.startswith("results-")}


@pytest.fixture(scope="module")
def ran(own: Ansible, lab: Lab, inventory: Path, before: set[Path], tmp_path_factory: Any) -> Iterator[Run]:
    assert before
    file = tmp_path_factory.mktemp("said") / "preflight.json"
    done = run(own, lab, inventory, "-vvv", "-e", f"keyholder_preflight_file={file}")
    assert done.rc == 2, done.output[-3000:]
    found.update(json.loads(file.read_text(encoding="utf-8")))
    for name in MACS:
        lab.mac(name).settle(seconds=1)
    yield done


found: dict[str, Any] = {}
"""What the file holds of the run."""


def verdicts(host: str, check: str) -> list[dict[str, Any]]:
    return [one for one in found["macs"][host] if one["check"] == check]


def troubles(host: str) -> list[dict[str, Any]]:
    return [one for one in found["macs"][host] if one["state"] in ("failed", "unknown")]


def test_each_mac_has_a_row(ran: Run) -> None:
    assert ran and set(found["macs"]) == set(HOSTS)
    for host in HOSTS:
        assert {one["check"] for one in found["macs"][host]} == {check.name for check in CHECKS}


@pytest.mark.newest_core
@pytest.mark.parametrize("host", HOSTS)
def test_each_trouble_is_named_with_the_next_step_and_no_other_is(ran: Run, host: str) -> None:
    assert ran
    told = troubles(host)
    assert [(one["check"], one["state"], one["stops"]) for one in told] == [row[:3] for row in TROUBLE[host]], told
    for one, (_check, _state, _stops, words, remedy) in zip(told, TROUBLE[host], strict=True):
        assert words in one["words"] and remedy in one["remedy"], one


def test_what_is_in_order_says_so(ran: Run) -> None:
    assert ran
    said = {one["check"]: one["words"] for one in found["macs"]["fine"] if one["state"] == "ok"}
    assert set(said) == {check.name for check in CHECKS}
    assert said["macos"] == "15.6"
    assert said["login"] == "by key"
    assert said["become"] == "sudo, with a password"
    assert said["store"] == "age, empty"
    assert said["recipients"] == "1 of age, 1 in PEM"
    assert said["key_store"].endswith("new-keys, made at the first key")
    people = [one["words"] for one in verdicts("fine", "granter")]
    assert people == ["deputy (grant_admin_user)", "stan (filevault_user)", "deputy (managed_admin_name)"]


def test_what_stands_behind_a_failure_is_not_asked(ran: Run) -> None:
    assert ran
    for host in UNREACHED:
        for check in ("become", "macos", "clock", "granter"):
            assert [one["state"] for one in verdicts(host, check)] == ["not_asked"], (host, check)
    for host in ("wrong-sudo", "no-sudo", "silent-sudo", "tty-sudo"):
        # Without root the Mac is still read, and no password is compared.
        assert verdicts(host, "macos")[0]["state"] == "ok"
        assert verdicts(host, "granter")[0]["state"] == "not_asked"


def test_the_table_is_short_and_by_cause(ran: Run) -> None:
    (line,) = [line for line in ran.lines if line.task == "Report"]
    lines = line.result["msg"]
    stopping = sum(1 for host in HOSTS if any(row[2] for row in TROUBLE[host]))
    others = sum(1 for host in HOSTS if TROUBLE[host]) - stopping
    fine = len(HOSTS) - stopping - others
    assert lines[-1] == (
        f"{len(HOSTS)} Macs: {fine} in order, {stopping} on which a run would stop, {others} with other trouble"
    )
    assert "1 Mac: the sudo password is missing [sudo, stops a run]" in lines
    assert any(line.startswith("ok      the group macs") for line in lines)
    rows = lines[1 : next(number for number, line in enumerate(lines) if line.startswith("FAILED: "))]
    assert len(rows) < len(HOSTS)
    (problem,) = [line.result["msg"] for line in ran.lines if line.task == "Check that a run can begin"]
    assert problem.startswith(f"something would stop a run: {stopping} Macs: ")


@pytest.mark.parametrize("host", MACS)
def test_nothing_is_written_and_no_password_tried_but_sudos(ran: Run, lab: Lab, host: str) -> None:
    assert ran
    entries = lab.mac(host).journal()
    programs = journal.programs(entries)
    assert [what for one in programs for what in one.writes] == []
    tried = [(one.program, *pair) for one in programs for pair in one.authentications]
    expected = {"fine": [("sudo", "itadmin", True)], "wrong-sudo": [("sudo", "itadmin", False)]}
    expected["standard"] = [("sudo", "stan", True)]
    assert tried == expected.get(host, [])
    by_password = [one.ok for one in journal.logins(entries) if one.method != "publickey"]
    assert by_password == ([True] if host == "by-password" and not on_oldest_core() else [])
    assert not journal.events(entries, "preboot")
    assert not journal.events(entries, "dialog")


@pytest.mark.parametrize("host", ["fine", "missing", "wrong", "stub", "no-disk"])
def test_one_exec_reads_all_of_it(ran: Run, lab: Lab, host: str) -> None:
    assert ran
    assert len(journal.execs(lab.mac(host).journal())) == 1


def test_nothing_is_left_on_the_controller(ran: Run, before: set[Path], controller: Path, places: Path) -> None:
    assert ran
    assert files(controller, places) == before
    assert (places / "no-hosts").read_bytes() == b""
    assert not (places / "new-keys").exists()
    assert (places / "open-keys").stat().st_mode & 0o777 == 0o755


def test_no_secret_is_in_the_output(ran: Run) -> None:
    search = Search({**PASSWORDS, "bad": BAD, "kept": KEPT, "vault": VAULT, "identity": str(SAFE.identity)})
    assert "<127.0.0.1>" in ran.output
    assert search.text("the output", ran.output) == []
    assert search.data("the results", ran.results.read_bytes()) == []
    assert search.text("the file", json.dumps(found)) == []


# --- the same in other circumstances ---

FEW = "fine,wrong,stub,closed"


def report(done: Run) -> list[str]:
    (line,) = [line for line in done.lines if line.task == "Report"]
    lines: list[str] = line.result["msg"]
    return lines


@pytest.mark.newest_core
def test_check_mode_and_a_limit_say_the_same(own: Ansible, lab: Lab, inventory: Path) -> None:
    plain, checked = (run(own, lab, inventory, "-l", FEW, *more) for more in ((), ("--check", "--diff")))
    assert plain.rc == checked.rc == 2
    assert report(plain) == report(checked)
    assert report(plain)[-1] == "4 Macs: 1 in order, 2 on which a run would stop, 1 with other trouble"


@pytest.mark.newest_core
def test_where_no_mac_answers_there_is_a_report(own: Ansible, lab: Lab, inventory: Path) -> None:
    done = run(own, lab, inventory, "-l", "vaulted,closed,unfound")
    assert done.rc == 2
    assert report(done)[-1] == "3 Macs: 0 in order, 3 on which a run would stop, 0 with other trouble"


@pytest.mark.parametrize(
    ("fail_on", "hosts", "rc"),
    [("never", "wrong", 0), ("stops", "fine,stub", 0), ("any", "fine,stub", 2), ("any", "fine", 0)],
)
def test_what_is_a_failure_is_the_users_choice(
    own: Ansible, lab: Lab, inventory: Path, fail_on: str, hosts: str, rc: int
) -> None:
    assert run(own, lab, inventory, "-l", hosts, "-e", f"keyholder_preflight_fail_on={fail_on}").rc == rc


def test_a_misspelt_variable_and_an_empty_group_are_rows(own: Ansible, lab: Lab, inventory: Path) -> None:
    done = run(own, lab, inventory, "-l", "fine", "-e", "filevault_stat=deferred")
    assert done.rc == 2
    assert any("filevault_stat" in line and "did you mean filevault_state?" in line for line in report(done))
    empty = inventory.with_name("other.yml")
    hosts = {"one": {"ansible_host": "no-such-mac.invalid"}}
    empty.write_text(yaml.safe_dump({"all": {"hosts": hosts, "children": {"macs": {}}}}), encoding="utf-8")
    alone = own.playbook(PREFLIGHT, empty)
    assert any(line.startswith("failed  the group macs: it has no hosts") for line in report(alone))


@pytest.mark.newest_core
def test_a_control_path_that_is_too_long_is_named_before_ssh_fails(own: Ansible, lab: Lab, inventory: Path) -> None:
    folder = f"/tmp/{'x' * 90}"
    named = {"ANSIBLE_SSH_CONTROL_PATH_DIR": folder}
    done = own.playbook(PREFLIGHT, lab.inventory, "-i", str(inventory), "-l", "fine", **named)
    assert done.rc == 2
    assert any("the path of ssh's control socket has" in line for line in report(done))
    assert not Path(folder).exists()
