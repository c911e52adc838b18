# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the integration tests share: Macs to break, playbooks to run on them, and answers to ask about."""
