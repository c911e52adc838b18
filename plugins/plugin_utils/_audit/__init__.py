# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a fleet of Macs by a policy, and report on it.

An audit runs on the controller and connects to nothing. It takes what trust_info returned for each Mac (a reading, or
why there is none), asks each rule of a policy about it, compares the result with an earlier audit, and writes a report.
From the core it needs what a reading looks like (``_shape``, ``_kind``, ``_text``; ``lint.py`` makes a sample of one
with ``_mac`` and ``_reading.view``), and the core knows nothing of it.

Data flows from left to right, one Mac at a time, so that memory does not grow with the fleet::

    policy files, keyholder_policy                      history.py  what the Mac was like
        |  policy_file, parameters, rules                   |
        v                                                   v
    policy.py: Policy ----------+            audit.py: change of the Mac ----> formats/: files
                                v                           ^    |
    trust_info, saved.py --> mac.py: Answer -> Judged ------+    +-----------> summary.py: Summary

Who uses it: ``plugins/action/audit_report.py`` (all of it), the filter ``fleet`` (no files and no history), the filter
``findings`` and the test ``compliant`` (``policy.judge_reading`` alone).

================== ==================================================================================================
``baseline.yml``   the collection's own rules, each with its reason; a policy lies upon it
``policy_file.py`` reads YAML and checks that it has the form of a policy
``rules.py``       what a rule, an exemption and a finding are; compiles the first two from what a policy says
``parameters.py``  each parameter keeps its kind, and is read by a rule
``expressions.py`` the Jinja sandbox of the rules, with its filters and tests
``commands.py``    the command that mends a finding, with its variables
``lint.py``        finds names that no reading has, before any Mac is read
``policy.py``      puts the layers upon each other; judges one reading
``mac.py``         one Mac: its answer, its findings, its state and how urgent that is
``saved.py``       answers that an earlier audit saved, or slices of a job packed
``history.py``     an SQLite file that can only be added to; what has changed since
``audit.py``       the run: from answers to files
``summary.py``     the fleet in numbers, and in lines for a terminal
``causes.py``      what keeps Macs from being compliant, by cause, with the command that puts it right
``changed.py``     what has changed, in sentences
``sentences.py``   numbers, names and times in words
``inventory.py``   columns and commands by what the inventory says
``escape.py``      texts from a Mac, harmless for a terminal, a spreadsheet, a ticket and a page
``formats/``       one file for each format, and the table of them
================== ==================================================================================================

Add a rule: an entry in ``baseline.yml``, whose head explains the keys; a Mac that breaks it, and what else that Mac
breaks, in ``BROKEN`` of ``test__audit_policy.py``, which fails for a rule without one. The rule sees what
``_reading.view`` makes of a reading: what is not there yet comes into the reading first. ``lint.py`` refuses a slip.

Add a format: a class with ``add`` and ``end`` (``formats/base.py``) in a file of its own, a line in ``FORMATS`` of
``formats/__init__.py``, the choice and its sentence in ``plugins/modules/audit_report.py``. Write through ``WholeFile``
alone, and let no text of a Mac out that ``escape.py`` has not seen; the tests on hostile names in
``test__audit_report.py`` look into every format of the table.

This folder is PRIVATE to the collection.
"""
