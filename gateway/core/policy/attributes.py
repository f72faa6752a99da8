"""The attributes that a rule may name, and their members in the facts of a request.

Each attribute is a set of strings that is never empty: what is absent is a member of its own
(`none`, `unknown`, `undeclared`, `not_screened`), so no rule matches, and no permit holds, for want
of members. Everything here is recorded, so decisions can be evaluated again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, get_args

from gateway.core.facts import Facts
from gateway.core.geography.model import Geography, Located
from gateway.core.identity.model import Method, TenantType, Verified
from gateway.core.operation import (
    OPERATION_CLASSES,
    Access,
    Operation,
    access_of,
    class_of,
)
from gateway.core.screening import Hit, NotScreened

ATTRIBUTES: Final = (
    "provider",
    "operation",
    "class",
    "access",
    "tenant",
    "tenant_type",
    "party_type",
    "tier",
    "tag",
    "end_use",
    "destination",
    "listed",
    "identity",
    "contradiction",
    "probe",
    "over",
)
# Destinations that are no place; every policy has to say something about each of them.
PLACELESS: Final = ("unknown", "private", "anonymised", "stale")
# Attributes whose members are all known beforehand; the others are free text.
_ACCESSES: tuple[str, ...] = get_args(Access)
_TYPES: tuple[str, ...] = get_args(TenantType)
_METHODS: tuple[str, ...] = get_args(Method)
CLOSED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "class": OPERATION_CLASSES,
        "access": _ACCESSES,
        "tenant_type": _TYPES,
        "party_type": _TYPES,
        "identity": _METHODS,
        "contradiction": ("yes", "no"),
    }
)
# Members that stand for the absence of all others, and so never beside one.
ALONE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "listed": ("none", "not_screened"),
        "tag": ("none",),
        "end_use": ("undeclared",),
        "probe": ("none",),
        "over": ("none",),
    }
)
_NONE: Final = ("none",)
_UNKNOWN: Final = ("unknown",)


def members(facts: Facts) -> tuple[tuple[str, ...], ...]:
    """Return the members of every attribute, in the order of `ATTRIBUTES`.

    A member may stand twice: judging does not mind.
    """
    return tuple([read(facts) for read in READERS])


def attributes(facts: Facts) -> dict[str, frozenset[str]]:
    """Return the members of every attribute by its name; never an empty set."""
    return {name: frozenset(found) for name, found in zip(ATTRIBUTES, members(facts), strict=True)}


def _provider(facts: Facts) -> tuple[str, ...]:
    return (facts.operation.provider,)


def _operation(facts: Facts) -> tuple[str, ...]:
    operation = facts.operation
    return (operation.name,) if isinstance(operation, Operation) else _UNKNOWN


def _class(facts: Facts) -> tuple[str, ...]:
    return (class_of(facts.operation),)


def _access(facts: Facts) -> tuple[str, ...]:
    return (access_of(facts.operation),)


def _tenant(facts: Facts) -> tuple[str, ...]:
    identity = facts.identity
    return (identity.tenant.id,) if isinstance(identity, Verified) else _NONE


def _tenant_type(facts: Facts) -> tuple[str, ...]:
    identity = facts.identity
    return (identity.tenant.type,) if isinstance(identity, Verified) else _NONE


def _party_type(facts: Facts) -> tuple[str, ...]:
    identity = facts.identity
    if not isinstance(identity, Verified):
        return _NONE
    tenant = identity.tenant
    return tuple([party.type for party in tenant.parties]) or (tenant.type,)


def _tier(facts: Facts) -> tuple[str, ...]:
    identity = facts.identity
    return (identity.tenant.tier,) if isinstance(identity, Verified) else _NONE


def _tag(facts: Facts) -> tuple[str, ...]:
    identity = facts.identity
    return (identity.tenant.tags or _NONE) if isinstance(identity, Verified) else _NONE


def _end_use(facts: Facts) -> tuple[str, ...]:
    identity = facts.identity
    return (identity.tenant.end_uses or _NONE) if isinstance(identity, Verified) else _NONE


def _destination(facts: Facts) -> tuple[str, ...]:
    return destination(facts.geography)


def destination(geography: Geography) -> tuple[str, ...]:
    """Return every place that evidence names; `unknown` where there is none, or no database."""
    if isinstance(geography, Located):
        return geography.destination or ("unknown",)
    return ("unknown", *[evidence.code for evidence in geography.evidence])


def _listed(facts: Facts) -> tuple[str, ...]:
    screening = facts.screening
    if isinstance(screening, Hit):
        return screening.lists or _UNKNOWN
    return ("not_screened",) if isinstance(screening, NotScreened) else _NONE


def _identity(facts: Facts) -> tuple[str, ...]:
    identity = facts.identity
    return (identity.method,) if isinstance(identity, Verified) else _NONE


def _contradiction(facts: Facts) -> tuple[str, ...]:
    """Return whether evidence contradicts; both where it cannot be told.

    Both, so that a deny of contradictions matches and a permit of their absence does not.
    """
    geography = facts.geography
    if isinstance(geography, Located):
        return ("yes",) if geography.contradiction else ("no",)
    return ("yes", "no")


def _probe(facts: Facts) -> tuple[str, ...]:
    probes = facts.observed.probes
    return _UNKNOWN if probes is None else probes or _NONE


def _over(facts: Facts) -> tuple[str, ...]:
    return facts.observed.over or _NONE


# How the members of each attribute are read, in the order of `ATTRIBUTES`. This is the hot path:
# of a request only that is read which rules ask for, until no rule is left.
READERS: Final[tuple[Callable[[Facts], tuple[str, ...]], ...]] = (
    _provider,
    _operation,
    _class,
    _access,
    _tenant,
    _tenant_type,
    _party_type,
    _tier,
    _tag,
    _end_use,
    _destination,
    _listed,
    _identity,
    _contradiction,
    _probe,
    _over,
)
