# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the values of options on the controller as they arrived, before anything converts them.

Ansible makes text of whatever an option of type str gets: the number 5349 of a name 0012345, and a list of a password.
That would be another account, or a password that the user does not know.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import datetime
import re
import typing as t
from collections.abc import Mapping, Sequence

from ansible.module_utils.common.validation import check_type_bool, check_type_dict, check_type_float, check_type_int

from ansible_collections.keyholder.macos.plugins.module_utils._plan.values import NAMES, shortened, usable_name, within
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.plugin_utils._variables import entries_of

if t.TYPE_CHECKING:
    from ansible_collections.keyholder.macos.plugins.module_utils._code import Code

Spec = Mapping[str, Mapping[str, t.Any]]
"""Option -> what AnsibleModule's argument_spec says of it."""

FORMER = ("old_password", "current_password", "key_password")
"""An account may have a hash's text as its password, set by mistake: these take it, so that it can be changed."""

_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    ((datetime.date, datetime.time), "a date"),
    (Mapping, "a dictionary"),
    (bytes, "bytes"),
    ((Sequence, set, frozenset), "a list"),
    (type(None), "empty (null)"),
)
"""The first that fits: a boolean is an int too, and text is a sequence."""

_SECRET = re.compile(r"(^|_|\.)(password|current_key|secret)$")
_PLACE = re.compile(r"(^|_)(dir|path|minimum)$")
_NAME = re.compile(r"(?<!full)(^|_|\.)(name|names|user|users)$")

_HASH = re.compile(
    r"""[!*]*                             # how Linux locks an account and keeps its password
    (?:(?:\{CRYPT\})?
       \$(?:1|2[abxy]?|3|5|6|7|8|9|y|gy|md5|apr1|sha1|sm3|sm3y|scrypt|bcrypt(?:-sha256)?|argon2(?:id|i|d)|pbkdf2[\w-]*|P|H|S
          |ml|balloon)
       [$,][^\s]*[./0-9A-Za-z+=]{20,}
    |  \{(?:S?SHA(?:224|256|384|512)?|S?MD5|PBKDF2[\w-]*|ARGON2\w*|BCRYPT)\}[./0-9A-Za-z+=$,:-]{16,}
    |  _[./0-9A-Za-z]{2}\.\.[./0-9A-Za-z]{15}    # of BSDi; a DES hash of 13 letters may be a password
    |  (?:grub\.)?pbkdf2[._]sha[0-9]+[.$][0-9]+[.$][./0-9A-Za-z+=$]{20,}
    |  [0-9a-f]{32}:[0-9a-f]{32}
    |  [^:\s]+:[!*]*\$(?:1|2[abxy]?|5|6|7|y|gy)\$[^:\s]{20,}(?::[0-9]*)*:*       # a line of /etc/shadow
    |  (?:;ShadowHash;.*)?SALTED-SHA(?:1|512)(?:-PBKDF2)?[:>,].*
    )""",
    re.VERBOSE | re.IGNORECASE,
)
"""The forms of crypt(3) and of directories, with all that they hold: no person's password is so by chance."""


_BYTES = 4096
"""Of a text that is no element of a list: more than any path or name has, and less than a command's arguments may."""

_NOWHERE = re.compile("[\0\ud800-\udfff]")
"""What no program can be given: NUL ends a text, and no encoding holds half of a character."""


def is_text(value: object) -> bool:
    """Return whether it is text, in any of the kinds that Ansible has for that. Up to ansible-core 2.18 what comes out
    of a vault is no str."""
    return isinstance(value, str) or type(value).__name__ == "AnsibleVaultEncryptedUnicode"


def is_list(value: object) -> bool:
    """Return whether it is a list, and nothing else that has members."""
    return isinstance(value, Sequence) and not isinstance(value, bytes) and not is_text(value)


_VAULT = re.compile(r"\$ANSIBLE_VAULT;[0-9.]+;AES256?\b")


def is_hash(text: str) -> bool:
    """Return whether a password is the hash of one instead."""
    return _HASH.fullmatch(text.strip()) is not None


def kind_of(value: object) -> str:
    """Say in words what a value is that is not text."""
    found = next((words for kinds, words in _KINDS if isinstance(value, kinds)), f"a {type(value).__name__}")
    return "a text" if is_text(value) else found


def check(spec: Spec, given: Mapping[str, t.Any], before: str = "") -> None:
    """Raise :class:`Refusal` for what a module would refuse or misread. ``before``: the option that these are in."""
    for option in given:
        if option not in spec:
            known = ", ".join(sorted(spec))
            raise Refusal("option_unknown", f"{before}{shortened(option)} is not an option; the options are {known}")
    for option, entry in spec.items():
        value = given.get(option)
        if value is not None:
            _check(before + option, entry, value)
        elif entry.get("required"):
            raise Refusal("option_missing", f"{before}{option} was not given")


def _check(option: str, entry: Mapping[str, t.Any], value: t.Any) -> None:
    kind, choices = entry.get("type", "str"), entry.get("choices")
    if kind == "list":
        _check_list(option, entry, value)
    elif kind == "dict":
        content = value if isinstance(value, Mapping) else _converted(option, check_type_dict, value, "a dictionary")
        if entry.get("options"):
            check(entry["options"], content, f"{option}.")
    elif choices:
        if not is_text(value) or str(value) not in choices:
            # An option that is called after a secret, and is none, may still get one.
            told = kind_of(value) if "no_log" in entry else _shown(value)
            raise Refusal("value_unusable", f"{option} is {told}, and must be one of {', '.join(choices)}")
    elif kind in ("str", "path"):
        check_text(option, value, secret=bool(entry.get("no_log")))
    elif kind == "bool":
        _converted(option, check_type_bool, value, "true or false")
    elif kind == "float":
        _converted(option, check_type_float, value, "a number")
    elif kind == "int":
        before, dot, last = option.rpartition(".")
        within({last: _converted(option, _whole, value, "a whole number")}, before + dot)


def _check_list(option: str, entry: Mapping[str, t.Any], value: t.Any) -> None:
    """Check a list. Text counts as a list of its parts between commas if the elements are texts."""
    elements = entry.get("elements", "str")
    if elements in ("str", "path") and is_text(value):
        value = str(value).split(",")
    if not is_list(value):
        raise Refusal("value_unusable", f"{option} is {_shown(value)}, and must be a list")
    for index, element in enumerate(value):
        _check(f"{option}[{index}]", {**entry, "type": elements}, element)


def check_text(option: str, value: t.Any, secret: bool) -> None:
    """Raise :class:`Refusal` where the value is no text, or a hash in a password's place."""
    if not is_text(value):
        raise Refusal("not_text", f"{option} is {kind_of(value) if secret else _shown(value)}, and must be text")
    text, last = str(value), option.rpartition(".")[2]
    if _NOWHERE.search(text):
        reason: Code = "password_unusable" if secret else "name_unusable" if last in NAMES else "value_unusable"
        raise Refusal(reason, f"{option} holds NUL or half of a character, which no program takes")
    size = len(text.encode("utf-8"))
    if size > _BYTES and not secret and last not in NAMES and not last.endswith("]"):
        raise Refusal("value_unusable", f"{option} has {size} bytes, and at most {_BYTES} are allowed")
    if secret and last not in FORMER and is_hash(text):
        raise Refusal("password_is_hash", f"{option} is the hash of a password, and must be the password itself")
    if secret and _VAULT.match(text.lstrip()):
        msg = f"{option} is a text of ansible-vault that is not decrypted, perhaps because the tag !vault is missing"
        raise Refusal("password_is_hash", msg)


def check_variables(
    given: Mapping[str, t.Any], lists: t.Collection[str] = (), required: t.Collection[str] = ()
) -> None:
    """Raise :class:`Refusal` for values of a role's or playbook's variables. None and "": not given, as a playbook that
    sets a variable from another one writes ``default('')``.

    What a variable holds is told by how its name ends: ``_password`` a secret, ``_user`` or ``_name`` an account.
    ``lists``: those that must be lists; an entry that is a dictionary is looked at key by key. ``required``: those that
    must be given.
    """
    for name, value in given.items():
        if name in required and (is_omitted(value) or value is None or value == ""):
            raise Refusal("option_missing", f"{name} was not given")
        if is_omitted(value):
            continue
        if name in lists and not is_list(value):
            raise Refusal("value_unusable", f"{name} is {_shown(value)}, and must be a list")
        if name in lists:
            _check_entries(name, value)
        if value is not None and value != "":
            _check_variable(name, name, value, name in lists)


def _check_entries(name: str, value: Sequence[t.Any]) -> None:
    """Look at a list of dictionaries as the role's argument specification does, which would print all of itself."""
    options = entries_of(name)
    for index, entry in enumerate(value if options is not None else ()):
        if not isinstance(entry, Mapping):
            msg = f"{name}[{index}] is {_shown(entry)}, and must be a dictionary, such as {{name: ana}}"
            raise Refusal("value_unusable", msg)
        check(options or {}, {key: one for key, one in entry.items() if not is_omitted(one)}, f"{name}[{index}].")


def is_omitted(value: t.Any) -> bool:
    """Return whether a variable is ``omit``, which Ansible takes out of a task's options: then it is not given."""
    return type(value).__name__ == "_OmitType" or (is_text(value) and str(value).startswith("__omit_place_holder__"))


def _check_variable(label: str, name: str, value: t.Any, is_list: bool = False) -> None:
    if is_list:
        for index, element in enumerate(value):
            _check_variable(f"{label}[{index}]", name, element)
    elif isinstance(value, Mapping) and not _is_one_text(name):
        for key, inner in value.items():
            if inner is None or is_omitted(inner):
                continue
            if _SECRET.search(str(key)) or _NAME.search(str(key)) or str(key) in _TEXTS:
                _check_variable(f"{label}.{key}", str(key), inner)
    else:
        check_text(label, value, secret=_SECRET.search(name) is not None)
        if _NAME.search(name):
            usable_name(label, str(value))


def _is_one_text(name: str) -> bool:
    return any(kind.search(name) for kind in (_SECRET, _PLACE)) or bool(_NAME.search(name) and name[-5:] != "users")


_TEXTS = frozenset({"full_name", "hint", "home", "shell", "picture"})
"""Keys of a person's entry that hold text beside names and secrets."""


def _converted(option: str, convert: t.Callable[[t.Any], t.Any], value: t.Any, wanted: str) -> t.Any:
    """Return what Ansible makes of it. Ansible's own error may hold the value, a secret in the wrong option: it is left
    out."""
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError):
        raise Refusal("value_unusable", f"{option} is {kind_of(value)}, and must be {wanted}") from None


def _whole(value: t.Any) -> int:
    """Return a whole number, but not one that Ansible would make of true or of 5.7."""
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError
    return t.cast(int, check_type_int(value))


def _shown(value: t.Any) -> str:
    """Say in words a value that is no secret: a number or text as it is, of anything else what it is."""
    if is_text(value):
        return f"the text {shortened(value)!r}"
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"the number {shortened(value)}" if number else kind_of(value)
