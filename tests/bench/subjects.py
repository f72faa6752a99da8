"""What `micro` measures: the steps of the pass, on a request of the load.

To add one, add a `Measure` to `measures`: its factory makes the callable.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

from gateway.audit.record import Decided, encode, request_part
from gateway.core import sigv4, strict_json
from gateway.core.catalog.classify import classify
from gateway.core.geography.locate import locate
from gateway.core.identity.identify import identify
from gateway.core.identity.keys import IssuerKeys, make_keys, make_places
from gateway.core.operation import Observed
from gateway.core.pipeline import decide
from gateway.core.policy.evaluate import evaluate
from gateway.core.request import Request, Whole
from gateway.core.snapshot import Snapshot, make_snapshot
from gateway.demo.networks import write_networks
from gateway.proxy.forward import AwsCredential, outbound_head, response_for_client
from gateway.proxy.response import ResponseLimits, ResponseReader, UpstreamResponse
from gateway.sources.catalogs import load_catalog
from gateway.sources.jwk_set import read_jwk_set
from gateway.sources.networks import load_networks
from gateway.sources.policies import load_policies
from gateway.sources.tenants import load_tenants
from tests.bench import facegate
from tests.bench.facegate import Callers
from tests.bench.load import PATH, compare_faces_body
from tests.bench.micro import Measure, Subject

JSON, SHA256, HMAC = "json.loads, 2 KB", "SHA-256, 2 KB", "HMAC-SHA256, 256 B"
SYNC = "write and fdatasync of 1 KB"
BODY = compare_faces_body(0)
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1024\r\nConnection: keep-alive\r\n\r\n"
    + b"x"
    * 1024
)
PROVIDER = "aws_rekognition"
OBSERVED = Observed()
CREDENTIAL = AwsCredential(
    access_key_id="FGUPSTREAM0123456789",
    secret="made-up",
    region=facegate.REGION,
    service=facegate.SERVICE,
)


class Subjects:
    """The steps, over the snapshot and the requests of one set of callers."""

    def __init__(self, callers: Callers, directory: Path) -> None:
        self.directory = directory
        self.now = datetime.now(UTC)
        self.snapshot = _snapshot(callers, directory, self.now)
        self.bearer = _request(callers.bearer_headers(0, BODY))
        self.signed = _request(callers.signed_headers(0, BODY))

    def measures(self) -> list[Measure]:
        """Return what is measured, yardsticks first."""
        return [
            Measure(name=JSON, make=lambda: lambda: json.loads(BODY)),
            Measure(name=SHA256, make=lambda: lambda: hashlib.sha256(BODY).hexdigest()),
            Measure(name=HMAC, make=lambda: lambda: hmac.digest(b"key", BODY[:256], "sha256")),
            Measure(name=SYNC, make=self.synced, waits=True),
            Measure(name="strict_json.loads", make=lambda: _strict_json, beside=JSON),
            Measure(name="classify, 2 KB", make=self.classified, beside=JSON, bar_us=10),
            *_sized(self.snapshot, "300 KB", 300_000, bar_us=150),
            *_sized(self.snapshot, "7 MB", 7_000_000, bar_us=3_000),
            Measure(name="identify, token seen before", make=self.known, beside=SHA256),
            Measure(name="identify, inbound SigV4", make=self.verified, beside=HMAC),
            Measure(name="locate", make=self.located, beside=SHA256),
            Measure(name="evaluate", make=self.evaluated, beside=SHA256),
            Measure(name="decide, whole", make=self.decided, beside=JSON),
            Measure(name="record: make and encode", make=self.recorded, beside=JSON),
            Measure(name="sigv4.sign", make=self.signature, beside=HMAC),
            Measure(name="outbound_head, signed", make=self.head, beside=HMAC),
            Measure(name="response of 1 KB: read", make=lambda: _response, beside=SHA256),
            Measure(name="response_for_client", make=_answer, beside=SHA256),
        ]

    def synced(self) -> Subject:
        line = b"x" * 1023 + b"\n"
        file = os.open(self.directory / "synced", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def write_and_sync() -> None:
            os.write(file, line)
            os.fdatasync(file)

        return write_and_sync

    def classified(self) -> Subject:
        return lambda: classify(self.bearer, self.snapshot.catalog, OBSERVED)

    def known(self) -> Subject:
        parts = self.snapshot
        return lambda: identify(self.bearer, parts.keys, parts.tenants, self.now)

    def verified(self) -> Subject:
        parts = self.snapshot
        return lambda: identify(self.signed, parts.keys, parts.tenants, self.now)

    def located(self) -> Subject:
        facts = decide(self.bearer, OBSERVED, self.snapshot, self.now).facts
        networks = self.snapshot.networks
        return lambda: locate(self.bearer, facts.operation, facts.identity, networks, self.now)

    def evaluated(self) -> Subject:
        facts = decide(self.bearer, OBSERVED, self.snapshot, self.now).facts
        return lambda: evaluate(self.snapshot.policies, facts)

    def decided(self) -> Subject:
        for request in (self.bearer, self.signed):
            judgement = decide(request, OBSERVED, self.snapshot, self.now)
            if judgement.decision.outcome != "permit":
                raise SystemExit(f"the load is not permitted: {judgement}")
        return lambda: decide(self.bearer, OBSERVED, self.snapshot, self.now)

    def recorded(self) -> Subject:
        judgement = decide(self.bearer, OBSERVED, self.snapshot, self.now)
        provider = self.snapshot.catalog.providers[PROVIDER]

        def record() -> bytes:
            part = request_part(
                self.bearer,
                open_parameters=provider.open_parameters,
                credential_parameters=provider.credential_parameters,
                mask_key=b"k" * 32,
            )
            line = Decided(
                time=self.now,
                id="dec_aaaaaaaaaaaaaaaaaaaaaaaa",
                snapshot=self.snapshot.digest,
                parts=self.snapshot.parts,
                request=part,
                facts=judgement.facts,
                decision=judgement.decision,
            )
            return encode(line, origin="bench", seq=1, engine="0")

        return record

    def signature(self) -> Subject:
        digest = hashlib.sha256(BODY).hexdigest()
        headers = {"host": facegate.HOST, **_lower(facegate.COMPARE)}
        return lambda: sigv4.sign(
            method="POST",
            path=PATH,
            query="",
            headers=headers,
            payload_sha256=digest,
            access_key_id=CREDENTIAL.access_key_id,
            secret=CREDENTIAL.secret,
            region=CREDENTIAL.region,
            service=CREDENTIAL.service,
            now=self.now,
        )

    def head(self) -> Subject:
        digest = hashlib.sha256(BODY).hexdigest()
        forward = self.snapshot.catalog.providers[PROVIDER].forward_headers
        return lambda: outbound_head(
            self.bearer,
            upstream_host=facegate.HOST,
            forward_headers=forward,
            credential=CREDENTIAL,
            body=BODY,
            payload_sha256=digest,
            now=self.now,
        )


def _sized(snapshot: Snapshot, size: str, length: int, *, bar_us: float) -> list[Measure]:
    """Measure classification of a search whose image makes its body this long, in bytes."""
    image = base64.b64encode(os.urandom(length * 3 // 4)).decode()
    body = json.dumps({"CollectionId": "c", "Image": {"Bytes": image}}).encode()
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "RekognitionService.SearchFacesByImage",
    }
    request = _request(headers, body)
    yardstick = f"json.loads, {size}"
    return [
        Measure(name=yardstick, make=lambda: lambda: json.loads(body)),
        Measure(
            name=f"classify, {size}",
            make=lambda: lambda: classify(request, snapshot.catalog, OBSERVED),
            beside=yardstick,
            bar_us=bar_us,
        ),
    ]


def _snapshot(callers: Callers, directory: Path, now: datetime) -> Snapshot:
    """Load a snapshot as `facegate serve` would."""
    tenant_file, country = directory / "tenants.yaml", directory / "country.mmdb"
    tenant_file.write_text(callers.tenants())
    write_networks(country)
    tenants = load_tenants(tenant_file, secrets_key=callers.secrets_key)
    algorithms = frozenset({"RS256"})
    issuer = IssuerKeys(
        issuer=facegate.ISSUER,
        audience=facegate.AUDIENCE,
        algorithms=algorithms,
        keys=read_jwk_set(callers.jwk_set().encode(), algorithms).keys,
        fetched=now,
        max_stale=timedelta(days=1),
    )
    catalog = load_catalog()
    provider = catalog.providers[PROVIDER]
    return make_snapshot(
        catalog=catalog,
        keys=make_keys(
            issuers=[issuer],
            api_keys=tenants.api_keys,
            access_keys=tenants.access_keys,
            secrets_key=callers.secrets_key,
            places={
                provider.name: make_places(
                    key_headers=provider.key_headers,
                    signed_headers=provider.decision_headers,
                )
            },
        ),
        tenants=tenants.tenants,
        verdicts=tenants.verdicts,
        networks=load_networks(
            country,
            max_age=timedelta(days=14),
            trusted_proxies=(ip_network("127.0.0.1/32"),),
        ),
        policies=load_policies(facegate.ROOT / "policies", now=now),
        settings_digest="",
    )


def _request(headers: Mapping[str, str], body: bytes = BODY) -> Request:
    return Request(
        method="POST",
        host=facegate.HOST,
        upstream="rekognition",
        provider=PROVIDER,
        path=PATH,
        query_string="",
        query=(),
        headers={"host": facegate.HOST, **_lower(headers), "content-length": str(len(body))},
        body=Whole(body),
        peer="127.0.0.1",
    )


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _strict_json() -> object:
    return strict_json.loads(BODY)


def _response() -> UpstreamResponse | None:
    return ResponseReader(limits=ResponseLimits(), no_body=False).feed(RESPONSE)


def _answer() -> Subject:
    response = _response()
    if response is None:
        raise ValueError("the response is not whole")
    allowed = frozenset({"content-type", "x-amzn-requestid"})
    return lambda: response_for_client(response, allowed, "dec_aaaaaaaaaaaaaaaaaaaaaaaa")
