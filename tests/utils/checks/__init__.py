# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver behind `make test`: a list of checks (catalogue), and what it takes to run them."""
