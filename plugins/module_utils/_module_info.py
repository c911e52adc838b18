# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an info module's options to a reading: nothing of the plan comes along to the Mac.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._module import fail, runner
from ansible_collections.keyholder.macos.plugins.module_utils._reading.ask import Ask
from ansible_collections.keyholder.macos.plugins.module_utils._reading.parse import ReadingError
from ansible_collections.keyholder.macos.plugins.module_utils._reading.read import read_mac
from ansible_collections.keyholder.macos.plugins.module_utils._reading.summary import summary
from ansible_collections.keyholder.macos.plugins.module_utils._reading.view import view
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def read(module: AnsibleModule) -> t.NoReturn:
    """Read the Mac and end the module."""
    include = module.params["include"]
    try:
        mac = read_mac(runner(module), module.params["timeout"], Ask.including(include))
    except ReadingError as exc:
        fail(module, Refusal(exc.reason, str(exc), (str(exc),)), {})
    module.exit_json(changed=False, mac=view(mac, include), summary=summary(mac))
