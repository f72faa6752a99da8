"""A fault: one slip of a pen in one shipped policy file, and where in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# A policy file as plain values, as the YAML reader returns it.
Document = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One changed file.

    Attributes:
        place: `pack/rule`, `group name` or `pack name`.
        operator: what was done, in a few words; the same words for the same kind of slip.
        detail: what it was done to, e.g. an attribute or a member; empty where that is all.
        file: name of the file.
        value: what the file says now.
    """

    place: str
    operator: str
    detail: str
    file: str
    value: Document

    @property
    def name(self) -> str:
        """The fault in one line; unique."""
        return f"{self.place}: {self.operator}" + (f" ({self.detail})" if self.detail else "")
