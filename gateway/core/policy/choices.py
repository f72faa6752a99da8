"""All requests that rules can tell apart, as a few choices: which members each attribute has.

Rules name finitely many values, so of each attribute one value stands for all that no rule and no
guardrail names. Facts are not independent of one another, and only what can be told of a request
is a choice: an operation that nobody knows has neither name nor access, only galleries and image
databases have an access, a tenant is among its own parties, and what stands for the absence of
members stands alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final

import msgspec

from gateway.core.operation import OPERATION_CLASSES, STORES, Access, OperationClass, governed
from gateway.core.policy.attributes import ALONE, ATTRIBUTES, CLOSED, PLACELESS
from gateway.core.policy.countries import COUNTRIES
from gateway.core.policy.model import Condition, Table

Members = tuple[tuple[str, tuple[str, ...]], ...]
# What a request has of which nothing is said: `cases.facts_of` fills in the same.
UNREMARKABLE: Final[Mapping[str, str]] = {
    "provider": "any",
    "operation": "any",
    "access": "none",
    "tenant": "case",
    "tenant_type": "private",
    "party_type": "private",
    "tier": "none",
    "tag": "none",
    "end_use": "undeclared",
    "destination": "GB",
    "listed": "none",
    "identity": "jwt",
    "contradiction": "no",
    "probe": "none",
    "over": "none",
}
# Values that are known beforehand, beside those that rules name.
_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    **CLOSED,
    "destination": (*sorted(COUNTRIES), *PLACELESS),
    "listed": ("none", "not_screened"),
    "operation": ("unknown",),
    "probe": ("unknown",),
}
# Attributes of which what is unremarkable is no value of its own, but any that nobody names.
_NAMELESS: Final = ("provider", "operation", "tenant")
# What a value that nobody names looks like, made different by digits.
_FRESH: Final[Mapping[str, str]] = {"probe": "sha256:{:064x}"}
# Attributes of which every value that there is stands here or in the policy.
_LISTED: Final = frozenset({"destination", "over"})
_ACCESSES: Final[tuple[Access, ...]] = ("read", "write", "train", "delete", "export")
_NO_ACCESS: Final[tuple[Access, ...]] = ("none",)


class Choice(msgspec.Struct, frozen=True):
    """Members of one attribute, or of two that depend on one another; and what they leave standing.

    `mask` has the bit of every rule that the members satisfy, any member of a deny or require rule
    and every member of a permit, or that does not ask.
    """

    members: Members
    mask: int


# What may be chosen in one place; never empty in a field.
Variable = tuple[Choice, ...]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """Which class and access a request has, and what they leave standing."""

    operation_class: OperationClass
    access: Access
    mask: int

    @property
    def governed(self) -> bool:
        """Whether it is refused where no rule permits it."""
        return governed(self.operation_class, self.access)


class Vocabulary:
    """The values of every attribute that rules and guardrails can tell apart."""

    def __init__(
        self, table: Table, more: Iterable[Condition] = (), *, budgets: Iterable[str] = ()
    ) -> None:
        """Collect the values that rules name.

        Args:
            table: of the policy.
            more: conditions beside the rules', for values that only they name.
            budgets: ids of all that there are, which a rule may mean without naming them.
        """
        self._permits = table.permits
        self._full = (1 << len(table.ids)) - 1
        self._columns = {ATTRIBUTES[column.position]: column for column in table.columns}
        named: dict[str, set[str]] = {attribute: set() for attribute in ATTRIBUTES}
        for attribute, column in self._columns.items():
            named[attribute].update(column.masks)
        for condition in more:
            named[condition.attribute].update(condition.values)
        named["over"].update(budgets)
        self.values = {attribute: _values(attribute, named[attribute]) for attribute in ATTRIBUTES}

    def mask(self, attribute: str, members: Collection[str]) -> int:
        """Return the rules that the members of an attribute leave standing."""
        column = self._columns.get(attribute)
        if column is None:
            return self._full
        some, every = 0, self._full
        for value in members:
            mask = column.mask(value)
            some |= mask
            every &= mask
        return every | (some & ~self._permits)

    def allowed(self, attribute: str, condition: Condition | None) -> tuple[str, ...]:
        """Return the values that satisfy a condition; all of them where there is none."""
        values = self.values[attribute]
        if condition is None:
            return values
        return tuple(value for value in values if satisfies(condition, value))

    def choice(self, attribute: str, *members: str) -> Choice:
        """Return the choice of these members."""
        return Choice(((attribute, members),), self.mask(attribute, members))

    def singles(self, attribute: str, allowed: Iterable[str]) -> Variable:
        """Return a choice for each value, as the only member."""
        return tuple(self.choice(attribute, value) for value in allowed)

    def sets(self, attribute: str, allowed: Sequence[str]) -> Variable:
        """Return the largest sets of members that can stand together."""
        alone = [value for value in ALONE.get(attribute, ()) if value in allowed]
        others = [value for value in allowed if value not in alone]
        chosen = [self.choice(attribute, value) for value in alone]
        return (*chosen, self.choice(attribute, *others)) if others else tuple(chosen)

    def parties(self, chains: Iterable[tuple[str, tuple[str, ...]]]) -> Variable:
        """Return a choice for each type of tenant with the types of its parties."""
        return tuple(
            Choice(
                (("tenant_type", (own,)), ("party_type", types)),
                self.mask("tenant_type", (own,)) & self.mask("party_type", types),
            )
            for own, types in chains
        )

    def kinds(self, classes: Iterable[str], accesses: Collection[str]) -> Iterator[Kind]:
        """Yield every class with every access that it can have."""
        wanted = set(classes)
        for operation_class in OPERATION_CLASSES:
            if operation_class not in wanted:
                continue
            for access in _ACCESSES if operation_class in STORES else _NO_ACCESS:
                if access in accesses:
                    yield Kind(
                        operation_class=operation_class,
                        access=access,
                        mask=self.mask("class", (operation_class,))
                        & self.mask("access", (access,)),
                    )


def satisfies(condition: Condition, value: str) -> bool:
    """Tell whether a value satisfies a condition; a country covers its regions."""
    named = value in condition.values or (
        condition.attribute == "destination" and value[2:3] == "-" and value[:2] in condition.values
    )
    return named != condition.negated


def chains(
    tenant_types: Sequence[str], party_types: Sequence[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every tenant with no other party, or with one of another type.

    Args:
        tenant_types: what the tenant may be.
        party_types: what some party has to be; the tenant is one.
    """
    for own in tenant_types:
        if own in party_types:
            yield own, (own,)
        for other in party_types:
            if other != own:
                yield own, (own, other)


def closed_chains(
    tenant_types: Sequence[str], party_types: Sequence[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every tenant with at most one other party, all of whose types are among these."""
    for own in tenant_types:
        if own in party_types:
            yield own, (own,)
            yield from ((own, (own, other)) for other in party_types if other != own)


def _values(attribute: str, named: Collection[str]) -> tuple[str, ...]:
    """Return the values to tell apart; the unremarkable one first, so that it is chosen first."""
    usual = [UNREMARKABLE[attribute]] if attribute in UNREMARKABLE else []
    known = _KNOWN.get(attribute, ())
    finite = attribute in CLOSED or attribute in _LISTED
    stands_in = attribute in _NAMELESS and not any(one in named for one in usual)
    fresh = [] if finite or stands_in else [_fresh(attribute, named)]
    ordered: dict[str, None] = dict.fromkeys((*usual, *known, *sorted(named), *fresh))
    return tuple(ordered)


def _fresh(attribute: str, named: Collection[str]) -> str:
    """Return a value that stands for all that nobody names."""
    form = _FRESH.get(attribute, "other_{}")
    return next(word for number in count(1) if (word := form.format(number)) not in named)
