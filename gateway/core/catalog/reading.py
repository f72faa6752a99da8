"""One request as one provider would read it: the operation that it names, and the parts of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.catalog.bodies import Read, kind_of, members_of
from gateway.core.catalog.model import Doubt, Provider, Rule, Unnamed
from gateway.core.catalog.naming import named_operation
from gateway.core.catalog.parameters import decisive, unfold
from gateway.core.catalog.places import Seen
from gateway.core.operation import Observed
from gateway.core.request import Request
from gateway.core.strict_json import JsonValue, Refused

_NO_PARAMETERS: Mapping[str, str] = {}
_NOTHING: Mapping[str, JsonValue] = {}


class Reading(msgspec.Struct, frozen=True):
    """What a request says.

    Attributes:
        rules: the operation, or those among which the body tells.
        said: where it was named.
        body: how the body is read.
        seen: the parts that places point into.
    """

    rules: tuple[Rule, ...]
    said: tuple[str, ...]
    body: Read
    seen: Seen


def read_as(request: Request, provider: Provider, observed: Observed) -> Reading | Unnamed | Doubt:
    """Read a request, or tell why it has no reading or several."""
    query = _query_of(request, provider)
    if isinstance(query, Refused):
        return Doubt(query.reason)
    named = named_operation(request, query, provider)
    if isinstance(named, (Unnamed, Doubt)):
        return named
    body = kind_of(request, named.contents)
    if isinstance(body, Refused):
        return Doubt(body.reason, named.rules)
    members = members_of(body, named.rules[0], provider)
    if isinstance(members, Refused):
        return Doubt(members.reason, named.rules)
    parameters = unfold(query) if query else _NOTHING
    if isinstance(parameters, Refused):
        return Doubt(parameters.reason, named.rules)
    seen = Seen(members, parameters, request.headers, named.segments, observed)
    return Reading(named.rules, named.said, body, seen)


def _query_of(request: Request, provider: Provider) -> Mapping[str, str] | Refused:
    if not request.query:
        return _NO_PARAMETERS
    if ";" in request.query_string:
        return Refused("some servers cut the query at a semicolon that stands in it")
    return decisive(request.query, provider.parameter_names, ignore_case=provider.ignore_case)
