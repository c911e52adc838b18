#!/bin/bash
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Keeps notes in a property list, as scripts of device management do, and reads them back by each of the three programs.
set -euo pipefail

notes=/Library/Preferences/com.example.rehearsal.plist
version=$(/usr/bin/defaults read /System/Library/CoreServices/SystemVersion ProductVersion)
major=${version%%.*}

/usr/bin/defaults write "$notes" LastRun -string "$(/bin/date -j -u -f %s 86400 +%Y-%m-%d)"
/usr/bin/defaults write "$notes" Runs -int 1
/usr/libexec/PlistBuddy -c "Set :Runs 2" -c "Add :Machine:Version string $version" "$notes"
if ! /usr/libexec/PlistBuddy -c "Print :Machine:Missing" "$notes" > /dev/null 2>&1; then
    /usr/bin/plutil -insert Machine.Missing -bool YES "$notes"
fi
/usr/bin/plutil -lint "$notes" > /dev/null
/usr/bin/plutil -convert xml1 "$notes"
/usr/bin/grep -q "<key>LastRun</key>" "$notes"

lock=$(/usr/bin/mktemp -d)/lock
/usr/bin/shlock -f "$lock" -p $$
! /usr/bin/shlock -f "$lock" -p 1

echo "$major $(/usr/bin/defaults read "$notes" LastRun) $(/usr/libexec/PlistBuddy -c 'Print :Runs' "$notes")"
/usr/libexec/PlistBuddy -c 'Print :Machine' "$notes" | /usr/bin/tr -s ' \n' ' '
echo
