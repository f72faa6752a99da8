"""How long guardrails take to prove: of the packs that ship, and of a very wide policy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final, TypeVar

import msgspec

from gateway.core.operation import OPERATION_CLASSES, governed
from gateway.core.policy.attributes import CLOSED, PLACELESS
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.countries import COUNTRIES
from gateway.core.policy.guardrails import Guardrail
from gateway.core.policy.model import Condition, Effect, Pack, Rule, Wanted
from gateway.core.policy.prove import Proof, prove
from gateway.sources.packs import packs_directory
from gateway.sources.policies import ProofReport, prove_policies

RULES: Final = 2_000
BOUNDARIES: Final = 50
SHIPPED_BAR_S: Final = 1.0
WIDE_BAR_S: Final = 5.0
START: Final = datetime(2026, 11, 21, tzinfo=UTC)
GOVERNED: Final = tuple(one for one in OPERATION_CLASSES if governed(one, "write"))
EMBARGOED: Final = ("CU", "IR", "KP", "SY")
EMBARGO: Final = Wanted(kind="licence", naming="embargo")
_SEED: Final = 4
_USES: Final = tuple(f"use_{number}" for number in range(40))
_TAGS: Final = tuple(f"tag-{number}" for number in range(40))
_TYPES: Final = ("government", "law_enforcement", "contractor_for_government", "private")
_LISTS: Final = ("entity_list", "end_users", "sdn", "uvl", "our_own")
_T = TypeVar("_T")


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement in seconds, and of the wide policy what it stood beside."""

    shipped_s: float
    wide_s: float
    compile_s: float
    shipped: ProofReport
    wide: tuple[Proof, ...]


def measured() -> Took:
    """Prove both, the least of three; the wide policy beside compiling it."""
    pack = wide_pack()
    policy = compile_policies([pack])
    compile_s, _ = _least(lambda: compile_policies([pack]))
    wide_s, wide = _least(lambda: prove(policy, wide_guardrails(), START))
    prove_policies(packs_directory(), now=START)  # files are parsed once
    shipped_s, shipped = _least(lambda: prove_policies(packs_directory(), now=START))
    return Took(shipped_s=shipped_s, wide_s=wide_s, compile_s=compile_s, shipped=shipped, wide=wide)


def main() -> int:
    """Measure and print; 1 where a guardrail does not hold or a bar is missed."""
    took = measured()
    print(table(took))
    held = all(proof.holds for proof in (*took.shipped.proofs, *took.wide))
    return int(not held or took.shipped_s > SHIPPED_BAR_S or took.wide_s > WIDE_BAR_S)


def table(took: Took) -> str:
    """Lay the figures out."""
    ships = f"the packs that ship, {len(took.shipped.proofs)} guardrails"
    wide = f"{RULES:,} rules, 250 countries, {BOUNDARIES} dates, {len(took.wide)} guardrails"
    ratio = took.wide_s / took.compile_s
    return "\n".join(
        (
            f"{'guardrails proved':<56}{'s':>8}",
            f"{ships:<56}{took.shipped_s:8.2f}",
            f"{wide:<56}{took.wide_s:8.2f}{ratio:8.1f} x compiling it",
        )
    )


def wide_pack() -> Pack:
    """Return a pack of 2,000 rules over all classes and countries, dated on 50 days."""
    random = Random(_SEED)  # noqa: S311 - the same policy each time
    days = [START + timedelta(days=7 * number) for number in range(1, BOUNDARIES + 1)]
    fixed = _fixed()
    rules = [_drawn(random, number, days) for number in range(RULES - len(fixed))]
    return Pack(
        id="wide",
        owner="bench",
        source="bench",
        force="binding",
        review=date(2027, 1, 1),
        rules=(*fixed, *rules),
    )


def wide_guardrails() -> tuple[Guardrail, ...]:
    """Return guardrails like those that ship."""
    asked: list[tuple[str, tuple[str, ...]]] = [
        ("destination", EMBARGOED),
        ("destination", ("UA-43", "UA-40", "UA-14", "UA-09")),
        ("destination", ("CN", "HK", "MO")),
        ("destination", PLACELESS),
        ("listed", ("sdn",)),
        ("listed", ("entity_list",)),
        ("party_type", ("military",)),
        ("end_use", ("mass_surveillance", "protest_monitoring")),
        ("end_use", ("undeclared",)),
        ("destination", ("KZ",)),
        ("destination", ("GE",)),
    ]
    searching = _where("class", *GOVERNED), _where("access", "delete", negated=True)
    permits = [
        _guardrail(number, "permit", *searching, _where(attribute, *values))
        for number, (attribute, values) in enumerate(asked)
    ]
    others = [
        _guardrail(90, "permit", _where("class", "unknown")),
        _guardrail(91, "permit", _where("class", "image_search")),
        _guardrail(92, "refuse", _where("class", "one_to_one", "liveness", "detect")),
        _guardrail(93, "refuse", _where("access", "delete")),
        _guardrail(94, "refuse", _where("class", "admin", "unrelated")),
    ]
    return (*permits, *others)


def _fixed() -> tuple[Rule, ...]:
    """Return the rules that make the guardrails hold."""
    denied: list[Condition | tuple[Condition, ...]] = [
        _where("destination", *EMBARGOED),
        _where("destination", "UA-43", "UA-40", "UA-14", "UA-09"),
        _where("destination", "CN", "HK", "MO"),
        _where("destination", *PLACELESS),
        _where("listed", "none", "not_screened", negated=True),
        _where("end_use", "mass_surveillance", "protest_monitoring"),
        # Two places that no single rule closes: all of these together do.
        *(
            (_where("destination", "KZ"), _where("tenant_type", one))
            for one in CLOSED["tenant_type"]
        ),
        *(
            (_where("destination", "GE"), _where("identity", one), _where("contradiction", other))
            for one in CLOSED["identity"]
            for other in CLOSED["contradiction"]
        ),
    ]
    return tuple(
        Rule(
            id=f"fixed-{number}",
            effect="deny",
            conditions=_sorted(
                _where("class", *GOVERNED),
                _where("access", "delete", negated=True),
                *(one if isinstance(one, tuple) else (one,)),
            ),
            lifted_by=EMBARGO if number == len(denied) else None,
        )
        for number, one in enumerate(denied)
    )


def _drawn(random: Random, number: int, days: Sequence[datetime]) -> Rule:
    """Draw a rule about a few classes, countries, parties and uses."""
    effect: Effect = random.choice(("deny", "permit", "permit", "require"))
    classes = random.sample([one for one in GOVERNED if one not in ("unknown", "image_search")], 2)
    conditions = [
        _where("class", *classes),
        _where("access", "delete", negated=True),
        _where("destination", *random.sample(sorted(COUNTRIES), random.randint(1, 40))),
    ]
    if effect == "permit":
        conditions += [
            _where("end_use", *random.sample(_USES, random.randint(1, 10))),
            _where("party_type", *random.sample(_TYPES, random.randint(1, 4))),
            _where("listed", "none", "not_screened"),
        ]
    elif random.random() < 0.5:
        conditions.append(_where("tag", *random.sample(_TAGS, random.randint(1, 4))))
    else:
        conditions.append(_where("end_use", *random.sample(_USES, random.randint(1, 4))))
    dated = random.random() < 0.5
    begins = dated and random.random() < 0.5
    return Rule(
        id=f"rule-{number}",
        effect=effect,
        needs=random.choice(("licence", "consent", "review")) if effect == "require" else None,
        conditions=_sorted(*conditions),
        effective_from=days[number % len(days)] if begins else None,
        effective_to=days[number % len(days)] if dated and not begins else None,
    )


def _where(attribute: str, *values: str, negated: bool = False) -> Condition:
    return Condition(attribute=attribute, values=frozenset(values), negated=negated)


def _sorted(*conditions: Condition) -> tuple[Condition, ...]:
    return tuple(sorted(conditions, key=lambda one: one.attribute))


def _guardrail(number: int, never: str, *conditions: Condition) -> Guardrail:
    return Guardrail(
        id=f"guardrail-{number}",
        never="permit" if never == "permit" else "refuse",
        conditions=_sorted(*conditions),
        without=(EMBARGO,) if never == "permit" else (),
        reason="bench",
    )


def _least(work: Callable[[], _T]) -> tuple[float, _T]:
    best_s, answer = float("inf"), None
    for _ in range(3):
        begun = time.perf_counter()
        answer = work()
        best_s = min(best_s, time.perf_counter() - begun)
    assert answer is not None
    return best_s, answer
