"""Rules that do nothing, rules that contradict one another, and requests of which no rule speaks.

But for a rule that can never match none of this is wrong in itself: a denying pack overrules a
permitting one on purpose. It is what an author wants to be told. All of it is exact, by the search
that guardrails are proved with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from gateway.core.policy.choices import Kind, Members, Vocabulary
from gateway.core.policy.guardrails import Guardrail
from gateway.core.policy.model import Policies, Rule
from gateway.core.policy.prove import NeverPermit, Period, periods
from gateway.core.policy.search import Field, UndecidedError, field_of
from gateway.core.policy.silence import Silence
from gateway.core.policy.witness import Witness, witness

# What can be chosen where every destination is a place, and where none is.
Spaces = Sequence[tuple[Field, Field]]
RemarkKind = Literal[
    "never_matches", "never_decides", "contradicts", "silent", "closed", "undecided"
]
_EVERYTHING = Guardrail(id="", never="permit", conditions=(), reason="")


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an author wants to be told.

    Attributes:
        kind: `never_matches`: no request matches the rule, at any time. `contradicts`: one other
            rule denies whatever it matches, as long as it holds. `never_decides`: several do so
            together. `silent`: of some requests of a governed class no rule speaks, so they are
            refused. `closed`: nothing permits any request of a governed class. `undecided`: there
            are too many combinations to tell any of this; of a rule, and of those after it; or of
            classes.
        rule: id `pack/rule` that it is about; empty where it is about classes.
        by: the rules that overrule it.
        classes: what it is about.
        example: a request of which no rule speaks.
    """

    kind: RemarkKind
    rule: str = ""
    by: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    example: Witness | None = None


def remarks(policies: Policies, now: datetime) -> tuple[Remark, ...]:
    """Look a policy over, now and at each date within the horizon.

    Args:
        policies: what to look over.
        now: the first date, aware, UTC.

    Returns:
        Remarks on rules in pack order, then on classes.
    """
    return tuple(_Look(policies, now).remarks())


class _Look:
    def __init__(self, policies: Policies, now: datetime) -> None:
        self.policies, self.table = policies, policies.table
        self.dates = periods(policies.table, now)
        budgets = [budget.id for budget in policies.budgets]
        self.all = NeverPermit(policies, Vocabulary(policies.table, budgets=budgets), _EVERYTHING)
        self.denies = self.table.denies & ~self.table.liftable

    def remarks(self) -> Iterator[Remark]:
        """Yield everything."""
        rules = [rule for pack in self.policies.packs for rule in pack.rules]
        for number, (rule_id, rule) in enumerate(zip(self.table.ids, rules, strict=True)):
            try:
                found = tuple(self._about(number, rule_id, rule))
            except UndecidedError:
                yield Remark(kind="undecided", rule=rule_id)
                break  # each of the others may take as long
            yield from found
        yield from self._classes()

    def _about(self, number: int, rule_id: str, rule: Rule) -> Iterator[Remark]:
        """Yield what is to be said of one rule."""
        spaces = self._matching(number)
        if not self._found(spaces, strike=0, keep=1 << number):
            yield Remark(kind="never_matches", rule=rule_id)
        elif rule.effect != "deny":
            yield from self._overruled(number, rule_id, spaces)

    def _overruled(self, number: int, rule_id: str, spaces: Spaces) -> Iterator[Remark]:
        """Yield a remark where denies overrule a rule for as long as it is in effect."""
        dates = [one for one in self.dates if one.active >> number & 1]
        if not dates:
            return
        for period in dates:
            denies = period.active & self.denies
            if self._found(spaces, strike=denies, keep=1 << number):
                return
        always = self.denies
        for period in dates:
            always &= period.active
        alone = [
            one
            for one in _numbers(always)
            if not self._found(spaces, strike=1 << one, keep=1 << number)
        ]
        if alone:
            by = tuple(self.table.ids[one] for one in alone)
            yield Remark(kind="contradicts", rule=rule_id, by=by)
        else:
            yield Remark(kind="never_decides", rule=rule_id)

    def _classes(self) -> Iterator[Remark]:
        period = self.dates[0]
        together = Silence(self.policies, period.active, period.at)
        governed = [kind for kind in self.all.kinds if kind.governed]
        closed, silent = list[Kind](), list[tuple[Kind, tuple[Members, ...]]]()
        undecided = list[Kind]()
        for place, kind in enumerate(governed):
            try:
                if self._closed(kind, period):
                    closed.append(kind)
                elif found := self._silence(kind, period) or together.of(kind):
                    silent.append((kind, found))
            except UndecidedError:
                undecided = governed[place:]
                break
        if closed:
            yield Remark(kind="closed", classes=_names(closed))
        if silent:
            yield Remark(
                kind="silent",
                classes=_names([kind for kind, _ in silent]),
                example=witness(
                    self.policies, silent[0][1], wanted=(), at=period.at, outcome="refuse"
                ),
            )
        if undecided:
            yield Remark(kind="undecided", classes=_names(undecided))

    def _closed(self, kind: Kind, period: Period) -> bool:
        """Tell whether nothing permits any request of a kind."""
        strike, keep = period.active & self.denies, [period.active & self.table.permits]
        return not any(
            self.all.search(fields, kind, strike=strike, keep=keep) for fields, _ in self.all.spaces
        )

    def _silence(self, kind: Kind, period: Period) -> tuple[Members, ...] | None:
        """Return a request with one member of each attribute that no enforced rule matches."""
        for fields, _ in self.all.spaces:
            found = self.all.search(fields, kind, strike=period.active, keep=[])
            if found is not None:
                return tuple(choice.members for choice in found)
        return None

    def _found(self, spaces: Spaces, *, strike: int, keep: int) -> bool:
        return any(
            self.all.search(fields, kind, strike=strike, keep=[keep]) is not None
            for kind in self.all.kinds
            if kind.mask & keep
            for fields in spaces
        )

    def _matching(self, number: int) -> Spaces:
        """Return what can be chosen so that a rule matches."""
        rule = 1 << number
        return [
            (_narrowed(known, rule), _narrowed(unknown, rule))
            for (known, unknown), _ in self.all.spaces
        ]


def _narrowed(space: Field, rule: int) -> Field:
    return field_of(
        [tuple(choice for choice in variable if choice.mask & rule) for variable in space.variables]
    )


def _names(kinds: Sequence[Kind]) -> tuple[str, ...]:
    """Return classes, with the access where they have one."""
    return tuple(
        kind.operation_class if kind.access == "none" else f"{kind.operation_class} ({kind.access})"
        for kind in kinds
    )


def _numbers(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
