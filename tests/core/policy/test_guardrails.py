"""What guardrails say, how mistakes in them are found, and what a counterexample looks like."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.core.policy.choices import Vocabulary
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.guardrails import Guardrail, Never
from gateway.core.policy.model import Condition, Policies, Wanted
from gateway.core.policy.prove import HORIZON, Proof, prove
from gateway.core.policy.witness import DisagreementError, witness
from gateway.sources.catalogs import load_catalog
from tests.core.policy.builders import NOON, pack, policies, rule, where
from tests.core.policy.test_link import HEAD, linked

GUARDRAILS = """\
apiVersion: facegate/v1
kind: Guardrails
owner: Compliance
source: a test
review: 2027-01-01
guardrails:
"""
EMBARGO = Wanted(kind="licence", naming="embargo")
DENY = rule("deny", where("destination", "IR"), id="deny")
PERMIT = rule("permit", where("class", "one_to_many"), id="permit")


def guardrail(never: Never, *conditions: Condition, without: tuple[Wanted, ...] = ()) -> Guardrail:
    return Guardrail(id="g", never=never, conditions=conditions, without=without, reason="because")


def proof(policy: Policies, asked: Guardrail) -> Proof:
    (found,) = prove(policy, [asked], NOON)
    return found


def words(policy: Policies, asked: Guardrail) -> str:
    found = proof(policy, asked).broken
    assert found is not None
    return found.words


def test_a_guardrail_is_read_with_its_groups_written_out() -> None:
    groups = """\
        apiVersion: facegate/v1
        kind: Groups
        owner: Compliance
        source: a test
        date: 2026-11-21
        groups:
          europe: {members: [FR, DE], source: a map, date: 2026-11-21}
    """
    text = """\
  - id: never-europe
    never: permit
    when: {destination: [GB, group:europe], access: {not_in: [delete]}}
    without: [{kind: licence, naming: embargo}, {kind: consent}]
    reason: A test.
"""
    result, findings = linked(HEAD, groups, GUARDRAILS + text)
    assert findings == []
    assert result.guardrails == (
        Guardrail(
            id="never-europe",
            never="permit",
            conditions=(
                where("access", "delete", negated=True),
                where("destination", "DE", "FR", "GB"),
            ),
            without=(EMBARGO, Wanted(kind="consent")),
            reason="A test.",
        ),
    )
    assert str(result.places["never-europe"]) == "2.yaml:7"


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("never: prmit, when: {class: [embed]}", "20: `guardrails[0].never`: input should be"),
        ("never: permit, when: {}", "34: `guardrails[0].when`: dictionary should have at least"),
        ("never: permit, when: {destination: [UK]}", "49: guardrail `a`: `UK` is no destination"),
        ("never: permit, when: {clas: [embed]}", "35: guardrail `a`: unknown attribute `clas`"),
        (
            "never: permit, when: {destination: ['group:nowhere']}",
            "49: guardrail `a`: unknown group `nowhere`",
        ),
        (
            "never: refuse, when: {class: [embed]}, without: [{kind: licence}]",
            "61: guardrail `a`: `without` goes with `never: permit`",
        ),
    ],
)
def test_a_mistake_in_a_guardrail_is_found_with_its_place(text: str, finding: str) -> None:
    (found,) = linked(HEAD, GUARDRAILS + f"  - {{id: a, {text}, reason: x}}\n")[1]
    assert found.startswith(f"1.yaml:7:{finding}")


def test_a_guardrail_that_stands_twice_is_a_mistake_though_the_files_differ() -> None:
    text = GUARDRAILS + "  - {id: a, never: permit, when: {class: [embed]}, reason: x}\n"
    assert linked(HEAD, text, text)[1] == [
        "2.yaml:7:10: guardrail `a` is defined twice | first in 1.yaml:7"
    ]


def test_a_guardrail_changes_no_decision_and_no_digest() -> None:
    text = GUARDRAILS + "  - {id: a, never: permit, when: {class: [embed]}, reason: x}\n"
    with_it, without_it = linked(HEAD, text)[0], linked(HEAD)[0]
    assert compile_policies(with_it.packs) == compile_policies(without_it.packs)


def test_never_permit_speaks_of_requests_with_some_member_among_the_values() -> None:
    policy = policies(DENY, PERMIT)
    asked = guardrail("permit", where("class", "one_to_many"), where("destination", "IR"))
    assert proof(policy, asked).holds
    wider = guardrail("permit", where("class", "one_to_many"), where("destination", "IR", "IQ"))
    assert words(policy, wider) == "class one_to_many, destination IQ"
    assert words(policies(PERMIT), asked) == "class one_to_many, destination IR"


def test_never_refuse_speaks_of_requests_whose_members_are_all_among_the_values() -> None:
    policy = policies(DENY, PERMIT)
    assert words(policy, guardrail("refuse", where("class", "one_to_one"))) == (
        "class one_to_one, destination IR"
    )
    elsewhere = where("destination", "IR", negated=True)
    assert proof(policy, guardrail("refuse", where("class", "one_to_one"), elsewhere)).holds
    assert proof(policy, guardrail("refuse", where("class", "one_to_many"), elsewhere)).holds


def test_a_counterexample_has_as_many_members_as_it_takes_and_no_more() -> None:
    both = policies(
        rule("permit", where("destination", "GB"), id="gb"),
        rule("permit", where("destination", "FR"), id="fr"),
    )
    asked = guardrail("refuse", where("class", "one_to_many"), where("destination", "FR", "GB"))
    assert words(both, asked) == "class one_to_many, destination GB, FR"


def test_a_region_is_part_of_its_country_for_a_guardrail_too() -> None:
    crimea = rule("deny", where("destination", "UA-43"), id="crimea")
    asked = guardrail("permit", where("class", "one_to_many"), where("destination", "UA"))
    assert words(policies(crimea, PERMIT), asked) == "class one_to_many, destination UA"
    region = guardrail("permit", where("class", "one_to_many"), where("destination", "UA-43"))
    assert proof(policies(crimea, PERMIT), region).holds
    country = rule("deny", where("destination", "UA"), id="country")
    assert proof(policies(country, PERMIT), region).holds


def test_the_tenant_is_among_its_parties_and_behind_it_may_be_another() -> None:
    military = rule("deny", where("tenant_type", "military"), id="military")
    asked = guardrail("permit", where("class", "one_to_many"), where("party_type", "military"))
    assert words(policies(military, PERMIT), asked) == (
        "class one_to_many, destination GB, party_type private, military"
    )
    chain = rule("deny", where("party_type", "military"), id="chain")
    assert proof(policies(chain, PERMIT), asked).holds
    own = guardrail("permit", where("class", "one_to_many"), where("tenant_type", "military"))
    assert proof(policies(chain, PERMIT), own).holds


def test_what_is_required_may_be_on_file_unless_the_guardrail_says_without() -> None:
    needs = rule("require", where("class", "one_to_many"), id="needs", needs="consent")
    asked = guardrail("permit", where("class", "one_to_many"))
    assert words(policies(needs, PERMIT), asked).endswith("; on file: consent")
    without = guardrail("permit", where("class", "one_to_many"), without=(Wanted(kind="consent"),))
    assert proof(policies(needs, PERMIT), without).holds
    other = guardrail("permit", where("class", "one_to_many"), without=(Wanted(kind="review"),))
    assert proof(policies(needs, PERMIT), other).broken is not None


def test_a_deny_that_a_reference_lifts_is_no_deny_unless_the_guardrail_says_without() -> None:
    embargo = rule("deny", where("destination", "IR"), id="embargo", lifted_by=EMBARGO)
    asked = guardrail("permit", where("class", "one_to_many"), where("destination", "IR"))
    found = proof(policies(embargo, PERMIT), asked).broken
    assert found is not None
    assert found.case == {
        "class": "one_to_many",
        "destination": "IR",
        "references": [
            {
                "kind": "licence",
                "id": "licence-embargo",
                "names": ["embargo"],
                "classes": ["one_to_many"],
                "destinations": ["IR"],
            }
        ],
    }
    assert found.decision.lifted == ("pack/embargo",)
    for without in (EMBARGO, Wanted(kind="licence")):
        strict = guardrail("permit", *asked.conditions, without=(without,))
        assert proof(policies(embargo, PERMIT), strict).holds
    beside = guardrail("permit", *asked.conditions, without=(Wanted(kind="licence", naming="sdn"),))
    assert proof(policies(embargo, PERMIT), beside).broken is not None


@pytest.mark.parametrize("place", ["unknown", "private", "anonymised", "stale"])
def test_no_licence_covers_what_is_no_place(place: str) -> None:
    unplaced = rule("deny", where("destination", place), id="unplaced", lifted_by=EMBARGO)
    asked = guardrail("permit", where("class", "one_to_many"), where("destination", place))
    assert proof(policies(unplaced, PERMIT), asked).holds
    review = rule("require", where("destination", place), id="look", needs="review")
    assert words(policies(review, PERMIT), asked).endswith("; on file: review")


def test_each_date_at_which_rules_change_is_proved_within_the_horizon() -> None:
    asked = guardrail("permit", where("class", "one_to_many"), where("destination", "IR"))
    later = NOON + timedelta(days=100)
    ending = rule("deny", where("destination", "IR"), id="deny", end=later)
    found = proof(policies(ending, PERMIT), asked).broken
    assert found is not None
    assert found.at == later
    beginning = rule("permit", where("class", "one_to_many"), id="permit", start=later)
    assert proof(policies(beginning), asked).broken is not None
    handed_over = rule("deny", where("destination", "IR"), id="next", start=later)
    assert proof(policies(ending, handed_over, PERMIT), asked).dates == 2
    far = NOON + HORIZON + timedelta(seconds=1)
    beyond = rule("deny", where("destination", "IR"), id="deny", end=far)
    assert proof(policies(beyond, PERMIT), asked).holds


def test_never_refuse_is_proved_at_later_dates_too() -> None:
    asked = guardrail("refuse", where("class", "one_to_one"))
    later = NOON + timedelta(days=1)
    dated = rule("deny", where("end_use", "attendance"), id="dated", start=later)
    found = proof(policies(dated), asked).broken
    assert found is not None
    assert (found.at, found.words) == (
        later,
        "class one_to_one, destination GB, end_use attendance",
    )
    ending = rule("permit", where("class", "one_to_many"), id="ending", end=later)
    search = guardrail("refuse", where("class", "one_to_many"))
    assert getattr(proof(policies(ending), search).broken, "at", None) == later


def test_rules_in_shadow_neither_help_nor_hurt() -> None:
    asked = guardrail("permit", where("class", "one_to_many"), where("destination", "IR"))
    shadow = rule("deny", where("destination", "IR"), id="deny", mode="shadow")
    assert proof(policies(shadow, PERMIT), asked).broken is not None
    pending = compile_policies([pack(DENY, id="pending", force="pending"), pack(PERMIT)])
    assert proof(pending, asked).broken is not None


def test_an_operation_that_nobody_knows_has_no_name_and_no_access() -> None:
    named = rule("permit", where("operation", "SearchFaces"), id="named")
    asked = guardrail("permit", where("class", "unknown"))
    assert proof(policies(named), asked).holds
    nameless = rule("permit", where("operation", "unknown"), id="nameless")
    assert words(policies(nameless), asked) == "class unknown, destination GB"
    deleting = rule("permit", where("access", "delete"), id="deleting")
    assert proof(policies(deleting), asked).holds


def test_the_catalogue_gives_an_access_to_galleries_and_image_databases_alone() -> None:
    # What `choices` takes for granted of every request.
    vocabulary = Vocabulary(policies(PERMIT).table)
    possible = {
        (kind.operation_class, kind.access)
        for kind in vocabulary.kinds(vocabulary.values["class"], vocabulary.values["access"])
    }
    known = {
        (verdict.operation_class, verdict.access)
        for provider in load_catalog().providers.values()
        for one in provider.rules.values()
        for verdict in (one.base, *(variant.verdict for variant in one.variants))
    }
    assert known <= possible


def test_a_counterexample_that_judging_does_not_confirm_is_a_fault_and_said_so() -> None:
    given = (("class", ("one_to_many",)), ("destination", ("IR",)))
    with pytest.raises(DisagreementError, match="found as permit, judged refuse"):
        witness(policies(DENY, PERMIT), [given], wanted=(), at=NOON, outcome="permit")


def test_a_counterexample_is_what_judging_says_of_it() -> None:
    found = proof(policies(DENY, PERMIT), guardrail("refuse", where("class", "one_to_one"))).broken
    assert found is not None
    assert evaluate(policies(DENY, PERMIT), found.facts) == found.decision
    assert found.decision.rules == ("pack/deny",)
