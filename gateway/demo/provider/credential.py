"""Checks, as the providers do, that a call came with the gateway's own credential.

So the demonstration shows that a caller's credential never goes upstream: with any other one the
simulator answers the provider's native refusal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from gateway.core import sigv4
from gateway.demo.provider import azure_face, rekognition
from gateway.demo.provider.reply import Reply


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway's own credentials at the providers; the simulator accepts no other."""

    access_key_id: str
    secret_access_key: str
    region: str
    subscription_key: str

    def __repr__(self) -> str:
        """Name no secret."""
        return f"Own(access_key_id={self.access_key_id!r}, …)"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One call as it arrived; header names in lower case, the target as in the request line."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def check_aws(sent: Sent, own: Own, now: datetime) -> Reply | None:
    """Verify the SigV4 signature over the exact bytes; None where it is the gateway's own."""
    presented = sigv4.parse_authorization(sent.headers.get("authorization", ""))
    if presented is None:
        return rekognition.fault(
            "MissingAuthenticationTokenException", "Missing Authentication Token", 403
        )
    if presented.scope.access_key_id != own.access_key_id:
        return rekognition.fault(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            403,
        )
    path, _, query = sent.target.partition("?")
    failure = sigv4.failure(
        presented,
        secret=own.secret_access_key,
        method=sent.method,
        path=path,
        query=query,
        headers=sent.headers,
        payload_sha256=hashlib.sha256(sent.body).hexdigest(),
        now=now,
    )
    if failure is None and (presented.scope.region, presented.scope.service) == (
        own.region,
        "rekognition",
    ):
        return None
    return rekognition.fault(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided.",
        403,
    )


def check_azure(sent: Sent, own: Own) -> Reply | None:
    """Compare the subscription key; None where it is the gateway's own."""
    if sent.headers.get("ocp-apim-subscription-key") == own.subscription_key:
        return None
    return azure_face.fault(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide "
        "a valid key for an active subscription.",
    )
