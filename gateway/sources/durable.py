"""Small files that survive a loss of power: replaced whole, or added to.

What a reader finds is the old content or the new one, never a piece of either.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gateway.audit.files import OsFile, OsFiles

_NEWLINE: Final = b"\n"


def replace_durably(path: Path, content: bytes) -> None:
    """Put a file in place of another; on return it survives a loss of power.

    Raises:
        OSError: it cannot be written; what stood there still does.
    """
    place(path, content)
    OsFiles().sync_directory(path.parent)


def holds(path: Path, content: bytes) -> bool:
    """Tell whether a file holds just this; what cannot be read does not."""
    try:
        return path.is_file() and path.read_bytes() == content
    except OSError:
        return False


def place(path: Path, content: bytes) -> None:
    """Put a file in place of another; its name survives a loss of power once the directory does.

    Raises:
        OSError: it cannot be written; what stood there still does.
    """
    OsFiles().make_directory(path.parent)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write(beside, content)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _write(path: Path, content: bytes) -> None:
    file = OsFile(path)
    try:
        file.truncate(0)
        _write_at(file, content, 0)
        file.sync()
    finally:
        file.close()


def append_durably(path: Path, line: bytes) -> None:
    """Add a line to a file; a piece of a line that an earlier end left there is cut off first.

    Raises:
        OSError: it cannot be written.
    """
    new = not path.exists()
    whole = len(whole_lines(path))
    file = OsFile(path)
    try:
        file.truncate(whole)
        try:
            _write_at(file, line + _NEWLINE, whole)
            file.sync()
        except OSError:
            file.truncate(whole)
            raise
    finally:
        file.close()
    if new:
        OsFiles().sync_directory(path.parent)


def whole_lines(path: Path) -> bytes:
    """Return the content of a file up to its last newline; nothing where there is no file.

    Raises:
        OSError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b""
    return content[: content.rfind(_NEWLINE) + 1]


def _write_at(file: OsFile, content: bytes, offset: int) -> None:
    done = 0
    while done < len(content):
        done += file.write(content[done:], offset + done)
