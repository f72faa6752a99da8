"""The SHA-256 of each image that a request looks for, never the image.

Whoever asks for the same face again and again, each time against another single one, searches; the
hashes let that be counted. They cost a pass over the image, so they are computed where a rule asks
and not on the way of every request.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote_to_bytes

from gateway.core.catalog.model import Catalog, Provider, Rule
from gateway.core.catalog.places import values_at
from gateway.core.catalog.reading import Reading, read_as
from gateway.core.operation import Classified, Observed, Operation
from gateway.core.request import Request
from gateway.core.strict_json import JsonValue, Refused, Span

MOST_PROBES = 100


def probe_hashes(request: Request, operation: Classified, catalog: Catalog) -> tuple[str, ...]:
    """Return the hash of each probe image, in the order of the request.

    Args:
        request: the request.
        operation: what it was classified as, with the same catalogue.
        catalog: what is known of the providers.

    Returns:
        64 lower-case hex digits each; none for an image that the request names by its address only,
        and none where the operation takes no probe or is not known.
    """
    provider = catalog.providers.get(operation.provider)
    if provider is None or not isinstance(operation, Operation):
        return ()
    rule = provider.rules.get(operation.name)
    if rule is None or not rule.probes:
        return ()
    images = islice(_images(request, provider, rule), MOST_PROBES)
    return tuple(hashlib.sha256(image).hexdigest() for image in images)


def _images(request: Request, provider: Provider, rule: Rule) -> Iterator[bytes]:
    read = read_as(request, provider, Observed())
    if not isinstance(read, Reading):
        return
    if read.body.kind == "opaque" and read.body.content:
        yield read.body.content
    for place in rule.probes:
        values = values_at(place, read.seen)
        for value in () if values is None or isinstance(values, Refused) else values:
            image = _image(value)
            if image is not None:
                yield image


def _image(value: JsonValue) -> bytes | None:
    """Return an image that stands in base64, as an address with its content, or as a file."""
    if isinstance(value, Span) and value.coding == "binary":
        return value.octets()
    if isinstance(value, Span):
        text = value.octets()
        text = unquote_to_bytes(text.replace(b"+", b" ")) if value.coding == "escaped" else text
    elif isinstance(value, str):
        text = value.encode()
    else:
        return None
    _, _, text = text.rpartition(b";base64,")
    try:
        # Form decoders make spaces of the plus signs that some clients do not escape.
        return binascii.a2b_base64(text.strip().replace(b" ", b"+"), strict_mode=True) or None
    except binascii.Error:
        return None
