"""Everything that decisions rest on besides the request, replaced whole by reference.

A snapshot has named parts; each part has the SHA-256 of its canonical meaning, and the snapshot's
digest is the hash over the sorted part digests. Records carry both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from gateway.core.catalog.model import Catalog
from gateway.core.geography.networks import Networks
from gateway.core.identity.keys import Keys, Tenants
from gateway.core.identity.model import Identity, Verified
from gateway.core.policy.model import Policies
from gateway.core.screening import Verdicts
from gateway.core.standing import Standings

# The name under which the active policy is asked beside a staged one.
ACTIVE: Final = "active"
_PLACE_BYTES: Final = 8


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that is asked beside the one that decides; `standings` is its own memory."""

    name: str
    policies: Policies
    standings: Standings


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that is to judge some tenants: which, of how many percent, chosen under which salt.

    The salt is the bundle's digest: each bundle begins with other tenants, and keeps them.
    """

    policies: Policies
    percent: int
    salt: str

    def holds(self, tenant_id: str) -> bool:
        """Tell whether a tenant is among the share; who is in a small share is in a larger one."""
        text = f"{self.salt}\n{tenant_id}".encode("utf-8", "surrogatepass")
        place = int.from_bytes(hashlib.sha256(text).digest()[:_PLACE_BYTES], "big")
        return place * 100 < self.percent << 8 * _PLACE_BYTES


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, weakref=True):
    """One immutable state of all sources; requests in flight keep the one they began with.

    `parts` maps the part's name to its digest, sorted by name; `digest` is over all of them.
    `standings` is the memory of verdicts under this snapshot; `shadows` are asked and recorded, and
    decide nothing; `named` holds every attribute that a rule of any of these policies names.
    `staged` is the same with another policy, for the tenants that `stage` chooses.
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
    stage: Stage | None = None
    staged: Snapshot | None = None

    def judging(self, identity: Identity) -> Snapshot:
        """Return the snapshot that this caller is judged under: one policy at a time for each."""
        if self.stage is None or self.staged is None or not isinstance(identity, Verified):
            return self
        return self.staged if self.stage.holds(identity.tenant.id) else self


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
    stage: Stage | None = None,
) -> Snapshot:
    """Put the parts together and compute the digests.

    `candidates` are policies by name that are asked beside the one that decides; no part of what
    is decided by, so of no digest. Beside a policy that is staged, the active one is asked as well,
    under the name `active`.
    """
    staged: Snapshot | None = None
    if stage is not None:
        staged = make_snapshot(
            catalog=catalog,
            keys=keys,
            tenants=tenants,
            verdicts=verdicts,
            networks=networks,
            policies=stage.policies,
            settings_digest=settings_digest,
            candidates={ACTIVE: policies, **candidates},
        )
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
        named=frozenset().union(
            *(one.table.named for one in (policies, *candidates.values())),
            () if staged is None else staged.named,
        ),
        stage=stage,
        staged=staged,
    )
