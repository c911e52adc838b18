# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do on a Mac without Python what its shell cannot: compare a password with its hash, and type on a terminal.

By macOS's own Perl, which the manual pages of 10.13 to 26 show; that 27 still brings it is assumed. The programs use
modules of Perl's own alone, write no file, and take secrets on stdin only. They travel as arguments within a script,
so they hold no apostrophe, which quoting would make long.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.keyholder.macos.plugins.module_utils._command import dscl
from ansible_collections.keyholder.macos.plugins.module_utils._runner import Command, Ran, Secret

# Arguments: the most rounds, the most bytes of the verifier, and the command that shows the hash. Stdin: the password.
# * dscl gets an empty stdin, so it cannot read what stands behind the password.
# * Of the binary property list only what is looked for is read: a dictionary with keys of ASCII, data and whole
#   numbers. Whatever else stands there, or points outside, ends the program, and then nothing is known.
# * `object` is told which kind it must find, so no key can lead it round in a circle.
# * The word is printed as well because perl takes the status of a failure of its own from errno, which may be 1.
COMPARE = r"""
use strict;
use warnings;
use Digest::SHA qw(hmac_sha512);

sub unknown { exit 3 }

my ($most_rounds, $most_bytes, @ask) = @ARGV;
binmode STDIN;
my $password = <STDIN>;
defined $password or unknown();
chomp $password;
open(STDIN, "<", "/dev/null") or unknown();
open(my $dscl, "-|", @ask) or unknown();
binmode $dscl;
read($dscl, my $said, 1 << 20);
close($dscl) or unknown();
my @shown = $said =~ m{<key>\Q$ask[-1]\E</key>\s*<array>\s*<string>([0-9a-fA-F\s]*)</string>\s*</array>}g;
@shown == 1 or unknown();
$shown[0] =~ s/\s+//g;
my $plist = pack("H*", $shown[0]);
my $end = length($plist) - 32;
$end > 8 && $plist =~ /\Abplist00/ or unknown();

sub whole {
    my ($at, $size) = @_;
    $size >= 1 && $size <= 8 && $at + $size <= length $plist or unknown();
    my $number = 0;
    $number = $number * 256 + $_ for unpack("C*", substr($plist, $at, $size));
    return $number;
}

my ($offset_size, $ref_size) = map { whole($end + $_, 1) } 6, 7;
my ($count, $top, $table) = map { whole($end + $_, 8) } 8, 16, 24;
my ($INT, $DATA, $TEXT, $DICT) = (1, 4, 5, 13);

sub object {
    my ($ref, $kind) = @_;
    $ref < $count or unknown();
    my $at = whole($table + $ref * $offset_size, $offset_size);
    my $mark = whole($at++, 1);
    $mark >> 4 == $kind or unknown();
    my $size = $mark & 15;
    return whole($at, 1 << $size) if $kind == $INT;
    if ($size == 15) {
        my $wide = whole($at++, 1);
        $wide >> 4 == $INT or unknown();
        $size = whole($at, 1 << ($wide & 15));
        $at += 1 << ($wide & 15);
    }
    if ($kind != $DICT) {
        $at + $size <= $end or unknown();
        return substr($plist, $at, $size);
    }
    my %values;
    for my $number (0 .. $size - 1) {
        my $key = object(whole($at + $number * $ref_size, $ref_size), $TEXT);
        $values{$key} = whole($at + ($size + $number) * $ref_size, $ref_size);
    }
    return \%values;
}

sub value {
    my ($dict, $key, $kind) = @_;
    exists $dict->{$key} or unknown();
    return object($dict->{$key}, $kind);
}

my $verifier = value(object($top, $DICT), "SALTED-SHA512-PBKDF2", $DICT);
my ($entropy, $salt) = map { value($verifier, $_, $DATA) } "entropy", "salt";
my $rounds = value($verifier, "iterations", $INT);
length $entropy && length $entropy <= $most_bytes && $rounds && $rounds <= $most_rounds or unknown();

my ($derived, $block) = ("", 0);
while (length $derived < length $entropy) {
    my $sum = my $part = hmac_sha512($salt . pack("N", ++$block), $password);
    for (2 .. $rounds) {
        $part = hmac_sha512($part, $password);
        $sum ^= $part;
    }
    $derived .= $sum;
}
my $same = substr($derived, 0, length $entropy) eq $entropy;
print $same ? "matches\n" : "differs\n";
exit($same ? 0 : 1);
"""

# Arguments: how each prompt ends, `--`, the program and its arguments. Stdin: what to type at each prompt, a line each.
# * The numbers are ioctls. Linux: TIOCSPTLCK, TIOCGPTN, TIOCSCTTY. Darwin: TIOCPTYGRANT, TIOCPTYUNLK, TIOCPTYGNAME,
#   TIOCSCTTY (bsd/sys/ttycom.h of apple-oss-distributions/xnu).
# * The terminal is open before the fork and until the program has it, so it never looks closed too early.
# * Who opens a terminal first in a session of its own has it as the controlling one; the ioctl says so once more. A
#   program that had none might ask at somebody else's, so /dev/tty must open.
# * Only this process has the other end open (perl closes it on exec). So its death hangs the terminal up, which ends
#   the program; a shell that starts something behind `&` has it ignore some signals, so all are as usual again.
# * After the last word, Linux reads an error (EIO) and Darwin nothing.
TERMINAL = r"""
use strict;
use warnings;
use Fcntl;
use POSIX ();

my @ends;
push @ends, shift @ARGV while @ARGV && $ARGV[0] ne "--";
shift @ARGV;

sub give_up {
    print STDERR "$_[0]\n";
    exit 126;
}

my $darwin = $^O eq "darwin";
binmode STDIN;
binmode STDOUT;
$| = 1;
my @answers = <STDIN>;
grep { -x "$_/$ARGV[0]" } split(/:/, $ENV{PATH}) or give_up("$ARGV[0] was not found");

sysopen(my $master, "/dev/ptmx", O_RDWR | O_NOCTTY) or give_up("no terminal: $!");
my $name = "\0" x 128;
if ($darwin) {
    ioctl($master, 0x20007454, 0) && ioctl($master, 0x20007452, 0) && ioctl($master, 0x40807453, $name)
        or give_up("no terminal: $!");
    $name =~ s/\0.*//s;
} else {
    my $number = pack("i", 0);
    ioctl($master, 0x40045431, $number) && ioctl($master, 0x80045430, $number) or give_up("no terminal: $!");
    $name = "/dev/pts/" . unpack("i", $number);
}
sysopen(my $slave, $name, O_RDWR | O_NOCTTY) or give_up("no terminal: $!");
my $settings = POSIX::Termios->new;
$settings->getattr(fileno $slave) or give_up("no terminal: $!");
$settings->setlflag($settings->getlflag & ~POSIX::ECHO());
$settings->setattr(fileno $slave, POSIX::TCSANOW()) or give_up("no terminal: $!");

my $child = fork;
defined $child or give_up("no process: $!");
if (!$child) {
    $SIG{$_} = "DEFAULT" for qw(HUP INT QUIT PIPE TERM);
    POSIX::setsid();
    close $master;
    sysopen(my $own, $name, O_RDWR) or give_up("no terminal: $!");
    ioctl($own, $darwin ? 0x20007461 : 0x540e, 0);
    sysopen(my $asked, "/dev/tty", O_RDWR) or give_up("no controlling terminal: $!");
    open(STDIN, "<&", $own) && open(STDOUT, ">&", $own) && open(STDERR, ">&", $own) or POSIX::_exit(126);
    exec { $ARGV[0] } @ARGV or POSIX::_exit(126);
}
close $slave;

my ($said, $kept) = ("", "");
while (1) {
    vec(my $ready = "", fileno $master, 1) = 1;
    select($ready, undef, undef, undef);
    sysread($master, my $block, 4096) or last;
    $said = substr($said, -4096) if length $said > 4096;
    $said .= $block;
    $kept .= $block;
    my $half = $kept =~ s/\r\z// ? "\r" : "";
    $kept =~ s/\r\n/\n/g;
    print $kept;
    $kept = $half;
    if (@ends && @answers && $said =~ /\Q$ends[0]\E *\z/) {
        shift @ends;
        syswrite($master, shift @answers);
        $said = "";
    }
}
print $kept;
waitpid($child, 0);
exit($? & 127 ? 128 + ($? & 127) : $? >> 8);
"""


@dataclasses.dataclass(frozen=True)
class PerlCommand(Command):
    """Hold a command that Perl carries out. A person is told ``told`` in the place of the whole program."""

    told: str = ""

    def __str__(self) -> str:
        return self.told


def compare(user: str, password: Secret) -> Command:
    """Compare a password with the account's hash, as root, on the Mac itself. The hash does not leave it, and nothing
    is authenticated: see :func:`dscl.read_hash`. Its answer is :func:`compared`."""
    asked = dscl.read_hash(user)
    argv = ("perl", "-e", COMPARE, "--", str(dscl.ITERATIONS), str(dscl.ENTROPY), *asked.argv)
    return PerlCommand(argv, prompts=(password,), private=True, told=f"{asked}, compared by perl")


def compared(ran: Ran) -> bool | None:
    """Return whether the password is the account's, as :func:`dscl.hash_matches` does. None: not known."""
    return {(0, "matches\n"): True, (1, "differs\n"): False}.get((-1 if ran.rc is None else ran.rc, ran.out))


def at_terminal(command: Command) -> Command:
    """Return the command that runs ``command`` on a terminal of its own and holds its dialogue there. It ends when
    Perl is ended. What opens the terminal on Darwin is assumed, from the source of xnu and not from a run.

    A command without a dialogue needs no terminal, and comes back as it is.
    """
    if not command.dialogue:
        return command
    if command.input():
        raise ValueError(f"{command}: who types at a terminal has no stdin as well")
    fields: dict[str, t.Any] = {field.name: getattr(command, field.name) for field in dataclasses.fields(Command)}
    fields["argv"] = ("perl", "-e", TERMINAL, "--", *(end for end, dummy in command.dialogue), "--", *command.argv)
    fields.update(dialogue=(), prompts=tuple(answer for dummy, answer in command.dialogue))
    return PerlCommand(**fields, told=str(command))
