# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the password of the account that a Mac logs in by itself, and keep it out of a job's log.

macOS keeps it in /etc/kcpassword, which root alone may read: each byte combined (XOR) with eleven fixed ones, over and
over, with zeros behind it (macadminsdev and the runner images of GitHub publish the same key).
"""

from __future__ import annotations

# What a shell says of the file. `cat` opens it, as sudo would not open a redirection.
ASK = "cat /etc/kcpassword | od -An -v -tx1"

_KEY = bytes((125, 137, 82, 35, 210, 188, 221, 234, 163, 185, 31))


def password_from(said: str) -> str:
    """Return the password that the answer to :data:`ASK` holds. ValueError, which quotes nothing, if there is none."""
    try:
        data = bytes.fromhex("".join(said.split()))
        clear = bytes(byte ^ _KEY[place % len(_KEY)] for place, byte in enumerate(data)).split(b"\0", 1)[0].decode()
    except ValueError:
        raise ValueError("/etc/kcpassword is not in the form that is known") from None
    if not clear or not clear.isprintable():
        raise ValueError("/etc/kcpassword holds no password in the form that is known")
    return clear


def masked(secret: str) -> str:
    """Return the line on which GitHub's runner shows ``secret`` as stars in everything that follows."""
    text = secret.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::add-mask::{text}"
