"""A warm child process that reads what people wrote, so that no file can stall or hurt the gateway.

Parsing YAML holds the interpreter for milliseconds a rule; a bomb holds it for good. The child has
a memory limit and a deadline: what exceeds them is a finding, and the next load gets a new child.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

from gateway.errors import SourceError

Ts = TypeVarTuple("Ts")
T = TypeVar("T")

# Ten times what 5,000 rules take; a bomb stops here instead of in the gateway.
MEMORY_BYTES = 2 << 30
# The largest policy set that the contracts speak of loads in seconds.
DEADLINE_S = 60.0


class Child:
    """Runs one function call at a time in a child process."""

    def __init__(self, *, memory_bytes: int = MEMORY_BYTES, deadline_s: float = DEADLINE_S) -> None:
        """Start nothing yet; the process starts with the first call and stays warm."""
        self._memory_bytes, self._deadline_s = memory_bytes, deadline_s
        self._pool: ProcessPoolExecutor | None = None
        self._turn = asyncio.Lock()

    async def run(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        """Call a top-level function in the child.

        Raises:
            SourceError: the child ran out of memory or time, or died.
        """
        async with self._turn:
            pool = self._pool = self._pool or self._start()
            try:
                async with asyncio.timeout(self._deadline_s):
                    loop = asyncio.get_running_loop()
                    return await loop.run_in_executor(pool, function, *args)
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
        return ProcessPoolExecutor(
            max_workers=1,
            mp_context=multiprocessing.get_context("spawn"),
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


def _limit(memory_bytes: int) -> None:
    """Prepare the child: bounded memory, deaf to the terminal, gone with its parent."""
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
