"""What does the request ask for? The first stage of every decision.

The answer is closed: what the catalogue does not know is `Unknown`, what can be read in two ways is
`Ambiguous` with the most restrictive of them, and only the rest is an `Operation`. Nothing that a
client sends raises.
"""

from __future__ import annotations

import msgspec

from gateway.core.catalog.batches import combined, inner_request
from gateway.core.catalog.conditions import pick, text_of, verdict_of
from gateway.core.catalog.dialects import batch
from gateway.core.catalog.model import (
    OVERRIDES,
    Catalog,
    Doubt,
    Expectation,
    Provider,
    Rule,
    Unnamed,
)
from gateway.core.catalog.places import Seen, values_at
from gateway.core.catalog.reading import Reading, read_as
from gateway.core.catalog.stated import operation_of, stated_of
from gateway.core.catalog.suspects import ambiguous, suspects
from gateway.core.operation import Ambiguous, Classified, Observed, Operation, Unknown
from gateway.core.request import Request
from gateway.core.strict_json import Refused

_UNREAD = ("the body was not read: of what it may say, the most restrictive",)


class _Around(msgspec.Struct, frozen=True):
    """What a request is classified with.

    Attributes:
        providers: those that the host may stand for; the upstream's own first.
        observed: what the edge remembers.
        inside: whether the request is one of a batch.
    """

    providers: tuple[Provider, ...]
    observed: Observed
    inside: bool = False


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
    providers: tuple[Provider, ...] = (provider,)
    if provider.beside:
        providers += tuple(catalog.providers[name] for name in provider.beside)
    return _classified(request, _Around(providers, observed))


def _classified(request: Request, around: _Around) -> Classified:
    if not request.headers.keys().isdisjoint(OVERRIDES):
        reason = "a header asks for another method or path"
        return ambiguous(around.providers[0], suspects(request, around.providers), reason)
    first: Unnamed | None = None
    for provider in around.providers:
        found = _of(request, provider, around)
        if not isinstance(found, Unnamed):
            return found
        # Of what several do not know, an indicator that is there tells more than a path.
        first = found if first is None or (found.said and not first.said) else first
    return _unknown(request, around, first or Unnamed(""))


def _unknown(request: Request, around: _Around, unnamed: Unnamed) -> Unknown | Ambiguous:
    """Answer to what names no operation: some server may still take it for the name of one."""
    provider = around.providers[0]
    rules = [rule for rule in suspects(request, around.providers) if rule is not None]
    if rules and not unnamed.said:
        return ambiguous(provider, rules, "an operation is named in another spelling")
    return Unknown(provider=provider.name, reason=unnamed.reason, reading=unnamed.said)


def _of(request: Request, provider: Provider, around: _Around) -> Classified | Unnamed:
    reading = read_as(request, provider, around.observed)
    if isinstance(reading, Reading):
        if reading.settled is not None:
            return reading.settled
        if reading.form.kind == "batch":
            return _batch(request, provider, reading, around)
        return _operation(provider, reading)
    if isinstance(reading, Doubt):
        rules = reading.rules or suspects(request, around.providers)
        return ambiguous(provider, rules, reading.reason)
    return reading


def _batch(request: Request, provider: Provider, read: Reading, around: _Around) -> Classified:
    rule = read.rules[0]
    if around.inside:
        return ambiguous(provider, (rule,), "a batch in a batch")
    if read.content is None:
        return Unknown(provider=provider.name, reason="a batch that was not read", reading=_UNREAD)
    parts = batch.read(read.content, read.form.media)
    if isinstance(parts, Refused):
        return ambiguous(provider, (rule,), parts.reason)
    within = msgspec.structs.replace(around, inside=True)
    found = [_classified(inner_request(request, part), within) for part in parts]
    return combined(rule.name, provider.name, found)


def _operation(provider: Provider, read: Reading) -> Operation | Unknown | Ambiguous:
    seen = read.seen
    rule = pick(read.rules, seen)
    if isinstance(rule, Refused):
        return ambiguous(provider, read.rules, rule.reason)
    unexpected = _unexpected(provider, rule, seen) if provider.expects else None
    if unexpected is not None:
        return unexpected
    verdict = verdict_of(rule, seen)
    if isinstance(verdict, Refused):
        return ambiguous(provider, (rule,), verdict.reason)
    reading = read.said + verdict.said
    if seen.members is None:
        reading += _UNREAD
    if verdict.operation_class == "unknown":
        return Unknown(
            provider=provider.name, reason=f"{rule.name} in a form not known", reading=reading
        )
    stated = stated_of(rule, seen)
    if isinstance(stated, Refused):
        return ambiguous(provider, (rule,), stated.reason)
    return operation_of(provider, rule, verdict, stated, reading)


def _unexpected(provider: Provider, rule: Rule, seen: Seen) -> Unknown | Ambiguous | None:
    """Judge values that SDKs do not send; None where there are none."""
    for expected in provider.expects:
        values = values_at(expected.place, seen)
        if isinstance(values, Refused):
            return ambiguous(provider, (rule,), values.reason)
        if values and not expected.values.issuperset(text_of(value) or "" for value in values):
            return _other_than(expected, provider, rule)
    return None


def _other_than(expected: Expectation, provider: Provider, rule: Rule) -> Unknown | Ambiguous:
    reason = f"`{expected.said}` has a value that SDKs do not send"
    if expected.otherwise == "ambiguous":
        return ambiguous(provider, (rule,), reason)
    return Unknown(provider=provider.name, reason=reason, reading=(f"can be read as {rule.name}",))
