"""From waiting records to the bytes of one write: numbering, encoding, hashing, pairing.

A batch is made on the event loop and changes nothing of the log: only when its bytes are durable
does the log take over the tree, the place and the open decisions that stand in it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from gateway.audit.loss import Loss
from gateway.audit.merkle import Frontier, leaf_hash
from gateway.audit.record import Decided, Gap, Happened, Line, encode
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
        frontier: the tree after the lines.
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

    def refuse(self, detail: str) -> int:
        """Tell all who still wait that their record is not durable; returns how many."""
        return refuse([waiter for waiter, _, _ in self.waiters], detail)


class Assembly:
    """Makes the batches of one log; holds what all of its lines have in common."""

    def __init__(self, *, origin: str, engine: str, segment_bytes: int) -> None:
        """Take what each line says of the log, and the size above which a segment is full."""
        self._origin, self._engine, self._segment_bytes = origin, engine, segment_bytes

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
        lines: list[bytes] = []
        for gap in loss.gaps(pairs=pairs, now=now) if loss else ():
            self._add(batch, lines, gap, None)
        for record, waiter in entries:
            if isinstance(record, Happened) and not _completes(batch, pairs, record.decided):
                batch.orphans += 1
                refuse([waiter], "there is no open decision to complete")
            else:
                self._add(batch, lines, record, waiter)
        batch.count = len(lines)
        batch.lines = b"\n".join([*lines, b""]) if lines else b""
        if at.offset + len(batch.lines) > self._segment_bytes:
            # Nothing changes where the segment is still empty: it has this name already.
            batch.at = Position(segment_name(frontier.size), 0)
        return batch

    def _add(self, batch: Batch, lines: list[bytes], record: Line, waiter: Waiter | None) -> None:
        tree = batch.frontier
        seq = tree.size
        try:
            line = encode(record, origin=self._origin, seq=seq, engine=self._engine)
        except (TypeError, ValueError) as error:
            told = refuse([waiter], f"the record cannot be encoded: {error}")
            batch.refused += told
            batch.spoiled += 1 - told
            return
        lines.append(line)
        tree.append(leaf_hash(line))
        decided = ""
        if isinstance(record, Decided):
            decided = record.id
            batch.opened[decided] = seq
        elif isinstance(record, Happened):
            batch.closed.add(record.decided)
        elif isinstance(record, Gap):
            batch.closed.update(record.unpaired)
        if waiter is not None:
            batch.waiters.append((waiter, seq, decided))


def refuse(waiters: list[Waiter | None], detail: str) -> int:
    """Tell those who still wait that their record is not durable; returns how many."""
    refused = 0
    for waiter in waiters:
        if waiter is not None and not waiter.done():
            waiter.set_exception(AuditError(detail))
            refused += 1
    return refused


def _completes(batch: Batch, pairs: dict[str, int], decided: str) -> bool:
    return (decided in pairs or decided in batch.opened) and decided not in batch.closed
