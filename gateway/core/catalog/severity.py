"""Which of several readings of one request is the most restrictive."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.operation import SEVERITY, OperationClass

RANK: dict[OperationClass, int] = {name: rank for rank, name in enumerate(SEVERITY)}


def most_restrictive(classes: Iterable[OperationClass]) -> OperationClass:
    """Return the first class of `SEVERITY` among the given; `unknown` where none is given."""
    return min(classes, key=RANK.__getitem__, default="unknown")
