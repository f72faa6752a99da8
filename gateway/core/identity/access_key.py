"""Access keys: SigV4 with keys that the gateway issued, over the bytes that came in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from gateway.core import sigv4
from gateway.core.identity.keys import AccessKey, Keys
from gateway.core.identity.model import Unverified
from gateway.core.request import Request, Whole

# The signing name that a provider's clients use: a signature for another service is not for it.
_SERVICES: Final[Mapping[str, str]] = {"aws_rekognition": "rekognition"}

_REASONS: Final[Mapping[sigv4.Failure, str]] = {
    "date": "identity.malformed",
    "skew": "identity.expired",
    "unsigned": "identity.signature",
    "payload": "identity.signature",
    "signature": "identity.signature",
}


def find_access_key(
    authorization: str, request: Request, keys: Keys, now: datetime
) -> AccessKey | Unverified:
    """Return the key whose signature the request bears, or why it bears none."""
    presented = sigv4.parse_authorization(authorization)
    if presented is None:
        return Unverified(reason="identity.malformed")
    key = keys.access_keys.get(presented.scope.access_key_id)
    if key is None:
        return Unverified(reason="identity.unknown")
    service = presented.scope.service
    # A body that is not at hand cannot be what was signed.
    if not isinstance(request.body, Whole) or _SERVICES.get(request.provider, service) != service:
        return Unverified(reason="identity.signature")
    failure = sigv4.failure(
        presented,
        secret=key.secret,
        method=request.method,
        path=request.signed_path or request.path,
        query=request.query_string,
        headers={**request.headers, "host": request.host},
        payload_sha256=request.body.sha256,
        now=now,
        decisive=keys.places_at(request.provider).signed_headers,
    )
    return key if failure is None else Unverified(reason=_REASONS[failure])
