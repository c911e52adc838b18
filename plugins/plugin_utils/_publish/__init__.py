# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a report and the history of audits in a place that outlives the controller, one kind of place a file.

    publication.py  one publication: fetch the histories, unite them, put the report and the united history there
         |
    target.py       what the options name: the kind of place, its address, and the page's address.   Pure
    place.py        what every kind of place can do, and what goes wrong there
         |
    web.py          a web server that takes PUT, and WebDAV
    s3.py           S3, and what speaks like it
    git.py          a git repository

A history there is never written over. Each audit puts a new file that holds all audits it knows, named by its content,
and takes away only the files that it has read. Two audits at once leave two files, and the next one unites them. So no
place needs a lock or a condition, and a file that was cut off betrays itself by its name.

To add a kind of place, derive a class from ``Place``, and name it in ``target.py`` and ``publication.py``.

This file is PRIVATE to the collection.
"""
