"""Where a request comes from and what it is for: every piece of evidence, never the likeliest one.

Nothing here weighs evidence. A place that any evidence names is a destination, and what could not
be told stands beside it as a value of its own; so more evidence never permits more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from gateway.core.geography.model import Evidence, Geography, Located, Unlocated
from gateway.core.geography.networks import Networks, Place
from gateway.core.geography.regions import region_of
from gateway.core.identity.model import Identity, Tenant, Verified
from gateway.core.operation import Classified, Destination, Operation
from gateway.core.request import Request


class Attested(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant's file says about places.

    Attributes:
        evidence: in the order account, deployment, party.
        countries: ISO 3166-1 part of the codes of account and deployment; without `unknown`.
    """

    evidence: tuple[Evidence, ...]
    countries: frozenset[str]


_NOTHING: Final = Attested(evidence=(), countries=frozenset())
_STALE: Final = Evidence(kind="network", code="stale", source="age of the network database")


def locate(
    request: Request, operation: Classified, identity: Identity, networks: Networks, now: datetime
) -> Geography:
    """Collect every place that network, account, deployment, parties and output name.

    Of a caller that is not verified there is no account to speak for it: network and output only.
    """
    place = networks.place(request.peer, request.headers)
    attested = _attested(identity.tenant) if isinstance(identity, Verified) else _NOTHING
    output = _output(operation)
    if networks.reader is None:
        return Unlocated(
            client=place.client,
            reason="no network database is loaded",
            evidence=attested.evidence + output,
        )
    network = (_STALE, *place.evidence) if networks.is_stale(now) else place.evidence
    evidence = network + attested.evidence + output
    return Located(
        client=place.client,
        destination=tuple(sorted({piece.code for piece in evidence})),
        evidence=evidence,
        contradiction=_contradicts(place, attested),
    )


def _contradicts(place: Place, attested: Attested) -> bool:
    return bool(place.country and attested.countries) and place.country not in attested.countries


def _attested(tenant: Tenant) -> Attested:
    evidence = (
        *(Evidence(kind="account", code=code, source="tenant") for code in tenant.countries),
        *(Evidence(kind="deployment", code=code, source="tenant") for code in tenant.deployments),
        *(
            Evidence(kind="party", code=code, source=party.name)
            for party in tenant.parties
            for code in party.countries
        ),
    )
    return Attested(
        evidence=evidence,
        countries=_countries((*tenant.countries, *tenant.deployments)),
    )


def _countries(codes: Iterable[str]) -> frozenset[str]:
    """Return the countries of codes: `UA-43` lies in `UA`."""
    return frozenset(code.partition("-")[0] for code in codes if code != "unknown")


def _output(operation: Classified) -> tuple[Evidence, ...]:
    if not isinstance(operation, Operation):
        return ()
    return tuple(_output_place(destination) for destination in operation.destinations)


def _output_place(destination: Destination) -> Evidence:
    region, country = region_of(destination.value)
    return Evidence(
        kind="output",
        code=country,
        source=f"{destination.kind} in {region}" if region else destination.kind,
    )
