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
  allow_temporary_promotion:
    description:
      - Whether O(admin_user) may be a standard account on a Mac where no administrator holds a token. It is then made
        an administrator for the moment of the grant only.
      - That is noted on the Mac before, and the Mac gets a job of its own that takes the rights back after 15 minutes,
        also when the connection is lost. The run itself, and any later run of a module that writes, takes them back at
        once.
      - An option of its own because it gives rights that the account's owner could use meanwhile. It changes nothing on
        a Mac where an administrator holds a token.
    type: bool
    default: false
  accept_pending:
    description:
      - Whether a token that macOS will grant by itself is as good as one that is there. On macOS 11 and newer with an
        escrowed Bootstrap Token, an account without a token gets one at its first graphical login. A login by SSH does
        not count.
      - The account is then left as it is, and the result says V(pending) for its token. Nobody is authenticated, and no
        granter is needed.
      - On any other Mac the token is granted as usual.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that each of the commands may take. A command that does not answer is stopped, and the task fails
        with RV(reason=timeout).
    type: int
    default: 120
"""
