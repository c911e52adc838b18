# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Document check mode, diff mode, idempotence and platform of the modules, in the same words everywhere."""

# PRIVATE to the collection: other collections must not extend their documentation with it.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  async:
    description: Can be run with C(async), so that Ansible does not wait for it.
  check_mode:
    description: Predicts the state that a run would reach, from the same plan as the run, and changes nothing.
  diff_mode:
    description: Shows the managed part of the Mac's state before and after.
  idempotent:
    description: Does nothing and reports no change when it is run again with the same options, if nothing else has
      changed the Mac.
  platform:
    description: The operating systems of the hosts that can be managed.
    platforms: macos
    support: full
"""

    # For modules that only read.
    INFO_MODULE = r"""
options: {}
attributes:
  async:
    support: none
  check_mode:
    support: full
    details:
      - This module only reads.
  diff_mode:
    support: N/A
    details:
      - This module only reads.
  idempotent:
    support: full
    details:
      - This module only reads.
"""

    # For what runs on the controller alone.
    REPORT_MODULE = r"""
options: {}
attributes:
  async:
    support: none
  check_mode:
    support: full
    details:
      - It changes no Mac, and writes its files in check mode too.
  diff_mode:
    support: N/A
    details:
      - It changes no Mac.
  idempotent:
    support: full
    details:
      - It never reports a change. The same readings make the same report, except for its time.
"""

    ACTIONGROUP_ALL = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/keyholder.macos.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - keyholder.macos.all
"""

    # For modules that change the Mac through a plan.
    CHANGE_MODULE = r"""
options: {}
attributes:
  async:
    support: partial
    details:
      - Not with a secret among its options, which Ansible would write to the Mac's disk. And only with a Python on the
        Mac.
  check_mode:
    support: full
    details:
      - Reads, plans and checks the passwords that can be checked without a login. It writes nothing and authenticates
        no account.
  diff_mode:
    support: full
  idempotent:
    support: full
"""
