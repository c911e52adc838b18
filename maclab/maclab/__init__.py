# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks the package of the lab: a stateful model of a fleet of Macs behind a real SSH server."""

from __future__ import annotations

__version__ = "0.1.0"
