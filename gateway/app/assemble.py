"""From loaded parts to one `Serving`: the snapshot, the door's routes, the upstreams."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping

import msgspec

from gateway.config.fields import Secret
from gateway.config.settings import (
    AwsCredential as AwsSettings,
    BearerCredential as BearerSettings,
    Credential as CredentialSettings,
    HeaderCredential as HeaderSettings,
    NoCredential as NoSettings,
    Settings,
    Upstream as UpstreamSettings,
)
from gateway.core.catalog.model import Catalog, Provider
from gateway.core.geography.networks import Networks
from gateway.core.identity.keys import IssuerKeys, Keys, make_keys, make_places
from gateway.core.policy.model import Policies
from gateway.core.snapshot import Stage, make_snapshot
from gateway.proxy.forward import (
    AwsCredential,
    BearerCredential,
    Credential,
    FormCredential,
    HeaderCredential,
    NoCredential,
    QueryCredential,
)
from gateway.proxy.server import Serving, Upstream
from gateway.proxy.upstream import Pool, PoolLimits, host_field, tls_context
from gateway.proxy.wire import Door, Route, route_to
from gateway.sources.tenants import LoadedTenants


def assemble_keys(
    settings: Settings, catalog: Catalog, tenants: LoadedTenants, issuers: Iterable[IssuerKeys]
) -> Keys:
    """Put together what verifies credentials; what the settings turn off is left out."""
    identity = settings.identity
    whole = identity.api_keys == identity.sigv4 == "tenants"
    return make_keys(
        issuers=issuers,
        api_keys=tenants.api_keys if identity.api_keys == "tenants" else {},
        access_keys=tenants.access_keys if identity.sigv4 == "tenants" else {},
        secrets_key=identity.secrets_key_bytes,
        credentials=tenants.credentials if whole else "",
        places={
            provider.name: make_places(
                key_headers=provider.key_headers,
                signed_headers=provider.decision_headers,
            )
            for provider in catalog.providers.values()
        },
    )


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What was read and is to be served: everything that a snapshot is put together from."""

    settings: Settings
    tenants: LoadedTenants
    networks: Networks
    policies: Policies
    candidates: Mapping[str, Policies]
    stage: Stage | None

    def every_policy(self) -> tuple[Policies, ...]:
        """Return what decides, for whomever, and what is only asked."""
        staged = () if self.stage is None else (self.stage.policies,)
        return (self.policies, *staged, *self.candidates.values())


def assemble(
    loaded: Loaded, *, catalog: Catalog, keys: Keys, upstreams: dict[str, Upstream]
) -> Serving:
    """Put together all that one request is served by."""
    settings = loaded.settings
    return Serving(
        snapshot=make_snapshot(
            catalog=catalog,
            keys=keys,
            tenants=loaded.tenants.tenants,
            verdicts=loaded.tenants.verdicts,
            networks=loaded.networks,
            policies=loaded.policies,
            settings_digest=settings.digest,
            candidates=loaded.candidates,
            stage=loaded.stage,
        ),
        door=Door(
            routes={
                host: route_to(catalog.providers[upstream.provider], upstream=upstream.name)
                for upstream in settings.upstreams
                for host in upstream.hosts
                if not upstream.path_prefix
            },
            prefixed=_prefixed(settings.upstreams, catalog),
            body_bytes=settings.limits.body_bytes,
            body_timeout_s=settings.limits.body_timeout_s,
        ),
        upstreams=upstreams,
        inspection_memory_bytes=settings.limits.inspection_memory_bytes,
    )


def _prefixed(
    upstreams: Iterable[UpstreamSettings], catalog: Catalog
) -> Mapping[str, tuple[Route, ...]]:
    """Return the routes with a path prefix by host, the longest prefix first."""
    found: dict[str, list[Route]] = {}
    for upstream in upstreams:
        if upstream.path_prefix:
            provider, prefix = catalog.providers[upstream.provider], upstream.path_prefix
            route = route_to(provider, upstream=upstream.name, prefix=prefix)
            for host in upstream.hosts:
                found.setdefault(host, []).append(route)
    return {host: tuple(sorted(routes, key=_depth)) for host, routes in found.items()}


def _depth(route: Route) -> int:
    return -len(route.prefix)


def make_upstream(settings: UpstreamSettings, provider: Provider) -> Upstream:
    """Make an upstream with a pool of its own; nothing is connected yet."""
    tls: ssl.SSLContext | None = None
    if settings.url.startswith("https:"):
        tls = tls_context(str(settings.ca) if settings.ca else None)
    return Upstream(
        name=settings.name,
        provider=provider,
        pool=Pool(settings.url, limits=PoolLimits(connections=settings.max_connections), tls=tls),
        host=host_field(settings.url),
        credential=_credential(settings.credential),
        deadline_s=settings.timeout_s,
    )


def _credential(settings: CredentialSettings) -> Credential:
    if settings.query is not None:
        return QueryCredential(parameters=_revealed(settings.query))
    if settings.form is not None:
        return FormCredential(fields=_revealed(settings.form))
    match settings.chosen:
        case AwsSettings() as aws:
            return AwsCredential(
                access_key_id=aws.access_key_id.reveal(),
                secret=aws.secret_access_key.reveal(),
                region=aws.region,
                service=aws.service,
                session_token=aws.session_token.reveal() if aws.session_token else None,
            )
        case HeaderSettings() as header:
            return HeaderCredential(name=header.name, value=header.value.reveal())
        case BearerSettings() as bearer:
            return BearerCredential(token=bearer.token.reveal())
        case NoSettings():
            return NoCredential()


def _revealed(secrets: Mapping[str, Secret]) -> Mapping[str, str]:
    return {name: secret.reveal() for name, secret in secrets.items()}
