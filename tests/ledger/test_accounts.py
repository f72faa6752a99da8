"""Counts and their marks, without a clock and a disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from gateway.core.operation import Period
from gateway.core.policy.counting import first_moment
from gateway.ledger.accounts import ALL_TIME, Account, Count, Stored

DAY = datetime(2026, 11, 25, tzinfo=UTC)
KEY = ("budget", "acct-1", "a-day", "calls", "day")


def days(number: int) -> datetime:
    return DAY + timedelta(days=number)


@pytest.mark.parametrize(
    ("period", "at", "first"),
    [
        ("hour", "2026-11-25T13:59:59.999999", "2026-11-25T13:00:00"),
        ("day", "2026-11-25T23:59:59.999999", "2026-11-25T00:00:00"),
        ("day", "2026-11-26T00:00:00", "2026-11-26T00:00:00"),
        ("month", "2026-11-30T23:59:59.999999", "2026-11-01T00:00:00"),
        ("month", "2026-12-01T00:00:00", "2026-12-01T00:00:00"),
        ("month", "2028-02-29T12:00:00", "2028-02-01T00:00:00"),
        ("month", "2026-12-31T23:00:00", "2026-12-01T00:00:00"),
    ],
)
def test_an_hour_a_day_and_a_month_are_those_of_the_calendar(
    period: Period, at: str, first: str
) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert first_moment(period, moment) == datetime.fromisoformat(first).replace(tzinfo=UTC)


def test_an_account_begins_again_at_the_marks_that_are_durable() -> None:
    account = Account(KEY, Stored(marks=((DAY, 7),)))
    count = account.count(DAY)
    assert count == Count(used=7, mark=7)
    assert account.peek(DAY) == 7
    assert account.peek(days(1)) == 0


def test_each_day_is_counted_by_itself() -> None:
    account = Account(KEY)
    today, tomorrow = account.count(DAY), account.count(days(1))
    assert today is not None
    assert tomorrow is not None
    today.used = 5
    assert tomorrow.used == 0
    assert account.count(DAY) is today


def test_a_clock_that_goes_back_a_day_counts_on_where_that_day_was() -> None:
    account = Account(KEY)
    today = account.count(DAY)
    assert today is not None
    today.used = 5
    account.count(days(1))
    again = account.count(DAY)
    assert again is not None
    assert again.used == 5


def test_a_clock_that_goes_back_to_what_is_no_longer_kept_finds_nothing_left() -> None:
    account = Account(KEY)
    for number in range(4):
        assert account.count(days(number)) is not None
    assert account.count(days(1)) is None
    assert account.count(days(0)) is None
    assert account.count(days(-9)) is None
    # And it stays so after a restart.
    again = Account(KEY, account.exact())
    assert again.count(days(1)) is None
    assert again.count(days(2)) is not None


def test_a_clock_that_was_wrong_at_first_does_no_harm() -> None:
    account = Account(KEY)
    account.count(days(999))
    for number in range(4):
        assert account.count(days(number)) is not None


def test_marks_run_ahead_by_a_share_of_the_limit_that_a_crash_may_cost() -> None:
    for limit, block in ((1, 1), (99, 1), (1_000, 10), (10**9, 1_000)):
        assert Count(limit=limit).block == block


def test_the_mark_of_a_quota_does_not_lie_beyond_its_limit() -> None:
    count = Count(used=95, mark=95, limit=1_000, capped=True)
    assert count.goal == 105
    count.used = 995
    assert count.goal == 1_000
    count.mark = 1_000
    assert not count.low


def test_whoever_waits_finds_the_mark_high_enough() -> None:
    count = Count(limit=10, capped=True)
    for _ in range(1_000):
        count.wait_for(1)
    assert count.goal == 10
    greedy = Count(limit=10, capped=True)
    greedy.wait_for(50)  # of another limit, a moment ago
    assert greedy.goal == 50
    uncapped = Count(limit=10)
    for _ in range(1_000):
        uncapped.wait_for(1)
    assert uncapped.goal == 1_001


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 5)), max_size=40))
def test_the_sum_of_each_day_is_never_forgotten(steps: list[tuple[int, int]]) -> None:
    account, taken = Account(KEY), dict[datetime, int]()
    for number, amount in steps:
        count = account.count(days(number))
        if count is None:
            continue
        assert count.used == taken.get(days(number), 0)
        count.used += amount
        taken[days(number)] = count.used


def test_a_quota_has_one_time() -> None:
    account = Account(("quota", "acct-1", "LIC-1", "calls"))
    count = account.count(ALL_TIME)
    assert count is not None
    count.used = 3
    assert account.exact() == Stored(marks=((ALL_TIME, 3),))
