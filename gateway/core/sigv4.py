"""AWS Signature Version 4 in the Authorization header: verify and sign, over given values.

Pure arithmetic over what was read; no session tokens, no presigned URLs, no chunked or unsigned
payloads, and the path is encoded twice, as every service but S3 wants it. Source: IAM User Guide,
"Create a signed AWS API request"; botocore's `SigV4Auth` is the oracle in the tests.

A path must be free of empty and dot segments, which AWS would collapse before it signs; the
canonical `Request.path` is.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import quote

import msgspec

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SKEW: Final = timedelta(minutes=15)  # what AWS allows between x-amz-date and its clock

# What an `Authorization` value must be, to the byte: each part once, in the order of every SDK.
_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[A-Za-z0-9_]{16,128}/[0-9]{8}/[a-z0-9-]{1,64}/[a-z0-9-]{1,64}"
    r"/aws4_request, ?SignedHeaders=[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*"
    r", ?Signature=[0-9a-f]{64}",
    re.ASCII,
)
_AUTHORIZATION_BYTES: Final = 4096
_AMZ_DATE: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII)
_AMZ_PREFIX: Final = "x-amz-"
_ALWAYS_SIGNED: Final = ("host", "x-amz-date")
# Headers that say how the body is read: where they are present they must be signed.
_BODY_HEADERS: Final = ("content-type", "content-encoding")

# Derived keys by secret, date, region and service: a pure memory, four HMACs instead of none.
_REMEMBERED_KEYS: Final = 1024
_SIGNING_KEYS: Final[dict[tuple[str, str, str, str], bytes]] = {}

Failure = Literal["date", "skew", "unsigned", "payload", "signature"]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where a signature is valid: the parts of a credential scope, `date` as YYYYMMDD."""

    access_key_id: str
    date: str
    region: str
    service: str


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """A well-formed Authorization value; `signed_headers` is sorted and free of repetition."""

    scope: Scope
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(value: str) -> Authorization | None:
    """Read an Authorization value strictly; None where it is anything but one SigV4 credential."""
    if len(value) > _AUTHORIZATION_BYTES or _AUTHORIZATION.fullmatch(value) is None:
        return None
    credential, signed, signature = value.removeprefix(ALGORITHM).split(",")
    access_key_id, date, region, service, _ = credential.removeprefix(" Credential=").split("/")
    names = signed.lstrip(" ").removeprefix("SignedHeaders=").split(";")
    if sorted(set(names)) != names:
        return None
    return Authorization(
        scope=Scope(access_key_id=access_key_id, date=date, region=region, service=service),
        signed_headers=tuple(names),
        signature=signature.lstrip(" ").removeprefix("Signature="),
    )


def failure(
    presented: Authorization,
    *,
    secret: str,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    payload_sha256: str,
    now: datetime,
    decisive: Collection[str] = (),
) -> Failure | None:
    """Tell why a signature does not hold; None where it does.

    Args:
        presented: the parsed Authorization value.
        secret: secret access key of the presented id.
        method: upper-case method.
        path: raw path, percent-encoded as received.
        query: raw query string without `?`.
        headers: every header, lower-case name to value, `host` among them.
        payload_sha256: hash of the body's bytes, 64 lower-case hex digits.
        now: the time of the decision.
        decisive: further header names that must be signed where they are present.

    Returns:
        `date` (x-amz-date missing, malformed or outside the scope's day), `skew`, `unsigned` (a
        header that decides is not signed), `payload` (the declared hash is not the body's),
        `signature`, or None.
    """
    stamp = headers.get("x-amz-date", "")
    signed_at = _instant(stamp)
    if signed_at is None or not stamp.startswith(presented.scope.date):
        return "date"
    if abs(now - signed_at) > SKEW:
        return "skew"
    if not _covers(frozenset(presented.signed_headers), headers, decisive):
        return "unsigned"
    if headers.get("x-amz-content-sha256", payload_sha256) != payload_sha256:
        return "payload"
    canonical = _canonical(
        method, path, query, headers, presented.signed_headers, payload_sha256=payload_sha256
    )
    if canonical is None:
        return "signature"
    expected = _signature(canonical, stamp=stamp, scope=presented.scope, secret=secret)
    return None if hmac.compare_digest(expected, presented.signature) else "signature"


def sign(
    *,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    payload_sha256: str,
    access_key_id: str,
    secret: str,
    region: str,
    service: str,
    now: datetime,
) -> str:
    """Return the Authorization value for a request.

    Args:
        method: upper-case method.
        path: raw path as it goes out, percent-encoded.
        query: raw query string without `?`.
        headers: lower-case names to values, ASCII or from the wire; every one is signed. `host` is
            among them; `x-amz-date` is filled in and has to go out as `amz_date(now)`.
        payload_sha256: hash of the body's bytes, 64 lower-case hex digits.
        access_key_id: id of the signing key.
        secret: its secret.
        region: AWS region of the upstream.
        service: signing name, e.g. `rekognition`.
        now: the time of the signature, UTC.

    Raises:
        ValueError: a header holds characters that no header line can carry.
    """
    stamp = amz_date(now)
    scope = Scope(access_key_id=access_key_id, date=stamp[:8], region=region, service=service)
    outgoing = {**headers, "x-amz-date": stamp}
    names = sorted(outgoing)
    canonical = _canonical(method, path, query, outgoing, names, payload_sha256=payload_sha256)
    if canonical is None:
        raise ValueError("a header holds characters that cannot be sent")
    signature = _signature(canonical, stamp=stamp, scope=scope, secret=secret)
    return (
        f"{ALGORITHM} Credential={access_key_id}/{stamp[:8]}/{region}/{service}/aws4_request, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )


def amz_date(now: datetime) -> str:
    """Return the value of `x-amz-date` for an aware UTC time."""
    date, time = (now.year, now.month, now.day), (now.hour, now.minute, now.second)
    return "%04d%02d%02dT%02d%02d%02dZ" % (date + time)  # a third of what strftime costs


def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Derive the key of a scope; the last ones are remembered.

    Keyed by the secret and not by its id: a secret that was replaced under one id cannot be served
    from memory.
    """
    scope = (secret, date, region, service)
    key = _SIGNING_KEYS.get(scope)
    if key is None:
        key = hmac.digest(b"AWS4" + secret.encode(), date.encode(), "sha256")
        for part in (region, service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        if len(_SIGNING_KEYS) >= _REMEMBERED_KEYS:
            _SIGNING_KEYS.clear()
        _SIGNING_KEYS[scope] = key
    return key


def _instant(stamp: str) -> datetime | None:
    if _AMZ_DATE.fullmatch(stamp) is None:
        return None
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        return None


def _covers(signed: frozenset[str], headers: Mapping[str, str], decisive: Collection[str]) -> bool:
    """Tell whether everything that decides is signed, and everything signed is there."""
    if not signed.issuperset(_ALWAYS_SIGNED) or not signed <= headers.keys():
        return False
    if any(name in headers and name not in signed for name in (*_BODY_HEADERS, *decisive)):
        return False
    return all(name in signed for name in headers if name.startswith(_AMZ_PREFIX))


def _canonical(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    names: Collection[str],
    *,
    payload_sha256: str,
) -> bytes | None:
    """Return the canonical request; None where a value cannot have stood on the wire."""
    lines = "\n".join([f"{name}:{_trimmed(headers[name])}" for name in names])
    try:
        encoded_path = path if path == "/" else quote(path, safe="/~") or "/"
        text = (
            f"{method}\n{encoded_path}\n{_canonical_query(query)}\n{lines}\n\n"
            f"{';'.join(names)}\n{payload_sha256}"
        )
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return None


def _trimmed(value: str) -> str:
    """Trim a value and collapse runs of blanks, as AWS does before it signs."""
    if value.isascii():
        return " ".join(value.split())
    return " ".join([part for part in value.replace("\t", " ").split(" ") if part])


def _canonical_query(query: str) -> str:
    """Sort the parameters by name, then value; both stay encoded as they came."""
    if not query:
        return ""
    pairs = sorted([_pair(text) for text in query.split("&")])
    return "&".join([f"{name}={value}" for name, value in pairs])


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _signature(canonical: bytes, *, stamp: str, scope: Scope, secret: str) -> str:
    text = (
        f"{ALGORITHM}\n{stamp}\n{scope.date}/{scope.region}/{scope.service}/aws4_request\n"
        f"{hashlib.sha256(canonical).hexdigest()}"
    )
    key = signing_key(secret, scope.date, scope.region, scope.service)
    return hmac.digest(key, text.encode(), "sha256").hex()
