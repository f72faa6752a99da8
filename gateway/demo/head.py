"""Writes the heads of the samples as they go on the wire, with each caller's credential."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

from gateway.core import sigv4
from gateway.demo.callers import Caller
from gateway.demo.issuer import Issuer
from gateway.demo.samples.model import CredentialKind, Sample
from gateway.demo.world import AUDIENCE, World

_LIFETIME_S = 300
_EXPIRED_S = -600
_KEY_HEADER = "Ocp-Apim-Subscription-Key"

Lines = tuple[tuple[str, str], ...]


def head_of(sample: Sample, *, world: World, issuer: Issuer, now: datetime) -> bytes:
    """Write the request's head as it goes on the wire, the empty line with it."""
    message = sample.message
    host = sample.host or world.hosts[sample.provider]
    credential = _credential(sample, host, world=world, issuer=issuer, now=now)
    lines = [
        f"{message.method} {message.target} HTTP/1.1",
        f"Host: {host}",
        *(f"{name}: {value}" for name, value in (*message.headers, *credential)),
        f"X-Forwarded-For: {sample.forwarded_for}",
        f"Content-Length: {len(message.body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _credential(sample: Sample, host: str, *, world: World, issuer: Issuer, now: datetime) -> Lines:
    """Return the header lines by which the caller says who it is."""
    caller = world.callers[sample.tenant]

    def token(subject: str, lifetime_s: int = _LIFETIME_S) -> tuple[str, str]:
        text = issuer.mint(subject, audience=AUDIENCE, now=now, lifetime_s=lifetime_s)
        return "Authorization", f"Bearer {text}"

    def key(value: str) -> tuple[str, str]:
        return _KEY_HEADER, value

    lines: Mapping[CredentialKind, Callable[[], Lines]] = {
        "none": lambda: (),
        "jwt": lambda: (token(caller.subject),),
        "api_key": lambda: (key(caller.api_key),),
        "sigv4": lambda: _signed(sample, host, caller, caller.secret_access_key, now),
        "jwt_and_api_key": lambda: (token(caller.subject), key(caller.api_key)),
        "expired_jwt": lambda: (token(caller.subject, _EXPIRED_S),),
        "foreign_jwt": lambda: (token("svc-of-nobody"),),
        "unknown_api_key": lambda: (key(world.unknown_api_key),),
        "wrong_signature": lambda: _signed(sample, host, caller, "made-up-secret", now),
    }
    return lines[sample.credential]()


def _signed(sample: Sample, host: str, caller: Caller, secret: str, now: datetime) -> Lines:
    """Sign as boto3 does: content-type, host, x-amz-date and x-amz-target."""
    message = sample.message
    path, _, query = message.target.partition("?")
    signed = {name.lower(): value for name, value in reversed(message.headers)}
    authorization = sigv4.sign(
        method=message.method,
        path=path,
        query=query,
        headers={
            "host": host,
            "content-type": signed["content-type"],
            "x-amz-target": signed["x-amz-target"],
        },
        payload_sha256=hashlib.sha256(message.body).hexdigest(),
        access_key_id=caller.access_key_id,
        secret=secret,
        region="us-east-1",
        service="rekognition",
        now=now,
    )
    return ("X-Amz-Date", sigv4.amz_date(now)), ("Authorization", authorization)
