"""Finding the one credential of a request.

A request with two credentials has two callers; it is refused, whichever of them would verify.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from gateway.core import sigv4
from gateway.core.identity.keys import Keys
from gateway.core.identity.model import Unverified
from gateway.core.request import Request

# Presigned URLs (any of these names in the query) and session tokens are not supported.
_PRESIGNED: Final = frozenset(
    {"x-amz-algorithm", "x-amz-credential", "x-amz-signature", "x-amz-security-token"}
)
_SESSION_TOKEN: Final = "x-amz-security-token"  # noqa: S105 - the name of a header


class Presented(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as it was sent: a token, an API key, or a SigV4 Authorization value."""

    kind: Literal["jwt", "api_key", "sigv4"]
    value: str

    def __repr__(self) -> str:
        """Show the kind only."""
        return f"Presented({self.kind})"


def presented(request: Request, keys: Keys) -> Presented | Unverified:
    """Return the only credential of a request, or why there is none that can be read."""
    authorization = request.headers.get("authorization")
    if authorization is not None and _alone(request, keys):
        return _authorization(authorization)
    places = keys.places_at(request.provider)
    in_headers = places.key_headers & request.headers.keys()
    names = [name.lower() for name, _ in request.query]
    presigned = not _PRESIGNED.isdisjoint(names)
    in_query = sum(
        name in places.credential_parameters and name not in _PRESIGNED for name in names
    )
    count = len(in_headers) + in_query + presigned + (authorization is not None)
    if count > 1:
        return Unverified(reason="identity.several")
    if presigned or in_query or _SESSION_TOKEN in request.headers:
        return Unverified(reason="identity.malformed")
    if authorization is not None:
        return _authorization(authorization)
    for name in in_headers:
        return Presented(kind="api_key", value=request.headers[name])
    return Unverified(reason="identity.missing")


def _alone(request: Request, keys: Keys) -> bool:
    """Tell at once, for most requests, that nothing beside Authorization can be a credential."""
    headers = request.headers
    return (
        not request.query
        and keys.places_at(request.provider).key_headers.isdisjoint(headers)
        and _SESSION_TOKEN not in headers
    )


def _authorization(value: str) -> Presented | Unverified:
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "bearer":
        return Presented(kind="jwt", value=rest)
    if scheme == sigv4.ALGORITHM:
        return Presented(kind="sigv4", value=value)
    return Unverified(reason="identity.malformed")
