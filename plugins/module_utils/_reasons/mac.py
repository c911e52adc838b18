# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons in the Mac itself, and in what the task says.

This file is PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.keyholder.macos.plugins.module_utils._reasons.base import UNREAD, WORDS, Group, Reason

THE_MAC = Group(
    "The Mac",
    "Decided from the reading, before anything else. Nothing was authenticated and nothing was written.",
    {
        "not_root": Reason(
            "Writing to accounts and tokens needs root.",
            "Use become, or log in as root.",
            UNREAD,
        ),
        "not_a_mac": Reason(
            "The host did not answer as a Mac does.",
            "Check the inventory: this collection manages macOS 10.13 and newer.",
            "What the host answered instead.",
        ),
        "no_answer": Reason(
            "A program on the Mac did not end before the deadline, and without its answer the Mac cannot be read.",
            "Run the program that the evidence names on the Mac. If it hangs there too, restart the Mac, or look for a"
            " directory or an MDM server that does not answer. Raise timeout for a slow Mac.",
            "The command that did not answer.",
        ),
        "sudo_silent": Reason(
            "The Mac answered SSH, and then sudo there neither asked for a password nor went on.",
            "Log in by SSH and run 'sudo -v'. If it hangs there too, look for a PAM module, a directory or a DNS server"
            " that does not answer. If it is only slow, raise Ansible's timeout (-T).",
            "None: the message holds what Ansible said.",
        ),
        "socket_path_too_long": Reason(
            "SSH on the controller could not make the socket through which connections are shared, because its path is"
            " too long. No Mac was asked.",
            "Set ANSIBLE_SSH_CONTROL_PATH_DIR (control_path_dir in the section ssh_connection of ansible.cfg) to a"
            " short folder, such as ~/.cp.",
            "None: the message holds what SSH said.",
        ),
        "no_route": Reason(
            "The controller found no way to the Mac's address.",
            "If the controller is a Mac with macOS 15 or newer, open System Settings, Privacy & Security, Local"
            " Network, and allow the app that Ansible was started from: without that permission, a connection to a"
            " neighbour ends with these words. Otherwise, switch the Mac on, and look at the network between the two.",
            "None: the message holds what SSH said.",
        ),
        "unlock_no_answer": Reason(
            "The Mac that was to be unlocked does not answer SSH, or did not say what it made of the password.",
            "Go to the Mac: switch it on, or unlock it at its screen as a holder of a Secure Token or with the recovery"
            " key. Before macOS 26 that is the only way. From 26 on it answers there if Remote Login is on and its"
            " network asks for no login: Ethernet without 802.1X, or a Wi-Fi network (open or WPA2 Personal) that it"
            " has joined before. If no Mac answers, look at the controller's own network first.",
            "What SSH said last, and what it said of the password if one was sent.",
        ),
        "login_refused": Reason(
            "The Mac has started, as far as can be seen, and refuses the key that Ansible logs in with. No password was"
            " sent to it.",
            "Check ansible_user and its key, and that Remote Login allows the account.",
            "What SSH said last.",
        ),
        "host_key_unknown": Reason(
            "The controller knows no host key of this Mac. The password is sent to a known key only, also where"
            " host_key_checking is off.",
            "A Mac has the same host keys at its unlock screen as always. Take them from where they are known, such as"
            " the known_hosts of another controller, or the Mac itself once it is unlocked (ssh-keygen -lf"
            " /etc/ssh/ssh_host_ed25519_key.pub shows the fingerprint). Have ssh find them by UserKnownHostsFile in"
            " ansible_ssh_common_args, or in ~/.ssh/known_hosts.",
            "What SSH said last.",
        ),
        "shell_unreadable": Reason(
            "The Mac's shell did not answer the reading script as expected.",
            "Read the evidence. Usual causes: sudo refused the account, or /bin/sh on the Mac is not a POSIX shell.",
            "The exit status of the shell, and what it said last.",
        ),
        "needs_python": Reason(
            "The Mac has no Python, and this run needs one: to encrypt a recovery key there, or because perl, which"
            " would keep other runs away, is not there either. This run changed nothing.",
            "For a recovery key, name an age recipient, or set runner (or the variable keyholder_runner) to shell if it"
            " may pass through the memory of the controller. Or let the role python find or install a Python first."
            " macOS brings /usr/bin/perl: if that is missing, ask why.",
            "What was not found, if it is perl.",
        ),
        "module_not_run": Reason(
            "Ansible could not run a module on the Mac to its end, so it is not known what the module has done there.",
            "See the evidence. The Mac may have no Python (the role python looks for one), may refuse become, or may be"
            " unreachable. Repair that and run again: the next run finishes or undoes what was begun.",
            "What the Mac or Ansible said last.",
        ),
        "macos_too_old": Reason(
            "macOS before 10.13 has no Secure Tokens.",
            "Upgrade the Mac, or leave it out of the play.",
        ),
        "not_apfs": Reason(
            "The boot volume is not APFS, so there are no Secure Tokens on this Mac.",
            "Convert the boot volume to APFS (a macOS upgrade does it), or leave the Mac out of the play.",
        ),
        "reading_incomplete": Reason(
            "A source that this decision needs could not be read.",
            "Read the evidence. Usual causes: no root, no Full Disk Access for SSH, a command that did not answer"
            " in time.",
            UNREAD,
        ),
        "output_too_long": Reason(
            "A program on the Mac printed more than this run accepts, so this run stopped it.",
            "Run the program that the evidence names on the Mac, and see what it prints. It may be broken, or it"
            " may not be Apple's.",
            "The command, and how much it may print.",
        ),
        "reading_damaged": Reason(
            "This run could not understand what the Mac's programs printed.",
            "Read the Mac again. If it happens again, report it with the evidence and the version of macOS.",
            "Where in this collection the answer was not understood.",
        ),
        "needs_terminal": Reason(
            "A secret could reach this Mac only through a terminal or a file, and neither is used for that.",
            "Use sudo as the become method, without requiretty for the account (in sudoers: 'Defaults:NAME"
            " !requiretty'), and a connection that has pipelining, such as ssh.",
            "What sudo said, if it was asked.",
        ),
        "root_locked_out": Reason(
            "macOS refuses sysadminctl even to root, because the authorization database of this Mac was hardened.",
            "Run 'security authorizationdb reset' for the right that your hardening changed"
            " (usnistgov/macos_security 574).",
            WORDS,
        ),
        "no_full_disk_access": Reason(
            "macOS does not let this session change the account's record as asked, although it is root's.",
            "On the Mac, open System Settings, General, Sharing, Remote Login, and switch on 'Allow full disk"
            " access for remote users'. Or have the MDM server allow it to sshd-keygen-wrapper (SystemPolicyAllFiles).",
            WORDS,
        ),
        "not_ready": Reason(
            "Something that is certain speaks against erasing or upgrading this Mac now.",
            "Each line of the evidence names a check. findings says what to do about each.",
            "The checks that speak against it, those first that are certain.",
        ),
        "could_not_verify": Reason(
            "Nothing that is known speaks against erasing or upgrading this Mac, and something could not be verified."
            " That is no yes.",
            "Each line of the evidence names a check. findings says what to do about each. Name a check in accept if"
            " you have settled it in another way.",
            "The checks that could not be verified.",
        ),
    },
)

OPTIONS = Group(
    "Options",
    "The task itself cannot be carried out as it is written. Nothing was written.",
    {
        "option_missing": Reason(
            "An option that this change needs was not given.",
            "Give the option that the message names.",
        ),
        "option_unknown": Reason(
            "The task sets an option that does not exist.",
            "Correct the option's name, or remove it. The module's page and ansible-doc list its options.",
            "None. The message lists the options that there are.",
        ),
        "variable_unknown": Reason(
            "A variable begins like those of this collection, or is one of them with a letter mistyped, and no role or"
            " playbook takes it.",
            "Nothing was read or changed. Correct the variable's name. If it is your own, put its name into the list"
            " keyholder_own_variables.",
            "None. The message names each such variable and the nearest known one.",
        ),
        "event_unusable": Reason(
            "The playbook on_event was started without an event of an MDM, or with one that cannot be used.",
            "No Mac was reached. Let ansible-rulebook start the playbook, by a rulebook of the collection, which gives"
            " it the event.",
        ),
        "mac_unknown": Reason(
            "An event of an MDM speaks of a Mac that is no host of the inventory, or more than one.",
            "No Mac was reached. Give the one host that is the Mac the variable that the message names, or leave the"
            " event alone if the Mac is not yours to manage.",
        ),
        "policy_unusable": Reason(
            "The audit's policy is not valid.",
            "Correct what the message names. The guide to audits describes a policy.",
        ),
        "history_unusable": Reason(
            "The file that the option history names is not a history of audits, or cannot be read and written.",
            "Name another file, or one that does not exist yet. You may also put back an earlier copy of the history.",
        ),
        "report_unwritable": Reason(
            "The report's files could not be written.",
            "Free disk space, or name a writable folder in dest. An earlier report is unchanged, and the history"
            " does not contain this audit.",
        ),
        "log_unwritable": Reason(
            "The log of writes on the controller could not be written.",
            "Free disk space, or name a file in a writable folder in keyholder_log. If the message comes from a task"
            " that has changed the Mac, write down by hand what it did.",
        ),
        "report_unpublished": Reason(
            "The place that the option publish names cannot be reached, or does not take the report.",
            "Correct the address, the credentials or their rights, or make the place reachable, and start the audit"
            " again. A report that was already made is whole in the folder dest on the controller.",
            "What the place said.",
        ),
        "answers_missing": Reason(
            "No answers of Macs were found, so there is nothing to report on.",
            "Read the Macs first, or name the files that hold their answers in the option saved.",
            "The files or variables that could not be used.",
        ),
        "not_text": Reason(
            "A name, a secret or another text was given as a number, a date, a list or another value that is not text.",
            "Put the value in quotes where it is written: 0012345 without quotes is the number 5349, and '| string'"
            " does not restore the zeros. ansible-core 2.19 and newer also reads !unsafe '0123' in an extra-vars"
            " file as a number: leave !unsafe out, or set the value in group_vars or in a vault.",
            "None. The message says what the value is; of a secret the kind alone.",
        ),
        "password_is_hash": Reason(
            "The value is a hash of a password, such as password_hash makes for Linux, but macOS needs the password"
            " itself.",
            "Give the password itself. If exactly this text was once set as the account's password by mistake, give"
            " it once as old_password (current_password with a store) and set another password.",
        ),
        "async_unsupported": Reason(
            "An asynchronous task writes its options and its result, with their secrets, to the Mac's disk, and it"
            " cannot wait for the part of a module that runs on the controller. Without a Python on the Mac, or with"
            " runner shell, that is all of it.",
            "Remove async and poll from the task. Raise timeout for a slow Mac, and forks for many Macs.",
        ),
        "name_unusable": Reason(
            "macOS's tools cannot work with this account name.",
            "Use a short name of letters, digits, '.', '_', '-' and '@' that does not begin with '-'.",
        ),
        "value_unusable": Reason(
            "The value of an option cannot be used.",
            "Change the option that the message names.",
        ),
        "password_unusable": Reason(
            "macOS's prompts cannot take this password.",
            "Choose a password that is not empty, has no control characters, and keeps to the byte limit in the"
            " message.",
            "None. The message gives the number of bytes and the limit, never the password.",
        ),
    },
)
