"""JSON that has exactly one reading, or a reason why not (RFC 8259, and stricter).

Parsers differ over duplicate keys, NaN, encodings, lone surrogates and deep or long values; whoever
wants to look harmless to a gateway and harmful to a provider lives on that difference. What any
parser might read in another way is refused here, so no reader of this project needs to know which
of them the provider uses.

`loads` returns whole values. `skim` reads the same texts and leaves long strings where they are: an
image in base64 is most of a body, decides nothing, and would be copied for nothing.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NoReturn

import msgspec
import pybase64

MAX_DEPTH = 64
MAX_NUMBER_CHARACTERS = 64
SPAN_BYTES = 4096
"""From this length on a value is left where it stands."""


class Span(msgspec.Struct, frozen=True):
    """A long value that was checked and left where it stands in a body.

    Attributes:
        content: the body.
        start: offset of the value's first byte.
        end: offset behind its last byte.
        coding: how the bytes stand for the value: as UTF-8 `text`, as text that is `escaped` in
            the way of forms, or as they are, `binary`.
    """

    content: bytes
    start: int
    end: int
    coding: Literal["text", "escaped", "binary"] = "text"

    def __repr__(self) -> str:
        """Show the length only: a body may be a face."""
        return f"Span({self.end - self.start} bytes)"

    def octets(self) -> bytes:
        """Return a copy of the bytes, as they stand in the body."""
        return self.content[self.start : self.end]


JsonValue = dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | Span | None

# Long strings are looked through in pieces that stay in the processor's cache. Whoever puts more
# quotes before the image has it parsed, so that a body of quotes costs no walk in Python.
_PIECE_BYTES = 1 << 16  # whole groups of base64
_MOST_QUOTES = 2048
# For a long string that is not base64: `Raw` is checked and left where it stands.
_CHECKER = msgspec.json.Decoder(msgspec.Raw)
# For bodies as most are: see `_read_plain`.
_PLAIN = msgspec.json.Decoder()
_CONTAINERS = (dict, list)
_PLAIN_INTEGER = 10**18
_NEVER = -(1 << 62)  # no text has so few members
_COLON = re.compile(rb"[ \t\n\r]*:")


class Refused(msgspec.Struct, frozen=True):
    """Why the bytes are not JSON with one reading; plain words, never a byte of the input."""

    reason: str


class _RefusedError(ValueError):
    """Carries a reason out of the C scanner; never leaves this module."""


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RefusedError("the same key twice in an object")
    return members


def _integer(characters: str) -> int:
    if len(characters) > MAX_NUMBER_CHARACTERS:
        raise _RefusedError("a number of too many characters")
    return int(characters)


def _float(characters: str) -> float:
    if len(characters) > MAX_NUMBER_CHARACTERS:
        raise _RefusedError("a number of too many characters")
    number = float(characters)
    if math.isinf(number):
        raise _RefusedError("a number that is too large")
    return number


def _constant(_name: str) -> NoReturn:
    raise _RefusedError("NaN or an infinity")


# The C scanner does the work; the hooks see objects and numbers only, so that a long string (an
# image in base64) costs no more than the scan for its closing quote.
_WHITE_SPACE = " \t\n\r"


def _decoder(constant: Callable[[str], object]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_unique,
        parse_int=_integer,
        parse_float=_float,
        parse_constant=constant,
    )


_STRICT = _decoder(_constant)


def loads(content: bytes) -> JsonValue | Refused:
    """Parse one JSON text, or say why it is refused; never raises.

    Refused are: what is not UTF-8, a byte order mark, the same key twice in an object (also where
    one of the two is escaped), NaN and infinities, numbers that overflow, numbers of more than 64
    characters, more than 64 levels, lone surrogates, and any byte before or after the value that is
    not JSON white space. What is accepted is what `json.loads` reads.
    """
    try:
        return _read_whole(content)
    except (ValueError, RecursionError) as failure:
        return _refusal(failure)


def skim(content: bytes) -> JsonValue | Refused:
    """Parse one JSON text like `loads`, but return long strings as `Span`.

    What it accepts and refuses is what `loads` does. A string that is short, a key, has an escape,
    or stands behind very many others is returned whole.
    """
    try:
        return _read_whole(content) if len(content) < SPAN_BYTES else _read_around_spans(content)
    except (ValueError, RecursionError) as failure:
        return _refusal(failure)


def _refusal(failure: ValueError | RecursionError) -> Refused:
    match failure:
        case UnicodeDecodeError():
            return Refused("not UTF-8")
        case _RefusedError():
            return Refused(str(failure))
        case RecursionError():
            return Refused("nested too deeply")
        case _:
            return Refused("not JSON")


def _read_whole(content: bytes) -> JsonValue:
    """Parse a text, by way of a fast decoder that takes the last of two keys.

    Where as many colons stand in an ASCII text without escapes as members were kept, each of them
    stands behind a key that was kept: there was no key twice, and no colon in a string. Whatever
    else there is to look at is left to the strict decoder.
    """
    if b"\\" not in content and content.isascii():
        try:
            value: JsonValue = _PLAIN.decode(content)
            if _members(value, MAX_DEPTH) == content.count(b":"):
                return value
        except (msgspec.DecodeError, RecursionError):
            pass  # the strict decoder knows why
    return _decoded(content, _STRICT)


def _members(value: JsonValue, levels: int) -> int:
    """Count the members of all objects; very few below the levels, or where a number is not plain.

    Plain is an integer of no more digits than may stand there, whatever else it looks like.
    """
    if not levels:
        return _NEVER
    if isinstance(value, dict):
        inner: Iterable[JsonValue] = value.values()
        count = len(value)
    else:
        inner, count = value if isinstance(value, list) else (value,), 0
    for each in inner:
        if isinstance(each, str) or each is None:
            continue
        if isinstance(each, _CONTAINERS):
            count += _members(each, levels - 1)
        elif not isinstance(each, int) or not -_PLAIN_INTEGER < each < _PLAIN_INTEGER:
            return _NEVER
    return count


def _read_around_spans(content: bytes) -> JsonValue:
    """Parse what is left when each long string, with its quotes, is replaced by `NaN`.

    Strings and NaN may stand in the same places, keys excepted, and the decoder asks for the value
    of each NaN in the order of the text. A genuine one makes it ask once too often.
    """
    spans = tuple(_long_strings(content))
    if not spans:
        return _decoded(content, _STRICT)
    ends = [0, *(span.end + 1 for span in spans)]
    starts = [*(span.start - 1 for span in spans), len(content)]
    kept = [content[end:start] for end, start in zip(ends, starts, strict=True)]
    left = iter(spans)

    def next_span(name: str) -> Span:
        span = next(left, None)
        return _constant(name) if span is None or name != "NaN" else span

    return _decoded(b"NaN".join(kept), _decoder(next_span))


def _long_strings(content: bytes) -> Iterator[Span]:
    """Find long strings that a parser would take as they stand.

    A quote opens a string, and the next one that no escape precedes closes it, as in a parser: what
    stands between strings has no quotes.

    Yields:
        Each such string without its quotes, in order.
    """
    quote = -1
    inside = 0  # where the string, or what follows its last escaped quote, starts; 0 outside
    for _ in range(_MOST_QUOTES):
        quote = content.find(b'"', quote + 1)
        if quote < 0:
            return
        if inside:
            inside = quote + 1 if _is_escaped(content, inside, quote) else 0
            continue
        inside = quote + 1
        end = _plain_end(content, inside)
        if end:
            yield Span(content, inside, end)
            quote, inside = end, 0


def _is_escaped(content: bytes, start: int, quote: int) -> bool:
    """Tell whether the backslashes before a quote, none of them before `start`, are odd."""
    if content[quote - 1] != ord("\\"):
        return False
    before = content[start:quote]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _plain_end(content: bytes, start: int) -> int:
    """Return the end of a long string that has no escapes or controls and is no key, else 0."""
    if content.find(b'"', start, start + SPAN_BYTES) >= 0:
        return 0
    is_base64 = True
    for piece in range(start, len(content), _PIECE_BYTES):
        end = content.find(b'"', piece, piece + _PIECE_BYTES)
        limit = piece + _PIECE_BYTES if end < 0 else end
        is_base64 = is_base64 and _is_base64(content, piece, limit)
        if not is_base64 and content.find(b"\\", piece, limit) >= 0:
            return 0
        if end >= 0:
            if _COLON.match(content, end + 1):
                return 0
            return end if is_base64 or _is_plain(content, start - 1, end + 1) else 0
    return 0


def _is_base64(content: bytes, start: int, end: int) -> bool:
    """Tell whether nothing but base64 (RFC 4648, 4) stands here, so no escape and no control."""
    try:
        pybase64.b64decode(memoryview(content)[start:end], validate=True)
    except ValueError:
        return False
    return True


def _is_plain(content: bytes, start: int, end: int) -> bool:
    """Tell whether a string, quotes and all, has no control characters (RFC 8259, 7).

    Raises:
        UnicodeDecodeError: it is not UTF-8, which the checker does not look at.
    """
    string = memoryview(content)[start:end]
    try:
        _CHECKER.decode(string)
    except msgspec.DecodeError:
        return False
    str(string, "utf-8")
    return True


def _decoded(content: bytes, decoder: json.JSONDecoder) -> JsonValue:
    if content.startswith(codecs.BOM_UTF8):
        raise _RefusedError("a byte order mark")
    text = content.decode().strip(_WHITE_SPACE)
    value: JsonValue
    value, end = decoder.raw_decode(text)
    if end != len(text):
        raise _RefusedError("bytes after the value")
    # The walks below are slow and seldom needed: only a text with as many brackets can be as deep,
    # and once the bytes are UTF-8 only an escape can make a surrogate.
    if _has_brackets(text) and _is_deep(value):
        raise _RefusedError("nested too deeply")
    if "\\" in text and "\\u" in text and _has_surrogate(value):
        raise _RefusedError("a lone surrogate")
    return value


def _has_brackets(text: str) -> bool:
    """Tell whether there are enough to nest too deeply; `find` skips what lies between faster."""
    brackets = 0
    for bracket in "[{":
        at = text.find(bracket)
        while at >= 0:
            brackets += 1
            if brackets > MAX_DEPTH:
                return True
            at = text.find(bracket, at + 1)
    return False


def _children(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _is_deep(value: JsonValue) -> bool:
    containers = [value]
    for _ in range(MAX_DEPTH):
        containers = [
            child
            for container in containers
            for child in _children(container)
            if isinstance(child, dict | list)
        ]
    return bool(containers)


def _has_surrogate(value: JsonValue) -> bool:
    """Tell whether any string, key or value, is not text; the value is not deep."""
    match value:
        case str():
            return not _is_text(value)
        case dict():
            return not all(map(_is_text, value)) or any(map(_has_surrogate, value.values()))
        case list():
            return any(map(_has_surrogate, value))
        case _:
            return False


def _is_text(string: str) -> bool:
    try:
        string.encode()
    except UnicodeEncodeError:
        return False
    return True
