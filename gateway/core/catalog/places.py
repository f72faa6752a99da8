"""Places in a request, as the data files write them, and the values that stand there.

`body:Settings.FaceSearch.CollectionId` is a member of members; `body:requests[].features[].type` is
that member of every element; `image_context|imageContext` are two spellings of one member.
`query:returnFaceId` is a parameter, `path:personGroupId` a variable segment of the template, and
`observed:stream_processor` what the edge remembers about the processor that is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import msgspec

from gateway.core.catalog.model import BodyPlace, ObservedPlace, PathPlace, Place, QueryPlace, Step
from gateway.core.operation import Observed
from gateway.core.strict_json import JsonValue, Refused


class Seen(msgspec.Struct, frozen=True):
    """The parts of one request that places point into.

    Attributes:
        members: the body's members; None where the body was not read.
        query: parameters that the catalogue reads, in its own spelling.
        segments: the path's variable segments, as they stand in the path.
        observed: what the edge observed.
    """

    members: Mapping[str, JsonValue] | None
    query: Mapping[str, str]
    segments: tuple[str, ...]
    observed: Observed


def parse_place(text: str, segments: Sequence[str]) -> Place | None:
    """Read a place; `segments` are the template's variable segments. None where it is no place."""
    source, _, name = text.partition(":")
    match source:
        case "body" if name:
            return BodyPlace(tuple(_parse_step(step) for step in name.split(".")))
        case "query" if name:
            return QueryPlace(name)
        case "path" if name in segments:
            return PathPlace(list(segments).index(name))
        case "observed" if name == "stream_processor":
            return ObservedPlace()
        case _:
            return None


def _parse_step(text: str) -> Step:
    names = tuple(text.removesuffix("[]").split("|"))
    return Step(names, frozenset(name.casefold() for name in names), text.endswith("[]"))


def values_at(place: Place, seen: Seen) -> Sequence[JsonValue] | Refused | None:
    """Return the values at a place, in order; None where its body was not read.

    JSON null is no value of a member. `Refused` where the request can be read in two ways: a member
    of another type than the place says, or one whose name differs in case only, which a parser that
    ignores case would take.
    """
    if isinstance(place, BodyPlace):
        return None if seen.members is None else _members_at(seen.members, place.steps)
    if isinstance(place, PathPlace):
        return (unquote(seen.segments[place.index]),)
    if isinstance(place, QueryPlace):
        value = seen.query.get(place.name)
    else:
        value = seen.observed.stream_processor or None
    return () if value is None else (value,)


def _members_at(
    members: Mapping[str, JsonValue], steps: tuple[Step, ...]
) -> Sequence[JsonValue] | Refused:
    level: list[JsonValue] = []
    found = _step_into(members, steps[0], level)
    for step in steps[1:]:
        nodes, level = level, []
        for node in nodes:
            found = found and isinstance(node, dict) and _step_into(node, step, level)
    return level if found else Refused("a member that decides is not of one reading")


def _step_into(node: Mapping[str, JsonValue], step: Step, found: list[JsonValue]) -> bool:
    """Add the member's values to `found`; False where the node has more than one reading."""
    for key in node:
        if key not in step.names and key.casefold() in step.folded:
            return False
    for name in step.names:
        value = node.get(name)
        if value is None:
            continue
        if not step.each:
            found.append(value)
        elif isinstance(value, list):
            found.extend(value)
        else:
            return False
    return True
