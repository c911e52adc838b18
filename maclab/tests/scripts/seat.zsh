#!/bin/zsh
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Who is at the screen, by each of the four ways of asking, and what that account is.
export PATH=/usr/bin:/bin:/usr/sbin:/sbin
setopt extended_glob

by_stat=$(/usr/bin/stat -f%Su /dev/console)
by_ls=$(/bin/ls -l /dev/console | /usr/bin/awk '{ print $3 }')
by_scutil=$(/usr/sbin/scutil <<< "show State:/Users/ConsoleUser" | /usr/bin/awk '/Name :/ && ! /loginwindow/ { print $3; exit }')
by_who=$(/usr/bin/who | /usr/bin/awk '/console/ { print $1; exit }')

if [[ $by_stat == root || -z $by_scutil ]]; then
    print -r -- "nobody ($by_stat, $by_ls, ${by_scutil:-none}, ${by_who:-none})"
    exit 0
fi
if [[ $by_stat != $by_ls || $by_stat != $by_scutil || $by_stat != $by_who ]]; then
    print -r -- "they disagree: $by_stat $by_ls $by_scutil $by_who"
    exit 1
fi
uid=$(/usr/bin/id -u "$by_stat")
name=$(/usr/bin/id -F "$by_stat")
home=$(/usr/bin/dscl . -read "/Users/$by_stat" NFSHomeDirectory | /usr/bin/cut -d' ' -f2)
[[ -d $home ]] && there=there || there=missing
print -r -- "$by_stat $uid ${name// /_} $home $there"
