# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the get-pip.py that ansible-test would download from a host that a firewall may hide.

ansible-test starts ~/.ansible/test/cache/get_pip_<version>.py when there is one. The driver puts this file there under
that name, and beside it the wheel of that pip, which can install itself.
"""

from __future__ import annotations

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
VERSION = pathlib.Path(__file__).stem[len("get_pip_") :].replace("_", ".")


def main() -> int:
    wheel = next(HERE.glob(f"pip-{VERSION}-*.whl"))
    sys.path.insert(0, str(wheel))
    from pip._internal.cli.main import main as pip

    # get-pip.py's own options, unknown to pip itself.
    wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    return pip(["install", "--quiet", "--find-links", str(HERE), *wanted])


if __name__ == "__main__":
    sys.exit(main())
