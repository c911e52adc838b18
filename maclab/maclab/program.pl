# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Stands in for every program of a Mac: tells the lab about its invocation and does what the lab answers.
#
# It is started thousands of times in a test run, so it is in Perl, which starts in a fifth of a Python's time, and loads
# no module unless somebody is asked at a terminal. It owns the caller's terminal and standard streams, because no other
# process can; every decision is the lab's. frames.py describes what goes over the socket.

use strict;

# Without fcntl and socket modules: these are the same on Linux and macOS.
my ($READ_WRITE, $AF_UNIX, $SOCK_STREAM) = (2, 1, 1);
my $LAB_IS_DOWN = 125;
my $CANNOT_EXECUTE = 126;

# A caller may have closed a stream (`program >&-`), and what is opened next would take its number.
my ($in, $out, $err) = map { my $same; open($same, '+<&=', $_) || open($same, '+<', '/dev/null'); $same } 0 .. 2;
my $lab;

sub give_up {
    my ($why) = @_;
    write_all($err, "maclab: the lab does not answer (is it up?): $why\n");
    exit $LAB_IS_DOWN;
}

# By a path that is short whatever the lab's folder is called. The old folder may be gone or unreadable.
sub connect_to {
    my ($folder) = @_;
    my $address = $^O eq 'darwin' ? pack('CCZ*', 9, $AF_UNIX, 'socket') : pack('SZ*', $AF_UNIX, 'socket');
    socket($lab, $AF_UNIX, $SOCK_STREAM, 0) or give_up("$!");
    my $here;
    opendir($here, '.') or opendir($here, '/') or give_up("$!");
    chdir($folder) && connect($lab, $address) or give_up("$!");
    chdir($here) or give_up("$!");
}

sub fields { return join '', map { pack('N/a*', $_) } @_ }

sub send_frame {
    my ($letter, $payload) = @_;
    write_all($lab, $letter . pack('N/a*', $payload)) or give_up("$!");
}

sub receive_frame {
    my ($letter, $size) = unpack('aN', exactly(5));
    return ($letter, exactly($size));
}

sub exactly {
    my ($size) = @_;
    my $got = '';
    while (length $got < $size) {
        my $count = sysread($lab, $got, $size - length $got, length $got);
        $count or give_up($count // 1 ? "$!" : 'it closed the connection');
    }
    return $got;
}

sub write_all {
    my ($to, $data) = @_;
    while (length $data) {
        my $count = syswrite($to, $data);
        defined $count or return 0;
        substr($data, 0, $count) = '';
    }
    return 1;
}

# One byte at a time, so that the next program finds the rest. Beyond $limit: drop it, or leave it unread. Returns what was
# kept, undef where nothing was there, and how many bytes were read.
sub read_line {
    my ($from, $stops, $limit, $drop) = @_;
    my ($kept, $count) = ('', 0);
    while ($drop || $count < $limit) {
        my $byte = '';
        sysread($from, $byte, 1) or return ($count ? $kept : undef, $count);
        $count++;
        last if index($stops, $byte) >= 0;
        $kept .= $byte if length $kept < $limit;
    }
    return ($kept, $count);
}

sub read_everything {
    my $all = '';
    1 while sysread($in, $all, 65536, length $all);
    return $all;
}

sub terminal {
    my $terminal;
    return sysopen($terminal, '/dev/tty', $READ_WRITE) ? $terminal : undef;
}

# As Apple's getpass does: on the controlling terminal if there is one, else by stderr and stdin.
sub ask {
    my ($limit, $prompt) = @_;
    my $terminal = terminal();
    if (!$terminal) {
        write_all($err, $prompt);
        return (read_line($in, "\r\n", $limit, 1), 0);
    }
    require POSIX;
    my ($before, $quiet) = map { my $now = POSIX::Termios->new; $now->getattr(fileno $terminal); $now } 1 .. 2;
    $quiet->setlflag($quiet->getlflag & ~(POSIX::ECHO() | POSIX::ECHONL()));
    my $restore = sub { $before->setattr(fileno $terminal, $_[0]) };
    local @SIG{qw(INT TERM HUP)} = (sub {
        $restore->(POSIX::TCSANOW());
        $SIG{$_[0]} = 'DEFAULT';
        kill $_[0], $$;
    }) x 3;
    # TCSAFLUSH throws away what was typed before the prompt, as the real function does.
    $quiet->setattr(fileno $terminal, POSIX::TCSAFLUSH());
    write_all($terminal, $prompt);
    my ($data, $count) = read_line($terminal, "\r\n", $limit, 1);
    write_all($terminal, "\n");
    $restore->(POSIX::TCSAFLUSH());
    return ($data, $count, 1);
}

sub answer {
    my ($data, $count, $from_terminal) = @_;
    send_frame('R', pack('CCN', defined $data ? 1 : 0, $from_terminal, $count) . ($data // ''));
}

sub here {
    # A folder that was deleted has no link.
    (stat '.')[3] or return '/';
    return readlink('/proc/self/cwd') // do { require Cwd; Cwd::getcwd() } // '/';
}

sub hello {
    my ($path) = @_;
    my @numbers = ($$, getppid(), terminal() ? 1 : 0, -t $in ? 1 : 0, scalar @ARGV);
    return fields($path, here(), @numbers, @ARGV, %ENV);
}

sub become {
    my ($count, $program, @rest) = unpack('(N/a*)*', $_[0]);
    my @words = splice @rest, 0, $count;
    %ENV = @rest;
    exec { $program } @words or write_all($err, "$program: $!\n");
    exit $CANNOT_EXECUTE;
}

sub serve {
    while (1) {
        my ($letter, $payload) = receive_frame();
        # Programs of macOS do not look at what becomes of their words either. A broken pipe kills, by its signal.
        if    ($letter eq 'o') { write_all($out, $payload) }
        elsif ($letter eq 'e') { write_all($err, $payload) }
        elsif ($letter eq 'g') { answer(ask(unpack 'Na*', $payload)) }
        elsif ($letter eq 'l') { answer(read_line($in, "\n", unpack('N', $payload), 0), 0) }
        elsif ($letter eq 'a') { my $all = read_everything(); answer($all, length $all, 0) }
        elsif ($letter eq 'X') { become($payload) }
        else                   { return unpack 'N', $payload }
    }
}

# The first line of this program sets it, see layout.py: what locale the caller wishes for is the Mac's affair.
delete $ENV{PERL_BADLANG};
# Whoever starts this may have it ignore them; a program of macOS dies of them.
@SIG{qw(PIPE INT)} = ('DEFAULT') x 2;
# <lab>/macs/<name>/bin/<program>, or another name of it where the Mac's tree is `/`.
our $PLACE;
my $path = $PLACE ? $PLACE . '/' . ($0 =~ s{.*/}{}sr) : $0;
$path = here() . "/$path" if $path !~ m{^/};
1 while $path =~ s{/\.?(?=/)}{} || $path =~ s{/[^/]+/\.\.(?=/)}{};
connect_to($path =~ s{(/[^/]+){4}\z}{}sr);
send_frame('H', hello($path));
exit serve();
