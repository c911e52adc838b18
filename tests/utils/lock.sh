#!/bin/sh
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Renews the pinned versions: from each tests/requirements/*.in the .txt of the same name.

set -eu
cd "$(dirname "$0")/../requirements"
export UV_SYSTEM_CERTS=1

# name and the oldest Python that the pins must serve
while read -r name python; do
    {
        sed -n '/^# SPDX/p' "$name.in"
        # shellcheck disable=SC2016 # The backquotes are for the reader.
        printf '# Made by `make lock` from %s.in: change that file instead.\n' "$name"
        uv pip compile --quiet --universal --python-version "$python" --no-header --no-annotate --upgrade "$name.in"
    } >"$name.new"
    mv "$name.new" "$name.txt"
done <<'EOF'
awx 3.11
core-2.16 3.10
core-2.19 3.11
core-2.21 3.12
core-unit 3.9
dev 3.11
eda 3.11
mutants 3.11
workflows 3.11
EOF
