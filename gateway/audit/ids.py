"""Ids of decisions: `dec_`, the time in milliseconds, and 64 random bits; in order of time.

12 hexadecimal digits of time and 16 of noise (compare RFC 9562 version 7): nobody guesses one, and
whoever has one knows where in a log of any length to look. An id is no secret all the same.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

NOISE_DIGITS: Final = 16

_ID: Final = re.compile("dec_(?P<time>[0-9a-f]{12})[0-9a-f]{16}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def decision_id(now: datetime, noise: str) -> str:
    """Return an id.

    Args:
        now: aware, UTC, from 1970 on.
        noise: random, 16 lower-case hexadecimal digits, used only once.
    """
    return f"dec_{int(now.timestamp() * 1000):012x}{noise}"


def time_of(decision: str) -> datetime | None:
    """Return the time at which an id was made, to the millisecond.

    None where it does not tell: another form, or a time beyond all calendars.
    """
    match = _ID.fullmatch(decision)
    if match is None:
        return None
    try:
        return _EPOCH + int(match["time"], 16) * _MILLISECOND
    except OverflowError:
        return None
