"""What exists once in the process: the clock and the source of identifiers."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from datetime import UTC, datetime

from gateway.audit.ids import NOISE_DIGITS, decision_id

_BATCH = 256
# Containers that may be made before the collector looks at the youngest: some hundred requests.
_GC_THRESHOLD = 20_000


def utc_now() -> datetime:
    """Return the time, aware, UTC: the one clock."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock


def decision_ids() -> Callable[[datetime], str]:
    """Return a source of decision ids for a time; see `gateway.audit.ids`.

    The system's generator is asked for many at once: a call costs more than an id.
    """
    pool: list[str] = []

    def next_id(now: datetime) -> str:
        if not pool:
            noise = os.urandom(NOISE_DIGITS // 2 * _BATCH).hex()
            pool.extend(
                noise[start : start + NOISE_DIGITS] for start in range(0, len(noise), NOISE_DIGITS)
            )
        return decision_id(now, pool.pop())

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
