"""Disks for tests: one that forgets what was not synced, and one that fails on demand."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.audit.files import File, Files, Lock
from gateway.audit.log import AuditLog
from gateway.audit.tuning import Tuning
from gateway.errors import AuditError
from tests.builders import NOW

ORIGIN = "gw.example/audit"


async def open_log(directory: Path, files: Files | None = None, **changes: object) -> AuditLog:
    """Open the log `w0` below a directory; it probes only when told to. Changes: the tuning's."""
    tuning = Tuning(**{"probe_s": 3_600, "head_s": 0.0, **changes})  # type: ignore[arg-type]
    return await AuditLog.open(
        directory,
        origin=ORIGIN,
        worker="w0",
        engine="0.1.0",
        clock=lambda: NOW,
        files=files,
        tuning=tuning,
    )


async def turns(number: int) -> None:
    """Let the loop run so many turns."""
    for _ in range(number):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until a condition holds; five seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)


def the_log(directory: Path) -> Path:
    """Return the directory of the log that `open_log` opens."""
    return directory / "gw.example%2Faudit" / "w0"


@dataclass
class Inode:
    """A file: what programs see, and what a loss of power leaves of it."""

    content: bytearray = field(default_factory=bytearray)
    durable: bytes = b""


@dataclass
class Disk:
    """A disk in memory. `lying_sync` and `lying_directories` are disks that sync nothing."""

    lying_sync: bool = False
    lying_directories: bool = False
    names: dict[Path, Inode] = field(default_factory=dict)
    durable_names: dict[Path, Inode] = field(default_factory=dict)
    held: set[Path] = field(default_factory=set)
    directories: set[Path] = field(default_factory=set)
    powered: int = 0

    def lose_power(self, *, tail_permille: int = 0, names_survive: bool = False) -> None:
        """Forget what was not synced, but for a part of what was written at the end of files."""
        self.powered += 1
        self.held.clear()
        if not names_survive:
            self.names = dict(self.durable_names)
        for inode in self.names.values():
            inode.content[:] = _survivor(inode, tail_permille)
            inode.durable = bytes(inode.content)
        self.durable_names = dict(self.names)

    def dump(self, directory: Path) -> None:
        """Write the files below a real directory."""
        for path, inode in self.names.items():
            target = directory / path.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(inode.content)


def _survivor(inode: Inode, tail_permille: int) -> bytes:
    content = bytes(inode.content)
    if content.startswith(inode.durable):
        tail = len(content) - len(inode.durable)
        return content[: len(inode.durable) + tail * tail_permille // 1_000]
    return content if tail_permille >= 500 else inode.durable


@dataclass
class MemoryFiles:
    """The file port of a disk in memory, until its power goes."""

    disk: Disk
    powered: int = -1

    def __post_init__(self) -> None:
        self.powered = self.disk.powered

    def alive(self) -> Disk:
        """Return the disk, or fail as everything does without power."""
        if self.disk.powered != self.powered:
            raise OSError(errno.EIO, "the power is off")
        return self.disk

    def make_directory(self, path: Path) -> None:
        self.alive().directories.add(path)

    def lock(self, directory: Path) -> Lock:
        disk = self.alive()
        if directory in disk.held:
            raise AuditError("another process writes this log")
        disk.held.add(directory)
        return MemoryLock(disk, directory, self.powered)

    def open(self, path: Path) -> File:
        inode = self.alive().names.setdefault(path, Inode())
        return MemoryFile(self, path, inode)

    def read(self, path: Path, offset: int, length: int) -> bytes:
        return bytes(self.alive().names[path].content[offset : offset + length])

    def length(self, path: Path) -> int:
        return len(self.alive().names[path].content)

    def names(self, directory: Path) -> Sequence[str]:
        return [path.name for path in self.alive().names if path.parent == directory]

    def replace(self, path: Path, content: bytes) -> None:
        self.alive().names[path] = Inode(bytearray(content))

    def sync_directory(self, path: Path) -> None:
        disk = self.alive()
        if not disk.lying_directories:
            kept = {name: inode for name, inode in disk.names.items() if name.parent == path}
            gone = {name for name in disk.durable_names if name.parent == path} - kept.keys()
            disk.durable_names.update(kept)
            for name in gone:
                del disk.durable_names[name]


@dataclass
class MemoryFile:
    files: MemoryFiles
    path: Path
    inode: Inode

    def write(self, content: bytes, offset: int) -> int:
        self.files.alive()
        self.inode.content[offset : offset + len(content)] = content
        return len(content)

    def sync(self) -> None:
        if not self.files.alive().lying_sync:
            self.inode.durable = bytes(self.inode.content)

    def truncate(self, length: int) -> None:
        self.files.alive()
        del self.inode.content[length:]

    def length_in_place(self) -> int | None:
        same = self.files.alive().names.get(self.path) is self.inode
        return len(self.inode.content) if same else None

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class MemoryLock:
    disk: Disk
    directory: Path
    powered: int

    def in_place(self) -> bool:
        return True

    def release(self) -> None:
        if self.disk.powered == self.powered:
            self.disk.held.discard(self.directory)


@dataclass
class Faults:
    """What goes wrong from now on; None is nothing.

    Attributes:
        write: raised instead of writing, after the first `written` bytes.
        sync: raised by syncs, after the content reached the disk if `synced_although`.
        replace: raised by replacing a file.
        open: raised by opening a file.
        short: most bytes that one write takes.
        power: called before the named operation, once: `open`, `write`, `sync`, `synced` (after a
            sync), `replace`; it may raise.
        gate: each sync takes one from it, or waits.
        syncs: syncs that began.
    """

    write: OSError | None = None
    written: int = 0
    sync: OSError | None = None
    synced_although: bool = False
    replace: OSError | None = None
    open: OSError | None = None
    short: int | None = None
    power: dict[str, Callable[[], None]] = field(default_factory=dict)
    gate: threading.Semaphore | None = None
    syncs: int = 0

    def begin(self, **faults: object) -> None:
        """Let something go wrong, named as the attributes are."""
        for name, fault in faults.items():
            setattr(self, name, fault)

    def open_gate(self) -> None:
        """Let those pass that wait, and all that come."""
        gate, self.gate = self.gate, None
        if gate is not None:
            gate.release()

    def heal(self) -> None:
        """Let everything work again."""
        self.write = self.sync = self.replace = self.open = self.short = None
        self.written, self.synced_although = 0, False
        self.power.clear()

    def happen_at(self, operation: str) -> None:
        """Let happen what is to happen at an operation."""
        if operation in self.power:
            self.power.pop(operation)()


@dataclass
class FaultyFiles:
    """A file port over another one that fails as told."""

    inner: Files
    faults: Faults

    def make_directory(self, path: Path) -> None:
        self.inner.make_directory(path)

    def lock(self, directory: Path) -> Lock:
        return self.inner.lock(directory)

    def open(self, path: Path) -> File:
        self.faults.happen_at("open")
        if self.faults.open is not None:
            raise self.faults.open
        return FaultyFile(self.inner.open(path), self.faults)

    def read(self, path: Path, offset: int, length: int) -> bytes:
        return self.inner.read(path, offset, length)

    def length(self, path: Path) -> int:
        return self.inner.length(path)

    def names(self, directory: Path) -> Sequence[str]:
        return self.inner.names(directory)

    def replace(self, path: Path, content: bytes) -> None:
        self.faults.happen_at("replace")
        if self.faults.replace is not None:
            raise self.faults.replace
        self.inner.replace(path, content)

    def sync_directory(self, path: Path) -> None:
        self.inner.sync_directory(path)


@dataclass
class FaultyFile:
    inner: File
    faults: Faults

    def write(self, content: bytes, offset: int) -> int:
        faults = self.faults
        if faults.write is not None:
            self.inner.write(content[: faults.written], offset)
            raise faults.write
        if "write" in faults.power:
            self.inner.write(content[: len(content) // 2], offset)
            faults.happen_at("write")
        return self.inner.write(content[: faults.short], offset)

    def sync(self) -> None:
        faults = self.faults
        faults.syncs += 1
        if faults.gate is not None:
            faults.gate.acquire()
        faults.happen_at("sync")
        if faults.sync is None or faults.synced_although:
            self.inner.sync()
        if faults.sync is not None:
            raise faults.sync
        faults.happen_at("synced")

    def truncate(self, length: int) -> None:
        self.inner.truncate(length)

    def length_in_place(self) -> int | None:
        return self.inner.length_in_place()

    def close(self) -> None:
        self.inner.close()
