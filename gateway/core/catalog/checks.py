"""What does not hold in a data file as a whole; single operations are checked as they compile."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.catalog.dialects.protobuf import parse_field
from gateway.core.catalog.model import OVERRIDES
from gateway.core.catalog.places import parse_place
from gateway.core.catalog.rows import ProviderRow, RoutesRow

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


def mistakes_of(file: ProviderRow) -> Iterator[str]:
    """Yield every mistake in words."""
    if not file.sources:
        yield "no source is named"
    yield from _header_mistakes(file)
    for indicator in file.indicators:
        if indicator.body not in file.bodies:
            yield f"indicator `{indicator.name}`: no table of bodies `{indicator.body}`"
    for expected in file.expects:
        if parse_place(expected.at, ()) is None:
            yield f"expects: `{expected.at}` is no place"
    if file.routes:
        yield from _set_mistakes(file.routes)
    yield from _credential_mistakes(file)
    yield from _message_mistakes(file)


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


def _credential_mistakes(file: ProviderRow) -> Iterator[str]:
    parameters, fields = set(file.credential_parameters), set(file.credential_fields)
    for pair in file.credential_pairs:
        for name in pair:
            if name not in parameters | fields:
                yield f"credential_pairs: `{name}` is no parameter and no field of a credential"
            if name != name.lower():
                yield f"credential_pairs: `{name}` is not in lower case"
    for indicator in file.indicators:
        if indicator.name in parameters | fields:
            yield f"indicator `{indicator.name}`: a credential names no operation"


def _set_mistakes(routes: RoutesRow) -> Iterator[str]:
    for name, versions in routes.sets.items():
        for version in versions:
            if version not in routes.versions:
                yield f"set `{name}`: no API version `{version}`"


def _message_mistakes(file: ProviderRow) -> Iterator[str]:
    for name, fields in file.messages.items():
        for number, text in fields.items():
            field = parse_field(text)
            if field is None or not (number.isascii() and number.isdecimal()):
                yield f"message `{name}`: `{number} = {text}` is no field"
            elif field.message and field.message not in file.messages:
                yield f"message `{name}`: no message `{field.message}`"
