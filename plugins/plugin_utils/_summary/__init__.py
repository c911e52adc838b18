# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sum up what a run did to a fleet: one row a Mac, one paragraph a reason, the numbers, and two files.

It takes what the tasks of a play have registered, and connects to nothing::

    registered results --> row.py: Row of a Mac --> told.py: lines for a terminal
                                                \\-> files.py: CSV and JSON

This folder is PRIVATE to the collection.
"""
