# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""dseditgroup and createhomedir: membership of a group, and a home folder.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command


def set_membership(user: str, group: str, member: bool) -> Command:
    return Command(("dseditgroup", "-o", "edit", "-a" if member else "-d", user, "-t", "user", group))


def create_home(user: str) -> Command:
    """Harmless where the home exists already."""
    return Command(("createhomedir", "-c", "-u", user))
