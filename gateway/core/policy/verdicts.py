"""What a policy says to a kind of request: refused whatever is on file, or permitted with what."""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.core.policy.model import Policies, Wanted

# What has to be on file for a permit, sorted; None is refused whatever is.
Verdict = tuple[Wanted, ...] | None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one policy that are in effect and enforced, by what they do.

    Attributes:
        active: all of them.
        hard: denies that nothing lifts.
        permits: the permits.
        wanted: the rules that ask for a reference, by what they ask for.
    """

    active: int
    hard: int
    permits: int
    wanted: tuple[tuple[Wanted, int], ...]

    def verdict(self, standing: int, *, governed: bool, placed: bool) -> Verdict:
        """Return what the rules that stand say of a request.

        Args:
            standing: the rules of this side that match.
            governed: whether the class is refused where nothing permits it.
            placed: whether every destination is a place: a licence covers nothing else.
        """
        if standing & self.hard or (governed and not standing & self.permits):
            return None
        wanted = {one for one, rules in self.wanted if standing & rules}
        if not placed and any(one.kind == "licence" for one in wanted):
            return None
        # Whatever names a word meets what asks for its kind alone.
        naming = {one.kind for one in wanted if one.naming}
        return tuple(sorted(one for one in wanted if one.naming or one.kind not in naming))


def side_of(policies: Policies, active: int) -> Side:
    """Return the enforced rules among those that are in effect."""
    table = policies.table
    active &= table.enforced
    return Side(
        active=active,
        hard=active & table.denies & ~table.liftable,
        permits=active & table.permits,
        wanted=tuple((one, rules & active) for one, rules in (*table.lifts, *table.needs)),
    )


class Changed(msgspec.Struct, frozen=True):
    """How two verdicts on a request differ.

    Attributes:
        what: it is newly `refused`, newly `permitted`, or permitted by both and `needs` another
            thing on file.
        dropped: what is no longer needed, sorted; of `needs` only.
        added: what is newly needed, likewise.
    """

    what: Literal["refused", "permitted", "needs"]
    dropped: tuple[Wanted, ...] = ()
    added: tuple[Wanted, ...] = ()

    @property
    def loosens(self) -> bool:
        """Whether some references are enough after that were not before."""
        return self.what == "permitted" or not _implied(self.dropped, self.added)

    @property
    def tightens(self) -> bool:
        """Whether some references were enough before that are not after."""
        return self.what == "refused" or not _implied(self.added, self.dropped)


def changed(before: Verdict, after: Verdict) -> Changed | None:
    """Compare two verdicts; None where they are the same."""
    if before == after:
        return None
    if before is None:
        return Changed("permitted")
    if after is None:
        return Changed("refused")
    return Changed(
        "needs",
        tuple(one for one in before if one not in after),
        tuple(one for one in after if one not in before),
    )


def _implied(some: tuple[Wanted, ...], others: tuple[Wanted, ...]) -> bool:
    """Tell whether whoever has on file what others ask for has what these ask for too."""
    kinds = {one.kind for one in others}
    return all(one in others or (not one.naming and one.kind in kinds) for one in some)
