"""What stream processors were declared as: starting one tells only its name.

The edge keeps one `Declarations` value, shows it to `observed_of` before it judges a request, and
replaces it by what `after` returns once the provider has answered. A name that is not remembered
is `unknown`, which reads as a search; so nothing is lost but convenience when a process starts
anew, when a processor was declared elsewhere, or when many are declared.

It holds for one process that sees every declaration: where several gateways, or several workers,
speak to one account, another one may declare the name anew, and none may be believed.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.catalog.model import Catalog, Place, Provider
from gateway.core.catalog.places import values_at
from gateway.core.catalog.reading import Reading, read_as
from gateway.core.catalog.rows import ProcessorEffect
from gateway.core.operation import Classified, Observed, Operation
from gateway.core.request import Request
from gateway.core.strict_json import Refused

MOST_DECLARATIONS = 4096
"""How many names are remembered; the oldest is forgotten first."""
_MOST_CHARACTERS = 256  # AWS allows 128
_ACCEPTED = range(200, 300)
_NONE: Mapping[tuple[str, str], str] = {}
_NOTHING = Observed()


class Processor(msgspec.Struct, frozen=True):
    """A stream processor that a request names.

    Attributes:
        upstream: where it runs.
        name: empty where it cannot be read in one way.
        effect: what the operation does to it.
    """

    upstream: str
    name: str
    effect: ProcessorEffect


def processor_of(request: Request, catalog: Catalog) -> Processor | None:
    """Return the processor that a request is about; None for nearly all, which name none."""
    provider = catalog.providers.get(request.provider)
    if provider is None:
        return None
    for indicator in provider.processor_indicators:
        value = request.headers.get(indicator.name)
        rule = indicator.names(value) if value else None
        if rule is not None and rule.processor is not None and rule.effect is not None:
            name = _name_of(request, provider, rule.processor)
            return Processor(request.upstream, name, rule.effect)
    return None


class Declarations(msgspec.Struct, frozen=True):
    """What is remembered: upstream and name of a processor → `face_search` or `connected_home`."""

    declared: Mapping[tuple[str, str], str] = _NONE

    def observed_of(self, processor: Processor | None) -> Observed:
        """Tell what the processor that a request uses was declared as; empty where it uses none."""
        if processor is None or processor.effect != "uses":
            return _NOTHING
        declared = self.declared.get((processor.upstream, processor.name), "unknown")
        return Observed(stream_processor=declared)

    def after(
        self, processor: Processor, operation: Classified, status: int | None
    ) -> Declarations:
        """Return what is remembered once the provider has answered.

        Args:
            processor: the one that the request named.
            operation: what the request was judged to be.
            status: the provider's HTTP status; None where it gave none, so that it may have acted.
        """
        if processor.effect == "uses":
            return self
        key = (processor.upstream, processor.name)
        declared = dict(self.declared)
        before = declared.pop(key, None)
        # What is refused changed nothing, but whoever declares a name that was declared elsewhere
        # learns so by a refusal: only an accepted declaration counts.
        if processor.effect == "declares" and status in _ACCEPTED and processor.name:
            face_search = not _is_harmless(operation) or before == "face_search"
            declared[key] = "face_search" if face_search else "connected_home"
        elif processor.effect == "declares" and status in range(400, 500):
            return self
        return Declarations(dict([*declared.items()][-MOST_DECLARATIONS:]))


def _is_harmless(operation: Classified) -> bool:
    return isinstance(operation, Operation) and operation.operation_class == "unrelated"


def _name_of(request: Request, provider: Provider, place: Place) -> str:
    read = read_as(request, provider, _NOTHING)
    values = values_at(place, read.seen) if isinstance(read, Reading) else None
    if values is None or isinstance(values, Refused) or len(values) != 1:
        return ""
    name = values[0]
    return name if isinstance(name, str) and len(name) <= _MOST_CHARACTERS else ""
