from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from gateway.audit import lines as lines_module
from gateway.audit.lines import Lines, _HappenedLine
from gateway.audit.record import (
    MAX_INTEGER,
    Effect,
    Happened,
    Line,
    Rejected,
    RequestPart,
    encode,
)
from gateway.core.identity.model import Reference
from gateway.core.operation import Returned
from tests.audit.strategies import DECISIONS, FACTS, TIMES
from tests.builders import (
    NOW,
    a_decision,
    a_tenant,
    an_operation,
    decided,
    facts,
    happened,
    located,
    verified,
)

ORIGIN, ENGINE = 'gw.example/"audit"', "0.1.0"
TEXT = st.text(st.characters(exclude_categories=()), max_size=6)  # with lone surrogates
PARTS = st.sampled_from([{"catalog": "a", "Keys": "b"}, {"catalog": "a"}, {}])
REQUESTS = st.builds(
    RequestPart,
    method=TEXT,
    host=TEXT,
    target=TEXT,
    header_names=st.lists(TEXT, max_size=2).map(tuple),
    body_bytes=st.integers(0, 9_999),
    body_sha256=st.none() | TEXT,
)


COUNT = st.integers(0, MAX_INTEGER)
HAPPENED = st.builds(
    Happened,
    time=TIMES,
    decided=TEXT,
    outcome=st.sampled_from(get_args(Effect)),
    status=st.none() | COUNT,
    upstream_status=st.none() | COUNT,
    sent=st.booleans(),
    duration_us=COUNT,
    response_bytes=COUNT,
    given_back=st.lists(
        st.builds(Returned, of=st.just("budget"), id=TEXT, amount=COUNT), max_size=2
    ).map(tuple),
)


def agree(lines: Lines, record: Line, seq: int = 7) -> bool:
    return lines.line(record, seq) == encode(record, origin=ORIGIN, seq=seq, engine=ENGINE)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_line_is_that_of_encode_however_its_pieces_come_together_again(
    data: st.DataObject,
) -> None:
    lines = Lines(origin=ORIGIN, engine=ENGINE)
    known = data.draw(st.lists(FACTS, min_size=1, max_size=3))
    verdicts = data.draw(st.lists(DECISIONS, min_size=1, max_size=2))
    for seq in range(8):
        other = data.draw(st.sampled_from(known))
        now = data.draw(st.sampled_from(known)).at
        mixed = msgspec.structs.replace(
            data.draw(st.sampled_from(known)),
            operation=data.draw(st.sampled_from(known)).operation,
            identity=other.identity,
            screening=other.screening,
            at=now,
        )
        record = decided(
            data.draw(TEXT),
            time=data.draw(st.just(now) | TIMES),
            snapshot=data.draw(st.sampled_from(["s1", "s2", "\ud800"])),
            parts=data.draw(PARTS),
            request=data.draw(REQUESTS),
            facts=mixed,
            decision=data.draw(st.sampled_from(verdicts)),
            probed=data.draw(TEXT),
        )
        assert agree(lines, record, seq)


@pytest.mark.parametrize(
    "change",
    [
        {"operation": an_operation("IndexFaces")},
        {"identity": verified(credential="kid-2 svc-other")},
        {"identity": verified(method="sigv4")},
        {"identity": verified(a_tenant("acct-2"))},
        {"at": NOW + timedelta(seconds=1)},
    ],
    ids=["operation", "credential", "method", "tenant", "time"],
)
def test_what_differs_beside_a_known_place_is_written(change: dict[str, object]) -> None:
    lines, usual = Lines(origin=ORIGIN, engine=ENGINE), facts()
    assert agree(lines, decided(facts=usual))
    assert agree(lines, decided(facts=msgspec.structs.replace(usual, **change)))
    assert agree(lines, decided(facts=usual, decision=a_decision("refuse")))


def test_an_equal_tenant_whose_times_are_written_otherwise_is_another() -> None:
    instant = datetime(2026, 1, 1, 12, tzinfo=UTC)
    elsewhere = instant.astimezone(timezone(timedelta(hours=2)))
    place, lines = located(), Lines(origin=ORIGIN, engine=ENGINE)
    for valid_from in (instant, elsewhere):
        reference = Reference(id="LIC-1", kind="licence", valid_from=valid_from)
        caller = verified(a_tenant(references=(reference,)))
        assert agree(lines, decided(facts=facts(identity=caller, geography=place)))


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_STANDINGS", 3)
    lines, places = Lines(origin=ORIGIN, engine=ENGINE), [located() for _ in range(9)]
    record = decided()
    for place in places + places:
        assert agree(lines, msgspec.structs.replace(record, facts=facts(geography=place)))
        assert len(lines._standings) <= 3


def test_a_record_that_has_no_encoding_spoils_none_that_comes_after_it() -> None:
    lines, usual = Lines(origin=ORIGIN, engine=ENGINE), decided()
    for broken in (
        msgspec.structs.replace(usual, parts={"a": object()}),
        msgspec.structs.replace(usual, decision=object()),
        msgspec.structs.replace(usual, request=object()),
    ):
        with pytest.raises(TypeError, match=r"cannot hold|not supported|unsupported"):
            lines.line(broken, 1)
        assert agree(lines, usual)


@given(HAPPENED)
def test_what_happened_is_written_as_by_encode(record: Happened) -> None:
    assert agree(Lines(origin=ORIGIN, engine=ENGINE), record)


def test_lines_of_other_kinds_are_those_of_encode() -> None:
    record = Rejected(time=NOW, address="192.0.2.1", reason="malformed.path")
    assert agree(Lines(origin=ORIGIN, engine=ENGINE), record)


def test_the_fields_of_what_happened_are_declared_in_canonical_order() -> None:
    names = [field.encode_name for field in msgspec.structs.fields(_HappenedLine)]
    assert names == sorted(msgspec.json.decode(encode(happened(), origin="", seq=1, engine="")))


def test_the_parts_of_a_request_are_declared_in_canonical_order() -> None:
    names = [field.encode_name for field in msgspec.structs.fields(RequestPart)]
    assert names == sorted(names)
