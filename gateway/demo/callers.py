"""Credentials of the invented callers, made on the spot, and the tenant file that knows them."""

from __future__ import annotations

from pathlib import Path

import msgspec
from ruamel.yaml import YAML

from gateway.core.strict_json import JsonValue
from gateway.demo.parties import PARTIES
from gateway.sources.secrets_box import issue_access_key, issue_api_key


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The credentials of one tenant: token subject, API key, AWS access key."""

    subject: str
    api_key: str
    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        """Name no secret."""
        return f"Caller(subject={self.subject!r}, access_key_id={self.access_key_id!r}, …)"


def write_tenants(path: Path, *, secrets_key: bytes, issuer_url: str) -> dict[str, Caller]:
    """Write the tenant file, and return each tenant's credentials by its id.

    Args:
        path: the file.
        secrets_key: under which keys are hashed and secrets encrypted, 32 bytes.
        issuer_url: issuer of everybody's tokens.
    """
    callers: dict[str, Caller] = {}
    tenants: list[JsonValue] = []
    for party in PARTIES:
        tenant_id = str(party["id"])
        api_key, access_key = issue_api_key(secrets_key), issue_access_key(secrets_key)
        caller = Caller(
            subject=f"svc-{tenant_id}",
            api_key=api_key.credential,
            access_key_id=access_key.id,
            secret_access_key=access_key.secret,
        )
        callers[tenant_id] = caller
        credentials: JsonValue = {
            "jwt": [{"issuer": issuer_url, "subject": caller.subject}],
            "api_keys": [{"id": api_key.id, "hash": api_key.hash}],
            "access_keys": [{"id": access_key.id, "secret": access_key.encrypted}],
        }
        tenants.append({**party, "credentials": credentials})
    document = {"apiVersion": "facegate/v1", "kind": "Tenants", "tenants": tenants}
    with path.open("w") as file:
        YAML().dump(document, file)
    return callers
