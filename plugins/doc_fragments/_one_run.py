# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Document how long a module that changes a Mac waits for another run, and what carries its steps out."""

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
  runner:
    description:
      - What carries the steps out. Whatever it is, the controller reads the Mac first, by one shell script, and ends
        there if nothing has to change.
      - V(python) runs the module on the Mac. V(shell) starts each program from the controller, so the Mac needs no
        Python. V(auto) takes V(python) if a real Python is found on the Mac, else V(shell).
      - If this is left out, the variable C(keyholder_runner) is used, and V(auto) without that.
      - A recovery key that a run makes does not leave the Mac unencrypted with V(python), unless the task asks for it.
        With V(shell) it passes through the memory of the controller, so V(auto) refuses that with
        RV(reason=needs_python), and V(shell) says that you agree.
    type: str
    choices: [auto, python, shell]
"""
