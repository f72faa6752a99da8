"""From the rows of a data file to the tables that classification looks things up in.

What the rows cannot mean together is a mistake, told with its operation, and all mistakes are told
at once. There is no default that a mistake falls back to: the catalogue does not load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from gateway.core.catalog.checks import mistakes_of
from gateway.core.catalog.dialects.protobuf import Field, Schema, parse_field
from gateway.core.catalog.media import forms_of
from gateway.core.catalog.model import (
    OVERRIDES,
    Condition,
    Expectation,
    HeaderPlace,
    Indicator,
    MemberPlace,
    Place,
    Provider,
    Routes,
    Rule,
)
from gateway.core.catalog.places import parse_place
from gateway.core.catalog.rows import IndicatorRow, OperationRow, ProviderRow, RoutesRow
from gateway.core.catalog.rules import Forms, MistakeError, compile_rule
from gateway.core.catalog.shapes import shaped
from gateway.core.catalog.trees import Branch, Template, grow, has_route, templates_of

_NO_ROUTES = RoutesRow()


class Mistake(msgspec.Struct, frozen=True):
    """What does not hold in a data file; `operation` is empty where it is not about one."""

    operation: str
    message: str


class _Forest:
    """The trees of one file while they grow; owned by its compilation."""

    def __init__(self, file: ProviderRow) -> None:
        self.file = file
        self.roots: dict[tuple[str, ...], Branch] = {}

    def plant(self, hosts: tuple[str, ...], templates: Sequence[Template], rule: Rule) -> None:
        """Add an operation's templates, which hold on some hosts or, where none is named, on all.

        Raises:
            MistakeError: one of them does not hold.
        """
        root = self.roots.setdefault(hosts, Branch())
        for template in templates:
            grow(root, template, rule, ignore_case=self.file.ignore_case)

    def routes(self) -> tuple[Routes, ...]:
        """Return the grown trees, those of some hosts last."""
        return tuple(
            Routes(
                root=root.node(),
                ignore_case=self.file.ignore_case,
                optional_slash=self.file.optional_slash,
                verbs=root.has_verbs(),
                hosts=hosts,
            )
            for hosts, root in sorted(self.roots.items())
        )


def compile_provider(file: ProviderRow) -> Provider | tuple[Mistake, ...]:
    """Compile a data file, or tell every mistake in it, in the file's order."""
    mistakes = [Mistake("", message) for message in mistakes_of(file)]
    rules: dict[str, Rule] = {}
    rows: list[OperationRow] = []
    forest = _Forest(file)
    forms = {name: forms_of(table) for name, table in file.bodies.items()}
    for written in file.operations:
        if written.name in rules:
            mistakes.append(Mistake(written.name, "the same name twice"))
            continue
        try:
            row = shaped(written, file.shapes)
            rules[row.name] = _compile_row(row, file, forms, forest)
            rows.append(row)
        except MistakeError as mistake:
            mistakes.append(Mistake(written.name, str(mistake)))
    if mistakes:
        return tuple(mistakes)
    return _provider(file, tuple(rows), rules, forms, forest.routes())


def _compile_row(row: OperationRow, file: ProviderRow, forms: Forms, forest: _Forest) -> Rule:
    """Compile one row, and grow its path if it has one.

    Raises:
        MistakeError: the row does not hold.
    """
    routed = has_route(row)
    indicated = any(indicator.accepted for indicator in file.indicators)
    if not (file.routes or row.hosts if routed else indicated):
        raise MistakeError("no request can name it: no routes, or no indicator")
    templates = templates_of(row, file.routes or _NO_ROUTES)
    variables = tuple({name: None for each in templates for name in each.variables})
    body = row.body or ("default" if routed else "")
    rule = compile_rule(row, file, forms, variables=variables, body=body)
    if routed:
        forest.plant(row.hosts, templates, rule)
    return rule


def _indicator(
    row: IndicatorRow, forms: Forms, rules: Mapping[str, Rule], routed: frozenset[str]
) -> Indicator:
    endings = [
        (row.prefix + name.removesuffix("*"), rule)
        for name, rule in rules.items()
        if name.endswith("*") and name not in routed
    ]
    return Indicator(
        by=row.by,
        name=row.name,
        rules={row.prefix + name: rule for name, rule in rules.items() if name not in routed},
        endings=tuple(sorted(endings, key=_length, reverse=True)),
        routed={row.prefix + name: rule for name, rule in rules.items() if name in routed},
        methods=frozenset(row.methods),
        path=row.path,
        contents=forms[row.body],
        accepted=row.accepted,
        said=f"named by {row.by} `{row.name}`",
    )


def _length(ending: tuple[str, Rule]) -> int:
    return len(ending[0])


def _schema(file: ProviderRow) -> Schema:
    messages: dict[str, dict[int, Field]] = {}
    for name, fields in file.messages.items():
        read = {int(number): parse_field(text) for number, text in fields.items()}
        messages[name] = {number: field for number, field in read.items() if field is not None}
    return messages


def _expectations(file: ProviderRow) -> Iterator[Expectation]:
    for row in file.expects:
        place = parse_place(row.at, ())
        if place is not None:
            yield Expectation(place, frozenset(row.values), row.otherwise, row.at)


def _open_segments(file: ProviderRow, rows: tuple[OperationRow, ...]) -> frozenset[str]:
    """Return the fixed segments of all routes, where any variable one may hold a credential."""
    if not file.credential_segments:
        return frozenset()
    texts = [text for row in rows for text in (row.name, row.route, *row.also)]
    texts.append(file.routes.prefix if file.routes else "")
    pieces = chain.from_iterable(text.replace(" ", "/").split("/") for text in texts)
    return frozenset(piece for piece in pieces if "{" not in piece)


def _provider(
    file: ProviderRow,
    rows: tuple[OperationRow, ...],
    rules: Mapping[str, Rule],
    forms: Forms,
    routes: tuple[Routes, ...],
) -> Provider:
    routed = frozenset(row.name for row in rows if has_route(row))
    indicators = tuple(_indicator(row, forms, rules, routed) for row in file.indicators)
    expects = tuple(_expectations(file))
    places = [
        *chain.from_iterable(map(_places_of, rules.values())),
        *(each.place for each in expects),
    ]
    parameters = {each.name for each in indicators if each.by == "query"}
    parameters.update(chain.from_iterable(map(_query_names, places)))
    headers = {each.name for each in indicators if each.by == "header"}
    headers.update(place.name for place in places if isinstance(place, HeaderPlace))
    return Provider(
        name=file.name,
        title=file.title,
        reviewed=file.reviewed,
        sources=file.sources,
        hosts=file.hosts,
        error_form=file.error_form,
        key_headers=frozenset(file.key_headers),
        credential_parameters=frozenset(file.credential_parameters),
        credential_fields=frozenset(file.credential_fields),
        credential_segments=frozenset(file.credential_segments),
        credential_pairs=file.credential_pairs,
        open_segments=_open_segments(file, rows),
        signers=file.signers,
        scopes=file.scopes,
        beside=file.beside,
        decision_headers=OVERRIDES.union(headers, {"content-type"}),
        decision_parameters=frozenset(parameters),
        underscore_headers=frozenset(file.underscore_headers),
        forward_headers=frozenset(file.forward_headers),
        response_headers=frozenset(file.response_headers),
        open_parameters=frozenset(file.open_parameters),
        ignore_case=file.ignore_case,
        parameter_names={name.casefold(): name for name in parameters},
        form_names={each.name.casefold(): each.name for each in indicators if each.by == "form"},
        expects=expects,
        indicators=indicators,
        routes=routes,
        rules=rules,
        messages=_schema(file),
        naming_headers=tuple(each.name for each in indicators if each.by == "header"),
        processor_indicators=tuple(filter(_names_processors, indicators)),
        operations=rows,
    )


def _names_processors(indicator: Indicator) -> bool:
    rules = (*indicator.rules.values(), *indicator.routed.values())
    return indicator.by == "header" and any(
        rule.processor for rule in (*rules, *(rule for _, rule in indicator.endings))
    )


def _query_names(place: Place) -> tuple[str, ...]:
    if isinstance(place, MemberPlace) and "query" in place.sources:
        return place.steps[0].names
    return ()


def _places_of(rule: Rule) -> Iterator[Place]:
    yield from chain.from_iterable(rule.gallery)
    yield from (place for _, place in rule.destinations)
    yield from rule.candidates
    yield from rule.probes
    conditions: Iterable[Condition] = chain(rule.when, *(each.when for each in rule.variants))
    yield from (condition.place for condition in conditions)
    yield from (place for place in (rule.faces, rule.processor) if place is not None)
    if rule.features:
        yield rule.features.place
