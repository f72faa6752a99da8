"""The append-only log: records in, one sync for all that wait, `seq` out once durable.

Natural group commit: while one write and fdatasync run in the writing thread, what arrives becomes
the next batch, with what a few more turns of the loop bring: a sync costs as much as the records of
a dozen requests, a turn where nothing is ready costs nothing. Encoding and hashing run on the loop,
only system calls in the thread; callbacks of both drive the log. What nobody waits for waits a
little for what is waited for: it needs no sync of its own, and holds up nobody's.

Which way it fails: closed. After any failure nothing is accepted until a probe has reopened the
files, cut them to what is durable and written a `gap` line that says what is missing. Records that
somebody waits for fail at once (nothing was forwarded on them); records that state what already
happened are kept and numbered anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from gateway.audit.batch import Assembly, Batch, Queue
from gateway.audit.files import Files
from gateway.audit.holding import take_hold
from gateway.audit.loss import Loss, opening_gaps
from gateway.audit.record import Happened, Line
from gateway.audit.recovery import Recovered
from gateway.audit.segments import Position, Segments, make_head, segment_name
from gateway.audit.thread import Bell, Delay, Failure, WritingThread
from gateway.audit.tuning import Tuning
from gateway.errors import AuditError

Clock = Callable[[], datetime]
_USUAL = Tuning()


class AuditLog:
    """One worker's log. Every attribute belongs to the event loop, the files to the thread.

    Attributes:
        last_error: what failed last, for people; empty where nothing did.
        records: lines made durable since the start.
        syncs: batches made durable.
        failures: writes, syncs, checks and repairs that failed.
        refused: callers that were told that their record is not durable.
        lost: records that nobody waited for and that could not be kept.
        orphans: `happened` records dropped because their decision never was durable.
        last_batch: lines of the last batch.
        last_sync_s: seconds from handing over the last batch until it was durable.
    """

    def __init__(
        self,
        segments: Segments,
        recovered: Recovered,
        *,
        thread: WritingThread,
        assembly: Assembly,
        head: Callable[..., bytes],
        clock: Clock,
        tuning: Tuning,
    ) -> None:
        """Take over files that are open and hold what `recovered` says; `open` does all that."""
        self._loop = asyncio.get_running_loop()
        self._segments, self._thread = segments, thread
        self._assembly, self._make_head, self._clock, self._tuning = assembly, head, clock, tuning
        self._frontier, self._at, self._pairs = recovered.frontier, recovered.at, recovered.pairs
        self._queue = Queue()
        self._batch: Batch | None = None
        self._loss: Loss | None = None
        self._state: Literal["well", "failed", "mending", "closed"] = "well"
        self._scheduled = self._probing = self._stalled = self._closing = False
        self._head_due, self._lines_due = Delay(self._publish), Delay(self._start)
        self._bell = Bell()
        self.last_error = ""
        self.records = self.syncs = self.failures = 0
        self.refused = self.lost = self.orphans = self.last_batch = 0
        self.last_sync_s = 0.0
        self._probe_timer = self._loop.call_later(tuning.probe_s, self._tick)

    @classmethod
    async def open(
        cls,
        directory: Path,
        *,
        origin: str,
        worker: str,
        engine: str,
        clock: Clock,
        files: Files | None = None,
        tuning: Tuning = _USUAL,
    ) -> AuditLog:
        """Open the log of a worker, or begin it; states in it what the last process left open.

        Args:
            directory: the audit directory; see `gateway.audit.segments` for the layout below it.
            origin: names the log to the world, e.g. `gw.example/audit`.
            worker: names this process among those of the origin.
            engine: version of the gateway, for each line.
            clock: tells the time, aware, UTC.
            files: the file port; the machine's own by default.
            tuning: sizes and times.

        Returns:
            A log that is healthy, its `head.json` in place.

        Raises:
            AuditError: where another process holds the log, where it does not hold together, or
                where the disk fails.
        """
        segments, recovered, thread = await take_hold(
            directory, origin=origin, worker=worker, files=files
        )
        log = cls(
            segments,
            recovered,
            thread=thread,
            assembly=Assembly(origin=origin, engine=engine, segment_bytes=tuning.segment_bytes),
            head=partial(make_head, origin=origin, worker=worker),
            clock=clock,
            tuning=tuning,
        )
        await log._begin(recovered)
        return log

    @property
    def healthy(self) -> bool:
        """Whether a record can be made durable, as far as the last write and probe tell."""
        return self._state == "well" and not self._stalled and not self._closing

    @property
    def size(self) -> int:
        """Durable lines, from the first of the log on."""
        return self._frontier.size

    @property
    def root(self) -> bytes:
        """Merkle root over the durable lines."""
        return self._frontier.root()

    @property
    def queue_length(self) -> int:
        """Records that are not durable yet."""
        return len(self._queue) + (len(self._batch.entries) if self._batch else 0)

    def append(self, record: Line) -> asyncio.Future[int]:
        """Add a record that somebody waits for.

        A waiter that is cancelled takes nothing back: the record may still become durable, and if
        it is a decision then the log completes it itself, with the outcome `client_gone`. Where
        the result was set before its caller was cancelled, the caller has to complete it.

        Returns:
            A future with the record's `seq` once it is durable, or an AuditError if it is not:
            then nothing may follow from it, and no `happened` record may be added for it.
        """
        waiter = self._loop.create_future()
        if self.healthy:
            self._queue.add(record, waiter)
            self._wake()
        else:
            waiter.set_exception(AuditError(self.last_error or "the audit log is closed"))
            if not self._closing:
                self._lose(refused=1)
        return waiter

    def enqueue(self, record: Line) -> None:
        """Add a record of what already happened; a later sync carries it, also past a failure."""
        full = len(self._queue) >= self._tuning.queue_lines
        if self._state == "closed" or (full and not isinstance(record, Happened)):
            self._lose(Failure("overflow", "more records waited than are kept"), lost=1)
            return
        self._queue.add(record)
        self._wake()

    async def probe(self) -> bool:
        """Look at the files now, repair after a failure, and tell whether the log is healthy."""
        self._probe()
        while self._probing or self._state == "mending":
            await self._bell.heard()
        return self.healthy

    async def close(self) -> None:
        """Write what waits, publish the head, and let go of the files.

        Raises:
            AuditError: where records could not be written; the files are let go of all the same.
        """
        if self._closing:
            return
        if self._state == "failed":
            await self.probe()
        self._closing = True
        await self._drain()
        self._probe_timer.cancel()
        self._head_due.cancel()
        head = self._head() if self._state == "well" else None
        failed, lost, self._state = self._state == "failed", self.lost, "closed"
        failure = await self._thread.run(partial(self._segments.finish, head))
        self._thread.close()
        missing = len(self._queue) + self.lost - lost
        if failed or failure is not None or missing:
            detail = failure.detail if failure else self.last_error or "they came too late"
            raise AuditError(f"{missing} records were not written: {detail}")

    async def _begin(self, recovered: Recovered) -> None:
        """State how the last process ended, and publish the first head.

        Raises:
            AuditError: where that is not possible.
        """
        gaps = opening_gaps(
            unpaired=recovered.pairs,
            cut_bytes=recovered.cut_bytes,
            head_lost=recovered.head_lost,
            now=self._clock(),
        )
        for gap in gaps:
            self._queue.add(gap)
        await self._drain()
        failure = await self._thread.run(partial(self._segments.publish, self._head()))
        if failure is None and self._state == "well":
            return
        detail = failure.detail if failure else self.last_error
        self._closing, self._state = True, "closed"
        self._probe_timer.cancel()
        await self._thread.run(partial(self._segments.finish, None))
        self._thread.close()
        raise AuditError(f"the audit log does not open: {detail}")

    async def _drain(self) -> None:
        while self._batch is not None or (self._state != "failed" and (self._queue or self._loss)):
            heard = self._bell.heard()
            self._start()
            await heard

    def _wake(self) -> None:
        if self._batch is not None or self._scheduled:
            return
        if self._queue.awaited:
            self._scheduled = True
            # Not at once: what else is ready in this turn of the loop joins the batch.
            self._loop.call_soon(self._start)
        else:
            self._lines_due.ask(self._tuning.linger_s)

    def _gather(self, turns: int) -> None:
        if turns and len(self._queue) < self._tuning.batch_lines:
            self._loop.call_soon(self._gather, turns - 1)
        else:
            self._start()

    def _start(self) -> None:
        self._scheduled = False
        self._lines_due.cancel()
        if self._batch is not None or self._state in {"failed", "closed"}:
            return
        if not (self._queue or self._loss):
            return
        entries = self._queue.take(self._tuning.batch_lines)
        loss, self._loss = self._loss, None
        batch = self._assembly.batch(
            entries,
            loss=loss,
            frontier=self._frontier,
            at=self._at,
            pairs=self._pairs,
            now=self._clock(),
        )
        self._batch, batch.started = batch, self._loop.time()
        write = partial(self._segments.write, batch.at, batch.lines)
        self._thread.submit(write, partial(self._settled, batch))
        batch.grow()

    def _settled(self, batch: Batch, failure: Failure | None) -> None:
        self._batch, self._stalled = None, False
        if failure is None:
            self._take_over(batch)
        else:
            self._take_back(batch, failure)
        if self._queue.awaited and not self._scheduled:
            self._scheduled = True
            self._gather(self._tuning.gather_turns)
        elif self._queue:
            self._wake()
        else:
            self._start()
        self._bell.ring()

    def _take_over(self, batch: Batch) -> None:
        self._frontier, self._at = batch.frontier, batch.end
        self._pairs.update(batch.opened)
        for decided in batch.closed:
            self._pairs.pop(decided, None)
        self.records += batch.count
        self.syncs += 1
        self.last_batch = batch.count
        self.last_sync_s = self._loop.time() - batch.started
        self.orphans += batch.orphans
        if self._state == "mending":
            self._state = "well"
        if batch.refused or batch.spoiled:
            failure = Failure("write", "a record has no encoding")
            self._lose(failure, refused=batch.refused, lost=batch.spoiled)
        self._release(batch)
        if not self._tuning.head_s:
            self._publish()
        else:
            self._head_due.ask(self._tuning.head_s)

    def _release(self, batch: Batch) -> None:
        for waiter, seq, decided in batch.waiters:
            if not waiter.done():
                waiter.set_result(seq)
            elif decided and decided not in batch.closed:
                self._complete(decided, gone=waiter.cancelled())

    def _complete(self, decided: str, *, gone: bool) -> None:
        """See to a decision that is durable and that nobody waits for any more."""
        if gone:
            record = Happened(
                time=self._clock(), decided=decided, outcome="client_gone", sent=False
            )
            self._queue.add(record)
        else:
            # It failed although it was written: its caller was told so, and nothing will
            # complete the pair.
            self._lose(Failure("stalled", "a decision came too late"), unpaired=decided)

    def _take_back(self, batch: Batch, failure: Failure) -> None:
        # A segment that was begun stays begun: its name fits the next line as well.
        self._at = batch.at
        self._queue.give_back(batch.entries)
        if batch.loss is not None:
            if self._loss is not None:
                batch.loss.absorb(self._loss)
            self._loss = batch.loss
        self._fail(failure, refused=batch.refuse(failure.detail))

    def _fail(self, failure: Failure, *, refused: int = 0) -> None:
        self.failures += 1
        self.last_error = failure.detail
        self._state = "failed"
        self._lose(failure, refused=refused + self._queue.refuse(failure.detail))

    def _lose(
        self,
        failure: Failure | None = None,
        *,
        refused: int = 0,
        lost: int = 0,
        unpaired: str = "",
    ) -> None:
        self.refused += refused
        self.lost += lost
        if self._loss is None:
            because = failure or Failure("write", self.last_error)
            self._loss = Loss(reason=because.reason, detail=because.detail, since=self._clock())
        self._loss.refused += refused
        self._loss.lost += lost
        if unpaired:
            self._loss.unpaired.append(unpaired)

    def _tick(self) -> None:
        self._probe()
        self._probe_timer = self._loop.call_later(self._tuning.probe_s, self._tick)

    def _probe(self) -> None:
        if self._batch is not None:
            self._look_at_stall(self._batch)
        elif self._probing or self._state == "closed":
            return
        elif self._state == "failed":
            self._probing = True
            self._thread.submit(partial(self._segments.mend, self._at, self._head()), self._mended)
        else:
            self._probing = True
            self._thread.submit(partial(self._segments.check, self._at), self._checked)

    def _look_at_stall(self, batch: Batch) -> None:
        waited_s = self._loop.time() - batch.started
        if waited_s < self._tuning.stall_s:
            return
        self._stalled = True
        self.last_error = f"the disk has not answered for {waited_s:.1f} s"
        refused = batch.refuse(self.last_error, perhaps_written=True)
        refused += self._queue.refuse(self.last_error)
        self._lose(Failure("stalled", self.last_error), refused=refused)

    def _checked(self, failure: Failure | None) -> None:
        self._probing = False
        self._published(failure)

    def _mended(self, failure: Failure | None) -> None:
        self._probing = False
        if failure is None:
            self._state = "mending"
            self._start()  # the gap line is the proof that the disk takes lines again
        elif failure.reason == "replaced" and self._at.offset:
            self._at = Position(segment_name(self._frontier.size), 0)
            self._probe()
        else:
            self.failures += 1
            self.last_error = failure.detail
        self._bell.ring()

    def _head(self) -> bytes:
        open_from = next(iter(self._pairs.values()), self._frontier.size)
        return self._make_head(frontier=self._frontier, at=self._at, open_from=open_from)

    def _publish(self) -> None:
        if self._state == "well":
            self._thread.submit(partial(self._segments.publish, self._head()), self._published)

    def _published(self, failure: Failure | None) -> None:
        if failure is not None:
            self._fail(failure)
        self._bell.ring()
