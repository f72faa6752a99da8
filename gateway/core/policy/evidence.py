"""The members of each attribute with what they rest on, in words for people.

Judging reads `attributes.members`; this says of the same members where they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from gateway.core.facts import Facts
from gateway.core.geography.model import Located
from gateway.core.identity.model import Verified
from gateway.core.policy.attributes import attributes
from gateway.core.screening import Hit, NotScreened

# What a member of an attribute rests on.
_Sources = Callable[[Facts, str], tuple[str, ...]]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One member of an attribute, and what it rests on; each source is a few words."""

    value: str
    sources: tuple[str, ...]


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute with its members, sorted; never none."""

    attribute: str
    members: tuple[Member, ...]


def evidence_of(facts: Facts, *, stated: str = "") -> tuple[Fact, ...]:
    """Return every attribute that a rule may name, in their order, with sources.

    Args:
        facts: of one request.
        stated: who stated all of them, where nothing was observed; empty for facts of a request.
    """
    return tuple(
        Fact(
            attribute=attribute,
            members=tuple(
                Member(
                    value=value,
                    sources=(stated,)
                    if stated
                    else _SOURCES.get(attribute, _observed)(facts, value),
                )
                for value in sorted(found)
            ),
        )
        for attribute, found in attributes(facts).items()
    )


def _host(_facts: Facts, _value: str) -> tuple[str, ...]:
    return ("the host of the request",)


def _reading(facts: Facts, _value: str) -> tuple[str, ...]:
    return facts.operation.reading or ("the request",)


def _credential(facts: Facts, _value: str) -> tuple[str, ...]:
    identity = facts.identity
    if isinstance(identity, Verified):
        return (f"{identity.method} {identity.credential}",)
    return (identity.reason,)


def _file(facts: Facts, _value: str) -> tuple[str, ...]:
    return ("the tenant file",) if isinstance(facts.identity, Verified) else ()


def _parties(facts: Facts, value: str) -> tuple[str, ...]:
    if not isinstance(facts.identity, Verified):
        return ()
    named = (party for party in facts.identity.tenant.parties if party.type == value)
    return tuple(f"{party.role} {party.name}" for party in named) or ("the tenant file",)


def _places(facts: Facts, value: str) -> tuple[str, ...]:
    geography = facts.geography
    found = tuple(f"{one.kind}: {one.source}" for one in geography.evidence if one.code == value)
    if isinstance(geography, Located):
        return found or ("no evidence",)
    return found or (geography.reason,)


def _contradiction(facts: Facts, _value: str) -> tuple[str, ...]:
    if isinstance(facts.geography, Located):
        return ("the network beside the countries that are declared",)
    return (facts.geography.reason,)


def _screening(facts: Facts, _value: str) -> tuple[str, ...]:
    screening = facts.screening
    if isinstance(screening, Hit):
        return tuple(f"party {name}" for name in screening.parties)
    if isinstance(screening, NotScreened):
        return (screening.reason,)
    return ("every party was screened",)


def _observed(_facts: Facts, _value: str) -> tuple[str, ...]:
    return ("observed before judging",)


def _over(facts: Facts, value: str) -> tuple[str, ...]:
    counted = tuple(
        f"{one.used} of {one.limit} used since {one.since.isoformat()}, {one.amount} asked"
        for one in facts.observed.budgets
        if value in {one.budget, "none"}
    )
    return counted or ("no budget counts this",)


_SOURCES: Final[Mapping[str, _Sources]] = MappingProxyType(
    {
        "provider": _host,
        "operation": _reading,
        "class": _reading,
        "access": _reading,
        "tenant": _credential,
        "tenant_type": _file,
        "party_type": _parties,
        "tier": _file,
        "tag": _file,
        "end_use": _file,
        "destination": _places,
        "listed": _screening,
        "identity": _credential,
        "contradiction": _contradiction,
        "over": _over,
    }
)
