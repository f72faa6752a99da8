"""What all shipped packs promise together, and what each of them says of itself."""

from __future__ import annotations

import re
import shutil
from datetime import date
from itertools import product
from pathlib import Path

import pytest

from gateway.core.decision import Decision
from gateway.core.operation import OPERATION_CLASSES, OperationClass, governed
from gateway.core.policy.attributes import PLACELESS
from gateway.core.policy.countries import COUNTRIES
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Force, Policies
from gateway.core.screening import Hit
from gateway.sources import policies as source
from gateway.sources.packs import packs_directory
from tests.core.policy.builders import NOON, caller, facts, located, operation
from tests.documents import keyed

FORCES: dict[str, Force] = {
    "eu-ai-act-article-5": "binding",
    "eu-dual-use-diligence": "voluntary",
    "ibm-precision-regulation": "voluntary",
    "multilateral": "voluntary",
    "ofac-embargoes": "binding",
    "provider-acceptable-use": "voluntary",
    "us-ear-crime-control": "pending",
    "us-local-law": "binding",
    "us-party-lists": "binding",
}
UNGOVERNED = [one for one in OPERATION_CLASSES if not governed(one, "none")]
# What the sources at hand do not bear out: numbers of entries in the control list that circulate,
# the definition of an end user that no final rule has, and how the stay of 2026-11-09 came out.
UNCONFIRMED = re.compile(
    r"[34]A504|\bFSEU\b|foreign[- ]security end[- ]users?|arrest, det(?:ain|ention)"
    r"|affiliates rule (?:is back|returned|was extended|is in force)"
    r"|9\.64\.045|762\.6|emotion recognition",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def policy() -> Policies:
    return source.load_policies(packs_directory(), now=NOON)


def files() -> list[Path]:
    return sorted(packs_directory().glob("*.yaml"))


def judge(policy: Policies, kind: OperationClass, *places: str) -> Decision:
    return evaluate(policy, facts(asked=operation(kind), geography=located(*places)))


def test_every_case_holds_and_every_rule_has_one() -> None:
    report = source.test_policies(packs_directory())
    assert report.findings == ()
    assert report.covered == report.rules
    assert len(report.results) >= 150


def test_every_pack_has_cases_of_its_own_that_say_what_they_are_about() -> None:
    results = source.test_policies(packs_directory()).results
    assert {one.case.pack for one in results} >= FORCES.keys()
    names = [(one.case.pack, one.case.name) for one in results]
    assert len(set(names)) == len(names)


def test_every_pack_says_what_force_it_has_and_when_it_is_read_again(policy: Policies) -> None:
    assert {pack.id: pack.force for pack in policy.packs} == FORCES
    for pack in policy.packs:
        assert pack.description, pack.id
        assert pack.owner, pack.id
        assert date(2026, 11, 21) < pack.review <= date(2027, 12, 31), pack.id
        assert all(rule.reason for rule in pack.rules), pack.id


def test_the_readme_lists_every_pack_with_its_force(policy: Policies) -> None:
    said = {name: cells[0] for name, cells in keyed("The packs that ship").items()}
    assert said == {pack.id: pack.force for pack in policy.packs}


def test_the_readme_lists_every_tag_that_a_rule_names(policy: Policies) -> None:
    said = [cell for row in keyed("Tags that the packs name") for cell in row.split("`, `")]
    rules = [rule for pack in policy.packs for rule in pack.rules]
    conditions = [one for rule in rules for one in rule.conditions if one.attribute == "tag"]
    assert set(said) == {value for one in conditions for value in one.values}


def test_the_readme_lists_every_word_that_a_reference_can_name(policy: Policies) -> None:
    rules = [rule for pack in policy.packs for rule in pack.rules]
    wanted = [one for rule in rules for one in (rule.wanted, rule.lifted_by) if one]
    assert set(keyed("Words that references name")) == {one.naming for one in wanted} - {""}


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_nothing_is_stated_that_no_source_at_hand_bears_out(path: Path) -> None:
    assert not UNCONFIRMED.findall(path.read_text())


def test_the_unconfirmed_is_recognised_where_it_stands() -> None:
    assert UNCONFIRMED.search("ECCN 3A504")
    assert UNCONFIRMED.search("a Foreign-Security End User")


def test_only_one_pack_permits(policy: Policies) -> None:
    permitting = {
        pack.id for pack in policy.packs for rule in pack.rules if rule.effect == "permit"
    }
    assert permitting == {"ibm-precision-regulation"}


@pytest.mark.parametrize("kind", UNGOVERNED)
def test_whom_no_law_of_a_place_binds_keeps_what_is_not_governed(
    policy: Policies, kind: OperationClass
) -> None:
    for place in (*sorted(COUNTRIES), *PLACELESS, "UA-43"):
        assert judge(policy, kind, place).reason == "policy.ungoverned", place


@pytest.mark.parametrize("kind", ["gallery", "image_db"])
@pytest.mark.parametrize("tag", ["none", "city:boston", "city:oakland", "state:maine"])
def test_nothing_refuses_erasing(policy: Policies, kind: OperationClass, tag: str) -> None:
    worst = facts(
        asked=operation(kind, access="delete"),
        identity=caller(tenant_type="military", end_uses=["mass_surveillance"], tags=[tag]),
        geography=located("CN", "IR", "UA-43", "US-IL", "unknown"),
        screening=Hit(lists=("entity_list", "sdn"), parties=("party 0",)),
    )
    assert evaluate(policy, worst).outcome == "permit"


def test_every_rule_leaves_erasing_out(policy: Policies) -> None:
    for rule in (rule for pack in policy.packs for rule in pack.rules):
        asked = {one.attribute: one for one in rule.conditions}
        if "class" not in asked or asked["class"].values & {"gallery", "image_db"}:
            access = asked["access"]
            assert ("delete" in access.values) is access.negated, rule.id


@pytest.mark.parametrize(
    ("tag", "verifying"),
    [
        ("city:boston", "refuse"),
        ("city:oakland", "refuse"),
        ("city:san-francisco", "refuse"),
        ("city:portland-me", "refuse"),
        ("city:portland-or", "permit"),
        ("premises:portland-or", "permit"),
        ("state:washington", "permit"),
        ("city:baltimore", "permit"),
    ],
)
def test_only_where_the_law_says_so_a_body_may_not_even_verify(
    policy: Policies, tag: str, verifying: str
) -> None:
    identity = caller(tenant_type="government", tags=[tag])
    one, many = (
        evaluate(policy, facts(asked=operation(kind), identity=identity, geography=located("US")))
        for kind in ("one_to_one", "one_to_many")
    )
    assert one.outcome == verifying
    assert many.outcome == "refuse"


def test_an_operator_may_switch_the_affiliates_rule_off_and_nothing_else_changes(
    tmp_path: Path,
) -> None:
    for path in files():
        shutil.copy(path, tmp_path)
    (tmp_path / "operator.yaml").write_text(
        """apiVersion: facegate/v1
kind: Operator
switched_off:
  - rule: us-party-lists/require-licence-for-affiliates-after-the-stay
    who: Ada Moreno
    date: 2026-11-25
    reason: the stay was extended
"""
    )
    switched = source.read_policies(tmp_path)
    shipped = source.read_policies(packs_directory())
    handed_out = facts(
        asked=operation("image_db", access="export"),
        screening=Hit(lists=("entity_list_affiliate",), parties=("party 0",)),
    )
    rule = "us-party-lists/require-licence-for-affiliates-after-the-stay"
    before, after = evaluate(shipped, handed_out), evaluate(switched, handed_out)
    assert rule in before.matched
    assert {*before.matched} - {*after.matched} == {rule}


def test_hong_kong_is_treated_as_china_everywhere(policy: Policies) -> None:
    classes = [one for one in OPERATION_CLASSES if governed(one, "none")]
    for kind, place in product(classes, ("HK", "MO")):
        assert judge(policy, kind, place).reason == judge(policy, kind, "CN").reason
