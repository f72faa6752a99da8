"""What a log says of itself when it is opened: where it ends, its tree, and its open decisions.

Only reads; nothing is cut before everything was found consistent. A torn last line is what a loss
of power leaves, and is cut by the caller; anything else that does not fit is an operator's matter,
so the log does not open.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.audit.files import Files
from gateway.audit.merkle import Frontier, leaf_hash
from gateway.audit.segments import HEAD, Head, Position, segment_name, segment_names
from gateway.errors import AuditError

_CHUNK_BYTES = 1 << 20
_ADVICE = (
    "\n    hint: run `facegate audit verify`; keep the directory as evidence, start anew beside it"
)


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a log.

    Attributes:
        frontier: the tree over all whole lines.
        at: where the next line goes.
        pairs: ids of the decisions that nothing completes, to their `seq`, oldest first.
        cut_bytes: bytes after `at` that are no whole line.
        head_lost: whether there were lines but no readable head.
    """

    frontier: Frontier
    at: Position
    pairs: dict[str, int]
    cut_bytes: int
    head_lost: bool


class _Stub(msgspec.Struct):
    """Those fields of a line that recovery looks at."""

    v: int
    kind: str
    origin: str
    seq: int
    id: str = ""
    decided: str = ""
    unpaired: tuple[str, ...] = ()


_stub: msgspec.json.Decoder[_Stub] = msgspec.json.Decoder(_Stub)


def recover(files: Files, directory: Path, *, origin: str, worker: str) -> Recovered:
    """Read the end of the log in a directory; an empty directory is an empty log.

    Raises:
        AuditError: where lines are missing that the head speaks of, or do not continue one another.
    """
    segments = segment_names(list(files.names(directory)))
    head = _read_head(files, directory, origin=origin, worker=worker)
    if head is not None and (head.size or segments) and head.segment not in segments:
        raise AuditError(f"{directory}: `{head.segment}` is missing{_ADVICE}")
    walk = _Walk(files, directory, origin, head)
    begin = _begin(head, segments)
    walk.seq = begin[1]
    for segment in segments[segments.index(begin[0].segment) if segments else 0 :]:
        offset = begin[0].offset if segment == begin[0].segment else 0
        walk.read(segment, offset, last=segment == segments[-1])
    if head is not None and walk.seq < head.size:
        raise AuditError(
            f"{directory}: {walk.seq} lines, but its own root is over {head.size}: the log was "
            f"shortened{_ADVICE}"
        )
    return Recovered(
        frontier=walk.frontier,
        at=walk.at if segments else Position(segment_name(0), 0),
        pairs=walk.pairs,
        cut_bytes=walk.cut_bytes,
        head_lost=head is None and walk.frontier.size > 0,
    )


def _read_head(files: Files, directory: Path, *, origin: str, worker: str) -> Head | None:
    """Return the head, or None where it is missing or damaged: it can be made from the lines.

    Raises:
        AuditError: where it is that of another log.
    """
    path = directory / HEAD
    if HEAD not in files.names(directory):
        return None
    try:
        head = msgspec.json.decode(files.read(path, 0, _CHUNK_BYTES), type=Head)
        whole = _frontier(head).root().hex() == head.root
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return None
    if (head.origin, head.worker) != (origin, worker):
        raise AuditError(f"{path}: is of `{head.origin}`, worker `{head.worker}`{_ADVICE}")
    return head if whole else None


def _frontier(head: Head) -> Frontier:
    return Frontier(head.size, [bytes.fromhex(peak) for peak in head.frontier])


def _begin(head: Head | None, segments: list[str]) -> tuple[Position, int]:
    """Return where to begin to read, and the `seq` that must stand there.

    The oldest open decision may lie before what the head covers: then its whole segment is read.
    """
    if head is None:
        return Position(segments[0] if segments else "", 0), 0
    if head.open_from >= head.size:
        return Position(head.segment, head.offset), head.size
    before = [name for name in segments if name <= segment_name(head.open_from)]
    begin = before[-1] if before else segments[0]
    return Position(begin, 0), int(begin.removesuffix(".jsonl"))


class _Walk:
    """Reads lines in order, from where it is told to the end."""

    def __init__(self, files: Files, directory: Path, origin: str, head: Head | None) -> None:
        self._files, self._directory, self._origin = files, directory, origin
        self._covered = head.size if head else 0
        self.frontier = _frontier(head) if head else Frontier()
        self.seq = 0
        self.at = Position(segment_name(0), 0)
        self.pairs: dict[str, int] = {}
        self.cut_bytes = 0

    def read(self, segment: str, offset: int, *, last: bool) -> None:
        """Read one segment from an offset on; only the last one may end in a torn line.

        Raises:
            AuditError: where the segment does not continue what was read before.
        """
        path = self._directory / segment
        if not offset and segment != segment_name(self.seq):
            raise AuditError(f"{path}: should begin with line {self.seq}{_ADVICE}")
        length = self._files.length(path)
        if length < offset:
            raise AuditError(f"{path}: {length} bytes, but {offset} were durable{_ADVICE}")
        if offset and self._number_before(path, offset) != self.seq - 1:
            raise AuditError(f"{path}: line {self.seq} does not begin at byte {offset}{_ADVICE}")
        for start, line in _lines(self._files, path, offset):
            stub = _decoded(line)
            if stub is None:
                self._tear(path, start, last=last)
                self.at, self.cut_bytes = Position(segment, start), length - start
                return
            self._take(stub, line, f"{path}, byte {start}")
        self.at = Position(segment, length)

    def _number_before(self, path: Path, offset: int) -> int | None:
        """Return the `seq` of the line that ends at an offset, or None where none does."""
        begin = max(0, offset - _CHUNK_BYTES)
        before = self._files.read(path, begin, offset - begin)
        stub = _decoded(before[before.rfind(b"\n", 0, -1) + 1 :])
        return stub.seq if stub else None

    def _take(self, stub: _Stub, line: bytes, place: str) -> None:
        """Count one line in.

        Raises:
            AuditError: where it is not the next line of this log.
        """
        if (stub.v, stub.origin, stub.seq) != (1, self._origin, self.seq):
            raise AuditError(f"{place}: not line {self.seq} of `{self._origin}`{_ADVICE}")
        if stub.seq >= self._covered:
            self.frontier.append(leaf_hash(line[:-1]))
        self.seq += 1
        if stub.kind == "decided":
            self.pairs[stub.id] = stub.seq
        for completed in (stub.decided, *stub.unpaired):
            self.pairs.pop(completed, None)

    def _tear(self, path: Path, start: int, *, last: bool) -> None:
        """Refuse a damaged line that is not the end of the log.

        Raises:
            AuditError: where lines follow it, so that it cannot be what a loss of power leaves.
        """
        rest = (_decoded(line) for _, line in _lines(self._files, path, start))
        if not last or any(stub is not None for stub in rest):
            raise AuditError(f"{path}, byte {start}: a damaged line amid whole ones{_ADVICE}")


def _decoded(line: bytes) -> _Stub | None:
    if not line.endswith(b"\n"):
        return None
    try:
        return _stub.decode(line[:-1])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _lines(files: Files, path: Path, offset: int) -> Iterator[tuple[int, bytes]]:
    """Yield offset and line, each with its newline; the last may have none."""
    start, rest = offset, b""
    while chunk := files.read(path, start + len(rest), _CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield start, line + b"\n"
            start += len(line) + 1
    if rest:
        yield start, rest
