"""What a request that someone wrote down asks for, and how sure that is.

The gateway is told its upstreams by the operator; here nothing but the request says whose it is:
its host, the scope of its signature, and only then the provider that the writer names.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from gateway.core.catalog.classify import classify
from gateway.core.catalog.hosts import bare_host, providers_at, providers_of_scope
from gateway.core.catalog.model import Catalog, Provider
from gateway.core.catalog.severity import RANK, most_restrictive
from gateway.core.operation import (
    Access,
    Ambiguous,
    Classified,
    Destination,
    Observed,
    Operation,
    OperationClass,
    Unknown,
    class_of,
)
from gateway.core.request import Malformed
from gateway.core.strict_json import Refused, loads
from gateway.proxy.captured import Captured, read, read_json, read_raw
from gateway.proxy.lenient import hosts_of, readings_of, texts_of

Disposition = Literal["classify", "reject", "unknown"]

BODY_BYTES = 12 << 20
"""Largest body, the default of `limits.body_bytes`."""

_MOST_PREFIX_SEGMENTS = 3
_NOTHING_OBSERVED = Observed()
_SCOPE = re.compile(r"(?:Credential=|\A)[^/,\s]+/[0-9]{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request")
# A word: what cannot be an image, a link to one, or the token of a face.
_WORD = re.compile(r"[A-Za-z]{0,16}", re.ASCII)
_STEP = re.compile(r"[A-Za-z]{0,24}|v[0-9]{1,2}", re.ASCII)


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename={"operation_class": "class"}):
    """What a request asks for.

    Attributes:
        id: what its writer calls it.
        disposition: `classify` where it is read in one way, `reject` where the door or the
            classifier refuses it, `unknown` where the catalogue does not know what it names.
        provider: catalogue name, or `unknown`.
        operation: in the provider's own terms; empty where there is none or more than one.
        operation_class: of the most restrictive reading, also where it is refused.
        access: what it does to a gallery or image database.
        subclass: finer kind; empty where there is none.
        gallery: name of the gallery; empty where none is named.
        destinations: where the output goes.
        reason: why it is not read in one way; empty where it is.
        reading: the steps that led here.
    """

    id: str
    disposition: Disposition
    provider: str
    operation: str = ""
    operation_class: OperationClass
    access: Access = "none"
    subclass: str = ""
    gallery: str = ""
    destinations: tuple[Destination, ...] = ()
    reason: str = ""
    reading: tuple[str, ...] = ()


def answer_line(line: bytes, catalog: Catalog) -> Answer:
    """Answer to one request in the JSON form. Never raises on what the line says."""
    return _answer(read_json(line), catalog, id="")


def answer_file(content: bytes, catalog: Catalog, *, name: str) -> Answer:
    """Answer to a file that holds one request, in the JSON form or as an HTTP/1.1 message."""
    is_json = content.lstrip()[:1] == b"{"
    return _answer(
        read_json(content) if is_json else read_raw(content, name=name), catalog, id=name
    )


def _answer(captured: Captured | Malformed, catalog: Catalog, *, id: str) -> Answer:  # noqa: A002 - the name of the field
    if isinstance(captured, Malformed):
        return _refused(captured, "unknown", "unknown", id=id)
    return answer(captured, catalog)


def answer(captured: Captured, catalog: Catalog) -> Answer:
    """Answer to one request."""
    names = _providers_of(captured, catalog)
    if not names:
        return _unlisted(captured)
    answers = [
        each for name in names for each in _readings(captured, catalog.providers[name], catalog)
    ]
    return min(answers, key=_doubt)


def _doubt(given: Answer) -> tuple[bool, int, bool]:
    """Rank answers: who knows it, then the most restrictive, then who reads it in one way."""
    unknown = given.operation_class == "unknown"
    return unknown, RANK[given.operation_class], given.disposition != "classify"


def _readings(captured: Captured, provider: Provider, catalog: Catalog) -> Iterator[Answer]:
    """Read a request at an upstream of this provider.

    Yields:
        The answer and, where a path prefix may stand before what the provider knows, those without.
    """
    first = _at(captured, provider, catalog)
    yield first
    if first.disposition == "classify" or not _is_literal(captured.host):
        return
    prefix, rest = "", captured.target
    for _ in range(_MOST_PREFIX_SEGMENTS):
        segment, slash, tail = rest[1:].partition("/")
        if not rest.startswith("/") or not segment or "?" in segment:
            return
        prefix, rest = f"{prefix}/{segment}", f"/{tail}" if slash else "/"
        shorter = _at(msgspec.structs.replace(captured, target=rest), provider, catalog)
        said = (f"path prefix `{prefix}` taken off", *shorter.reading)
        yield msgspec.structs.replace(shorter, reading=said)


def _at(captured: Captured, provider: Provider, catalog: Catalog) -> Answer:
    request = read(captured, provider, body_bytes=BODY_BYTES)
    if isinstance(request, Malformed):
        worst = _worst(_classes(captured, provider, catalog))
        return _refused(request, provider.name, worst, id=captured.id)
    found = classify(request, catalog, _NOTHING_OBSERVED)
    if isinstance(found, Ambiguous) and texts_of(captured.content):
        # The body is what has several readings, and each of them can be read.
        classes = _classes(captured, provider, catalog)
        if "unknown" not in classes:
            found = msgspec.structs.replace(found, operation_class=_worst(classes))
    return _of(found, id=captured.id)


def _classes(captured: Captured, provider: Provider, catalog: Catalog) -> set[OperationClass]:
    """Return the class of every reading of a request that is refused."""
    return {
        class_of(classify(reading, catalog, _NOTHING_OBSERVED))
        for reading in readings_of(captured, provider)
    }


def _worst(found: set[OperationClass]) -> OperationClass:
    """Return the most restrictive class that any reading finds.

    A reading that finds nothing says nothing beside one that finds a search; beside one that finds
    something harmless it leaves the request unknown.
    """
    known = most_restrictive(found - {"unknown"})
    return known if "unknown" not in found or RANK[known] <= RANK["embed"] else "unknown"


def _refused(
    malformed: Malformed,
    provider: str,
    operation_class: OperationClass,
    *,
    id: str,  # noqa: A002 - the name of the field
) -> Answer:
    return Answer(
        id=id,
        disposition="reject",
        provider=provider,
        operation_class=operation_class,
        reason=malformed.detail,
        reading=(f"refused at the door: {malformed.reason}",),
    )


def _of(found: Classified, *, id: str) -> Answer:  # noqa: A002 - the name of the field
    match found:
        case Operation():
            return Answer(
                id=id,
                disposition="classify",
                provider=found.provider,
                operation=found.name,
                operation_class=found.operation_class,
                access=found.access,
                subclass=found.subclass,
                gallery=found.gallery,
                destinations=found.destinations,
                reading=found.reading,
            )
        case Unknown() | Ambiguous():
            return Answer(
                id=id,
                disposition="unknown" if isinstance(found, Unknown) else "reject",
                provider=found.provider,
                operation_class=class_of(found),
                reason=found.reason,
                reading=found.reading,
            )


def _providers_of(captured: Captured, catalog: Catalog) -> tuple[str, ...]:
    """Return whose request it may be; none where nothing tells."""
    providers = catalog.providers
    listed = {name for host in hosts_of(captured) for name in providers_at(host, providers)}
    if listed:
        return tuple(sorted(listed))
    scoped = {
        name for service in _scopes_of(captured) for name in providers_of_scope(service, providers)
    }
    if captured.provider in providers:
        scoped.add(captured.provider)
    return tuple(sorted(scoped))


def _scopes_of(captured: Captured) -> Iterator[str]:
    """Yield the services that a SigV4 signature names, in the header or in a presigned URL."""
    for text in (*captured.values(b"authorization"), captured.target.replace("%2F", "/")):
        for found in _SCOPE.finditer(text.replace("X-Amz-Credential=", "Credential=")):
            yield found[1]


def _is_literal(host: str) -> bool:
    """Tell whether a host is an address or this machine: a recorder or a gateway, with a prefix."""
    name = bare_host(host).removeprefix("[").removesuffix("]")
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _unlisted(captured: Captured) -> Answer:
    """Answer to a request whose host nobody knows: it may be a search, unless nothing could be one.

    A search needs something to look for: an image, a link or a token. Where there is no more than
    words there is none.
    """
    harmless = _has_words_only(captured)
    return Answer(
        id=captured.id,
        disposition="classify" if harmless else "unknown",
        provider="unknown",
        operation_class="unrelated" if harmless else "unknown",
        reason="" if harmless else "the host is in no catalogue",
        reading=(
            "the host is in no catalogue",
            *(("the request holds nothing that could be looked for",) if harmless else ()),
        ),
    )


def _has_words_only(captured: Captured) -> bool:
    path, _, query = captured.target.partition("?")
    values = [pair.partition("=")[2] for pair in query.split("&")]
    if not path.startswith("/") or not all(map(_STEP.fullmatch, path[1:].split("/"))):
        return False
    if not all(map(_WORD.fullmatch, values)):
        return False
    body = loads(captured.content) if captured.content else {}
    return not isinstance(body, Refused) and body == {}
