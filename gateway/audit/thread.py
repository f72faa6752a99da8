"""The one thread in which the audit log waits for the disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue

import msgspec

from gateway.audit.record import GapReason
from gateway.audit.segments import DisplacedError
from gateway.errors import AuditError


class Failure(msgspec.Struct, frozen=True):
    """Why a piece of work came to nothing."""

    reason: GapReason
    detail: str


# The work, and what the loop is to do with its outcome.
_Job = tuple[Callable[[], None], Callable[[Failure | None], None]]


class Bell:
    """Wakes all who wait for the next thing to happen; belongs to the event loop."""

    def __init__(self) -> None:
        """Belong to the running loop."""
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.Future[None] | None = None

    def heard(self) -> asyncio.Future[None]:
        """Return a future of one's own for the next ring; not to be missed once it is taken."""
        if self._next is None:
            self._next = self._loop.create_future()
        return asyncio.shield(self._next)

    def ring(self) -> None:
        """Wake all who wait now."""
        if self._next is not None:
            self._next.set_result(None)
            self._next = None


class Delay:
    """A call that is due once, however often it is asked for meanwhile."""

    def __init__(self, call: Callable[[], None]) -> None:
        """Belong to the running loop."""
        self._loop, self._call = asyncio.get_running_loop(), call
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, seconds: float) -> None:
        """Have it called in so many seconds, unless it is due already."""
        if self._timer is None:
            self._timer = self._loop.call_later(seconds, self._due)

    def cancel(self) -> None:
        """Do without the call."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        self._call()


class WritingThread:
    """Runs pieces of work one after the other, and reports each to the event loop.

    The thread is a daemon, so that a disk that does not answer cannot hold up the end of the
    process; who wants work to be finished waits for its report.
    """

    def __init__(self) -> None:
        """Belong to the running loop, and start the thread."""
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        threading.Thread(target=self._serve, name="facegate-audit", daemon=True).start()

    def submit(self, work: Callable[[], None], then: Callable[[Failure | None], None]) -> None:
        """Run `work` in the thread, then `then` on the loop, whatever came of it."""
        self._jobs.put((work, then))

    async def run(self, work: Callable[[], None]) -> Failure | None:
        """Run `work` in the thread and wait for it."""
        done: asyncio.Future[Failure | None] = self._loop.create_future()
        self.submit(work, lambda failure: None if done.done() else done.set_result(failure))
        return await done

    def close(self) -> None:
        """End the thread after the work it has."""
        self._jobs.put(None)

    def _serve(self) -> None:
        report = self._loop.call_soon_threadsafe
        while (job := self._jobs.get()) is not None:
            work, then = job
            failure = _outcome(work)
            try:
                report(then, failure)
            except RuntimeError:
                return  # the loop was closed: nobody is left to tell


def _outcome(work: Callable[[], None]) -> Failure | None:
    try:
        work()
    except DisplacedError as error:
        return Failure("replaced", str(error))
    except (OSError, AuditError) as error:
        return Failure("write", str(error))
    except Exception:  # noqa: BLE001 - whatever it was, what was to be written may not be durable
        return Failure("write", "the writing thread failed")
    return None
