"""Our decisions beside those of Cedar and Rego, in the part of the language that all share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random

import msgspec
import pytest
from hypothesis import settings

from gateway.core.facts import Facts
from gateway.core.identity.model import Reference, Verified
from gateway.core.operation import Ambiguous
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Pack
from tests.core.policy import foreign
from tests.core.policy.drawn import Requests, draw_packs
from tests.core.policy.oracle import members

REQUESTS = 20  # of one policy
DECISIONS = 2_000
PROVED = 20_000
LEAST = 10  # per cent of each way to come to a verdict

replaced = msgspec.structs.replace


def shared(packs: Sequence[Pack]) -> list[Pack]:
    """Return a policy with everything in force: neither Cedar nor Rego knows shadow."""
    return [
        replaced(
            pack, force="binding", rules=tuple(replaced(one, mode="enforce") for one in pack.rules)
        )
        for pack in packs
    ]


def unlimited(facts: Facts) -> Facts:
    """Return facts whose references apply to everything: what limits them is not shared."""
    if not isinstance(facts.identity, Verified):
        return facts
    tenant = facts.identity.tenant
    references = tuple(
        Reference(id=one.id, kind=one.kind, names=one.names) for one in tenant.references
    )
    identity = replaced(facts.identity, tenant=replaced(tenant, references=references))
    return replaced(facts, identity=identity)


def drawn(seed: int, decisions: int) -> Iterator[tuple[list[Pack], list[Facts]]]:
    random = Random(seed)  # noqa: S311 - the same ones each time
    left = decisions
    while left > 0:
        packs = shared(draw_packs(random))
        drawing = Requests(random, packs)
        asked = [unlimited(drawing.draw()) for _ in range(REQUESTS)]
        judged = [
            facts
            for facts in asked
            if isinstance(facts.identity, Verified) and not isinstance(facts.operation, Ambiguous)
        ]
        if packs and judged:
            left -= len(judged)
            yield packs, judged


@pytest.mark.parametrize("engine", [foreign.cedar, foreign.rego], ids=["cedar", "rego"])
def test_cedar_and_rego_decide_as_we_do(
    engine: Callable[[Sequence[Pack], Sequence[str]], foreign.Judge],
    record_property: Callable[[str, object], None],
) -> None:
    proving = settings.get_current_profile_name() == "prove"
    reasons = Counter[str]()
    for packs, requests in drawn(1, PROVED if proving else DECISIONS):
        places = sorted({place for one in requests for place in members(one)["destination"]})
        judge = engine(packs, places)
        policies = compile_policies(packs)
        for facts in requests:
            decision = evaluate(policies, facts)
            assert judge(foreign.context(facts)) == (decision.outcome, frozenset(decision.rules))
            reasons[decision.reason] += 1
    total = reasons.total()
    shares = {reason: 100 * count / total for reason, count in reasons.most_common()}
    told = ", ".join(f"{reason} {share:.1f} %" for reason, share in shares.items())
    record_property(engine.__name__, f"{total:,} decisions agree: {told}")
    for reason in ("policy.permitted", "policy.denied", "policy.unmet", "policy.default"):
        assert shares[reason] >= LEAST
