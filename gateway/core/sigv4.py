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
from collections.abc import Callable, Collection, Mapping
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

# Returns the HMAC-SHA256 of a text under one key, in hex.
_Mac = Callable[[bytes], str]

# Derived keys by secret, date, region and service: a pure memory, four HMACs instead of none. Each
# with its half-done HMAC.
_REMEMBERED_KEYS: Final = 1024
_SIGNING_KEYS: Final[dict[tuple[str, str, str, str], tuple[bytes, _Mac]]] = {}

# The same for what repeats in most requests: the time to the second, the names that are signed.
_REMEMBERED_STAMPS: Final = 8
_STAMPS: Final[dict[float, str]] = {}
_REMEMBERED_LINES: Final = 128
_LINES: Final[dict[tuple[str, ...], str]] = {}

_SHA256_BLOCK: Final = 64
_INNER_PAD: Final = bytes(octet ^ 0x36 for octet in range(256))
_OUTER_PAD: Final = bytes(octet ^ 0x5C for octet in range(256))


class _Signer(msgspec.Struct, frozen=True):
    """What signatures of one second, credential and set of headers have in common.

    Attributes:
        text: string to sign up to the hash of the canonical request.
        mac: of the derived key.
        line: value of the Authorization header up to the signature.
    """

    text: str
    mac: _Mac
    line: str


# x-amz-date, names that are signed, id and secret of the key, region and service.
_Kind = tuple[str, tuple[str, ...], str, str, str, str]
_REMEMBERED_SIGNERS: Final = 64
_SIGNERS: Final[dict[_Kind, _Signer]] = {}

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
    names = presented.signed_headers
    canonical = _canonical(method, path, query, headers, names, payload_sha256=payload_sha256)
    if canonical is None:
        return "signature"
    scope = presented.scope
    key = (secret, scope.date, scope.region, scope.service)
    expected = _signature(canonical, stamp=stamp, key=key)
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
    outgoing = {**headers, "x-amz-date": stamp}
    return authorization(
        method=method,
        path=path,
        query=query,
        headers=outgoing,
        signed_headers=tuple(sorted(outgoing)),
        payload_sha256=payload_sha256,
        access_key_id=access_key_id,
        secret=secret,
        region=region,
        service=service,
    )


def authorization(
    *,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    signed_headers: tuple[str, ...],
    payload_sha256: str,
    access_key_id: str,
    secret: str,
    region: str,
    service: str,
) -> str:
    """Do what `sign` does where the date is set and it is known which headers to sign.

    Args:
        method: as for `sign`, like all that is not named here.
        path: see there.
        query: see there.
        headers: every header, `x-amz-date` among them; it dates the signature.
        signed_headers: names of those that are signed, sorted.
        payload_sha256: see `sign`.
        access_key_id: see `sign`.
        secret: see `sign`.
        region: see `sign`.
        service: see `sign`.

    Raises:
        ValueError: a header holds characters that no header line can carry.
    """
    canonical = _canonical(
        method, path, query, headers, signed_headers, payload_sha256=payload_sha256
    )
    if canonical is None:
        raise ValueError("a header holds characters that cannot be sent")
    kind = (headers["x-amz-date"], signed_headers, access_key_id, secret, region, service)
    signer = _SIGNERS.get(kind) or _signer(kind)
    text = signer.text + hashlib.sha256(canonical).hexdigest()
    return signer.line + signer.mac(text.encode())


def _signer(kind: _Kind) -> _Signer:
    stamp, signed_headers, access_key_id, secret, region, service = kind
    date = stamp[:8]
    scope = f"{date}/{region}/{service}/aws4_request"
    signer = _Signer(
        text=_text_of(stamp, scope),
        mac=_remembered((secret, date, region, service))[1],
        line=f"{ALGORITHM} Credential={access_key_id}/{scope}, "
        f"SignedHeaders={';'.join(signed_headers)}, Signature=",
    )
    if len(_SIGNERS) >= _REMEMBERED_SIGNERS:
        _SIGNERS.clear()
    _SIGNERS[kind] = signer
    return signer


def amz_date(now: datetime) -> str:
    """Return the value of `x-amz-date` for an aware UTC time."""
    second = now.timestamp() // 1
    stamp = _STAMPS.get(second)
    if stamp is None:
        if len(_STAMPS) >= _REMEMBERED_STAMPS:
            _STAMPS.clear()
        instant = (now.year, now.month, now.day, now.hour, now.minute, now.second)
        stamp = "{:04}{:02}{:02}T{:02}{:02}{:02}Z".format(*instant)
        _STAMPS[second] = stamp
    return stamp


def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Derive the key of a scope; the last ones are remembered.

    Keyed by the secret and not by its id: a secret that was replaced under one id cannot be served
    from memory.
    """
    return _remembered((secret, date, region, service))[0]


def _remembered(scope: tuple[str, str, str, str]) -> tuple[bytes, _Mac]:
    found = _SIGNING_KEYS.get(scope)
    if found is None:
        secret, *parts = scope
        key = b"AWS4" + secret.encode()
        for part in (*parts, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        if len(_SIGNING_KEYS) >= _REMEMBERED_KEYS:
            _SIGNING_KEYS.clear()
        found = _SIGNING_KEYS[scope] = key, _mac(key)
    return found


def _mac(key: bytes) -> _Mac:
    """Make the HMAC-SHA256 of one key, which is no longer than a block (RFC 2104 section 4).

    Both hashes have taken their block of key and pad once for all: a third of the time of OpenSSL's
    own, which starts anew for each text.
    """
    block = key.ljust(_SHA256_BLOCK, b"\0")
    inner = hashlib.sha256(block.translate(_INNER_PAD))
    outer = hashlib.sha256(block.translate(_OUTER_PAD))

    def mac(text: bytes) -> str:
        first, last = inner.copy(), outer.copy()
        first.update(text)
        last.update(first.digest())
        return last.hexdigest()

    return mac


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
    names: tuple[str, ...],
    *,
    payload_sha256: str,
) -> bytes | None:
    """Return the canonical request; None where a value cannot have stood on the wire."""
    given = tuple([headers[name] for name in names])
    together = "".join(given)
    if " " in together or not together.isprintable():  # else trimming changes nothing
        given = tuple(map(_trimmed, given))
    try:
        encoded_path = path if path == "/" else quote(path, safe="/~") or "/"
        text = (
            f"{method}\n{encoded_path}\n{_canonical_query(query) if query else ''}\n"
            f"{_lines_of(names) % given}{payload_sha256}"
        )
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return None


def _lines_of(names: tuple[str, ...]) -> str:
    """Return the lines of these headers in a canonical request, a place for each value."""
    lines = _LINES.get(names)
    if lines is None:
        escaped = [name.replace("%", "%%") for name in names]
        lines = "".join([f"{name}:%s\n" for name in escaped]) + f"\n{';'.join(escaped)}\n"
        if len(_LINES) >= _REMEMBERED_LINES:
            _LINES.clear()
        _LINES[names] = lines
    return lines


def _trimmed(value: str) -> str:
    """Trim a value and collapse runs of blanks, as AWS does before it signs."""
    if value.isascii():
        return " ".join(value.split())
    return " ".join([part for part in value.replace("\t", " ").split(" ") if part])


def _canonical_query(query: str) -> str:
    """Sort the parameters by name, then value; both stay encoded as they came."""
    pairs = sorted([_pair(text) for text in query.split("&")])
    return "&".join([f"{name}={value}" for name, value in pairs])


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _signature(canonical: bytes, *, stamp: str, key: tuple[str, str, str, str]) -> str:
    _, mac = _remembered(key)
    _, date, region, service = key
    text = _text_of(stamp, f"{date}/{region}/{service}/aws4_request")
    return mac(f"{text}{hashlib.sha256(canonical).hexdigest()}".encode())


def _text_of(stamp: str, scope: str) -> str:
    """Return the string to sign up to the hash of the canonical request."""
    return f"{ALGORITHM}\n{stamp}\n{scope}\n"
