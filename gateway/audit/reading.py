"""Reading logs that others wrote, also while they write: pieces of files, and one decision.

Nothing is taken for true here that a line does not say: times and ids are looked for in the bytes
only to find a line sooner, never to read it. `gateway.audit.record` reads lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from gateway.audit.ids import time_of
from gateway.audit.segments import PARTS, segment_names

PIECE_BYTES: Final = 16 << 20
"""About so much of a log is read at once."""

_PROBE_BYTES: Final = 64 << 10
_NEAR_BYTES: Final = 1 << 20
# A line is written after its id was made: when its batch was synced, seconds at the very most.
_SLACK: Final = timedelta(seconds=10)
_TIME: Final = b'"time":"'
_MOST_LINE_BYTES: Final = 16 << 20


class Piece(NamedTuple):
    """A part of a segment: the lines that begin in it, from `start` on and before `end`."""

    path: Path
    start: int
    end: int


class Found(NamedTuple):
    """A line, and where it begins."""

    path: Path
    offset: int
    line: bytes


def logs_under(directory: Path) -> tuple[Path, ...]:
    """Return the directories of all logs of workers below a directory, itself included, sorted."""
    found = {path.parent for path in directory.rglob("*.jsonl")}
    return tuple(sorted(found))


def parts_beside(log: Path) -> Path:
    """Return where the parts are kept that the decisions of a log were made under."""
    return log.parent / PARTS


def segments_of(log: Path) -> tuple[Path, ...]:
    """Return the segments of a log in the order of their lines."""
    return tuple(log / name for name in segment_names([path.name for path in log.iterdir()]))


def pieces(segment: Path) -> Iterator[Piece]:
    """Divide a segment as it is now.

    Yields:
        Pieces that follow one another; a line that is not whole yet is in none of them.
    """
    size = segment.stat().st_size
    for start in range(0, size, PIECE_BYTES):
        yield Piece(segment, start, min(start + PIECE_BYTES, size))


def begins(segment: Path) -> datetime | None:
    """Return the time of a segment's first line; None where it has none yet."""
    with segment.open("rb") as file:
        return _first_time(file.readline(_MOST_LINE_BYTES))


def lines_in(piece: Piece) -> list[bytes]:
    """Return the whole lines that begin in a piece, without their newlines."""
    with piece.path.open("rb") as file:
        file.seek(max(0, piece.start - 1))
        content = file.read(piece.end - max(0, piece.start - 1))
        if piece.start:  # what was begun before this piece belongs to the one before it
            content = content.partition(b"\n")[2]
        if not content:
            return []
        if not content.endswith(b"\n"):
            content += file.readline(_MOST_LINE_BYTES)
    *lines, _ = content.split(b"\n")
    return lines


def find_decision(
    directory: Path, decision: str, *, progress: Callable[[int, int], None] | None = None
) -> Found | None:
    """Find the line with this id.

    An id tells its time, so only a few megabytes around that are read; where it does not, or a
    clock went astray, everything is.

    Args:
        directory: of one log, an origin, or a whole audit directory.
        decision: the id, `dec_…`.
        progress: called with the bytes that were read of all, and those that there are.

    Raises:
        OSError: a file cannot be read.
    """
    needle = b'"id":"%b"' % decision.encode("utf-8", "replace")
    segments = [path for log in logs_under(directory) for path in segments_of(log)]
    moment = time_of(decision)
    if moment is not None:
        for segment in segments:
            found = _find_near(segment, needle, moment)
            if found is not None:
                return found
    work = [piece for segment in segments for piece in pieces(segment)]
    done, total = 0, sum(piece.end - piece.start for piece in work)
    for piece in work:
        found = _find(piece.path, needle, piece.start, piece.end)
        if found is not None:
            return found
        done += piece.end - piece.start
        if progress is not None:
            progress(done, total)
    return None


def _find_near(segment: Path, needle: bytes, moment: datetime) -> Found | None:
    """Search where the lines of a time stand."""
    size = segment.stat().st_size
    start = _place_of(segment, moment - _SLACK, size)
    end = _place_of(segment, moment + _SLACK, size)
    return _find(segment, needle, max(0, start - _NEAR_BYTES), min(size, end + _NEAR_BYTES))


def _place_of(segment: Path, moment: datetime, size: int) -> int:
    """Return about where the first line stands that is not before a time, by halving."""
    low, high = 0, size
    with segment.open("rb") as file:
        while high - low > _PROBE_BYTES:
            middle = (low + high) // 2
            file.seek(middle)
            found = _first_time(file.read(_PROBE_BYTES))
            if found is not None and found < moment:
                low = middle
            else:
                high = middle
    return low


def _first_time(content: bytes) -> datetime | None:
    """Return the time of the first line that ends here."""
    place = content.find(_TIME)
    if place < 0:
        return None
    text = content[place + len(_TIME) : content.find(b'"', place + len(_TIME))]
    try:
        return datetime.fromisoformat(text.decode())
    except ValueError:
        return None


def _find(segment: Path, needle: bytes, start: int, end: int) -> Found | None:
    """Search bytes, the first of which may end a needle, and return the line they stand in."""
    with segment.open("rb") as file:
        place, rest = max(0, start - len(needle)), b""
        file.seek(place)
        while place < end and (content := file.read(min(PIECE_BYTES, end - place))):
            searched = rest + content
            at = searched.find(needle)
            if at >= 0:
                return _line_around(file, segment, place - len(rest) + at)
            place += len(content)
            rest = searched[-len(needle) :]
    return None


def _line_around(file: BinaryIO, segment: Path, place: int) -> Found:
    """Return the whole line that a place lies in."""
    begin = place
    while begin:
        step = min(begin, _PROBE_BYTES)
        file.seek(begin - step)
        newline = file.read(step).rfind(b"\n")
        begin -= step
        if newline >= 0:
            begin += newline + 1
            break
    file.seek(begin)
    return Found(segment, begin, file.readline(_MOST_LINE_BYTES).removesuffix(b"\n"))
