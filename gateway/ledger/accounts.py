"""Counts of what was taken: one for each quota, and one for each hour, day or month of a budget.

A count has a durable mark that is never below it while the gateway runs, so that whoever begins
again at the mark has forgotten nothing that was taken. Marks run ahead by a block, so that not
every request waits for the disk; what a crash leaves between count and mark is lost to the caller
and never given twice. No clock and no disk here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from gateway.core.operation import Counting

# The one time of a quota, which has no hours or days.
ALL_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Windows of a budget that are kept; of more, the clock would have to jump about.
_WINDOWS: Final = 2
# Of a limit, so much is at most lost in a crash.
_LOST_SHARE: Final = 100
_LARGEST_BLOCK: Final = 1_000

# `quota`, tenant, reference, what is counted; or `budget`, tenant, budget, what is counted, period.
Key = tuple[str, ...]


def quota_key(tenant: str, reference: str, counts: Counting) -> Key:
    """Return the account of a quota."""
    return "quota", tenant, reference, counts


class Count(msgspec.Struct):
    """What was taken in one time; owned by the ledger, on the event loop.

    Attributes:
        used: what was taken, less what was given back.
        mark: durable; while the gateway runs, `used` never exceeds it.
        waiting: what requests wait to take once the mark is higher.
        limit: the limit as it was seen last.
        capped: whether nothing beyond the limit is ever taken, so that no mark need lie beyond it.
    """

    used: int = 0
    mark: int = 0
    waiting: int = 0
    limit: int = 0
    capped: bool = False

    @property
    def block(self) -> int:
        """How far ahead of the count the mark is set."""
        return max(1, min(_LARGEST_BLOCK, self.limit // _LOST_SHARE))

    @property
    def goal(self) -> int:
        """The next mark: enough for all who wait, and a block more."""
        needed = self.used + self.waiting
        ahead = min(self.block, max(0, self.limit - needed)) if self.capped else self.block
        return max(needed + ahead, self.mark)

    @property
    def low(self) -> bool:
        """Whether the next requests would soon have to wait for a mark."""
        return self.mark - self.used < self.block // 2 and self.goal > self.mark

    def wait_for(self, amount: int) -> None:
        """Note that a request waits to take so much; no more than there is, but for one request."""
        waiting = self.waiting + amount
        if self.capped:
            waiting = min(waiting, max(self.limit - self.used, amount))
        self.waiting = max(self.waiting, waiting)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What is durable of one account.

    Attributes:
        marks: by first moment of the time, in its order.
        closed: the latest time that is no longer kept; None where none was let go of.
    """

    marks: tuple[tuple[datetime, int], ...]
    closed: datetime | None = None


class Account:
    """The counts of one quota or one budget of one tenant."""

    def __init__(self, key: Key, stored: Stored | None = None) -> None:
        """Begin at the marks that are durable."""
        self.key = key
        self._closed = stored.closed if stored else None
        self._counts = {
            since: Count(used=mark, mark=mark) for since, mark in (stored.marks if stored else ())
        }

    def count(self, since: datetime) -> Count | None:
        """Return the count of a time.

        None where the clock went so far back that its count is no longer kept: nobody can say what
        was taken then, so it counts as used up.
        """
        found = self._counts.get(since)
        if found is not None:
            return found
        if self._closed is not None and since <= self._closed:
            return None
        found = self._counts[since] = Count()
        if len(self._counts) > _WINDOWS:
            oldest = min(self._counts)
            del self._counts[oldest]
            self._closed = oldest
        return found if since in self._counts else None

    def peek(self, since: datetime) -> int:
        """Return what was taken in a time, for people."""
        found = self._counts.get(since)
        return found.used if found else 0

    def ahead(self) -> Stored:
        """Return what to make durable next: every goal."""
        return self._stored({since: count.goal for since, count in self._counts.items()})

    def exact(self) -> Stored:
        """Return what to make durable at the end: every count as it is."""
        return self._stored({since: count.used for since, count in self._counts.items()})

    def is_exact(self) -> bool:
        """Tell whether every mark is where the count is."""
        return all(count.mark == count.used for count in self._counts.values())

    def take_over(self, stored: Stored) -> None:
        """Take marks that are durable now."""
        for since, mark in stored.marks:
            count = self._counts.get(since)
            if count is not None:
                count.mark = mark

    def nobody_waits(self) -> None:
        """Forget who waited: their takings are in the goals."""
        for count in self._counts.values():
            count.waiting = 0

    def _stored(self, marks: dict[datetime, int]) -> Stored:
        return Stored(marks=tuple(sorted(marks.items())), closed=self._closed)
