"""The files of one worker's log: where they stand, what they are called, how lines get into them.

`<dir>/<origin>/<worker>/` holds segments `<first seq, 20 digits>.jsonl` and `head.json`; beside the
workers stands `parts`, which is no log (see `gateway.sources.stored_parts`). Origin and
worker are one path component each, percent-encoded (`gw.example/audit` → `gw.example%2Faudit`), so
that two origins never share a directory and the name can be read back. `head.json` is derived from
the lines and may be behind them, never ahead.

`Segments` blocks; it belongs to the log's one writing thread.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

from gateway.audit.canonical import canonical
from gateway.audit.files import File, Files, Lock
from gateway.audit.merkle import Frontier

HEAD = "head.json"
PARTS = "parts"
_SEGMENT = re.compile(r"[0-9]{20}\.jsonl")


class Position(msgspec.Struct, frozen=True):
    """A place in the log: name of a segment, and an offset in bytes between two of its lines."""

    segment: str
    offset: int


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `head.json` says: the root over the first `size` lines, and where the next one begins.

    Attributes:
        v: version of this form.
        origin: of the log.
        worker: of the log.
        size: lines under the root.
        root: hex.
        frontier: hex, roots of the complete subtrees, largest first.
        segment: name of the segment that the next line goes to.
        offset: where in it, bytes.
        open_from: the `seq` of the oldest `decided` line that nothing completes yet, else `size`.
    """

    v: Literal[1] = 1
    origin: str
    worker: str
    size: int
    root: str
    frontier: tuple[str, ...]
    segment: str
    offset: int
    open_from: int


class DisplacedError(Exception):
    """The files are not those that were written: deleted, replaced, or changed by somebody."""


def worker_directory(directory: Path, *, origin: str, worker: str) -> Path:
    """Return the directory of one worker's log.

    Raises:
        ValueError: for an origin or a worker name that cannot be a path component.
    """
    components = [quote(name, safe="") for name in (origin, worker)]
    for component in components:
        if component in {"", ".", "..", PARTS}:
            raise ValueError(f"`{component}` cannot name an audit log")
    return directory.joinpath(*components)


def parts_directory(directory: Path, *, origin: str) -> Path:
    """Return where an origin keeps what its decisions were made under; no worker has this name.

    Raises:
        ValueError: for an origin that cannot be a path component.
    """
    return worker_directory(directory, origin=origin, worker="0").with_name(PARTS)


def segment_name(first_seq: int) -> str:
    """Return the name of the segment whose first line has this `seq`."""
    return f"{first_seq:020}.jsonl"


def segment_names(names: list[str]) -> list[str]:
    """Return those names that are segments, in the order of their lines."""
    return sorted(name for name in names if _SEGMENT.fullmatch(name))


def make_head(
    *, origin: str, worker: str, frontier: Frontier, at: Position, open_from: int
) -> bytes:
    """Return the content of `head.json`."""
    return canonical(
        Head(
            origin=origin,
            worker=worker,
            size=frontier.size,
            root=frontier.root().hex(),
            frontier=tuple(peak.hex() for peak in frontier.peaks),
            segment=at.segment,
            offset=at.offset,
            open_from=open_from,
        )
    )


class Segments:
    """Writes lines where it is told to, and makes them durable.

    Every method raises OSError where the disk fails, and DisplacedError where the files are no
    longer those that were written; either way the caller has to `reopen` before it writes again.
    """

    def __init__(self, files: Files, directory: Path) -> None:
        """Take over a directory, which need not exist yet."""
        self._files, self._directory = files, directory
        self._lock: Lock | None = None
        self._file: File | None = None
        self._segment = ""

    def hold(self) -> None:
        """Make the directory and lock it, where that does not hold any more.

        Raises:
            AuditError: where another process holds it.
        """
        if self._lock is not None and self._lock.in_place():
            return
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        self._files.make_directory(self._directory)
        self._lock = self._files.lock(self._directory)

    def reopen(self, at: Position) -> None:
        """Open the segment anew and cut it to what is durable.

        After a failed sync the kernel may hold pages as clean that never reached the disk, so
        nothing beyond the last durable offset is trusted.

        Raises:
            AuditError: where another process took the directory over.
            DisplacedError: where durable lines are gone; the log goes on in a new segment.
        """
        if at.offset:
            self._check_at_least(at)
        self.hold()
        self._open(at.segment)
        if at.offset:
            self._check_at_least(at)
        file = self._opened()
        file.truncate(at.offset)
        file.sync()
        self._files.sync_directory(self._directory)

    def write(self, at: Position, lines: bytes) -> None:
        """Make lines durable at a place; a place in another segment begins that segment.

        Raises:
            DisplacedError: where the lines are durable in a file that has no name any more, or
                that somebody else writes to.
            OSError: where the disk fails.
        """
        if at.segment != self._segment:
            self.reopen(at)
        self.check(at)  # a write beyond the end of a shortened file would leave a hole
        file, done = self._opened(), 0
        while done < len(lines):
            written = file.write(lines[done:] if done else lines, at.offset + done)
            if not written:
                raise OSError(errno.EIO, "the file takes no more bytes")
            done += written
        file.sync()
        self.check(Position(at.segment, at.offset + len(lines)))

    def check(self, at: Position) -> None:
        """Look whether the segment stands where it should and ends where it should.

        Raises:
            DisplacedError: where it does not.
        """
        length = self._opened().length_in_place()
        if length is None:
            raise DisplacedError(f"`{self._segment}` was deleted or replaced")
        if length != at.offset:
            raise DisplacedError(
                f"`{self._segment}` has {length} bytes instead of {at.offset}: somebody changed it"
            )

    def publish(self, head: bytes) -> None:
        """Put a new `head.json` in place; not synced, since it can be made from the lines."""
        self._files.replace(self._directory / HEAD, head)

    def mend(self, at: Position, head: bytes) -> None:
        """Reopen, and prove that the head can be replaced as well."""
        self.reopen(at)
        self.publish(head)

    def finish(self, head: bytes | None) -> None:
        """Publish the last head, if there is one to publish, and let go of the files."""
        try:
            if head is not None:
                self.publish(head)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the segment and of the directory."""
        if self._file is not None:
            self._file.close()
        if self._lock is not None:
            self._lock.release()
        self._file = self._lock = None

    def _open(self, segment: str) -> None:
        file = self._files.open(self._directory / segment)
        if self._file is not None:
            self._file.close()
        self._file, self._segment = file, segment

    def _opened(self) -> File:
        if self._file is None:
            raise DisplacedError("no segment is open")
        return self._file

    def _check_at_least(self, at: Position) -> None:
        """Look whether what was made durable still stands there.

        Raises:
            DisplacedError: where it does not.
        """
        if self._file is None or at.segment != self._segment:
            return
        length = self._file.length_in_place()
        if length is None:
            raise DisplacedError(f"`{at.segment}` was deleted or replaced")
        if length < at.offset:
            raise DisplacedError(
                f"`{at.segment}` has {length} bytes, of which {at.offset} were durable"
            )
