# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module whose change is authorised by an administrator who holds a Secure Token."""

# PRIVATE to the collection: other collections must not extend their documentation with it.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  admin_user:
    description:
      - The short name of the granter, an administrator of the Mac who holds a Secure Token.
      - Needed only when a token has to be granted or revoked, or a holder's password is changed without its old one.
    type: str
  admin_password:
    description:
      - The granter's password.
      - It reaches macOS through a prompt, never as an argument, in the environment or in a file.
    type: str
  first_token:
    description:
      - Whether the account may become the first holder of a Mac on which nobody holds a token, in the way that its
        macOS hands out the first one. macOS 10.13 to 10.15 do it at an authentication, macOS 11 and newer when a
        password is set, so the same password is set again.
      - An option of its own because it authenticates, or sets a password. It changes nothing on a Mac that has a
        holder.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that each of the commands may take. A command that does not answer is stopped, and the task fails
        with RV(reason=timeout).
    type: int
    default: 120
"""
