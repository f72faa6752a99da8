"""Forms: `application/x-www-form-urlencoded`, strictly (WHATWG URL section 5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote_plus, unquote_plus

from gateway.core.catalog.media import MediaType
from gateway.core.strict_json import SPAN_BYTES, JsonValue, Refused, Span

_DOUBTFUL = Refused("the body is not a form with one reading")
_BROKEN = re.compile(rb";|%(?![0-9A-Fa-f]{2})")
_MOST_FIELDS = 4096


def read(content: bytes, _media: MediaType) -> Mapping[str, JsonValue] | Refused:
    """Read a form's fields; a long value is left where it stands.

    Refused are: a field twice, one without `=`, an empty one, `;` (which some parsers take for a
    separator), what is not ASCII, a broken escape, escapes that are not UTF-8, and too many fields.
    """
    if not content:
        return {}
    if not content.isascii() or _BROKEN.search(content):
        return _DOUBTFUL
    if content.count(b"&") >= _MOST_FIELDS:
        return Refused("the body has too many fields")
    fields: dict[str, JsonValue] = {}
    try:
        for name, value in _fields(content):
            if name in fields or not name.isprintable():
                return Refused("the body has the same field twice, or a control character in one")
            fields[name] = value
    except ValueError:
        return _DOUBTFUL
    return fields


def replaced(content: bytes, *, without: frozenset[str], fields: Mapping[str, str]) -> bytes:
    """Return a form without some fields, named without case, and with others at its end.

    What stays, stays to the character; the form has one reading already.
    """
    pieces = content.split(b"&") if content else []
    kept = [piece for piece in pieces if _text(piece.partition(b"=")[0]).casefold() not in without]
    added = [f"{quote_plus(name)}={quote_plus(value)}".encode() for name, value in fields.items()]
    return b"&".join([*kept, *added])


def _fields(content: bytes) -> Iterator[tuple[str, JsonValue]]:
    """Decode the fields.

    Yields:
        Names and values, in order.

    Raises:
        ValueError: there is no `=`, or an escape is not UTF-8.
    """
    start = 0
    while start <= len(content):
        end = content.find(b"&", start)
        end = len(content) if end < 0 else end
        equals = content.index(b"=", start, end)
        value: JsonValue
        if end - equals > SPAN_BYTES:
            value = Span(content, equals + 1, end, "escaped")
        else:
            value = _text(content[equals + 1 : end])
        yield _text(content[start:equals]), value
        start = end + 1


def _text(escaped: bytes) -> str:
    return unquote_plus(escaped.decode("ascii"), errors="strict")
