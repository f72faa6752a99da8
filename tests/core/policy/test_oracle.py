"""Judging by table against judging by the words of the language, and what must always hold."""

from __future__ import annotations

from collections import Counter

import msgspec
from hypothesis import given, settings, strategies as st

from gateway.core.decision import REASONS, Decision
from gateway.core.facts import Facts
from gateway.core.geography.model import Evidence, Located, Unlocated
from gateway.core.operation import access_of, class_of, governed
from gateway.core.policy.attributes import ATTRIBUTES, attributes
from gateway.core.policy.compile import EMPTY, compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Pack, Rule
from tests.core.policy import oracle
from tests.core.policy.builders import pack
from tests.core.policy.strategies import (
    PLACES,
    ambiguous,
    judged,
    packs,
    rules,
    unverified,
)

# Rarely, what is built in decides; mostly it is the rules.
requests = st.integers(0, 9).flatmap(lambda die: {8: ambiguous, 9: unverified}.get(die, judged))


def answer(decision: Decision) -> oracle.Answer:
    return (
        decision.outcome,
        decision.reason,
        list(decision.rules),
        list(decision.obligations),
    )


def test_the_table_judges_as_the_words_of_the_language_do() -> None:
    reasons: Counter[str] = Counter()

    # Enough for every verdict to occur; the profile that proves asks for more.
    @settings(max_examples=max(250, settings().max_examples))
    @given(written=packs(), facts=requests)
    def judge_both_ways(written: list[Pack], facts: Facts) -> None:
        decision = evaluate(compile_policies(written), facts)
        expected = oracle.judge(written, facts)
        assert answer(decision) == expected
        assert decision.shadow_outcome == oracle.judge(written, facts, shadow=True)[0]
        reasons[decision.reason] += 1

    judge_both_ways()
    # Every way to come to a verdict occurred, so the comparison says something.
    assert reasons.keys() >= {
        "policy.permitted",
        "policy.denied",
        "policy.unmet",
        "policy.default",
        "policy.ungoverned",
        "policy.missing",
        "operation.ambiguous",
        "identity.missing",
    }


@given(written=packs(), facts=requests)
def test_every_decision_is_well_formed(written: list[Pack], facts: Facts) -> None:
    decision = evaluate(compile_policies(written), facts)
    assert decision.reason in REASONS
    assert (decision.outcome == "permit") == (REASONS[decision.reason].kind == "permitted")
    assert set(decision.rules) <= set(decision.matched)
    assert not set(decision.matched) & set(decision.shadow)
    assert bool(decision.obligations) == (decision.reason == "policy.unmet")


@given(facts=requests)
def test_no_policy_permits_nothing(facts: Facts) -> None:
    assert evaluate(EMPTY, facts).outcome == "refuse"


@given(facts=requests)
def test_a_pack_without_rules_permits_nothing_governed(facts: Facts) -> None:
    decision = evaluate(compile_policies([pack()]), facts)
    if governed(class_of(facts.operation), access_of(facts.operation)):
        assert decision.outcome == "refuse"
    else:
        assert decision.reason not in {"policy.permitted", "policy.denied", "policy.default"}


@given(written=packs(), deny=rules(id="added", effect="deny"), facts=judged)
def test_adding_a_deny_never_permits(written: list[Pack], deny: Rule, facts: Facts) -> None:
    before = evaluate(compile_policies([pack(id="0"), *written]), facts)
    after = evaluate(compile_policies([pack(deny, id="0"), *written]), facts)
    assert before.outcome == "permit" or after.outcome == "refuse"


@given(
    written=packs(),
    facts=judged,
    place=st.sampled_from(PLACES),
)
def test_adding_evidence_of_a_place_never_permits(
    written: list[Pack], facts: Facts, place: str
) -> None:
    policy = compile_policies(written)
    before = evaluate(policy, facts)
    after = evaluate(policy, with_evidence(facts, place))
    assert before.outcome == "permit" or after.outcome == "refuse"
    assert before.shadow_outcome == "permit" or after.shadow_outcome == "refuse"


def with_evidence(facts: Facts, place: str) -> Facts:
    geography = facts.geography
    if isinstance(geography, Located):
        more = tuple(sorted({*geography.destination, place}))
        located = msgspec.structs.replace(geography, destination=more)
        return msgspec.structs.replace(facts, geography=located)
    found = (*geography.evidence, Evidence(kind="output", code=place, source="bucket"))
    return msgspec.structs.replace(
        facts, geography=Unlocated(client="", reason=geography.reason, evidence=found)
    )


@given(facts=requests)
def test_no_attribute_is_ever_empty(facts: Facts) -> None:
    found = attributes(facts)
    assert tuple(found) == ATTRIBUTES
    assert all(found.values())


@given(written=packs())
def test_the_digest_does_not_depend_on_the_order_of_packs(written: list[Pack]) -> None:
    assert compile_policies(written).digest == compile_policies(written[::-1]).digest
