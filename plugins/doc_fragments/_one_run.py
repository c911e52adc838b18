# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option of every module that changes a Mac, where only one run at a time may do that."""

# PRIVATE to the collection: other collections must not extend their documentation with it.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  lock_timeout:
    description:
      - Seconds to wait for another run that changes this Mac; one run at a time may. After that the task fails with
        RV(reason=another_run) and names the other run, and nothing was read or changed. V(0) does not wait.
      - The value of O(timeout) is used when this is left out. Check mode waits for nobody.
    type: int
"""
