"""Whether some request leaves these rules standing and none of those: exact, by branch and bound.

A request is one choice of each variable, and the rules that it leaves standing are those that every
choice leaves standing. Nothing is sampled: where no request is found there is none. What keeps that
fast: a rule that no remaining choice can strike, or that some remaining variable always strikes,
ends a branch at once; of choices that come to the same among the rules that count, or to less, only
one is tried; and a state that led nowhere is not tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from gateway.core.policy.choices import Choice, Variable
from gateway.errors import FacegateError

# Far above what readable policies come to; what needs more is refused, not waited for.
_MOST_STATES: Final = 200_000


class UndecidedError(FacegateError):
    """There are too many combinations to look through; nothing is known, so nothing is proved."""

    def __init__(self) -> None:
        """Say so, and how far the search went."""
        super().__init__(f"too many combinations: {_MOST_STATES} were looked at")


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """Variables to choose for, with what any choice of those from one on has to leave standing.

    `lows[n]` are the rules that every choice of the variables from *n* on leaves standing, and
    `highs[n]` those that some choice of each does; both are one longer than the variables.
    """

    variables: tuple[Variable, ...]
    lows: tuple[int, ...]
    highs: tuple[int, ...]

    @property
    def empty(self) -> bool:
        """Whether some variable has no choice, so that there is no request at all."""
        return not all(self.variables)


def field_of(variables: Sequence[Variable]) -> Field:
    """Put variables in the order in which they are tried: those with the fewest choices first."""
    ordered = tuple(sorted(variables, key=len))
    lows, highs = [-1], [-1]
    for variable in reversed(ordered):
        low, high = -1, 0
        for choice in variable:
            low &= choice.mask
            high |= choice.mask
        lows.append(lows[-1] & low)
        highs.append(highs[-1] & high)
    return Field(variables=ordered, lows=tuple(lows[::-1]), highs=tuple(highs[::-1]))


def find(
    space: Field, standing: int, *, strike: int, keep: Sequence[int]
) -> tuple[Choice, ...] | None:
    """Look for a request.

    Args:
        space: what can be chosen.
        standing: the rules that stand before anything is chosen.
        strike: rules of which none may stand in the end.
        keep: sets of rules; of each at least one has to stand in the end.

    Returns:
        A choice for each variable; None where there is no such request.

    Raises:
        UndecidedError: there are too many combinations to look through.
    """
    if space.empty:
        return None
    counting = strike
    for wanted in keep:
        counting |= wanted
    search = _Search(space=space, strike=strike, keep=tuple(keep))
    return search.after(0, standing & counting)


@dataclass(slots=True, kw_only=True)
class _Search:
    space: Field
    strike: int
    keep: tuple[int, ...]
    _barren: set[tuple[int, int]] = field(default_factory=set)

    def after(self, level: int, standing: int) -> tuple[Choice, ...] | None:
        """Choose for the variables from `level` on; None where no choice will do.

        Raises:
            UndecidedError: there are too many combinations.
        """
        if self._hopeless(level, standing):
            return None
        if level == len(self.space.variables):
            return ()
        state = (level, standing)
        if state in self._barren:
            return None
        for choice in self._worth_trying(self.space.variables[level], standing):
            rest = self.after(level + 1, standing & choice.mask)
            if rest is not None:
                return (choice, *rest)
        if len(self._barren) >= _MOST_STATES:
            raise UndecidedError
        self._barren.add(state)
        return None

    def _hopeless(self, level: int, standing: int) -> bool:
        """Tell whether no choice of the variables from `level` on can do."""
        if standing & self.strike & self.space.lows[level]:
            return True
        high = standing & self.space.highs[level]
        return any(not high & wanted for wanted in self.keep)

    def _worth_trying(self, variable: Variable, standing: int) -> list[Choice]:
        """Return the choices that differ, best first, without those that another one betters."""
        struck = standing & self.strike
        by_worth: dict[int, Choice] = {}
        for choice in variable:
            # A bit is good: of a rule to strike where it is struck, of one to keep where it stands.
            by_worth.setdefault((choice.mask & standing) ^ struck, choice)
        if len(by_worth) == 1:
            return list(by_worth.values())
        best = list[int]()
        for worth in sorted(by_worth, key=int.bit_count, reverse=True):
            if not any(worth | better == better for better in best):
                best.append(worth)
        return [by_worth[worth] for worth in best]
