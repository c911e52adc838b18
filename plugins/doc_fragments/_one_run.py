# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Document the option of every module that changes a Mac, because only one run at a time may do that."""

# PRIVATE to the collection: other collections must not extend their documentation with it.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  lock_timeout:
    description:
      - Seconds to wait for another run that changes this Mac, because only one may do so at a time. After that the task
        fails with RV(reason=another_run) and names the other run, without having read or changed anything. V(0) does
        not wait.
      - If this is left out, the value of O(timeout) is used. Check mode does not wait.
    type: int
"""
