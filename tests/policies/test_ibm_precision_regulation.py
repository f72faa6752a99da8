"""What pack ibm-precision-regulation promises, over every country and class, beside its cases."""

from __future__ import annotations

from itertools import product

import pytest

from gateway.core.decision import Decision
from gateway.core.identity.model import Reference, ReferenceKind, TenantType
from gateway.core.operation import OPERATION_CLASSES, OperationClass, governed
from gateway.core.policy.attributes import CLOSED, PLACELESS
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.countries import COUNTRIES
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Policies
from gateway.core.screening import Hit
from gateway.sources import policies as source
from gateway.sources.packs import packs_directory
from tests.core.policy.builders import NOON, caller, facts, located, operation

FORBIDDEN = frozenset(
    "AF BY CD CF CN CU ER HK HT IQ IR KP LB LY MM MO NI RU SD SO SS SY VE ZW".split()  # noqa: SIM905 - reads better
)
TYPES: tuple[TenantType, ...] = (
    "government",
    "law_enforcement",
    "military",
    "contractor_for_government",
    "private",
    "individual",
)
EVERYTHING: tuple[ReferenceKind, ...] = ("licence", "consent", "authorisation", "review")
UNGOVERNED = [one for one in OPERATION_CLASSES if not governed(one, "none")]


@pytest.fixture(scope="module")
def policy() -> Policies:
    """Return the pack as it judges alone."""
    packs = source.load_policies(packs_directory(), now=NOON).packs
    return compile_policies([pack for pack in packs if pack.id == "ibm-precision-regulation"])


def search(
    policy: Policies,
    *places: str,
    kind: OperationClass = "one_to_many",
    tenant_type: TenantType = "private",
    use: str = "missing_persons",
    on_file: tuple[ReferenceKind, ...] = (),
) -> Decision:
    references = [Reference(id=one, kind=one) for one in on_file]
    identity = caller(tenant_type=tenant_type, end_uses=[use], references=references)
    return evaluate(
        policy, facts(asked=operation(kind), identity=identity, geography=located(*places))
    )


def test_no_rule_speaks_of_what_is_not_governed(policy: Policies) -> None:
    for pack in policy.packs:
        for rule in pack.rules:
            asked = {one.attribute: one for one in rule.conditions}
            assert not asked["class"].negated
            assert not asked["class"].values.intersection(UNGOVERNED), rule.id
            if asked["class"].values & {"gallery", "image_db"}:
                access = asked["access"]
                assert ("delete" in access.values) is access.negated, rule.id


@pytest.mark.parametrize("kind", UNGOVERNED)
def test_nothing_refuses_what_is_not_governed(policy: Policies, kind: OperationClass) -> None:
    places = (*sorted(COUNTRIES), *PLACELESS, "UA-43")
    for place, tenant_type in product(places, TYPES):
        decision = search(
            policy, place, kind=kind, tenant_type=tenant_type, use="mass_surveillance"
        )
        assert decision.reason == "policy.ungoverned"


@pytest.mark.parametrize("kind", ["gallery", "image_db"])
def test_nothing_refuses_erasing(policy: Policies, kind: OperationClass) -> None:
    worst = facts(
        asked=operation(kind, access="delete"),
        identity=caller(tenant_type="military", end_uses=["mass_surveillance"]),
        geography=located("CN", "unknown"),
        screening=Hit(lists=("sdn",), parties=("party 0",)),
    )
    assert evaluate(policy, worst).outcome == "permit"


def test_every_country_is_forbidden_exempt_licensed_or_reviewed(policy: Policies) -> None:
    answers: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for country in COUNTRIES:
        decision = search(policy, country)
        answers.setdefault((decision.reason, decision.obligations), set()).add(country)
    assert set(answers) == {
        ("policy.denied", ()),
        ("policy.permitted", ()),
        ("policy.unmet", ("licence",)),
        ("policy.unmet", ("review",)),
    }
    assert answers["policy.denied", ()] == FORBIDDEN
    assert answers["policy.unmet", ("review",)] >= {"PS", "AQ"}
    assert answers["policy.unmet", ("licence",)] >= {"AE", "BR", "IL", "SG", "UA"}
    assert answers["policy.permitted", ()] >= {"GB", "US", "TR", "JP", "IM"}


def test_no_reference_opens_a_forbidden_place(policy: Policies) -> None:
    places = (*sorted(FORBIDDEN), "UA-43", "UA-40", "UA-14", "UA-09", "CN-XJ", *PLACELESS)
    classes = [one for one in OPERATION_CLASSES if governed(one, "none")]
    for place, kind, tenant_type in product(places, classes, TYPES):
        decision = search(
            policy, "GB", place, kind=kind, tenant_type=tenant_type, on_file=EVERYTHING
        )
        assert decision.reason == "policy.denied", (place, kind, tenant_type)


def test_police_military_and_contractors_are_refused_where_crime_control_applies(
    policy: Policies,
) -> None:
    for country, tenant_type in product(COUNTRIES, TYPES[1:4]):
        decision = search(policy, country, tenant_type=tenant_type, on_file=EVERYTHING)
        licensed = search(policy, country).obligations == ("licence",)
        assert decision.outcome == "refuse" or not licensed
        assert decision.outcome == "refuse" or tenant_type != "military"


def test_a_listed_party_gets_nothing_at_scale(policy: Policies) -> None:
    for kind in OPERATION_CLASSES:
        listed = facts(
            asked=operation(kind), screening=Hit(lists=("entity_list",), parties=("party 0",))
        )
        assert (evaluate(policy, listed).outcome == "refuse") is governed(kind, "none")


def test_the_vocabulary_of_the_pack_is_the_gateways(policy: Policies) -> None:
    kinds = {one for pack in policy.packs for rule in pack.rules for one in [rule.needs] if one}
    assert kinds == set(EVERYTHING)
    assert set(TYPES) == set(CLOSED["tenant_type"])
