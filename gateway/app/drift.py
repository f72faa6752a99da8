"""Where the catalogue and an SDK's own model have come apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from gateway.core.catalog.classify import classify
from gateway.core.catalog.model import Catalog
from gateway.core.catalog.rows import OperationRow
from gateway.core.operation import Ambiguous, Classified, Observed, Unknown
from gateway.core.request import Request, Whole
from gateway.sources.sdks import SdkCall, SdkModel


class Drifted(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the catalogue and a model say differently.

    Attributes:
        provider: catalogue name.
        operation: in the SDK's terms where we lack it, in ours elsewhere.
        what: `lacking` (the SDK can ask for it, the catalogue does not know it), `changed` (the
            catalogue reads what the model has no more), `gone` (the model has it no more).
        detail: in words.
    """

    provider: str
    operation: str
    what: Literal["lacking", "changed", "gone"]
    detail: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One package beside the catalogue; `version` is empty where it is not installed."""

    package: str
    version: str
    calls: int
    drifted: tuple[Drifted, ...]


def compare(models: Iterable[SdkModel], catalog: Catalog) -> tuple[Comparison, ...]:
    """Compare the catalogue with the models of SDKs."""
    return tuple(
        Comparison(
            package=model.package,
            version=model.version,
            calls=len(model.calls),
            drifted=tuple(_drifted(model, catalog)),
        )
        for model in models
    )


def _drifted(model: SdkModel, catalog: Catalog) -> Iterator[Drifted]:
    known: dict[str, set[str]] = {}
    for call in model.calls:
        found = classify(_request(call), catalog, Observed())
        if isinstance(found, Unknown):
            yield Drifted(
                provider=call.provider, operation=call.name, what="lacking", detail=found.reason
            )
            continue
        names = known.setdefault(found.provider, set())
        rows = [row for row in _rows(found, catalog) if row.name not in names]
        names.update(row.name for row in rows)
        yield from _changed(rows, call)
    for provider in sorted(model.complete):
        for row in catalog.providers[provider].operations:
            if row.name not in known.get(provider, set()):
                yield Drifted(
                    provider=provider,
                    operation=row.name,
                    what="gone",
                    detail=f"`{model.package}` does not have it",
                )


def _rows(found: Classified, catalog: Catalog) -> Iterator[OperationRow]:
    """Yield the rows that were found, also where a body without values leaves doubt."""
    said = (
        {reading.removeprefix("can be read as ") for reading in found.reading}
        if isinstance(found, Ambiguous)
        else {getattr(found, "name", "")}
    )
    for row in catalog.providers[found.provider].operations:
        if row.name in said:
            yield row


def _changed(rows: Iterable[OperationRow], call: SdkCall) -> Iterator[Drifted]:
    if call.members is None:
        return
    for row in rows:
        places = {*row.gallery, *row.to.values(), *row.candidates, *row.probes, row.faces}
        for place in sorted(places):
            kind, _, steps = place.partition(":")
            if kind == "body" and steps not in call.members:
                yield Drifted(
                    provider=call.provider,
                    operation=row.name,
                    what="changed",
                    detail=f"the model has no `{place}`",
                )


def _request(call: SdkCall) -> Request:
    headers = {"host": "provider.example", **call.headers}
    content = b"" if call.body is None else msgspec.json.encode(call.body)
    if content:
        headers.setdefault("content-type", "application/json")
    return Request(
        method=call.method,
        host="provider.example",
        upstream=call.provider,
        provider=call.provider,
        path=call.path,
        query_string="",
        query=(),
        headers=headers,
        body=Whole(content),
        peer="",
    )
