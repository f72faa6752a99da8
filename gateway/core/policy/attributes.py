"""The attributes that a rule may name, and their members in the facts of a request.

Each attribute is a set of strings that is never empty: what is absent is a member of its own
(`none`, `unknown`, `undeclared`, `not_screened`), so no rule matches, and no permit holds, for want
of members. Everything here is recorded, so decisions can be evaluated again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, get_args

from gateway.core.facts import Facts
from gateway.core.geography.model import Geography, Located
from gateway.core.identity.model import Method, TenantType, Verified
from gateway.core.operation import (
    OPERATION_CLASSES,
    Access,
    Observed,
    Operation,
    access_of,
    class_of,
)
from gateway.core.screening import Hit, NotScreened, Screening

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

    A member may stand twice: judging does not mind, and this is the hot path.
    """
    operation, geography = facts.operation, facts.geography
    return (
        (operation.provider,),
        (operation.name if isinstance(operation, Operation) else "unknown",),
        (class_of(operation),),
        (access_of(operation),),
        *_caller(facts),
        destination(geography),
        _listed(facts.screening),
        (facts.identity.method,) if isinstance(facts.identity, Verified) else _NONE,
        _contradiction(geography),
        _probe(facts.observed),
        facts.observed.over or _NONE,
    )


def attributes(facts: Facts) -> dict[str, frozenset[str]]:
    """Return the members of every attribute by its name; never an empty set."""
    return {name: frozenset(found) for name, found in zip(ATTRIBUTES, members(facts), strict=True)}


def _caller(facts: Facts) -> tuple[tuple[str, ...], ...]:
    """Return the members from `tenant` to `end_use`."""
    if not isinstance(facts.identity, Verified):
        return (_NONE,) * 6
    tenant = facts.identity.tenant
    return (
        (tenant.id,),
        (tenant.type,),
        tuple([party.type for party in tenant.parties]) or (tenant.type,),
        (tenant.tier,),
        tenant.tags or _NONE,
        tenant.end_uses or _NONE,
    )


def destination(geography: Geography) -> tuple[str, ...]:
    """Return every place that evidence names; `unknown` where there is none, or no database."""
    if isinstance(geography, Located):
        return geography.destination or ("unknown",)
    return ("unknown", *[evidence.code for evidence in geography.evidence])


def _listed(screening: Screening) -> tuple[str, ...]:
    if isinstance(screening, Hit):
        return screening.lists or ("unknown",)
    return ("not_screened",) if isinstance(screening, NotScreened) else _NONE


def _contradiction(geography: Geography) -> tuple[str, ...]:
    """Return whether evidence contradicts; both where it cannot be told.

    Both, so that a deny of contradictions matches and a permit of their absence does not.
    """
    if isinstance(geography, Located):
        return ("yes",) if geography.contradiction else ("no",)
    return ("yes", "no")


def _probe(observed: Observed) -> tuple[str, ...]:
    return _UNKNOWN if observed.probes is None else observed.probes or _NONE
