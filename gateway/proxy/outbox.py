"""Writes of one turn of the event loop, made together in the next.

Between two writes lies otherwise all that a request costs: by then the processor has forgotten the
kernel's code, and the other side has gone to sleep and has to be woken. One after the other they
cost a tenth of all processor time less.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

MOST_BYTES = 65_536
"""What is larger is written at once, so that who writes it hears when it is too much."""


class Outbox:
    """What waits to be written; belongs to one event loop."""

    __slots__ = ("_loop", "_waiting")

    def __init__(self) -> None:
        """Belong to the running loop."""
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Callable[[], None]] = deque()

    def add(self, flush: Callable[[], None]) -> None:
        """Have `flush` called once, in the next turn, in the order in which they were added."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(flush)

    def _flush(self) -> None:
        waiting = self._waiting
        try:
            while waiting:
                waiting.popleft()()
        finally:
            if waiting:  # one of them failed, which is not the affair of the others
                self._loop.call_soon(self._flush)
