"""The nearest change of facts that would permit: the fewest things that would have to be otherwise.

Exact, by increasing size: whatever permits has to answer the rule that refuses first, so only
changes of what that rule asks, of what would meet it, and of what a permit lacks are tried, and
each is judged by `evaluate`. Sets need to be tried with one member only: a larger set satisfies
every deny and requirement that one of its members does, and no permit that one of them does not.
Afterwards the members that were there are put back as far as the answer stays a permit.

An answer here is about the policy, not advice: it is for whoever wrote the rules, not for callers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, Literal

import msgspec

from gateway.core.decision import Decision
from gateway.core.facts import Facts
from gateway.core.operation import OPERATION_CLASSES, access_of, governed
from gateway.core.policy.attributes import ATTRIBUTES, CLOSED, attributes
from gateway.core.policy.cases import SINGLE
from gateway.core.policy.changes import (
    ALONE,
    CHANGEABLE,
    LEVERS,
    Plan,
    apply,
    members_of,
    natural,
    possible,
)
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.matching import all_satisfy, in_effect, satisfies
from gateway.core.policy.model import Condition, Policies, Rule, Wanted
from gateway.core.policy.references import meets, on_file, shortcomings

_MOST_CHANGES: Final = 6
_MOST_ANSWERS: Final = 5
_MOST_TRIED: Final = 20_000
_ALIKE: Final = 6


Result = Literal["found", "nothing", "unknown"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would have to be otherwise.

    Attributes:
        what: the attribute; `reference` for one more on file, `at` for another time.
        before: its members, sorted; empty with `reference`.
        after: its members then; with `reference` its kind and the word that it names.
        alike: other values that do as well, a few of them.
    """

    what: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    alike: tuple[str, ...] = ()


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """What would have to be otherwise for a permit.

    Attributes:
        result: `found`; `nothing` where it was shown that no change of facts permits; `unknown`
            where the search ended before either.
        answers: sets of changes of the same, smallest size, the most easily done first; a few.
        tried: how many sets of changes were judged.
    """

    result: Result
    answers: tuple[tuple[Change, ...], ...] = ()
    tried: int = 0


def nearest_permit(policies: Policies, facts: Facts, *, most_tried: int = _MOST_TRIED) -> Nearest:
    """Search the fewest changes after which `evaluate` permits.

    Args:
        policies: what is judged by.
        facts: of a request that is refused.
        most_tried: how many sets of changes are judged at most.
    """
    search = _Search(policies, facts, most_tried)
    result, plans = search.run()
    answers = tuple(search.told(plan) for plan in plans)
    return Nearest(result=result, answers=answers, tried=search.tried)


def nearest_plans(policies: Policies, facts: Facts) -> tuple[Result, tuple[Plan, ...]]:
    """Return the same answers as they can be applied to the facts."""
    return _Search(policies, facts, _MOST_TRIED).run()


def _ease(plan: Plan) -> tuple[bool, list[int]]:
    return plan.at is not None, sorted(CHANGEABLE.index(name) for name, _ in plan.members)


class _Search:
    """One search; `_cut` tells whether a larger set might do what no smaller one does."""

    def __init__(self, policies: Policies, facts: Facts, most_tried: int) -> None:
        self._policies, self._facts, self._most = policies, facts, most_tried
        self._rules = {
            f"{pack.id}/{rule.id}": rule
            for pack in policies.packs
            for rule in pack.rules
            if policies.operator.effectiveness(pack, rule) == "enforce"
        }
        self._alternatives = {
            attribute: _alternatives(policies, facts, attribute)
            for attribute in CHANGEABLE
            if possible(facts, attribute)
        }
        self.tried = 0
        self._begin(0)

    def run(self) -> tuple[Result, tuple[Plan, ...]]:
        """Search sets of one change, then of two, and so on."""
        for size in range(1, _MOST_CHANGES + 1):
            self._begin(size)
            self._walk(Plan())
            if self._found:
                plans = sorted(self._found.values(), key=_ease)[:_MOST_ANSWERS]
                return "found", tuple(self._widened(plan) for plan in plans)
            if self.tried >= self._most:
                return "unknown", ()
            if not self._cut:
                return "nothing", ()
        return "unknown", ()

    def _begin(self, size: int) -> None:
        self._size, self._cut = size, False
        self._seen = set[Plan]()
        self._found: dict[tuple[str, ...], Plan] = {}  # by what they change: one each

    def _walk(self, plan: Plan) -> None:
        """Judge a set of changes, and every set that adds to it what the refusal asks for."""
        if plan in self._seen or self.tried >= self._most:
            return
        self._seen.add(plan)
        self.tried += 1
        facts = apply(self._facts, plan)
        decision = evaluate(self._policies, facts)
        if decision.outcome == "permit":
            self._found.setdefault(_kind(plan), plan)
            return
        for further in self._further(plan, facts, decision):
            if further.size > self._size:
                self._cut = True
                return
            self._walk(further)

    def _widened(self, plan: Plan) -> Plan:
        """Put members back that were there, one by one, as long as the answer is a permit."""
        before = attributes(self._facts)
        for attribute, members in plan.members:
            kept = members
            for member in sorted(before[attribute].difference(members)):
                wider = tuple(sorted((*kept, member)))
                if attribute in SINGLE or ALONE.intersection(wider):
                    continue
                if self._permits(plan.with_members(attribute, wider)):
                    kept = wider
            plan = plan.with_members(attribute, kept)
        return plan

    def told(self, plan: Plan) -> tuple[Change, ...]:
        """Say a set of changes in words."""
        before, after = attributes(self._facts), attributes(apply(self._facts, plan))
        changes = [
            Change(
                what=attribute,
                before=tuple(sorted(before[attribute])),
                after=tuple(sorted(after[attribute])),
                alike=self._alike(plan, attribute, members),
            )
            for attribute, members in plan.members
        ]
        changes += [
            Change(what="reference", before=(), after=tuple(filter(None, (one.kind, one.naming))))
            for one in plan.references
        ]
        if plan.at is not None:
            times = (self._facts.at.isoformat(),), (plan.at.isoformat(),)
            changes.append(Change(what="at", before=times[0], after=times[1]))
        return tuple(changes)

    def _alike(self, plan: Plan, attribute: str, after: tuple[str, ...]) -> tuple[str, ...]:
        """Return other values that could stand in place of a new one."""
        if attributes(self._facts)[attribute].intersection(after) or len(after) > 1:
            return ()
        others = (one for one in members_of(self._policies, attribute) if one not in after)
        alike = (one for one in others if self._permits(plan.with_members(attribute, (one,))))
        return tuple(islice(alike, _ALIKE))

    def _permits(self, plan: Plan) -> bool:
        self.tried += 1
        return evaluate(self._policies, apply(self._facts, plan)).outcome == "permit"

    def _further(self, plan: Plan, facts: Facts, decision: Decision) -> Iterator[Plan]:
        if decision.reason == "policy.default":
            yield from self._permitting(plan, facts)
        elif decision.rules:
            rule = self._rules[decision.rules[0]]
            yield from self._answering(plan, facts, rule)

    def _answering(self, plan: Plan, facts: Facts, rule: Rule) -> Iterator[Plan]:
        """Yield what stops a deny or a requirement from refusing."""
        wanted = rule.lifted_by if rule.effect == "deny" else rule.wanted
        if wanted is not None and wanted not in plan.references:
            yield plan.with_reference(wanted)
        for condition in rule.conditions:
            yield from self._otherwise(plan, condition, holds=False)
        yield from self._later(plan, rule, holds=False)
        if wanted is not None:
            yield from self._within(plan, facts, wanted)

    def _permitting(self, plan: Plan, facts: Facts) -> Iterator[Plan]:
        """Yield what a permit still lacks, and the classes that need none."""
        access = access_of(facts.operation)
        ungoverned = [one for one in OPERATION_CLASSES if not governed(one, access)]
        yield from self._set(plan, "class", ungoverned)
        yield from self._set(plan, "access", ["delete"])
        found = attributes(facts)
        for rule in self._rules.values():
            if rule.effect != "permit":
                continue
            lacking = [one for one in rule.conditions if not all_satisfy(found[one.attribute], one)]
            if lacking:
                yield from self._otherwise(plan, lacking[0], holds=True)
            else:
                yield from self._later(plan, rule, holds=True)

    def _otherwise(self, plan: Plan, condition: Condition, *, holds: bool) -> Iterator[Plan]:
        """Yield every change after which a condition may hold, or may not."""
        own = condition.attribute
        for lever in LEVERS.get(own, (own,)):
            values = self._alternatives.get(lever, ())
            if lever == own:
                values = tuple(one for one in values if satisfies(one, condition) == holds)
            yield from self._set(plan, lever, values)

    def _set(self, plan: Plan, attribute: str, values: Iterable[str]) -> Iterator[Plan]:
        if attribute in self._alternatives and not plan.changes(attribute):
            for value in values:
                yield plan.with_members(attribute, (value,))

    def _later(self, plan: Plan, rule: Rule, *, holds: bool) -> Iterator[Plan]:
        """Yield the times to come at which something begins or ends and the rule is not, or is."""
        if plan.at is None:
            for instant in self._policies.table.boundaries:
                if instant > self._facts.at and in_effect(rule, instant) == holds:
                    yield msgspec.structs.replace(plan, at=instant)

    def _within(self, plan: Plan, facts: Facts, wanted: Wanted) -> Iterator[Plan]:
        """Yield what lies in the bounds of a reference on file that does not apply."""
        for reference in on_file(self._facts):
            short = shortcomings(reference, facts)
            if not meets(reference, wanted) or {"expired", "quota"}.intersection(short):
                continue
            if "class" in short:
                yield from self._set(plan, "class", reference.classes)
            if "destination" in short:
                yield from self._set(plan, "destination", reference.destinations)
            if "not_yet" in short and plan.at is None:
                yield msgspec.structs.replace(plan, at=reference.valid_from)


def _kind(plan: Plan) -> tuple[str, ...]:
    references = (f"{one.kind} {one.naming}" for one in plan.references)
    return (*(name for name, _ in plan.members), *references, "at" if plan.at else "")


def _alternatives(policies: Policies, facts: Facts, attribute: str) -> tuple[str, ...]:
    """Return one member for each way in which rules tell members apart, ordinary ones first."""
    ordered = (*natural(facts, attribute), *members_of(policies, attribute))
    if attribute == "party_type":  # all parties but the tenant's own kind gone
        return tuple(attributes(facts)["tenant_type"])
    columns = [one for one in policies.table.columns if ATTRIBUTES[one.position] == attribute]
    if attribute in CLOSED or not columns:
        return tuple(one for place, one in enumerate(ordered) if one not in ordered[:place])
    first: dict[int, str] = {}
    for value in ordered:
        first.setdefault(columns[0].mask(value), value)
    return tuple(first.values())
