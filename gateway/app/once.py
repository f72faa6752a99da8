"""What exists once in the process: the clock and the source of identifiers."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from datetime import UTC, datetime

# 96 random bits: unguessable, and short enough to read out.
_ID_DIGITS = 24
_BATCH = 256
# Containers that may be made before the collector looks at the youngest: some hundred requests.
_GC_THRESHOLD = 20_000


def utc_now() -> datetime:
    """Return the time, aware, UTC: the one clock."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock


def decision_ids() -> Callable[[], str]:
    """Return a source of decision ids, `dec_` and 24 lower-case hexadecimal digits.

    The system's generator is asked for many at once: a call costs more than an id.
    """
    pool: list[str] = []

    def next_id() -> str:
        if not pool:
            noise = os.urandom(_ID_DIGITS // 2 * _BATCH).hex()
            pool.extend(
                "dec_" + noise[start : start + _ID_DIGITS]
                for start in range(0, len(noise), _ID_DIGITS)
            )
        return pool.pop()

    return next_id


def settle_memory() -> None:
    """Take everything that is loaded out of the garbage collector's sight.

    To be called after start and after each swap of a part: a full collection over a large policy or
    tenant file would stall requests. What requests make has no cycles, so the collector may come
    less often than by default.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 50, 100)
