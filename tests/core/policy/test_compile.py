from __future__ import annotations

import pickle
from datetime import UTC, datetime

import msgspec
import pytest

from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Budget, Rule
from tests.core.policy.builders import caller, facts, pack, policies, rule, where

DENY = rule("deny", where("class", "one_to_many"), where("destination", "CN", "RU"))


def test_the_digest_is_the_same_for_the_same_meaning() -> None:
    turned = rule("deny", where("destination", "RU", "CN"), where("class", "one_to_many"))
    assert policies(DENY).digest == policies(turned).digest


def test_the_digest_does_not_read_what_only_people_read() -> None:
    written = pack(DENY)
    other = msgspec.structs.replace(
        written,
        owner="Somebody else",
        source="another page",
        description="more words",
        force="binding",
        rules=(msgspec.structs.replace(DENY, reason="other words"),),
    )
    assert compile_policies([written]).digest == compile_policies([other]).digest


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(msgspec.structs.replace(DENY, id="other"), id="id"),
        pytest.param(msgspec.structs.replace(DENY, effect="permit"), id="effect"),
        pytest.param(msgspec.structs.replace(DENY, mode="shadow"), id="mode"),
        pytest.param(
            msgspec.structs.replace(DENY, effective_to=datetime(2030, 1, 1, tzinfo=UTC)), id="time"
        ),
        pytest.param(
            msgspec.structs.replace(DENY, conditions=(where("destination", "CN", "RU"),)),
            id="fewer conditions",
        ),
        pytest.param(
            rule("deny", where("class", "one_to_many"), where("destination", "CN")),
            id="fewer values",
        ),
        pytest.param(
            rule(
                "deny",
                where("class", "one_to_many"),
                where("destination", "CN", "RU", negated=True),
            ),
            id="turned round",
        ),
    ],
)
def test_the_digest_changes_with_the_meaning(changed: Rule) -> None:
    assert policies(DENY).digest != policies(changed).digest


def test_the_digest_tells_a_pending_pack_from_one_in_force() -> None:
    pending = compile_policies([pack(DENY, force="pending")])
    assert pending.digest != policies(DENY).digest


def test_the_digest_is_stable_across_versions() -> None:
    # Records of earlier years name it: a change here needs a new version prefix.
    assert policies(DENY).digest == (
        "sha256:35fa27511c9a4a8027c5bcd443d050eca7fc579492100005d2eff93944bf6f48"
    )


def test_a_policy_survives_pickling() -> None:
    policy = policies(DENY, rule("permit", where("destination", "GB"), id="p"))
    again = pickle.loads(pickle.dumps(policy))  # noqa: S301 - made on the line itself
    assert again == policy
    assert evaluate(again, facts()) == evaluate(policy, facts())


def test_rules_are_counted() -> None:
    counts = policies(DENY, rule("permit", id="p", mode="shadow")).counts
    assert (counts.packs, counts.rules, counts.enforced, counts.shadow) == (1, 2, 1, 1)


def test_only_a_place_has_a_country_before_its_hyphen() -> None:
    both = policies(
        rule("deny", where("tag", "eu"), id="short"),
        rule("deny", where("tag", "eu-west"), id="long"),
    )
    decision = evaluate(both, facts(identity=caller(tags=("eu-west",))))
    assert decision.matched == ("pack/long",)


def test_the_order_of_budgets_does_not_matter() -> None:
    budgets = [
        Budget(id=name, counts="calls", classes=("one_to_many",), per="day", limit=limit)
        for name, limit in (("b", 1), ("a", 2))
    ]
    packs = [pack(rule("deny", where("over", "a", "b")))]
    one, other = (compile_policies(packs, budgets=found) for found in (budgets, budgets[::-1]))
    assert one.digest == other.digest
    assert [budget.id for budget in one.budgets] == ["a", "b"]
