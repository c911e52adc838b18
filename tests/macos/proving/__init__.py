# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove on real Macs what the lab only plays: where that may be done, what was asked, and what came of it."""
