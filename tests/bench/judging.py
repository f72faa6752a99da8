"""Judging under many rules, beside Cedar and Rego under the same rules and the same requests.

The rules are as an operator with many tenants has them: a few dozen for everybody, the others for
one tenant, or for some countries and an end use. The requests are drawn from their values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from random import Random
from typing import Final, TypeVar

from gateway.core.facts import Facts
from gateway.core.identity.model import TenantType
from gateway.core.operation import OperationClass
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.countries import COUNTRIES
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Condition, Effect, Pack, Rule
from tests.bench.micro import Measure, Subject
from tests.core.policy import builders, foreign
from tests.core.policy.builders import where

T = TypeVar("T")

SIZES: Final = (200, 5_000)
BARS_US: Final = {200: 5.0, 5_000: 10.0}
GENERAL: Final = 40  # rules for everybody
REQUESTS: Final = 256
CLASSES: Final[tuple[OperationClass, ...]] = (
    "one_to_many",
    "stream_search",
    "results",
    "gallery",
    "embed",
    "image_search",
)
ASKED: Final[tuple[OperationClass, ...]] = (*CLASSES, "one_to_one", "detect")
TYPES: Final[tuple[TenantType, ...]] = ("government", "law_enforcement", "private", "individual")
EFFECTS: Final[tuple[Effect, ...]] = ("deny", "permit", "permit", "permit", "require")
PLACES: Final = tuple(sorted(COUNTRIES))
USES: Final = tuple(f"use_{number}" for number in range(40))


def policy(count: int) -> list[Pack]:
    """Return packs with so many rules in all."""
    random = Random(count)  # noqa: S311 - the same ones each time
    rules = [_rule(random, number, tenants=count // 10) for number in range(count)]
    size = max(50, count // 25)
    return [
        builders.pack(*rules[start : start + size], id=f"pack-{start:05}")
        for start in range(0, count, size)
    ]


def requests(count: int) -> list[Facts]:
    """Return requests of the tenants of `policy`."""
    random = Random(count + 1)  # noqa: S311 - likewise
    return [_request(random, tenants=count // 10) for _ in range(REQUESTS)]


def measures() -> list[Measure]:
    """Return what is measured: ours beside both others, by number of rules."""
    return [measure for count in SIZES for measure in _measures(count)]


def _measures(count: int) -> list[Measure]:
    packs, asked = policy(count), requests(count)
    cedar, rego = f"cedarpy, {count:,} rules", f"regorus, {count:,} rules"
    compiled = compile_policies(packs)
    said = [foreign.context(facts) for facts in asked]  # its own time counts for neither

    def ours() -> Subject:
        return _cycled(lambda facts: evaluate(compiled, facts), asked)

    return [
        Measure(name=cedar, make=lambda: _cycled(foreign.cedar(packs, PLACES), said)),
        Measure(name=rego, make=lambda: _cycled(foreign.rego(packs, PLACES), said)),
        Measure(name=f"evaluate, {count:,} rules", make=ours, beside=cedar, bar_us=BARS_US[count]),
        Measure(name=f"evaluate, {count:,} rules, again", make=ours, beside=rego),
    ]


def _cycled(judge: Callable[[T], object], asked: Sequence[T]) -> Subject:
    following = cycle(asked).__next__
    return lambda: judge(following())


def _rule(random: Random, number: int, *, tenants: int) -> Rule:
    effect = random.choice(EFFECTS)
    conditions = [where("class", *random.sample(CLASSES, random.randint(1, 3)))]
    if number < GENERAL:
        conditions.append(where("tenant_type", random.choice(TYPES)))
        conditions.append(_places(random, 80))
    elif number % 2:
        conditions.append(where("tenant", f"acct-{random.randrange(tenants)}"))
        conditions.append(_places(random, 60))
    else:
        conditions.append(where("end_use", *random.sample(USES, 2)))
        conditions.append(_places(random, 30))
    return builders.rule(
        effect,
        *sorted(conditions, key=lambda one: one.attribute),
        id=f"rule-{number:05}",
        needs="licence" if effect == "require" else None,
    )


def _places(random: Random, most: int) -> Condition:
    return where("destination", *random.sample(PLACES, random.randint(1, most)))


def _request(random: Random, *, tenants: int) -> Facts:
    identity = builders.caller(
        tenant_type=random.choice(TYPES),
        end_uses=random.sample(USES, random.randint(1, 2)),
        tenant=f"acct-{random.randrange(tenants)}",
    )
    places = random.choices(PLACES, k=random.choice((1, 1, 2)))
    return builders.facts(
        asked=builders.operation(random.choice(ASKED)),
        identity=identity,
        geography=builders.located(*sorted(set(places))),
    )
