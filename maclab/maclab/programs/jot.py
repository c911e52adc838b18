# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be jot with whole numbers: so many in a row, or at random (jot(1))."""

from __future__ import annotations

import random

from maclab.call import Call
from maclab.options import getopt

KNOWN = "-r, -b, -s and -w with whole numbers: jot [reps [begin [end [step]]]]"
DEFAULTS = (100, 1, 100, 1)


async def main(call: Call) -> int:
    options = getopt(call.argv, "cnrb:s:w:p:")
    words = [*options.rest, *("-",) * (4 - len(options.rest))]
    whole = all(word == "-" or word.lstrip("-").isdigit() for word in words)
    form = options.last("w") or "%d"
    if options.complaint or options.letters & set("cp") or len(words) > 4 or not whole or form.count("%d") != 1:
        return call.refuse(KNOWN)
    numbers = _numbers("r" in options.letters, [None if word == "-" else int(word) for word in words])
    fixed = options.last("b")
    texts = [form.replace("%d", str(number)) if fixed is None else fixed for number in numbers]
    call.out((options.last("s") or "\n").join(texts) + ("" if "n" in options.letters else "\n"))
    return 0


def _numbers(at_random: bool, given: list[int | None]) -> list[int]:
    count, begin, end, step = given
    if at_random:
        low, high = DEFAULTS[1] if begin is None else begin, DEFAULTS[2] if end is None else end
        return [
            random.randint(min(low, high), max(low, high)) for _number in range(DEFAULTS[0] if count is None else count)
        ]
    if step is None and None not in (count, begin, end):
        # Three are given: the step follows from them.
        step = ((end or 0) - (begin or 0)) // max((count or 1) - 1, 1)
    step = DEFAULTS[3] if step is None else step
    if count is None:
        begin = DEFAULTS[1] if begin is None else begin
        count = DEFAULTS[0] if end is None else (end - begin) // step + 1
    begin = (DEFAULTS[1] if end is None else end - step * (count - 1)) if begin is None else begin
    return [begin + step * place for place in range(count)]
