"""The body of a request, read in the one way that its media type says, or not at all."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.catalog.dialects import protobuf
from gateway.core.catalog.dialects.table import READERS
from gateway.core.catalog.media import Form, MediaType, read_media_type
from gateway.core.catalog.model import Provider, Rule
from gateway.core.catalog.parameters import unfold
from gateway.core.catalog.rows import BodyKind
from gateway.core.request import Body, Request, Whole
from gateway.core.strict_json import JsonValue, Refused

_NO_MEMBERS: Mapping[str, JsonValue] = {}
_EMPTY = Form("empty", MediaType("", {}))
_FORMS: Mapping[str, BodyKind] = {
    "application/x-www-form-urlencoded": "form",
    "multipart/form-data": "multipart",
}


def form_in(request: Request, contents: Mapping[str, Form]) -> Form | Refused:
    """Tell how the body of an operation is read.

    Args:
        request: the request.
        contents: the media types that its operation takes, and how each is read; `` stands for a
            request without body.
    """
    if "" in contents and _is_empty(request.body):
        return _EMPTY
    value = request.headers.get("content-type", "")
    # The tables hold media types as they are written where no parameter is.
    form = contents.get(value) if value else None
    if form is not None:
        return form
    media = read_media_type(value)
    form = contents.get(media.essence) if media and media.essence else None
    if media is None or form is None:
        return Refused("a media type in which this operation is not sent")
    return Form(form.kind, media)


def members_of(
    content: bytes | None, form: Form, rule: Rule, provider: Provider
) -> Mapping[str, JsonValue] | Refused | None:
    """Read the body's members; none of them where it is empty, and None where it is not read."""
    if content is None:
        return None
    kind = form.kind
    reader = READERS.get(kind)
    if reader is not None:
        members = reader(content, form.media)
        if kind == "indexed_form" and not isinstance(members, Refused):
            return unfold(members)
        return members
    if kind == "empty":
        return _NO_MEMBERS
    if rule.message and kind in {"grpc", "protobuf"}:
        return _message_of(kind, content, rule.message, provider)
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
