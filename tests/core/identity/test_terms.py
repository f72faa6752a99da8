"""How a reference on file stands: ending soon, ended, owing a report; and when that changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from gateway.core.identity.model import Reference
from gateway.core.identity.terms import next_change, report_due, terms

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)

MOMENTS = st.datetimes(timezones=st.just(UTC))
REFERENCES = st.builds(
    Reference,
    id=st.just("LIC-1"),
    kind=st.just("licence"),
    valid_from=st.none() | MOMENTS,
    valid_to=st.none() | MOMENTS,
    report_days=st.none() | st.integers(1, 36_525),
    reported=st.none() | MOMENTS,
    warn_days=st.integers(0, 36_525),
)


def licence(**changes: object) -> Reference:
    return Reference(id="LIC-1", kind="licence", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "standing"),
    [
        (BEGIN - TICK, "not_yet"),
        (BEGIN, "valid"),
        (END - 30 * DAY - TICK, "valid"),
        (END - 30 * DAY, "expiring"),
        (END - TICK, "expiring"),
        (END, "expired"),
    ],
)
def test_a_reference_is_valid_then_ends_soon_then_has_ended(now: datetime, standing: str) -> None:
    assert terms(licence(valid_from=BEGIN, valid_to=END), now).standing == standing


def test_without_a_warning_period_nothing_ends_soon() -> None:
    reference = licence(valid_to=END, warn_days=0)
    assert terms(reference, END - TICK).standing == "valid"
    assert terms(reference, END).standing == "expired"


def test_what_has_no_end_never_presses() -> None:
    found = terms(licence(), END)
    assert (found.standing, found.report_due, found.pressing) == ("valid", None, False)


def test_a_report_is_owed_so_many_days_after_the_last_one() -> None:
    reference = licence(valid_from=BEGIN, report_days=90, reported=BEGIN + 10 * DAY)
    due = BEGIN + 100 * DAY
    assert not terms(reference, due - TICK).report_owed
    assert terms(reference, due).report_owed
    assert terms(reference, due).pressing
    assert report_due(reference) == due


def test_the_first_report_is_owed_so_many_days_after_the_beginning() -> None:
    assert report_due(licence(valid_from=BEGIN, report_days=90)) == BEGIN + 90 * DAY


def test_after_the_end_one_more_report_is_owed_and_then_none() -> None:
    ended = licence(valid_from=BEGIN, valid_to=END, report_days=90, reported=END - DAY)
    assert report_due(ended) == END + 89 * DAY
    assert report_due(licence(valid_to=END, report_days=90, reported=END)) is None


def test_far_dates_are_no_fault() -> None:
    far = licence(valid_from=datetime(9999, 1, 1, tzinfo=UTC), report_days=36_525)
    assert report_due(far) == datetime.max.replace(tzinfo=UTC)
    early = licence(valid_to=datetime(1, 1, 2, tzinfo=UTC), warn_days=36_525)
    assert terms(early, datetime(1, 1, 1, tzinfo=UTC)).standing == "expiring"


@given(REFERENCES, MOMENTS, st.floats(0, 1, exclude_max=True))
def test_until_the_next_change_everything_stays_as_it_is(
    reference: Reference, now: datetime, share: float
) -> None:
    change = next_change(reference, now)
    if change is None:
        until = datetime.max.replace(tzinfo=UTC)
        assert terms(reference, until) == terms(reference, now)
        return
    assert change > now
    between = min(now + (change - now) * share, change - TICK)
    assert terms(reference, between) == terms(reference, now)


@given(REFERENCES, MOMENTS)
def test_whatever_stands_otherwise_later_was_said_to_change(
    reference: Reference, now: datetime
) -> None:
    """The walk from change to change ends, and ends where everything has happened."""
    steps = 0
    while (change := next_change(reference, now)) is not None:
        now, steps = change, steps + 1
    assert steps <= 4
    assert terms(reference, now) == terms(reference, datetime.max.replace(tzinfo=UTC))
