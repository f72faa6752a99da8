"""The body of a request, read in the one way that its media type says, or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_plus

from gateway.core.catalog.rows import BodyKind
from gateway.core.request import Body, Request, Whole
from gateway.core.strict_json import JsonValue, Refused, loads

FORM = "application/x-www-form-urlencoded"

_NO_MEMBERS: Mapping[str, JsonValue] = {}
_CHARSETS = frozenset({"utf-8", '"utf-8"', "utf8", '"utf8"'})
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def media_type(request: Request) -> str | None:
    """Return the media type, lower case and without parameters; empty where none is said.

    None where a parameter says an encoding other than UTF-8, in which the same bytes would be other
    text (RFC 9110 section 8.3).
    """
    value = request.headers.get("content-type", "")
    if ";" not in value:
        return value.strip().lower()
    essence, *parameters = value.split(";")
    for parameter in parameters:
        name, _, charset = parameter.strip().lower().partition("=")
        if name == "charset" and charset not in _CHARSETS:
            return None
    return essence.strip().lower()


def members_of(
    request: Request, contents: Mapping[str, BodyKind]
) -> Mapping[str, JsonValue] | Refused | None:
    """Read the body's members; none of them where it is empty, and None where it is not read.

    Args:
        request: the request.
        contents: the media types that its operation takes, and how each is read; `` stands for a
            request without body.
    """
    body = request.body
    if "" in contents and _is_empty(body):
        return _NO_MEMBERS
    media = media_type(request)
    match contents.get(media) if media else None:
        case "json":
            return _read_json(body)
        case "form":
            return read_form(body)
        case "opaque":
            return None
        case _:
            return Refused("a media type in which this operation is not sent")


def _is_empty(body: Body) -> bool:
    return not (body.content if isinstance(body, Whole) else body.length)


def _read_json(body: Body) -> Mapping[str, JsonValue] | Refused | None:
    if not isinstance(body, Whole):
        return None
    match loads(body.content):
        case Refused(reason):
            return Refused(f"the body has no single reading: {reason}")
        case dict() as members:
            return members
        case _:
            return Refused("the body is not a JSON object")


def read_form(body: Body) -> Mapping[str, JsonValue] | Refused | None:
    """Read a form strictly (WHATWG URL section 5); None where the body streams.

    Refused are: a field twice, one without `=`, an empty one, `;` (which some parsers take for a
    separator), what is not ASCII, a broken escape, and escapes that are not UTF-8.
    """
    if not isinstance(body, Whole):
        return None
    try:
        text = body.content.decode("ascii")
        if ";" in text or _BROKEN_ESCAPE.search(text):
            return Refused("the body is not a form with one reading")
        pairs = [_read_field(field) for field in text.split("&")] if text else []
    except ValueError:
        return Refused("the body is not a form with one reading")
    fields = dict(pairs)
    if len(fields) != len(pairs):
        return Refused("the body has the same field twice")
    return fields


def _read_field(field: str) -> tuple[str, JsonValue]:
    """Decode one field.

    Raises:
        ValueError: there is no `=`, or an escape is not UTF-8.
    """
    name, value = field.split("=", 1)
    return unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
