"""Rows that share most of what they say: each is made whole before it is compiled."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.catalog.rows import OperationRow, ShapeRow
from gateway.core.catalog.rules import MistakeError


def shaped(row: OperationRow, shapes: Mapping[str, ShapeRow]) -> OperationRow:
    """Return a row with what its shape says and it does not say itself.

    Raises:
        MistakeError: there is no such shape.
    """
    if not row.like:
        return row
    shape = shapes.get(row.like)
    if shape is None:
        raise MistakeError(f"no shape `{row.like}`")
    return msgspec.structs.replace(
        row,
        like="",
        access=shape.access if row.access == "none" else row.access,
        subclass=row.subclass or shape.subclass,
        gallery=row.gallery or shape.gallery,
        to=row.to or shape.to,
        candidates=row.candidates or shape.candidates,
        faces=row.faces or shape.faces,
        probes=row.probes or shape.probes,
        body=row.body or shape.body,
        message=row.message or shape.message,
        features=row.features or shape.features,
        variants=row.variants or shape.variants,
        source=row.source or shape.source,
    )
