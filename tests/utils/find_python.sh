#!/bin/sh
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints the newest usable Python (3.11 or newer, able to make a venv), or says what to install.
# KEYHOLDER_PYTHON=3.11 takes that one alone, as on a machine that has no other.

pyenv=${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}/versions

only=${KEYHOLDER_PYTHON:+python$KEYHOLDER_PYTHON}
for name in ${only:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
    # Not every name on PATH runs: pyenv's shims fail for versions that are not selected, and Debian ships a Python without ensurepip.
    for candidate in "$(command -v "$name")" "$pyenv"/"${name#python}"*/bin/"$name"; do
        if [ -x "$candidate" ] &&
            "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            exit 0
        fi
    done
done

cat >&2 <<'EOF'
No usable Python: this needs Python 3.11 or newer with the modules venv and ensurepip.
  Debian, Ubuntu:  apt-get install python3 python3-venv
  Fedora:          dnf install python3
  macOS:           the installer of python.org, or brew install python@3.13
EOF
exit 1
