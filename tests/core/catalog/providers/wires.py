"""Paths as interface definitions write them, and whether each names its operation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

from gateway.core.catalog.classify import classify
from gateway.core.operation import Classified, Observed, Operation
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import request, shipped
from tests.core.catalog.providers.collection import ask, collected_operations

GRPC = "application/grpc"
ONE_EMPTY_MESSAGE = b"\x00\x00\x00\x00\x00"

_ASSIGNED = re.compile(r"\{[\w.]+=([^}]*)\}")
_VARIABLE = re.compile(r"\{[\w.]+\}|\*")


def concrete(template: str) -> str:
    """Put an id wherever a template has a variable: `{name=projects/*}:run`, `{id}`."""
    return _VARIABLE.sub("x1", _ASSIGNED.sub(lambda match: match[1], template))


def grpc(provider: str, path: str, content: bytes = ONE_EMPTY_MESSAGE) -> Classified:
    """Classify a gRPC call."""
    return ask(provider, path, content, content_type=GRPC)


def ask_at(
    host: str,
    provider: str,
    target: str = "/",
    body: bytes | str | Mapping[str, JsonValue] = b"",
    *,
    method: str = "POST",
    content_type: str = "",
    headers: Mapping[str, str] | None = None,
) -> Classified:
    """Classify a request to one of a provider's hosts."""
    made = request(
        provider,
        target=target,
        method=method,
        body=body,
        content_type=content_type,
        headers=headers,
    )
    return classify(msgspec.structs.replace(made, host=host), shipped(), Observed())


def names(found: Classified) -> set[str]:
    """Return the operation that was read, or those that a refusal says."""
    if isinstance(found, Operation):
        return {found.name}
    said = {step.removeprefix("can be read as ") for step in found.reading}
    # An operation whose base class is unknown is told in the reason only.
    return said | {getattr(found, "reason", "").removesuffix(" in a form not known")}


def wire_differences(
    provider: str, named: Callable[[str], str] = lambda operation: operation
) -> Iterator[str]:
    """Tell which collected paths do not name their operation.

    Args:
        provider: whose.
        named: what a collected name is called here, where several are one.
    """
    for each in collected_operations(provider):
        if each.wire.path.startswith("(gRPC only) "):
            templates = [each.wire.path.removeprefix("(gRPC only) ")]
        else:
            templates = each.wire.path.split(" | ")
        for template in filter(lambda one: one.startswith("/"), templates):
            path = concrete(template)
            found = (
                grpc(provider, path)
                if re.match(r"/(google|yandex|clarifai)[.]", path)
                else ask(provider, path, method=each.wire.method)
            )
            if named(each.operation) not in {named(name) for name in names(found)}:
                yield f"{each.wire.method} {path}: {found}, {each.operation} expected"


def not_collected(provider: str) -> set[str]:
    """Return the operations of a data file that the collection does not have."""
    here = {row.name for row in shipped().providers[provider].operations}
    return here - {each.operation for each in collected_operations(provider)}
