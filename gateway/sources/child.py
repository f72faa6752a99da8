"""A warm child process that reads what people wrote, so that no file can stall or hurt the gateway.

Parsing YAML holds the interpreter for milliseconds a rule; a bomb holds it for good. The child has
a memory limit and a deadline: what exceeds them is a finding, and the next load gets a new child.
What it read comes in slices, and between two of them the gateway serves.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import suppress
from typing import Literal, TypeVar, TypeVarTuple, cast

from gateway.errors import SourceError
from gateway.sources.slices import Joiner, split

Ts = TypeVarTuple("Ts")
T = TypeVar("T")

# Twice what 100,000 tenants take; a bomb stops here instead of in the gateway.
MEMORY_BYTES = 2 << 30
# Ten times what 100,000 tenants or 5,000 rules take.
DEADLINE_S = 120.0
# Reading makes a great many values and few cycles: looking for them often doubles its time.
_GC_THRESHOLD = 200_000
_SLICES = 16  # that come at once
# What reading needs.
_PRELOADED = ("gateway.sources.offers", "gateway.sources.tenants")
# In the child: what was not fetched yet of the last result, the next slice last.
_HELD: list[bytes] = []


class Child:
    """Runs one function call at a time in a child process."""

    def __init__(
        self,
        *,
        memory_bytes: int = MEMORY_BYTES,
        deadline_s: float = DEADLINE_S,
        method: Literal["spawn", "forkserver"] = "spawn",
    ) -> None:
        """Start nothing yet; the process starts with the first call and stays warm.

        Args:
            memory_bytes: what it may take.
            deadline_s: how long a call may take.
            method: how the process is made: anew, which leaves nothing beside it; or forked off one
                that stands by with all that reading needs imported, for whoever starts many.
        """
        self._memory_bytes, self._deadline_s, self._method = memory_bytes, deadline_s, method
        self._pool: ProcessPoolExecutor | None = None
        self._turn = asyncio.Lock()

    async def run(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        """Call a top-level function in the child.

        What it returns is put together slice by slice, and at once taken out of the garbage
        collector's sight: it is there to stay.

        Raises:
            SourceError: the child ran out of memory or time, or died.
        """
        async with self._turn:
            pool = self._pool = self._pool or self._start()
            try:
                async with asyncio.timeout(self._deadline_s):
                    return await _joined(pool, function, *args)
            except (BrokenExecutor, MemoryError) as failure:
                self._kill()
                raise SourceError(
                    f"reading needs more than {self._memory_bytes >> 20} MiB, or its process died"
                ) from failure
            except TimeoutError as failure:
                self._kill()
                raise SourceError(f"reading takes longer than {self._deadline_s:g} s") from failure

    def close(self) -> None:
        """End the child process."""
        self._kill()

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context(self._method)
        context.set_forkserver_preload([*_PRELOADED])
        return ProcessPoolExecutor(
            max_workers=1,
            mp_context=context,
            initializer=_limit,
            initargs=(self._memory_bytes,),
        )

    def _kill(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 - no public way to stop a call
            with suppress(ProcessLookupError):
                process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


async def _joined(pool: ProcessPoolExecutor, function: Callable[[*Ts], T], *args: *Ts) -> T:
    """Call a function in the child and fetch what it returns, a few slices at a time."""
    loop = asyncio.get_running_loop()
    joiner = Joiner()
    count, slices = await loop.run_in_executor(pool, _hold, function, *args)
    while True:
        for content in slices:
            joiner.add(content)
            gc.freeze()  # one after the other: the collector would look through what came
            await asyncio.sleep(0)
        count -= len(slices)
        if not count:
            return cast("T", joiner.value)
        slices = await loop.run_in_executor(pool, _next)


def _hold(function: Callable[[*Ts], T], *args: *Ts) -> tuple[int, list[bytes]]:
    """Call the function; return how many slices its result has, and the first of them."""
    _HELD[:] = reversed(split(function(*args)))
    return len(_HELD), _next()


def _next() -> list[bytes]:
    return [_HELD.pop() for _ in range(min(_SLICES, len(_HELD)))]


def _limit(memory_bytes: int) -> None:
    """Prepare the child: bounded memory, deaf to the terminal, gone with its parent."""
    gc.set_threshold(_GC_THRESHOLD)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.join,), daemon=True).start()


def _follow(parent_ends: Callable[[], None]) -> None:
    parent_ends()
    os._exit(0)
