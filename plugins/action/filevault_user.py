# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module filevault_user, whose options are looked at on the controller first."""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.plugin_utils._action import Action


class ActionModule(Action):
    """See the module of the same name."""
