"""What the simulated provider answers with, whichever dialect it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid5

import msgspec

from gateway.core.strict_json import JsonValue

_NAMESPACE = UUID("6f0f7a1c-5d0e-5b7e-9a54-0c9d5f6b2a11")


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: a status, the JSON document (None: no body) and headers beside the usual ones.

    `error` is the provider's own error name; empty where the operation was carried out.
    """

    status: int = 200
    document: JsonValue = None
    headers: Mapping[str, str] = {}
    error: str = ""


def identifier(kind: str, index: int) -> str:
    """Name the `index`-th thing of a kind: a UUID, the same in each run."""
    return str(uuid5(_NAMESPACE, f"{kind} {index}"))
