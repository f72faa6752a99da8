"""What a request with several readings may be, for the class of its refusal.

Nothing here permits anything. A refusal says the most restrictive class that any reader of the
request may come to: one that decodes the path again, cuts it at a semicolon, follows the dots in
it, takes the other one of two parameters, or obeys a header that asks for another request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, unquote_plus

from gateway.core.catalog.model import OVERRIDES, Provider, Rule
from gateway.core.catalog.paths import route
from gateway.core.catalog.severity import RANK, most_restrictive
from gateway.core.operation import Ambiguous
from gateway.core.request import Request, Whole

_CUTS = re.compile(r"[#?]|\0|%00|%23|%3f", re.IGNORECASE)
_PARAMETER = re.compile(r";[^/]*")
_AUTHORITY = re.compile(r"[a-z][a-z0-9+.-]*://[^/]*", re.IGNORECASE)
_PART = re.compile(
    r'name="?([^"\r\n;]{1,64})"?[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n([^\r\n]{1,256})'
)
_MOST_DECODINGS = 3
_MOST_CHARACTERS = 4096
_MOST_FIELDS = 256


def ambiguous(provider: Provider, rules: Iterable[Rule | None], reason: str) -> Ambiguous:
    """Make the answer to a request that can be read as any of these operations.

    None stands for a reading that the catalogue does not know. It may be anything, which says no
    more where another reading is a search.
    """
    readings = {rule.name if rule else "anything": rule for rule in rules}
    known = most_restrictive(rule.worst for rule in readings.values() if rule)
    searches = RANK[known] <= RANK["embed"]
    return Ambiguous(
        provider=provider.name,
        operation_class=known if searches or None not in readings.values() else "unknown",
        reason=reason,
        reading=tuple(f"can be read as {name}" for name in readings),
    )


def suspects(request: Request, providers: Iterable[Provider]) -> tuple[Rule | None, ...]:
    """Return every operation that a lenient reader may find; None where there is no other."""
    found: dict[Rule | None, None] = {}
    for provider in providers:
        for rule in _named(request, provider):
            found[rule] = None
    return tuple(found) or (None,)


def _named(request: Request, provider: Provider) -> Iterator[Rule | None]:
    for name, value in _values(request):
        for indicator in provider.indicators:
            if name == indicator.name.casefold():
                yield from (indicator.names(part.strip()) for part in value.split(","))
    methods = {request.method, *(value.upper() for value in _overrides(request))}
    for routes in provider.routes:
        for path in () if routes.hosts else _paths(request):
            for method in methods:
                found = route(routes, path, method, rests=False)
                yield from found[0] if found else ()


def _overrides(request: Request) -> Iterator[str]:
    yield from (request.headers[name] for name in OVERRIDES if name in request.headers)


def _values(request: Request) -> Iterator[tuple[str, str]]:
    """Yield headers, parameters and form fields, names without case, as often as they stand."""
    yield from ((name.casefold(), value) for name, value in request.headers.items())
    yield from ((name.casefold(), value) for name, value in request.query)
    content = request.body.content[:_MOST_CHARACTERS] if isinstance(request.body, Whole) else b""
    for field in content.decode("latin-1").split("&", _MOST_FIELDS):
        field_name, _, value = field.partition("=")
        yield unquote_plus(field_name).casefold(), unquote_plus(value)
    for part in _PART.finditer(content.decode("latin-1")):
        name: str = part[1]
        yield name.casefold(), part[2]


def _paths(request: Request) -> set[str]:
    """Return the paths that lenient servers make of the one that is sent, or is asked for."""
    paths = {request.path, *(value for value in _overrides(request) if "/" in value)}
    spelled: set[str] = set()
    for path in paths:
        text = path[:_MOST_CHARACTERS]
        for _ in range(_MOST_DECODINGS):
            spelled.update(_spellings(text))
            text = unquote(text)
    return {each for path in spelled for each in (path, path.rstrip("/"), path + "/") if each}


def _spellings(path: str) -> Iterator[str]:
    rooted = _AUTHORITY.sub("", path).replace("\\", "/")
    for text in {rooted, _CUTS.split(rooted)[0], _CUTS.sub("", rooted)}:
        plain = "/" + _PARAMETER.sub("", text).strip().lstrip("/")
        yield plain
        yield plain.partition(";")[0]
        yield "/" + "/".join(_without_dots(plain))
        yield "/" + "/".join(part for part in plain.split("/") if part not in {"", ".", ".."})


def _without_dots(path: str) -> list[str]:
    segments: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del segments[-1:]
        elif part not in {"", "."}:
            segments.append(part)
    return segments
