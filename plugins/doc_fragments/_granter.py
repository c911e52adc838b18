# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Document the options of every module whose change a granter authorises."""

# PRIVATE to the collection: other collections must not extend their documentation with it.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  admin_user:
    description:
      - The short name of the granter, an administrator of the Mac who holds a Secure Token.
      - Needed only if a token has to be granted or revoked, or a holder's password is changed without its old one.
    type: str
  admin_password:
    description:
      - The granter's password.
      - It reaches macOS through a prompt, never as an argument, in the environment or in a file.
    type: str
  first_token:
    description:
      - Whether the account may become the first holder of a Mac on which no account holds a token. macOS 10.13 to
        10.15 give the first token at an authentication, and newer ones do so if the account's password came as a hash,
        as that of an administrator made by MDM. So this authenticates once. If that brings no token, macOS 11 and newer
        give it when a password is set, and the same password is set again.
      - This is an option of its own because it authenticates the account, or sets its password. It changes nothing on
        a Mac that has a holder.
    type: bool
    default: false
  allow_temporary_promotion:
    description:
      - Whether O(admin_user) may be a standard account if no administrator of the Mac holds a token. It is then an
        administrator until the grant is done.
      - The run first notes that on the Mac, and gives the Mac a job that takes the rights back after 15 minutes, even
        if the connection is lost. The run itself takes them back at once, and so does any later run of a module that
        writes.
      - This is an option of its own because the account's user could use the rights meanwhile. It changes nothing on a
        Mac that has an administrator with a token.
    type: bool
    default: false
  accept_pending:
    description:
      - Whether a token that macOS will grant by itself is good enough. On macOS 11 and newer with an escrowed Bootstrap
        Token, an account without a token gets one at its first graphical login. A login over SSH does not count.
      - The account then stays as it is, and the result says V(pending) for its token. No account is authenticated, and
        no granter is needed.
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
