# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Document the options of every module that may make a new FileVault recovery key."""

# PRIVATE to the collection: other collections must not extend their documentation with it.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  recovery_key:
    description:
      - What becomes of a new recovery key, once macOS has validated it.
      - V(encrypt) encrypts it on the Mac to each of O(recipients), and returns only that, in
        RV(recovery_key_encrypted).
      - V(discard) forgets it. Use it if an MDM profile escrows the key.
      - V(return) returns it in clear in RV(recovery_key). It then stands in the job's events, in a fact cache and
        in everything else that keeps results, unless the task sets C(no_log). Prefer V(encrypt).
    type: str
    choices: [discard, return, encrypt]
    default: discard
  recipients:
    description:
      - Certificates in PEM with an RSA key. A message that the key of each can open is made with macOS's own
        C(openssl).
      - An age recipient (C(age1...)) works as well. Because a Mac has no age, the recovery key travels encrypted to a
        key that exists for this task only, and the controller then encrypts it to the age recipient. No result of any
        task shows it in clear on the way.
    type: list
    elements: str
    default: []
"""
