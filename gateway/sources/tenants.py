"""The tenant file: who may ask, with what credentials, on whose behalf, and what is on file.

YAML for people, or JSON lines (`.jsonl`, one tenant a line) for large accounts. A file with any
mistake is refused whole: the gateway does not start, or keeps the tenants that it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from pydantic import ValidationError

from gateway.core import strict_json
from gateway.core.identity.keys import (
    AccessKey,
    ApiKey,
    Tenants,
    credentials_digest,
    meaning_digest,
)
from gateway.core.identity.model import Party, Quota, Reference, Tenant
from gateway.core.strict_json import Refused
from gateway.errors import ConfigError, Finding, FindingsError
from gateway.sources.secrets_box import decrypt_secret
from gateway.sources.tenant_file import ReferenceEntry, TenantEntry, TenantFile
from gateway.sources.tenant_notes import notes
from gateway.sources.tenant_rules import attested, contradictions, repetitions, unusable_keys
from gateway.sources.yaml_file import Document, parse_yaml, read_text, validation_findings
from gateway.sources.yaml_nodes import Node

_YAML_BYTES: Final = 4 << 20
_JSONL_BYTES: Final = 256 << 20


class LoadedTenants(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant file says, ready for the snapshot.

    Attributes:
        tenants: the tenants; its digest covers the verdicts too.
        api_keys: by keyed hash.
        access_keys: by id, secrets decrypted.
        verdicts: party name to the lists that name it; a name that is not screened is missing.
        credentials: digest of the keys, see `credentials_digest`.
        digest: that of `tenants`.
    """

    tenants: Tenants
    api_keys: Mapping[str, ApiKey]
    access_keys: Mapping[str, AccessKey]
    verdicts: Mapping[str, tuple[str, ...]]
    credentials: str
    digest: str


def load_tenants(
    path: Path, *, secrets_key: bytes | None, check_keys: bool = True
) -> LoadedTenants:
    """Read and check a tenant file.

    Args:
        path: YAML, or JSON lines where the name ends in `.jsonl`.
        secrets_key: 32 bytes; needed where the file holds API keys or access keys.
        check_keys: False where the file is only looked through, without the key that it needs.

    Raises:
        ConfigError: the file does not hold; every mistake in it.
    """
    return _load(path, secrets_key=secrets_key, check_keys=check_keys)[-1]


def check_tenants(
    path: Path, *, secrets_key: bytes | None, check_keys: bool, now: datetime
) -> tuple[Finding, ...]:
    """Read and check a tenant file, and return what is pressing of the references in it.

    Args:
        path: as for `load_tenants`, like the next two.
        secrets_key: likewise.
        check_keys: likewise.
        now: aware, UTC.

    Returns:
        Notes in file order: none of them is a mistake.

    Raises:
        ConfigError: the file does not hold; every mistake in it.
    """
    document, entries, loaded = _load(path, secrets_key=secrets_key, check_keys=check_keys)
    return tuple(notes(entries, loaded.tenants.by_id, document, now))


def _load(
    path: Path, *, secrets_key: bytes | None, check_keys: bool
) -> tuple[Document, list[TenantEntry], LoadedTenants]:
    """Read a tenant file: as it stands, as it is written, and as it is understood.

    Raises:
        ConfigError: the file does not hold; every mistake in it.
    """
    try:
        document = _read(path)
        entries = _entries(document)
        loaded = _tenants_of(entries, document, secrets_key=secrets_key, check_keys=check_keys)
    except FindingsError as error:
        raise ConfigError(error.findings) from None
    return document, entries, loaded


def _read(path: Path) -> Document:
    if path.suffix == ".jsonl":
        return _read_lines(path)
    return parse_yaml(read_text(path, max_bytes=_YAML_BYTES), path=str(path))


def _entries(document: Document) -> list[TenantEntry]:
    try:
        return TenantFile.model_validate(document.value).tenants
    except ValidationError as error:
        raise FindingsError(validation_findings(error, document, model=TenantFile)) from None


def _tenants_of(
    entries: list[TenantEntry],
    document: Document,
    *,
    secrets_key: bytes | None,
    check_keys: bool,
) -> LoadedTenants:
    access_keys = {key.id: key for key in _access_keys(entries, secrets_key)}
    findings = [*repetitions(entries, document), *contradictions(entries, document)]
    if check_keys:
        readable = frozenset(access_keys)
        findings += unusable_keys(entries, document, readable, sealed=secrets_key is None)
    if findings:
        raise FindingsError(tuple(sorted(findings)))
    by_id = {entry.id: _tenant(entry) for entry in entries}
    verdicts = {
        name: tuple(sorted(set(lists))) for name, lists, _ in attested(entries) if lists is not None
    }
    subjects = {
        (token.issuer, token.subject): by_id[entry.id]
        for entry in entries
        for token in entry.credentials.jwt
    }
    digest = _digest(by_id, subjects, verdicts)
    api_keys = {
        key.hash: ApiKey(id=key.id, tenant_id=entry.id)
        for entry in entries
        for key in entry.credentials.api_keys
    }
    return LoadedTenants(
        tenants=Tenants(by_id=by_id, by_subject=subjects, digest=digest),
        api_keys=api_keys,
        access_keys=access_keys,
        verdicts=verdicts,
        credentials=credentials_digest(api_keys, access_keys),
        digest=digest,
    )


def _tenant(entry: TenantEntry) -> Tenant:
    countries = _known(entry.countries)
    caller = Party(name=entry.legal_name, role="caller", type=entry.type, countries=countries)
    others = tuple(
        Party(name=one.name, role=one.role, type=one.type, countries=_known(one.countries))
        for one in entry.parties
    )
    return Tenant(
        id=entry.id,
        legal_name=entry.legal_name,
        type=entry.type,
        tier=entry.tier or "none",
        tags=tuple(sorted(set(entry.tags))),
        countries=countries,
        deployments=_known(entry.deployments),
        end_uses=tuple(sorted(set(entry.end_uses))) or ("undeclared",),
        parties=(caller, *others),
        references=tuple(
            sorted([_reference(one) for one in entry.references], key=lambda one: one.id)
        ),
    )


def _reference(entry: ReferenceEntry) -> Reference:
    quota = entry.quota
    return Reference(
        id=entry.id,
        kind=entry.kind,
        authority=entry.authority or "",
        names=tuple(sorted(set(entry.names))),
        classes=tuple(sorted(set(entry.classes))),
        destinations=tuple(sorted(set(entry.destinations))),
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        quota=None if quota is None else Quota(limit=quota.limit, counts=quota.counts),
        report_days=entry.report_days,
        reported=entry.reported,
        warn_days=entry.warn_days,
    )


def _known(countries: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(countries))) or ("unknown",)


def _access_keys(entries: list[TenantEntry], secrets_key: bytes | None) -> Iterator[AccessKey]:
    if secrets_key is None:
        return
    for entry in entries:
        for key in entry.credentials.access_keys:
            secret = decrypt_secret(key.secret, key.id, secrets_key)
            if secret is not None:
                yield AccessKey(id=key.id, tenant_id=entry.id, secret=secret)


class _Meaning(msgspec.Struct, frozen=True):
    tenants: list[Tenant]
    subjects: list[tuple[str, str, str]]
    verdicts: list[tuple[str, tuple[str, ...]]]


def _digest(
    by_id: Mapping[str, Tenant],
    subjects: Mapping[tuple[str, str], Tenant],
    verdicts: Mapping[str, tuple[str, ...]],
) -> str:
    meaning = _Meaning(
        tenants=[by_id[name] for name in sorted(by_id)],
        subjects=sorted((*subject, tenant.id) for subject, tenant in subjects.items()),
        verdicts=sorted(verdicts.items()),
    )
    return meaning_digest("tenants", msgspec.json.encode(meaning))


def _read_lines(path: Path) -> Document:
    """Read JSON lines into the value and the places that a YAML file would have.

    Raises:
        FindingsError: a line is not JSON with one reading; every such line.
    """
    values: list[object] = []
    nodes: dict[str | int, Node] = {}
    findings: list[Finding] = []
    for number, line in _lines(read_text(path, max_bytes=_JSONL_BYTES)):
        value = strict_json.loads(line.encode())
        if isinstance(value, Refused):
            message = f"not JSON: {value.reason}"
            findings.append(Finding(path=str(path), line=number, column=1, message=message))
            continue
        nodes[len(values)] = Node(value=value, place=(number, 1))
        values.append(value)
    if findings:
        raise FindingsError(tuple(findings))
    whole = {"apiVersion": "facegate/v1", "kind": "Tenants", "tenants": values}
    tenants = Node(value=values, place=(1, 1), children=nodes)
    root = Node(value=whole, place=(1, 1), children={"tenants": tenants})
    return Document(path=str(path), value=whole, root=root)


def _lines(text: str) -> Iterable[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
