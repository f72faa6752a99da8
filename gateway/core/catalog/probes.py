"""The SHA-256 of each image that a request looks for, never the image.

Whoever asks for the same face again and again, each time against another single one, searches; the
hashes let that be counted. They cost a pass over the image, so they are computed where a rule asks
and not on the way of every request.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from urllib.parse import unquote_to_bytes

import pybase64

from gateway.core.catalog.classify import classify
from gateway.core.catalog.model import Catalog, Place
from gateway.core.catalog.places import values_at
from gateway.core.catalog.reading import Reading, read_as
from gateway.core.operation import Observed, Operation
from gateway.core.request import Request, Whole
from gateway.core.strict_json import JsonValue, Refused, Span

MOST_PROBES = 100
_UNREAD = "unknown"
_NOTHING_OBSERVED = Observed()
# Form decoders make spaces of the plus signs that some clients do not escape, and several providers
# take the alphabet for URLs, text in lines, and text without its padding.
_ALPHABET = bytes.maketrans(b"-_ ", b"+/+")
_LINES = b"\t\r\n"


def probes_of(request: Request, catalog: Catalog) -> tuple[str, ...]:
    """Return the hash of each image that a request looks for, in the order of the request.

    Args:
        request: the request.
        catalog: what is known of the providers.

    Returns:
        `sha256:` and 64 lower-case hex digits each, `unknown` for what cannot be read: an image
        that is named by its address, a body that streams, a request without one reading, a batch.
        Empty where the operation takes no image to look for.
    """
    operation = classify(request, catalog, _NOTHING_OBSERVED)
    if not isinstance(operation, Operation):
        return (_UNREAD,)
    provider = catalog.providers[operation.provider]
    reading = read_as(request, provider, _NOTHING_OBSERVED)
    if not isinstance(reading, Reading) or reading.form.kind == "batch":
        return (_UNREAD,)
    places = provider.rules[operation.name].probes
    if not places:
        return ()
    if not isinstance(request.body, Whole):
        return (_UNREAD,)
    images = _images(reading, places)
    hashes = [_hash(image) for image in islice(images, MOST_PROBES)]
    if not hashes or next(images, None) is not None:
        hashes.append(_UNREAD)
    return _once(hashes)


def _once(hashes: Sequence[str]) -> tuple[str, ...]:
    return tuple([each for place, each in enumerate(hashes) if each not in hashes[:place]])


def _hash(image: bytes) -> str:
    return "sha256:" + hashlib.sha256(image).hexdigest() if image else _UNREAD


def _images(reading: Reading, places: tuple[Place, ...]) -> Iterator[bytes]:
    """Yield each image, and no bytes for one that cannot be read."""
    if reading.form.kind == "opaque":
        yield reading.content or b""
    for place in places:
        values = values_at(place, reading.seen)
        if isinstance(values, Refused):
            yield b""
            continue
        for value in values or ():
            yield _image(value)


def _image(value: JsonValue) -> bytes:
    """Return an image that stands in base64, as an address with its content, or as a file."""
    if isinstance(value, Span) and value.coding == "binary":
        return value.octets()
    if isinstance(value, Span):
        text = value.octets()
        text = unquote_to_bytes(text.replace(b"+", b" ")) if value.coding == "escaped" else text
    elif isinstance(value, str):
        text = value.encode()
    else:
        return b""
    _, _, text = text.rpartition(b";base64,")
    return _decoded(text) or _decoded(_plain(text))


def _plain(text: bytes) -> bytes:
    """Spell base64 in the one way that a strict decoder reads."""
    plain = text.strip().translate(_ALPHABET, _LINES).rstrip(b"=")
    return plain + b"=" * (-len(plain) % 4)


def _decoded(text: bytes) -> bytes:
    try:
        return pybase64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
