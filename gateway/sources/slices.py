"""A large value taken apart into slices, so that whoever receives it is never held up for long.

Unpickling 5,000 rules at once holds the interpreter for a sixth of a second, and nothing else runs.
Here every large tuple and dictionary inside a value is sent as runs of items, each pickled on its
own; what is left is small. Whoever joins them can do something else between two slices. A value
that stands in two places is sent once, and is one object again.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Final

import msgspec

_LARGE: Final = 64  # items; what has fewer goes with what it stands in
_BYTES: Final = 32 << 10  # that a slice is meant to have: about half a millisecond to join
_MOST: Final = 1_024  # items of a slice

# A container by its number, or an item by slice and position.
_Reference = tuple[int] | tuple[int, int]
# The number of the container that is continued, its keys (none of a tuple), and its items.
_Slice = tuple[int, list[object] | None, list[object]]


def split(value: object) -> list[bytes]:
    """Take a value apart; the last slice is what is left of it."""
    splitter = _Splitter()
    splitter.add(-1, None, [value])
    return splitter.slices


class Joiner:
    """Puts a value together again from the slices of `split`, in their order."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._items = list[list[object]]()  # by slice
        self._lists: dict[int, list[object]] = {}
        self._dicts: dict[int, dict[object, object]] = {}
        self._tuples: dict[int, tuple[object, ...]] = {}

    def add(self, content: bytes) -> None:
        """Take the next slice."""
        number, keys, items = _Unpickler(io.BytesIO(content), self).load()
        self._items.append(items)
        if keys is None:
            self._lists.setdefault(number, []).extend(items)
        else:
            self._dicts.setdefault(number, {}).update(zip(keys, items, strict=True))

    @property
    def value(self) -> object:
        """The value, once every slice was taken."""
        return self._items[-1][0]

    def refer(self, reference: _Reference) -> object:
        """Return what a slice refers to; it came in slices before."""
        if len(reference) > 1:
            return self._items[reference[0]][reference[1]]
        number = reference[0]
        if number in self._dicts:
            return self._dicts[number]
        if number not in self._tuples:
            self._tuples[number] = tuple(self._lists.pop(number))
        return self._tuples[number]


class _Unpickler(pickle.Unpickler):  # noqa: S301 - what our own child process wrote
    def __init__(self, file: io.BytesIO, joiner: Joiner) -> None:
        super().__init__(file)
        self._joiner = joiner

    def persistent_load(self, pid: _Reference) -> object:
        return self._joiner.refer(pid)


class _Splitter:
    """The slices so far, and where what stands in them is."""

    def __init__(self) -> None:
        self.slices = list[bytes]()
        self._containers = 0
        self._sent: dict[int, _Reference] = {}  # by identity; the value outlives the splitter

    def add(self, number: int, keys: Sequence[object] | None, items: Sequence[object]) -> None:
        """Add the items of a container in as many slices as they need."""
        start, count = 0, _LARGE
        while start < len(items):
            some = list(items[start : start + count])
            names = None if keys is None else list(keys[start : start + count])
            file = io.BytesIO()
            _Pickler(file, self).dump((number, names, some))
            content = file.getvalue()
            for position, item in enumerate(some):
                if isinstance(item, msgspec.Struct):
                    self._sent[id(item)] = (len(self.slices), position)
            self.slices.append(content)
            start += count
            count = max(1, min(_MOST, count * _BYTES // len(content)))

    def reference(self, value: object) -> _Reference | None:
        """Return where a value was sent before, or is sent now because it is large."""
        known = self._sent.get(id(value))
        if known is not None:
            return known
        if not isinstance(value, tuple | dict) or len(value) <= _LARGE:
            return None
        reference = (self._containers,)
        self._containers += 1
        if isinstance(value, dict):
            self.add(*reference, list(value), list(value.values()))
        else:
            self.add(*reference, None, value)
        self._sent[id(value)] = reference
        return reference


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, splitter: _Splitter) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._splitter = splitter

    def persistent_id(self, obj: object) -> _Reference | None:
        return self._splitter.reference(obj)
