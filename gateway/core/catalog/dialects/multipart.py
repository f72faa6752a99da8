"""Forms with files: `multipart/form-data` (RFC 7578), read strictly.

Parsers differ over line ends, text around the parts, nested parts, escapes in names and charsets;
what any of them might read in another way is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from gateway.core.catalog.media import MediaType, read_media_type
from gateway.core.strict_json import SPAN_BYTES, JsonValue, Refused, Span

_MOST_PARTS = 256
_MOST_HEAD_BYTES = 2048
# RFC 2046 section 5.1.1.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
_DISPOSITION = re.compile(r"form-data((?:[ \t]*;[ \t]*[a-z]+=(?:\"[^\"\\]*\"|[\w.-]+))+)", re.ASCII)
_PARAMETER = re.compile(r"[ \t]*;[ \t]*([a-z]+)=(?:\"([^\"\\]*)\"|([\w.-]+))", re.ASCII)
# Encodings that change nothing; RFC 7578 section 4.7 deprecates even to say so.
_IDENTITY = frozenset({"7bit", "8bit", "binary"})
_PARAMETERS = frozenset({"name", "filename"})
_HEADERS = frozenset(
    {"content-disposition", "content-length", "content-transfer-encoding", "content-type"}
)


class _DoubtError(ValueError):
    """Carries a reason out of the parts; never leaves this module."""


class _Head(msgspec.Struct, frozen=True):
    """What the header of a part says of its content."""

    name: str
    is_text: bool


def read(content: bytes, media: MediaType) -> Mapping[str, JsonValue] | Refused:
    """Read the fields: short text as text, files and long text as `Span`.

    A field that stands more than once is a list of its values, which no condition on one value
    accepts.
    """
    boundary = media.parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        return Refused("the body's boundary is not of one reading")
    fields: dict[str, list[JsonValue]] = {}
    try:
        for start, end in _parts(content, b"--" + boundary.encode("ascii")):
            name, value = _field(content, start, end)
            fields.setdefault(name, []).append(value)
    except _DoubtError as doubt:
        return Refused(str(doubt))
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def replaced(
    content: bytes, media: MediaType, *, without: frozenset[str], fields: Mapping[str, str]
) -> bytes | Refused:
    """Return a body without some fields, named without case, and with others at its start.

    What stays, stays to the character. A body of which nothing is left is empty: there is none
    without parts. Refused are bodies without one reading, and fields that hold the boundary.
    """
    dashes = b"--" + media.parameters.get("boundary", "").encode("ascii", "replace")
    parts = [_part(name, value) for name, value in fields.items()]
    if any(dashes in part for part in parts):
        return Refused("the boundary of the body stands in a field that is added")
    try:
        spans = list(_parts(content, dashes)) if content else []
        kept = [span for span in spans if _field(content, *span)[0].casefold() not in without]
    except _DoubtError as doubt:
        return Refused(str(doubt))
    if kept == spans and not parts:
        return content
    parts += [content[start:end] for start, end in kept]
    lines = [dashes + b"\r\n" + part + b"\r\n" for part in parts]
    return b"".join([*lines, dashes, b"--\r\n"]) if lines else b""


def _part(name: str, value: str) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()


def _parts(content: bytes, dashes: bytes) -> Iterator[tuple[int, int]]:
    """Find the parts, head and content, between the delimiters.

    Yields:
        Offsets of each part's first byte and behind its last one, in order.

    Raises:
        _DoubtError: the delimiters do not stand where all parsers look for them.
    """
    if content.count(dashes) > _MOST_PARTS:
        raise _DoubtError("the body has too many parts")
    if not content.startswith(dashes):
        raise _DoubtError("the body does not start with its boundary")
    start = len(dashes)
    while content[start : start + 2] == b"\r\n":
        end = content.find(dashes, start)
        # The boundary inside of a part ends it for parsers that do not ask for the line end.
        if end < 0 or content[end - 2 : end] != b"\r\n" or end - 2 < start + 2:
            raise _DoubtError("a part of the body does not end with the boundary")
        yield start + 2, end - 2
        start = end + len(dashes)
    if content[start:] not in {b"--", b"--\r\n"} or start == len(dashes):
        raise _DoubtError("the body does not end with its boundary, or has no parts")


def _field(content: bytes, start: int, end: int) -> tuple[str, JsonValue]:
    stop = content.find(b"\r\n\r\n", start, min(end, start + _MOST_HEAD_BYTES))
    if stop < 0:
        raise _DoubtError("a part of the body has no head, or a long one")
    head = _head(content[start:stop], end - stop - 4)
    first = stop + 4
    if not head.is_text:
        return head.name, Span(content, first, end, "binary")
    if end - first >= SPAN_BYTES:
        return head.name, Span(content, first, end)
    try:
        return head.name, content[first:end].decode()
    except UnicodeDecodeError:
        raise _DoubtError("a field of the body is not UTF-8") from None


def _head(lines: bytes, length: int) -> _Head:
    headers = _headers(lines)
    if headers.get("content-length", str(length)) != str(length):
        raise _DoubtError("a part of the body has another length than it says")
    if headers.get("content-transfer-encoding", "binary").lower() not in _IDENTITY:
        raise _DoubtError("a part of the body is encoded")
    media = read_media_type(headers.get("content-type", "text/plain"))
    if media is None or media.essence.startswith("multipart/"):
        raise _DoubtError("a part of the body has a media type that is not of one reading")
    name, is_file = _disposition(headers.get("content-disposition", ""))
    is_text = media.essence.startswith("text/") or media.essence == "application/json"
    return _Head(name, is_text and not is_file)


def _headers(lines: bytes) -> dict[str, str]:
    try:
        text = lines.decode()
    except UnicodeDecodeError:
        raise _DoubtError("the head of a part of the body is not UTF-8") from None
    headers: dict[str, str] = {}
    for line in text.split("\r\n"):
        match = _LINE.fullmatch(line)
        name: str = match[1] if match else ""
        if match is None or name.lower() in headers or name.lower() not in _HEADERS:
            raise _DoubtError("the head of a part of the body is not of one reading")
        headers[name.lower()] = match[2]
    return headers


def _disposition(value: str) -> tuple[str, bool]:
    """Return the field's name and whether it is a file.

    Raises:
        _DoubtError: parsers may come to other names.
    """
    match = _DISPOSITION.fullmatch(value)
    listed: str = match[1] if match else ""
    found = list(_PARAMETER.finditer(listed))
    parameters: dict[str, str] = {each[1]: each[3] or each[2] or "" for each in found}
    name = parameters.get("name", "")
    # Some parsers undo percent-escapes in names; `_charset_` changes the charset of the others
    # (RFC 7578 section 4.6).
    doubtful = not name or "%" in name or name == "_charset_"
    if doubtful or len(found) != len(parameters) or not parameters.keys() <= _PARAMETERS:
        raise _DoubtError("the name of a field of the body is not of one reading")
    return name, "filename" in parameters
