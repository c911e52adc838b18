# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the inventory by which Ansible finds the Macs of a lab."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from maclab.host import Host
from maclab.layout import NO_PYTHON, STUB_PYTHON, LabFolder
from maclab.state import Mac

ADDRESS = "127.0.0.1"
PASSWORD = "maclab_sudo_password"


def ssh_options(folder: LabFolder) -> list[str]:
    # The person's own configuration, keys and known hosts have no say, and nothing of the lab gets into them.
    return [
        "-F",
        "/dev/null",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        f"UserKnownHostsFile={_quoted(folder.known_hosts)}",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "LogLevel=ERROR",
    ]


def _quoted(path: object) -> str:
    text = str(path)
    return f'"{text}"' if " " in text else text


def text(folder: LabFolder, hosts: Iterable[Host]) -> str:
    everywhere = {
        "ansible_connection": "ssh",
        "ansible_host": ADDRESS,
        "ansible_ssh_private_key_file": str(folder.client_key),
        "ansible_ssh_common_args": " ".join(
            f"'{option}'" if " " in option else option for option in ssh_options(folder)
        ),
    }
    macs = {host.mac.name: _variables(host) for host in hosts}
    if any(PASSWORD in variables for variables in macs.values()):
        # For the group: group_vars beside the inventory, as an admin has them, then replace it.
        everywhere["ansible_become_password"] = f"{{{{ {PASSWORD} | default('') }}}}"
    return yaml.dump({"macs": {"hosts": macs, "vars": everywhere}}, Dumper=_Dumper, sort_keys=False)


class _Literal(str):
    """Hold a text that Ansible must not take for a template."""


class _Dumper(yaml.SafeDumper):
    """Writes such a text as !unsafe."""


_Dumper.add_representer(_Literal, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


def _variables(host: Host) -> dict[str, Any]:
    mac = host.mac
    account = mac.accounts[mac.ssh_user]
    home = host.folder.home(account)
    bare = mac.python in (NO_PYTHON, STUB_PYTHON)
    whole = host.view is not None
    interpreter = "/usr/bin/python3" if whole else str(host.folder.bin / "python3")
    python = {} if bare else {"ansible_python_interpreter": interpreter}
    return {
        "ansible_port": host.port,
        "ansible_user": mac.ssh_user,
        **python,
        # Nobody of this host is called like the people of a Mac, so ~user leads nowhere.
        "ansible_remote_tmp": str((Path(account.home) if whole else home) / ".ansible" / "tmp"),
        "ansible_system_tmpdirs": ["/tmp" if whole else str(host.folder.tmp)],
        **_password(mac),
        "maclab_macos": mac.version,
        "maclab_hardware": mac.hardware,
    }


def _password(mac: Mac) -> dict[str, str]:
    """Return what sudo asks the account for that Ansible logs in with, if it asks: the one of the scenario."""
    who = mac.accounts[mac.ssh_user]
    asks = mac.sudo_password if who.sudo_password is None else who.sudo_password
    if not asks or not who.password or who.uid == 0:
        return {}
    return {PASSWORD: _Literal(who.password) if "{" in who.password else who.password}
