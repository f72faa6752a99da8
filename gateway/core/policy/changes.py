"""Facts with a few things otherwise: what `nearest` tries, always as facts that there can be.

Facts are not independent. A tenant's own type is among the types of its parties; what is unknown
has no operation and no access; a caller who is located either contradicts or does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, cast

import msgspec

from gateway.core.facts import Facts
from gateway.core.geography.model import Evidence, Geography, Located
from gateway.core.identity.model import Method, Party, Reference, Tenant, TenantType, Verified
from gateway.core.operation import (
    Access,
    Ambiguous,
    Classified,
    Observed,
    Operation,
    OperationClass,
    Unknown,
    class_of,
)
from gateway.core.policy.attributes import ATTRIBUTES, CLOSED, PLACELESS, attributes
from gateway.core.policy.countries import COUNTRIES
from gateway.core.policy.model import Policies, Wanted
from gateway.core.screening import Clear, Hit, NotScreened, Screening

# What can be thought otherwise, the most easily done first: that order breaks ties.
CHANGEABLE: Final = (
    "end_use",
    "destination",
    "contradiction",
    "party_type",
    "listed",
    "probe",
    "over",
    "tag",
    "tier",
    "access",
    "class",
    "operation",
    "identity",
    "tenant_type",
    "tenant",
    "provider",
)
# Changing one of these changes the members of the other as well.
LEVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "party_type": ("party_type", "tenant_type"),
    "contradiction": ("contradiction", "destination"),
    "operation": ("operation", "class"),
    "access": ("access", "class"),
}
# What stands for the absence of all other members, and so never beside one.
ALONE: Final = frozenset({"none", "not_screened", "undeclared"})
_OTHER: Final = "hypothetical"
_ABSENT: Final[Mapping[str, tuple[str, ...]]] = {
    "tag": ("none",),
    "tier": ("none",),
    "listed": ("none",),
    "end_use": ("undeclared",),
    "probe": ("none",),
    "over": ("none",),
}
# Free text, of which any word may be new.
_FREE: Final = frozenset({"provider", "operation", "tenant", "tier", "tag", "end_use"})


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A set of changes.

    Attributes:
        members: attributes that are otherwise, in the order of `CHANGEABLE`, with all their
            members.
        references: what is on file besides, each for whatever is asked.
        at: another time; None leaves it.
    """

    members: tuple[tuple[str, tuple[str, ...]], ...] = ()
    references: tuple[Wanted, ...] = ()
    at: datetime | None = None

    @property
    def size(self) -> int:
        """How many things are otherwise."""
        return len(self.members) + len(self.references) + (self.at is not None)

    def changes(self, attribute: str) -> bool:
        """Tell whether an attribute is otherwise already."""
        return any(name == attribute for name, _ in self.members)

    def with_members(self, attribute: str, members: tuple[str, ...]) -> Plan:
        """Return the plan with other members of one attribute."""
        others = [pair for pair in self.members if pair[0] != attribute]
        pairs: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
            sorted([*others, (attribute, members)], key=_place)
        )
        return msgspec.structs.replace(self, members=pairs)

    def with_reference(self, wanted: Wanted) -> Plan:
        """Return the plan with one more reference on file."""
        references = {*self.references, wanted}
        on_file: tuple[Wanted, ...] = tuple(sorted(references))
        return msgspec.structs.replace(self, references=on_file)


def apply(facts: Facts, plan: Plan) -> Facts:
    """Return the facts as they would be."""
    wanted = dict(plan.members)
    geography = _geography(facts.geography, wanted)
    identity = facts.identity
    if isinstance(identity, Verified):
        (method,) = wanted.get("identity", (identity.method,))
        identity = msgspec.structs.replace(
            identity,
            method=cast("Method", method),
            tenant=_tenant(identity.tenant, wanted, plan.references),
        )
    return msgspec.structs.replace(
        facts,
        operation=_operation(facts.operation, wanted),
        identity=identity,
        geography=geography,
        screening=_screening(wanted["listed"]) if "listed" in wanted else facts.screening,
        observed=_observed(facts.observed, wanted),
        at=facts.at if plan.at is None else plan.at,
    )


def possible(facts: Facts, attribute: str) -> bool:
    """Tell whether an attribute of these facts can be otherwise on its own."""
    if isinstance(facts.operation, Ambiguous) or not isinstance(facts.identity, Verified):
        return False
    if attribute == "contradiction":
        return isinstance(facts.geography, Located)
    if attribute == "operation":
        return isinstance(facts.operation, Operation)
    if attribute == "access":  # of what is stored; elsewhere there is none
        return class_of(facts.operation) in {"gallery", "image_db"}
    return attribute in CHANGEABLE


def natural(facts: Facts, attribute: str) -> tuple[str, ...]:
    """Return members that are ordinary for these facts: what is there, and what stands for none.

    Members that stand only for the absence of a fact are left out: nobody can bring them about.
    """
    present = [one for one in sorted(attributes(facts)[attribute]) if one not in PLACELESS]
    return (*present, *_ABSENT.get(attribute, ()))


def members_of(policies: Policies, attribute: str) -> tuple[str, ...]:
    """Return every member that facts can have: one of each that rules can tell apart at least."""
    if attribute in CLOSED:
        return CLOSED[attribute]
    named = {
        value
        for column in policies.table.columns
        if ATTRIBUTES[column.position] == attribute
        for value in column.masks
    }
    if attribute == "destination":
        return (
            *sorted(named.difference(PLACELESS)),
            *sorted(COUNTRIES.difference(named)),
            *PLACELESS,
        )
    other = (_OTHER,) if attribute in _FREE else ()
    return (*sorted(named.difference({"unknown"})), *other)


def _place(pair: tuple[str, tuple[str, ...]]) -> int:
    return CHANGEABLE.index(pair[0])


def _operation(operation: Classified, wanted: Mapping[str, tuple[str, ...]]) -> Classified:
    if not any(name in wanted for name in ("provider", "operation", "class", "access")):
        return operation
    known = operation if isinstance(operation, Operation) else None
    (provider,) = wanted.get("provider", (operation.provider,))
    (asked,) = wanted.get("class", (known.operation_class if known else "unknown",))
    if asked == "unknown":
        return Unknown(provider=provider, reason=_OTHER)
    (name,) = wanted.get("operation", (known.name if known else _OTHER,))
    (access,) = wanted.get("access", (known.access if known else "none",))
    found = known or Operation(provider=provider, name=name, operation_class="unrelated")
    return msgspec.structs.replace(
        found,
        provider=provider,
        name=name,
        operation_class=cast("OperationClass", asked),
        access=cast("Access", access),
    )


def _tenant(
    tenant: Tenant, wanted: Mapping[str, tuple[str, ...]], references: tuple[Wanted, ...]
) -> Tenant:
    (tenant_id,) = wanted.get("tenant", (tenant.id,))
    (own,) = wanted.get("tenant_type", (tenant.type,))
    (tier,) = wanted.get("tier", (tenant.tier,))
    kind = cast("TenantType", own)
    added = (*tenant.references, *[_reference(one) for one in references])
    return msgspec.structs.replace(
        tenant,
        id=tenant_id,
        type=kind,
        tier=tier,
        tags=wanted.get("tag", tenant.tags),
        end_uses=wanted.get("end_use", tenant.end_uses),
        parties=_parties(tenant, kind, wanted.get("party_type")),
        references=added,
    )


def _parties(tenant: Tenant, kind: TenantType, kept: tuple[str, ...] | None) -> tuple[Party, ...]:
    parties = [
        msgspec.structs.replace(party, type=kind) if party.type == tenant.type else party
        for party in tenant.parties
    ]
    return tuple(
        party for party in parties if kept is None or party.type == kind or party.type in kept
    )


def _reference(wanted: Wanted) -> Reference:
    """Return a reference that applies to everything and names what is asked for."""
    names = (wanted.naming,) if wanted.naming else ()
    return Reference(id=f"{_OTHER} {wanted.kind} {wanted.naming}", kind=wanted.kind, names=names)


def _geography(geography: Geography, wanted: Mapping[str, tuple[str, ...]]) -> Geography:
    places = wanted.get("destination")
    located = isinstance(geography, Located)
    if places is None and not (located and "contradiction" in wanted):
        return geography
    before = geography.contradiction if isinstance(geography, Located) else False
    stated = wanted.get("contradiction", ("yes" if before else "no",))
    if len(stated) > 1:
        return geography  # both at once is said of a caller without a place, and changes none
    (contradiction,) = stated
    if places is None:
        places = geography.destination if isinstance(geography, Located) else ()
    kept = tuple(one for one in geography.evidence if one.code in places)
    missing = sorted(set(places).difference(one.code for one in kept))
    added = tuple(Evidence(kind="account", code=code, source=_OTHER) for code in missing)
    return Located(
        client=geography.client,
        destination=tuple(sorted(places)),
        evidence=(*kept, *added),
        contradiction=contradiction == "yes",
    )


def _observed(observed: Observed, wanted: Mapping[str, tuple[str, ...]]) -> Observed:
    if "probe" in wanted:
        probes = () if wanted["probe"] == ("none",) else wanted["probe"]
        observed = msgspec.structs.replace(observed, probes=probes)
    if "over" in wanted:
        over = () if wanted["over"] == ("none",) else wanted["over"]
        observed = msgspec.structs.replace(observed, over=over)
    return observed


def _screening(listed: tuple[str, ...]) -> Screening:
    if listed == ("none",):
        return Clear()
    if listed == ("not_screened",):
        return NotScreened(reason=_OTHER)
    return Hit(lists=tuple(sorted(listed)), parties=(_OTHER,))
