# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a Mac log an account in by itself: the file in which macOS keeps that account's password."""

from __future__ import annotations

from maclab.state import Account, Mac, ModelFile

FILE = "/etc/kcpassword"
KEY = bytes((0x7D, 0x89, 0x52, 0x23, 0xD2, 0xBC, 0xDD, 0xEA, 0xA3, 0xB9, 0x1F))
"""Combined (XOR) with the password, over and over (images/macos/scripts/build/configure-autologin.sh of
actions/runner-images; the same key in several public tools)."""
BLOCK = 12
"""The file is a multiple of so many bytes, filled up with zeros before the key is applied."""


def set_up(mac: Mac, account: Account, when: float) -> None:
    """Write the file. The account is at the screen as soon as the Mac has started."""
    clear = (account.password or "").encode()
    clear += b"\0" * (BLOCK - len(clear) % BLOCK)
    content = bytes(byte ^ KEY[place % len(KEY)] for place, byte in enumerate(clear))
    mac.files[FILE] = ModelFile(content.decode("latin-1"), when, binary=True)
