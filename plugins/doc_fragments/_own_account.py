# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Document the option of every module that could take something from the account that Ansible logged in with."""

# PRIVATE to the collection: other collections must not extend their documentation with it.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  allow_own_account:
    description:
      - Whether the account that Ansible itself logged in with, or became root from, may be deleted, demoted, stripped
        of its token or given another password, home folder or shell. Without it the task refuses that with
        RV(reason=own_account), in check mode too.
      - Set it if the connection takes the new password by itself, for example out of the store of
        M(keyholder.macos.managed_password) by P(keyholder.macos.managed_password#lookup).
    type: bool
    default: false
"""
