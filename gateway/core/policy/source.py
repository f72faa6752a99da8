"""A policy file between reading and linking: what it holds, and where each part of it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.core.policy.parse import Parsed
from gateway.errors import Finding

Loc = tuple[str | int, ...]


class Places(Protocol):
    """The places of a document that was read."""

    @property
    def path(self) -> str:
        """The path that findings name."""

    def place(self, loc: Loc) -> tuple[int, int]:
        """Return line and column of the value at `loc`."""

    def key_place(self, loc: Loc) -> tuple[int, int]:
        """Return line and column of the key that `loc` ends with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of a file."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return `path:line`."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file."""

    parsed: Parsed
    places: Places

    def place(self, loc: Loc) -> Place:
        """Return the place of a value."""
        line, column = self.places.place(loc)
        return Place(path=self.places.path, line=line, column=column)

    def finding(self, loc: Loc, message: str, hint: str = "") -> Finding:
        """Return a finding at a value."""
        return _finding(self.place(loc), message, hint)

    def finding_at_key(self, loc: Loc, message: str, hint: str = "") -> Finding:
        """Return a finding at the key that `loc` ends with."""
        line, column = self.places.key_place(loc)
        return _finding(Place(path=self.places.path, line=line, column=column), message, hint)


def _finding(place: Place, message: str, hint: str) -> Finding:
    return Finding(
        path=place.path, line=place.line, column=place.column, message=message, hint=hint
    )
