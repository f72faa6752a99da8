"""What a provider's data file says, row by row, before anything is compiled from it.

A file is read by people first: one line an operation, places written as `body:Settings.FaceSearch`.
The syntax of a place is read by `gateway.core.catalog.places`; the kinds of bodies are those of
`gateway.core.catalog.dialects.table`.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from gateway.core.operation import Access, OperationClass

BodyKind = Literal[
    "json",
    "list",
    "form",
    "indexed_form",
    "multipart",
    "grpc",
    "protobuf",
    "batch",
    "opaque",
    "empty",
]
ErrorForm = Literal["aws_json", "azure", "google", "problem"]
ProcessorEffect = Literal["declares", "uses", "forgets"]
Signer = Literal["aws", "header", "bearer", "query", "form", "none", "tc3", "acs3", "huawei", "oci"]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a data file; a key that it does not know is a mistake."""


class When(Row, frozen=True, kw_only=True, rename={"equals": "is", "differs": "is_not"}):
    """Conditions that must all hold, each on the values at a place.

    Attributes:
        present: at least one value stands there; JSON null is no value.
        absent: no value stands there.
        single: exactly one value stands there.
        several: two or more values stand there.
        equals: there are values, and each is one of these (numbers as text).
        differs: there is a value that is none of these.
        has: there is a value that is one of these, in any case of letters.
        exceeds: there are more values than this.
        matches: there is exactly one value, and it is text that this expression describes whole.
    """

    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    equals: dict[str, tuple[str, ...]] = {}
    differs: dict[str, tuple[str, ...]] = {}
    has: dict[str, tuple[str, ...]] = {}
    exceeds: dict[str, int] = {}
    matches: dict[str, str] = {}


class VariantRow(Row, frozen=True, kw_only=True, rename={"operation_class": "class"}):
    """What an operation is where the conditions hold; what is not said is as in the operation."""

    operation_class: OperationClass
    when: When
    access: Access | None = None
    subclass: str | None = None


class FeatureRow(Row, frozen=True, kw_only=True, rename={"operation_class": "class"}):
    """One member of an enumeration that stands in a body, by name and by number."""

    name: str
    operation_class: OperationClass
    number: int | None = None
    subclass: str = ""


class FeaturesRow(Row, frozen=True, kw_only=True):
    """An enumeration whose members, named in a request, decide the class of an operation.

    Attributes:
        at: where they are named.
        values: the members; another one makes the request unknown.
        ignore_case: whether the provider takes their names in any case.
    """

    at: str
    values: tuple[FeatureRow, ...]
    ignore_case: bool = False


class ShapeRow(Row, frozen=True, kw_only=True):
    """What several operations have in common; each may say otherwise.

    Attributes:
        access: what it does to a gallery or image database.
        subclass: finer kind.
        gallery: places where the gallery is named; `path:user/path:app` is named in two parts.
            They have one value, or none.
        to: kind of destination → place where it is named.
        candidates: places whose values are the set to compare with, where the request brings it.
        faces: place that says how many faces to look for.
        probes: places of the images to look for, in base64 or as files.
        body: name of the table of media types that it takes.
        message: name of the protocol buffer in which gRPC sends it; not read where it is not said.
        features: name of the enumeration that decides its class.
        variants: classes that depend on the request; the most restrictive that holds is taken.
        source: key of the file's `sources`, where it is not the first.
    """

    access: Access = "none"
    subclass: str = ""
    gallery: tuple[str, ...] = ()
    to: dict[str, str] = {}
    candidates: tuple[str, ...] = ()
    faces: str = ""
    probes: tuple[str, ...] = ()
    body: str = ""
    message: str = ""
    features: str = ""
    variants: tuple[VariantRow, ...] = ()
    source: str = ""


class OperationRow(ShapeRow, frozen=True, kw_only=True, rename={"operation_class": "class"}):
    """One operation.

    Attributes:
        name: in the provider's own terms; `POST /identify` where the path names it; a trailing `*`
            stands for any ending where an indicator names it.
        operation_class: where no variant holds.
        like: name of the shape whose values hold where the row does not say them.
        route: method and path template, where the name is not that already; `GET|POST` are
            several methods, `*` is any; `{name*}` at the end is the rest of the path.
        versions: name of the set of API versions that have it.
        also: more methods and templates that name it, whole paths without prefix and version.
        hosts: patterns of hosts; where nothing else names one, it is any request to these.
        when: which of several operations of one path this is; the first that holds.
        processor: what it does to a stream processor → place of that processor's name.
        note: for the reader.
    """

    name: str
    operation_class: OperationClass
    like: str = ""
    route: str = ""
    versions: str = ""
    also: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    when: When | None = None
    processor: dict[ProcessorEffect, str] = {}
    note: str = ""


class IndicatorRow(Row, frozen=True, kw_only=True):
    """A header, query parameter or form field that names the operation.

    Attributes:
        by: where it stands.
        name: of the header (lower case), parameter or field.
        prefix: what stands before the operation's name.
        methods: HTTP methods that the SDKs send it with.
        path: the one path that they send it to.
        body: name of the table of media types.
        accepted: false for a form that some servers take and no SDK sends; a request that carries
            it has two readings.
    """

    by: Literal["header", "query", "form"]
    name: str
    prefix: str = ""
    methods: tuple[str, ...] = ("POST",)
    path: str = "/"
    body: str = "default"
    accepted: bool = True


class ExpectsRow(Row, frozen=True, kw_only=True):
    """A header or parameter that stands with known values only, e.g. an API version.

    Attributes:
        at: where it stands.
        values: what SDKs send; none where they never send it.
        otherwise: what a request with another value is. `unknown` where it names something that
            the catalogue does not know, `ambiguous` where it asks for another reading.
    """

    at: str
    values: tuple[str, ...] = ()
    otherwise: Literal["unknown", "ambiguous"] = "unknown"


class RoutesRow(Row, frozen=True, kw_only=True):
    """How paths name operations.

    Attributes:
        prefix: what stands before each template; `{version}` where API versions are told apart.
        versions: API version → the spellings of its segment.
        sets: name → API versions; a template without a set has no version.
    """

    prefix: str = ""
    versions: dict[str, tuple[str, ...]] = {}
    sets: dict[str, tuple[str, ...]] = {}


class ProviderRow(Row, frozen=True, kw_only=True):
    """A data file; `Provider` says what the fields of the same name mean.

    Attributes:
        gallery_segments: variable segments of paths that name a gallery.
        bodies: name → media types and how each is read; `` stands for a request without body.
        features: name → enumeration.
        shapes: name → what operations that are `like` it have in common.
        messages: protocol buffer → field number → the field, as `protobuf.parse_field` reads it.
    """

    name: str
    title: str
    reviewed: date
    sources: dict[str, str]
    error_form: ErrorForm
    hosts: tuple[str, ...]
    forward_headers: tuple[str, ...]
    response_headers: tuple[str, ...]
    operations: tuple[OperationRow, ...]
    key_headers: tuple[str, ...] = ()
    credential_parameters: tuple[str, ...] = ()
    open_parameters: tuple[str, ...] = ()
    underscore_headers: tuple[str, ...] = ()
    ignore_case: bool = False
    optional_slash: bool = False
    scopes: tuple[str, ...] = ()
    gallery_segments: tuple[str, ...] = ()
    bodies: dict[str, dict[str, BodyKind]] = {}
    indicators: tuple[IndicatorRow, ...] = ()
    routes: RoutesRow | None = None
    features: dict[str, FeaturesRow] = {}
    beside: tuple[str, ...] = ()
    expects: tuple[ExpectsRow, ...] = ()
    credential_fields: tuple[str, ...] = ()
    credential_segments: tuple[str, ...] = ()
    credential_pairs: tuple[tuple[str, str], ...] = ()
    signers: tuple[Signer, ...] = ()
    messages: dict[str, dict[str, str]] = {}
    shapes: dict[str, ShapeRow] = {}
