"""Memory changes nothing: what it answers is what reading and judging each line anew answers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from gateway.app.remembered import instants, likeness
from gateway.app.replay import Replay, Report
from gateway.audit.lines import Lines
from gateway.audit.segments import parts_directory
from gateway.core.facts import Facts
from gateway.core.identity.model import Reference
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.model import Pack, Policies
from gateway.sources.stored_parts import StoredParts
from tests.app.logs import ORIGIN, keep, plain, record_of, sorted_line
from tests.builders import decided, happened
from tests.core.policy import strategies as some
from tests.core.policy.builders import NOON, caller, facts, policies, rule

PERMIT = policies(rule("permit", id="all"))


def lines_of(policy: Policies, judged: list[Facts]) -> list[bytes]:
    encoder = Lines(origin=ORIGIN, engine="test")
    return [encoder.line(record_of(policy, one, n), n) for n, one in enumerate(judged)]


def replayed(parts: StoredParts, candidate: Policies, lines: list[bytes], *, anew: bool) -> bytes:
    """Return the report as bytes; `anew`: nothing is remembered from line to line."""
    report, replay = Report(), Replay(parts, candidate, None)
    for line in lines:
        replay = Replay(parts, candidate, None) if anew else replay
        replay.take(line, report)
    return msgspec.json.encode(report)


@settings(max_examples=30)
@given(some.packs(), some.packs(), st.lists(some.judged, max_size=4), st.lists(some.times))
def test_memory_changes_no_count(
    tmp_path_factory: pytest.TempPathFactory,
    packs: list[Pack],
    others: list[Pack],
    judged: list[Facts],
    times: list[object],
) -> None:
    directory = tmp_path_factory.mktemp("log")
    policy, candidate = compile_policies(packs), compile_policies(others)
    keep(directory, policy)
    parts = StoredParts(parts_directory(directory, origin=ORIGIN))
    again = [msgspec.structs.replace(one, at=time) for time in times for one in judged]
    lines = lines_of(policy, judged + again)
    assert replayed(parts, candidate, lines, anew=False) == replayed(
        parts, candidate, lines, anew=True
    )


def test_lines_that_differ_in_time_id_and_request_alone_are_alike() -> None:
    later = msgspec.structs.replace(facts(), at=NOON + timedelta(hours=3))
    one, other = map(likeness, lines_of(PERMIT, [facts(), later]))
    assert one is not None
    assert other is not None
    assert one.key == other.key
    assert (one.at, other.at) == (NOON, NOON + timedelta(hours=3))
    assert one.rest.id != other.rest.id


def test_lines_that_differ_in_verdict_facts_or_policy_are_not_alike() -> None:
    lines = [
        *lines_of(PERMIT, [facts(), facts(identity=caller(tags=("vip",)))]),
        *lines_of(policies(rule("permit", id="other")), [facts()]),
        *lines_of(policies(rule("deny", id="all")), [facts()]),
    ]
    keys = {like.key for like in map(likeness, lines) if like is not None}
    assert len(keys) == len(lines)


def test_every_usual_line_is_taken_apart() -> None:
    for record in (decided(), record_of(PERMIT, facts())):
        assert likeness(Lines(origin=ORIGIN, engine="test").line(record, 0)) is not None
    assert likeness(Lines(origin=ORIGIN, engine="test").line(happened(), 0)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b',"v":1}', b',"v":2}'),
        (b',"v":1}', b',"v":1,"w":1}'),
        (b',"v":1}', b', "v":1}'),
        (b',"seq":', b',"facts":{},"seq":'),
        (b'"at":"2026-11-21T12:00:00Z"', b'"at":"2026-11-21T12:00:00.0Z"'),
        (b'"at":"2026-11-21T12:00:00Z"', b'"at":"2026-11-21T12:00:00"'),
        (b'"at":"2026-11-21T12:00:00Z"', b'"at":"noon"'),
    ],
)
def test_a_line_in_any_other_form_is_read_as_a_whole(
    tmp_path: Path, old: bytes, new: bytes
) -> None:
    keep(tmp_path, PERMIT)
    parts = StoredParts(parts_directory(tmp_path, origin=ORIGIN))
    good, other = lines_of(PERMIT, [facts(), facts()])
    changed = other.replace(old, new)
    assert changed != other
    assert likeness(changed) is None
    report, replay = Report(), Replay(parts, PERMIT, None)
    for line in (good, changed):
        replay.take(line, report)
    assert (report.decisions, report.agreed) == (2, 1)
    assert report.left["unreadable"].count == 1


def test_references_and_rules_are_what_may_change_with_time() -> None:
    begin, end = NOON + timedelta(days=1), NOON + timedelta(days=2)
    reference = Reference(id="R", kind="consent", valid_from=begin, valid_to=end)
    dated = policies(rule("permit", start=NOON))
    assert set(instants(facts(identity=caller(references=(reference,))), dated, PERMIT)) == {
        NOON,
        begin,
        end,
    }


def test_an_earlier_form_of_a_record_is_remembered_apart(tmp_path: Path) -> None:
    keep(tmp_path, PERMIT)
    parts = StoredParts(parts_directory(tmp_path, origin=ORIGIN))
    line, other = lines_of(PERMIT, [facts(), facts()])
    earlier = plain(other)
    judged = earlier["facts"]
    assert isinstance(judged, dict)
    del judged["observed"]["stream_processor"]
    report, replay = Report(), Replay(parts, PERMIT, None)
    for each in (line, sorted_line(earlier), sorted_line(earlier)):
        replay.take(each, report)
    assert (report.agreed, report.left["fact not recorded"].count) == (1, 2)
