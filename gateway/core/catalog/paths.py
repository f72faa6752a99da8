"""Paths that name operations: a tree of templates, and the walk down it.

Only canonical paths are read here. Whether one that is not canonical is refused, or made canonical
before it is judged and sent, is the door's affair; this is the second lock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.core.catalog.model import Leaf, Node, Routes, Rule

_PLAIN = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%[0-9A-Fa-f]{2})*")
# Escapes that servers are known to read in two ways: of the unreserved characters (RFC 3986 section
# 2.3: the same as the character), of separators, of the escape itself and of control characters.
_TWO_READINGS = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/\\;%?#\x7f"
) | frozenset(range(0x20))

Found = tuple[tuple[Rule, ...], Mapping[str, str]]


def is_canonical(path: str) -> bool:
    """Tell whether a path has one reading: no empty inner or dot segment, no doubtful character."""
    if not _PLAIN.fullmatch(path) or "//" in path:
        return False
    if "/." in path and not {".", ".."}.isdisjoint(path.split("/")):
        return False
    return "%" not in path or not any(
        int(rest[:2], 16) in _TWO_READINGS for rest in path.split("%")[1:]
    )


def route(routes: Routes, path: str, method: str, *, rests: bool = True) -> Found | None:
    """Find the operations of a path and method, and the path's variable segments by name.

    A fixed segment goes before a verb, a verb before a variable segment, which is never empty and,
    where there are verbs, has no colon: `{id}:unheardOf` is not the id of anything. A template that
    takes any rest of a path comes last, and not at all without `rests`.
    """
    found = _lookup(routes, path, method, rests=rests)
    if found is None and routes.optional_slash and path != "/":
        other = path.removesuffix("/") if path.endswith("/") else path + "/"
        return _lookup(routes, other, method, rests=rests)
    return found


def _lookup(routes: Routes, path: str, method: str, *, rests: bool) -> Found | None:
    # A colon may stand escaped (RFC 3986 section 2.2 would tell the two apart, routers do not).
    plain = path.replace("%3A", ":").replace("%3a", ":") if "%3" in path else path
    segments = plain.split("/")[1:]
    folded = plain.lower().split("/")[1:] if routes.ignore_case else segments
    walk = _Walk(segments, folded, method, colons=not routes.verbs, rests=rests)
    found = walk.down(routes.root, 0, ())
    if found is None:
        return None
    leaf, values = found
    return leaf.rules, dict(zip(leaf.variables, values, strict=True))


class _Walk:
    """One path on its way down the tree."""

    __slots__ = ("colons", "folded", "method", "rests", "segments")

    def __init__(
        self, segments: list[str], folded: list[str], method: str, *, colons: bool, rests: bool
    ) -> None:
        self.segments, self.folded, self.method = segments, folded, method
        self.colons, self.rests = colons, rests

    def down(
        self, node: Node, at: int, taken: tuple[str, ...]
    ) -> tuple[Leaf, tuple[str, ...]] | None:
        """Find the leaf from a node on, for the segments from `at` on."""
        if at == len(self.segments):
            return self._end(node.leaves, taken)
        segment = self.segments[at]
        child = node.literals.get(self.folded[at])
        found = self.down(child, at + 1, taken) if child else None
        if found is None and node.verbs and ":" in segment:
            stem = segment.rpartition(":")[0]
            child = node.verbs.get(self.folded[at].rpartition(":")[2])
            found = self.down(child, at + 1, (*taken, stem)) if child and stem else None
        if found is None and node.variable and segment and (self.colons or ":" not in segment):
            found = self.down(node.variable, at + 1, (*taken, segment))
        if found is None and node.rests and self.rests:
            return self._end(node.rests, (*taken, "/".join(self.segments[at:])))
        return found

    def _end(
        self, leaves: Mapping[str, Leaf], taken: tuple[str, ...]
    ) -> tuple[Leaf, tuple[str, ...]] | None:
        leaf = leaves.get(self.method) or leaves.get("*")
        return None if leaf is None else (leaf, taken)
