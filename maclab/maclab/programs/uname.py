# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says Darwin, because a script that asks must not learn which system the lab runs on."""

from __future__ import annotations

from maclab.call import Call
from maclab.names import host_name
from maclab.programs.sysctl import darwin_release


async def main(call: Call) -> int:
    arm = call.mac.hardware == "apple-silicon"
    release = darwin_release(call.mac.version_tuple)
    version = f"Darwin Kernel Version {release}: root:xnu/RELEASE_{'ARM64' if arm else 'X86_64'}"
    answers = {
        "s": "Darwin",
        "n": host_name(call.mac),
        "r": release,
        "v": version,
        "m": "arm64" if arm else "x86_64",
        "p": "arm" if arm else "i386",
    }
    letters = "".join(word[1:] for word in call.argv if word.startswith("-")) or "s"
    wanted = "snrvm" if "a" in letters else letters
    unknown = [letter for letter in wanted if letter not in answers]
    if unknown:
        call.err(f"uname: illegal option -- {unknown[0]}\nusage: uname [-amnprsv]\n")
        return 1
    call.out(" ".join(answer for letter, answer in answers.items() if letter in wanted) + "\n")
    return 0
