"""The difference between two policies: which kinds of request change, how, and whether it tightens.

Exact for requests with one member of each attribute, by `diagram`. A request with several members
is refused by a rule exactly where one of its members is, so what changes there by a deny or a
requirement shows in a request with one. Only that no single permit covers all members can come
anew; that is looked for on its own, by `several`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, Literal

import msgspec

from gateway.core.decision import Outcome
from gateway.core.operation import Access, OperationClass
from gateway.core.policy.areas import Shape, Values, merged
from gateway.core.policy.attributes import PLACELESS
from gateway.core.policy.choices import UNREMARKABLE, Kind, Members
from gateway.core.policy.diagram import Diagram, Region
from gateway.core.policy.joint import Joint, Variables
from gateway.core.policy.model import Policies
from gateway.core.policy.prove import periods
from gateway.core.policy.search import UndecidedError
from gateway.core.policy.several import uncovered
from gateway.core.policy.verdicts import Changed, Verdict
from gateway.core.policy.witness import Witness, witness

Direction = Literal["nothing", "tightens", "loosens", "both"]
MOST_AREAS: Final = 200
_BOTH_SIDES: Final = (0, 1)


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """Kinds of request that change alike: every combination of these.

    Attributes:
        kinds: classes, each with an access.
        values: by attribute, what it is about; an attribute that is not there may be anything.
            `parties` has pairs of a tenant's type and the types of its parties.
        others: by the same attributes, the values that it is not about.
        change: how they change.
        examples: one of these requests, under the first policy and under the second.
    """

    kinds: tuple[tuple[OperationClass, Access], ...]
    values: tuple[tuple[str, tuple[Members, ...]], ...]
    others: tuple[tuple[str, tuple[Members, ...]], ...]
    change: Changed
    examples: tuple[Witness, Witness]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from a date on.

    Attributes:
        at: the date.
        counts: kinds of request by how they change, most first.
        areas: what they are; the first of them where there are too many to list.
        complete: whether `counts` is exact; else there are at least so many.
        listed: whether `areas` are all.
        several: requests with several members that change in a direction in which none with one
            does, each under the first policy and under the second; at most one for each direction.
        undecided: whether there were too many combinations of several members to tell.
        budgets: ids of budgets that both have and count otherwise, so that other requests are
            `over` them; what follows from that is not among the counts.
    """

    at: datetime
    counts: tuple[tuple[Changed, int], ...]
    areas: tuple[Area, ...]
    complete: bool
    listed: bool
    several: tuple[tuple[Witness, Witness], ...]
    undecided: bool
    budgets: tuple[str, ...] = ()

    @property
    def direction(self) -> Direction:
        """Which way it goes; as far as is known, where not everything is."""
        outcomes = [after.decision.outcome for _, after in self.several]
        loosens = "permit" in outcomes or any(change.loosens for change, _ in self.counts)
        tightens = "refuse" in outcomes or any(change.tightens for change, _ in self.counts)
        if self.budgets or (loosens and tightens):
            return "both"
        return "loosens" if loosens else "tightens" if tightens else "nothing"

    @property
    def exact(self) -> bool:
        """Whether `direction` is all that there is to it."""
        return self.complete and not self.undecided


def difference(before: Policies, after: Policies, now: datetime) -> tuple[Step, ...]:
    """Compare two policies, now and at each date within the horizon at which either changes.

    Args:
        before: the first.
        after: the second.
        now: the first date, aware, UTC.

    Returns:
        What differs at `now`, and from each later date on at which something else does.

    Raises:
        DisagreementError: `evaluate` does not confirm what was found.
    """
    dates = sorted({one.at for both in (before, after) for one in periods(both.table, now)})
    steps = list[Step]()
    for at in dates:
        step = _step(Joint(before, after, at))
        if not steps or _said(step) != _said(steps[-1]):
            steps.append(step)
    return tuple(steps)


def direction(steps: Sequence[Step]) -> Direction:
    """Return which way all steps together go."""
    found = {step.direction for step in steps} - {"nothing"}
    if found > {"both"} or len(found) > 1:
        return "both"
    return next(iter(found), "nothing")


def _said(step: Step) -> tuple[object, ...]:
    return step.counts, [(one.kinds, one.values, one.change) for one in step.areas]


def _step(joint: Joint) -> Step:
    counts: dict[Changed, int] = {}
    shapes: dict[Shape, list[Kind]] = {}
    complete = listed = True
    for placed in (True, False):
        for kind, root, diagram, names in _diagrams(joint, placed=placed):
            for change, count in diagram.counts(root).items():
                counts[change] = counts.get(change, 0) + count
            complete &= diagram.complete
            regions = list(islice(diagram.regions(root), MOST_AREAS + 1))
            listed &= len(regions) <= MOST_AREAS
            for region, change in regions[:MOST_AREAS]:
                shape = Shape(_values(diagram, names, region), change)
                shapes.setdefault(shape, []).append(kind)
    several, undecided = _several(joint, counts)
    areas = merged({shape: tuple(kinds) for shape, kinds in shapes.items()}, joint.everything)
    return Step(
        at=joint.at,
        counts=tuple(sorted(counts.items(), key=_most_first)),
        areas=tuple(_area(joint, shape, kinds) for shape, kinds in areas[:MOST_AREAS]),
        complete=complete,
        listed=listed and len(areas) <= MOST_AREAS,
        several=several,
        undecided=undecided,
        budgets=_other_budgets(*joint.policies),
    )


def _other_budgets(before: Policies, after: Policies) -> tuple[str, ...]:
    known = {budget.id: budget for budget in before.budgets}
    return tuple(one.id for one in after.budgets if known.get(one.id, one) != one)


def _most_first(item: tuple[Changed, int]) -> int:
    return -item[1]


def _diagrams(joint: Joint, *, placed: bool) -> Iterator[tuple[Kind, int, Diagram, Variables]]:
    """Yield a diagram for each kind of which something changes, with the number of its root."""
    variables = {known: joint.variables(known=known, placed=placed) for known in (True, False)}
    for kind, standing in joint.kinds():
        chosen = variables[kind.operation_class != "unknown"]
        diagram = Diagram(
            chosen.alternatives,
            joint.sides,
            joint.own,
            governed=kind.governed,
            placed=placed,
        )
        root = diagram.root(standing)
        if root or not diagram.complete:
            yield kind, root, diagram, chosen


def _values(diagram: Diagram, variables: Variables, region: Region) -> Values:
    """Return the values of a region by attribute; destinations always, so that none is missing."""
    chosen = dict(region)
    place = variables.names.index("destination")
    chosen.setdefault(place, tuple(range(len(variables.alternatives[place]))))
    return {
        variables.names[level]: frozenset(
            members for index in indices for members in diagram.variables[level][index].members
        )
        for level, indices in chosen.items()
    }


def _area(joint: Joint, shape: Shape, kinds: tuple[Kind, ...]) -> Area:
    everything = joint.everything
    values = {
        name: tuple(one for one in everything[name] if one in chosen)
        for name, chosen in sorted(shape.values.items())
    }
    members: list[Members] = [chosen[0] for chosen in values.values()]
    if "destination" not in values:
        members.append((("destination", (UNREMARKABLE["destination"],)),))
    members.append((("class", (kinds[0].operation_class,)), ("access", (kinds[0].access,))))
    loosens = shape.change.loosens
    return Area(
        kinds=tuple((kind.operation_class, kind.access) for kind in kinds),
        values=tuple(values.items()),
        others=tuple(
            (name, tuple(one for one in everything[name] if one not in shape.values[name]))
            for name in values
        ),
        change=shape.change,
        examples=_examples(joint, tuple(members), loosens=loosens, governed=kinds[0].governed),
    )


def _examples(
    joint: Joint, members: tuple[Members, ...], *, loosens: bool, governed: bool
) -> tuple[Witness, Witness]:
    """Judge a request under both policies, with on file what shows the difference."""
    wanted = _verdict_of(joint, 1 if loosens else 0, members, governed=governed) or ()
    outcomes: tuple[Outcome, Outcome] = ("refuse", "permit") if loosens else ("permit", "refuse")
    first, second = (
        witness(policies, members, wanted=wanted, at=joint.at, outcome=outcome)
        for policies, outcome in zip(joint.policies, outcomes, strict=True)
    )
    return first, second


def _several(
    joint: Joint, shown: Iterable[Changed]
) -> tuple[tuple[tuple[Witness, Witness], ...], bool]:
    """Return what changes only with several members, and whether that could not be told.

    Args:
        joint: the policies.
        shown: what changes with one; a way that it goes already is not looked for again.
    """
    found = list[tuple[Witness, Witness]]()
    undecided = False
    changes = list(shown)
    known = any(one.tightens for one in changes), any(one.loosens for one in changes)
    for permitting in _BOTH_SIDES:
        if known[permitting]:
            continue
        try:
            members = uncovered(joint, permitting)
        except UndecidedError:
            undecided = True
            continue
        if members is not None:
            found.append(_examples(joint, members, loosens=permitting == 1, governed=True))
    return tuple(found), undecided


def _verdict_of(
    joint: Joint, side: int, members: tuple[Members, ...], *, governed: bool
) -> Verdict:
    standing = joint.sides[side].active
    placed = True
    for one in members:
        for attribute, chosen in one:
            standing &= joint.vocabularies[side].mask(attribute, chosen)
            if attribute == "destination":
                placed = not any(place in PLACELESS for place in chosen)
    return joint.sides[side].verdict(standing, governed=governed, placed=placed)
