"""The difference between two policies against judging every request under both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import product

import msgspec
from hypothesis import given, settings, strategies as st

from gateway.core.facts import Facts
from gateway.core.identity.model import Reference
from gateway.core.operation import access_of, class_of
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.difference import Area, Direction, difference, direction
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Policies, Rule, Wanted
from tests.core.policy.builders import NOON, pack, policies, rule, where
from tests.core.policy.test_prove import HELD, arranged, requests, small_rules, with_references

# Every set of references that can matter: with fewer names fewer rules are met.
NAMELESS = tuple(msgspec.structs.replace(one, names=()) for one in HELD)
ON_FILE: tuple[tuple[Reference, ...], ...] = tuple(
    tuple(one for one in chosen if one is not None)
    for chosen in product((None, NAMELESS[0], HELD[0]), (None, NAMELESS[1]))
)
ABSENT = {
    "listed": ("none", "not_screened"),
    "end_use": ("undeclared",),
    "tier": ("none",),
}
SUBJECTS = ("party", "destination", "listed", "end_use", "tier")
PERMIT = rule("permit", where("class", "one_to_many"), id="permit")


def outcomes(before: Policies, after: Policies, facts: Facts) -> set[tuple[str, str]]:
    """Return what both policies answer, with each set of references on file."""

    def ask(*held: Reference) -> tuple[str, str]:
        asked = with_references(facts, held, NOON)
        return evaluate(before, asked).outcome, evaluate(after, asked).outcome

    # More on file never refuses, so the ends tell of all between where they agree.
    most, least = ask(*ON_FILE[-1]), ask()
    if most == ("refuse", "refuse") or least == ("permit", "permit"):
        return {most}
    return {ask(*held) for held in ON_FILE}


def is_single(found: Mapping[str, frozenset[str]]) -> bool:
    """Tell whether a request has one member of each attribute, or one party beside the tenant."""
    return all(
        len(one) == 1 or (name == "party_type" and len(one) == 2) for name, one in found.items()
    )


def is_in(area: Area, facts: Facts, found: Mapping[str, frozenset[str]]) -> bool:
    if (class_of(facts.operation), access_of(facts.operation)) not in area.kinds:
        return False
    return all(
        any(all(found[attribute] == set(members) for attribute, members in one) for one in values)
        for _, values in area.values
    )


def as_named(found: Mapping[str, frozenset[str]], *both: Policies) -> dict[str, frozenset[str]]:
    """Return attributes with what no rule names as what stands for it.

    A region is its country then; a list, use or tier is any other one.
    """
    named = {
        value
        for policy in both
        for pack in policy.packs
        for one in pack.rules
        for condition in one.conditions
        for value in condition.values
    }
    places = {
        place if place in named else place.partition("-")[0] for place in found["destination"]
    }
    known = {**found, "destination": frozenset(places)}
    for attribute, absent in ABSENT.items():
        known[attribute] = frozenset(
            value if value in named or value in absent else "other_1" for value in found[attribute]
        )
    return known


@st.composite
def changes(draw: st.DrawFn) -> tuple[Policies, Policies, tuple[str, ...]]:
    """Draw a small policy and an edited one: with a rule more, a rule less, or another rule."""
    subjects = tuple(draw(st.lists(st.sampled_from(SUBJECTS), max_size=2, unique=True)))
    spoken = ("kind", *subjects)
    rules = [draw(small_rules(spoken, number)) for number in range(draw(st.integers(1, 5)))]
    edited = list[Rule](rules)
    place = draw(st.integers(0, len(rules)))
    if draw(st.booleans()) and place < len(rules):
        del edited[place]
    if draw(st.booleans()) or edited == rules:
        edited.insert(place, draw(small_rules(spoken, len(rules))))
    plain = [one for one in subjects if one != "party"]
    if draw(st.sampled_from((False, False, False, True))) and plain:
        # Two permits between which nothing is left out, for one, or the other way round.
        arrangement = draw(arranged(draw(st.sampled_from(plain))))
        whole = msgspec.structs.replace(
            arrangement[0],
            id="whole",
            conditions=tuple(one for one in arrangement[0].conditions if one.attribute == "class"),
        )
        kept = rules[: draw(st.integers(0, 2))]
        rules, edited = [whole, *rules[:2]], [*arrangement, *kept]
        if draw(st.booleans()):
            rules, edited = edited, rules
    return compile_policies([pack(*rules)]), compile_policies([pack(*edited)]), subjects


def test_what_differs_is_what_judging_every_request_under_both_shows() -> None:
    came_out: Counter[Direction] = Counter()

    @settings(max_examples=max(110, settings().max_examples // 10))
    @given(change=changes())
    def compare_and_try(change: tuple[Policies, Policies, tuple[str, ...]]) -> None:
        before, after, subjects = change
        step = difference(before, after, NOON)[0]
        assert step.complete
        assert step.listed
        assert not step.undecided
        loosens = tightens = False
        for facts, found in requests(subjects):
            pairs = outcomes(before, after, facts)
            loosens |= ("refuse", "permit") in pairs
            tightens |= ("permit", "refuse") in pairs
            if is_single(found):
                known = as_named(found, before, after)
                areas = [area for area in step.areas if is_in(area, facts, known)]
                assert len(areas) == any(one != other for one, other in pairs)
                for area in areas:
                    assert area.change.loosens == (("refuse", "permit") in pairs)
                    assert area.change.tightens == (("permit", "refuse") in pairs)
        # Requests with three members are not tried, and what changes may need three.
        said = step.direction
        assert not loosens or said in ("loosens", "both")
        assert not tightens or said in ("tightens", "both")
        for first, second in [*(area.examples for area in step.areas), *step.several]:
            assert first.facts == second.facts
            assert evaluate(before, first.facts).outcome != evaluate(after, first.facts).outcome
        came_out[said] += 1

    compare_and_try()
    assert came_out.keys() == {"nothing", "tightens", "loosens", "both"}


def test_the_same_rules_under_other_names_differ_in_nothing() -> None:
    one = policies(PERMIT)
    other = compile_policies([pack(msgspec.structs.replace(PERMIT, id="other"), id="else")])
    steps = difference(one, other, NOON)
    assert direction(steps) == "nothing"
    assert steps[0].areas == ()


def test_what_stands_alone_does_not_stand_for_what_stands_beside_others() -> None:
    """Of a use that is declared and one that is not named, no permit covers both any more."""
    classes = where("class", "one_to_many")
    these = where("end_use", "boarding", "undeclared")
    those = where("end_use", "boarding", "undeclared", negated=True)
    split = policies(rule("permit", classes, these, id="a"), rule("permit", classes, those, id="b"))
    (step,) = difference(policies(PERMIT), split, NOON)
    assert step.direction == "tightens"
    ((_, after),) = step.several
    assert set(after.given["end_use"]) == {"boarding", "other_1"}


def test_an_area_says_what_changes_in_values_and_counts_what_rules_can_tell_apart() -> None:
    denied = rule("deny", where("destination", "RU", "BY"), id="deny")
    (step,) = difference(policies(PERMIT), policies(PERMIT, denied), NOON)
    (area,) = step.areas
    assert (area.kinds[0], step.direction) == (("one_to_one", "none"), "tightens")
    assert dict(area.values) == {
        "destination": ((("destination", ("BY",)),), (("destination", ("RU",)),))
    }
    assert area.change.what == "refused"
    # 1:many, the five classes that are not governed, and erasing from either store: to the rules
    # the two places are one.
    assert sum(count for _, count in step.counts) == len(area.kinds) == 8


def test_what_has_to_be_on_file_is_a_difference_of_its_own() -> None:
    needs = rule("require", where("class", "one_to_many"), id="needs", needs="licence")
    naming = msgspec.structs.replace(needs, naming="embargo")
    (stricter,) = difference(policies(PERMIT, needs), policies(PERMIT, naming), NOON)
    (area,) = stricter.areas
    assert area.change.what == "needs"
    assert area.change.dropped == (Wanted(kind="licence"),)
    assert area.change.added == (Wanted(kind="licence", naming="embargo"),)
    # Whoever has a licence that names it has a licence.
    assert stricter.direction == "tightens"
    consent = msgspec.structs.replace(needs, needs="consent")
    (other,) = difference(policies(PERMIT, needs), policies(PERMIT, consent), NOON)
    assert other.direction == "both"


def test_two_permits_for_one_refuse_requests_with_both_members() -> None:
    both = rule("permit", where("destination", "GB", "FR"), id="both")
    one = rule("permit", where("destination", "GB"), id="gb")
    other = rule("permit", where("destination", "FR"), id="fr")
    (step,) = difference(policies(both), policies(one, other), NOON)
    assert (step.counts, step.direction) == ((), "tightens")
    ((first, second),) = step.several
    assert set(first.given["destination"]) == {"GB", "FR"}
    assert (first.decision.outcome, second.decision.outcome) == ("permit", "refuse")
    (back,) = difference(policies(one, other), policies(both), NOON)
    assert back.direction == "loosens"


def test_a_change_on_a_later_date_is_a_step_of_its_own() -> None:
    later = NOON + timedelta(days=30)
    deny = rule("deny", where("destination", "RU"), id="deny", start=later)
    steps = difference(policies(PERMIT), policies(PERMIT, deny), NOON)
    assert [(step.at, step.direction) for step in steps] == [(NOON, "nothing"), (later, "tightens")]
    assert direction(steps) == "tightens"


def test_rules_in_shadow_are_no_difference() -> None:
    shadow = rule("deny", where("destination", "RU"), id="deny", mode="shadow")
    assert direction(difference(policies(PERMIT), policies(PERMIT, shadow), NOON)) == "nothing"
