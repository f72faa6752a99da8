"""The catalogue as values: what each provider's operations are and how a request names them.

Everything is looked up, nothing is searched: `gateway.core.catalog.compile` makes these tables
once, when a catalogue is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from gateway.core.catalog.dialects.protobuf import Schema
from gateway.core.catalog.media import Form
from gateway.core.catalog.rows import ErrorForm, OperationRow, ProcessorEffect, Signer
from gateway.core.operation import Access, Operation, OperationClass

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
    """One step into members.

    Attributes:
        names: the spellings of the member (`imageContext`, `image_context`).
        folded: the same without case; another spelling of them is another reading.
        each: whether the member is a list, each of whose elements is meant.
        parsed: whether the member may be JSON inside of a string.
        split: whether the member is text, each of whose parts between commas is meant.
    """

    names: tuple[str, ...]
    folded: frozenset[str]
    each: bool = False
    parsed: bool = False
    split: bool = False


class MemberPlace(msgspec.Struct, frozen=True):
    """A member of the body, a query parameter, or what may stand as either."""

    sources: tuple[Literal["body", "query"], ...]
    steps: tuple[Step, ...]


class HeaderPlace(msgspec.Struct, frozen=True):
    """A header, by its lower-case name."""

    name: str


class PathPlace(msgspec.Struct, frozen=True):
    """A variable segment of the path's template."""

    name: str


class ObservedPlace(msgspec.Struct, frozen=True):
    """What the edge remembers about the stream processor that the request names."""


Place = MemberPlace | HeaderPlace | PathPlace | ObservedPlace
Test = Literal[
    "present", "absent", "single", "several", "is", "is_not", "has", "exceeds", "matches"
]


class Condition(msgspec.Struct, frozen=True):
    """A test on the values at a place.

    Attributes:
        place: where they stand.
        test: what is tested; `gateway.core.catalog.rows.When` says what each means.
        values: for `is`, `is_not` and `has` (without case).
        count: for `exceeds`.
        pattern: for `matches`.
    """

    place: Place
    test: Test
    values: frozenset[str] = frozenset()
    count: int = 0
    pattern: str = ""


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
    """Verdicts by member of an enumeration, under its name and under its number as text.

    With `ignore_case` the names are without case.
    """

    place: Place
    verdicts: Mapping[str, Verdict]
    ignore_case: bool = False


class Expectation(msgspec.Struct, frozen=True):
    """Values that a place has in the requests of SDKs; in words, what another one makes of it."""

    place: Place
    values: frozenset[str]
    otherwise: Literal["unknown", "ambiguous"]
    said: str


class Rule(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One operation, compiled; equal to itself only, as its name is.

    Attributes:
        name: in the provider's own terms.
        base: where no variant holds and no feature is named.
        variants: what it is under conditions.
        features: the enumeration that decides, if any.
        worst: the most restrictive class that it can have.
        when: conditions for which it is this operation and not another one of the same path.
        gallery: places that name the gallery, each in one part or several; they agree.
        destinations: kinds and places of outputs.
        candidates: places of what to compare with.
        faces: place of the number of faces to look for.
        probes: places of images.
        processor: place of the name of a stream processor.
        effect: what it does to that processor.
        contents: media types that it takes, by themselves without parameters, and how each is
            read; `` stands for a request without body; empty where the indicator says.
        message: protocol buffer that its gRPC form carries; empty where it is not read.
    """

    name: str
    base: Verdict
    variants: tuple[Variant, ...]
    features: Features | None
    worst: OperationClass
    when: tuple[Condition, ...]
    gallery: tuple[tuple[Place, ...], ...]
    destinations: tuple[tuple[str, Place], ...]
    candidates: tuple[Place, ...]
    faces: Place | None
    probes: tuple[Place, ...]
    processor: Place | None
    effect: ProcessorEffect | None
    contents: Mapping[str, Form]
    message: str


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """A header, parameter or field that names operations.

    Attributes:
        by: where it stands.
        name: of the header, parameter or field.
        rules: operations by the whole value that names them.
        endings: beginnings of values, the longest first, for operations of any ending.
        routed: operations that a path has to name as well.
        methods: HTTP methods that SDKs send it with.
        path: the path that they send it to.
        contents: media types.
        accepted: whether SDKs send it at all.
        said: in words.
    """

    by: Literal["header", "query", "form"]
    name: str
    rules: Mapping[str, Rule]
    endings: tuple[tuple[str, Rule], ...]
    routed: Mapping[str, Rule]
    methods: frozenset[str]
    path: str
    contents: Mapping[str, Form]
    accepted: bool
    said: str

    def names(self, value: str) -> Rule | None:
        """Return the operation that a value names."""
        found = self.rules.get(value) or self.routed.get(value)
        if found is None and self.endings:
            return next((rule for start, rule in self.endings if value.startswith(start)), None)
        return found


class Named(msgspec.Struct, frozen=True):
    """One operation, named in one way or in several that agree.

    Attributes:
        rules: the operation, or those among which the body tells.
        contents: media types that it is sent in.
        segments: the path's variable segments by name.
        said: where it was named.
        settled: what the request is whatever its body says, once that was read; None where that
            depends on what it says.
    """

    rules: tuple[Rule, ...]
    contents: Mapping[str, Form]
    segments: Mapping[str, str]
    said: tuple[str, ...]
    settled: Operation | None


class Unnamed(msgspec.Struct, frozen=True):
    """No operation that the catalogue knows; in words why, and where a name was looked for."""

    reason: str
    said: tuple[str, ...] = ()


class Doubt(msgspec.Struct, frozen=True):
    """Several readings: of these operations, None standing for one that the catalogue lacks.

    Without operations they are whatever a lenient reader may find.
    """

    reason: str
    rules: tuple[Rule | None, ...] = ()


class Leaf(msgspec.Struct, frozen=True):
    """Operations of one method and path template, and the names of its variable segments."""

    rules: tuple[Rule, ...]
    variables: tuple[str, ...]


class Node(msgspec.Struct, frozen=True):
    """One segment further down the tree of path templates.

    Attributes:
        literals: next segments that are fixed.
        verbs: next segments of the form `{id}:verb`, by verb.
        variable: the next segment where it may be anything.
        leaves: what ends here, by HTTP method; `*` is any method.
        rests: what takes all segments from here on, likewise.
    """

    literals: Mapping[str, Node]
    verbs: Mapping[str, Node]
    variable: Node | None
    leaves: Mapping[str, Leaf]
    rests: Mapping[str, Leaf]


class Routes(msgspec.Struct, frozen=True, kw_only=True):
    """The paths that name operations.

    Attributes:
        root: their tree.
        ignore_case: whether the provider takes them in any case.
        optional_slash: whether a slash at the end may be there or not.
        verbs: whether any has a custom verb, so that an id has no colon.
        hosts: patterns of the hosts where they hold; empty where that is all of them.
    """

    root: Node
    ignore_case: bool
    optional_slash: bool
    verbs: bool
    hosts: tuple[str, ...] = ()


# Method, host and path of a request, and the values of the headers that may name its operation.
NamingKey = tuple[str | None, ...]


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
        credential_fields: form fields, and members of a JSON body, that hold credentials.
        credential_segments: variable segments of paths that hold credentials.
        credential_pairs: names of a key and its secret, in lower case, of which the one is nothing
            without the other.
        open_segments: path segments that may stand in records in clear, where a path may hold a
            credential; empty where none does, and all may.
        signers: ways in which it knows who calls, as `credential` in the configuration calls them.
        scopes: services that a SigV4 signature names for it.
        beside: providers on the same hosts, asked in order where this one knows no such operation.
        ignore_case: whether it takes paths and query names in any case.
        parameter_names: decisive query names, up to the first dot, by themselves without case.
        form_names: form fields that name operations, likewise.
        expects: values that are known.
        indicators: headers, parameters and fields that name operations.
        routes: paths that name operations; those of some hosts only come last.
        rules: operations by name.
        messages: protocol buffers.
        naming_headers: the headers among the indicators.
        processor_indicators: those of them that name operations on stream processors.
        operations: the rows of the data file, in its order.
        named: what requests without parameters and form fields named, remembered; bounded by
            whoever writes it, gone with this catalogue.
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
    credential_fields: frozenset[str]
    credential_segments: frozenset[str]
    credential_pairs: tuple[tuple[str, str], ...]
    open_segments: frozenset[str]
    signers: tuple[Signer, ...]
    scopes: tuple[str, ...]
    beside: tuple[str, ...]
    ignore_case: bool
    parameter_names: Mapping[str, str]
    form_names: Mapping[str, str]
    expects: tuple[Expectation, ...]
    indicators: tuple[Indicator, ...]
    routes: tuple[Routes, ...]
    rules: Mapping[str, Rule]
    messages: Schema
    naming_headers: tuple[str, ...]
    processor_indicators: tuple[Indicator, ...]
    operations: tuple[OperationRow, ...]
    named: dict[NamingKey, Named | Unnamed | Doubt] = msgspec.field(default_factory=dict)


class Catalog(msgspec.Struct, frozen=True):
    """All providers by name; `digest` is the SHA-256 of what the data files mean."""

    providers: Mapping[str, Provider]
    digest: str
