#!/bin/sh
# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Find a Python that Ansible can use on this Mac, and install one from a package if there is none.
#
#   predict|act MINIMUM PACKAGE SHA256 CANDIDATE...      (PACKAGE: a URL, a path, or nothing)
#
# The result is in lines that begin with keyholder-python. Apple's stub is never started: it opens a dialog on the
# screen, and on a Mac without a user in front of it, the dialog stays. For Darwin's sh and tools as well as for others.

mode=$1 minimum=$2 package=$3 sha256=$4
shift 4

stub=/usr/bin/python3

say() {
    printf 'keyholder-python %s\n' "$1"
}

refuse() {
    say "refused $1 $2"
    exit 0
}

# Follows links one by one: any step of the way may be the stub. In a subshell, so that its names are its own.
leads_to_stub() (
    hop=$1 hops=0
    while [ "$hops" -lt 40 ]; do
        above=$(cd -P -- "$(dirname -- "$hop")" 2>/dev/null && pwd -P) || return 1
        hop=${above%/}/$(basename -- "$hop")
        [ "$hop" = "$stub" ] && return 0
        [ -L "$hop" ] || return 1
        target=$(readlink "$hop")
        case $target in
            /*) hop=$target ;;
            *) hop=$above/$target ;;
        esac
        hops=$((hops + 1))
    done
    return 1
)

question='
import sys
sys.stdout.write("%d.%d.%d" % sys.version_info[:3])
import ctypes, json, plistlib, pty, ssl, zipfile
sys.exit(sys.version_info[:2] < tuple(int(part) for part in sys.argv[1].split(".")[:2]))
'

usable() {
    if leads_to_stub "$1"; then
        say "passed-over $1: it is Apple's stub, which opens a dialog, and was not started"
        return 1
    fi
    [ -f "$1" ] && [ -x "$1" ] || return 1
    version=$("$1" -I -c "$question" "$minimum" </dev/null 2>/dev/null) && return 0
    say "passed-over $1: ${version:-it does not start} (wanted: Python $minimum or newer, complete)"
    return 1
}

search() {
    # A pattern may stand for a folder of each version; blanks in a path split nothing.
    IFS=
    for pattern; do
        for path in $pattern; do
            if usable "$path"; then
                interpreter=$path
                return 0
            fi
        done
    done
    return 1
}

found() {
    say "interpreter $interpreter"
    say "version $version"
    say "outcome $1"
    exit 0
}

same_sum() {
    sum=$(shasum -a 256 "$1") && [ "${sum%% *}" = "$(printf '%s' "$sha256" | tr A-F a-f)" ]
}

is_url() {
    case $1 in
        https://* | http://* | file://*) return 0 ;;
    esac
    return 1
}

fetch() {
    if is_url "$package"; then
        curl --fail --silent --show-error --location --connect-timeout 30 --proto '=https,http,file' \
            --proto-redir '=https,http' --output "$1" "$package"
    else
        cp -- "$package" "$1"
    fi
}

search "$@" && found found

[ -n "$package" ] || refuse no_interpreter "there is no Python $minimum or newer at any of the places, and no package was given"
case $sha256 in
    *[!0-9A-Fa-f]*) sha256= ;;
esac
[ "${#sha256}" -eq 64 ] || refuse checksum_missing "the package's SHA-256 must be given, in 64 hexadecimal digits"
[ "$(id -u)" = 0 ] || refuse not_root "installing a package needs root"

if [ "$mode" = predict ]; then
    if ! is_url "$package"; then
        [ -r "$package" ] || refuse package_unreadable "$package cannot be read"
        same_sum "$package" || refuse checksum_differs "$package has not the SHA-256 that was given"
    fi
    say 'outcome would-install'
    exit 0
fi

# In a folder that only root can write to: what was checked is what is installed. /tmp, as TMPDIR may be a user's own.
scratch=$(mktemp -d /tmp/keyholder-python.XXXXXXXX) || refuse package_unreadable "there is no room in /tmp"
readonly scratch
# By its name, and never a whole tree: this runs as root.
trap 'rm -f "$scratch/python.pkg" && rmdir "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
fetch "$scratch/python.pkg" || refuse package_unreadable "$package cannot be read"
same_sum "$scratch/python.pkg" || refuse checksum_differs "$package has not the SHA-256 that was given; nothing was installed"
installer -pkg "$scratch/python.pkg" -target / || refuse install_failed "installer could not install $package"
search "$@" && found installed
refuse still_none "$package is installed, and none of the places has a Python $minimum or newer"
