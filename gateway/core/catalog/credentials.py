"""Where a caller's credential stands outside of the headers: in the query, a form, or the path.

The catalogue names the places. What stands there is whoever asks, so it is handed to identification
and to nothing else; `gateway.proxy.credentials` takes it out before the request goes on.
"""

from __future__ import annotations

from urllib.parse import unquote

from gateway.core.catalog.bodies import form_of
from gateway.core.catalog.dialects import batch
from gateway.core.catalog.media import read_media_type
from gateway.core.catalog.model import Catalog, Provider
from gateway.core.catalog.paths import route
from gateway.core.request import Request, Whole
from gateway.core.strict_json import Refused

Stated = tuple[str, ...] | None
"""The credentials of a request; None where the place of one has no single reading."""

_MIXED = "multipart/mixed"
_INNER_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key", "x-goog-api-key"}
)
_Named = list[tuple[str, str]]


def stated_credentials(request: Request, catalog: Catalog) -> Stated:
    """Return every credential that stands outside of the headers.

    A provider that asks for a key and a secret gets a gateway's key in both of their places: the
    two are one credential where they are the same, and two where they are not. Within a batch each
    request could speak for somebody else, so what stands there is a credential not to be read.
    """
    provider = catalog.providers.get(request.provider)
    if provider is None:
        return ()
    if _MIXED in request.headers.get("content-type", "").lower() and _is_within(request, provider):
        return None
    if not (request.query or provider.credential_fields or provider.credential_segments):
        return ()
    named: _Named = []
    if request.query and provider.credential_parameters:
        names = folded(provider.credential_parameters)
        named += [pair for pair in request.query if pair[0].casefold() in names]
    if provider.credential_fields:
        fields = _fields_of(request, provider)
        if fields is None:
            return None
        named += fields
    paired = _is_pair(named, provider)
    segments = credential_segments_of(request, provider) if provider.credential_segments else ()
    values = [value for _, value in named[:1] if paired] or [value for _, value in named]
    return (*values, *map(unquote, segments))


def _is_within(request: Request, provider: Provider) -> bool:
    """Tell whether a request of a batch may have a credential of its own, which would go on."""
    media = read_media_type(request.headers.get("content-type", ""))
    if media is None or not isinstance(request.body, Whole):
        return True
    parts = batch.read(request.body.content, media)
    if isinstance(parts, Refused):
        return True
    headers = _INNER_HEADERS | provider.key_headers
    names = folded(provider.credential_parameters)
    return any(
        not headers.isdisjoint(part.headers)
        or any(name.casefold() in names for name, _ in part.query)
        for part in parts
    )


def folded(names: frozenset[str]) -> frozenset[str]:
    """Return names without case: some server may take any spelling of them."""
    return frozenset(name.casefold() for name in names)


def credential_segments_of(request: Request, provider: Provider) -> tuple[str, ...]:
    """Return the path's segments that are credentials, as they stand in the path."""
    for routes in provider.routes:
        found = route(routes, request.path, request.method)
        if found is not None:
            return tuple(
                value for name, value in found[1].items() if name in provider.credential_segments
            )
    return ()


def _fields_of(request: Request, provider: Provider) -> _Named | None:
    form = form_of(request)
    if isinstance(form, Refused):
        return None
    names = folded(provider.credential_fields)
    found: _Named = []
    for name, value in form.items() if form else ():
        if name.casefold() not in names:
            continue
        if not isinstance(value, str):
            return None
        found.append((name, value))
    return found


def _is_pair(named: _Named, provider: Provider) -> bool:
    if len(named) != 2:  # noqa: PLR2004 - what a pair is
        return False
    (first, value), (second, other) = named
    names = {first.casefold(), second.casefold()}
    return value == other and any(names == set(pair) for pair in provider.credential_pairs)
