"""A batch of requests is what the most restrictive of them is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import msgspec

from gateway.core.catalog.dialects.batch import Inner
from gateway.core.catalog.severity import RANK
from gateway.core.operation import (
    Ambiguous,
    Classified,
    Operation,
    Unknown,
    access_of,
    class_of,
    governed,
)
from gateway.core.request import Request, Whole


def inner_request(outer: Request, inner: Inner) -> Request:
    """Make a request of one of the batch; what the part does not say is as outside."""
    return msgspec.structs.replace(
        outer,
        method=inner.method,
        path=inner.path,
        query_string=inner.query_string,
        query=inner.query,
        headers=inner.headers,
        body=Whole(inner.content),
    )


def combined(name: str, provider: str, found: Sequence[Classified]) -> Classified:
    """Return what a batch of these is; at least one is given.

    Any that has several readings leaves the batch several, any that is not known makes it unknown.
    Governed ones of two kinds have no class together: a licence for one would lift the other.
    """
    worst = min(found, key=_restriction)
    doubtful = next((each for each in found if isinstance(each, Ambiguous)), None)
    if doubtful is not None:
        return Ambiguous(
            provider=provider,
            operation_class=class_of(worst),
            reason=f"a request of the batch: {doubtful.reason}",
            reading=doubtful.reading,
        )
    kinds = {(class_of(each), access_of(each)): None for each in found if _is_governed(each)}
    if len(kinds) > 1 and isinstance(worst, Operation):
        return Ambiguous(
            provider=provider,
            operation_class=class_of(worst),
            reason="a batch of several governed kinds, each of which has to be asked for by itself",
            reading=tuple(f"can be read as {each}" for each, _ in kinds),
        )
    match worst:
        case Unknown(reason=reason, reading=reading):
            reason = f"a request of the batch: {reason}"
            return Unknown(provider=provider, reason=reason, reading=reading)
        case Operation():
            known = [each for each in found if isinstance(each, Operation)]
            galleries = {each.gallery: None for each in known if each.gallery}
            places = {place: None for each in known for place in each.destinations}
            gallery, destinations = ",".join(galleries), tuple(places)
            steps = (f"{worst.name} in a batch of {len(found)}", *worst.reading)
            return msgspec.structs.replace(
                worst,
                provider=provider,
                name=name,
                gallery=gallery,
                destinations=destinations,
                reading=steps,
            )
        case Ambiguous() as unreachable:
            return unreachable
        case _ as unreachable:
            assert_never(unreachable)


def _is_governed(found: Classified) -> bool:
    return governed(class_of(found), access_of(found))


def _restriction(found: Classified) -> tuple[int, bool]:
    return RANK[class_of(found)], access_of(found) == "delete"
