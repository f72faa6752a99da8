"""The file port: the few operations that the audit log asks of an operating system.

Everything blocks and belongs to the log's one writing thread. Failures are `OSError`, which the log
translates. Tests pass disks that forget and disks that fail.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from gateway.errors import AuditError

_MODE = 0o640  # the group may read, so that a shipper needs no more rights than that


class File(Protocol):
    """One open segment."""

    def write(self, content: bytes, offset: int) -> int:
        """Write at an offset; returns the bytes written, which may be fewer than asked."""

    def sync(self) -> None:
        """Return once content and length survive a loss of power."""

    def truncate(self, length: int) -> None:
        """Cut the file to a length."""

    def length_in_place(self) -> int | None:
        """Return the length, or None where the path no longer names this very file."""

    def close(self) -> None:
        """Let go of the file."""


class Lock(Protocol):
    """An exclusive hold on a directory against other processes."""

    def in_place(self) -> bool:
        """Tell whether the path still names the directory that is held."""

    def release(self) -> None:
        """Let go."""


class Files(Protocol):
    """The file system, as far as the log needs it."""

    def make_directory(self, path: Path) -> None:
        """Make a directory with its parents, so that they survive a loss of power."""

    def lock(self, directory: Path) -> Lock:
        """Hold a directory; raises AuditError where another process does."""

    def open(self, path: Path) -> File:
        """Open a file for writing; made empty where it does not exist."""

    def read(self, path: Path, offset: int, length: int) -> bytes:
        """Return up to `length` bytes; fewer, or none, at the end."""

    def length(self, path: Path) -> int:
        """Return the length of a file."""

    def names(self, directory: Path) -> Sequence[str]:
        """Return the names in a directory, in no order; none where it does not exist."""

    def replace(self, path: Path, content: bytes) -> None:
        """Put a new file in place of the old at once; a loss of power may undo it."""

    def sync_directory(self, path: Path) -> None:
        """Return once the names in a directory survive a loss of power."""


class OsFile:
    """A file of the operating system, by descriptor."""

    def __init__(self, path: Path) -> None:
        """Open, and make where there is none; a symbolic link is refused."""
        self._path = os.fspath(path)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, _MODE)
        held = os.fstat(self._descriptor)
        self._device, self._inode = held.st_dev, held.st_ino

    def write(self, content: bytes, offset: int) -> int:
        """Write at an offset."""
        return os.pwrite(self._descriptor, content, offset)

    def sync(self) -> None:
        """Flush content and length to the device."""
        if sys.platform == "darwin":  # fsync there stops at the device's own cache
            fcntl.fcntl(self._descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fdatasync(self._descriptor)

    def truncate(self, length: int) -> None:
        """Cut to a length."""
        os.ftruncate(self._descriptor, length)

    def length_in_place(self) -> int | None:
        """Compare the open file with what its path names now.

        As long as the descriptor is open no other file can have its inode number.
        """
        try:
            named = os.lstat(self._path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        same = named.st_ino == self._inode and named.st_dev == self._device
        return named.st_size if same else None

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)


class OsLock:
    """An advisory lock (flock) on the directory itself: no extra file, gone with the process."""

    def __init__(self, directory: Path) -> None:
        """Take the lock.

        Raises:
            AuditError: where another process has it.
        """
        self._directory = directory
        self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise AuditError(
                f"{directory}: another process writes this log\n"
                "    hint: give each process a worker name of its own, or stop the other one"
            ) from error

    def in_place(self) -> bool:
        """Compare the held directory with what its path names now."""
        return _names(self._directory, os.fstat(self._descriptor))

    def release(self) -> None:
        """Close the descriptor, and the lock with it."""
        os.close(self._descriptor)


class OsFiles:
    """The file system of this machine."""

    def make_directory(self, path: Path) -> None:
        """Make missing parents one by one, and sync the directory that each stands in."""
        missing = [step for step in (path, *path.parents) if not step.exists()]
        for step in reversed(missing):
            step.mkdir(mode=0o750, exist_ok=True)
            self.sync_directory(step.parent)

    def lock(self, directory: Path) -> Lock:
        """Take the lock on a directory."""
        return OsLock(directory)

    def open(self, path: Path) -> File:
        """Open a segment."""
        return OsFile(path)

    def read(self, path: Path, offset: int, length: int) -> bytes:
        """Read a piece of a file."""
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.read(length)

    def length(self, path: Path) -> int:
        """Return the length of a file."""
        return path.stat().st_size

    def names(self, directory: Path) -> Sequence[str]:
        """List a directory."""
        return [entry.name for entry in directory.iterdir()] if directory.exists() else []

    def replace(self, path: Path, content: bytes) -> None:
        """Write beside the file, then rename over it."""
        beside = f"{path}.new"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            done = os.write(descriptor, content)
            while done < len(content):
                done += os.write(descriptor, content[done:])
        finally:
            os.close(descriptor)
        os.replace(beside, path)  # noqa: PTH105 - a path object costs as much as the call

    def sync_directory(self, path: Path) -> None:
        """Flush the names in a directory."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _names(path: Path, held: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.lstat(), held)
    except (FileNotFoundError, NotADirectoryError):
        return False
