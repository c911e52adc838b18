# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has the Python of a Mac keep what it compiles out of a zip file, as Ansible sends its modules in one for each task.

It is copied to where that Python finds it at its start, in each version that the collection supports on a Mac.
"""

from __future__ import annotations

import _imp
import gc
import marshal
import os
import sys
import zipimport
from types import CodeType


def keep_in(folder: str) -> None:
    compile_source = zipimport._compile_source  # type: ignore[attr-defined]

    def kept(pathname: str, source: bytes) -> CodeType:
        name = f"{sys.implementation.cache_tag}-{os.path.basename(pathname)}-{_imp.source_hash(0, source).hex()}"
        place = os.path.join(folder, name)
        try:
            with open(place, "rb") as file:
                code: CodeType = marshal.loads(file.read())
        except OSError:
            code = compile_source(pathname, source)
            # Another Mac may be at it, and no reader must see half of it.
            with open(f"{place}.{os.getpid()}", "wb") as file:
                file.write(marshal.dumps(code))
            os.replace(f"{place}.{os.getpid()}", place)
        _imp._fix_co_filename(code, pathname)  # type: ignore[attr-defined]
        return code

    zipimport._compile_source = kept  # type: ignore[attr-defined]
    # What a module leaves behind goes with it, a moment later, so nobody has to look for it.
    gc.disable()
