from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.core.geography.model import Evidence, Unlocated
from gateway.core.identity.model import Reference, Unverified
from gateway.core.operation import Ambiguous, Unknown
from gateway.core.policy.attributes import attributes
from gateway.core.policy.compile import EMPTY, compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.screening import Hit, NotScreened
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

SEARCH = where("class", "one_to_many")
LICENCE = Reference(id="LIC-1", kind="licence")


def test_a_policy_without_packs_refuses_even_what_is_not_governed() -> None:
    decision = evaluate(EMPTY, facts(asked=operation("detect")))
    assert (decision.outcome, decision.reason) == ("refuse", "policy.missing")


def test_two_readings_are_refused_whatever_a_rule_permits() -> None:
    asked = Ambiguous(provider="azure_face", operation_class="detect", reason="two readings")
    decision = evaluate(policies(rule("permit")), facts(asked=asked))
    assert (decision.outcome, decision.reason) == ("refuse", "operation.ambiguous")
    assert decision.matched == ()


def test_an_unverified_caller_is_refused_with_the_reason_of_its_credential() -> None:
    identity = Unverified(reason="identity.expired")
    decision = evaluate(policies(rule("permit")), facts(identity=identity))
    assert (decision.outcome, decision.reason) == ("refuse", "identity.expired")
    assert decision.shadow_outcome == "refuse"


def test_one_to_one_is_permitted_where_no_rule_speaks_of_it() -> None:
    decision = evaluate(policies(rule("deny", SEARCH)), facts(asked=operation("one_to_one")))
    assert (decision.outcome, decision.reason) == ("permit", "policy.ungoverned")


def test_a_governed_class_is_refused_where_no_rule_matches() -> None:
    decision = evaluate(policies(rule("deny", where("class", "results"))), facts())
    assert (decision.outcome, decision.reason, decision.rules) == ("refuse", "policy.default", ())


def test_an_unknown_operation_is_governed() -> None:
    asked = Unknown(provider="aws_rekognition", reason="not in the catalogue")
    decision = evaluate(policies(rule("permit", where("class", "one_to_one"))), facts(asked=asked))
    assert decision.reason == "policy.default"
    named = policies(rule("permit", where("operation", "unknown"), where("access", "none")))
    assert evaluate(named, facts(asked=asked)).outcome == "permit"


def test_erasing_from_a_gallery_is_not_governed() -> None:
    asked = operation("gallery", access="delete")
    assert evaluate(policies(rule("deny", SEARCH)), facts(asked=asked)).outcome == "permit"


def test_a_deny_wins_over_a_requirement_and_a_permit() -> None:
    policy = policies(
        rule("permit", SEARCH, id="p"),
        rule("require", SEARCH, id="q", needs="licence"),
        rule("deny", SEARCH, id="d"),
        rule("deny", where("destination", "GB"), id="e"),
    )
    decision = evaluate(policy, facts())
    assert (decision.outcome, decision.reason) == ("refuse", "policy.denied")
    assert decision.rules == ("pack/d", "pack/e")
    assert decision.matched == ("pack/p", "pack/q", "pack/d", "pack/e")
    assert decision.obligations == ()


def test_an_unmet_requirement_wins_over_a_permit_and_names_what_is_missing() -> None:
    policy = policies(
        rule("permit", SEARCH, id="p"),
        rule("require", SEARCH, id="q", needs="licence"),
        rule("require", SEARCH, id="r", needs="consent"),
        rule("require", SEARCH, id="s", needs="authorisation"),
    )
    decision = evaluate(policy, facts(identity=caller(references=[LICENCE])))
    assert (decision.outcome, decision.reason) == ("refuse", "policy.unmet")
    assert decision.rules == ("pack/r", "pack/s")
    assert decision.obligations == ("authorisation", "consent")
    assert decision.discharged == ("LIC-1",)


def test_a_met_requirement_lets_the_permit_stand_and_names_the_reference_that_is_used() -> None:
    policy = policies(
        rule("require", SEARCH, id="q", needs="licence"), rule("permit", SEARCH, id="p")
    )
    second = Reference(id="LIC-0", kind="licence")
    decision = evaluate(policy, facts(identity=caller(references=[LICENCE, second])))
    assert (decision.outcome, decision.reason) == ("permit", "policy.permitted")
    assert decision.rules == ("pack/p",)
    assert decision.discharged == ("LIC-0",)


def test_a_met_requirement_permits_nothing_by_itself() -> None:
    policy = policies(rule("require", SEARCH, needs="licence"))
    decision = evaluate(policy, facts(identity=caller(references=[LICENCE])))
    assert (decision.outcome, decision.reason) == ("refuse", "policy.default")


def test_a_requirement_binds_what_is_not_governed_too() -> None:
    policy = policies(rule("require", where("class", "one_to_one"), needs="consent"))
    decision = evaluate(policy, facts(asked=operation("one_to_one")))
    assert (decision.outcome, decision.obligations) == ("refuse", ("consent",))


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "met"),
    [
        pytest.param(None, None, True, id="open"),
        pytest.param(NOON, None, True, id="from this moment"),
        pytest.param(NOON + timedelta(microseconds=1), None, False, id="not yet"),
        pytest.param(None, NOON + timedelta(microseconds=1), True, id="to the next moment"),
        pytest.param(None, NOON, False, id="to this moment"),
    ],
)
def test_a_reference_counts_from_its_first_moment_to_before_its_last(
    valid_from: datetime | None, valid_to: datetime | None, *, met: bool
) -> None:
    policy = policies(rule("permit", id="p"), rule("require", id="q", needs="licence"))
    reference = Reference(id="L", kind="licence", valid_from=valid_from, valid_to=valid_to)
    decision = evaluate(policy, facts(identity=caller(references=[reference])))
    assert (decision.outcome == "permit") is met


@pytest.mark.parametrize(
    ("start", "end", "in_effect"),
    [
        pytest.param(None, None, True, id="always"),
        pytest.param(NOON, None, True, id="from this moment"),
        pytest.param(NOON + timedelta(microseconds=1), None, False, id="not yet"),
        pytest.param(None, NOON + timedelta(microseconds=1), True, id="to the next moment"),
        pytest.param(None, NOON, False, id="to this moment"),
        pytest.param(NOON - timedelta(days=1), NOON + timedelta(days=1), True, id="between"),
        pytest.param(NOON + timedelta(days=1), NOON - timedelta(days=1), False, id="turned round"),
        pytest.param(NOON, NOON, False, id="for no time"),
    ],
)
def test_a_rule_holds_from_its_first_moment_to_before_its_last(
    start: datetime | None, end: datetime | None, *, in_effect: bool
) -> None:
    policy = policies(rule("permit", id="p"), rule("deny", id="d", start=start, end=end))
    assert (evaluate(policy, facts()).outcome == "refuse") is in_effect


def test_a_deny_matches_where_any_member_does() -> None:
    policy = policies(rule("permit", id="p"), rule("deny", where("destination", "CN"), id="d"))
    assert evaluate(policy, facts(geography=located("CN", "GB"))).outcome == "refuse"
    assert evaluate(policy, facts(geography=located("GB"))).outcome == "permit"


def test_a_permit_matches_only_where_every_member_does() -> None:
    policy = policies(rule("permit", where("destination", "FR", "GB")))
    assert evaluate(policy, facts(geography=located("FR", "GB"))).outcome == "permit"
    assert evaluate(policy, facts(geography=located("GB", "unknown"))).outcome == "refuse"


def test_not_in_holds_for_whatever_is_not_named() -> None:
    outside = where("destination", "GB", negated=True)
    deny = policies(rule("permit", id="p"), rule("deny", outside, id="d"))
    assert evaluate(deny, facts(geography=located("GB", "unknown"))).outcome == "refuse"
    assert evaluate(deny, facts(geography=located("GB"))).outcome == "permit"
    permit = policies(rule("permit", outside))
    assert evaluate(permit, facts(geography=located("FR", "US"))).outcome == "permit"
    assert evaluate(permit, facts(geography=located("FR", "GB"))).outcome == "refuse"


@pytest.mark.parametrize(
    ("named", "place", "covered"),
    [
        ("UA", "UA-43", True),
        ("UA-43", "UA-43", True),
        ("UA-43", "UA", False),
        ("UA-43", "UA-30", False),
        ("UA", "UA", True),
    ],
)
def test_a_country_covers_its_regions_and_never_the_other_way(
    named: str, place: str, *, covered: bool
) -> None:
    here = facts(geography=located(place))
    denied = evaluate(
        policies(rule("permit", id="p"), rule("deny", where("destination", named), id="d")), here
    )
    assert (denied.outcome == "refuse") is covered
    permitted = evaluate(policies(rule("permit", where("destination", named))), here)
    assert (permitted.outcome == "permit") is covered
    outside = where("destination", named, negated=True)
    assert (evaluate(policies(rule("permit", outside)), here).outcome == "refuse") is covered


def test_a_region_that_one_rule_names_still_lies_in_the_country_of_another() -> None:
    policy = policies(
        rule("deny", where("destination", "UA-43"), id="region"),
        rule("deny", where("destination", "UA"), id="country"),
        rule("deny", where("destination", "UA", negated=True), id="elsewhere"),
    )
    assert evaluate(policy, facts(geography=located("UA-43"))).rules == (
        "pack/region",
        "pack/country",
    )
    assert evaluate(policy, facts(geography=located("UA-30"))).rules == ("pack/country",)


def test_a_dash_means_a_region_in_destinations_only() -> None:
    policy = policies(rule("permit", id="p"), rule("deny", where("tag", "eu"), id="d"))
    assert evaluate(policy, facts(identity=caller(tags=["eu-1"]))).outcome == "permit"


def test_every_party_behind_the_request_is_a_member() -> None:
    police = caller(parties=["law_enforcement"])
    denying = policies(rule("permit", id="p"), rule("deny", where("party_type", "law_enforcement")))
    assert evaluate(denying, facts(identity=police)).outcome == "refuse"
    assert (
        evaluate(
            policies(rule("permit", where("party_type", "private"))), facts(identity=police)
        ).outcome
        == "refuse"
    )


def test_screening_reads_as_none_not_screened_or_the_lists() -> None:
    policy = policies(
        rule("permit", id="p"), rule("deny", where("listed", "none", "not_screened", negated=True))
    )
    hit = Hit(lists=("entity_list",), parties=("party 0",))
    assert evaluate(policy, facts()).outcome == "permit"
    assert evaluate(policy, facts(screening=NotScreened(reason="new"))).outcome == "permit"
    assert evaluate(policy, facts(screening=hit)).outcome == "refuse"


def test_without_a_network_database_the_destination_is_unknown_beside_the_evidence() -> None:
    evidence = (Evidence(kind="account", code="GB", source="tenant"),)
    nowhere = facts(geography=Unlocated(client="", reason="no database", evidence=evidence))
    for place in ("unknown", "GB"):
        policy = policies(rule("permit", id="p"), rule("deny", where("destination", place), id="d"))
        assert evaluate(policy, nowhere).outcome == "refuse"
    assert evaluate(policies(rule("permit", where("destination", "GB"))), nowhere).outcome == (
        "refuse"
    )


def test_where_a_contradiction_cannot_be_told_a_deny_matches_and_a_permit_does_not() -> None:
    nowhere = facts(geography=Unlocated(client="", reason="no database"))
    denying = policies(rule("permit", id="p"), rule("deny", where("contradiction", "yes"), id="d"))
    assert evaluate(denying, nowhere).outcome == "refuse"
    assert evaluate(policies(rule("permit", where("contradiction", "no"))), nowhere).outcome == (
        "refuse"
    )
    contradicting = facts(geography=located("GB", contradiction=True))
    assert evaluate(denying, contradicting).outcome == "refuse"
    assert evaluate(denying, facts()).outcome == "permit"


def test_a_shadow_rule_is_reported_and_changes_nothing() -> None:
    policy = policies(rule("permit", SEARCH, id="p"), rule("deny", SEARCH, id="d", mode="shadow"))
    decision = evaluate(policy, facts())
    assert (decision.outcome, decision.rules) == ("permit", ("pack/p",))
    assert (decision.shadow, decision.shadow_outcome) == (("pack/d",), "refuse")
    assert decision.matched == ("pack/p",)


def test_a_shadow_permit_shows_what_it_would_permit() -> None:
    decision = evaluate(policies(rule("permit", SEARCH, mode="shadow")), facts())
    assert (decision.outcome, decision.shadow_outcome) == ("refuse", "permit")
    assert decision.reason == "policy.default"


def test_a_pending_pack_runs_in_shadow() -> None:
    policy = compile_policies([pack(rule("deny"), id="pending", force="pending")])
    decision = evaluate(policy, facts(asked=operation("detect")))
    assert (decision.outcome, decision.shadow_outcome) == ("permit", "refuse")
    assert policy.counts.shadow == 1


def test_rules_are_named_in_the_order_of_packs_and_files() -> None:
    policy = compile_policies(
        [pack(rule("deny", id="z"), rule("deny", id="a"), id="two"), pack(rule("deny"), id="one")]
    )
    assert evaluate(policy, facts()).rules == ("one/rule", "two/z", "two/a")


def test_many_boundaries_are_told_apart() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    policy = policies(
        *[
            rule(
                "deny",
                id=f"day-{day}",
                start=start + timedelta(days=day),
                end=start + timedelta(days=day + 1),
            )
            for day in range(50)
        ]
    )
    for day in (0, 7, 49):
        at = start + timedelta(days=day, hours=5)
        assert evaluate(policy, facts(at=at)).rules == (f"pack/day-{day}",)
    assert evaluate(policy, facts(at=start + timedelta(days=50))).rules == ()


def test_of_a_caller_who_is_not_verified_every_attribute_has_members() -> None:
    found = attributes(facts(identity=Unverified(reason="identity.expired")))
    of_the_caller = ("tenant", "tenant_type", "party_type", "tier", "tag", "end_use", "identity")
    assert {found[name] for name in of_the_caller} == {frozenset({"none"})}
    assert all(found.values())
