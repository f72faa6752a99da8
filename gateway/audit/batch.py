"""From waiting records to the bytes of one write: numbering, encoding, hashing, pairing.

A batch is made on the event loop and changes nothing of the log: only when its bytes are durable
does the log take over the tree, the place and the open decisions that stand in it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from gateway.audit.lines import Lines
from gateway.audit.loss import Loss
from gateway.audit.merkle import Frontier
from gateway.audit.record import Decided, Gap, Happened, Line
from gateway.audit.segments import Position, segment_name
from gateway.errors import AuditError

Waiter = asyncio.Future[int]
Entry = tuple[Line, Waiter | None]


@dataclass(slots=True, kw_only=True)
class Batch:
    """Lines that are written and synced together.

    Attributes:
        entries: what the lines were made from.
        loss: what the batch's gap states.
        frontier: the tree after the lines, once `grow` was called.
        leaves: the lines that it does not have yet.
        at: where they begin.
        lines: the bytes, each line with its newline.
        count: how many lines.
        opened: ids of the decisions in them, to their `seq`.
        closed: ids that they complete.
        waiters: who waits for which `seq`, and the decision's id if it is one.
        refused: callers whose record has no encoding: a fault of the gateway's own.
        spoiled: records without an encoding that nobody waits for.
        orphans: `happened` records whose decision was never made durable.
        started: loop time at which it was handed to the writing thread.
    """

    entries: list[Entry]
    loss: Loss | None
    frontier: Frontier
    at: Position
    leaves: list[bytes] = field(default_factory=list)
    lines: bytes = b""
    count: int = 0
    opened: dict[str, int] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    waiters: list[tuple[Waiter, int, str]] = field(default_factory=list)
    refused: int = 0
    spoiled: int = 0
    orphans: int = 0
    started: float = 0.0

    @property
    def end(self) -> Position:
        """Where the next batch begins."""
        return Position(self.at.segment, self.at.offset + len(self.lines))

    def grow(self) -> None:
        """Add the lines to the tree; to be done while the disk takes them."""
        self.frontier.extend(self.leaves)
        self.leaves = []

    def note(self, record: Line, seq: int) -> str:
        """Keep which decision a line opens, and return its id, or which ones it closes."""
        if isinstance(record, Happened):
            self.closed.add(record.decided)
        elif isinstance(record, Decided):
            self.opened[record.id] = seq
            return record.id
        elif isinstance(record, Gap):
            self.closed.update(record.unpaired)
        return ""

    def refuse(self, detail: str, *, perhaps_written: bool = False) -> int:
        """Tell all who still wait that their record is not durable; returns how many."""
        waiting: list[Waiter | None] = [waiter for waiter, _, _ in self.waiters]
        return refuse(waiting, detail, perhaps_written=perhaps_written)


class Queue:
    """Records that are in no batch yet, in order.

    `awaited` says whether somebody waits for any of them.
    """

    __slots__ = ("_entries", "awaited")

    def __init__(self) -> None:
        """Begin empty."""
        self._entries: list[Entry] = []
        self.awaited = False

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._entries)

    def add(self, record: Line, waiter: Waiter | None = None) -> None:
        """Add a record, and who waits for it."""
        self._entries.append((record, waiter))
        if waiter is not None:
            self.awaited = True

    def take(self, most: int) -> list[Entry]:
        """Take the oldest out."""
        taken, self._entries = self._entries[:most], self._entries[most:]
        self.awaited = any(waiter is not None for _, waiter in self._entries)
        return taken

    def give_back(self, entries: list[Entry]) -> None:
        """Put back, before all others, what nobody waited for."""
        self._entries[:0] = [entry for entry in entries if entry[1] is None]

    def refuse(self, detail: str) -> int:
        """Take out what somebody waits for, and tell them; returns how many still waited."""
        waiting = [waiter for _, waiter in self._entries]
        self._entries = [entry for entry in self._entries if entry[1] is None]
        self.awaited = False
        return refuse(waiting, detail)


class Assembly:
    """Makes the batches of one log; holds what all of its lines have in common."""

    def __init__(self, *, origin: str, engine: str, segment_bytes: int) -> None:
        """Take what each line says of the log, and the size above which a segment is full."""
        self._encode = Lines(origin=origin, engine=engine).line
        self._segment_bytes = segment_bytes

    def batch(
        self,
        entries: list[Entry],
        *,
        loss: Loss | None,
        frontier: Frontier,
        at: Position,
        pairs: dict[str, int],
        now: datetime,
    ) -> Batch:
        """Make a batch that follows a tree and a place; `pairs` are the open decisions.

        The gap comes first, because what it says happened before.
        """
        batch = Batch(entries=entries, loss=loss, frontier=frontier.copy(), at=at)
        if loss is not None:
            gaps: list[Entry] = [(gap, None) for gap in loss.gaps(pairs=pairs, now=now)]
            entries = gaps + entries
        lines = self._lines(batch, entries, pairs)
        batch.leaves, batch.count = lines, len(lines)
        batch.lines = b"\n".join((*lines, b"")) if lines else b""
        if at.offset + len(batch.lines) > self._segment_bytes:
            # Nothing changes where the segment is still empty: it has this name already.
            batch.at = Position(segment_name(frontier.size), 0)
        return batch

    def _lines(self, batch: Batch, entries: list[Entry], pairs: dict[str, int]) -> list[bytes]:
        """Number and encode what can be written, and note what it opens and closes."""
        lines: list[bytes] = []
        encode, first = self._encode, batch.frontier.size
        opened, closed = batch.opened, batch.closed
        for record, waiter in entries:
            if isinstance(record, Happened):
                decided = record.decided
                if decided in closed or not (decided in pairs or decided in opened):
                    batch.orphans += 1
                    refuse([waiter], "there is no open decision to complete")
                    continue
            seq = first + len(lines)
            try:
                lines.append(encode(record, seq))
            except (TypeError, ValueError) as error:
                told = refuse([waiter], f"the record cannot be encoded: {error}")
                batch.refused += told
                batch.spoiled += 1 - told
                continue
            decided = batch.note(record, seq)
            if waiter is not None:
                batch.waiters.append((waiter, seq, decided))
        return lines


def refuse(waiters: list[Waiter | None], detail: str, *, perhaps_written: bool = False) -> int:
    """Tell those who still wait that their record is not durable; returns how many."""
    refused = 0
    for waiter in waiters:
        if waiter is not None and not waiter.done():
            waiter.set_exception(AuditError(detail, perhaps_written=perhaps_written))
            refused += 1
    return refused
