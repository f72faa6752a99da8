"""A recorded decision judged again: the same, always, or why that cannot be told."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given

from gateway.app.judged_again import (
    NotReplayable,
    Recorded,
    StoredPolicies,
    is_decided,
    judge_again,
    read_decided,
)
from gateway.audit.record import encode, read_line
from gateway.audit.segments import parts_directory
from gateway.core.facts import Facts
from gateway.core.identity.model import Reference, Verified
from gateway.core.operation import Observed
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.explain import explain
from gateway.core.policy.model import Budget, Pack, Policies, Wanted
from gateway.core.policy.stored import from_stored, stored_form
from gateway.sources.stored_parts import StoredParts
from tests.app.logs import ORIGIN, plain, record_of, sorted_line
from tests.audit.strategies import FACTS
from tests.builders import decided, happened
from tests.core.policy import strategies as some
from tests.core.policy.builders import caller, facts, pack, policies, rule, where

PERMIT = policies(rule("permit", id="all"))
PROBE = "sha256:" + "a" * 64


def line_of(policy: Policies, judged: Facts) -> bytes:
    return encode(record_of(policy, judged), origin=ORIGIN, seq=0, engine="test")


def read(line: bytes) -> Recorded:
    recorded = read_decided(line)
    assert isinstance(recorded, Recorded), recorded
    return recorded


def without(line: bytes, *path: str) -> bytes:
    """Return the line as it was written before there was this field."""
    value = plain(line)
    below: object = value
    for name in path[:-1]:
        assert isinstance(below, dict)
        below = below[name]
        below = below[0] if isinstance(below, list) else below
    assert isinstance(below, dict)
    del below[path[-1]]
    return sorted_line(value)


@given(FACTS)
def test_the_facts_of_a_record_are_the_facts_that_were_recorded(recorded: Facts) -> None:
    line = encode(decided(facts=recorded), origin=ORIGIN, seq=0, engine="test")
    assert read(line).facts == recorded
    assert not read(line).absent


@given(some.packs(), some.judged | some.ambiguous | some.unverified)
def test_what_a_record_explains_is_what_was_decided(packs: list[Pack], judged: Facts) -> None:
    policy = compile_policies(packs)
    recorded = read(line_of(policy, judged))
    stored = from_stored(stored_form(policy), digest=recorded.record.parts["policies"])
    assert judge_again(stored, recorded) == recorded.decision
    assert explain(stored, recorded.facts).decision == recorded.decision


def test_only_decisions_are_taken_for_one() -> None:
    assert is_decided(encode(decided(), origin=ORIGIN, seq=0, engine="test"))
    assert not is_decided(encode(happened(), origin=ORIGIN, seq=0, engine="test"))
    sly = happened(',"kind":"decided",')
    assert not is_decided(encode(sly, origin=ORIGIN, seq=0, engine="test"))


def test_a_policy_that_is_not_kept_is_said_to_be_so(tmp_path: Path) -> None:
    recorded = read(line_of(PERMIT, facts()))
    stored = StoredPolicies(StoredParts(parts_directory(tmp_path, origin=ORIGIN)))
    why = stored.of(recorded)
    assert isinstance(why, NotReplayable)
    assert (why.id, why.because) == (recorded.record.id, "policy not stored")
    assert "is not stored" in why.detail


def test_a_record_whose_caller_is_erased_says_so() -> None:
    value = plain(line_of(PERMIT, facts()))
    judged = value["facts"]
    assert isinstance(judged, dict)
    judged["identity"] = {"state": "erased"}
    why = read_decided(sorted_line(value))
    assert isinstance(why, NotReplayable)
    assert (why.id, why.because, why.time) == (value["id"], "erased", facts().at)
    # What this version does not know may mean something else by the word.
    other = read_decided(sorted_line(value | {"v": 2}))
    assert isinstance(other, NotReplayable)
    assert (other.id, other.because) == (value["id"], "unreadable")


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"more": 1}, {"facts": {}}, {"decision": None}, {"time": 7}, {"v": "1"}],
    ids=["version", "field", "no facts", "no decision", "no time", "no version"],
)
def test_a_record_of_another_form_is_unreadable(change: dict[str, object]) -> None:
    value = plain(line_of(PERMIT, facts())) | change
    why = read_decided(sorted_line(value))
    assert isinstance(why, NotReplayable)
    assert (why.id, why.because) == (value["id"], "unreadable")


@pytest.mark.parametrize("line", [b"", b"{", b'{"decision":', b"\xff", b"[]"])
def test_what_is_no_record_is_unreadable(line: bytes) -> None:
    why = read_decided(line)
    assert isinstance(why, NotReplayable)
    assert (why.id, why.because) == ("", "unreadable")


def test_a_record_that_is_not_canonical_is_unreadable() -> None:
    line = line_of(PERMIT, facts())
    why = read_decided(b" " + line)
    assert isinstance(why, NotReplayable)
    assert why.because == "unreadable"


# --- facts that were not recorded -----------------------------------------------------------------


def missing(policy: Policies, line: bytes) -> str:
    """Return what a policy asks for and a record does not say; empty where it can be judged."""
    recorded = read(line)
    again = judge_again(policy, recorded)
    if not isinstance(again, NotReplayable):
        return ""
    assert (again.id, again.because) == (recorded.record.id, "fact not recorded")
    return again.detail


def test_an_image_that_nobody_looked_at_is_not_guessed() -> None:
    asks = policies(rule("deny", where("probe", PROBE)), rule("permit", id="all"))
    unseen = msgspec.structs.replace(facts(), observed=Observed(probes=None))
    seen = msgspec.structs.replace(facts(), observed=Observed(probes=(PROBE,)))
    assert missing(asks, line_of(PERMIT, unseen)) == "probe"
    assert missing(asks, without(line_of(PERMIT, unseen), "facts", "observed", "probes")) == "probe"
    assert missing(asks, line_of(PERMIT, seen)) == ""
    assert missing(PERMIT, line_of(PERMIT, unseen)) == ""


def test_whoever_is_refused_before_every_rule_needs_no_such_fact() -> None:
    asks = policies(rule("deny", where("probe", PROBE)))
    nobody = msgspec.structs.replace(facts(), observed=Observed(probes=None))
    assert isinstance(nobody.identity, Verified)
    lines = [line_of(PERMIT, nobody)]
    value = plain(lines[0])
    judged = value["facts"]
    assert isinstance(judged, dict)
    judged["identity"] = {"state": "unverified", "reason": "identity.expired"}
    assert missing(asks, sorted_line(value)) == ""


@pytest.mark.parametrize("field", ["classes", "destinations", "quota", "authority", "warn_days"])
def test_a_reference_from_before_it_could_be_limited_was_not_limited(field: str) -> None:
    licence = Reference(id="LIC-1", kind="licence")
    judged = facts(identity=caller(references=(licence,)))
    policy = policies(rule("require", needs="licence"), rule("permit", id="all"))
    line = line_of(policy, judged)
    earlier = without(line, "facts", "identity", "tenant", "references", field)
    assert read(earlier).absent == {f"tenant.references.{field}"}
    assert judge_again(policy, read(earlier)) == read(line).decision


def test_whether_a_reference_from_before_named_a_word_is_not_guessed() -> None:
    licence = Reference(id="LIC-1", kind="licence")
    line = line_of(PERMIT, facts(identity=caller(references=(licence,))))
    earlier = without(line, "facts", "identity", "tenant", "references", "names")
    lifts = policies(rule("deny", lifted_by=Wanted(kind="licence", naming="embargo")))
    assert missing(lifts, earlier) == "tenant.references.names"
    assert missing(lifts, line) == ""
    assert missing(policies(rule("require", needs="licence")), earlier) == ""


def test_what_is_missing_and_was_never_heard_of_is_not_guessed() -> None:
    line = line_of(PERMIT, facts())
    earlier = without(line, "facts", "observed", "stream_processor")
    assert missing(PERMIT, earlier) == "observed.stream_processor"


def test_an_earlier_decision_that_knew_no_lifting_is_the_same_decision() -> None:
    line = line_of(PERMIT, facts())
    recorded = read(without(line, "decision", "lifted"))
    assert judge_again(PERMIT, recorded) == recorded.decision
    assert read_line(line) == recorded.record


def test_what_was_counted_against_other_budgets_is_not_guessed() -> None:
    budget = Budget(id="day", counts="calls", classes=("one_to_many",), per="day", limit=5)
    over = rule("deny", where("over", "day"), id="scale")
    served = compile_policies([pack(over, rule("permit", id="all"))], budgets=[budget])
    recorded = read(line_of(served, facts()))
    assert judge_again(served, recorded, instead_of=served) == recorded.decision
    other = compile_policies(
        [pack(over, rule("permit", id="all"))],
        budgets=[msgspec.structs.replace(budget, limit=2)],
    )
    why = judge_again(other, recorded, instead_of=served)
    assert isinstance(why, NotReplayable)
    assert (why.because, why.detail) == ("fact not recorded", "over")
