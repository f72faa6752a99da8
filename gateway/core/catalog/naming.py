"""Which operation a request names, in all the places where one can be named.

SDKs name it in one place. Servers were seen to look in several, and to disagree over which one
wins, so all of them are read: they agree, or the request has two readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gateway.core.catalog.bodies import FORM, media_type, read_form
from gateway.core.catalog.model import Indicator, Node, Provider, Rule
from gateway.core.catalog.parameters import decisive
from gateway.core.catalog.paths import is_canonical, route
from gateway.core.catalog.rows import BodyKind
from gateway.core.catalog.severity import most_restrictive
from gateway.core.operation import Ambiguous, Unknown
from gateway.core.request import Request
from gateway.core.strict_json import Refused


class Named(msgspec.Struct, frozen=True):
    """One operation, named in one way or in several that agree.

    Attributes:
        rule: the operation.
        contents: media types that it is sent in.
        segments: the path's variable segments.
        said: where it was named.
    """

    rule: Rule
    contents: Mapping[str, BodyKind]
    segments: tuple[str, ...]
    said: tuple[str, ...]


class _Reading(msgspec.Struct, frozen=True):
    """An indicator that is present, and what it names; None where the catalogue has no such."""

    indicator: Indicator
    value: str
    rule: Rule | None


def named_operation(
    request: Request, query: Mapping[str, str], provider: Provider
) -> Named | Unknown | Ambiguous:
    """Find the operation that a request names.

    Args:
        request: the request.
        query: the parameters that the catalogue reads.
        provider: whose operations these are.
    """
    form = _form_of(request, provider)
    if isinstance(form, Refused):
        return ambiguous(provider, (None,), form.reason)
    readings = _readings(request, query, form, provider.indicators)
    if provider.routes is not None:
        return _by_path(request, provider, provider.routes, readings)
    if not readings:
        return Unknown(provider=provider.name, reason="no operation is named where SDKs name it")
    return _by_value(request, provider, readings)


def ambiguous(provider: Provider, rules: Iterable[Rule | None], reason: str) -> Ambiguous:
    """Make the answer to a request that can be read as any of these operations.

    None stands for a reading that the catalogue does not know.
    """
    readings = {rule.name if rule else "anything": rule for rule in rules}
    return Ambiguous(
        provider=provider.name,
        operation_class=most_restrictive(
            rule.worst if rule else "unknown" for rule in readings.values()
        ),
        reason=reason,
        reading=tuple(f"can be read as {name}" for name in readings),
    )


def _form_of(request: Request, provider: Provider) -> Mapping[str, str] | Refused:
    """Read the form fields that may name an operation; none where the body is no form."""
    if not provider.form_names or media_type(request) != FORM:
        return {}
    form = read_form(request.body)
    if form is None:
        return Refused("a form that may name the operation was not read")
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
        else:
            value = (query if indicator.by == "query" else form).get(indicator.name)
        if value is not None:
            readings.append(_Reading(indicator, value, indicator.rules.get(value)))
    return readings


def _by_path(
    request: Request, provider: Provider, routes: Node, readings: list[_Reading]
) -> Named | Unknown | Ambiguous:
    if not is_canonical(request.path):
        return ambiguous(provider, (None,), "the path is not in canonical form")
    found = route(routes, request.path, request.method, ignore_case=provider.ignore_case)
    if found is None:
        if readings:
            return _by_value(request, provider, readings)
        return Unknown(
            provider=provider.name, reason="the path and method are not in the catalogue"
        )
    rule, segments = found
    if any(reading.rule is not rule or not reading.indicator.accepted for reading in readings):
        rules = (rule, *_rules_of(readings))
        return ambiguous(provider, rules, "the path and another indicator disagree")
    return Named(rule, rule.contents, segments, ("named by method and path",))


def _by_value(
    request: Request, provider: Provider, readings: list[_Reading]
) -> Named | Unknown | Ambiguous:
    first = readings[0]
    rule, indicator = first.rule, first.indicator
    if len(readings) > 1 or not indicator.accepted or request.path != indicator.path:
        doubt = _doubt(request, provider, readings)
        if doubt is not None:
            return doubt
    if rule is None and "," in first.value:
        return ambiguous(provider, _rules_of(readings), "an indicator has several values")
    if rule is None:
        reason = "the operation is not in the catalogue"
        return Unknown(provider=provider.name, reason=reason, reading=(indicator.said,))
    for reading in readings:
        way = reading.indicator
        if request.method in way.methods:
            return Named(rule, rule.contents or way.contents, (), (way.said,))
    reason = "the method is not one that SDKs use"
    return Unknown(provider=provider.name, reason=reason, reading=(indicator.said,))


def _doubt(request: Request, provider: Provider, readings: list[_Reading]) -> Ambiguous | None:
    """Tell why indicators do not make one reading; None where they do."""
    rules = _rules_of(readings)
    if any(reading.indicator.path != request.path for reading in readings):
        return ambiguous(
            provider, (*rules, None), "an operation is named on a path that SDKs do not use"
        )
    if not all(reading.indicator.accepted for reading in readings):
        return ambiguous(provider, rules, "an operation is named where no SDK names it")
    if any(rule is not rules[0] for rule in rules):
        return ambiguous(provider, rules, "two indicators name different operations")
    return None


def _rules_of(readings: list[_Reading]) -> list[Rule | None]:
    """Return what each reading names, and each part of a value that was joined."""
    return [
        reading.indicator.rules.get(part.strip())
        for reading in readings
        for part in ([reading.value] if reading.rule else reading.value.split(","))
    ]
