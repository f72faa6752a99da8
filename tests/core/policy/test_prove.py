"""Proofs against trying every request: of small policies each request can be tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import combinations, product
from typing import Final

import msgspec
from hypothesis import given, settings, strategies as st

from gateway.core.facts import Facts
from gateway.core.identity.model import Reference, Verified
from gateway.core.policy.attributes import attributes
from gateway.core.policy.cases import facts_of
from gateway.core.policy.choices import satisfies
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.guardrails import Guardrail, Never
from gateway.core.policy.model import Condition, Effect, Policies, Rule, Wanted
from gateway.core.policy.prove import HORIZON, Proof, prove
from tests.core.policy.builders import NOON, pack, rule, where

Given = dict[str, tuple[str, ...]]
# What rules may name, and beside it what stands for everything that they do not.
NAMED: Final = {
    "kind": ("one_to_many", "gallery", "one_to_one", "unknown"),
    "access": ("none", "write", "delete"),
    "party": ("private", "government", "military"),
    "destination": ("GB", "CN", "CN-XJ", "unknown"),
    "listed": ("none", "sdn", "entity_list"),
    "end_use": ("undeclared", "boarding"),
    "tier": ("none", "gold"),
}
NEEDED: Final[tuple[Wanted, ...]] = (
    Wanted(kind="licence"),
    Wanted(kind="licence", naming="embargo"),
    Wanted(kind="consent"),
)
WITHOUT: Final = ((), (NEEDED[0],), (NEEDED[1],), (NEEDED[2],), NEEDED)
HELD: Final = (
    Reference(id="licence-1", kind="licence", names=("embargo",), destinations=("GB", "CN", "FR")),
    Reference(id="consent-1", kind="consent", names=("embargo",)),
)
GOVERNED: Final = (("one_to_many",), ("one_to_many", "results"), ("gallery",))
EFFECTS: Final[tuple[Effect, ...]] = ("deny", "permit", "permit", "require")


def some(values: tuple[str, ...], most: int) -> Iterator[tuple[str, ...]]:
    """Yield every set of at most so many values."""
    for count in range(1, most + 1):
        yield from combinations(values, count)


def kinds() -> Iterator[Given]:
    for operation_class in ("one_to_many", "results", "one_to_one", "detect", "unknown"):
        yield {"class": (operation_class,)}
    for operation_class in ("gallery", "image_db"):
        for access in ("write", "export", "delete"):
            yield {"class": (operation_class,), "access": (access,)}


def parties() -> Iterator[Given]:
    types = (*NAMED["party"], "individual")
    for own in types:
        others = tuple(one for one in types if one != own)
        for behind in ((), *some(others, 2)):
            yield {"tenant_type": (own,), "party_type": (own, *behind)}


EVERY: Final[dict[str, tuple[Given, ...]]] = {
    "kind": tuple(kinds()),
    "party": tuple(parties()),
    "destination": tuple(
        {"destination": places} for places in some((*NAMED["destination"], "FR"), 2)
    ),
    "listed": tuple(
        {"listed": lists}
        for lists in (("none",), ("not_screened",), *some(("sdn", "entity_list", "other_1"), 2))
    ),
    "end_use": tuple(
        {"end_use": uses} for uses in (("undeclared",), *some(("boarding", "other_1"), 2))
    ),
    "tier": tuple({"tier": (tier,)} for tier in ("none", "gold", "other_1")),
}


@cache
def requests(subjects: tuple[str, ...]) -> tuple[tuple[Facts, dict[str, frozenset[str]]], ...]:
    """Return every request that differs in these, with nothing on file, and its attributes."""
    found = list[Facts]()
    for parts in product(*(EVERY[subject] for subject in ("kind", *subjects))):
        members: Given = {"destination": ("GB",)}
        for part in parts:
            members |= part
        found.append(facts_of(members, (), NOON))
    return tuple((facts, attributes(facts)) for facts in found)


def with_references(facts: Facts, references: tuple[Reference, ...], at: datetime) -> Facts:
    identity = facts.identity
    assert isinstance(identity, Verified)
    tenant = msgspec.structs.replace(identity.tenant, references=references)
    return msgspec.structs.replace(
        facts, identity=msgspec.structs.replace(identity, tenant=tenant), at=at
    )


def held(without: tuple[Wanted, ...]) -> tuple[Reference, ...]:
    """Return as much on file as a guardrail allows."""
    kept = []
    for reference in HELD:
        if Wanted(kind=reference.kind) in without:
            continue
        barred = Wanted(kind=reference.kind, naming="embargo") in without
        kept.append(msgspec.structs.replace(reference, names=() if barred else reference.names))
    return tuple(kept)


def speaks_of(guardrail: Guardrail, found: dict[str, frozenset[str]]) -> bool:
    enough = any if guardrail.never == "permit" else all
    return all(
        enough(satisfies(one, member) for member in found[one.attribute])
        for one in guardrail.conditions
    )


def instants(policy: Policies) -> list[datetime]:
    later = [at for at in policy.table.boundaries if NOON < at <= NOON + HORIZON]
    return [NOON, *later]


def tried(policy: Policies, guardrail: Guardrail, subjects: tuple[str, ...]) -> datetime | None:
    """Return the first date at which some request breaks a guardrail, by trying every one."""
    references = held(guardrail.without) if guardrail.never == "permit" else ()
    asked = [facts for facts, found in requests(subjects) if speaks_of(guardrail, found)]
    for at in instants(policy):
        for facts in asked:
            judged = evaluate(policy, with_references(facts, references, at))
            if judged.outcome == guardrail.never:
                return at
    return None


@st.composite
def conditions(draw: st.DrawFn, subjects: tuple[str, ...], most: int) -> tuple[Condition, ...]:
    attributes = []
    for subject in subjects:
        attributes += {"kind": ["class", "access"], "party": ["tenant_type", "party_type"]}.get(
            subject, [subject]
        )
    chosen = draw(st.lists(st.sampled_from(attributes), min_size=1, max_size=most, unique=True))
    return tuple(
        Condition(
            attribute=attribute,
            values=draw(st.frozensets(st.sampled_from(named(attribute)), min_size=1)),
            negated=draw(st.sampled_from((False, False, True))),
        )
        for attribute in sorted(chosen)
    )


def named(attribute: str) -> tuple[str, ...]:
    subject = {"class": "kind", "tenant_type": "party", "party_type": "party"}.get(attribute)
    return NAMED[subject or attribute]


@st.composite
def small_rules(draw: st.DrawFn, subjects: tuple[str, ...], number: int) -> Rule:
    effect = draw(st.sampled_from(EFFECTS))
    wanted = draw(st.sampled_from(NEEDED))
    times = st.none() | st.none() | st.integers(-1, 2).map(lambda day: NOON + timedelta(days=day))
    return Rule(
        id=f"r{number}",
        effect=effect,
        needs=wanted.kind if effect == "require" else None,
        naming=wanted.naming if effect == "require" else "",
        lifted_by=draw(st.none() | st.just(NEEDED[1])) if effect == "deny" else None,
        mode=draw(st.sampled_from(("enforce", "enforce", "enforce", "shadow"))),
        conditions=draw(conditions(subjects, 3)),
        effective_from=draw(times),
        effective_to=draw(times),
    )


@st.composite
def arranged(draw: st.DrawFn, subject: str) -> list[Rule]:
    """Draw rules that leave out nothing between them, as rules drawn one by one seldom do."""
    classes = where("class", *draw(st.sampled_from(GOVERNED)))
    some = draw(st.frozensets(st.sampled_from(named(subject)), min_size=1, max_size=2))
    these, those = where(subject, *some), where(subject, *some, negated=True)
    if draw(st.booleans()):
        # A permit for each side: none for a request with members on both.
        return [
            rule("permit", classes, these, id="here"),
            rule("permit", classes, those, id="there"),
        ]
    # A deny for each side: none of them overrules the permit alone.
    return [
        rule("permit", classes, id="both"),
        rule("deny", these, id="here"),
        rule("deny", those, id="there"),
    ]


@st.composite
def questions(draw: st.DrawFn) -> tuple[Policies, Guardrail, tuple[str, ...]]:
    """Draw a small policy and a guardrail that speak of the same few things."""
    more = draw(st.lists(st.sampled_from(sorted(set(EVERY) - {"kind"})), max_size=2, unique=True))
    subjects = tuple(more)
    spoken = ("kind", *subjects)
    rules = [draw(small_rules(spoken, number)) for number in range(draw(st.integers(1, 6)))]
    never: Never = draw(st.sampled_from(("permit", "refuse")))
    # What a rule says is likely to hold for as long as the rule does.
    effects = {"permit": ("deny", "require"), "refuse": ("permit",)}[never]
    alike = [one.conditions for one in rules if one.effect in effects]
    fitting = st.sampled_from(alike) if alike else conditions(spoken, 3)
    guardrail = Guardrail(
        id="g",
        never=never,
        conditions=draw(conditions(spoken, 3) | fitting),
        without=draw(st.sampled_from(WITHOUT)) if never == "permit" else (),
        reason="because",
    )
    return compile_policies([pack(*rules)]), guardrail, subjects


def one(policy: Policies, guardrail: Guardrail) -> Proof:
    (proof,) = prove(policy, [guardrail], NOON)
    return proof


def test_what_is_proved_is_what_trying_every_request_shows() -> None:
    came_out: Counter[tuple[Never, bool, bool]] = Counter()

    @settings(max_examples=max(500, settings().max_examples))
    @given(question=questions())
    def prove_and_try(question: tuple[Policies, Guardrail, tuple[str, ...]]) -> None:
        policy, guardrail, subjects = question
        proof = one(policy, guardrail)
        first = tried(policy, guardrail, subjects)
        assert not proof.undecided
        if first is not None:
            assert proof.broken is not None
            assert proof.broken.at <= first
        if proof.broken is not None:
            # Sets of three are not tried, so what was found is looked at itself.
            assert speaks_of(guardrail, attributes(proof.broken.facts))
            assert evaluate(policy, proof.broken.facts).outcome == guardrail.never
        later = proof.broken is not None and proof.broken.at > NOON
        came_out[guardrail.never, proof.holds, later] += 1

    prove_and_try()
    # Both kinds held and were broken, at once and at a later date: the comparison says something.
    assert all(came_out[never, True, False] >= 10 for never in ("permit", "refuse"))
    assert all(came_out[never, False, False] >= 10 for never in ("permit", "refuse"))
    assert all(came_out[never, False, True] >= 1 for never in ("permit", "refuse")), came_out
