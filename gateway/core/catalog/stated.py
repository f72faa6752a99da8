"""What a request says beside its class: gallery, destinations, sizes. Names are bounded.

What stands in records stands there in clear, so a value that is no name is not taken for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from gateway.core.catalog.conditions import text_of
from gateway.core.catalog.model import Place, Provider, Rule, Verdict
from gateway.core.catalog.places import Seen, values_at
from gateway.core.operation import Destination, Operation
from gateway.core.strict_json import Refused

# The longest list of real names is Tencent's, of 100 groups, and the longest single one an ARN of
# 2,048 characters.
_MAX_NAMES = 100
_MAX_NAMES_CHARACTERS = 8192
_FACES_DIGITS = 6


class Stated(msgspec.Struct, frozen=True):
    """Facts of one request; `gateway.core.operation.Operation` says what each means."""

    gallery: str = ""
    destinations: tuple[Destination, ...] = ()
    candidates: int | None = None
    faces: int | None = None


_NOTHING = Stated()


def settled(provider: Provider, rules: tuple[Rule, ...], said: tuple[str, ...]) -> Operation | None:
    """Return what a request is where nothing that it says beside its name changes that, else None.

    Args:
        provider: whose operations these are.
        rules: what the name stands for.
        said: where it stands, in words.
    """
    rule = rules[0]
    verdict = rule.base
    depends = len(rules) > 1 or rule.variants or rule.features or provider.expects
    if depends or _states(rule) or verdict.operation_class == "unknown":
        return None
    return operation_of(provider, rule, verdict, _NOTHING, said + verdict.said)


def operation_of(
    provider: Provider, rule: Rule, verdict: Verdict, stated: Stated, reading: tuple[str, ...]
) -> Operation:
    """Put together what is known of a request that was read in exactly one way."""
    return Operation(
        provider=provider.name,
        name=rule.name,
        operation_class=verdict.operation_class,
        access=verdict.access,
        subclass=verdict.subclass,
        gallery=stated.gallery,
        destinations=stated.destinations,
        candidates=stated.candidates,
        faces=stated.faces,
        reading=reading,
    )


def _states(rule: Rule) -> bool:
    return bool(rule.gallery or rule.destinations or rule.candidates or rule.faces)


def stated_of(rule: Rule, seen: Seen) -> Stated | Refused:
    """Return what the request states; `Refused` where it states it in several ways."""
    if not _states(rule):
        return _NOTHING
    gallery = _gallery(rule, seen)
    if isinstance(gallery, Refused):
        return gallery
    destinations = _destinations(rule, seen)
    if isinstance(destinations, Refused):
        return destinations
    candidates = _candidates(rule, seen)
    if isinstance(candidates, Refused):
        return candidates
    faces = _faces(rule, seen)
    if isinstance(faces, Refused):
        return faces
    return Stated(gallery, destinations, candidates, faces)


def _gallery(rule: Rule, seen: Seen) -> str | Refused:
    """Return the one gallery that is named; empty where none is.

    Several members in one place are joined by `,`, the parts of a name by `/`.
    """
    found = ""
    for parts in rule.gallery:
        named: list[str] = []
        for part in parts:
            texts = _names_at(part, seen)
            if isinstance(texts, Refused):
                return texts
            named.append(",".join(texts))
        name = "/".join(named) if all(named) else ""
        if found and name and name != found:
            return Refused("a gallery is named in two ways")
        found = found or name
    return found


def _destinations(rule: Rule, seen: Seen) -> tuple[Destination, ...] | Refused:
    """Return where outputs go, in the order of the data file."""
    found: list[Destination] = []
    for kind, place in rule.destinations:
        texts = _names_at(place, seen)
        if isinstance(texts, Refused):
            return texts
        for text in texts:
            value = _host_of(text) if kind == "callback" or kind.endswith("_url") else text
            if value is None:
                return Refused("an output goes to an address whose host cannot be told")
            found.append(Destination(kind=kind, value=value))
    return tuple(found)


def _candidates(rule: Rule, seen: Seen) -> int | Refused | None:
    """Count what the request brings to compare with; None where that was not read."""
    count = 0
    for place in rule.candidates:
        values = values_at(place, seen)
        if values is None or isinstance(values, Refused):
            return values
        count += len(values)
    return count if rule.candidates else None


def _faces(rule: Rule, seen: Seen) -> int | Refused | None:
    """Return the number of faces to look for, as stated; None where it is not stated."""
    values = values_at(rule.faces, seen) if rule.faces else None
    if isinstance(values, Refused):
        return values
    if not values:
        return None
    text = text_of(values[0]) or ""
    if len(values) > 1 or not (text.isascii() and text.isdecimal()) or len(text) > _FACES_DIGITS:
        return None
    return int(text)


def _names_at(place: Place, seen: Seen) -> Sequence[str] | Refused:
    """Return the values at a place, which name things; none where the body was not read."""
    values = values_at(place, seen)
    if isinstance(values, Refused):
        return values
    texts = [value for value in values or () if isinstance(value, str)]
    named = len(texts) == len(values or ()) <= _MAX_NAMES
    if not named or sum(map(len, texts)) > _MAX_NAMES_CHARACTERS:
        return Refused("what names a gallery or destination is no name")
    return texts


def _host_of(address: str) -> str | None:
    """Return the host of a web address; None where readers may come to different ones."""
    if not address.isprintable() or any(each in address for each in "\\ @"):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in {"http", "https"} and parts.hostname else None
