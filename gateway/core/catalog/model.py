"""The catalogue as values: what each provider's operations are and how a request names them.

Everything is looked up, nothing is searched: `gateway.core.catalog.compile` makes these tables
once, when a catalogue is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from gateway.core.catalog.rows import BodyKind, ErrorForm, OperationRow
from gateway.core.operation import Access, OperationClass

# Headers by which frameworks and front ends let a client ask for another method or path than the
# request line says. They never go upstream; whoever sends one means another request.
OVERRIDES = frozenset(
    {
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
    }
)


class Step(msgspec.Struct, frozen=True):
    """One step into a JSON body.

    Attributes:
        names: the spellings of the member (`imageContext`, `image_context`).
        folded: the same without case; another spelling of them is another reading.
        each: whether the member is a list, each of whose elements is meant.
    """

    names: tuple[str, ...]
    folded: frozenset[str]
    each: bool


class BodyPlace(msgspec.Struct, frozen=True):
    """A member of the body, JSON or form."""

    steps: tuple[Step, ...]


class QueryPlace(msgspec.Struct, frozen=True):
    """A query parameter."""

    name: str


class PathPlace(msgspec.Struct, frozen=True):
    """A segment of the path, counted among the template's variable segments."""

    index: int


class ObservedPlace(msgspec.Struct, frozen=True):
    """What the edge remembers about the stream processor that the request names."""


Place = BodyPlace | QueryPlace | PathPlace | ObservedPlace
Test = Literal["present", "absent", "single", "several", "is", "is_not"]


class Condition(msgspec.Struct, frozen=True):
    """A test on the values at a place; `values` for `is` and `is_not`."""

    place: Place
    test: Test
    values: frozenset[str] = frozenset()


class Verdict(msgspec.Struct, frozen=True):
    """What a request is, and in words because of what."""

    operation_class: OperationClass
    access: Access
    subclass: str
    said: tuple[str, ...] = ()


class Variant(msgspec.Struct, frozen=True):
    """What an operation is where all conditions hold."""

    when: tuple[Condition, ...]
    verdict: Verdict


class Features(msgspec.Struct, frozen=True):
    """Verdicts by member of an enumeration, under its name and under its number as text."""

    place: Place
    verdicts: Mapping[str, Verdict]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, compiled.

    Attributes:
        name: in the provider's own terms.
        base: where no variant holds and no feature is named.
        variants: what it is under conditions.
        features: the enumeration that decides, if any.
        worst: the most restrictive class that it can have.
        gallery: places of which at most one names the gallery.
        destinations: kinds and places of outputs.
        contents: media types that it takes and how they are read; empty where the indicator says.
    """

    name: str
    base: Verdict
    variants: tuple[Variant, ...]
    features: Features | None
    worst: OperationClass
    gallery: tuple[Place, ...]
    destinations: tuple[tuple[str, Place], ...]
    contents: Mapping[str, BodyKind]


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """A header, parameter or field that names operations; `rules` by its whole value."""

    by: Literal["header", "query", "form"]
    name: str
    rules: Mapping[str, Rule]
    methods: frozenset[str]
    path: str
    contents: Mapping[str, BodyKind]
    accepted: bool
    said: str


class Node(msgspec.Struct, frozen=True):
    """One segment further down the tree of path templates.

    Attributes:
        literals: next segments that are fixed.
        verbs: next segments of the form `{id}:verb`, by verb.
        variable: the next segment where it may be anything.
        rules: operations that end here, by HTTP method.
    """

    literals: Mapping[str, Node]
    verbs: Mapping[str, Node]
    variable: Node | None
    rules: Mapping[str, Rule]


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One provider.

    Attributes:
        name: as upstreams in the configuration call it, e.g. `aws_rekognition`.
        title: for people.
        reviewed: when its operations were last compared with their sources.
        sources: key → where the rows come from; the first is meant where a row names none.
        hosts: patterns of the provider's own hosts, for documentation and `facegate check`.
        error_form: shape of a refusal that its SDKs read.
        key_headers: lower-case headers in which a caller's key may stand.
        credential_parameters: query names that hold credentials.
        decision_headers: lower-case header names that classification reads.
        decision_parameters: query names that classification reads.
        underscore_headers: lower-case header names with an underscore that its SDKs send.
        forward_headers: lower-case request headers that may go upstream.
        response_headers: lower-case response headers that may come back.
        open_parameters: query names whose values may stand in records in clear.
        ignore_case: whether it takes paths and query names in any case.
        parameter_names: decisive query names by themselves without case.
        form_names: form fields that name operations, likewise.
        indicators: headers, parameters and fields that name operations.
        routes: tree of the paths that name operations.
        operations: the rows of the data file, in its order.
    """

    name: str
    title: str
    reviewed: date
    sources: Mapping[str, str]
    hosts: tuple[str, ...]
    error_form: ErrorForm
    key_headers: frozenset[str]
    credential_parameters: frozenset[str]
    decision_headers: frozenset[str]
    decision_parameters: frozenset[str]
    underscore_headers: frozenset[str]
    forward_headers: frozenset[str]
    response_headers: frozenset[str]
    open_parameters: frozenset[str]
    ignore_case: bool
    parameter_names: Mapping[str, str]
    form_names: Mapping[str, str]
    indicators: tuple[Indicator, ...]
    routes: Node | None
    operations: tuple[OperationRow, ...]


class Catalog(msgspec.Struct, frozen=True):
    """All providers by name; `digest` is the SHA-256 of what the data files mean."""

    providers: Mapping[str, Provider]
    digest: str
