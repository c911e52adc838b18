# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what the programs print that every script uses and that know nothing of tokens; `maclab.texts` has all."""

from __future__ import annotations

from maclab.wording import Wordings, assumed, seen

_STAMP = "{stamp} defaults[{pid}:{thread}] \n"
_UNCHANGED = "Defaults have not been changed.\n"
_NO_KEY = "Error: Could not find key '{key}' in domain '{short}'.\n"
_BUDDY = "public file #71223259145"

GENERIC: dict[str, Wordings] = {
    # --- property lists ---
    "defaults.missing": (
        seen(
            _STAMP + "The domain/default pair of ({domain}, {key}) does not exist\n",
            "defaults-missing",
        ),
        seen(_NO_KEY, "public file #68732553731", (27,)),
    ),
    "defaults.no_domain": (
        seen(_STAMP + "Domain {domain} does not exist\n", "public file #2920397591"),
        seen("Error: Domain '{short}' not found.\n", "public file #68732553731", (27,)),
    ),
    "defaults.not_deleted": (
        assumed(_STAMP + "Domain ({domain}) not found.\n" + _UNCHANGED),
        seen(
            _NO_KEY + _UNCHANGED,
            "defaults-delete-missing-27",
            (27,),
        ),
    ),
    "defaults.unwritable": (assumed(_STAMP + "Could not write domain {domain}; exiting\n"),),
    "defaults.type": (assumed("Type is {kind}\n"),),
    "plistbuddy.will_create": (seen("File Doesn't Exist, Will Create: {path}\n", "public file #37917608855"),),
    "plistbuddy.missing": (seen('{verb}: Entry, "{entry}", Does Not Exist\n', _BUDDY),),
    "plistbuddy.exists": (assumed('Add: "{entry}" Entry Already Exists\n'),),
    "plistbuddy.unreadable": (seen("Error Reading File: {path}\n", _BUDDY),),
    "plistbuddy.unwritable": (assumed("Error Writing File: {path}\n"),),
    "plistbuddy.unknown_type": (assumed("Unrecognized Type: {kind}\n"),),
    "plistbuddy.bad_value": (assumed("Unrecognized {kind} Format\n"),),
    "plutil.no_file": (
        seen("{path}: file does not exist or is not readable or is not a regular file\n", "public file #3548919461"),
    ),
    "plutil.unreadable": (assumed("{path}: Unexpected character at line 1\n"),),
    "plutil.ok": (seen("{path}: OK\n", "public file #17117374047"),),
    "plutil.format": (seen("Unknown format specifier: {kind}\n", "public file #17117374047"),),
    "plutil.no_value": (
        seen(
            "{path}: Could not extract value, error: No value at that key path or invalid key path: {key}\n",
            "public file #70884770125",
        ),
    ),
    "plutil.not_set": (assumed("{path}: Could not modify plist, error: No value at that key path: {key}\n"),),
    "plutil.expected": (seen("{path}: Value at [{key}] expected to be {wanted} but is {kind}\n", _BUDDY),),
    "plutil.no_json": (seen("{path}: invalid object in plist for destination format\n", "public file #17117374047"),),
    "plutil.unwritable": (assumed("{path}: The file could not be written\n"),),
    # `plutil -p` of a boolean: numbers until some version.
    "plutil.true": (assumed("1"), assumed("true", (12,)), seen("true", "public file #66578382141", (26,))),
    "plutil.false": (assumed("0"), assumed("false", (12,))),
    # --- the system ---
    "ls.console": (assumed("{mode}  1 {owner}  {group}    0,   0 {when} {path}\n"),),
    "scutil.not_set": (seen("{name}: not set\n", "public file #254845738"),),
    "scutil.not_root": (assumed("SCPreferencesLock() failed: Permission denied\n"),),
    "dscacheutil.user": (
        assumed(
            "name: {name}\npassword: ********\nuid: {uid}\ngid: {gid}\ndir: {home}\nshell: {shell}\n"
            "gecos: {full_name}\n\n"
        ),
    ),
    "dscacheutil.group": (assumed("name: {name}\npassword: *\ngid: {gid}\n{users}\n"),),
    "system_profiler.hardware": (
        assumed(
            "Hardware:\n\n    Hardware Overview:\n\n      Model Identifier: {model}\n      {processor}\n"
            "      Memory: {memory} GB\n      Serial Number (system): {serial}\n      Hardware UUID: {uuid}\n"
            "{activation}\n"
        ),
    ),
    "system_profiler.activation": (seen("      Activation Lock Status: {state}\n", "public file #5843369079"),),
    "pmset.source": (seen("Now drawing from '{source}'\n", "public file #70966160092"),),
    "pmset.battery": (
        seen(
            " -InternalBattery-0 (id=7929955)\t{percent}%; {state} remaining present: true\n",
            "public file #70966160092",
        ),
    ),
    "firmwarepasswd.state": (seen("Password Enabled: {state}\n", "public file #70423256580"),),
    "firmwarepasswd.not_root": (assumed("Error | Must be run as root\n"),),
    "firmwarepasswd.none": (assumed("Error | This version of firmware is not supported.\n"),),
    "killall.none": (assumed("No matching processes {whose}were found\n"),),
    "date.illegal": (
        assumed("date: illegal time format\nusage: date [-jnRu] [-r seconds|file] [-v[+|-]val[ymwdHMS]]\n"),
    ),
    "date.no_input": (assumed("Failed conversion of ``{text}'' using format ``{form}''\ndate: illegal time format\n"),),
}
