"""Places in a request, as the data files write them, and the values that stand there.

`body:Settings.FaceSearch.CollectionId` is a member of members; `body:requests[].features[].type` is
that member of every element; `image_context|imageContext` are two spellings of one member, `x{}` is
one that may be JSON inside of a string, `x[,]` each part of a text between commas.
`query:returnFaceId` is a parameter, `parameter:DbName` what may be a parameter or a member,
`header:x-tc-version` a header, `path:personGroupId` a variable segment of the template, and
`observed:stream_processor` what the edge remembers about the processor that is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import msgspec

from gateway.core.catalog.model import (
    HeaderPlace,
    MemberPlace,
    ObservedPlace,
    PathPlace,
    Place,
    Step,
)
from gateway.core.operation import Observed
from gateway.core.strict_json import JsonValue, Refused, Span, loads

_STEP = re.compile(r"([^\[\]{}]*)(\{\})?(\[\]|\[,\])?")
_DOUBT = Refused("a member that decides is not of one reading")


class Seen(msgspec.Struct, frozen=True):
    """The parts of one request that places point into.

    Attributes:
        members: the body's members; None where the body was not read.
        query: parameters that the catalogue reads, in its own spelling, unfolded.
        headers: the request's headers.
        segments: the path's variable segments by name, as they stand in the path.
        observed: what the edge observed.
    """

    members: Mapping[str, JsonValue] | None
    query: Mapping[str, JsonValue]
    headers: Mapping[str, str]
    segments: Mapping[str, str]
    observed: Observed


def parse_place(text: str, segments: Sequence[str]) -> Place | None:
    """Read a place; `segments` are the template's variable segments. None where it is no place."""
    source, _, name = text.partition(":")
    match source:
        case "body" | "query" | "parameter" if name:
            steps = tuple(_parse_step(step) for step in name.split("."))
            read = [step for step in steps if step is not None]
            if len(read) < len(steps):
                return None
            return MemberPlace(("body", "query") if source == "parameter" else (source,), (*read,))
        case "header" if name and name == name.lower():
            return HeaderPlace(name)
        case "path" if name in segments:
            return PathPlace(name)
        case "observed" if name == "stream_processor":
            return ObservedPlace()
        case _:
            return None


def _parse_step(text: str) -> Step | None:
    match = _STEP.fullmatch(text)
    if match is None or not (match[1] or match[3]):
        return None
    name: str = match[1]
    names = tuple(name.split("|"))
    return Step(
        names,
        frozenset(name.casefold() for name in names),
        each=text.endswith("[]"),
        parsed="{}" in text,
        split=text.endswith("[,]"),
    )


def values_at(place: Place, seen: Seen) -> Sequence[JsonValue] | Refused | None:
    """Return the values at a place, in order; None where what would tell was not read.

    JSON null is no value of a member. `Refused` where the request can be read in two ways: a member
    of another type than the place says, one whose name differs in case only, which a parser that
    ignores case would take, or one that stands in the query and in the body.
    """
    if isinstance(place, MemberPlace):
        return _values_of(place, seen)
    if isinstance(place, PathPlace):
        segment = seen.segments.get(place.name)
        return None if segment is None else (unquote(segment),)
    if isinstance(place, HeaderPlace):
        value = seen.headers.get(place.name)
    else:
        value = seen.observed.stream_processor or None
    return () if value is None else (value,)


def _values_of(place: MemberPlace, seen: Seen) -> Sequence[JsonValue] | Refused | None:
    if place.sources == ("body",):
        return None if seen.members is None else _members_at(seen.members, place.steps)
    in_query = _members_at(seen.query, place.steps) if seen.query else ()
    if place.sources == ("query",) or isinstance(in_query, Refused):
        return in_query
    in_body = None if seen.members is None else _members_at(seen.members, place.steps)
    if isinstance(in_body, Refused):
        return in_body
    if in_body is None or in_query is None:
        return None
    if in_body and in_query:
        return Refused("a parameter that decides stands in the query and in the body")
    return in_body or in_query


def _members_at(
    members: Mapping[str, JsonValue], steps: tuple[Step, ...]
) -> Sequence[JsonValue] | Refused | None:
    level: list[JsonValue] = []
    found = _step_into(members, steps[0], level)
    for step in steps[1:]:
        nodes, level = level, []
        for node in nodes:
            if found:
                found = isinstance(node, dict) and _step_into(node, step, level)
    return level if found else found if found is None else _DOUBT


def _step_into(node: Mapping[str, JsonValue], step: Step, found: list[JsonValue]) -> bool | None:
    """Add the member's values to `found`.

    Returns:
        False where the node has more than one reading, None where a value was not read.
    """
    for key in node:
        # C strings end at a NUL, and so do keys for parsers that are made of them.
        if key not in step.names and key.partition("\0")[0].casefold() in step.folded:
            return False
    for name in step.names:
        value = node.get(name)
        if value is None:
            continue
        if not (step.each or step.parsed or step.split):
            found.append(value)
            continue
        taken = _take(value, step, found)
        if not taken:
            return taken
    return True


def _take(value: JsonValue, step: Step, found: list[JsonValue]) -> bool | None:
    """Add the elements, the parts, or what is written in a text."""
    if isinstance(value, Span):
        return None
    if step.parsed and isinstance(value, str):
        read = loads(value.encode())
        if isinstance(read, Refused):
            return False
        if read is None:
            return True
        value = read
    if step.split and isinstance(value, str):
        found.extend(part for each in value.split(",") if (part := each.strip()))
    elif (step.each or step.split) and isinstance(value, list):
        found.extend(value)
    elif step.each or step.split:
        return False
    else:
        found.append(value)
    return True
