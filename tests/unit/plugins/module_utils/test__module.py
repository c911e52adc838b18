# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that may get a secret come from the system's folders on macOS, and from PATH where a Mac is played."""

from __future__ import annotations

import pytest

from ansible_collections.keyholder.macos.plugins.module_utils import _module
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command
from ansible_collections.keyholder.macos.plugins.plugin_utils._shell import compose


def test_macos_looks_in_its_own_folders_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_module.sys, "platform", "darwin")
    assert _module.folders()[:4] == ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    assert "/usr/libexec" in _module.folders()


def test_a_played_mac_keeps_its_own_programs_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_module.sys, "platform", "linux")
    assert not {"/usr/bin", "/bin", "/usr/sbin", "/sbin"} & set(_module.folders())


def test_the_script_puts_the_systems_folders_first_where_macos_is() -> None:
    script = compose([Command(("fdesetup", "status"))], 1, "mark")
    assert "[ ! -x /usr/bin/fdesetup ] || PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH\n" in script
