"""JSON that has exactly one reading, or a reason why not (RFC 8259, and stricter).

Parsers differ over duplicate keys, NaN, encodings, lone surrogates and deep or long values; whoever
wants to look harmless to a gateway and harmful to a provider lives on that difference. What any
parser might read in another way is refused here, so no reader of this project needs to know which
of them the provider uses.
"""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Callable
from typing import NoReturn

import msgspec

JsonValue = dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | None

MAX_DEPTH = 64
MAX_NUMBER_CHARACTERS = 64


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


def _bounded(kind: type[int | float]) -> Callable[[str], int | float]:
    def read(characters: str) -> int | float:
        if len(characters) > MAX_NUMBER_CHARACTERS:
            raise _RefusedError("a number of too many characters")
        number = kind(characters)
        if math.isinf(number):
            raise _RefusedError("a number that is too large")
        return number

    return read


def _constant(_name: str) -> NoReturn:
    raise _RefusedError("NaN or an infinity")


# The C scanner does the work; the hooks see objects and numbers only, so that a long string (an
# image in base64) costs no more than the scan for its closing quote.
_WHITE_SPACE = " \t\n\r"
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_bounded(int),
    parse_float=_bounded(float),
    parse_constant=_constant,
)


def loads(content: bytes) -> JsonValue | Refused:
    """Parse one JSON text, or say why it is refused; never raises.

    Refused are: what is not UTF-8, a byte order mark, the same key twice in an object (also where
    one of the two is escaped), NaN and infinities, numbers that overflow, numbers of more than 64
    characters, more than 64 levels, lone surrogates, and any byte before or after the value that is
    not JSON white space. What is accepted is what `json.loads` reads.
    """
    try:
        return _read(content)
    except UnicodeDecodeError:
        return Refused("not UTF-8")
    except _RefusedError as refusal:
        return Refused(str(refusal))
    except ValueError:
        return Refused("not JSON")
    except RecursionError:
        return Refused("nested too deeply")


def _read(content: bytes) -> JsonValue:
    if content.startswith(codecs.BOM_UTF8):
        raise _RefusedError("a byte order mark")
    text = content.decode().strip(_WHITE_SPACE)
    value: JsonValue
    value, end = _DECODER.raw_decode(text)
    if end != len(text):
        raise _RefusedError("bytes after the value")
    # The walks below are slow and seldom needed: only a text with as many brackets can be as deep,
    # and once the bytes are UTF-8 only an escape can make a surrogate.
    if content.count(b"[") + content.count(b"{") > MAX_DEPTH and _is_deep(value):
        raise _RefusedError("nested too deeply")
    if b"\\" in content and b"\\u" in content and _has_surrogate(value):
        raise _RefusedError("a lone surrogate")
    return value


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
