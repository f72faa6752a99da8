"""What is explained is what was judged: rules, sources, references, and what a caller may hear."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given

from gateway.core.facts import Facts
from gateway.core.geography.model import Evidence, Located, Unlocated
from gateway.core.identity.model import Quota, Reference, Unverified
from gateway.core.operation import Ambiguous, Counted, Observed, Taken
from gateway.core.policy.attributes import ATTRIBUTES, attributes
from gateway.core.policy.compile import EMPTY, compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.explain import Explanation, RuleView, explain, for_caller, rules_beside
from gateway.core.policy.model import Operator, Pack, Switch, Wanted
from gateway.core.screening import Hit, NotScreened
from tests.core.policy import strategies as some
from tests.core.policy.builders import (
    NOON,
    caller,
    facts,
    located,
    operation,
    pack,
    policies,
    rule,
    where,
)

EMBARGO = rule(
    "deny",
    where("destination", "CU", "KP"),
    id="embargo",
    lifted_by=Wanted(kind="licence", naming="embargo"),
)
PERMIT = rule("permit", where("end_use", "fraud_prevention"), id="fraud")
LICENCE = Reference(id="LIC-1", kind="licence", names=("embargo",))


def view(explanation: Explanation, rule_id: str) -> RuleView:
    (found,) = (one for one in explanation.rules if one.id == rule_id)
    return found


def sources(explanation: Explanation, attribute: str) -> dict[str, tuple[str, ...]]:
    (fact,) = (one for one in explanation.facts if one.attribute == attribute)
    return {member.value: member.sources for member in fact.members}


@given(some.packs(), some.judged)
def test_the_rules_that_match_beside_the_facts_are_those_that_were_judged_to_match(
    packs: list[Pack], judged: Facts
) -> None:
    policy = compile_policies(packs)
    decision = evaluate(policy, judged)
    beside = rules_beside(policy, judged, decision)
    assert [one.id for one in beside] == list(policy.table.ids)
    if packs:
        matching = {one.id for one in beside if one.matches and one.role != "off"}
        assert matching == {*decision.matched, *decision.shadow}


@given(some.packs(), some.judged)
def test_what_a_rule_came_to_agrees_with_the_decision(packs: list[Pack], judged: Facts) -> None:
    policy = compile_policies(packs)
    decision = evaluate(policy, judged)
    roles = {one.id: one.role for one in rules_beside(policy, judged, decision)}
    assert tuple(one for one, role in roles.items() if role == "decided") == decision.rules
    assert tuple(one for one, role in roles.items() if role == "lifted") == decision.lifted
    assert tuple(one for one, role in roles.items() if role == "shadow") == decision.shadow


@given(some.packs(), some.judged)
def test_every_attribute_is_told_with_its_members(packs: list[Pack], judged: Facts) -> None:
    explanation = explain(compile_policies(packs), judged)
    assert tuple(fact.attribute for fact in explanation.facts) == ATTRIBUTES
    assert {
        fact.attribute: frozenset(member.value for member in fact.members)
        for fact in explanation.facts
    } == attributes(judged)


def test_each_condition_is_ticked_or_crossed_with_the_members_that_did_it() -> None:
    judged = facts(geography=located("CU", "GB"))
    deny = view(explain(policies(EMBARGO), judged), "pack/embargo")
    (asked,) = deny.asked
    assert (asked.holds, asked.satisfying, asked.failing) == (True, ("CU",), ("GB",))
    permit = rule("permit", where("destination", "GB", "FR"), id="home")
    (asked,) = view(explain(policies(permit), judged), "pack/home").asked
    assert (asked.holds, asked.satisfying, asked.failing) == (False, ("GB",), ("CU",))
    assert asked.named == ("FR", "GB")


def test_a_place_names_every_piece_of_evidence_for_it() -> None:
    geography = Located(
        client="192.0.2.7",
        destination=("CN", "GB"),
        evidence=(
            Evidence(kind="network", code="GB", source="country database"),
            Evidence(kind="account", code="GB", source="tenant"),
            Evidence(kind="output", code="CN", source="sns_topic in cn-north-1"),
        ),
        contradiction=False,
    )
    explanation = explain(policies(PERMIT), facts(geography=geography))
    assert sources(explanation, "destination") == {
        "CN": ("output: sns_topic in cn-north-1",),
        "GB": ("network: country database", "account: tenant"),
    }


def test_a_caller_that_is_nowhere_is_told_with_the_reason() -> None:
    nowhere = Unlocated(client="", reason="no network database is configured")
    explanation = explain(policies(PERMIT), facts(geography=nowhere))
    assert sources(explanation, "destination") == {
        "unknown": ("no network database is configured",)
    }


def test_parties_and_screening_are_told_by_name() -> None:
    judged = facts(
        identity=caller(parties=("military",)), screening=Hit(lists=("sdn",), parties=("party 1",))
    )
    explanation = explain(policies(PERMIT), judged)
    assert sources(explanation, "party_type")["military"] == ("caller party 1",)
    assert sources(explanation, "listed") == {"sdn": ("party party 1",)}
    unscreened = facts(screening=NotScreened(reason="a party has no screening verdict"))
    assert sources(explain(policies(PERMIT), unscreened), "listed") == {
        "not_screened": ("a party has no screening verdict",)
    }


@pytest.mark.parametrize(
    ("reference", "why_not"),
    [
        (LICENCE, ()),
        (msgspec.structs.replace(LICENCE, names=()), ("does not name `embargo`",)),
        (
            msgspec.structs.replace(LICENCE, classes=("embed",)),
            ("is not for this class",),
        ),
        (
            msgspec.structs.replace(LICENCE, destinations=("GB",)),
            ("does not cover every destination",),
        ),
        (
            msgspec.structs.replace(LICENCE, valid_from=NOON + timedelta(days=1)),
            ("is not valid yet",),
        ),
        (msgspec.structs.replace(LICENCE, valid_to=NOON), ("is not valid any more",)),
        (
            msgspec.structs.replace(LICENCE, quota=Quota(limit=5, counts="calls")),
            ("is used up",),
        ),
    ],
    ids=["it serves", "word", "class", "place", "not yet", "expired", "quota"],
)
def test_a_licence_on_file_is_told_with_why_it_does_not_serve(
    reference: Reference, why_not: tuple[str, ...]
) -> None:
    judged = msgspec.structs.replace(
        facts(geography=located("CU", "GB"), identity=caller(references=(reference,))),
        observed=Observed(quotas=(Taken(reference="LIC-1", used=5, limit=5, amount=1),)),
    )
    explanation = explain(policies(EMBARGO, PERMIT), judged)
    deny = view(explanation, "pack/embargo")
    assert deny.wanted == Wanted(kind="licence", naming="embargo")
    assert [(one.id, one.why_not) for one in deny.on_file] == [("LIC-1", why_not)]
    assert deny.role == ("decided" if why_not else "lifted")
    assert explanation.decision.outcome == ("refuse" if why_not else "permit")


def test_the_combining_step_is_a_sentence() -> None:
    home, abroad = facts(), facts(geography=located("CU"))
    licensed = facts(geography=located("CU"), identity=caller(references=(LICENCE,)))
    consent = rule("require", id="consent", needs="consent")
    steps = {
        explain(policies(EMBARGO, PERMIT), abroad).step,
        explain(policies(EMBARGO, PERMIT), home).step,
        explain(policies(EMBARGO, PERMIT), licensed).step,
        explain(policies(EMBARGO, consent, PERMIT), home).step,
        explain(policies(EMBARGO), home).step,
        explain(policies(EMBARGO), facts(asked=operation("one_to_one"))).step,
        explain(EMPTY, home).step,
        explain(policies(PERMIT), facts(identity=Unverified(reason="identity.expired"))).step,
    }
    assert steps == {
        "a deny wins over everything else: pack/embargo",
        "nothing denies and nothing required is missing; permitted by pack/fraud",
        (
            "nothing denies (lifted: pack/embargo) and nothing required is missing; "
            "permitted by pack/fraud"
        ),
        "nothing denies, but what is required is missing: consent; pack/consent",
        "no rule permits, and `one_to_many` is governed: what is governed needs a permit",
        "nothing denies, and `one_to_one` is not governed: it needs no permit",
        "built in before every rule: no policy is loaded",
        "built in before every rule: the credential is not valid at this time",
    }


def test_a_caller_hears_nothing_of_rules_lists_parties_or_what_to_declare() -> None:
    judged = facts(screening=Hit(lists=("entity_list",), parties=("Jade Bureau",)))
    deny = rule("deny", where("listed", "entity_list"), id="listed-parties")
    told = msgspec.json.encode(explain(policies(deny, PERMIT), judged).caller).decode()
    assert msgspec.json.decode(told) == {
        "outcome": "refuse",
        "reason": "policy.denied",
        "words": "this use is refused by policy",
        "class": "one_to_many",
        "needs": [],
    }


def test_a_caller_hears_which_kind_of_reference_is_missing() -> None:
    decision = evaluate(policies(rule("require", needs="consent"), PERMIT), facts())
    assert for_caller(decision, facts()).needs == ("consent",)


@given(some.packs(), some.ambiguous | some.unverified)
def test_what_is_refused_before_every_rule_has_no_nearest_permit(
    packs: list[Pack], judged: Facts
) -> None:
    explanation = explain(compile_policies(packs), judged)
    assert explanation.nearest is not None
    assert explanation.nearest.result == "nothing"
    assert isinstance(judged.operation, Ambiguous) or isinstance(judged.identity, Unverified)


def test_a_rule_that_the_operator_switched_off_is_told_as_such() -> None:
    switch = Switch(what="pack/embargo", who="ada", date=date(2026, 1, 1), reason="dated")
    policy = compile_policies([pack(EMBARGO, PERMIT)], operator=Operator(switched_off=(switch,)))
    explanation = explain(policy, facts(geography=located("CU")))
    assert explanation.decision.outcome == "permit"
    assert (view(explanation, "pack/embargo").role, view(explanation, "pack/embargo").matches) == (
        "off",
        True,
    )


def test_a_budget_that_is_used_up_is_told_with_what_was_counted() -> None:
    counted = Counted(budget="searches-a-day", since=NOON, used=500, limit=500, amount=1)
    judged = msgspec.structs.replace(
        facts(), observed=Observed(budgets=(counted,), over=("searches-a-day",))
    )
    deny = rule("deny", where("over", "searches-a-day"), id="scale")
    explanation = explain(policies(deny, PERMIT), judged)
    assert sources(explanation, "over") == {
        "searches-a-day": ("500 of 500 used since 2026-11-21T12:00:00+00:00, 1 asked",)
    }
    assert explanation.nearest is not None
    assert ["over"] in [[one.what for one in answer] for answer in explanation.nearest.answers]


def test_every_reference_on_file_is_told_with_what_is_left_of_its_quota() -> None:
    licence = msgspec.structs.replace(LICENCE, quota=Quota(limit=5, counts="calls"))
    judged = msgspec.structs.replace(
        facts(identity=caller(references=(licence,))),
        observed=Observed(quotas=(Taken(reference="LIC-1", used=3, limit=5, amount=1),)),
    )
    (reference,) = explain(policies(PERMIT), judged).on_file
    assert (reference.id, reference.names, reference.why_not) == ("LIC-1", ("embargo",), ())
    assert reference.quota == "3 of 5 used, 1 asked"
