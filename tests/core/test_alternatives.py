"""Candidates asked beside the policy that decides: they say what they would, and change nothing."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given, settings, strategies as st

from gateway.core.decision import Alternative
from gateway.core.operation import Observed
from gateway.core.pipeline import alternative, decide
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Policies
from gateway.core.request import Request
from tests.core.policy.builders import policies, rule, where
from tests.core.test_standing import BUILD, CALLS, DAY, MOMENTS, answer, fresh

STRICT = policies(rule("deny", id="all"))
DATED = policies(rule("deny", id="later", start=BUILD + 10 * DAY), rule("permit", id="else"))
OPEN = policies(rule("permit", id="open"))
SOME = st.sampled_from([STRICT, DATED, OPEN])


@settings(max_examples=100)
@given(SOME, st.lists(SOME, max_size=3), st.lists(st.tuples(CALLS, MOMENTS), max_size=8))
def test_each_candidate_says_what_it_would_decide_alone_at_any_time(
    active: Policies, candidates: list[Policies], steps: list[tuple[Request, datetime]]
) -> None:
    named = {f"c{number}": one for number, one in enumerate(candidates)}
    snapshot = fresh(active, named)
    for request, now in steps * 2:
        judgement = decide(request, Observed(), snapshot, now)
        assert answer(judgement) == answer(decide(request, Observed(), fresh(active), now))
        said = [alternative(request, judgement, shadow) for shadow in snapshot.shadows]
        decisions = {name: evaluate(one, judgement.facts) for name, one in named.items()}
        assert said == [
            Alternative(
                name=name,
                outcome=decision.outcome,
                policies=named[name].digest,
                reason=decision.reason,
                rules=decision.rules,
            )
            for name, decision in decisions.items()
        ]


def test_candidates_are_no_part_of_the_digest_that_is_decided_under() -> None:
    plain, asking = fresh(OPEN), fresh(OPEN, {"strict": STRICT})
    assert plain.digest == asking.digest
    assert (len(plain.shadows), len(asking.shadows)) == (0, 1)


def test_what_only_a_candidate_names_is_observed() -> None:
    probing = policies(rule("deny", where("probe", "sha256:" + "0" * 64), id="probe"))
    assert "probe" not in fresh(OPEN).named
    assert "probe" in fresh(OPEN, {"probing": probing}).named
