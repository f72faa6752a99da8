"""One request as one provider would read it: the operation that it names, and the parts of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.catalog.bodies import form_in, members_of
from gateway.core.catalog.media import Form
from gateway.core.catalog.model import Doubt, Named, Provider, Rule, Unnamed
from gateway.core.catalog.naming import named_operation
from gateway.core.catalog.parameters import decisive, unfold
from gateway.core.catalog.places import Seen
from gateway.core.operation import Observed, Operation
from gateway.core.request import Body, Request, Whole
from gateway.core.strict_json import JsonValue, Refused

_NO_PARAMETERS: Mapping[str, str] = {}
_NOTHING: Mapping[str, JsonValue] = {}


class Reading(msgspec.Struct, frozen=True):
    """What a request says.

    Attributes:
        rules: the operation, or those among which the body tells.
        said: where it was named.
        form: how the body is read.
        content: the body; None where it streams.
        seen: the parts that places point into.
        settled: what the request is, where nothing that it says beside its name changes that.
    """

    rules: tuple[Rule, ...]
    said: tuple[str, ...]
    form: Form
    content: bytes | None
    seen: Seen
    settled: Operation | None


def read_as(request: Request, provider: Provider, observed: Observed) -> Reading | Unnamed | Doubt:
    """Read a request, or tell why it has no reading or several."""
    query = _query_of(request, provider) if request.query else _NO_PARAMETERS
    if isinstance(query, Refused):
        return Doubt(query.reason)
    named = named_operation(request, query, provider)
    if not isinstance(named, Named):
        return named
    form = form_in(request, named.contents)
    if not isinstance(form, Form):
        return Doubt(form.reason, named.rules)
    content = _content_of(request.body)
    members = members_of(content, form, named.rules[0], provider)
    if isinstance(members, Refused):
        return Doubt(members.reason, named.rules)
    parameters = unfold(query) if query else _NOTHING
    if isinstance(parameters, Refused):
        return Doubt(parameters.reason, named.rules)
    seen = Seen(members, parameters, request.headers, named.segments, observed)
    settled = None if members is None else named.settled
    return Reading(named.rules, named.said, form, content, seen, settled)


def _content_of(body: Body) -> bytes | None:
    if isinstance(body, Whole):
        return body.content
    return None if body.length else b""


def _query_of(request: Request, provider: Provider) -> Mapping[str, str] | Refused:
    if ";" in request.query_string:
        return Refused("some servers cut the query at a semicolon that stands in it")
    return decisive(request.query, provider.parameter_names, ignore_case=provider.ignore_case)
