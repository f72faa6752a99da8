"""Everything that decisions rest on besides the request, replaced whole by reference.

A snapshot has named parts; each part has the SHA-256 of its canonical meaning, and the snapshot's
digest is the hash over the sorted part digests. Records carry both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gateway.core.catalog.model import Catalog
from gateway.core.geography.networks import Networks
from gateway.core.identity.keys import Keys, Tenants
from gateway.core.policy.model import Policies
from gateway.core.screening import Verdicts
from gateway.core.standing import Standings


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that is asked beside the one that decides; `standings` is its own memory."""

    name: str
    policies: Policies
    standings: Standings


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, weakref=True):
    """One immutable state of all sources; requests in flight keep the one they began with.

    `parts` maps the part's name to its digest, sorted by name; `digest` is over all of them.
    `standings` is the memory of verdicts under this snapshot; `shadows` are asked and recorded, and
    decide nothing; `named` holds every attribute that a rule of any of these policies names.
    """

    catalog: Catalog
    keys: Keys
    tenants: Tenants
    verdicts: Verdicts
    networks: Networks
    policies: Policies
    parts: Mapping[str, str]
    digest: str
    standings: Standings
    shadows: tuple[Shadow, ...]
    named: frozenset[str]


def snapshot_digest(parts: Mapping[str, str]) -> str:
    """Hash the part digests, sorted by part name; version-prefixed, `sha256:` and 64 hex digits."""
    text = "".join(f"{name}={parts[name]}\n" for name in sorted(parts))
    return "sha256:" + hashlib.sha256(b"facegate snapshot v1\n" + text.encode()).hexdigest()


def make_snapshot(
    *,
    catalog: Catalog,
    keys: Keys,
    tenants: Tenants,
    verdicts: Verdicts,
    networks: Networks,
    policies: Policies,
    settings_digest: str,
    candidates: Mapping[str, Policies] = MappingProxyType({}),
) -> Snapshot:
    """Put the parts together and compute the digests.

    `candidates` are policies by name that are asked beside the one that decides; no part of what
    is decided by, so of no digest.
    """
    parts = {
        "catalog": catalog.digest,
        "keys": keys.digest,
        "networks": networks.digest,
        "policies": policies.digest,
        "settings": settings_digest,
        "tenants": tenants.digest,
    }
    return Snapshot(
        catalog=catalog,
        keys=keys,
        tenants=tenants,
        verdicts=verdicts,
        networks=networks,
        policies=policies,
        parts=parts,
        digest=snapshot_digest(parts),
        standings=Standings(networks, policies),
        shadows=tuple(
            Shadow(name=name, policies=other, standings=Standings(networks, other))
            for name, other in candidates.items()
        ),
        named=frozenset().union(*(one.table.named for one in (policies, *candidates.values()))),
    )
