"""What is said of a policy against trying every request that its rules can tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import cast

from hypothesis import given, settings, strategies as st

from gateway.core.operation import Access, OperationClass, governed
from gateway.core.policy.attributes import attributes
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Condition, Policies, Rule
from gateway.core.policy.reach import Remark, remarks
from tests.core.policy.builders import NOON, pack
from tests.core.policy.test_difference import is_single
from tests.core.policy.test_prove import EVERY, arranged, instants, requests, small_rules

Found = dict[str, frozenset[str]]


def holds(condition: Condition, member: str) -> bool:
    country = member.partition("-")[0] if condition.attribute == "destination" else member
    return bool({member, country} & condition.values) != condition.negated


def matches(one: Rule, found: Found) -> bool:
    enough = all if one.effect == "permit" else any
    return all(
        enough(holds(condition, member) for member in found[condition.attribute])
        for condition in one.conditions
    )


def in_effect(one: Rule, at: datetime) -> bool:
    begun = one.effective_from is None or one.effective_from <= at
    ended = one.effective_to is not None and one.effective_to <= at
    return one.mode == "enforce" and begun and not ended


def denies(one: Rule) -> bool:
    """Tell whether a rule refuses whatever is on file."""
    return one.effect == "deny" and one.lifted_by is None


def speaks(_: Rule) -> bool:
    return True


def permits(one: Rule) -> bool:
    return one.effect == "permit"


def kind_of(found: Found) -> str:
    """Return class and access as remarks name them."""
    ((name,), (access,)) = found["class"], found["access"]
    return name if access == "none" else f"{name} ({access})"


def is_governed(found: Found) -> bool:
    ((name,), (access,)) = found["class"], found["access"]
    return governed(cast("OperationClass", name), cast("Access", access))


def anything(_: Found) -> bool:
    return True


class Tried:
    """Every request by its number, and which rules match it."""

    def __init__(self, policy: Policies, subjects: tuple[str, ...]) -> None:
        self.dates = instants(policy)
        self.rules = [one for each in policy.packs for one in each.rules]
        self.requests = [found for _, found in requests(subjects)]
        self.matched_by = [
            frozenset(number for number, found in enumerate(self.requests) if matches(one, found))
            for one in self.rules
        ]

    def matched(self, at: datetime, which: Callable[[Rule], bool]) -> frozenset[int]:
        """Return the requests that some rule of a sort matches, of those in effect."""
        found = [
            matched
            for one, matched in zip(self.rules, self.matched_by, strict=True)
            if in_effect(one, at) and which(one)
        ]
        return frozenset[int]().union(*found)

    def about_rules(self) -> Iterator[Remark]:
        for one, matched in zip(self.rules, self.matched_by, strict=True):
            dates = [at for at in self.dates if in_effect(one, at)]
            name = f"pack/{one.id}"
            if not matched:
                yield Remark(kind="never_matches", rule=name)
            elif one.effect == "deny" or not dates:
                continue
            elif all(self.matched(at, denies) >= matched for at in dates):
                by = tuple(
                    f"pack/{other.id}"
                    for other, theirs in zip(self.rules, self.matched_by, strict=True)
                    if denies(other)
                    and theirs >= matched
                    and all(in_effect(other, at) for at in dates)
                )
                yield Remark(kind="contradicts" if by else "never_decides", rule=name, by=by)

    def closed(self) -> set[str]:
        """Return the governed kinds of request of which nothing permits any."""
        permitted = self.matched(NOON, permits) - self.matched(NOON, denies)
        return self.kinds(is_governed) - {kind_of(self.requests[one]) for one in permitted}

    def silent(self, which: Callable[[Found], bool]) -> set[str]:
        """Return the others of which some request, of a sort, is spoken of by no rule."""
        spoken = self.matched(NOON, speaks)
        return {
            kind_of(found)
            for number, found in enumerate(self.requests)
            if number not in spoken and which(found)
        } & (self.kinds(is_governed) - self.closed())

    def kinds(self, which: Callable[[Found], bool]) -> set[str]:
        return {kind_of(found) for found in self.requests if which(found)}


@st.composite
def policies(draw: st.DrawFn) -> tuple[Policies, tuple[str, ...]]:
    """Draw a small policy, and what its rules speak of beside the kind of request."""
    more = draw(st.lists(st.sampled_from(sorted(set(EVERY) - {"kind"})), max_size=2, unique=True))
    rules = [
        draw(small_rules(("kind", *more), number)) for number in range(draw(st.integers(1, 5)))
    ]
    plain = [one for one in more if one != "party"]
    if draw(st.booleans()) and plain:
        rules = [*draw(arranged(draw(st.sampled_from(plain)))), *rules[2:]]
    return compile_policies([pack(*rules)]), tuple(more)


def test_what_is_said_of_a_policy_is_what_trying_every_request_shows() -> None:
    came_out: Counter[str] = Counter()

    @settings(max_examples=max(200, settings().max_examples))
    @given(drawn=policies())
    def look_and_try(drawn: tuple[Policies, tuple[str, ...]]) -> None:
        policy, subjects = drawn
        tried, said = Tried(policy, subjects), remarks(policy, NOON)
        assert [one for one in said if one.rule] == list(tried.about_rules())
        known = tried.kinds(anything)
        told = {one.kind: set(one.classes) & known for one in said if not one.rule}
        assert told.get("closed", set()) == tried.closed()
        # Sets of three are not tried, so what was found is looked at itself.
        silent = tried.silent(anything)
        assert told.get("silent", set()) >= silent
        for one in said:
            came_out[one.kind] += 1
            if one.example is not None:
                judged = evaluate(policy, one.example.facts)
                assert (judged.reason, judged.matched) == ("policy.default", ())
                assert kind_of(attributes(one.example.facts)) == one.classes[0]
        came_out["of several members"] += bool(silent - tried.silent(is_single))

    look_and_try()
    kinds = "never_matches", "never_decides", "contradicts", "silent", "closed"
    assert all(came_out[kind] >= 5 for kind in (*kinds, "of several members")), came_out
