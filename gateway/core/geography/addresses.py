"""IP addresses as they stand in headers and on sockets: read strictly, unwrapped, or refused.

An address has to be read as the one host that it names. What hides another address in itself
(RFC 4291 IPv4-mapped, RFC 3056 6to4, RFC 6052 NAT64) is unwrapped before it is looked up, because
a network database knows only the address inside; what cannot be unwrapped has no place.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SHORTEST: Final = len("::")
_LONGEST: Final = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")
_IPV4_BITS: Final = 32

# IANA IPv4 and IPv6 Special-Purpose Address Registries: what no public network routes. The
# documentation ranges (RFC 5737, RFC 3849, RFC 9637) are looked up like any other, so that a
# database over them can stand in for the world in demonstrations and tests.
_PRIVATE: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared by carriers (CGNAT)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # IETF protocol assignments
        "192.168.0.0/16",  # private use
        "198.18.0.0/15",  # benchmarking
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and limited broadcast
        "::/128",  # unspecified
        "::1/128",  # loopback
        "100::/64",  # discard only
        "100:0:0:1::/64",  # dummy prefix
        "2001:2::/48",  # benchmarking
        "2001:10::/28",  # ORCHID, deprecated
        "2001:20::/28",  # ORCHIDv2
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, deprecated
        "ff00::/8",  # multicast
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052 section 2.1: the address stands at the end
# Forms that carry another address where it cannot be told, or that nothing should send any more.
_ODD: Final = (
    IPv6Network("::/96"),  # IPv4-compatible, deprecated (RFC 4291 section 2.5.5.1)
    IPv6Network("64:ff9b:1::/48"),  # local NAT64: the operator's own layout (RFC 8215)
    IPv6Network("2001::/32"),  # Teredo: a tunnel's end, not the client's network (RFC 4380)
)


def parse_address(text: str) -> Address | None:
    """Read one address, or answer None; an IPv4-mapped one reads as the IPv4 address in it.

    Refused are zone ids, leading zeros, ports, brackets, white space, and everything else that is
    not one address in the form of RFC 4291 section 2.2 or a dotted quad of decimals.
    """
    if not _SHORTEST <= len(text) <= _LONGEST or "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def among(address: Address, networks: tuple[Network, ...]) -> bool:
    """Tell whether any of the networks holds the address."""
    return any(address in network for network in networks)


def is_private(address: Address) -> bool:
    """Tell whether the address is of a range that no public network routes."""
    return among(address, _PRIVATE)


def unwrap(address: Address) -> Address | None:
    """Return the address whose network is meant; None where an odd form hides it."""
    if isinstance(address, IPv4Address):
        return address
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & ((1 << _IPV4_BITS) - 1))
    if among(address, _ODD) and not is_private(address):
        return None
    return address
