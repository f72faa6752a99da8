"""A digest over the bytes of files, so that a reload is tried once for each new content.

Watchers report a change several times; comparing contents makes each broken file one report.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

# More than any file that is loaded may have; what is larger is told apart by size and time.
_MAX_BYTES = 64 << 20
_MAX_FILES = 4_096


def fingerprint(roots: Iterable[Path]) -> str:
    """Hash names and contents of files, and of the files below directories.

    Names that begin with a dot are passed over below a directory, as they are when it is loaded.
    What cannot be read counts by its name and the error's: the loader will say why.
    """
    digest = hashlib.sha256()
    for root in roots:
        for path in _files(root):
            digest.update(f"{path}\0".encode("utf-8", "surrogateescape"))
            digest.update(_content(path))
    return digest.hexdigest()


def _files(root: Path) -> list[Path]:
    """Return what is loaded below a root; links to directories count at the top level only."""
    if not root.is_dir():
        return [root]
    found: list[Path] = []
    linked = [path for path in _entries(root) if path.is_symlink() and path.is_dir()]
    for top in (root, *linked):
        for directory, names, files in os.walk(top, followlinks=False):
            names[:] = sorted(name for name in names if not name.startswith("."))
            found += [Path(directory) / name for name in sorted(files) if not name.startswith(".")]
            if len(found) > _MAX_FILES:
                return found[:_MAX_FILES]
    return found


def _entries(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if not path.name.startswith("."))
    except OSError:
        return []


def _content(path: Path) -> bytes:
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode) or state.st_size > _MAX_BYTES:
            return f"{state.st_mode} {state.st_size} {state.st_mtime_ns}".encode()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()  # in pieces
    except OSError as failure:
        return f"error {failure.errno}".encode()
