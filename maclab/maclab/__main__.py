# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes `python -m maclab` the same as the `maclab` command."""

from __future__ import annotations

import sys

from maclab.cli import main

if __name__ == "__main__":
    sys.exit(main())
