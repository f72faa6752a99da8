"""The one thread in which the audit log waits for the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from gateway.audit.record import GapReason
from gateway.audit.segments import DisplacedError
from gateway.errors import AuditError


class Failure(msgspec.Struct, frozen=True):
    """Why a piece of work came to nothing."""

    reason: GapReason
    detail: str


class Bell:
    """Wakes all who wait for the next thing to happen; belongs to the event loop."""

    def __init__(self) -> None:
        """Belong to the running loop."""
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.Future[None] = self._loop.create_future()

    def heard(self) -> asyncio.Future[None]:
        """Return a future of one's own for the next ring; not to be missed once it is taken."""
        return asyncio.shield(self._next)

    def ring(self) -> None:
        """Wake all who wait now."""
        self._next.set_result(None)
        self._next = self._loop.create_future()


class WritingThread:
    """Runs pieces of work one after the other, and reports each to the event loop."""

    def __init__(self) -> None:
        """Belong to the running loop; the thread begins with the first piece of work."""
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="facegate-audit")

    def submit(self, work: Callable[[], None], then: Callable[[Failure | None], None]) -> None:
        """Run `work` in the thread, then `then` on the loop, whatever came of it."""
        self._executor.submit(self._run, work, then)

    async def run(self, work: Callable[[], None]) -> Failure | None:
        """Run `work` in the thread and wait for it."""
        done: asyncio.Future[Failure | None] = self._loop.create_future()
        self.submit(work, lambda failure: None if done.done() else done.set_result(failure))
        return await done

    def close(self) -> None:
        """End the thread after the work it has."""
        self._executor.shutdown(wait=False)

    def _run(self, work: Callable[[], None], then: Callable[[Failure | None], None]) -> None:
        failure: Failure | None = Failure("write", "the writing thread failed")
        try:
            work()
            failure = None
        except DisplacedError as error:
            failure = Failure("replaced", str(error))
        except (OSError, AuditError) as error:
            failure = Failure("write", str(error))
        finally:
            self._loop.call_soon_threadsafe(then, failure)
