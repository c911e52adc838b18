# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssh prints of a Mac, and what it is taken for: at the unlock screen, at the door, and of another host."""

from __future__ import annotations

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils._command import sshd

# As macOS 26.0.1 wraps it (shoon/fv-ssh-unlock), which has the words of the success in it.
BANNER = (
    "This system is locked. To unlock it, use a local\r\naccount name and password. Once successfully\r\n"
    "unlocked, you will be able to connect normally.\r\n"
)
ONE_LINE = "This system is locked. To unlock it, use a local account name and password.\n"
DENIED = "itadmin@mac.local: Permission denied (publickey,password,keyboard-interactive).\n"
PROMPT = "(itadmin@mac.local) Password: "
SUCCESS = "\nSystem successfully unlocked.\nYou may now use SSH to authenticate normally.\n"
RESET = "kex_exchange_identification: read: Connection reset by peer\nConnection reset by 192.0.2.10 port 22\n"
UNREACHABLE = "Failed to connect to the host via ssh: "
CHANGED = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nIT IS POSSIBLE ...\nHost key verification failed.\n"

DOORS: dict[str, tuple[str, sshd.Door]] = {
    "by key, the first": (BANNER + DENIED, "locked"),
    "by key, in one line": (ONE_LINE + DENIED, "locked"),
    "by key, through Ansible": (f"Task failed: {UNREACHABLE}{BANNER}{DENIED}", "locked"),
    "by key, later": (DENIED, "refuses"),
    "sshpass": ("Invalid/incorrect password: Permission denied, please try again.", "refuses"),
    "26.5.1": (RESET, "resets"),
    "26.5.1, through Ansible": (UNREACHABLE + RESET, "resets"),
    "before the client knows the address": ("Connection reset by UNKNOWN port -1\n", "resets"),
    "closed": ("kex_exchange_identification: Connection closed by remote host\n", "resets"),
    "an old client": ("ssh_exchange_identification: read: Connection reset by peer\n", "resets"),
    "a client of 2021": ("banner exchange: Connection to 192.0.2.10 port 22: invalid format\n", "resets"),
    "another host": (CHANGED, "foreign"),
    "unknown host": ("No ED25519 host key is known for [m]:22.\nHost key verification failed.\n", "foreign"),
    "nobody": ("ssh: connect to host m port 22: Connection refused\n", "silent"),
    # An account that Remote Login does not let in.
    "closed later": ("Connection closed by 192.0.2.10 port 22\n", "other"),
    "asleep": ("ssh: connect to host m port 22: Operation timed out\n", "silent"),
    "down": ("ssh: connect to host m port 22: Host is down\n", "silent"),
    "no name": ("ssh: Could not resolve hostname m: nodename nor servname provided\n", "silent"),
    "nothing": ("", "other"),
    "booted": ("{ sec = 1700000000, usec = 5 } Tue Nov 14 22:13:20 2023", "other"),
}

OUTCOMES: dict[str, tuple[str, sshd.Outcome]] = {
    "said, then nothing": (PROMPT + SUCCESS, "unlocked"),
    "said, then a failure": (BANNER + PROMPT + SUCCESS + DENIED, "unlocked"),
    "said, then a reset": (PROMPT + SUCCESS + RESET, "unlocked"),
    "in one line": (PROMPT + "\nSystem successfully unlocked. You may now use SSH.", "unlocked"),
    "wrapped": (PROMPT + "\r\nSystem successfully\r\nunlocked.\r\n", "unlocked"),
    "wrong": (PROMPT + "\n" + DENIED, "refused"),
    "wrong, and told why it waits": (BANNER + PROMPT + "\n" + DENIED, "refused"),
    # The lock explains itself once more; a server says it before the password.
    "the explanation is no success": (PROMPT + "\n" + BANNER + DENIED, "refused"),
    "forged before the prompt": ("System successfully unlocked.\n" + PROMPT + "\n" + DENIED, "refused"),
    "asked by the next method": (PROMPT + "\nitadmin@mac.local's password: ", "refused"),
    "asked again": (PROMPT + "\nPermission denied, please try again.\nitadmin@mac.local's password: ", "refused"),
    "locked out": (PROMPT + "\nAccount itadmin is temporarily unavailable.\n" + DENIED, "locked_out"),
    "unknown": (PROMPT + "\nsystem error\n" + DENIED, "unknown_user"),
    "hangs": (PROMPT, "no_answer"),
    "closed after the password": (PROMPT + "\nConnection closed by 192.0.2.10 port 22\n", "no_answer"),
    "reset before it": (RESET, "broken"),
    "not there": ("ssh: connect to host m port 22: Connection refused\n", "no_answer"),
    "not asked": (DENIED, "no_answer"),
}


@pytest.mark.parametrize("seen", DOORS)
def test_how_a_mac_meets_a_connection(seen: str) -> None:
    assert sshd.door(DOORS[seen][0]) == DOORS[seen][1]


@pytest.mark.parametrize("seen", OUTCOMES)
def test_what_came_of_a_password(seen: str) -> None:
    assert sshd.outcome(OUTCOMES[seen][0]) == OUTCOMES[seen][1]


def test_the_explanation_does_not_ask_for_a_password() -> None:
    assert not sshd.asked(BANNER + DENIED)
    assert sshd.asked(PROMPT) and sshd.asked("itadmin@mac.local's password: ")


@pytest.mark.parametrize(
    ("said", "method", "lacks"),
    [
        (DENIED, "keyboard-interactive", False),
        ("m: Permission denied (publickey,password).", "keyboard-interactive", True),
        ("m: Permission denied (publickey).", "password", True),
        ("Permission denied, please try again.", "password", False),
        ("Permission denied, please try again.\nm: Permission denied (publickey).", "password", True),
        (RESET, "password", False),
    ],
)
def test_a_method_that_is_not_offered(said: str, method: str, lacks: bool) -> None:
    assert sshd.lacks(said, method) is lacks


def test_the_method_that_shows_what_pam_says_comes_first() -> None:
    assert sshd.METHODS == ("keyboard-interactive", "password")


@pytest.mark.parametrize(
    ("line", "user", "hosts", "ours"),
    [
        ("Password: ", "itadmin", {"mac"}, True),
        ("(itadmin@mac) Password: ", "itadmin", {"mac"}, True),
        ("(itadmin@Mac) Password:", "itadmin", {"mac", "alias"}, True),
        ("itadmin@alias's password: ", "itadmin", {"mac", "alias"}, True),
        ("itadmin@mac's password: ", "itadmin", set(), True),
        (f"{'i' * 30}@mac's password: ", "i" * 40, {"mac"}, True),
        ("ana@corp.example@mac's password: ", "ana@corp.example", {"mac"}, True),
        ("(ana@corp.example@mac) Password: ", "ana@corp.example", {"mac"}, True),
        ("(itadmin@fe80::1%en0) Password: ", "itadmin", {"fe80::1%en0"}, True),
        ("(ana o'hara@mac) Password: ", "ana o'hara", {"mac"}, True),
        ("jump@mac's password: ", "itadmin", {"mac"}, False),
        ("jump@bastion's password: ", "itadmin", set(), False),
        ("(itadmin@bastion) Password: ", "itadmin", {"mac"}, False),
        ("(jump@bastion) Enter your PIN or Password: ", "itadmin", {"mac"}, False),
    ],
)
def test_whose_password_a_prompt_asks_for(line: str, user: str, hosts: set[str], ours: bool) -> None:
    assert sshd.asks_for(line, user, hosts) is ours


def test_the_names_that_ssh_has_for_a_host() -> None:
    said = "host mac\nuser itadmin\nhostname 10.0.0.5\nport 22\nhostkeyalias mac-17\nproxyjump jump@bastion\n"
    assert sshd.names(said) == {"10.0.0.5", "mac-17"}
    assert sshd.names("unknown option -- G") == frozenset()


PROXIED = "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n"


@pytest.mark.parametrize(
    ("said", "door"),
    [
        ("channel 0: open failed: connect failed: No route to host\r\nstdio forwarding failed\r\n" + PROXIED, "silent"),
        ("channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\n" + PROXIED, "silent"),
        ("ssh: connect to host bastion port 22: Connection timed out\n" + PROXIED, "silent"),
        ("ssh: Could not resolve hostname bastion: Name or service not known\n" + PROXIED, "silent"),
        ("jump@bastion: Permission denied (publickey,password).\n" + PROXIED, "silent"),
        ("Host key verification failed.\n" + PROXIED, "foreign"),
        (PROXIED, "resets"),
        ("itadmin@mac: Permission denied (publickey,password,keyboard-interactive).", "refuses"),
    ],
)
def test_behind_a_jump_host_a_mac_that_is_off_is_no_broken_one(said: str, door: str) -> None:
    """The ssh to the Mac sees its connection end, whatever the one to the jump host said before."""
    assert sshd.door(said) == door
