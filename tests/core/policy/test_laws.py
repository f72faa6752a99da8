"""What must always hold of judging, whatever the policy and the request."""

from __future__ import annotations

import msgspec
from hypothesis import given, strategies as st

from gateway.core.decision import REASONS
from gateway.core.facts import Facts
from gateway.core.geography.model import Evidence, Located, Unlocated
from gateway.core.operation import access_of, class_of, governed
from gateway.core.policy.attributes import ATTRIBUTES, attributes
from gateway.core.policy.compile import EMPTY, compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Pack, Rule
from tests.core.policy.builders import pack
from tests.core.policy.strategies import (
    PLACES,
    judged,
    packs,
    requests,
    rules,
)


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
