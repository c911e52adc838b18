#!/bin/bash
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Gives whoever is at the screen a token, and believes what the Mac says afterwards. Two passwords on standard input.

seated=$(/usr/bin/stat -f %Su /dev/console)
if [ -z "$seated" ] || [ "$seated" = root ] || [ "$seated" = _mbsetupuser ]; then
    echo "nobody to give it to"
    exit 0
fi
IFS= read -r admin_password
IFS= read -r password

status() { /usr/sbin/sysadminctl -secureTokenStatus "$1" 2>&1; }

if [[ $(status "$seated") == *ENABLED* ]]; then
    echo "$seated has one"
    exit 0
fi
if ! /usr/bin/dscl . -authonly "$seated" "$password" > /dev/null 2>&1; then
    echo "this is not the password of $seated"
    exit 2
fi
/usr/sbin/sysadminctl -secureTokenOn "$seated" -password "$password" \
    -adminUser itadmin -adminPassword "$admin_password" > /dev/null 2>&1
if [[ $(status "$seated") == *ENABLED* ]] && /usr/sbin/diskutil apfs listCryptoUsers / |
    /usr/bin/grep -q "$(/usr/bin/dscl . -read "/Users/$seated" GeneratedUID | /usr/bin/awk '{ print $2 }')"; then
    echo "$seated has one now"
else
    echo "$seated has none"
    exit 1
fi
