"""The body of a request, read in the one way that its media type says, or not at all."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.catalog.dialects import protobuf
from gateway.core.catalog.dialects.table import READERS
from gateway.core.catalog.media import MediaType, read_media_type
from gateway.core.catalog.model import Provider, Rule
from gateway.core.catalog.parameters import unfold
from gateway.core.catalog.rows import BodyKind
from gateway.core.request import Body, Request, Whole
from gateway.core.strict_json import JsonValue, Refused

_NO_MEMBERS: Mapping[str, JsonValue] = {}
_NO_PARAMETERS: Mapping[str, str] = {}
_NO_MEDIA = MediaType("", {})
_FORMS: Mapping[str, BodyKind] = {
    "application/x-www-form-urlencoded": "form",
    "multipart/form-data": "multipart",
}


class Read(msgspec.Struct, frozen=True):
    """How a body is read, and its bytes; `content` is None where it streams."""

    kind: BodyKind
    media: MediaType
    content: bytes | None


def kind_of(request: Request, contents: Mapping[str, BodyKind]) -> Read | Refused:
    """Tell how the body of an operation is read.

    Args:
        request: the request.
        contents: the media types that its operation takes, and how each is read; `` stands for a
            request without body.
    """
    body = request.body
    content = body.content if isinstance(body, Whole) else None
    if "" in contents and _is_empty(body):
        return Read("empty", _NO_MEDIA, b"")
    value = request.headers.get("content-type", "")
    # The tables hold media types as they are written where no parameter is.
    kind = contents.get(value) if value else None
    if kind is not None:
        return Read(kind, MediaType(value, _NO_PARAMETERS), content)
    media = read_media_type(value)
    kind = contents.get(media.essence) if media and media.essence else None
    if media is None or kind is None:
        return Refused("a media type in which this operation is not sent")
    return Read(kind, media, content)


def members_of(
    read: Read, rule: Rule, provider: Provider
) -> Mapping[str, JsonValue] | Refused | None:
    """Read the body's members; none of them where it is empty, and None where it is not read."""
    if read.content is None:
        return None
    reader = READERS.get(read.kind)
    if reader is not None:
        members = reader(read.content, read.media)
        if read.kind == "indexed_form" and not isinstance(members, Refused):
            return unfold(members)
        return members
    if read.kind == "empty":
        return _NO_MEMBERS
    if rule.message and read.kind in {"grpc", "protobuf"}:
        return _message_of(read.kind, read.content, rule.message, provider)
    return None


def _message_of(
    kind: BodyKind, content: bytes, message: str, provider: Provider
) -> Mapping[str, JsonValue] | Refused | None:
    framed = protobuf.read_frame(content) if kind == "grpc" else content
    if framed is None or isinstance(framed, Refused):
        return framed
    return protobuf.read_message(framed, provider.messages, message)


def _is_empty(body: Body) -> bool:
    return not (body.content if isinstance(body, Whole) else body.length)


def form_of(request: Request) -> Mapping[str, JsonValue] | Refused | None:
    """Read the fields of a body that is a form, whatever the operation takes.

    None where it is no form. Where it is one and streams, that is no reading.
    """
    media = read_media_type(request.headers.get("content-type", ""))
    kind = _FORMS.get(media.essence) if media else None
    if media is None or kind is None:
        return None
    if not isinstance(request.body, Whole):
        return Refused("a form that may name the operation was not read")
    return READERS[kind](request.body.content, media)
