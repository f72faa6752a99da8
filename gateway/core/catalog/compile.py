"""From the rows of a data file to the tables that classification looks things up in.

What the rows cannot mean together is a mistake, told with its operation, and all mistakes are told
at once. There is no default that a mistake falls back to: the catalogue does not load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import msgspec

from gateway.core.catalog.model import (
    OVERRIDES,
    Indicator,
    Node,
    Place,
    Provider,
    QueryPlace,
    Rule,
)
from gateway.core.catalog.rows import IndicatorRow, OperationRow, ProviderRow
from gateway.core.catalog.rules import MistakeError, compile_rule
from gateway.core.catalog.trees import Branch, grow, has_route, variables_of

# RFC 9110 section 7.6.1: of one connection only, so never passed on.
_OF_ONE_CONNECTION = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Made afresh for the upstream, or the caller's secret, or a wish for another request.
_NEVER_FORWARDED = _OF_ONE_CONNECTION.union(
    OVERRIDES,
    {
        "authorization",
        "content-length",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "proxy-authorization",
        "x-amz-date",
        "x-amz-security-token",
        "x-forwarded-for",
    },
)
# A cookie would outlive the decision; the query-error header makes botocore lose the typed error.
_NEVER_RETURNED = _OF_ONE_CONNECTION.union({"content-length", "set-cookie", "x-amzn-query-error"})
_NONE: frozenset[str] = frozenset()


class Mistake(msgspec.Struct, frozen=True):
    """What does not hold in a data file; `operation` is empty where it is not about one."""

    operation: str
    message: str


def compile_provider(file: ProviderRow) -> Provider | tuple[Mistake, ...]:
    """Compile a data file, or tell every mistake in it, in the file's order."""
    mistakes = [
        Mistake("", message)
        for message in chain(_header_mistakes(file), _indicator_mistakes(file), _set_mistakes(file))
    ]
    rules: dict[str, Rule] = {}
    root = Branch()
    for row in file.operations:
        if row.name in rules:
            mistakes.append(Mistake(row.name, "the same name twice"))
            continue
        try:
            rules[row.name] = _compile_row(row, file, root)
        except MistakeError as mistake:
            mistakes.append(Mistake(row.name, str(mistake)))
    if mistakes:
        return tuple(mistakes)
    named = [rules[row.name] for row in file.operations if not has_route(row)]
    indicators = tuple(_indicator(row, file, named) for row in file.indicators)
    return _provider(file, rules.values(), indicators, root.node() if file.routes else None)


def _header_mistakes(file: ProviderRow) -> Iterator[str]:
    indicated = tuple(each.name for each in file.indicators if each.by == "header")
    for field, headers, never in (
        ("forward_headers", file.forward_headers, _NEVER_FORWARDED.union(file.key_headers)),
        ("response_headers", file.response_headers, _NEVER_RETURNED),
        ("key_headers", file.key_headers, _NONE),
        ("underscore_headers", file.underscore_headers, _NONE),
        ("indicators", indicated, _NONE),
    ):
        for header in headers:
            if header in never:
                yield f"{field}: `{header}` may not stand there"
            if header != header.lower():
                yield f"{field}: `{header}` is not in lower case"


def _indicator_mistakes(file: ProviderRow) -> Iterator[str]:
    for indicator in file.indicators:
        if indicator.body not in file.bodies:
            yield f"indicator `{indicator.name}`: no table of bodies `{indicator.body}`"


def _set_mistakes(file: ProviderRow) -> Iterator[str]:
    if not file.sources:
        yield "no source is named"
    if file.routes is None:
        return
    for name, versions in file.routes.sets.items():
        for version in versions:
            if version not in file.routes.versions:
                yield f"set `{name}`: no API version `{version}`"


def _compile_row(row: OperationRow, file: ProviderRow, root: Branch) -> Rule:
    """Compile one row, and grow its path if it has one.

    Raises:
        MistakeError: the row does not hold.
    """
    routed = has_route(row)
    body = row.body or ("default" if routed else "")
    rule = compile_rule(row, file, variables=variables_of(row), body=body)
    if routed and file.routes:
        grow(root, row, rule, file.routes, ignore_case=file.ignore_case)
    elif routed or not any(indicator.accepted for indicator in file.indicators):
        raise MistakeError("no request can name it: no routes, or no indicator")
    return rule


def _indicator(row: IndicatorRow, file: ProviderRow, rules: Sequence[Rule]) -> Indicator:
    return Indicator(
        by=row.by,
        name=row.name,
        rules={row.prefix + rule.name: rule for rule in rules},
        methods=frozenset(row.methods),
        path=row.path,
        contents=file.bodies[row.body],
        accepted=row.accepted,
        said=f"named by {row.by} `{row.name}`",
    )


def _provider(
    file: ProviderRow,
    rules: Iterable[Rule],
    indicators: tuple[Indicator, ...],
    routes: Node | None,
) -> Provider:
    parameters = {each.name for each in indicators if each.by == "query"}
    parameters |= {
        place.name for rule in rules for place in _places_of(rule) if isinstance(place, QueryPlace)
    }
    headers = {each.name for each in indicators if each.by == "header"}
    return Provider(
        name=file.name,
        title=file.title,
        reviewed=file.reviewed,
        sources=file.sources,
        hosts=file.hosts,
        error_form=file.error_form,
        key_headers=frozenset(file.key_headers),
        credential_parameters=frozenset(file.credential_parameters),
        decision_headers=OVERRIDES.union(headers, {"content-type"}),
        decision_parameters=frozenset(parameters),
        underscore_headers=frozenset(file.underscore_headers),
        forward_headers=frozenset(file.forward_headers),
        response_headers=frozenset(file.response_headers),
        open_parameters=frozenset(file.open_parameters),
        ignore_case=file.ignore_case,
        parameter_names={name.casefold(): name for name in parameters},
        form_names={each.name.casefold(): each.name for each in indicators if each.by == "form"},
        indicators=indicators,
        routes=routes,
        operations=file.operations,
    )


def _places_of(rule: Rule) -> Iterator[Place]:
    yield from rule.gallery
    yield from (place for _, place in rule.destinations)
    yield from (condition.place for variant in rule.variants for condition in variant.when)
    if rule.features:
        yield rule.features.place
