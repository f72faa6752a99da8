r"""Reads the header lines of a request into one value a name, or says why there is none.

The parser has taken the lines apart (RFC 9112 section 5); here is judged what a second reader could
take for something else. The lines are bytes: as text they would carry what is not ASCII in
disguise, and writers drop it (`Search\xFFFaces` would arrive as `SearchFaces`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from gateway.core.request import Malformed

_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE_OCTETS = b"\t" + bytes(range(0x20, 0x7F))
_NAME_BYTES = 256  # longer than any that is in use
# More than heads of real traffic have: what goes beyond is not remembered, so that the memos hold
# little whatever is sent.
_MOST_NAMES, _MOST_NAME_BYTES = 100, 4_096

# Of these only one line may come, at every provider; see also `Route.decision_headers`.
_ONCE = frozenset(
    {
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "expect",
        "host",
        "te",
        "transfer-encoding",
        "x-api-key",
    }
)
# Every line counts, in order: each proxy on the way adds its own (RFC 7239 section 4).
_JOINED = frozenset({"forwarded", "x-forwarded-for"})

_OVERRIDES = {
    "x-http-method": "a header that overrides the method",
    "x-http-method-override": "a header that overrides the method",
    "x-method-override": "a header that overrides the method",
    "x-original-method": "a header that overrides the method",
    "x-original-url": "a header that overrides the target",
    "x-rewrite-url": "a header that overrides the target",
}
_HOP_BY_HOP = {
    "http2-settings": "an upgrade of the protocol",
    "proxy-authorization": "a header for a forward proxy",
    "proxy-connection": "a header for a forward proxy",
    "trailer": "an announcement of trailers",
    "upgrade": "an upgrade of the protocol",
}
_CONDITIONAL = frozenset({"connection", "content-encoding", "expect", "te", "transfer-encoding"})
# Looked for in each set of names; few have any of them.
_SPECIAL = _CONDITIONAL.union(_OVERRIDES, _HOP_BY_HOP)


def _name_of(raw: bytes) -> str:
    """Return the name in lower case; empty where it is no token (RFC 9110 section 5.1)."""
    if len(raw) > _NAME_BYTES or raw.translate(None, _TOKEN):
        return ""
    return raw.decode("ascii").lower()


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What the names of a head's lines say by themselves.

    Attributes:
        lower: each in lower case, in the order of the lines; empty where it is no token.
        places: where the first line of each name stands.
        plain: whether there is nothing else to look at in them.
        length: of all of them together, characters.
    """

    lower: tuple[str, ...]
    places: Mapping[str, int]
    plain: bool
    length: int


def names_of(raw_names: tuple[bytes, ...]) -> Names:
    """Read the names of a head's lines, as sent."""
    few = len(raw_names) <= _MOST_NAMES and sum(map(len, raw_names)) <= _MOST_NAME_BYTES
    return _remembered(raw_names) if few else _read(raw_names)


@lru_cache(maxsize=512)  # callers send few sets of names, in few orders
def _remembered(raw_names: tuple[bytes, ...]) -> Names:
    return _read(raw_names)


def _read(raw_names: tuple[bytes, ...]) -> Names:
    lower = tuple(map(_name_of, raw_names))
    places = dict(zip(reversed(lower), range(len(lower) - 1, -1, -1), strict=True))
    odd = len(places) < len(lower) or "" in places or "_" in "".join(lower)
    return Names(
        lower=lower,
        places=places,
        plain=not odd and _SPECIAL.isdisjoint(places),
        length=sum(map(len, raw_names)),
    )


def length_of(text: str) -> int:
    """Return a Content-Length; llhttp saw to it that there are digits only, of any number.

    Python reads no more than some thousand digits, zeros before the number among them.
    """
    return int(text.lstrip("0") or "0")


def read_headers(
    names: Names, values: Sequence[bytes], *, once: frozenset[str], underscored: frozenset[str]
) -> dict[str, str] | Malformed:
    """Read header lines.

    Args:
        names: of the lines.
        values: as sent, white space around them taken off.
        once: lower-case names of which there may be only one line, beside the standing ones.
        underscored: lower-case names with `_` that are known to be meant: to many servers `_` and
            `-` are one character.
    """
    if b"".join(values).translate(None, _VALUE_OCTETS):
        return _header_fault("a value has a byte outside visible ASCII, space and tab")
    texts = list(map(bytes.decode, values))
    headers = dict(zip(names.lower, texts, strict=True))
    if names.plain:
        return headers
    if len(headers) < len(texts):
        joined = _joined(names.lower, texts, once)
        if isinstance(joined, Malformed):
            return joined
        headers = joined
    if "" in headers:
        return _header_fault("a name is not a token")
    if not _all_known(headers, underscored):
        return _header_fault("a name has an underscore")
    return _special_fault(headers) or headers


def _joined(
    names: Sequence[str], values: Sequence[str], once: frozenset[str]
) -> dict[str, str] | Malformed:
    """Join the lines of one name, where none of them decides."""
    headers: dict[str, str] = {}
    for name, value in zip(names, values, strict=True):
        if name not in headers:
            headers[name] = value
        elif _decides(name, once):
            return Malformed(
                reason="malformed.duplicate", detail="a header that decides stands on two lines"
            )
        else:
            headers[name] = f"{headers[name]}, {value}"
    return headers


def _decides(name: str, once: frozenset[str]) -> bool:
    if name in _JOINED:
        return False
    return name in _ONCE or name in once or name.startswith("x-amz-")


def _all_known(headers: Mapping[str, str], underscored: frozenset[str]) -> bool:
    return all(name in underscored for name in headers if "_" in name)


def _special_fault(headers: Mapping[str, str]) -> Malformed | None:
    for name in headers:
        if name in _OVERRIDES:
            return _header_fault(_OVERRIDES[name])
        if name in _HOP_BY_HOP:
            return Malformed(reason="malformed.connection", detail=_HOP_BY_HOP[name])
    return _connection_fault(headers) or _coding_fault(headers)


def _connection_fault(headers: Mapping[str, str]) -> Malformed | None:
    if headers.get("connection", "close").lower() not in {"close", "keep-alive"}:
        return Malformed(
            reason="malformed.connection", detail="a Connection other than close or keep-alive"
        )
    if headers.get("te", "trailers").lower() != "trailers":
        return Malformed(reason="malformed.connection", detail="a TE other than trailers")
    if headers.get("expect", "100-continue").lower() != "100-continue":
        return Malformed(
            reason="malformed.expect", detail="an Expect other than 100-continue", status=417
        )
    return None


def _coding_fault(headers: Mapping[str, str]) -> Malformed | None:
    if "content-encoding" in headers:
        return Malformed(reason="malformed.body", detail="a body with a content coding", status=415)
    # The exact spelling: `Chunked` is legal, and known for the servers that do not see it.
    if headers.get("transfer-encoding", "chunked") != "chunked":
        return Malformed(
            reason="malformed.body", detail="a Transfer-Encoding other than chunked", status=501
        )
    return None


def _header_fault(detail: str) -> Malformed:
    return Malformed(reason="malformed.header", detail=detail)
