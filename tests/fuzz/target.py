"""What is fuzzed: bytes of one HTTP/1.1 message to one provider, and what has to hold for any.

Host and Content-Length may be missing, so that whoever bends a body need not mend its head.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway.core.catalog.classify import classify
from gateway.core.catalog.credentials import stated_credentials
from gateway.core.catalog.model import Catalog, Provider
from gateway.core.catalog.probes import probes_of
from gateway.core.catalog.severity import RANK
from gateway.core.operation import Observed, Operation, class_of
from gateway.core.request import Request, Streaming, Whole
from gateway.errors import UpstreamError
from gateway.proxy.captured import Captured, read, read_raw
from gateway.proxy.credentials import exchanged
from gateway.proxy.forward import Credential, HeaderCredential, NoCredential, outbound_head
from gateway.sources.catalogs import load_catalog
from tests.core.catalog.rereading import DIALECTS, NOW

CORPUS = Path(__file__).parent / "corpus/messages"
MOST_BYTES = 4096
_OBSERVED = Observed()
_CATALOG = load_catalog()


def corpus_of(provider: str) -> Path:
    """Return the directory of a provider's messages."""
    return CORPUS / provider


def providers() -> tuple[str, ...]:
    """Return one provider of each dialect at least."""
    return tuple(DIALECTS.values())


def hold(name: str, message: bytes, catalog: Catalog = _CATALOG) -> str:
    """Read a message as the door of a provider would, and see that what holds, holds.

    Returns:
        What it was found to be, in a word, for counting.

    Raises:
        AssertionError: something that has to hold does not; any other exception is as bad.
    """
    provider = catalog.providers[name]
    captured = read_raw(message, name="fuzzed")
    if not isinstance(captured, Captured):
        return "syntax"
    request = read(captured, provider, body_bytes=1 << 20)
    if not isinstance(request, Request):
        return request.reason
    assert isinstance(request.body, Whole)
    found = classify(request, catalog, _OBSERVED)
    assert class_of(found) in RANK
    stated = stated_credentials(request, catalog)
    probes_of(request, catalog)
    if not isinstance(found, Operation):
        return type(found).__name__
    unread = msgspec.structs.replace(request, body=Streaming(len(request.body.content)))
    streamed = classify(unread, catalog, _OBSERVED)
    assert RANK[class_of(streamed)] <= RANK[found.operation_class], "unread is milder than read"
    if stated is not None:
        _holds_upstream(request, provider, found, catalog)
    return f"{found.name}, {found.operation_class}"


def _holds_upstream(
    request: Request, provider: Provider, found: Operation, catalog: Catalog
) -> None:
    """See that what goes upstream is the same operation, and names no caller."""
    credential: Credential = NoCredential()
    if provider.credential_segments:
        credential = HeaderCredential(name="x-api-key", value="own")
    try:
        outbound = exchanged(request, provider, credential)
        assert isinstance(outbound.body, Whole)
        body = outbound.body.content
        head = outbound_head(
            outbound,
            upstream_host="upstream.example",
            forward_headers=provider.forward_headers,
            credential=credential,
            body=body,
            payload_sha256=None,
            now=NOW,
        )
    except UpstreamError:
        return  # nothing is sent
    arrived = read_raw(head + body, name="sent")
    assert isinstance(arrived, Captured), "what goes upstream is no message"
    again = read(arrived, provider, body_bytes=1 << 20)
    assert isinstance(again, Request), f"what goes upstream is malformed: {again}"
    reread = classify(again, catalog, _OBSERVED)
    assert isinstance(reread, Operation), f"what goes upstream is {reread}"
    assert (reread.name, reread.operation_class, reread.access, reread.gallery) == (
        found.name,
        found.operation_class,
        found.access,
        found.gallery,
    )
    left = stated_credentials(again, catalog)
    assert left == (("own",) if "/own" in again.path and provider.credential_segments else ())
