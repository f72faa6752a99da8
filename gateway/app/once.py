"""What exists once in the process: the clock and the source of identifiers."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from datetime import UTC, datetime

# 15 bytes are 24 base32 characters: unguessable, and short enough to read out.
_ID_BYTES = 15
_BATCH = 256


def utc_now() -> datetime:
    """Return the time, aware, UTC: the one clock."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock


def decision_ids() -> Callable[[], str]:
    """Return a source of decision ids, `dec_` and 24 lower-case base32 characters.

    The system's generator is asked for many at once: a call costs more than an id.
    """
    pool: list[str] = []

    def next_id() -> str:
        if not pool:
            noise = os.urandom(_ID_BYTES * _BATCH)
            pool.extend(
                "dec_" + base64.b32encode(noise[start : start + _ID_BYTES]).decode().lower()
                for start in range(0, len(noise), _ID_BYTES)
            )
        return pool.pop()

    return next_id
