"""The media type of a body (RFC 9110 section 8.3.1), read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from gateway.core.catalog.rows import BodyKind

_NO_PARAMETERS: Mapping[str, str] = {}
_CHARSETS = frozenset({"utf-8", "utf8"})
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_ESSENCE = re.compile(rf"(?:{_WORD}/{_WORD})?")
# A quoted string without escapes: nobody needs one here, and parsers differ over them.
_PARAMETER = re.compile(rf'[ \t]*({_WORD})=(?:"([^"\\]*)"|([^" \t,;\\]+))[ \t]*')


class MediaType(msgspec.Struct, frozen=True):
    """A media type.

    Attributes:
        essence: type and subtype, lower case; empty where none is said.
        parameters: by lower-case name; values as they stand, without quotes.
    """

    essence: str
    parameters: Mapping[str, str]


class Form(msgspec.Struct, frozen=True):
    """How a body is read, and the media type that says so."""

    kind: BodyKind
    media: MediaType


def forms_of(bodies: Mapping[str, BodyKind]) -> Mapping[str, Form]:
    """Make the forms of the media types in a table, each without parameters."""
    return {
        essence: Form(kind, MediaType(essence, _NO_PARAMETERS)) for essence, kind in bodies.items()
    }


def read_media_type(value: str) -> MediaType | None:
    """Read a Content-Type; None where it has no single reading.

    That is where it is no media type, a parameter stands twice or is broken, or one says an
    encoding other than UTF-8, in which the same bytes would be other text.
    """
    essence, *rest = value.split(";")
    essence = essence.strip(" \t").lower()
    if not _ESSENCE.fullmatch(essence):
        return None
    if not rest:
        return MediaType(essence, _NO_PARAMETERS)
    parameters: dict[str, str] = {}
    for text in rest:
        if not text.strip(" \t"):
            continue
        match = _PARAMETER.fullmatch(text)
        name: str = match[1] if match else ""
        if match is None or name.lower() in parameters:
            return None
        parameters[name.lower()] = match[3] or match[2] or ""
    if parameters.get("charset", "utf-8").lower() not in _CHARSETS:
        return None
    return MediaType(essence, parameters)
