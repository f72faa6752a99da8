"""What a reference on file asks of whoever keeps it: to renew it in time, to report on its use.

Nothing here decides a request; whether a reference applies to one is for
`gateway.core.policy.references` to say. The words are those of the tenant file.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import msgspec

from gateway.core.identity.model import Reference

# `expiring` is valid still, and ends within its warning period.
Standing = Literal["not_yet", "valid", "expiring", "expired"]
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How a reference stands at a time.

    Attributes:
        standing: whether it is valid, and for how long.
        report_due: from when on a report on its use is owed, UTC; None where nobody asks for one,
            or where the whole of its use was reported.
        report_owed: whether that is so already.
    """

    standing: Standing
    report_due: datetime | None
    report_owed: bool

    @property
    def pressing(self) -> bool:
        """Whether somebody has to do something: it has ended, ends soon, or owes a report."""
        return self.report_owed or self.standing in {"expiring", "expired"}


def terms(reference: Reference, now: datetime) -> Terms:
    """Tell how a reference stands.

    Args:
        reference: on file.
        now: aware, UTC.
    """
    due = report_due(reference)
    return Terms(
        standing=_standing(reference, now),
        report_due=due,
        report_owed=due is not None and now >= due,
    )


def report_due(reference: Reference) -> datetime | None:
    """Return from when on a report is owed: `report_days` after the last one, or the beginning.

    None where nobody asks for one; and where it ended before it was reported on last, because
    there was no use since. Beyond the year 9999 it is the last moment of that year.
    """
    since = reference.reported or reference.valid_from
    if reference.report_days is None or since is None:
        return None
    if reference.valid_to is not None and since >= reference.valid_to:
        return None
    return _moved(since, reference.report_days)


def next_change(reference: Reference, now: datetime) -> datetime | None:
    """Return the next moment at which a reference will stand otherwise; None where it never will.

    Args:
        reference: on file.
        now: aware, UTC.
    """
    moments = [reference.valid_from, _warned_from(reference), reference.valid_to]
    later = [one for one in (*moments, report_due(reference)) if one is not None and one > now]
    return min(later, default=None)


def in_days(span: timedelta) -> str:
    """Return how long from now something is, in words; `span` is not negative."""
    days = span // timedelta(days=1)
    return "in less than a day" if not days else "in 1 day" if days == 1 else f"in {days:,} days"


def as_date(moment: datetime) -> str:
    """Return a moment as a date, with its time where it is not the first of the day."""
    midnight = moment == moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{moment:%Y-%m-%d}" if midnight else moment.isoformat()


def _standing(reference: Reference, now: datetime) -> Standing:
    if reference.valid_to is not None and now >= reference.valid_to:
        return "expired"
    if reference.valid_from is not None and now < reference.valid_from:
        return "not_yet"
    warned_from = _warned_from(reference)
    return "expiring" if warned_from is not None and now >= warned_from else "valid"


def _warned_from(reference: Reference) -> datetime | None:
    if reference.valid_to is None:
        return None
    return _moved(reference.valid_to, -reference.warn_days)


def _moved(moment: datetime, days: int) -> datetime:
    """Return the moment so many days later, or earlier; no further than there is a calendar."""
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return _LAST if days > 0 else _FIRST
