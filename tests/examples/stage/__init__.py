# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the examples of the documentation as a reader does. Imported by its own short name in the tests."""
