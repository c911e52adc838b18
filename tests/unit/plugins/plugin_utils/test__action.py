# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A result leaves the collection with no character that steers a terminal, and with its keys as they were asked for."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from unittest import mock

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import become_loader
from readings import ANA, ITADMIN, MAC, reading

from ansible_collections.keyholder.macos.plugins.filter import plain as plain_filter
from ansible_collections.keyholder.macos.plugins.filter.findings import findings
from ansible_collections.keyholder.macos.plugins.module_utils._mac import Missing
from ansible_collections.keyholder.macos.plugins.module_utils._macos import Version
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._action import QUIET, Action, failure, leaving
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import Exec
from ansible_collections.keyholder.macos.plugins.plugin_utils._options import Spec

EVIL = "ana\x1b[2J\x9b31m\u202e\u2028\u200b\ufeff\U000e0041\n"


def odd(value: t.Any) -> list[str]:
    """The texts in which something is left that steers, hides or turns around."""
    if isinstance(value, dict):
        return [text for pair in value.items() for entry in pair for text in odd(entry)]
    if isinstance(value, (list, tuple)):
        return [text for entry in value for text in odd(entry)]
    return [value] if isinstance(value, str) and not value.isprintable() else []


def test_every_part_of_a_result_is_plain() -> None:
    refusal = Refusal("phantom", f"the sources disagree about {EVIL}", (f"dscl: {EVIL}",))
    result = failure(refusal) | {
        "state": {"before": {EVIL: [EVIL]}, "after": {}},
        "diff": {"before": {"name": EVIL}, "after": {}},
        "plan": [f"delete the account {EVIL}"],
        "notes": [EVIL],
        "warnings": [EVIL],
        "mac": reading(accounts=(ITADMIN, replace(ANA, name=EVIL, full_name=EVIL))),
        "summary": [EVIL],
    }
    made = leaving(result)
    assert odd(result) and not odd(made)
    assert len(made["notes"][0]) == len(EVIL)
    assert made["msg"].startswith("the sources disagree about ana?[2J?31m?")


def test_a_key_is_as_its_owner_asked_for_it_and_a_traceback_keeps_its_lines() -> None:
    pem = "-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----\n"
    result = dict.fromkeys(("recovery_key", "recovery_key_encrypted", "recovery_key_age"), pem)
    assert leaving(result) == result
    assert leaving({"exception": "a\n\x1b[2Jb"}) == {"exception": "a\n?[2Jb"}
    assert leaving({"msg": "a\nb\x1b\n"}) == {"msg": "a b?"}


def test_of_all_that_ssh_says_the_evidence_is_what_sudo_said() -> None:
    action = Action(*[mock.MagicMock()] * 6)
    action._connection.become.pipelining = True
    said = "debug1: at -vvvv\r\nsudo: sorry, you must have a tty to run sudo\r\ndebug1: and more\r\n"
    with (
        mock.patch.object(action, "_low_level_execute_command", return_value={"rc": 1, "stdout": "", "stderr": said}),
        pytest.raises(Refusal) as refused,
    ):
        action.send(Exec("id", b"secret"))
    assert refused.value.reason == "needs_terminal"
    assert refused.value.evidence == ("sudo: sorry, you must have a tty to run sudo",)


@pytest.mark.parametrize("kind", [AnsibleError, AnsibleConnectionFailure])
def test_a_sudo_that_does_not_answer_is_told_as_that(kind: type[AnsibleError]) -> None:
    """ansible-core 2.16 raises the first, 2.21 the second."""
    action = Action(*[mock.MagicMock()] * 6)
    action._connection.become.pipelining = True
    for said, expected in (
        ("Timeout (12s) waiting for privilege escalation prompt: ", Refusal),
        ("Timeout (12s) waiting for the Mac", kind),
    ):
        with (
            mock.patch.object(action, "_low_level_execute_command", side_effect=kind(said)),
            pytest.raises(expected, match=r"Timeout \(12s\)") as caught,
        ):
            action.send(Exec("id"))
        assert getattr(caught.value, "reason", "sudo_silent") == "sudo_silent"


@pytest.mark.parametrize(("method", "pipes"), [("sudo", True), ("su", False)])
def test_what_asks_at_a_terminal_gets_no_secret_on_stdin(method: str, pipes: bool) -> None:
    """By the plugins of this ansible-core: they do not all say it in the same way."""
    action = Action(*[mock.MagicMock()] * 6)
    action._connection.become = become_loader.get(method)
    assert action.pipes is pipes
    if not pipes:
        with pytest.raises(Refusal, match="the become method su has no pipelining"):
            action.send(Exec("id", b"secret"))
    action._connection.become = None
    assert action.pipes


def test_findings_are_plain() -> None:
    mac = reading(
        replace(MAC, version=Version(10, 13)),
        accounts=(replace(ANA, name=EVIL),),
        pending=frozenset([EVIL]),
        missing=(Missing(EVIL, EVIL),),
    )
    assert not odd(findings(mac))
    assert any("ana?" in str(one["found"]) for one in findings(mac))


def test_the_filter() -> None:
    assert plain_filter.FilterModule().filters()["plain"]("a\x1bb") == "a?b"


class Lost(Action):
    """An action whose Mac goes away as its test says."""

    SPEC: t.ClassVar[Spec] = {"name": {"type": "str"}}

    def act(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        task_vars["asked"].append(self._task.args)
        if isinstance(task_vars["answer"], Exception):
            raise task_vars["answer"]
        return dict(task_vars["answer"])


def rounds(answer: t.Any, *addresses: str, quiet: bool = False, until: t.Any = ()) -> tuple[int, list[t.Any]]:
    """How often the Macs of a loop were asked, and what each round returned or raised."""
    task = mock.MagicMock(_uuid=object(), args={"name": "ana"}, until=until, delegate_to=None, async_val=0)
    variables: dict[str, t.Any] = {"asked": [], "answer": answer, **({QUIET: True} if quiet else {})}
    came: list[t.Any] = []
    for address in addresses:
        action = Lost(task, mock.MagicMock(), mock.MagicMock(remote_addr=address), *[mock.MagicMock()] * 3)
        with mock.patch.object(ActionBase, "run", return_value={}), mock.patch.object(action, "check"):
            try:
                came.append(action.run(None, variables))
            except AnsibleError as problem:
                came.append(problem)
    return len(variables["asked"]), came


GONE = AnsibleConnectionFailure("Connection refused")
SUDO = AnsibleError("Incorrect sudo password")
SILENT = {"failed": True, "reason": "sudo_silent"}


@pytest.mark.parametrize("answer", [GONE, SUDO, SILENT])
def test_a_mac_whose_way_in_is_shut_is_asked_once_in_a_loop(answer: t.Any) -> None:
    asked, came = rounds(answer, "a", "a", "a")
    assert asked == 1 and all(one == came[0] for one in came)
    assert rounds(answer, "a", "b")[0] == 2, "of another Mac it says nothing"
    assert rounds(answer, "a", "a", until=["x"])[0] == 2, "who waits for it asks again"


def test_whatever_else_fails_is_tried_in_each_round() -> None:
    assert rounds(AnsibleError("the option is not text"), "a", "a")[0] == 2
    assert rounds({"failed": True, "reason": "granter_missing"}, "a", "a")[0] == 2


def test_a_play_with_a_summary_goes_on_without_a_mac() -> None:
    for answer, unreached in ((GONE, True), (SUDO, False)):
        (result,) = rounds(answer, "a", quiet=True)[1]
        assert (result["failed"], result["unreached"], result["msg"]) == (True, unreached, str(answer))
        assert "unreachable" not in result
        (raised,) = rounds(answer, "a")[1]
        assert raised is answer
