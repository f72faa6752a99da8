"""Rules that do nothing, rules that contradict others, and requests of which no rule speaks."""

from __future__ import annotations

from datetime import timedelta

from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Rule, Wanted
from gateway.core.policy.reach import Remark, remarks
from tests.core.policy.builders import NOON, policies, rule, where

PERMIT = rule("permit", where("class", "one_to_many"), id="permit")
ABOUT_RULES = ("never_matches", "never_decides", "contradicts")


def about_rules(*rules: Rule) -> list[Remark]:
    return [one for one in remarks(policies(*rules), NOON) if one.kind in ABOUT_RULES]


def test_a_rule_whose_conditions_exclude_one_another_never_matches() -> None:
    impossible = [
        (where("class", "unknown"), where("access", "read")),
        (where("class", "one_to_one"), where("access", "write")),
        (where("class", "gallery"), where("access", "none")),
        (where("class", "unknown"), where("operation", "SearchFaces")),
    ]
    for conditions in impossible:
        for effect in ("deny", "permit"):
            dead = rule("deny" if effect == "deny" else "permit", *conditions, id="dead")
            assert about_rules(PERMIT, dead) == [Remark(kind="never_matches", rule="pack/dead")]


def test_a_rule_that_some_request_matches_is_fine_in_shadow_and_out_of_date_as_well() -> None:
    over = rule("deny", where("class", "embed"), id="over", end=NOON - timedelta(days=1))
    shadow = rule("permit", where("class", "embed"), id="shadow", mode="shadow")
    assert about_rules(PERMIT, over, shadow) == []


def test_the_types_of_tenant_and_parties_go_together() -> None:
    chain = rule(
        "deny", where("tenant_type", "private"), where("party_type", "military"), id="chain"
    )
    assert about_rules(PERMIT, chain) == []
    # A permit has to cover every party, and the tenant is one.
    apart = rule(
        "permit", where("tenant_type", "private"), where("party_type", "military"), id="apart"
    )
    assert about_rules(PERMIT, apart) == [Remark(kind="never_matches", rule="pack/apart")]


def test_one_deny_that_covers_a_permit_contradicts_it() -> None:
    deny = rule("deny", where("destination", "RU"), id="deny")
    narrow = rule("permit", where("class", "embed"), where("destination", "RU"), id="narrow")
    assert about_rules(PERMIT, deny, narrow) == [
        Remark(kind="contradicts", rule="pack/narrow", by=("pack/deny",))
    ]
    wider = rule("permit", where("class", "embed"), where("destination", "RU", "GB"), id="wider")
    assert about_rules(PERMIT, deny, wider) == []


def test_several_denies_overrule_a_rule_together() -> None:
    one = rule("deny", where("destination", "RU"), id="one")
    other = rule("deny", where("destination", "BY"), id="other")
    both = rule("permit", where("class", "embed"), where("destination", "RU", "BY"), id="both")
    needed = rule("require", where("destination", "RU", "BY"), id="needed", needs="licence")
    assert about_rules(PERMIT, one, other, both, needed) == [
        Remark(kind="never_decides", rule="pack/both"),
        Remark(kind="never_decides", rule="pack/needed"),
    ]


def test_a_deny_that_a_reference_lifts_or_that_ends_overrules_nothing_for_good() -> None:
    lifted = Wanted(kind="licence", naming="embargo")
    narrow = rule("permit", where("class", "embed"), where("destination", "RU"), id="narrow")
    liftable = rule("deny", where("destination", "RU"), id="deny", lifted_by=lifted)
    assert about_rules(PERMIT, liftable, narrow) == []
    ending = rule("deny", where("destination", "RU"), id="deny", end=NOON + timedelta(days=9))
    assert about_rules(PERMIT, ending, narrow) == []


def test_classes_that_nothing_permits_and_requests_of_which_no_rule_speaks_are_told() -> None:
    policy = policies(PERMIT, rule("permit", where("destination", "GB"), id="gb"))
    (silent,) = remarks(policy, NOON)
    assert silent.kind == "silent"
    assert "one_to_many" not in silent.classes
    assert "gallery (write)" in silent.classes
    assert silent.example is not None
    answer = evaluate(policy, silent.example.facts)
    assert (answer.reason, answer.matched) == ("policy.default", ())
    closed = remarks(policies(PERMIT), NOON)
    assert [one.kind for one in closed] == ["closed"]
    assert "embed" in closed[0].classes
    assert "one_to_many" not in closed[0].classes
