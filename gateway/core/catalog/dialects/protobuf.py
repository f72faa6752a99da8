"""Protocol buffers, as gRPC and `application/x-protobuf` send them, read by a written schema.

The bytes carry field numbers and no names, so that nothing is read without a schema, and a number
that the schema does not have may be anything. Servers take the last of a single field that stands
twice, or merge the two; here such a message has two readings (protobuf.dev, encoding).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from gateway.core.strict_json import MAX_DEPTH, SPAN_BYTES, JsonValue, Refused, Span

Kind = Literal["number", "string", "bytes", "fixed", "message"]

# A batch of images has some hundred fields; whoever sends more of them than this wants time.
MAX_FIELDS = 20_000

_KINDS: dict[str, Kind] = {
    "": "number",
    "number": "number",
    "string": "string",
    "bytes": "bytes",
    "fixed": "fixed",
}
_FIELD = re.compile(r"([a-z][a-z0-9_]*)(\[\])?(?::([A-Za-z][A-Za-z0-9]*))?")
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_GROUPS = frozenset({3, 4})
_VARINT_BYTES = 10
_FRAME_HEAD_BYTES = 5


class Field(msgspec.Struct, frozen=True):
    """One field of a message.

    Attributes:
        name: as the member is called.
        kind: what stands there; `fixed` are the numbers of four and eight bytes.
        repeated: whether it is a list.
        message: name of the message, where the kind is `message`.
    """

    name: str
    kind: Kind
    repeated: bool
    message: str = ""


Schema = Mapping[str, Mapping[int, Field]]
"""Message name → field number → field."""


class _TwoReadingsError(ValueError):
    """The bytes are no message, or one with two readings; never leaves this module."""


class _BeyondError(ValueError):
    """The bytes say more than the schema can tell; never leaves this module."""


def parse_field(text: str) -> Field | None:
    """Read a field of a data file; None where it is none.

    `max_results` is a number, `model:string` a text, `content:bytes` and `score:fixed` likewise;
    `features[]:Feature` is a list of messages of that name.
    """
    match = _FIELD.fullmatch(text)
    if match is None:
        return None
    name, kind, repeated = str(match[1]), str(match[3] or ""), bool(match[2])
    if kind in _KINDS:
        return Field(name, _KINDS[kind], repeated)
    return Field(name, "message", repeated, kind) if "A" <= kind[:1] <= "Z" else None


def read_frame(content: bytes) -> bytes | Refused | None:
    """Return the message of a call that sends exactly one (gRPC over HTTP2, length-prefixed).

    None where it is not readable here: compressed, or followed by another.
    """
    if len(content) < _FRAME_HEAD_BYTES:
        return Refused("the body is no gRPC message")
    end = _FRAME_HEAD_BYTES + int.from_bytes(content[1:_FRAME_HEAD_BYTES])
    if end > len(content):
        return Refused("the body is no whole gRPC message")
    return None if content[0] or end < len(content) else content[_FRAME_HEAD_BYTES:]


def read_message(
    content: bytes, schema: Schema, message: str
) -> Mapping[str, JsonValue] | Refused | None:
    """Read one message; never raises.

    Members stand under the names of the schema, enumerations as numbers, lists as lists; what is
    not sent is not there. None where the schema does not tell what the bytes mean.

    Args:
        content: the message.
        schema: every message that can stand in it, each with every field that it may have.
        message: name of the outermost message.
    """
    try:
        return _Reader(content, schema).message(message, 0, len(content), 0)
    except _TwoReadingsError as error:
        return Refused(f"the body has no single reading: {error}")
    except _BeyondError:
        return None


class _Reader:
    """Walks through one body; offsets are of the whole body, so that nothing long is copied."""

    def __init__(self, content: bytes, schema: Schema) -> None:
        self._content = content
        self._schema = schema
        self._left = MAX_FIELDS

    def message(self, name: str, start: int, end: int, depth: int) -> dict[str, JsonValue]:
        """Read the message between two offsets.

        Raises:
            _TwoReadingsError: it is malformed, or has a single field twice.
            _BeyondError: it has a field that the schema does not have, or too much of something.
        """
        if depth == MAX_DEPTH:
            raise _BeyondError
        fields = self._schema[name]
        lists: dict[str, list[JsonValue]] = {}
        members: dict[str, JsonValue] = {}
        while start < end:
            self._spend()
            tag, start = self._varint(start, end)
            wire = tag & 7
            value, start = self._extent(wire, start, end)
            field = fields.get(tag >> 3)
            if field is None:
                raise _BeyondError
            for item in self._values(field, wire, value, start, depth):
                if field.repeated:
                    lists.setdefault(field.name, []).append(item)
                elif field.name in members:
                    raise _TwoReadingsError("a field stands twice")
                else:
                    members[field.name] = item
        members.update(lists)
        return members

    def _extent(self, wire: int, start: int, end: int) -> tuple[int, int]:
        """Return where the value of a field starts and ends.

        Raises:
            _TwoReadingsError: it ends outside its message, or there is no such wire type.
            _BeyondError: it is a group, which nobody has sent for years.
        """
        if wire in _GROUPS:
            raise _BeyondError
        if wire == _VARINT:
            return start, self._varint(start, end)[1]
        if wire == _LENGTH:
            length, start = self._varint(start, end)
        elif wire in {_FIXED32, _FIXED64}:
            length = 4 if wire == _FIXED32 else 8
        else:
            raise _TwoReadingsError("a field of no known type")
        if length > end - start:
            raise _TwoReadingsError("a field is longer than its message")
        return start, start + length

    def _values(
        self, field: Field, wire: int, start: int, end: int, depth: int
    ) -> Iterator[JsonValue]:
        """Read what stands in a field.

        Yields:
            The one value, or each of several packed numbers.

        Raises:
            _TwoReadingsError: it is malformed.
            _BeyondError: it is not of the schema's kind, so that a server takes it for another.
        """
        match field.kind, wire:
            case "number", 0:
                yield _signed(self._varint(start, end)[0])
            case "number", 2 if field.repeated:
                yield from self._packed(start, end)
            case ("bytes", 2) | ("fixed", 1 | 2 | 5):
                yield Span(self._content, start, end, "binary")
            case "string", 2:
                yield self._text(start, end)
            case "message", 2:
                yield self.message(field.message, start, end, depth + 1)
            case _:
                raise _BeyondError

    def _packed(self, start: int, end: int) -> Iterator[int]:
        while start < end:
            self._spend()
            number, start = self._varint(start, end)
            yield _signed(number)

    def _text(self, start: int, end: int) -> str | Span:
        try:
            text = self._content[start:end].decode()
        except UnicodeDecodeError:
            raise _TwoReadingsError("a text that is not UTF-8") from None
        return text if end - start < SPAN_BYTES else Span(self._content, start, end)

    def _varint(self, start: int, end: int) -> tuple[int, int]:
        """Read a number of up to 64 bits; return it and the offset behind it.

        Raises:
            _TwoReadingsError: it does not end in time, or has bits that a server drops.
        """
        value = 0
        for index, octet in enumerate(self._content[start : min(end, start + _VARINT_BYTES)]):
            value |= (octet & 0x7F) << 7 * index
            if not octet & 0x80:
                if value >> 64:
                    break
                return value, start + index + 1
        raise _TwoReadingsError("a number that does not end")

    def _spend(self) -> None:
        """Count one field or packed number.

        Raises:
            _BeyondError: there are too many.
        """
        self._left -= 1
        if self._left < 0:
            raise _BeyondError


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
