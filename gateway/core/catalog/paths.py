"""Paths that name operations: a tree of templates, and the walk down it.

Only canonical paths are read here. Whether one that is not canonical is refused, or made canonical
before it is judged and sent, is the door's affair; this is the second lock.
"""

from __future__ import annotations

import re

from gateway.core.catalog.model import Node, Rule

_PLAIN = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%[0-9A-Fa-f]{2})*")
# Escapes that servers are known to read in two ways: of the unreserved characters (RFC 3986 section
# 2.3: the same as the character), of separators, of the escape itself and of control characters.
_TWO_READINGS = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/\\;%?#\x7f"
) | frozenset(range(0x20))


def is_canonical(path: str) -> bool:
    """Tell whether a path has one reading: no empty inner or dot segment, no doubtful character."""
    if not _PLAIN.fullmatch(path) or "//" in path:
        return False
    if "/." in path and not {".", ".."}.isdisjoint(path.split("/")):
        return False
    return "%" not in path or not any(
        int(rest[:2], 16) in _TWO_READINGS for rest in path.split("%")[1:]
    )


def route(
    root: Node, path: str, method: str, *, ignore_case: bool
) -> tuple[Rule, tuple[str, ...]] | None:
    """Find the operation of a path and method, and the path's variable segments.

    A fixed segment goes before a verb, a verb before a variable segment, which is never empty and
    has no colon: `{id}:unheardOf` is not the id of anything.
    """
    # A colon may stand escaped (RFC 3986 section 2.2 would tell the two apart, routers do not).
    plain = path.replace("%3A", ":").replace("%3a", ":") if "%3" in path else path
    segments = tuple(plain.split("/")[1:])
    folded = tuple(plain.lower().split("/")[1:]) if ignore_case else segments
    return _walk(root, segments, folded, method, ())


def _walk(
    node: Node,
    segments: tuple[str, ...],
    folded: tuple[str, ...],
    method: str,
    taken: tuple[str, ...],
) -> tuple[Rule, tuple[str, ...]] | None:
    if not segments:
        rule = node.rules.get(method)
        return None if rule is None else (rule, taken)
    stem, colon, _ = segments[0].rpartition(":")
    verb = folded[0].rpartition(":")[2]
    ways = (
        (node.literals.get(folded[0]), taken),
        (node.verbs.get(verb) if colon and stem else None, (*taken, stem)),
        (node.variable if segments[0] and not colon else None, (*taken, segments[0])),
    )
    for child, values in ways:
        if child is not None:
            found = _walk(child, segments[1:], folded[1:], method, values)
            if found is not None:
                return found
    return None
