"""Where two policies differ, over every kind of request: a decision diagram over both at once.

A kind of request is one value of each attribute that either policy can tell apart. The diagram
branches over one attribute after another and knows of each policy only which rules still stand.
Branches that come to the same share one node, so that counting is exact without listing. A branch
in which no rule that the policies do not share can stand any more, or in which both refuse whatever
else is chosen, holds no difference and is not followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from gateway.core.policy.choices import Members
from gateway.core.policy.verdicts import Changed, Side, changed

# Rules that stand, before and after.
Pair = tuple[int, int]
MOST_NODES: Final = 50_000


class Alternative(msgspec.Struct, frozen=True):
    """Values of an attribute that neither policy tells apart, and the rules that each leaves.

    `members` has one entry for each value.
    """

    members: tuple[Members, ...]
    masks: Pair


class Branches(msgspec.Struct, frozen=True):
    """A choice between alternatives of one variable, each with what follows; the rest is equal."""

    level: int
    ways: tuple[tuple[tuple[int, ...], int], ...]


Node = Changed | Branches
# A region: of each level that matters, the alternatives.
Region = tuple[tuple[int, tuple[int, ...]], ...]


class Diagram:
    """The differences between two policies within one class and access."""

    def __init__(
        self,
        variables: Sequence[tuple[Alternative, ...]],
        sides: tuple[Side, Side],
        own: Pair,
        *,
        governed: bool,
        placed: bool,
    ) -> None:
        """Prepare; nothing is looked at yet.

        Args:
            variables: alternatives of each variable, in the order in which they are tried.
            sides: the policy before, and after.
            own: the rules that one policy has and the other does not.
            governed: whether the class is refused where nothing permits it.
            placed: whether every destination is a place.
        """
        self.variables, self.sides, self.own = variables, sides, own
        self.governed, self.placed = governed, placed
        self.complete = True
        self._bounds = [_bounds(variables, side) for side in (0, 1)]
        self._nodes: list[Node | None] = [None]  # number 0: no difference
        self._numbers: dict[Node, int] = {}
        self._known: dict[tuple[int, int | None, int | None], int] = {}
        self._counts: dict[int, dict[Changed, int]] = {0: {}}

    def root(self, standing: Pair) -> int:
        """Return the number of the node for the rules that stand at first; 0 is no difference."""
        return self._node(0, *standing)

    def counts(self, number: int, level: int = 0) -> dict[Changed, int]:
        """Return how many kinds of request change, by how, below a node that stands at a level."""
        node = self._nodes[number]
        if node is None:
            return {}
        own_level = node.level if isinstance(node, Branches) else len(self.variables)
        factor = 1
        for skipped in self.variables[level:own_level]:
            factor *= len(skipped)
        return {change: factor * count for change, count in self._below(number, node).items()}

    def regions(self, number: int) -> Iterator[tuple[Region, Changed]]:
        """Yield every region below a node, with how it changes; regions do not overlap."""
        node = self._nodes[number]
        if isinstance(node, Changed):
            yield (), node
        elif node is not None:
            for chosen, child in node.ways:
                for rest, change in self.regions(child):
                    yield ((node.level, chosen), *rest), change

    def _below(self, number: int, node: Node) -> dict[Changed, int]:
        known = self._counts.get(number)
        if known is not None:
            return known
        found: dict[Changed, int] = {}
        if isinstance(node, Changed):
            found[node] = 1
        else:
            for chosen, child in node.ways:
                for change, count in self.counts(child, node.level + 1).items():
                    found[change] = found.get(change, 0) + count * len(chosen)
        self._counts[number] = found
        return found

    def _node(self, level: int, before: int, after: int) -> int:
        states = self._settled(0, level, before), self._settled(1, level, after)
        if states == (None, None) or not (
            before & self.own[0] & self._bounds[0][1][level]
            or after & self.own[1] & self._bounds[1][1][level]
        ):
            return 0
        if level == len(self.variables):
            return self._verdicts(before, after)
        key = (level, *states)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOST_NODES:
                self.complete = False
                return 0
            known = self._known[key] = self._branches(level, before, after)
        return known

    def _settled(self, side: int, level: int, standing: int) -> int | None:
        """Return what still matters of the rules that stand; None where the side surely refuses."""
        lows, highs = self._bounds[side]
        this = self.sides[side]
        certain, possible = standing & lows[level], standing & highs[level]
        if certain & this.hard or (self.governed and not possible & this.permits):
            return None
        if certain & this.permits or not self.governed:
            possible &= ~this.permits | (certain & this.permits & -(certain & this.permits))
        for _, rules in this.wanted:
            sure = certain & rules
            if sure:
                possible &= ~rules | (sure & -sure)
        return possible

    def _verdicts(self, before: int, after: int) -> int:
        first, second = (
            side.verdict(standing, governed=self.governed, placed=self.placed)
            for side, standing in zip(self.sides, (before, after), strict=True)
        )
        change = changed(first, second)
        return 0 if change is None else self._number(change)

    def _branches(self, level: int, before: int, after: int) -> int:
        by_state: dict[Pair, list[int]] = {}
        for index, alternative in enumerate(self.variables[level]):
            state = before & alternative.masks[0], after & alternative.masks[1]
            by_state.setdefault(state, []).append(index)
        by_child: dict[int, list[int]] = {}
        for state, indices in by_state.items():
            child = self._node(level + 1, *state)
            if child:
                by_child.setdefault(child, []).extend(indices)
        if not by_child:
            return 0
        ways = tuple((tuple(sorted(indices)), child) for child, indices in by_child.items())
        if len(ways) == 1 and len(ways[0][0]) == len(self.variables[level]):
            return ways[0][1]  # this attribute does not matter
        return self._number(Branches(level, ways))

    def _number(self, node: Node) -> int:
        number = self._numbers.get(node)
        if number is None:
            number = self._numbers[node] = len(self._nodes)
            self._nodes.append(node)
        return number


def _bounds(variables: Sequence[tuple[Alternative, ...]], side: int) -> tuple[list[int], list[int]]:
    """Return the rules that any choice from each level on leaves standing, and that some does."""
    lows, highs = [-1], [-1]
    for variable in reversed(variables):
        low, high = -1, 0
        for alternative in variable:
            low &= alternative.masks[side]
            high |= alternative.masks[side]
        lows.append(lows[-1] & low)
        highs.append(highs[-1] & high)
    return lows[::-1], highs[::-1]
