#!/bin/sh
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# A line for every person of this Mac: name, kind of account, token; then FileVault. As an inventory's attribute has it.
# shellcheck disable=SC2207,SC2209,SC3010,SC3011,SC3028,SC3030,SC3054
# On a Mac, /bin/sh is a bash: scripts that were never tried elsewhere lean on that.

if [[ $EUID -ne 0 ]]; then
    echo "run me as root"
    exit 1
fi

people=($(/usr/bin/dscl . -list /Users UniqueID | /usr/bin/awk '$2 > 500 { print $1 }'))
for person in "${people[@]}"; do
    if /usr/sbin/dseditgroup -o checkmember -m "$person" admin > /dev/null; then
        kind=admin
    else
        kind=standard
    fi
    token=$(/usr/sbin/sysadminctl -secureTokenStatus "$person" 2>&1 | /usr/bin/awk '{ print $7 }')
    echo "$person $kind $token"
done

read -r _ _ state _ <<< "$(/usr/bin/fdesetup status | /usr/bin/head -n 1)"
echo "FileVault ${state%.}"
