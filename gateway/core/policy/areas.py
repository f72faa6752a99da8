"""What changes alike, put together: as few areas as will do, each a product of values."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.policy.choices import Kind, Members
from gateway.core.policy.verdicts import Changed

# By attribute, values; an attribute that is not there may be anything.
Values = dict[str, frozenset[Members]]


class Shape:
    """Values that change alike; equal where values and change are."""

    __slots__ = ("_key", "change", "values")

    def __init__(self, values: Values, change: Changed) -> None:
        """Keep both."""
        self.values, self.change = values, change
        self._key = frozenset(values.items()), change

    def __eq__(self, other: object) -> bool:
        """Compare by values and change."""
        return isinstance(other, Shape) and self._key == other._key

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash(self._key)


def merged(
    shapes: Mapping[Shape, tuple[Kind, ...]], everything: Mapping[str, tuple[Members, ...]]
) -> list[tuple[Shape, tuple[Kind, ...]]]:
    """Put areas together that differ in one attribute, and leave out attributes that do not matter.

    Args:
        shapes: areas that do not overlap, each with the classes that it is about.
        everything: every value by attribute.

    Returns:
        Areas that do not overlap and are the same requests together.
    """
    left = dict(shapes)
    pairs = _pair(left)
    while pairs is not None:
        one, other, name = pairs
        kinds = left.pop(one)
        del left[other]
        values = {**one.values, name: one.values[name] | other.values[name]}
        if len(values[name]) == len(everything[name]):
            del values[name]
        left[Shape(values, one.change)] = kinds
        pairs = _pair(left)
    return list(left.items())


def _pair(shapes: Mapping[Shape, tuple[Kind, ...]]) -> tuple[Shape, Shape, str] | None:
    """Return two areas that differ in one attribute alone, and its name."""
    seen: dict[tuple[object, ...], Shape] = {}
    for shape, kinds in shapes.items():
        for name in shape.values:
            rest = frozenset((key, one) for key, one in shape.values.items() if key != name)
            key = (name, rest, shape.change, kinds)
            if key in seen:
                return seen[key], shape, name
            seen[key] = shape
    return None
