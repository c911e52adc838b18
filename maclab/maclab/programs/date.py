# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be date with BSD's options: -j, -f, -r and -v; with a format alone it is this host's."""

from __future__ import annotations

import calendar
import datetime
import re
import time
import zoneinfo
from typing import Any

from maclab.call import Call
from maclab.options import getopt
from maclab.programs import _files
from maclab.texts import say

FAILED = 1
KNOWN = "-j, -n, -u, -R, -r, -v of y, m, w, d, H, M and S, -f, a format, and a TZ that this host has"
USUAL = "%a %b %e %H:%M:%S %Z %Y"
RFC_2822 = "%a, %d %b %Y %H:%M:%S %z"
CHANGE = re.compile(r"([+-]?)(\d+)([ymwdHMS])")
UNITS = {"w": "weeks", "d": "days", "H": "hours", "M": "minutes", "S": "seconds"}


class _Wrong(Exception):
    """What date says of an input that is none."""


async def main(call: Call) -> int:
    # What other system's date would take these letters for something else.
    options = getopt(call.argv, "jnuRr:v:f:")
    words = list(options.rest)
    if not options.complaint and options.letters <= set("uR") and all(word.startswith("+") for word in words):
        return _files.become_host_program(call)
    try:
        zone = datetime.UTC if "u" in options.letters else _zone(call.env.get("TZ", ""))
    except (KeyError, OSError, ValueError):
        return call.refuse(KNOWN)
    if options.complaint:
        return call.refuse(KNOWN)
    try:
        moment = _moment(call, options.last("r"), options.last("f"), words, zone)
        for letter, change in options.given:
            moment = _changed(moment, change) if letter == "v" else moment
    except _Wrong as wrong:
        call.err(str(wrong))
        return FAILED
    form = words[0][1:] if len(words) == 1 and words[0].startswith("+") else None
    # Without -j, a word that is no format sets the clock.
    if words and form is None:
        return call.refuse(KNOWN)
    call.out(_written(moment, form or (RFC_2822 if "R" in options.letters else USUAL)) + "\n")
    return 0


def _zone(name: str) -> datetime.tzinfo | None:
    """Return the zone of that name, None for this host's own."""
    return zoneinfo.ZoneInfo(name) if name else None


def _moment(
    call: Call, of: str | None, form: str | None, words: list[str], zone: datetime.tzinfo | None
) -> datetime.datetime:
    """Return the moment that the command line names: seconds, a file's change, a text in a form; else now."""
    now = datetime.datetime.now(zone).astimezone(zone)
    if of is not None:
        return datetime.datetime.fromtimestamp(_seconds(call, of), zone).astimezone(zone)
    if form is None:
        return now
    text = words.pop(0) if words else ""
    try:
        found = _read(text, form, now, zone)
    except ValueError:
        raise _Wrong(say("date.no_input", call.mac.version_tuple, text=text, form=form)) from None
    return found.astimezone(zone)


def _seconds(call: Call, of: str) -> float:
    if re.fullmatch(r"-?\d+", of):
        return float(of)
    try:
        return call.place(of).stat().st_mtime
    except OSError:
        raise _Wrong(say("date.illegal", call.mac.version_tuple)) from None


def _read(text: str, form: str, now: datetime.datetime, zone: datetime.tzinfo | None) -> datetime.datetime:
    """Return what a text says in a form; what the form leaves out is as it is now (strptime(3) of macOS)."""
    if form in ("%s", "+%s"):
        return datetime.datetime.fromtimestamp(int(text)).astimezone()
    form = form.removeprefix("+").replace("%T", "%H:%M:%S").replace("%F", "%Y-%m-%d").replace("%R", "%H:%M")
    form = form.replace("%D", "%m/%d/%y").replace("%e", "%d")
    found = datetime.datetime.strptime(text, form)
    left = {
        name: getattr(now, name)
        for name, letters in {
            "year": "yYcxGs",
            "month": "mbBhcxj",
            "day": "dcxj",
            "hour": "HIcX",
            "minute": "McX",
            "second": "ScX",
        }.items()
        if not any(f"%{letter}" in form for letter in letters)
    }
    found = found.replace(**left)
    if found.tzinfo:
        return found
    return found.replace(tzinfo=zone) if zone else found.astimezone()


def _changed(moment: datetime.datetime, change: str) -> datetime.datetime:
    match = CHANGE.fullmatch(change)
    if match is None:
        raise _Wrong(f"date: {change}: Cannot apply date adjustment\n")
    sign, number, unit = match[1], int(match[2]), match[3]
    if not sign:
        names = {"y": "year", "m": "month", "d": "day", "H": "hour", "M": "minute", "S": "second"}
        if unit not in names:
            raise _Wrong(f"date: {change}: Cannot apply date adjustment\n")
        try:
            fields: dict[str, Any] = {names[unit]: number}
            return moment.replace(**fields)
        except ValueError:
            raise _Wrong(f"date: {change}: Cannot apply date adjustment\n") from None
    number = -number if sign == "-" else number
    if unit in UNITS:
        return moment + datetime.timedelta(**{UNITS[unit]: number})
    months = moment.year * 12 + moment.month - 1 + number * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _written(moment: datetime.datetime, form: str) -> str:
    form = form.replace("%s", str(int(moment.timestamp())))
    return moment.strftime(form) if moment.tzinfo else time.strftime(form)
