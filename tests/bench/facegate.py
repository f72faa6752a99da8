"""Facegate as a contender: its files, its callers, and the check of its records.

Everything is on: 200 callers with RS256 tokens of their own, SigV4 inbound for as many access keys,
the shipped policies, a country for every caller, strict durability, SigV4 to the provider.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from gateway.core import sigv4
from gateway.demo.networks import write_networks
from gateway.sources.secrets_box import IssuedAccessKey, issue_access_key
from tests.bench.load import PATH
from tests.bench.process import Target
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
HOST = "rekognition.gw.example"
ISSUER = "https://idp.example"
AUDIENCE = "face-gateway"
REGION, SERVICE = "us-east-1", "rekognition"
CALLERS = 200
COMPARE = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "RekognitionService.CompareFaces",
}


class Callers:
    """Who sends the load: an issuer with one key, and the tokens and access keys of its callers."""

    def __init__(self) -> None:
        self.secrets_key = secrets.token_bytes(32)
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._now = datetime.now(UTC)
        self.tokens = [self._token(number) for number in range(CALLERS)]
        self.access_keys: list[IssuedAccessKey] = [
            issue_access_key(self.secrets_key) for _ in range(CALLERS)
        ]

    def jwk_set(self) -> str:
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return json.dumps({"keys": [{**public, "kid": "bench", "use": "sig", "alg": "RS256"}]})

    def tenants(self) -> str:
        """Return the tenant file: each caller a tenant, in JSON, which is YAML."""
        tenants = [
            {
                "id": f"acct-{number}",
                "legal_name": f"Invented Bank {number} plc",
                "type": "private",
                "countries": ["GB"],
                "deployments": ["GB"],
                "end_uses": ["customer_verification"],
                "listed": [],
                "credentials": {
                    "jwt": [{"issuer": ISSUER, "subject": f"svc-{number}"}],
                    "access_keys": [{"id": key.id, "secret": key.encrypted}],
                },
            }
            for number, key in enumerate(self.access_keys)
        ]
        return json.dumps(
            {"apiVersion": "facegate/v1", "kind": "Tenants", "tenants": tenants}, indent=1
        )

    def bearer_headers(self, number: int, _body: bytes) -> Mapping[str, str]:
        return {
            **COMPARE,
            "Authorization": f"Bearer {self.tokens[number % CALLERS]}",
            "X-Forwarded-For": _address(number),
        }

    def signed_headers(self, number: int, body: bytes) -> Mapping[str, str]:
        key = self.access_keys[number % CALLERS]
        signed = {"host": HOST, **{name.lower(): value for name, value in COMPARE.items()}}
        authorization = sigv4.sign(
            method="POST",
            path=PATH,
            query="",
            headers=signed,
            payload_sha256=hashlib.sha256(body).hexdigest(),
            access_key_id=key.id,
            secret=key.secret,
            region=REGION,
            service=SERVICE,
            now=self._now,
        )
        return {
            **COMPARE,
            "X-Amz-Date": sigv4.amz_date(self._now),
            "Authorization": authorization,
            "X-Forwarded-For": _address(number),
        }

    def _token(self, number: int) -> str:
        payload = {
            "iss": ISSUER,
            "sub": f"svc-{number}",
            "aud": AUDIENCE,
            "iat": self._now,
            "nbf": self._now,
            "exp": self._now + timedelta(hours=1),
            "jti": f"{number:032x}",
            "scope": "face:compare",
        }
        return jwt.encode(payload, self._key, algorithm="RS256", headers={"kid": "bench"})


def _address(number: int) -> str:
    return f"192.0.2.{16 + number % 16}"  # GB in the synthetic database


def target(
    directory: Path, callers: Callers, *, upstream_port: int, jwks_url: str
) -> tuple[Target, Path]:
    """Write every file of a gateway; return how it is started, and its audit directory."""
    port, admin_port = free_port(), free_port()
    audit = directory / "audit"
    (directory / "tenants.yaml").write_text(callers.tenants())
    write_networks(directory / "country.mmdb")
    settings = {
        "listen": {"host": "127.0.0.1", "port": port},
        "admin": {"host": "127.0.0.1", "port": admin_port},
        "trusted_proxies": ["127.0.0.1/32"],
        "upstreams": [
            {
                "name": "rekognition",
                "provider": "aws_rekognition",
                "hosts": [HOST],
                "url": f"http://127.0.0.1:{upstream_port}",
                "credential": {
                    "aws": {
                        "access_key_id": "env:FACEGATE_BENCH_KEY_ID",
                        "secret_access_key": "env:FACEGATE_BENCH_SECRET",
                        "region": REGION,
                    }
                },
            }
        ],
        "identity": {
            "issuers": [
                {
                    "issuer": ISSUER,
                    "jwks": jwks_url,
                    "audience": AUDIENCE,
                    "algorithms": ["RS256"],
                }
            ],
            "api_keys": "tenants",
            "sigv4": "tenants",
            "secrets_key": "env:FACEGATE_SECRETS_KEY",
        },
        "tenants": "tenants.yaml",
        "networks": {"country": "country.mmdb"},
        "policies": str(ROOT / "policies"),
        "limits": {"drain_delay_s": 0},
        "audit": {"dir": str(audit), "origin": "bench", "durability": "strict"},
    }
    file = directory / "gateway.yaml"
    file.write_text(json.dumps(settings, indent=1))
    environment = {
        "FACEGATE_SECRETS_KEY": base64.b64encode(callers.secrets_key).decode(),
        "FACEGATE_BENCH_KEY_ID": "FGUPSTREAM0123456789",
        "FACEGATE_BENCH_SECRET": secrets.token_urlsafe(30),
    }
    command = (sys.executable, "-m", "gateway", "serve", "--config", str(file))
    return (
        Target(
            name="facegate",
            argv=command,
            port=port,
            ready=("127.0.0.1", admin_port, "/readyz"),
            env=environment,
        ),
        audit,
    )


class _Line(msgspec.Struct):
    kind: str


def check_records(directory: Path) -> tuple[int, int]:
    """Return how many `decided` and how many `happened` records an audit directory holds."""
    counts = {"decided": 0, "happened": 0}
    decoder = msgspec.json.Decoder(_Line)
    for segment in sorted(directory.rglob("*.jsonl")):
        with segment.open("rb") as lines:
            for line in lines:
                kind = decoder.decode(line).kind
                counts[kind] = counts.get(kind, 0) + 1
    return counts["decided"], counts["happened"]


def verdict(directory: Path, *, replies: int, asked: int, in_flight: int) -> str | None:
    """Tell why a run does not count; None where records equal replies.

    Args:
        directory: the audit directory, once the gateway has ended.
        replies: all answers that the generator counted.
        asked: requests that the provider saw from the gateway.
        in_flight: most requests that the generator can have left without an answer when it
            stopped: each of them may have its records, so they are the tolerance.
    """
    decided, happened = check_records(directory)
    told = f"{decided} decided, {happened} happened, {asked} at the provider, {replies} replies"
    if decided != happened:
        return f"records without their other half: {told}"
    if not replies <= asked <= decided <= replies + in_flight:
        return f"records do not equal replies: {told}"
    return None
