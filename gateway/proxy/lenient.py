"""What some other server might take a request for that the front door refuses.

Nothing is forwarded on the strength of it: a refused request still has a class, the most
restrictive of its readings, so that whoever reads of the refusal sees what was tried.
"""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_plus, urlsplit

from gateway.core.catalog.model import OVERRIDES, Provider
from gateway.core.request import Request, Whole
from gateway.core.strict_json import Refused, loads
from gateway.proxy.captured import Captured

_MOST_READINGS = 96
_MOST_CODINGS = 2
_MOST_BYTES = 16 << 20  # of a body that was compressed
_METHOD_OVERRIDES = (b"x-http-method", b"x-http-method-override", b"x-method-override")
_TARGET_OVERRIDES = (b"x-original-url", b"x-rewrite-url")
_HOP_BY_HOP = frozenset({"connection", "content-encoding", "expect", "te", "transfer-encoding"})
_LEFT_OUT = OVERRIDES | _HOP_BY_HOP
# What decoders of old took for `/` (RFC 3629 section 10).
_OVERLONG = re.compile(r"%C0%AF|%E0%80%AF|%c0%af|%e0%80%af")
_INVISIBLE = re.compile(r"[^\x20-\x7E]+")
_ANY_ZLIB = 32 + zlib.MAX_WBITS  # with the header of gzip or of zlib


def hosts_of(captured: Captured) -> tuple[str, ...]:
    """Return every host that a request names, the Host field first."""
    named = [captured.host, *captured.values(b"host")]
    if "://" in captured.target:
        named.append(_split(captured.target)[0])
    return tuple(dict.fromkeys(host.lower() for host in named))


def readings_of(captured: Captured, provider: Provider) -> Iterator[Request]:
    """Yield what a request could be read as, at an upstream of this provider; a bounded number."""
    every = itertools.product(
        dict.fromkeys(_targets(captured)),
        dict.fromkeys(_methods(captured)),
        tuple(_heads(captured)),
        tuple(_contents(captured)),
    )
    for target, method, headers, content in itertools.islice(every, _MOST_READINGS):
        _, path, query_string = _split(target)
        for query in _queries(query_string):
            yield Request(
                method=method,
                host=captured.host.lower(),
                upstream=provider.name,
                provider=provider.name,
                path=path,
                query_string=query_string,
                query=query,
                headers=headers,
                body=Whole(content),
                peer="",
            )


def _targets(captured: Captured) -> Iterator[str]:
    for target in (captured.target, *itertools.chain(*map(captured.values, _TARGET_OVERRIDES))):
        yield target
        yield target.replace("#", "%23")  # a fragment, for a server that does not know of any
        yield _OVERLONG.sub("/", unicodedata.normalize("NFKC", target))


def _methods(captured: Captured) -> Iterator[str]:
    yield captured.method.upper()
    for name in _METHOD_OVERRIDES:
        yield from (value.upper() for value in captured.values(name))


def _heads(captured: Captured) -> Iterator[Mapping[str, str]]:
    """Yield the headers with their last lines, their first, and without those to be dropped."""
    lines = [
        (name.decode("latin-1").strip().lower(), value.decode("latin-1"))
        for name, value in captured.lines
    ]
    kept = [(name, _INVISIBLE.sub("", value)) for name, value in lines if name not in _LEFT_OUT]
    last = dict(kept)
    yield last
    dropped = {
        token.strip().lower()
        for name, value in lines
        if name == "connection"
        for token in value.split(",")
    }
    for other in (
        dict(reversed(kept)),
        {name.replace("_", "-"): value for name, value in kept},
        {name.replace("_", "-"): value for name, value in reversed(kept)},
        {name: _INVISIBLE.split(value)[0] for name, value in lines if name not in _LEFT_OUT},
        {name: value for name, value in last.items() if name not in dropped},
    ):
        if other != last:
            yield other


def _contents(captured: Captured) -> Iterator[bytes]:
    """Yield the body as a server might see it; as it is, where it can be read no other way."""
    content = captured.content
    for _ in range(_MOST_CODINGS):
        content = _inflated(content) or content
    yield from texts_of(content) or (content,)


def texts_of(content: bytes) -> tuple[bytes, ...]:
    """Return what lenient parsers of JSON would read; none where strict ones read it, or no one.

    Whatever stands twice in one object is read once as the first and once as the last of them.
    Where that happens in several objects, the readings are too many, and there is none.
    """
    if not content or not isinstance(loads(content), Refused):
        return ()
    twice: list[int] = []

    def first(pairs: list[tuple[str, object]]) -> dict[str, object]:
        members = dict(reversed(pairs))
        if len(members) < len(pairs):
            twice.append(len(pairs) - len(members))
        return members

    try:
        text = content.decode(json.detect_encoding(content))
        readings = (
            json.JSONDecoder(object_pairs_hook=first).decode(text),
            json.JSONDecoder().decode(text),
        )
        return () if sum(twice) > 1 else tuple(json.dumps(each).encode() for each in readings)
    except (ValueError, RecursionError):
        return ()


def _inflated(content: bytes) -> bytes | None:
    for bits in (_ANY_ZLIB, -zlib.MAX_WBITS):
        stream = zlib.decompressobj(bits)
        try:
            undone = stream.decompress(content, _MOST_BYTES)
        except zlib.error:
            continue
        if stream.eof and not stream.unused_data and undone:
            return undone
    return None


def _split(target: str) -> tuple[str, str, str]:
    """Split a target into host, path and query, whatever its form; a fragment is no part of it."""
    origin, _, _ = target.partition("#")
    if "://" in origin.partition("?")[0]:
        try:
            parts = urlsplit(origin)
        except ValueError:  # an authority with a broken IPv6 address
            return "", origin, ""
        return parts.netloc, parts.path or "/", parts.query
    path, _, query = origin.partition("?")
    return "", path, query


def _queries(query_string: str) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield the parameters as they are and, of those that stand twice, with the last or first."""
    pairs = [
        (unquote_plus(name), unquote_plus(value))
        for part in query_string.split("&")
        if part
        for name, _, value in [part.partition("=")]
    ]
    yield tuple(pairs)
    last = {name.casefold(): (name, value) for name, value in pairs}
    if len(last) < len(pairs):
        yield tuple(last.values())
        yield tuple({name.casefold(): (name, value) for name, value in reversed(pairs)}.values())
