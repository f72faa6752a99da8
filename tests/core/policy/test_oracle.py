"""Judging by table against judging by the words of the language: every field of every decision."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from random import Random

from hypothesis import given, settings

from gateway.core.decision import Decision
from gateway.core.facts import Facts
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import UNSWITCHED, Operator, Pack
from gateway.sources.policies import load_policies
from tests.core.policy import oracle
from tests.core.policy.builders import NOON
from tests.core.policy.drawn import Requests, draw_operator, draw_packs
from tests.core.policy.strategies import operators, packs, requests
from tests.documents import ROOT

CHUNK = 20_000  # decisions of one seed
REQUESTS = 20  # of one policy
SEEDS = 50  # with which to prove: a million decisions
LEAST = 15  # per cent of each way to come to a verdict
WAYS = ("permit", "deny", "require", "no match")


@cache
def shipped() -> tuple[Pack, ...]:
    return load_policies(ROOT / "policies", now=NOON).packs


def drawn(seed: int) -> Iterator[tuple[list[Pack], Operator, Facts, Decision]]:
    """Yield policies, requests drawn from their own values, and what the engine decides."""
    random = Random(seed)  # noqa: S311 - the same ones each time
    for number in range(CHUNK // REQUESTS):
        written = list(shipped()) if number % 50 == 0 else draw_packs(random)
        operator = draw_operator(random, written)
        compiled = compile_policies(written, operator=operator)
        drawing = Requests(random, written)
        for _ in range(REQUESTS):
            facts = drawing.draw()
            yield written, operator, facts, evaluate(compiled, facts)


def way(decision: Decision) -> str:
    """Return how a decision came about; `no match` is where only the default is left."""
    return {
        "policy.permitted": "permit",
        "policy.denied": "deny",
        "policy.unmet": "require",
        "policy.default": "no match",
        "policy.ungoverned": "no match",
    }.get(decision.reason, decision.reason)


def compare(seed: int) -> Counter[str]:
    """Compare a chunk of decisions; return how often each way to a verdict was taken."""
    ways = Counter[str]()
    for number, (written, operator, facts, decision) in enumerate(drawn(seed)):
        expected = oracle.judge(written, facts, operator)
        assert decision == expected, f"seed {seed}, decision {number}: {facts} under {written}"
        ways[way(decision)] += 1
        ways["an operator's switch"] += operator != UNSWITCHED
        ways["a deny lifted"] += bool(decision.lifted)
        ways["a reference used"] += bool(decision.discharged)
        ways["another outcome in shadow"] += decision.outcome != decision.shadow_outcome
    return ways


def test_the_table_judges_as_the_words_of_the_language_do(
    record_property: Callable[[str, object], None],
) -> None:
    proving = settings.get_current_profile_name() == "prove"
    seeds = range(SEEDS if proving else 1)
    ways = sum(_in_processes(seeds) if proving else map(compare, seeds), Counter[str]())
    total = CHUNK * len(seeds)
    shares = {name: 100 * count / total for name, count in ways.most_common()}
    told = ", ".join(f"{name} {share:.1f} %" for name, share in shares.items())
    record_property("oracle", f"{total:,} decisions agree, seeds {seeds}: {told}")
    assert all(shares[name] >= LEAST for name in WAYS)
    # Every other way to come to a verdict occurred, so the comparison says something about it.
    assert shares.keys() >= {
        "a deny lifted",
        "a reference used",
        "another outcome in shadow",
        "identity.expired",
        "operation.ambiguous",
        "policy.missing",
    }


def _in_processes(seeds: range) -> Iterator[Counter[str]]:
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=2, mp_context=spawned) as processes:
        yield from processes.map(compare, seeds)


@given(written=packs(), operator=operators(), facts=requests)
def test_the_smallest_disagreement_is_found_by_hypothesis(
    written: list[Pack], operator: Operator, facts: Facts
) -> None:
    decision = evaluate(compile_policies(written, operator=operator), facts)
    assert decision == oracle.judge(written, facts, operator)
