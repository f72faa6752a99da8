"""Which tenants a stage holds: the same ones at any time, and more of them at each step."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given, strategies as st

from gateway.core.operation import Observed
from gateway.core.pipeline import decide
from gateway.core.policy.compile import EMPTY
from gateway.core.policy.evaluate import evaluate
from gateway.core.request import Request
from gateway.core.snapshot import Stage
from tests.core.test_alternatives import DATED, OPEN, STRICT
from tests.core.test_standing import CALLS, MOMENTS, fresh


def stage(percent: int, salt: str = "sha256:a") -> Stage:
    return Stage(policies=EMPTY, percent=percent, salt=salt)


@given(st.text(), st.text(max_size=8), st.integers(1, 98))
def test_who_is_in_a_small_share_is_in_a_larger_one(tenant: str, salt: str, percent: int) -> None:
    small, large = stage(percent, salt), stage(percent + 1, salt)
    assert small.holds(tenant) <= large.holds(tenant)
    assert small.holds(tenant) == stage(percent, salt).holds(tenant)


def test_a_share_is_what_it_says_and_each_bundle_begins_with_other_tenants() -> None:
    tenants = [f"tenant-{number}" for number in range(10_000)]
    for percent in (5, 25, 99):
        held = sum(map(stage(percent).holds, tenants))
        assert abs(held - percent * 100) < 300
    both = [one for one in tenants if stage(5).holds(one) and stage(5, "sha256:b").holds(one)]
    assert len(both) < 100


@given(st.integers(1, 99), st.lists(st.tuples(CALLS, MOMENTS), max_size=8))
def test_a_decision_is_that_of_the_one_policy_which_its_record_names(
    percent: int, steps: list[tuple[Request, datetime]]
) -> None:
    chosen = Stage(policies=STRICT, percent=percent, salt="salt")
    for active in (OPEN, DATED):
        snapshot = fresh(active, stage=chosen)
        named = {active.digest: active, STRICT.digest: STRICT}
        for request, now in steps * 2:
            judgement = decide(request, Observed(), snapshot, now)
            policy = named[judgement.snapshot.parts["policies"]]
            assert judgement.decision == evaluate(policy, judgement.facts)
            expected = snapshot.judging(judgement.facts.identity)
            assert judgement.snapshot is expected
