from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from gateway.proxy.rejections import Rejection, Rejections

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)


def rejected(
    rejections: Rejections, address: str, *, now: datetime = NOON, reason: str = "malformed.path"
) -> tuple[Rejection, ...]:
    return rejections.add(address=address, reason=reason, length=7, now=now)


def one(address: str, count: int = 1, reason: str = "malformed.path") -> Rejection:
    return Rejection(address=address, reason=reason, length=7 * count, count=count)


def test_the_first_of_an_address_and_minute_are_recorded_one_by_one() -> None:
    rejections = Rejections(each=2)
    assert [rejected(rejections, address) for address in "aabab"] == [
        (one("a"),),
        (one("a"),),
        (one("b"),),
        (),
        (one("b"),),
    ]


def test_the_others_are_one_record_a_reason_when_the_minute_is_over() -> None:
    rejections = Rejections(each=1)
    for reason in ("malformed.path", "malformed.path", "malformed.path", "host.unknown"):
        rejected(rejections, "a", reason=reason)
    assert rejections.due(NOON + timedelta(seconds=59)) == ()
    assert rejections.due(LATER) == (one("a", 2), one("a", 1, "host.unknown"))
    assert rejections.due(LATER) == ()


def test_a_new_minute_begins_anew_whoever_begins_it() -> None:
    rejections = Rejections(each=1)
    rejected(rejections, "a")
    rejected(rejections, "a")
    assert rejected(rejections, "b", now=LATER) == (one("a", 1), one("b"))
    assert rejected(rejections, "a", now=LATER) == (one("a"),)


def test_addresses_beyond_the_table_are_counted_together() -> None:
    rejections = Rejections(each=5, addresses=2)
    assert [len(rejected(rejections, address)) for address in "abcd"] == [1, 1, 0, 0]
    assert rejections.drain() == (one("", 2),)
    assert rejections.drain() == ()


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 400))),
    st.integers(0, 3),
    st.integers(1, 4),
)
def test_every_rejection_is_counted_exactly_once(
    arrivals: list[tuple[str, int]], each: int, addresses: int
) -> None:
    rejections = Rejections(each=each, addresses=addresses)
    recorded: list[Rejection] = []
    for address, seconds in sorted(arrivals, key=lambda arrival: arrival[1]):
        recorded += rejected(rejections, address, now=NOON + timedelta(seconds=seconds))
    recorded += rejections.drain()
    assert sum(record.count for record in recorded) == len(arrivals)
    assert sum(record.length for record in recorded) == 7 * len(arrivals)
