"""Which operation a request names, in all the places where one can be named.

SDKs name it in one place. Servers were seen to look in several, and to disagree over which one
wins, so all of them are read: they agree, or the request has two readings.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.catalog.bodies import form_of
from gateway.core.catalog.hosts import bare_host, matches
from gateway.core.catalog.model import Doubt, Indicator, Named, Provider, Rule, Unnamed
from gateway.core.catalog.parameters import decisive
from gateway.core.catalog.paths import is_canonical, route
from gateway.core.catalog.stated import settled
from gateway.core.request import Request, Whole
from gateway.core.strict_json import Refused

_NO_FIELDS: Mapping[str, str] = {}
_NO_SEGMENTS: Mapping[str, str] = {}
_ROUTED = ("named by method and path",)

# About 1 KB each; the oldest goes first. Where a client makes a key long, nothing is remembered.
_REMEMBERED = 1024
_KEY_CHARACTERS = 512


class _Reading(msgspec.Struct, frozen=True):
    """An indicator that is present, and what it names; None where the catalogue has no such."""

    indicator: Indicator
    value: str
    rule: Rule | None


def named_operation(
    request: Request, query: Mapping[str, str], provider: Provider
) -> Named | Unnamed | Doubt:
    """Find the operation that a request names.

    Args:
        request: the request.
        query: the parameters that the catalogue reads.
        provider: whose operations these are.
    """
    if query or (provider.form_names and "form" in request.headers.get("content-type", "").lower()):
        return _named(request, query, provider)
    # Without parameters and fields a name depends on little, and callers come back with it.
    headers, remembered = request.headers, provider.named
    key = (request.method, request.host, request.path, *map(headers.get, provider.naming_headers))
    known = remembered.get(key)
    if known is None:
        known = _named(request, query, provider)
        if sum(len(part) for part in key if part is not None) <= _KEY_CHARACTERS:
            if len(remembered) >= _REMEMBERED:
                del remembered[next(iter(remembered))]
            remembered[key] = known
    return known


def _named(
    request: Request, query: Mapping[str, str], provider: Provider
) -> Named | Unnamed | Doubt:
    form = _form_of(request, provider)
    if isinstance(form, Refused):
        return Doubt(form.reason, () if isinstance(request.body, Whole) else (None,))
    readings = _readings(request, query, form, provider.indicators)
    if provider.routes:
        return _by_path(request, provider, readings)
    return _by_value(request, provider, readings) if readings else _nothing()


def _nothing() -> Unnamed:
    return Unnamed("no operation is named where SDKs name it")


def _form_of(request: Request, provider: Provider) -> Mapping[str, str] | Refused:
    """Read the form fields that may name an operation; none where the body is no form."""
    if not provider.form_names or "form" not in request.headers.get("content-type", "").lower():
        return _NO_FIELDS
    form = form_of(request)
    if form is None:
        return _NO_FIELDS
    return form if isinstance(form, Refused) else decisive(form.items(), provider.form_names)


def _readings(
    request: Request,
    query: Mapping[str, str],
    form: Mapping[str, str],
    indicators: tuple[Indicator, ...],
) -> list[_Reading]:
    readings: list[_Reading] = []
    for indicator in indicators:
        if indicator.by == "header":
            value = request.headers.get(indicator.name)
        elif query or form:
            value = (query if indicator.by == "query" else form).get(indicator.name)
        else:
            continue
        if value is not None:
            readings.append(_Reading(indicator, value, indicator.names(value)))
    return readings


def _by_path(
    request: Request, provider: Provider, readings: list[_Reading]
) -> Named | Unnamed | Doubt:
    if not is_canonical(request.path):
        return Doubt("the path is not in canonical form")
    for routes in provider.routes:
        if routes.hosts and (readings or not matches(bare_host(request.host), routes.hosts)):
            continue
        found = route(routes, request.path, request.method)
        if found is None:
            continue
        rules, segments = found
        if any(each.rule not in rules or not each.indicator.accepted for each in readings):
            reason = "the path and another indicator disagree"
            return Doubt(reason, (*rules, *_rules_of(readings)))
        return Named(rules, rules[0].contents, segments, _ROUTED, settled(provider, rules, _ROUTED))
    if readings:
        return _by_value(request, provider, readings)
    return Unnamed("the path and method are not in the catalogue")


def _by_value(
    request: Request, provider: Provider, readings: list[_Reading]
) -> Named | Unnamed | Doubt:
    first = readings[0]
    rule, indicator = first.rule, first.indicator
    if (
        len(readings) > 1
        or not indicator.accepted
        or request.path != indicator.path
        or indicator.routed
    ):
        doubt = _doubt(request, readings)
        if doubt is not None:
            return doubt
    if rule is None and "," in first.value:
        return Doubt("an indicator has several values", tuple(_rules_of(readings)))
    if rule is None:
        return Unnamed("the operation is not in the catalogue", (indicator.said,))
    for reading in readings:
        way = reading.indicator
        if request.method in way.methods:
            said, rules = (way.said,), (rule,)
            contents = rule.contents or way.contents
            return Named(rules, contents, _NO_SEGMENTS, said, settled(provider, rules, said))
    return Unnamed("the method is not one that SDKs use", (indicator.said,))


def _doubt(request: Request, readings: list[_Reading]) -> Doubt | None:
    """Tell why indicators do not make one reading; None where they do."""
    rules = tuple(_rules_of(readings))
    if any(reading.indicator.path != request.path for reading in readings):
        return Doubt("an operation is named on a path that SDKs do not use", (*rules, None))
    if any(reading.value in reading.indicator.routed for reading in readings):
        return Doubt("an operation is named without its path", rules)
    if not all(reading.indicator.accepted for reading in readings):
        return Doubt("an operation is named where no SDK names it", rules)
    if any(rule is not rules[0] for rule in rules):
        return Doubt("two indicators name different operations", rules)
    return None


def _rules_of(readings: list[_Reading]) -> list[Rule | None]:
    """Return what each reading names, and each part of a value that was joined."""
    return [
        reading.indicator.names(part.strip())
        for reading in readings
        for part in ([reading.value] if reading.rule else reading.value.split(","))
    ]
