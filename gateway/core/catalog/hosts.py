"""Whose host a request is sent to, by the patterns of the data files.

In a pattern, `{region}` is one label of a name, at its end one or more; `*` is anything. A gateway
that forwards knows its upstreams by name; this is for requests that are judged without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from gateway.core.catalog.model import Provider

_PART = re.compile(r"(\{\w+\}|\*)")


def bare_host(host: str) -> str:
    """Return a Host value in lower case, without port and without the dot of the root."""
    name = host.strip().lower()
    stem, colon, port = name.rpartition(":")
    if colon and port.isascii() and (port.isdecimal() or not port) and not stem.endswith(":"):
        name = stem
    return name.removesuffix(".")


def matches(host: str, patterns: Iterable[str]) -> bool:
    """Tell whether any pattern describes a host; `host` is bare."""
    return any(_compiled(pattern).expression.fullmatch(host) for pattern in patterns)


def providers_at(host: str, providers: Mapping[str, Provider]) -> tuple[str, ...]:
    """Return who has a host, by the most specific of the patterns that describe it.

    Args:
        host: a Host value, with or without port.
        providers: the catalogue's, by name.

    Returns:
        Names, several where providers share the host; none where it is in no catalogue.
    """
    name = bare_host(host)
    found = {
        provider.name: max(each.literals for each in patterns)
        for provider in providers.values()
        if (
            patterns := [
                each for each in map(_compiled, provider.hosts) if each.expression.fullmatch(name)
            ]
        )
    }
    most = max(found.values(), default=0)
    return tuple(sorted(each for each, literals in found.items() if literals == most))


def providers_of_scope(service: str, providers: Mapping[str, Provider]) -> tuple[str, ...]:
    """Return whose requests are signed for a service (the credential scope of SigV4)."""
    return tuple(sorted(each.name for each in providers.values() if service in each.scopes))


class _Pattern(msgspec.Struct, frozen=True):
    """A pattern as an expression, and how many characters it fixes."""

    expression: re.Pattern[str]
    literals: int


# A pure memory of the data files' patterns, a few hundred.
_REMEMBERED = 4096
_PATTERNS: dict[str, _Pattern] = {}


def _compiled(pattern: str) -> _Pattern:
    found = _PATTERNS.get(pattern)
    if found is None:
        parts = [part for part in _PART.split(pattern.lower()) if part]
        expression = "".join(map(_expression, parts[:-1])) + _last(parts[-1] if parts else "")
        literals = sum(len(part) for part in parts if not _PART.fullmatch(part))
        found = _Pattern(re.compile(expression), literals)
        if len(_PATTERNS) < _REMEMBERED:
            _PATTERNS[pattern] = found
    return found


def _expression(part: str) -> str:
    if part == "*":
        return ".+"
    return "[^.]+" if part.startswith("{") else re.escape(part)


def _last(part: str) -> str:
    return "[^.]+(?:[.][^.]+)*" if part.startswith("{") else _expression(part)
