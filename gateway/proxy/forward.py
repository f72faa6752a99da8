"""What goes to the provider and what comes back: fresh heads, made from allow-lists.

Nothing of the caller's identity, of hop-by-hop or of forwarding metadata passes, whatever the
allow-lists say; the gateway's own credential takes the place of the caller's. Fails closed: a head
that would hold a byte which could begin another line or another request is never written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final, assert_never

import msgspec

from gateway.core import sigv4
from gateway.core.request import Request
from gateway.errors import UpstreamError
from gateway.proxy.response import UpstreamResponse
from gateway.respond import Answer

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)  # RFC 9110 section 5.6.2

_WRITABLE: Final = b"\t" + bytes(range(0x20, 0x7F))

# RFC 9110 section 7.6.1, and what a message's own framing says.
_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "content-length",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NEVER_UPSTREAM: Final = _HOP_BY_HOP | {
    # made here
    "expect",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    # who the caller is, and through whom it came
    "api-key",
    "authorization",
    "cookie",
    "cookie2",
    "forwarded",
    "ocp-apim-subscription-key",
    "true-client-ip",
    "via",
    "x-api-key",
    "x-auth-token",
    "x-client-ip",
    "x-goog-api-key",
    "x-real-ip",
}
_NEVER_BACK: Final = _HOP_BY_HOP | {
    "alt-svc",  # would lead the client around the gateway
    "cache-control",  # said here
    "date",  # said by the listener
    "set-cookie",
    "set-cookie2",
}
_NEVER_PREFIXES: Final = ("x-facegate-", "x-forwarded-")
# Without it the body cannot be read: the bytes pass as they came.
_ALWAYS_BACK: Final = frozenset({"content-encoding"})

# What Connection says of the connection alone, and no name of a header.
_ENDS: Final = frozenset({"close", "keep-alive"})
_NO_STORE: Final = ("Cache-Control", "no-store")

_WITH_CONTENT: Final = frozenset({"PATCH", "POST", "PUT"})


class _Hidden(msgspec.Struct, frozen=True, kw_only=True):
    """A value that never shows what it holds."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


class AwsCredential(_Hidden, frozen=True, kw_only=True):
    """Requests are signed anew (SigV4) for this key, region and service."""

    access_key_id: str
    secret: str
    region: str
    service: str
    session_token: str | None = None


class HeaderCredential(_Hidden, frozen=True, kw_only=True):
    """A key in a header of its own, e.g. `Ocp-Apim-Subscription-Key`."""

    name: str
    value: str

    def __post_init__(self) -> None:
        """Refuse a name that is none.

        Raises:
            ValueError: the name is not a token.
        """
        if not _TOKEN.fullmatch(self.name):
            raise ValueError("the name of the credential's header is not a token")


class BearerCredential(_Hidden, frozen=True, kw_only=True):
    """A token in `Authorization: Bearer`."""

    token: str


class QueryCredential(_Hidden, frozen=True, kw_only=True):
    """Parameters of the query by name, e.g. `key`; `gateway.proxy.credentials` puts them in."""

    parameters: Mapping[str, str]


class FormCredential(_Hidden, frozen=True, kw_only=True):
    """Fields of a form by name, e.g. `api_key` and `api_secret`; put in likewise."""

    fields: Mapping[str, str]


class NoCredential(msgspec.Struct, frozen=True):
    """The provider asks for none, or a proxy behind the gateway adds it."""


Credential = (
    AwsCredential
    | HeaderCredential
    | BearerCredential
    | QueryCredential
    | FormCredential
    | NoCredential
)


def outbound_head(
    request: Request,
    *,
    upstream_host: str,
    forward_headers: frozenset[str],
    credential: Credential,
    body: bytes,
    payload_sha256: str | None,
    now: datetime,
) -> bytes:
    """Make request line and headers as they go to the provider, the empty line with them.

    Method and target are those that were judged, to the character.

    Args:
        request: the canonical reading, after `gateway.proxy.credentials.exchanged`.
        upstream_host: the Host header of the upstream (`upstream.host_field`).
        forward_headers: lower-case names that may pass.
        credential: the gateway's own.
        body: the bytes that will follow.
        payload_sha256: their hash in hex where it is known, else None.
        now: the time of a signature, UTC.

    Raises:
        UpstreamError: a value holds a character that no head may hold; nothing was sent.
    """
    names = _passing(tuple(request.headers), forward_headers)
    headers = {"host": upstream_host}
    headers.update(zip(names, map(request.headers.__getitem__, names), strict=True))
    if body or request.method in _WITH_CONTENT:
        headers["content-length"] = str(len(body))
    match credential:
        case AwsCredential():
            digest = payload_sha256 or hashlib.sha256(body).hexdigest()
            _sign(headers, request, credential, payload_sha256=digest, now=now)
        case HeaderCredential():
            headers[credential.name.lower()] = credential.value
        case BearerCredential():
            headers["authorization"] = f"Bearer {credential.token}"
        case QueryCredential() | FormCredential() | NoCredential():
            pass  # in the request already, or nowhere
        case _ as unreachable:
            assert_never(unreachable)
    return _written(request, headers)


def response_for_client(
    response: UpstreamResponse, response_headers: frozenset[str], decision_id: str
) -> Answer:
    """Make the answer to the caller: status and body as they came, headers from the allow-list.

    Content-Encoding always passes, hop-by-hop headers (those that Connection names too), cookies
    and the provider's caching never do; whoever writes the answer says its length.
    """
    passable = _returnable(response_headers)
    headers = [line for line in response.headers if line[0] in passable]
    named = dict(response.headers)
    if "connection" in named and (
        named["connection"].lower() not in _ENDS or len(named) < len(response.headers)
    ):
        hop_by_hop = _hop_by_hop(response)
        headers = [line for line in headers if line[0] not in hop_by_hop]
    headers += (_NO_STORE, ("X-Facegate-Decision", decision_id))
    return Answer(response.status, tuple(headers), response.body)


def _hop_by_hop(response: UpstreamResponse) -> frozenset[str]:
    """Return every name that a Connection header of the response lists."""
    lists = [value for name, value in response.headers if name == "connection"]
    return frozenset(token.strip().lower() for value in lists for token in value.split(","))


@lru_cache(maxsize=256)  # callers send few sets of names, in few orders
def _passing(names: tuple[str, ...], forward_headers: frozenset[str]) -> tuple[str, ...]:
    """Pick the names that may pass, in the order in which they came."""
    passable = _passable(forward_headers)
    return tuple([name for name in names if name in passable])


@lru_cache(maxsize=64)
def _passable(forward_headers: frozenset[str]) -> frozenset[str]:
    """Take the names that never pass out of an allow-list; the lists are the catalogue's, few."""
    allowed = forward_headers - _NEVER_UPSTREAM
    return frozenset(name for name in allowed if not name.startswith(_NEVER_PREFIXES))


@lru_cache(maxsize=64)
def _returnable(response_headers: frozenset[str]) -> frozenset[str]:
    """Do the same for the way back."""
    allowed = (response_headers | _ALWAYS_BACK) - _NEVER_BACK
    return frozenset(name for name in allowed if not name.startswith(_NEVER_PREFIXES))


def _sign(
    headers: dict[str, str],
    request: Request,
    credential: AwsCredential,
    *,
    payload_sha256: str,
    now: datetime,
) -> None:
    # Adds the date, the token of the session and the signature.
    headers["x-amz-date"] = sigv4.amz_date(now)
    if credential.session_token is not None:
        headers["x-amz-security-token"] = credential.session_token
    try:
        headers["authorization"] = sigv4.authorization(
            method=request.method,
            path=request.path,
            query=request.query_string,
            headers=headers,
            signed_headers=_signed_names(tuple(headers)),
            payload_sha256=payload_sha256,
            access_key_id=credential.access_key_id,
            secret=credential.secret,
            region=credential.region,
            service=credential.service,
        )
    except ValueError:
        raise _unwritable() from None


@lru_cache(maxsize=256)  # made of the names in allow-lists; few of their orders are in use
def _signed_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Pick what AWS requires to be signed, and the type of what is signed; sorted.

    Like the SDKs, not what something on the way may add to or rewrite (User-Agent, Accept).
    """
    always = {"host", "content-type"}
    return tuple(sorted([name for name in names if name in always or name.startswith("x-amz-")]))


def _written(request: Request, headers: Mapping[str, str]) -> bytes:
    line = f"{request.method} {request.target} HTTP/1.1"
    lines = "\r\n".join(map(": ".join, headers.items()))
    try:
        head = f"{line}\r\n{lines}\r\n\r\n".encode("ascii")
    except UnicodeEncodeError:
        raise _unwritable() from None
    # The door has refused all of this; a credential from a file may end in a line feed. Without
    # what a line may hold, the ends of our own lines must be all that is left.
    if head.translate(None, _WRITABLE) != b"\r\n" * (len(headers) + 2):
        raise _unwritable()
    if line.count(" ") != 2 or "\t" in line or not request.path.startswith("/"):  # noqa: PLR2004 - method SP target SP version
        raise _unwritable()
    return head


def _unwritable() -> UpstreamError:
    return UpstreamError(
        "the request holds a character that cannot be sent to the provider", sent=False
    )
