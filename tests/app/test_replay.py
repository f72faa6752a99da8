"""Replay: first the self-check, then what a candidate would change, counted exactly."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from gateway.app.replay import Replay, Report, replay
from gateway.audit.lines import Lines
from gateway.audit.segments import parts_directory
from gateway.core.facts import Facts
from gateway.core.operation import Observed
from gateway.core.policy.model import Policies
from gateway.sources.stored_parts import StoredParts
from tests.app.logs import (
    ORIGIN,
    erase,
    keep,
    log_of,
    plain,
    record_of,
    sorted_line,
    without_caller,
    write_lines,
    write_log,
)
from tests.builders import a_tenant, verified
from tests.core.policy.builders import NOON, facts, located, operation, policies, rule, where

FRAUD = rule("permit", where("class", "one_to_many"), id="search")
NOT_TO_CN = rule("deny", where("destination", "CN"), id="china")
NOT_TO_RU = rule("deny", where("destination", "RU"), id="russia")
SERVED = policies(NOT_TO_CN, FRAUD)


def requests(*places: str, start: int = 0) -> list[Facts]:
    return [
        facts(
            geography=located(place),
            identity=verified(a_tenant(f"acct-{number % 2}")),
            at=NOON + timedelta(minutes=start + number),
        )
        for number, place in enumerate(places)
    ]


def test_nothing_changes_under_the_same_policy(tmp_path: Path) -> None:
    write_log(tmp_path, SERVED, requests("GB", "CN", "RU", "GB"))
    report = replay(tmp_path, SERVED)
    assert (report.decisions, report.checked, report.agreed) == (4, 4, 4)
    assert (report.compared, report.same) == (4, 4)
    assert report.newly_refused.count == report.newly_permitted.count == 0
    assert not report.left


def test_what_changes_is_told_by_tenant_country_class_and_rule(tmp_path: Path) -> None:
    ids = write_log(tmp_path, SERVED, requests("GB", "CN", "RU", "RU", "CN", "FR"))
    report = replay(tmp_path, policies(NOT_TO_RU, FRAUD))
    refused, permitted = report.newly_refused, report.newly_permitted
    assert (report.same, refused.count, permitted.count) == (2, 2, 2)
    assert refused.ids == [ids[2], ids[3]]
    assert refused.tenant == {"acct-0": 1, "acct-1": 1}
    assert refused.country == {"RU": 2}
    assert refused.operation_class == {"one_to_many": 2}
    assert refused.rule == {"pack/russia": 2}
    assert permitted.ids == [ids[1], ids[4]]
    assert permitted.rule == {"pack/china": 2}  # the rule that refused, and would not any more


def test_where_no_rule_decides_the_reason_is_told(tmp_path: Path) -> None:
    write_log(tmp_path, SERVED, requests("GB"))
    report = replay(tmp_path, policies(NOT_TO_CN))
    assert report.newly_refused.rule == {"policy.default": 1}


def test_a_record_that_does_not_agree_with_its_policy_is_told_and_not_compared(
    tmp_path: Path,
) -> None:
    encoder = Lines(origin=ORIGIN, engine="test")
    right, wrong = (
        record_of(SERVED, one, number) for number, one in enumerate(requests("GB", "GB"))
    )
    wrong = msgspec.structs.replace(
        wrong, decision=msgspec.structs.replace(wrong.decision, outcome="refuse")
    )
    write_lines(tmp_path, [encoder.line(right, 0), encoder.line(wrong, 1)])
    keep(tmp_path, SERVED)
    report = replay(tmp_path, policies(NOT_TO_CN))
    assert (report.checked, report.agreed, report.compared) == (2, 1, 1)
    assert (report.disagreed.count, report.disagreed.ids) == (1, [wrong.id])


def test_what_cannot_be_judged_again_is_counted_by_reason_and_never_guessed(
    tmp_path: Path,
) -> None:
    encoder = Lines(origin=ORIGIN, engine="test")
    lost = policies(rule("permit", id="lost"))
    records = [
        record_of(policy, one, number)
        for number, (policy, one) in enumerate(
            zip((SERVED, lost, SERVED, SERVED), requests("GB", "GB", "GB", "GB"), strict=True)
        )
    ]
    lines = [encoder.line(record, number) for number, record in enumerate(records)]
    lines[2:] = [without_caller(lines[2]), sorted_line(plain(lines[3]) | {"v": 7})]
    write_lines(tmp_path, lines)
    keep(tmp_path, SERVED)
    report = replay(tmp_path, policies(NOT_TO_CN))
    assert report.decisions == 4
    assert (report.checked, report.agreed, report.compared) == (1, 1, 1)
    assert {because: (left.count, left.ids) for because, left in report.left.items()} == {
        "policy not stored": (1, [records[1].id]),
        "erased": (1, [records[2].id]),
        "unreadable": (1, [records[3].id]),
    }


def test_a_candidate_that_asks_what_nobody_recorded_is_not_answered(tmp_path: Path) -> None:
    unseen = [
        msgspec.structs.replace(one, observed=Observed(probes=None)) for one in requests("GB", "GB")
    ]
    write_log(tmp_path, SERVED, unseen)
    deny = rule("deny", where("probe", "sha256:" + "a" * 64), id="image")
    report = replay(tmp_path, policies(deny, FRAUD))
    assert (report.agreed, report.compared) == (2, 0)
    assert report.left["fact not recorded"].count == 2
    assert report.left["fact not recorded"].detail == "probe"


def test_since_passes_over_what_was_decided_before(tmp_path: Path) -> None:
    ids = write_log(tmp_path, SERVED, requests("RU", "RU", "RU"))
    candidate = policies(NOT_TO_RU, FRAUD)
    report = replay(tmp_path, candidate, since=NOON + timedelta(minutes=1))
    assert (report.decisions, report.newly_refused.ids) == (2, ids[1:])


@pytest.mark.parametrize(("since", "left"), [(1, 0), (0, 1)])
def test_since_passes_over_what_was_erased_as_well(tmp_path: Path, since: int, left: int) -> None:
    write_log(tmp_path, SERVED, requests("RU", "RU"))
    erase(tmp_path, 0)
    report = replay(tmp_path, SERVED, since=NOON + timedelta(minutes=since))
    assert (report.decisions, report.compared) == (1 + left, 1)
    assert sum(one.count for one in report.left.values()) == left


def test_segments_that_ended_before_are_not_read_at_all(tmp_path: Path) -> None:
    write_log(tmp_path, SERVED, requests("RU"))
    encoder = Lines(origin=ORIGIN, engine="test")
    first, second = (
        record_of(SERVED, one, 9 + number)
        for number, one in enumerate(requests("RU", "RU", start=60))
    )
    write_lines(tmp_path, [encoder.line(first, 2), encoder.line(second, 3)], first=2)
    told = list[tuple[int, int]]()
    candidate = policies(NOT_TO_RU, FRAUD)
    report = replay(
        tmp_path,
        candidate,
        since=NOON + timedelta(minutes=61),
        progress=lambda *read: told.append(read),
    )
    assert report.newly_refused.ids == [second.id]
    size = (log_of(tmp_path) / f"{2:020}.jsonl").stat().st_size
    assert told == [(size, size)]


def test_counts_are_exact_where_ids_are_only_the_first(tmp_path: Path) -> None:
    ids = write_log(tmp_path, SERVED, requests(*["RU"] * 100))
    report = replay(tmp_path, policies(NOT_TO_RU, FRAUD))
    assert report.newly_refused.count == 100
    assert report.newly_refused.ids == ids[:20]


@pytest.mark.parametrize("processes", [1, 2])
def test_two_processes_find_what_one_finds(tmp_path: Path, processes: int) -> None:
    places = ["GB", "RU", "CN", "FR"] * 25
    write_log(tmp_path, SERVED, requests(*places))
    encoder = Lines(origin=ORIGIN, engine="test")
    more = [record_of(SERVED, one, 500 + number) for number, one in enumerate(requests(*places))]
    write_lines(tmp_path, [encoder.line(one, 200 + n) for n, one in enumerate(more)], first=200)
    report = replay(tmp_path, policies(NOT_TO_RU, FRAUD), processes=processes)
    assert (report.decisions, report.agreed) == (200, 200)
    assert (report.newly_refused.count, report.newly_permitted.count) == (50, 50)
    assert report.newly_refused.country == {"RU": 50}


def test_lines_of_other_kinds_and_a_torn_end_are_passed_over(tmp_path: Path) -> None:
    write_log(tmp_path, SERVED, requests("GB"))
    with (log_of(tmp_path) / f"{0:020}.jsonl").open("ab") as file:
        file.write(b'{"decision":{"disch')
    assert replay(tmp_path, SERVED).decisions == 1


def report_of(tmp_path: Path, candidate: Policies, judged: list[Facts]) -> Report:
    """Replay within this process, line by line."""
    parts = StoredParts(parts_directory(tmp_path, origin=ORIGIN))
    taken, report = Replay(parts, candidate, None), Report()
    encoder = Lines(origin=ORIGIN, engine="test")
    for number, one in enumerate(judged):
        taken.take(encoder.line(record_of(SERVED, one, number), number), report)
    return report


def test_classes_are_told_apart(tmp_path: Path) -> None:
    keep(tmp_path, SERVED)
    judged = [facts(asked=operation(one)) for one in ("one_to_many", "embed", "one_to_one")]
    report = report_of(tmp_path, policies(rule("deny", id="none")), judged)
    assert report.newly_refused.operation_class == {"one_to_many": 1, "one_to_one": 1}
    assert report.same == 1
