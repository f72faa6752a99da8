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


def presented(
    request: Request, keys: Keys, stated: tuple[str, ...] | None
) -> Presented | Unverified:
    """Return the only credential of a request, or why there is none that can be read.

    Args:
        request: the canonical request.
        keys: which headers hold keys.
        stated: what stands where the catalogue looks for credentials outside of the headers: query,
            form and path; None where that cannot be read in one way.
    """
    authorization = request.headers.get("authorization")
    if authorization is not None and stated == () and _alone(request, keys):
        return _authorization(authorization)
    in_headers = keys.places_at(request.provider).key_headers & request.headers.keys()
    presigned = any(name.lower() in _PRESIGNED for name, _ in request.query)
    elsewhere = 1 if presigned or stated is None else len(stated)
    if len(in_headers) + elsewhere + (authorization is not None) > 1:
        return Unverified(reason="identity.several")
    if presigned or stated is None or _SESSION_TOKEN in request.headers:
        return Unverified(reason="identity.malformed")
    if authorization is not None:
        return _authorization(authorization)
    for value in (*stated, *(request.headers[name] for name in in_headers)):
        return Presented(kind="api_key", value=value)
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
