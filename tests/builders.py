"""Values for tests, with a default for everything that a test does not speak of."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import msgspec

from gateway.audit.record import Decided, Happened, RequestPart
from gateway.core.decision import Decision
from gateway.core.facts import Facts
from gateway.core.geography.model import Evidence, Geography, Located
from gateway.core.identity.model import Identity, Party, Tenant, Verified
from gateway.core.operation import Classified, Observed, Operation
from gateway.core.request import Body, Request, Whole
from gateway.core.screening import Clear, Screening

NOW = datetime(2026, 11, 21, 12, 30, 15, 250_000, tzinfo=UTC)


def a_request(
    *,
    method: str = "POST",
    host: str = "rekognition.gw.example",
    upstream: str = "rekognition",
    provider: str = "aws_rekognition",
    path: str = "/",
    query_string: str = "",
    headers: dict[str, str] | None = None,
    body: Body | bytes = b"{}",
    peer: str = "198.51.100.7",
) -> Request:
    """Return a canonical request; `query` follows from `query_string`."""
    content = body if isinstance(body, bytes) else b""
    usual = {"host": host, "content-length": str(len(content)), "x-amz-target": "R.DetectFaces"}
    return Request(
        method=method,
        host=host,
        upstream=upstream,
        provider=provider,
        path=path,
        query_string=query_string,
        query=tuple(parse_qsl(query_string, keep_blank_values=True)),
        headers=usual if headers is None else headers,
        body=Whole(body) if isinstance(body, bytes) else body,
        peer=peer,
    )


def a_party(name: str = "Harbour Bank plc", **changes: object) -> Party:
    """Return a party; the caller itself unless told otherwise."""
    usual = Party(name=name, role="caller", type="private", countries=("GB",))
    return msgspec.structs.replace(usual, **changes)


def a_tenant(tenant_id: str = "acct-1", **changes: object) -> Tenant:
    """Return a tenant; `parties` follow from name, type and countries unless given."""
    usual = Tenant(
        id=tenant_id,
        legal_name="Harbour Bank plc",
        type="private",
        tier="standard",
        tags=("kyc",),
        countries=("GB",),
        deployments=("GB",),
        end_uses=("customer_verification",),
        parties=(),
    )
    tenant = msgspec.structs.replace(usual, **changes)
    if tenant.parties:
        return tenant
    caller = a_party(tenant.legal_name, type=tenant.type, countries=tenant.countries)
    return msgspec.structs.replace(tenant, parties=(caller,))


def verified(tenant: Tenant | None = None, **changes: object) -> Verified:
    """Return a caller whose token verified."""
    usual = Verified(method="jwt", credential="kid-1 svc-bank", tenant=tenant or a_tenant())
    return msgspec.structs.replace(usual, **changes)


def an_operation(name: str = "CompareFaces", **changes: object) -> Operation:
    """Return a known operation; a 1:1 comparison unless told otherwise."""
    usual = Operation(
        provider="aws_rekognition",
        name=name,
        operation_class="one_to_one",
        reading=("header x-amz-target",),
    )
    return msgspec.structs.replace(usual, **changes)


def located(*codes: str, client: str = "198.51.100.7", contradiction: bool = False) -> Located:
    """Return a place that network evidence names; GB unless told otherwise."""
    destination = tuple(sorted(set(codes or ("GB",))))
    evidence = tuple(
        Evidence(kind="network", code=code, source="country.mmdb") for code in destination
    )
    return Located(
        client=client, destination=destination, evidence=evidence, contradiction=contradiction
    )


def facts(
    *,
    operation: Classified | None = None,
    identity: Identity | None = None,
    geography: Geography | None = None,
    screening: Screening | None = None,
    observed: Observed | None = None,
    at: datetime = NOW,
) -> Facts:
    """Return facts: a verified, located, clean caller of a 1:1 operation unless told otherwise."""
    return Facts(
        operation=operation or an_operation(),
        identity=identity or verified(),
        geography=geography or located(),
        screening=screening or Clear(),
        observed=observed or Observed(),
        at=at,
    )


def a_decision(outcome: str = "permit", **changes: object) -> Decision:
    """Return a verdict; a permit by one rule unless told otherwise."""
    usual = Decision(
        outcome="permit",
        reason="policy.permitted" if outcome == "permit" else "policy.denied",
        rules=("base/verify",),
        matched=("base/verify",),
        shadow_outcome="permit",
    )
    return msgspec.structs.replace(usual, outcome=outcome, **{"shadow_outcome": outcome, **changes})


def decided(decision_id: str = "dec_1", **changes: object) -> Decided:
    """Return the record of a verdict."""
    usual = Decided(
        time=NOW,
        id=decision_id,
        snapshot="sha256:" + "a" * 64,
        parts={"catalog": "b" * 64, "policies": "c" * 64},
        request=RequestPart(
            method="POST",
            host="rekognition.gw.example",
            target="/",
            header_names=("host", "x-amz-target"),
            body_bytes=2,
            body_sha256="d" * 64,
        ),
        facts=facts(),
        decision=a_decision(),
    )
    return msgspec.structs.replace(usual, **changes)


def happened(decision_id: str = "dec_1", **changes: object) -> Happened:
    """Return the record of what became of a verdict; it was forwarded unless told otherwise."""
    usual = Happened(
        time=NOW,
        decided=decision_id,
        outcome="forwarded",
        status=200,
        upstream_status=200,
        sent=True,
        duration_us=1_500,
        response_bytes=1_024,
    )
    return msgspec.structs.replace(usual, **changes)
