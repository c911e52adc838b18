# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the lock of a Mac without Python: a run that is many commands over SSH holds it while each of them runs, and
between them by a lease in the lock's file, which every other run honours. See :mod:`_lock`.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shlex
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.keyholder.macos.plugins.module_utils._lock import FOLDER, LEASE, NAME, POLL, Holder
from ansible_collections.keyholder.macos.plugins.module_utils._module import MACOS_PROGRAM, PROGRAMS
from ansible_collections.keyholder.macos.plugins.module_utils._reason import Refusal
from ansible_collections.keyholder.macos.plugins.module_utils._text import plain
from ansible_collections.keyholder.macos.plugins.plugin_utils._exec import ENVIRONMENT, Exec, Send, new_mark

OWN = 10
"""Seconds that a run waits for a command of its own that was stopped and has not quite ended."""

RESTARTING = 5
"""Seconds that the lease counts once the Mac was told to restart: no run outlives that, and none can let go by then. If
the Mac does not restart, the run's next command renews it."""

# What is looked at before the file is trusted, and the order, are FileLock's.
# * What is printed is one line of fields, and an empty line each second of waiting: where nobody reads that any more,
#   SIGPIPE ends the waiting.
# * Only who has the lock writes the file. Who reads it meanwhile may see half of it, and then tries the lock.
# * A lease is written over the one before, and only then cut to its length: on a full disk the old one stays.
# * The lock's descriptor moves beyond those that shells and scripts use, and the script's commands get it. So it is
#   held as long as one of them runs, also where perl was killed. It does not wait for daemons that keep it.
# * The script is given the input as it is: nothing here reads it.
_LOCK = r"""
use strict;
use warnings;
use Fcntl qw(:DEFAULT :flock :mode);

my ($folder, $name, $mark, $wait, $own, $poll, $most, $lease, $first, $release, $run, $who, @script) = @ARGV;
my $path = "$folder/$name";
my ($file, $since, $text, $met, $waited, $polls) = (undef, 0, "", "", 0, 0);
$SIG{PIPE} = "DEFAULT";
$| = 1;

sub tell_it {
    my ($state, $more) = @_;
    my $alive = $more =~ /"pid": *([1-9][0-9]{0,8})\b/ && kill(0, $1) ? 1 : 0;
    printf("%s lock %s %.1f %d %s %s\n", $mark, $state, $waited, $alive, map { unpack("H*", $_) } $more, $path);
}

sub refuse {
    tell_it(@_);
    exit 1;
}

sub failed {
    refuse($> && ($!{EACCES} || $!{EPERM}) ? "denied" : "unusable", $!{ELOOP} ? "it is a symbolic link" : "$!");
}

sub look {
    sysseek($file, 0, 0) or failed();
    defined sysread($file, $text, 4096) or failed();
    my ($of) = $text =~ /"run": *"([^"]+)"/;
    my ($until) = $text =~ /"until": *([0-9]{1,12})\b/;
    my $left = ($until || 0) - time;
    return defined $of && $of eq $run ? "mine" : defined $of && $left > 0 && $left <= $most ? "leased" : "";
}

sub sign {
    my ($since, $until) = @_;
    my $json = $who . qq(, "pid": 0, "since": $since, "until": $until});
    sysseek($file, 0, 0) && (syswrite($file, $json) || 0) == length $json && truncate($file, length $json);
}

sub hold {
    return $release ? truncate($file, 0) : sign($since, time + $lease);
}

sub open_it {
    sysopen(my $there, $folder, O_RDONLY | O_DIRECTORY) or failed();
    my ($mode, $owner) = (stat $there)[2, 4];
    refuse("unusable", "accounts other than root may write in $folder")
        if $owner && $owner != $> || $mode & 022;
    sysopen($file, $path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600) or failed();
    my ($device, $number, $kind, $links, $uid) = stat $file;
    my $wrong = !S_ISREG($kind) ? "it is not a regular file"
        : $uid != $> ? "it belongs to UID $uid"
        : $kind & 077 ? sprintf("other accounts may open it (mode %04o)", $kind & 07777)
        : $links > 1 ? "it has another name as well" : "";
    refuse("unusable", $wrong) if $wrong;
    return "$device $number";
}

sub take {
    my ($identity) = @_;
    while (1) {
        my $taken = look() ne "leased" && flock($file, LOCK_EX | LOCK_NB);
        my $state = look();
        refuse("lost", $text) if !$first && $state ne "mine";
        last if $taken && $state ne "leased";
        flock($file, LOCK_UN);
        $met = $text;
        refuse($first ? "busy" : "own", $met) if $waited >= ($first ? $wait : $own);
        print "\n" if ++$polls % 5 == 0;
        select(undef, undef, undef, $poll);
        $waited += $poll;
    }
    my @there = lstat $path;
    return @there && "$there[0] $there[1]" eq $identity;
}

my $tries = 0;
until (take(open_it())) {
    refuse("unusable", "it was replaced again and again") if ++$tries == 100;
}
print "\n" if $waited;
($since) = look() eq "mine" && $text =~ /"since": *([0-9]{1,12})\b/ ? $1 : time;
hold() && fcntl($file, F_DUPFD, 20) or failed();
tell_it("taken", $met);
my $child = fork;
defined $child or exit 1;
if (!$child) {
    exec { $script[0] } @script or exit 127;
}
waitpid($child, 0);
my $status = $?;
hold();
exit($status & 127 ? 128 + ($status & 127) : $status >> 8);
"""

# The folder is that of _module._lock_folder, found on the Mac itself.
_SCRIPT = """\
{environment}folder={folder}
if [ -z "$folder" ]; then
    program=$(command -v {program})
    case $program in
        {programs}/{program}) folder={usual} ;;
        /*)
            program=${{program%/*}}
            folder=${{program%/*}}/root{usual}
            ;;
        *)
            echo '{mark} lock nomac'
            exit 1
            ;;
    esac
fi
command -v perl >/dev/null || {{
    echo '{mark} lock noperl'
    exit 1
}}
exec perl -e {lock} -- "$folder" {arguments}
"""


@dataclass(frozen=True)
class Ticket:
    """Hold what a command says to the lock: for which run, and whether it is the ``first``, which may wait ``wait``
    seconds for other runs, or the last: ``release``. ``folder``: of the lock, "" for the Mac's own. ``lease``: seconds
    to hold it for afterwards."""

    module: str
    user: str
    wait: float
    folder: str = ""
    run: str = field(default_factory=lambda: secrets.token_hex(16))
    first: bool = True
    release: bool = False
    lease: int = LEASE


def locked(script: str, ticket: Ticket, mark: str) -> str:
    """Return the script that runs ``script`` under the lock. It says what :func:`lock_answer` takes out before
    anything that ``script`` prints; where it cannot have the lock, ``script`` does not run. ``script`` gets the input
    that this one is given."""
    who = json.dumps({"module": ticket.module, "user": ticket.user[:64], "run": ticket.run})[:-1]
    said = (
        NAME,
        mark,
        ticket.wait,
        OWN,
        POLL,
        LEASE,
        ticket.lease,
        int(ticket.first),
        int(ticket.release),
        ticket.run,
        who,
    )
    return _SCRIPT.format(
        folder=shlex.quote(ticket.folder),
        program=MACOS_PROGRAM,
        programs=PROGRAMS,
        environment=ENVIRONMENT,
        usual=FOLDER,
        mark=mark,
        lock=shlex.quote(_LOCK),
        arguments=" ".join(shlex.quote(str(word)) for word in (*said, "/bin/sh", "-c", script)),
    )


def lock_answer(out: bytes, mark: str, err: bytes = b"") -> str:
    """Return what to tell about the waiting for the lock, "" where there was none, out of what :func:`locked`'s script
    printed. Raises :class:`Refusal` if it has not got the lock; then nothing of the script has run. ``err``: what came
    back on the other stream, for where there is no answer."""
    begin = f"{mark} lock ".encode("ascii")
    lines = [line.rstrip(b"\r")[len(begin) :] for line in out.split(b"\n") if line.startswith(begin)]
    state, *fields = lines[0].decode("ascii", "replace").split(" ") if lines else [""]
    if state == "noperl":
        raise Refusal("needs_python", "perl was not found", ("/bin/sh: perl was not found",))
    if state == "nomac":
        raise Refusal("not_a_mac", f"{MACOS_PROGRAM} was not found")
    try:
        seconds, alive, text, path = float(fields[0]), fields[1] == "1", _text(fields[2]), _text(fields[3])
    except (ValueError, IndexError):
        lines = [line.strip() for line in (err + b"\n" + out[-600:]).splitlines() if line.strip()]
        words = plain(b" | ".join(lines).decode("utf-8", "replace")[-600:]) or "nothing"
        raise Refusal("shell_unreadable", "the Mac's shell has not answered", (f"/bin/sh: {words}",)) from None
    holder = Holder.parse(text.encode("utf-8"))
    who = "" if holder is None else holder.words(alive)
    waited = f", and it was still at work after {seconds:g} seconds" if seconds else ""
    other = who or "a run that has not yet written who it is"
    if state == "taken":
        return f"waited {seconds:.0f} seconds for another run: {other}" if seconds else ""
    if state == "busy":
        raise Refusal("another_run", f"another run is changing this Mac{waited}: {other}", (path,))
    if state == "lost":
        since = f": {who}" if who else ""
        raise Refusal("lock_lost", f"this run no longer holds the lock {path}{since}", (path,))
    if state == "own":
        raise Refusal("lock_lost", "a command of this run was stopped, still runs, and holds the lock", (path,))
    if state == "denied":
        raise Refusal("not_root", "only root can hold the lock that keeps other runs away", (path,))
    raise Refusal("lock_unusable", f"the lock {path} cannot be held: {plain(text)}", (path,))


def _text(hexadecimal: str) -> str:
    return bytes.fromhex(hexadecimal).decode("utf-8", "replace")


class ShellLock:
    """Hold the lock for a run that reaches the Mac by ``send``."""

    def __init__(self, send: Send, ticket: Ticket) -> None:
        self._send = send
        self._ticket = ticket

    @contextlib.contextmanager
    def held(self) -> t.Iterator[str]:
        """See :class:`_lock.Lock`. Raises what the connection raises, too."""
        note = self._ask(replace(self._ticket, first=True, release=False))
        try:
            yield note
        finally:
            # The lease ends by itself, soon.
            with contextlib.suppress(Exception):
                self._ask(replace(self._ticket, first=False, release=True))

    def around(self, asked: Exec, mark: str, lease: int = LEASE) -> Exec:
        """Return what runs ``asked`` while the lock is held. :func:`lock_answer` tells whether it has run at all."""
        ticket = replace(self._ticket, first=False, release=False, lease=lease)
        return replace(asked, script=locked(asked.script, ticket, mark))

    def _ask(self, ticket: Ticket) -> str:
        mark = new_mark()
        said = self._send(Exec(locked(":", ticket, mark)))
        return lock_answer(said.out, mark, said.err)
