"""Requests with several members that one policy permits and another does not, by no rule of it.

A permit has to cover every member. So where one permit covers two places and another policy has a
permit for each, the latter permits either place and refuses both together, though no rule of it
refuses anything. Such a request is looked for by giving it, for one permit of the other policy
after another, a member that this permit does not cover. Nothing else has to be tried, because
whatever request there is has such members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gateway.core.policy.attributes import ALONE, PLACELESS
from gateway.core.policy.choices import Kind, Members, Variable, Vocabulary
from gateway.core.policy.joint import Joint
from gateway.core.policy.search import UndecidedError, field_of, find

_ONE: Final = ("provider", "operation", "tenant", "tier", "identity", "tenant_type")
_SETS: Final = (
    "tag",
    "end_use",
    "destination",
    "listed",
    "probe",
    "over",
    "contradiction",
    "party_type",
)
_MOST_STEPS: Final = 5_000
Chosen = Mapping[str, tuple[str, ...]]


def uncovered(joint: Joint, permitting: int) -> tuple[Members, ...] | None:
    """Look for a request that one side permits and that no permit of the other covers.

    Args:
        joint: the policies.
        permitting: which side permits, 0 or 1.

    Returns:
        The members of every attribute; None where there is no such request, or only such as one
        member of each attribute shows as well.

    Raises:
        UndecidedError: there are too many combinations.
    """
    search = Uncovered(joint, permitting)
    looked = (search.of(kind, standing) for kind, standing in joint.kinds() if kind.governed)
    return next((found for found in looked if found is not None), None)


class Uncovered:
    """Looks for such requests, one governed kind after another; patience is for all together."""

    def __init__(self, joint: Joint, permitting: int) -> None:
        """Prepare; the arguments are those of `uncovered`."""
        self.joint, self.permitting = joint, permitting
        self.mine, self.theirs = (
            joint.vocabularies[permitting],
            joint.vocabularies[1 - permitting],
        )
        self.side = joint.sides[permitting]
        self.licensed = 0
        for wanted, rules in self.side.wanted:
            if wanted.kind == "licence":
                self.licensed |= rules
        self._steps = 0

    def of(self, kind: Kind, standing: tuple[int, int]) -> tuple[Members, ...] | None:
        """Look among the requests of a kind; `standing` are the rules of both that stand for it.

        Raises:
            UndecidedError: there are too many combinations.
        """
        one, other = self.permitting, 1 - self.permitting
        permits = standing[one] & self.side.permits & self.joint.own[one]
        others = standing[other] & self.joint.sides[other].permits
        looked = (self._within(kind, standing, number, others) for number in _numbers(permits))
        return next((found for found in looked if found is not None), None)

    def _within(
        self, kind: Kind, standing: tuple[int, int], permit: int, others: int
    ) -> tuple[Members, ...] | None:
        """Look among the requests that one permit covers."""
        values = {
            attribute: [
                value
                for value in self.mine.values[attribute]
                if self.mine.mask(attribute, (value,)) >> permit & 1
            ]
            for attribute in (*_ONE, *_SETS)
        }
        unknown = kind.operation_class == "unknown"
        values["operation"] = [one for one in values["operation"] if (one == "unknown") == unknown]
        if any(self._covers(other, values) for other in _numbers(others)):
            return None
        start = standing[self.permitting]
        found = self._extended({}, values, (start, permit, others), set())
        if found is None:
            return None
        members = (("class", (kind.operation_class,)), ("access", (kind.access,)))
        return (members, *(((attribute, chosen),) for attribute, chosen in found.items()))

    def _covers(self, other: int, values: Mapping[str, Sequence[str]]) -> bool:
        return all(
            self.theirs.mask(attribute, (value,)) >> other & 1
            for attribute, allowed in values.items()
            for value in allowed
        )

    def _extended(
        self,
        chosen: Chosen,
        values: Mapping[str, Sequence[str]],
        rules: tuple[int, int, int],
        seen: set[frozenset[tuple[str, tuple[str, ...]]]],
    ) -> Chosen | None:
        """Go on from members that are chosen; None where no request has them all.

        `rules` are those that stand for the kind, the number of the permit, and the other side's
        permits that stand.

        Raises:
            UndecidedError: there are too many combinations.
        """
        standing, permit, others = rules
        state = frozenset((attribute, tuple(sorted(one))) for attribute, one in chosen.items())
        if state in seen:
            return None
        seen.add(state)
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise UndecidedError
        whole = self._completed(chosen, values, standing, permit)
        if whole is None:
            return None
        covering = others
        for attribute, members in whole.items():
            covering &= self.theirs.mask(attribute, members)
        if not covering:
            return whole
        other = (covering & -covering).bit_length() - 1
        steps = [_with(chosen, *one) for one in self._struck_by(other, values)]
        tried = (self._extended(more, values, rules, seen) for more in steps if more is not None)
        return next((found for found in tried if found is not None), None)

    def _struck_by(
        self, other: int, values: Mapping[str, Sequence[str]]
    ) -> Iterator[tuple[str, str]]:
        """Yield the members that a permit of the other side does not cover, one of each sort."""
        for attribute, allowed in values.items():
            sorts, alone = set[tuple[int, int, bool]](), ALONE.get(attribute, ())
            for value in allowed:
                theirs = self.theirs.mask(attribute, (value,))
                # What stands alone does not stand for what may stand beside others.
                sort = theirs, self.mine.mask(attribute, (value,)), value in alone
                if not theirs >> other & 1 and sort not in sorts:
                    sorts.add(sort)
                    yield attribute, value

    def _completed(
        self, chosen: Chosen, values: Mapping[str, Sequence[str]], standing: int, permit: int
    ) -> Chosen | None:
        """Choose one member of every attribute of which none is chosen, so that it is permitted."""
        places = chosen.get("destination", ())
        for placed in (True, False):
            if placed and any(place in PLACELESS for place in places):
                continue
            variables = [
                self._variable(attribute, chosen, values, placed=placed)
                for attribute in (*_ONE, *_SETS)
                if attribute not in ("tenant_type", "party_type")
            ]
            variables.append(_parties(self.mine, chosen, values))
            strike = self.side.hard | (0 if placed else self.licensed)
            found = find(field_of(variables), standing, strike=strike, keep=[1 << permit])
            if found is not None:
                return {name: members for one in found for name, members in one.members}
        return None

    def _variable(
        self,
        attribute: str,
        chosen: Chosen,
        values: Mapping[str, Sequence[str]],
        *,
        placed: bool,
    ) -> Variable:
        if attribute in chosen:
            return (self.mine.choice(attribute, *chosen[attribute]),)
        allowed = values[attribute]
        if attribute == "destination":
            allowed = [one for one in allowed if not placed or one not in PLACELESS]
        return self.mine.singles(attribute, allowed)


def _parties(
    vocabulary: Vocabulary, chosen: Chosen, values: Mapping[str, Sequence[str]]
) -> Variable:
    types = chosen.get("party_type", ())
    return vocabulary.parties(
        (own, (own, *[one for one in types if one != own]))
        for own in chosen.get("tenant_type", values["tenant_type"])
        if own in values["party_type"]
    )


def _with(chosen: Chosen, attribute: str, value: str) -> Chosen | None:
    """Return what is chosen with one member more; None where it cannot stand beside the others."""
    present = chosen.get(attribute, ())
    alone = ALONE.get(attribute, ())
    if value in present or (present and (attribute in _ONE or value in alone)):
        return None
    if any(one in alone for one in present):
        return None
    more = {**chosen, attribute: (*present, value)}
    if len(more.get("contradiction", ())) > 1 and "unknown" not in more.get("destination", ()):
        more["destination"] = (*more.get("destination", ()), "unknown")
    return more


def _numbers(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
