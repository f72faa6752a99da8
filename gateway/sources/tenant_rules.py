"""Rules over the tenant file as a whole: what must be unique, and what must agree."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from gateway.errors import Finding
from gateway.sources.tenant_file import TenantEntry
from gateway.sources.yaml_file import Document, Loc
from gateway.sources.yaml_nodes import quoted


def attested(entries: list[TenantEntry]) -> Iterator[tuple[str, list[str] | None, Loc]]:
    """Yield each party's name, the lists said to name it, and its place.

    Yields:
        The tenant itself first, then its parties; None for the lists where nothing is attested.
    """
    for index, entry in enumerate(entries):
        yield entry.legal_name, entry.listed, ("tenants", index, "legal_name")
        for place, party in enumerate(entry.parties):
            yield party.name, party.listed, ("tenants", index, "parties", place, "name")


def contradictions(entries: list[TenantEntry], document: Document) -> Iterator[Finding]:
    """Find names with more than one verdict: verdicts are looked up by name.

    Yields:
        A finding for each occurrence that differs from the first.
    """
    first: dict[str, tuple[frozenset[str] | None, Loc]] = {}
    for name, lists, loc in attested(entries):
        verdict = frozenset(lists) if lists is not None else None
        known, place = first.setdefault(name, (verdict, loc))
        if known != verdict:
            yield document.finding(
                loc,
                f"party {quoted(name)} has another `listed` here than in line"
                f" {document.place(place)[0]}",
                "a name has one screening result: write the same `listed` wherever it stands",
            )


def repetitions(entries: list[TenantEntry], document: Document) -> Iterator[Finding]:
    """Find what must be unique and is not.

    Yields:
        A finding for each occurrence after the first.
    """
    seen: dict[tuple[str, Hashable], Loc] = {}
    for what, value, loc in _identities(entries):
        place = seen.setdefault((what, value), loc)
        if place != loc:
            yield document.finding(
                loc, f"this {what} stands twice", f"first in line {document.place(place)[0]}"
            )


def _identities(entries: list[TenantEntry]) -> Iterator[tuple[str, Hashable, Loc]]:
    for index, entry in enumerate(entries):
        at: Loc = ("tenants", index)
        yield "tenant id", entry.id, (*at, "id")
        for place, reference in enumerate(entry.references):
            loc = (*at, "references", place, "id")
            yield "reference id of a tenant", (entry.id, reference.id), loc
        credentials = entry.credentials
        for place, token in enumerate(credentials.jwt):
            subject = (token.issuer, token.subject)
            yield "subject", subject, (*at, "credentials", "jwt", place, "subject")
        for place, key in enumerate(credentials.api_keys):
            yield "key id", key.id, (*at, "credentials", "api_keys", place, "id")
            yield "key hash", key.hash, (*at, "credentials", "api_keys", place, "hash")
        for place, access in enumerate(credentials.access_keys):
            yield "key id", access.id, (*at, "credentials", "access_keys", place, "id")


def unusable_keys(
    entries: list[TenantEntry], document: Document, readable: frozenset[str], *, sealed: bool
) -> Iterator[Finding]:
    """Find keys that cannot be used under the configured secrets key.

    Args:
        entries: the tenants.
        document: where they stand.
        readable: ids of the access keys whose secret decrypted.
        sealed: whether no secrets key is configured at all.

    Yields:
        A finding for each access key, or for each tenant with keys where none can be read.
    """
    for index, entry in enumerate(entries):
        at: Loc = ("tenants", index, "credentials")
        credentials = entry.credentials
        if sealed and (credentials.api_keys or credentials.access_keys):
            yield document.finding(
                at, "keys stand here, and no secrets key is configured", "set identity.secrets_key"
            )
        for place, key in enumerate(() if sealed else credentials.access_keys):
            if key.id not in readable:
                yield document.finding(
                    (*at, "access_keys", place, "secret"),
                    "the secret does not decrypt",
                    "it was made under another secrets key, or for another id",
                )
