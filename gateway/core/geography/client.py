"""Which address the client has, behind the operator's own proxies.

The walk starts at the other end of the TCP connection and goes one item to the left for as long as
the address at hand is one of `trusted_proxies`: each trusted hop vouches only for the item that it
added itself. Of an untrusted peer the headers are not read at all.

Standards: RFC 7239 for `Forwarded`; `X-Forwarded-For` is a convention. Its items are accepted as an
address alone, and as `v4:port`, `[v6]` or `[v6]:port`, which some load balancers write and which
have no second reading.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from gateway.core.geography.addresses import Address, Network, among, parse_address

_MOST_ITEMS: Final = 32
_PORT: Final = re.compile(r"(?::[0-9]{1,5})?", re.ASCII)
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a grammar, RFC 9110 section 5.6.2
_PAIR: Final = re.compile(rf'{_TOKEN}=(?:{_TOKEN}|"(?:[^"\\]|\\.)*")', re.ASCII)
_ELEMENT: Final = re.compile(rf"{_PAIR.pattern}(?:[ \t]*;[ \t]*{_PAIR.pattern})*", re.ASCII)
_COMMA: Final = re.compile(r"[ \t]*,[ \t]*", re.ASCII)


class Unreadable(msgspec.Struct, frozen=True):
    """No client address can be told; `reason` in words, never a byte of a header."""

    reason: str


def client_of(
    peer: Address, forwarded_for: str | None, forwarded: str | None, trusted: tuple[Network, ...]
) -> Address | Unreadable:
    """Walk back from the peer through the trusted proxies to the client.

    Args:
        peer: the other end of the TCP connection.
        forwarded_for: all `X-Forwarded-For` lines, joined by commas in order; None without any.
        forwarded: all `Forwarded` lines, likewise.
        trusted: networks of the operator's own proxies.
    """
    if not among(peer, trusted):
        return peer
    walked = tuple(
        _walk(peer, items, trusted)
        for items in (
            None if forwarded_for is None else _forwarded_for(forwarded_for),
            None if forwarded is None else _forwarded(forwarded),
        )
        if items is not None
    )
    if not walked:
        return peer
    if walked[0] != walked[-1]:
        return Unreadable("x-forwarded-for and forwarded name different clients")
    return walked[0]


def _walk(
    peer: Address, items: tuple[Address | None, ...] | Unreadable, trusted: tuple[Network, ...]
) -> Address | Unreadable:
    if isinstance(items, Unreadable):
        return items
    current = peer
    for item in reversed(items):
        if not among(current, trusted):
            break
        if item is None:
            return Unreadable("a forwarding header names a hop that is no address")
        current = item
    return current


def _forwarded_for(value: str) -> tuple[Address | None, ...] | Unreadable:
    if value.count(",") >= _MOST_ITEMS:
        return Unreadable("a forwarding header has too many items")
    return tuple(_item(item.strip(" \t")) for item in value.split(","))


def _item(text: str) -> Address | None:
    bare = parse_address(text)
    return bare if bare is not None else _node(text)


def _node(text: str) -> Address | None:
    """Read `v4`, `v4:port`, `[v6]` or `[v6]:port` (RFC 7239 section 6)."""
    if text.startswith("["):
        inside, bracket, port = text[1:].partition("]")
        readable = bool(bracket) and ":" in inside
    else:
        inside, colon, digits = text.partition(":")
        port, readable = colon + digits, True
    return parse_address(inside) if readable and _PORT.fullmatch(port) else None


def _forwarded(value: str) -> tuple[Address | None, ...] | Unreadable:
    """Read the elements of `Forwarded` (RFC 7239 section 4); None for one without an address.

    Where the grammar fails nothing in the header is believed: a quoted string that is not closed
    would let a client swallow what a proxy added.
    """
    malformed = Unreadable("the forwarded header is malformed")
    elements = list[Address | None]()
    position = 0
    while True:
        element = _ELEMENT.match(value, position)
        if element is None:
            return malformed
        if len(elements) == _MOST_ITEMS:
            return Unreadable("a forwarding header has too many items")
        elements.append(_for(value[position : element.end()]))
        position = element.end()
        if position == len(value):
            return tuple(elements)
        comma = _COMMA.match(value, position)
        if comma is None:
            return malformed
        position = comma.end()


def _for(element: str) -> Address | None:
    """Return the address that an element's one `for` names: not `unknown`, nor `_hidden`."""
    pairs = [element[pair.start() : pair.end()].partition("=") for pair in _PAIR.finditer(element)]
    nodes = [value for name, _, value in pairs if name.lower() == "for"]
    if len(nodes) != 1:
        return None
    quoted = nodes[0].startswith('"')
    return _node(nodes[0][1:-1] if quoted else nodes[0])
