"""Proof of guardrails over all requests: now, and at each date at which rules begin or end.

Why a few requests stand for all. Facts are sets; a deny or require rule matches on any member, a
permit only if all do, and a reference has to cover every member. So of two requests of which one
has more members, the one with fewer is denied by no rule that does not deny the other, and
permitted by every rule that permits the other.

`never: permit` asks for a permitted request. If there is one, then also one with a single member
of each attribute: keep, of each attribute, one member that the guardrail names. What has to stay
is what facts force (`choices`): the tenant is among its parties, so there are two members where
the guardrail names another party. Such a request is permitted if no deny stands that nothing
lifts, no requirement that nothing meets, and a permit does, or the class is not governed. What
`without` does not exclude may be on file; a licence always says for which places it is, so none
applies to `unknown`, `private`, `anonymised` or `stale`.

`never: refuse` asks for a refused request with nothing on file. A deny or requirement that matches
matches with one member of each attribute; that no permit matches is likeliest with as many members
as can stand together.

Dates. At a date at which rules begin or end, a request breaks a `never: permit` that held before
only if a rule stood in its way that has ended, or a permit lets it through that has begun; the
other way round for `never: refuse`. Only such requests are looked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from gateway.core.policy.attributes import PLACELESS
from gateway.core.policy.choices import Choice, Kind, Variable, Vocabulary, chains, closed_chains
from gateway.core.policy.guardrails import Guardrail
from gateway.core.policy.model import Policies, Table
from gateway.core.policy.search import Field, UndecidedError, field_of, find
from gateway.core.policy.witness import Witness, trimmed, witness

HORIZON: Final = timedelta(days=400)
_LONE: Final = ("provider", "operation", "tenant", "tier", "identity")
_MANY: Final = ("tag", "end_use", "destination", "listed", "probe", "over")
Tell = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Tell nobody."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a guardrail.

    Attributes:
        guardrail: that was to be proved.
        dates: how many dates it was proved at, the first among them.
        broken: a request that breaks it, at the first date at which there is one.
        undecided: whether there were too many combinations to tell.
    """

    guardrail: Guardrail
    dates: int
    broken: Witness | None = None
    undecided: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is proved at every date."""
        return self.broken is None and not self.undecided


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A time from which rules are in effect, until the next; enforced rules only.

    `begun` and `ended` say what is otherwise than in the period before; nothing in the first.
    """

    at: datetime
    active: int
    begun: int
    ended: int


def active_at(table: Table, at: datetime) -> int:
    """Return the rules in effect at a time, those in shadow among them."""
    return table.active[bisect_right(table.boundaries, at)]


def periods(table: Table, now: datetime) -> tuple[Period, ...]:
    """Return now, and each date within the horizon at which enforced rules begin or end."""
    first = bisect_right(table.boundaries, now)
    active = table.active[first] & table.enforced
    found = [Period(at=now, active=active, begun=0, ended=0)]
    for number, at in enumerate(table.boundaries[first:], first + 1):
        after = table.active[number] & table.enforced
        if at <= now + HORIZON and after != active:
            found.append(Period(at=at, active=after, begun=after & ~active, ended=active & ~after))
            active = after
    return tuple(found)


def prove(
    policies: Policies,
    guardrails: Sequence[Guardrail],
    now: datetime,
    *,
    tell: Tell = silent,
) -> tuple[Proof, ...]:
    """Prove guardrails.

    Args:
        policies: of which to prove them.
        guardrails: in the order in which answers are wanted.
        now: the first date, aware, UTC.
        tell: called as work goes on, with how many steps are done and how many there are.

    Raises:
        DisagreementError: `evaluate` does not confirm what was found.
    """
    dates = periods(policies.table, now)
    conditions = [one for guardrail in guardrails for one in guardrail.conditions]
    budgets = [budget.id for budget in policies.budgets]
    vocabulary = Vocabulary(policies.table, conditions, budgets=budgets)
    proofs = list[Proof]()
    for number, guardrail in enumerate(guardrails):
        tell(number, len(guardrails))
        proofs.append(_prove(policies, vocabulary, guardrail, dates))
    tell(len(guardrails), len(guardrails))
    return tuple(proofs)


def _prove(
    policies: Policies, vocabulary: Vocabulary, guardrail: Guardrail, dates: Sequence[Period]
) -> Proof:
    never = NeverPermit if guardrail.never == "permit" else _NeverRefuse
    prover = never(policies, vocabulary, guardrail)
    done = 0
    try:
        for period in dates:
            broken = prover.broken(period, first=not done)
            done += 1
            if broken is not None:
                return Proof(guardrail=guardrail, dates=done, broken=broken)
    except UndecidedError:
        return Proof(guardrail=guardrail, dates=done, undecided=True)
    return Proof(guardrail=guardrail, dates=done)


class _Asked:
    """The requests that a guardrail speaks of."""

    def __init__(self, policies: Policies, vocabulary: Vocabulary, guardrail: Guardrail) -> None:
        self.policies, self.table = policies, policies.table
        self.vocabulary, self.guardrail = vocabulary, guardrail
        self.kinds = tuple(vocabulary.kinds(self.allowed("class"), self.allowed("access")))

    def allowed(self, attribute: str) -> tuple[str, ...]:
        """Return the values that the guardrail speaks of."""
        return self.vocabulary.allowed(attribute, self.guardrail.condition(attribute))

    def lone(self) -> Iterator[tuple[str, Variable]]:
        """Yield the choices for attributes that have one member."""
        for attribute in _LONE:
            yield attribute, self.vocabulary.singles(attribute, self.allowed(attribute))

    def fields(self, variables: dict[str, Variable]) -> tuple[Field, Field]:
        """Return what can be chosen for known operations, and for those that nobody knows."""
        operations = variables["operation"]
        nameless = [one for one in operations if one.members[0][1] == ("unknown",)]
        named = [one for one in operations if one not in nameless]
        return (
            field_of([*({**variables, "operation": tuple(named)}).values()]),
            field_of([*({**variables, "operation": tuple(nameless)}).values()]),
        )

    def search(
        self, fields: tuple[Field, Field], kind: Kind, *, strike: int, keep: Sequence[int]
    ) -> tuple[Choice, ...] | None:
        """Look for a request of one kind."""
        space = fields[1] if kind.operation_class == "unknown" else fields[0]
        found = find(space, kind.mask, strike=strike, keep=keep)
        if found is None:
            return None
        members = (("class", (kind.operation_class,)), ("access", (kind.access,)))
        return (Choice(members, kind.mask), *found)


class NeverPermit(_Asked):
    """Looks for a permitted request.

    `spaces` are what can be chosen where every destination is a place, and where none is, each with
    the rules that refuse there whatever is on file.
    """

    def __init__(self, policies: Policies, vocabulary: Vocabulary, guardrail: Guardrail) -> None:
        """Prepare; nothing is looked for yet."""
        super().__init__(policies, vocabulary, guardrail)
        table = self.table
        never_on_file = placeless = 0
        for wanted, rules in (*table.needs, *table.lifts):
            if guardrail.excludes(wanted):
                never_on_file |= rules
            elif wanted.kind == "licence":
                placeless |= rules
        unliftable = table.denies & ~table.liftable
        self.hard = unliftable | never_on_file
        self.spaces = (
            (self._fields(placed=True), self.hard),
            (self._fields(placed=False), self.hard | placeless),
        )

    def _fields(self, *, placed: bool) -> tuple[Field, Field]:
        variables = dict(self.lone())
        for attribute in (*_MANY, "contradiction"):
            allowed = self.allowed(attribute)
            if attribute == "destination":
                allowed = tuple(one for one in allowed if (one in PLACELESS) != placed)
            variables[attribute] = self.vocabulary.singles(attribute, allowed)
        found = chains(self.vocabulary.values["tenant_type"], self.allowed("party_type"))
        own = self.allowed("tenant_type")
        variables["parties"] = self.vocabulary.parties(one for one in found if one[0] in own)
        return self.fields(variables)

    def broken(self, period: Period, *, first: bool) -> Witness | None:
        """Return a permitted request of a period; of a later one, that was not permitted before."""
        for fields, hard in self.spaces:
            changed = (period.ended & hard) | (period.begun & self.table.permits)
            if not first and not changed:
                continue
            for kind in self.kinds:
                keep = [period.active & self.table.permits] if kind.governed else []
                if not first:
                    keep.append(changed)
                found = self.search(fields, kind, strike=period.active & hard, keep=keep)
                if found is not None:
                    return self._witness(found, period)
        return None

    def _witness(self, found: Sequence[Choice], period: Period) -> Witness:
        standing = period.active
        for choice in found:
            standing &= choice.mask
        wanted = [one for one, rules in (*self.table.needs, *self.table.lifts) if standing & rules]
        return witness(
            self.policies,
            (choice.members for choice in found),
            wanted=wanted,
            at=period.at,
            outcome="permit",
        )


class _NeverRefuse(_Asked):
    """Looks for a refused request with nothing on file."""

    def __init__(self, policies: Policies, vocabulary: Vocabulary, guardrail: Guardrail) -> None:
        super().__init__(policies, vocabulary, guardrail)
        own, others = self.allowed("tenant_type"), self.allowed("party_type")
        single, large = dict(self.lone()), dict(self.lone())
        for attribute in _MANY:
            single[attribute] = vocabulary.singles(attribute, self.allowed(attribute))
            large[attribute] = vocabulary.sets(attribute, self.allowed(attribute))
        single["parties"] = vocabulary.parties(closed_chains(own, others))
        large["parties"] = vocabulary.parties(
            (one, (one, *[other for other in others if other != one]))
            for one in own
            if one in others
        )
        either = self.allowed("contradiction")
        single["contradiction"] = large["contradiction"] = vocabulary.singles(
            "contradiction", either
        )
        if len(either) > 1 and "unknown" in self.allowed("destination"):
            both = vocabulary.choice("contradiction", *either)
            large["contradiction"] = (*large["contradiction"], both)
        self.single, self.large = self.fields(single), self.fields(large)

    def broken(self, period: Period, *, first: bool) -> Witness | None:
        """Return a refused request of a period; of a later one, that was not refused before."""
        table = self.table
        hard = table.denies | table.requires
        stopping = (period.active if first else period.begun) & hard
        ended = period.ended & table.permits
        for kind in self.kinds:
            found = self.search(self.single, kind, strike=0, keep=[stopping]) if stopping else None
            if found is None and kind.governed and (first or ended):
                found = self.search(
                    self.large,
                    kind,
                    strike=period.active & table.permits,
                    keep=[] if first else [ended],
                )
            if found is not None:
                return self._witness(found, period)
        return None

    def _witness(self, found: Sequence[Choice], period: Period) -> Witness:
        members = (choice.members for choice in found)
        return trimmed(
            self.policies,
            witness(self.policies, members, wanted=(), at=period.at, outcome="refuse"),
        )
