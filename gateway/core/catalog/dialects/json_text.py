"""JSON bodies: one object, or one array."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.catalog.media import MediaType
from gateway.core.strict_json import JsonValue, Refused, skim

# The name of what has none: `body:[].image` is that member of every element of the array.
ROOT = ""


def read_object(content: bytes, _media: MediaType) -> Mapping[str, JsonValue] | Refused:
    """Read the members of an object."""
    value = skim(content)
    if isinstance(value, dict):
        return value
    return _not_a(value, "object")


def read_list(content: bytes, _media: MediaType) -> Mapping[str, JsonValue] | Refused:
    """Read an array, as the member that has no name."""
    value = skim(content)
    if isinstance(value, list):
        return {ROOT: value}
    return _not_a(value, "array")


def _not_a(value: JsonValue | Refused, kind: str) -> Refused:
    if isinstance(value, Refused):
        return Refused(f"the body has no single reading: {value.reason}")
    return Refused(f"the body is not a JSON {kind}")
