"""The one canonical reading of an HTTP request, and the refusal where there is none.

Everything that decides reads a `Request`; what goes upstream is made from the same values, so that
what was judged is what is executed. Whatever has two readings never becomes a `Request`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

import msgspec


class Whole(msgspec.Struct, frozen=True):
    """A body that was read to its end before anything was judged.

    `sha256` is computed once, when the value is made (64 lower-case hex digits): signatures in both
    directions and the record use the same hash of the same bytes.
    """

    content: bytes
    sha256: str = ""

    def __post_init__(self) -> None:
        """Fill in the hash."""
        msgspec.structs.force_setattr(self, "sha256", hashlib.sha256(self.content).hexdigest())

    def __repr__(self) -> str:
        """Show the length only: a body may be a face."""
        return f"Whole({len(self.content)} bytes)"


class Streaming(msgspec.Struct, frozen=True):
    """A body that is passed on while it arrives; `length` in bytes, as Content-Length said.

    Classified from the head alone: an operation whose class depends on the body reads as its most
    restrictive variant.
    """

    length: int


Body = Whole | Streaming


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request in canonical form.

    Attributes:
        method: upper-case token (RFC 9110 section 9).
        host: the Host header as sent, lower case (it stands in SigV4 signatures).
        upstream: name of the upstream that the host selects.
        provider: catalogue name of that upstream's provider, e.g. `aws_rekognition`.
        path: percent-encoded path in canonical form, the same characters that go upstream.
        prefix: what stood before the path and chose the upstream with the host; does not go on.
        signed_path: the path as it arrived, prefix and all, where there was one; else empty.
        query_string: the raw query without `?`, the same characters that go upstream.
        query: decoded parameters in order; names that the catalogue reads occur once.
        headers: lower-case name to value; lines of one name are joined by `, ` (RFC 9110 section
            5.3), and of a name that a decision reads there is only one line, X-Forwarded-For and
            Forwarded excepted.
        body: the body, whole or streaming.
        peer: address of the other end of the TCP connection, textual form.
    """

    method: str
    host: str
    upstream: str
    provider: str
    path: str
    query_string: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: Body
    peer: str
    prefix: str = ""
    signed_path: str = ""

    def __repr__(self) -> str:
        """Show what names the request and nothing that could be a credential or a face."""
        return f"Request({self.method} {self.host}{self.path})"

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line (RFC 9112 section 3.2.1)."""
        return f"{self.path}?{self.query_string}" if self.query_string else self.path


class Malformed(msgspec.Struct, frozen=True, kw_only=True):
    """A request that has no single reading; never a byte of it, only where and why.

    Attributes:
        reason: code from `gateway.core.decision.REASONS`, e.g. `malformed.path`.
        detail: plain words for the operator; no bytes of the request.
        status: HTTP status of the answer.
        provider: whose error form the answer takes; None where the host is not known.
        length: bytes received, as far as they were read.
        close: whether the connection must end after the answer.
    """

    reason: str
    detail: str
    status: Literal[400, 405, 408, 413, 415, 417, 421, 431, 501] = 400
    provider: str | None = None
    length: int = 0
    close: bool = True
