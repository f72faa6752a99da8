"""What does the request ask for? The first stage of every decision.

The answer is closed: what the catalogue does not know is `Unknown`, what can be read in two ways is
`Ambiguous` with the most restrictive of them, and only the rest is an `Operation`. Nothing that a
client sends raises.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.catalog.bodies import members_of
from gateway.core.catalog.conditions import verdict_of
from gateway.core.catalog.model import OVERRIDES, Catalog, Place, Provider, Rule
from gateway.core.catalog.naming import Named, ambiguous, named_operation
from gateway.core.catalog.parameters import decisive
from gateway.core.catalog.places import Seen, values_at
from gateway.core.operation import Ambiguous, Classified, Destination, Observed, Operation, Unknown
from gateway.core.request import Request
from gateway.core.strict_json import Refused

_NO_PARAMETERS: Mapping[str, str] = {}
# Names stand in records, so they are bounded; the longest list of real ones is Tencent's, of 100
# groups, and the longest single one an ARN of 2,048 characters.
_MAX_NAMES = 100
_MAX_NAMES_CHARACTERS = 8192
_UNREAD = ("the body was not read: of what it may say, the most restrictive",)


def classify(request: Request, catalog: Catalog, observed: Observed) -> Classified:
    """Tell what a request asks for. Never raises.

    Args:
        request: the one canonical reading of what arrived.
        catalog: what is known of the providers.
        observed: what the edge remembers about the stream processor that the request names.
    """
    provider = catalog.providers.get(request.provider)
    if provider is None:
        return Unknown(provider=request.provider, reason="the provider is not in the catalogue")
    if not request.headers.keys().isdisjoint(OVERRIDES):
        return ambiguous(provider, (None,), "a header asks for another method or path")
    query = _query_of(request, provider)
    if isinstance(query, Refused):
        return ambiguous(provider, (None,), query.reason)
    named = named_operation(request, query, provider)
    if not isinstance(named, Named):
        return named
    members = members_of(request, named.contents)
    if isinstance(members, Refused):
        return ambiguous(provider, (named.rule,), members.reason)
    return _operation(provider, named, Seen(members, query, named.segments, observed))


def _query_of(request: Request, provider: Provider) -> Mapping[str, str] | Refused:
    if not request.query:
        return _NO_PARAMETERS
    return decisive(request.query, provider.parameter_names, ignore_case=provider.ignore_case)


def _operation(provider: Provider, named: Named, seen: Seen) -> Operation | Unknown | Ambiguous:
    rule = named.rule
    verdict = verdict_of(rule, seen)
    if isinstance(verdict, Refused):
        return ambiguous(provider, (rule,), verdict.reason)
    reading = named.said + verdict.said
    if seen.members is None:
        reading += _UNREAD
    if verdict.operation_class == "unknown":
        return Unknown(
            provider=provider.name, reason=f"{rule.name} in a form not known", reading=reading
        )
    gallery = _gallery(rule, seen)
    if isinstance(gallery, Refused):
        return ambiguous(provider, (rule,), gallery.reason)
    destinations = _destinations(rule, seen)
    if isinstance(destinations, Refused):
        return ambiguous(provider, (rule,), destinations.reason)
    return Operation(
        provider=provider.name,
        name=rule.name,
        operation_class=verdict.operation_class,
        access=verdict.access,
        subclass=verdict.subclass,
        gallery=gallery,
        destinations=destinations,
        reading=reading,
    )


def _gallery(rule: Rule, seen: Seen) -> str | Refused:
    named: list[str] = []
    for place in rule.gallery:
        texts = _texts(place, seen)
        if isinstance(texts, Refused):
            return texts
        if texts:
            named.append(",".join(texts))
    if len(named) > 1:
        return Refused("a gallery is named in two ways")
    return named[0] if named else ""


def _destinations(rule: Rule, seen: Seen) -> tuple[Destination, ...] | Refused:
    found: list[Destination] = []
    for kind, place in rule.destinations:
        texts = _texts(place, seen)
        if isinstance(texts, Refused):
            return texts
        found.extend(Destination(kind=kind, value=text) for text in texts)
    return tuple(found)


def _texts(place: Place, seen: Seen) -> list[str] | Refused:
    """Return the values at a place, which name things; none where the body was not read."""
    values = values_at(place, seen)
    if isinstance(values, Refused):
        return values
    texts = [value for value in values or () if isinstance(value, str)]
    named = len(texts) == len(values or ()) <= _MAX_NAMES
    if not named or sum(map(len, texts)) > _MAX_NAMES_CHARACTERS:
        return Refused("what names a gallery or destination is no name")
    return texts
