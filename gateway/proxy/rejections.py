"""Decides which rejected requests are recorded one by one, and which are only counted.

Rejecting is cheap for whoever causes it; a record is not. So an address has a number of records a
minute, and what exceeds it is one record with a count when the minute is over (contracts, section
7). Pure: the caller says what time it is.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

_WINDOW_S = 60


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """What to record: one rejected request, or `count` of one address with one reason.

    Attributes:
        address: of the client; empty for many clients together, when the table was full.
        reason: code from `gateway.core.decision.REASONS`.
        length: bytes received, added up.
        count: how many requests this stands for.
    """

    address: str
    reason: str
    length: int
    count: int = 1


class Rejections:
    """The rejections of the present minute; owned by the data listener.

    Bounded: at most `addresses` are told apart, further ones are counted together.
    """

    def __init__(self, *, each: int = 10, addresses: int = 4096) -> None:
        """Begin empty; `each` is how many of one address and minute are recorded one by one."""
        self._each, self._addresses = each, addresses
        self._window = 0
        self._seen: dict[str, int] = {}
        self._counted: dict[tuple[str, str], Rejection] = {}

    def add(
        self, *, address: str, reason: str, length: int, now: datetime
    ) -> tuple[Rejection, ...]:
        """Take one rejection in; return what to record now, in order."""
        closed = self.due(now)
        if address not in self._seen and len(self._seen) >= self._addresses:
            address = ""
        seen = self._seen.get(address, 0) + 1
        self._seen[address] = seen
        if address and seen <= self._each:
            return (*closed, Rejection(address=address, reason=reason, length=length))
        before = self._counted.get((address, reason))
        self._counted[address, reason] = Rejection(
            address=address,
            reason=reason,
            length=length + (before.length if before else 0),
            count=1 + (before.count if before else 0),
        )
        return closed

    def due(self, now: datetime) -> tuple[Rejection, ...]:
        """Return the counts of a minute that is over; to be asked every now and then."""
        window = int(now.timestamp()) // _WINDOW_S
        if window == self._window:
            return ()
        self._window = window
        return self.drain()

    def drain(self) -> tuple[Rejection, ...]:
        """Return the counts so far and begin anew, as at the end of the process."""
        counted = tuple(self._counted.values())
        self._seen.clear()
        self._counted.clear()
        return counted
