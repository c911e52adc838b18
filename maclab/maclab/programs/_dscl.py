# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the way from a node to a record as dscl does (PathManager.m, PathDirService.m and PathNode.m of DSTools)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from maclab import network, records
from maclab.call import Call
from maclab.records import Record
from maclab.texts import say

STATUS_NAMES = {
    -14009: "eDSUnknownNodeName",
    -14090: "eDSAuthFailed",
    -14120: "eDSPermissionError",
    -14121: "eDSReadOnly",
    -14130: "eDSInvalidRecordType",
    -14134: "eDSAttributeNotFound",
    -14135: "eDSRecordAlreadyExists",
    -14136: "eDSRecordNotFound",
    -14143: "eDSAttributeValueNotFound",
    -14165: "eDSAuthPasswordQualityCheckFailed",
    -14167: "eDSAuthAccountDisabled",
    -14240: "eDSEmptyAttribute",
    -14261: "eDSUnknownMatchType",
}
NOT_A_NODE, AUTH_FAILED, DENIED, READ_ONLY, WRONG_TYPE = -14009, -14090, -14120, -14121, -14130
NO_ATTRIBUTE, EXISTS, NO_RECORD, NO_VALUE = -14134, -14135, -14136, -14143
BAD_QUALITY, DISABLED, EMPTY, NO_PLIST_PATH = -14165, -14167, -14240, -14261

SERVICES = "localhost"
"""The place above all nodes."""
LOCAL = "/Local/Default"
SEARCH = "/Search"
CONTACT = "/Contact"
SEARCH_PATHS = {"Search": SEARCH, "Contact": CONTACT}
RECORD_PREFIXES = ("dsRecTypeStandard:", "dsRecTypeNative:")

# What the local node of a Mac lists beside the kinds that the lab holds; assumed as a whole.
OTHER_TYPES = (
    "AFPServer AFPUserAliases Aliases AppleMetaRecord Augments Automount AutomountMap AutoServerSetup Bootp "
    "CertificateAuthorities ComputerGroups ComputerLists Computers Ethernets FileMakerServers FTPServer Hosts "
    "LDAPServer Locations Machines Mounts NetDomains NetGroups Networks People Places PresetComputerGroups "
    "PresetComputerLists PresetComputers PresetGroups PresetUsers Printers Protocols QTSServer RPC Resources "
    "SMBServer Server Services SharePoints WebServer"
).split()


class InvalidPath(Exception):
    """A path that leads nowhere."""


class NotModelled(Exception):
    """A path that a Mac has and the lab has not."""


@dataclass(frozen=True)
class Place:
    """Where one is: above the nodes, at a node or before it, at a kind of record, at a record."""

    node: str = LOCAL
    kind: str = ""
    name: str = ""

    @property
    def shown(self) -> str:
        """The way from the node, as dscl's prompt has it."""
        return "/" + "/".join(part for part in (self.kind, self.name) if part)


@dataclass
class Session:
    """The options of one run, and where an interactive one began and has gone."""

    call: Call
    plist: bool = False
    raw: bool = False
    quiet: bool = False
    root: Place = field(default_factory=Place)
    place: Place = field(default_factory=Place)
    stack: list[Place] = field(default_factory=list)

    def say(self, key: str, /, **values: object) -> str:
        return say(f"dscl.{key}", self.call.mac.version_tuple, **values)

    def fail(self, status: int, what: str = "") -> int:
        name = STATUS_NAMES[status]
        if what:
            self.call.err(self.say("status", what=what, name=name))
        self.call.err(self.say("error", code=status, name=name))
        return status


# --- nodes ----------------------------------------------------------------------------------------


def nodes(session: Session) -> list[str]:
    """Return the nodes that open: that of a directory does not while it is away."""
    bound = session.call.mac.network
    return [LOCAL, SEARCH, CONTACT] + ([bound.node] if bound.node and bound.online else [])


def is_directory(session: Session, place: Place) -> bool:
    return place.node in nodes(session) and place.node not in (LOCAL, SEARCH, CONTACT)


def children(session: Session, node: str) -> list[str]:
    """Return what comes next behind a node or a part of its path."""
    bound = session.call.mac.network.node
    known = [LOCAL] + ([bound] if bound else [])
    above = "/" if node == SERVICES else f"{node}/"
    return sorted({each.removeprefix(above).split("/")[0] for each in known if each.startswith(above)}, key=str.lower)


# --- steps ----------------------------------------------------------------------------------------


def elements(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def resolve(session: Session, path: str) -> Place:
    """Go along a path; the record at its end has to be there."""
    place = session.root if path.startswith("/") else session.place
    for element in elements(path):
        place = step(session, place, element)
    return place


def step(session: Session, place: Place, element: str) -> Place:
    if element == ".":
        return place
    if element == "..":
        return _up(session, place)
    if place.kind:
        found = None if place.name else record(session, replace(place, name=element))
        if found is None:
            raise InvalidPath
        return replace(place, name=found.name)
    if place.node == SERVICES:
        return _service(session, element)
    if place.node in nodes(session):
        return replace(place, kind=kind_of(element))
    if element not in children(session, place.node):
        raise InvalidPath
    return Place(f"{place.node}/{element}")


def _up(session: Session, place: Place) -> Place:
    if place == session.root:
        return place
    if place.name:
        return replace(place, name="")
    if place.kind:
        return replace(place, kind="")
    above = place.node.rpartition("/")[0]
    return Place(above or SERVICES)


def _service(session: Session, element: str) -> Place:
    if element in SEARCH_PATHS:
        return Place(SEARCH_PATHS[element])
    if element.lower() in ("config", "configure", "cache"):
        raise NotModelled
    if element not in children(session, SERVICES):
        raise InvalidPath
    return Place(f"/{element}")


def kind_of(element: str) -> str:
    """Return the kind of record; its name may be in any case, and is in the plural (PathNode.m of DSTools)."""
    for prefix in RECORD_PREFIXES:
        element = element.removeprefix(prefix)
    folded = element.lower()
    if folded in (other.lower() for other in OTHER_TYPES):
        raise NotModelled
    kind = next((kind for kind in records.TYPES if kind.lower() == folded), None)
    if kind is None:
        raise InvalidPath
    return kind


# --- records --------------------------------------------------------------------------------------


def record(session: Session, place: Place) -> Record | None:
    """Look where the node says: on the Mac, in the directory, or by the search path in one after the other."""
    mac = session.call.mac
    here = records.record(mac, place.kind, place.name) if place.node in (LOCAL, SEARCH) else None
    if here is not None or place.kind != "Users" or not (place.node == SEARCH or is_directory(session, place)):
        return here
    person = network.find(mac, place.name)
    return None if person is None else records.directory_record(mac.network.node, person)


def all_records(session: Session, place: Place) -> list[Record]:
    """Return the records of a kind: those of this Mac, those of the directory by its own node."""
    mac = session.call.mac
    if is_directory(session, place):
        people = mac.network.users.values() if place.kind == "Users" else []
        return [records.directory_record(mac.network.node, person) for person in people]
    return records.records(mac, place.kind) if place.node in (LOCAL, SEARCH) else []
