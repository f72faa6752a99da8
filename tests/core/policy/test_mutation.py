"""The oracle finds out a change in any function that judges; `make prove-all` tries them all."""

from __future__ import annotations

import pytest

from tests.core.policy import mutation

# Not judged by: digests, whom budgets count, and what is told of references. Their own tests find
# it out.
UNSEEN = {
    "_audiences",
    "_meant",
    "_weighed",
    "canonical",
    "_budget_id",
    "_text",
    "shortcomings",
    "taken",
}
JUDGING = ("compile", "evaluate", "references")


@pytest.mark.parametrize("name", JUDGING)
def test_the_first_change_in_each_function_is_found_out(name: str) -> None:
    first = dict[str, mutation.Mutant]()
    for mutant in mutation.mutants(f"gateway.core.policy.{name}"):
        first.setdefault(mutant.function, mutant)
    missed = [
        str(mutant)
        for function, mutant in first.items()
        if function not in UNSEEN and not mutation.seen_by_oracle(mutant)
    ]
    assert len(first) > 5
    assert not missed


def test_what_is_not_changed_is_not_found_out() -> None:
    policies = mutation.expected(mutation.FEW)
    assert len(policies) == mutation.FEW
    assert mutation.agrees(mutation.FEW)
