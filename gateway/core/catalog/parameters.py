"""The query parameters and form fields that the catalogue reads, each in one reading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gateway.core.strict_json import JsonValue, Refused

_MOST_DOTS = 8
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")  # one spelling a number
_UNFOLDED = Refused("numbered or dotted parameters do not fit together")


def decisive(
    pairs: Iterable[tuple[str, JsonValue]], names: Mapping[str, str], *, ignore_case: bool = False
) -> Mapping[str, str] | Refused:
    """Pick the parameters that decide; the rest is none of the catalogue's business.

    Args:
        pairs: decoded names and values, in order.
        names: the catalogue's spellings, up to the first dot, by themselves without case.
        ignore_case: whether the provider takes the names in any case.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if not name.isprintable():
            return Refused("the name of a parameter has a control character")
        head, dot, rest = name.partition(".")
        known = names.get(head.casefold())
        if known is None:
            continue
        if (head != known and not ignore_case) or not isinstance(value, str):
            return Refused("a parameter that decides is in another spelling")
        exact = known + dot + rest
        if exact in found:
            return Refused("a parameter that decides stands more than once")
        found[exact] = value
    return found


def unfold(flat: Mapping[str, JsonValue]) -> Mapping[str, JsonValue] | Refused:
    """Make lists and members of parameters in the way of signed RPC calls.

    `GroupIds.0=a` and `GroupIds.1=b` are the list `GroupIds`, in the order of the numbers, which
    start anywhere; `Task.1.ImageURL` is a member of an element; `X.member.1` is an older spelling.
    """
    if not any("." in name for name in flat):
        return flat
    root: dict[str, JsonValue] = {}
    for name, value in flat.items():
        node = root
        *path, last = name.split(".", _MOST_DOTS)
        for part in path:
            child = node.setdefault(part, {})
            if not isinstance(child, dict):
                return _UNFOLDED
            node = child
        if last in node:
            return _UNFOLDED
        node[last] = value
    return _listed_members(root)


def _listed_members(node: Mapping[str, JsonValue]) -> Mapping[str, JsonValue] | Refused:
    members: dict[str, JsonValue] = {}
    for name, child in node.items():
        value = _listed(child)
        if isinstance(value, Refused):
            return value
        members[name] = value
    return members


def _listed(value: JsonValue) -> JsonValue | Refused:
    """Turn members that are named by numbers only into a list."""
    if not isinstance(value, dict):
        return value
    read = _listed_members(value)
    if isinstance(read, Refused):
        return read
    numbered = [name for name in read if _NUMBER.fullmatch(name)]
    if not numbered:
        elements = read.get("member") if len(read) == 1 else None
        return elements if isinstance(elements, list) else dict(read)
    if len(numbered) < len(read):
        return _UNFOLDED
    return [read[name] for name in sorted(numbered, key=int)]
