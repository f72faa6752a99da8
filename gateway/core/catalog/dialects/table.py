"""The one list of the dialects that read a body into members."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.core.catalog.dialects import forms, json_text, multipart
from gateway.core.catalog.media import MediaType
from gateway.core.catalog.rows import BodyKind
from gateway.core.strict_json import JsonValue, Refused

Reader = Callable[[bytes, MediaType], Mapping[str, JsonValue] | Refused]

READERS: Mapping[BodyKind, Reader] = {
    "json": json_text.read_object,
    "list": json_text.read_list,
    "form": forms.read,
    "indexed_form": forms.read,
    "multipart": multipart.read,
}
