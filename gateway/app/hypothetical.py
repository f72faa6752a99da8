"""The facts of an HTTP request that somebody wrote down, as a configuration would find them.

The request is read, classified and placed by the functions that serve. Only who asks is stated and
not proved: a credential in a file is one that has leaked, and its signature has expired. Nothing
was counted either, so a quota counts as used up.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

import msgspec

from gateway.config.settings import Settings
from gateway.core.catalog.classify import classify
from gateway.core.catalog.hosts import bare_host, providers_at
from gateway.core.catalog.model import Catalog, Provider
from gateway.core.facts import Facts
from gateway.core.geography.locate import locate
from gateway.core.identity.model import Tenant, Verified
from gateway.core.operation import Observed
from gateway.core.request import Malformed, Request
from gateway.core.screening import screening_of
from gateway.errors import Finding, FindingsError, SourceError, source_finding
from gateway.proxy.captured import Captured, read, read_json, read_raw
from gateway.sources.catalogs import load_catalog
from gateway.sources.networks import load_networks
from gateway.sources.settings import load_settings_file
from gateway.sources.tenants import load_tenants


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """What a written request does not prove.

    Attributes:
        tenant: id of whose request it is.
        client: address that it comes from; None is nobody's address.
        at: when, aware, UTC.
    """

    tenant: str
    client: str | None
    at: datetime


def facts_of_http(
    content: bytes, *, path: str, config: Path, environ: Mapping[str, str], stated: Stated
) -> tuple[Facts, Path | None]:
    """Return the facts of a request under a configuration, and where its policies stand.

    Args:
        content: one request, in the JSON form or as an HTTP/1.1 message; any byte may be hostile.
        path: names it in findings.
        config: `gateway.yaml`; its tenants and networks are read as well.
        environ: for `env:` references.
        stated: what it does not prove.

    Raises:
        FindingsError: any file has a mistake, the door would refuse the request, its host is
            nobody's, or the tenant is not there.
    """
    catalog = load_catalog()
    settings = load_settings_file(config, environ, providers=catalog.providers)
    loaded = load_tenants(settings.tenants, secrets_key=settings.identity.secrets_key_bytes)
    tenant = _tenant(loaded.tenants.by_id, stated.tenant, path=str(settings.tenants))
    request = _request(content, settings, catalog, path=path)
    if stated.client is not None:
        request = msgspec.structs.replace(request, peer=stated.client)
    identity = Verified(method="api_key", credential="stated", tenant=tenant)
    operation = classify(request, catalog, Observed())
    try:
        networks = load_networks(
            settings.networks.country,
            anonymous=settings.networks.anonymous,
            max_age=settings.networks.max_age,
            trusted_proxies=settings.trusted_proxies,
        )
    except SourceError as failure:
        raise FindingsError((source_finding(failure),)) from None
    facts = Facts(
        operation=operation,
        identity=identity,
        geography=locate(request, operation, identity, networks, stated.at),
        screening=screening_of(identity, loaded.verdicts),
        observed=Observed(),
        at=stated.at,
    )
    return facts, settings.policies.dir


def _tenant(tenants: Mapping[str, Tenant], wanted: str, *, path: str) -> Tenant:
    """Return the tenant.

    Raises:
        FindingsError: there is none of this id.
    """
    if wanted in tenants:
        return tenants[wanted]
    near = get_close_matches(wanted, tenants, n=1)
    hint = f"did you mean `{near[0]}`?" if near else ""
    raise FindingsError(_whole(path, f"there is no tenant `{wanted}`", hint))


def _request(content: bytes, settings: Settings, catalog: Catalog, *, path: str) -> Request:
    """Read the request.

    Raises:
        FindingsError: the door would refuse it, or its host is nobody's.
    """
    is_json = content.lstrip()[:1] == b"{"
    captured = read_json(content) if is_json else read_raw(content, name=path)
    if isinstance(captured, Malformed):
        raise FindingsError(_at_the_door(path, captured))
    provider = _provider(captured, settings, catalog, path=path)
    request = read(captured, provider, body_bytes=settings.limits.body_bytes)
    if isinstance(request, Malformed):
        raise FindingsError(_at_the_door(path, request))
    return request


def _at_the_door(path: str, refused: Malformed) -> tuple[Finding, ...]:
    return _whole(path, f"is refused at the door: {refused.reason}: {refused.detail}")


def _provider(captured: Captured, settings: Settings, catalog: Catalog, *, path: str) -> Provider:
    """Return whose a host is: an upstream's, or that of a provider of the catalogue.

    Raises:
        FindingsError: it is nobody's.
    """
    host = captured.host.lower()
    upstreams = (
        upstream.provider
        for upstream in settings.upstreams
        if host in upstream.hosts or bare_host(host) in upstream.hosts
    )
    names = (*upstreams, *providers_at(host, catalog.providers))
    for name in names:
        if name in catalog.providers:
            return catalog.providers[name]
    raise FindingsError(_whole(path, "names a host that is no upstream's and in no catalogue"))


def _whole(path: str, message: str, hint: str = "") -> tuple[Finding, ...]:
    return (Finding(path=path, line=0, column=0, message=message, hint=hint),)
