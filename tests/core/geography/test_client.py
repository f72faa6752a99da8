"""Which client a request has, behind proxies that are trusted and with headers that are not."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, strategies as st

from gateway.core.geography.client import Unreadable, client_of

TRUSTED = tuple(ip_network(text) for text in ("127.0.0.2/32", "10.0.0.0/8", "2001:db8:ffff::/48"))
PROXY = ip_address("127.0.0.2")


def client(forwarded_for: str | None = None, forwarded: str | None = None) -> str:
    found = client_of(PROXY, forwarded_for, forwarded, TRUSTED)
    return f"unreadable: {found.reason}" if isinstance(found, Unreadable) else str(found)


@given(st.none() | st.text(), st.none() | st.text())
def test_of_an_untrusted_peer_the_headers_are_not_read(
    forwarded_for: str | None, forwarded: str | None
) -> None:
    peer = ip_address("192.0.2.1")
    assert client_of(peer, forwarded_for, forwarded, TRUSTED) == peer


@pytest.mark.parametrize(
    ("forwarded_for", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("203.0.113.9,192.0.2.1,10.0.0.1", "192.0.2.1"),
        ("192.0.2.1, \t10.0.0.1 , 10.255.0.1", "192.0.2.1"),
        ("garbage, , 192.0.2.1", "192.0.2.1"),  # the walk does not reach what it need not
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),  # all trusted: the leftmost
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("192.0.2.1, ::ffff:10.0.0.1", "192.0.2.1"),
        ("2001:DB8::1, 2001:db8:ffff::7", "2001:db8::1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711, 10.0.0.1:80", "2001:db8::1"),
    ],
)
def test_the_walk_goes_left_through_trusted_hops_only(forwarded_for: str, expected: str) -> None:
    assert client(forwarded_for) == expected


@pytest.mark.parametrize(
    "forwarded_for",
    [
        "",
        " ",
        "192.0.2.1,",
        ",",
        "192.0.2.1, unknown",
        "garbage, 10.0.0.1",
        "192.0.2.01",
        "192.0.2.1 10.0.0.1",
        "192.0.2.1;10.0.0.1",
        "192.0.2.1:",
        "192.0.2.1:http",
        "192.0.2.1:123456",
        "2001:db8::1:80:",
        "[2001:db8::1",
        "2001:db8::1]",
        "[2001:db8::1]x",
        "[2001:db8::1]:",
        "[192.0.2.1]",
        "[]",
        "fe80::1%eth0",
        '"192.0.2.1"',
        "192.0.2.1\x00",
    ],
)
def test_an_item_that_the_walk_reaches_has_to_be_an_address(forwarded_for: str) -> None:
    assert client(forwarded_for) == "unreadable: a forwarding header names a hop that is no address"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("for=192.0.2.1", "192.0.2.1"),
        ('For="192.0.2.1:4711"', "192.0.2.1"),
        ('for="[2001:db8::1]"', "2001:db8::1"),
        ('for="[2001:db8::1]:4711";proto=https;by=10.0.0.1', "2001:db8::1"),
        ("proto=https;for=192.0.2.1;host=a", "192.0.2.1"),
        ('for=unknown, for=_hidden, for=192.0.2.1, for="10.0.0.1:80"', "192.0.2.1"),
        ('for=192.0.2.1;by="a, for=203.0.113.9"', "192.0.2.1"),
        ('for=203.0.113.9;x="\\", for=", for=192.0.2.1', "192.0.2.1"),
    ],
)
def test_forwarded_is_walked_in_the_same_way(forwarded: str, expected: str) -> None:
    assert client(forwarded=forwarded) == expected


@pytest.mark.parametrize(
    "forwarded",
    [
        "for=unknown",
        "for=_hidden",
        "proto=https",
        "for=192.0.2.1;for=203.0.113.9",
        "for=192.0.2.1;FOR=203.0.113.9",
        'for="2001:db8::1"',
        'for="fe80::1%eth0"',
        "for=192.0.2.1, for=unknown",
        'for=""',
    ],
)
def test_an_element_without_exactly_one_address_is_no_hop(forwarded: str) -> None:
    assert client(forwarded=forwarded).startswith("unreadable: a forwarding header names a hop")


@pytest.mark.parametrize(
    "forwarded",
    [
        "",
        ",",
        "192.0.2.1",
        "for",
        "for=",
        "for=192.0.2.1,",
        ",for=192.0.2.1",
        "for=192.0.2.1 for=203.0.113.9",
        "for=192.0.2.1; for",
        "for=[2001:db8::1]",
        "for=192.0.2.1:80",
        'for="192.0.2.1',
        # a client's open quote must not swallow what the proxy adds
        'for="203.0.113.9, for=192.0.2.1',
        'for="203.0.113.9, for="[2001:db8::1]"',
    ],
)
def test_of_a_malformed_forwarded_nothing_is_believed(forwarded: str) -> None:
    assert client(forwarded=forwarded) == "unreadable: the forwarded header is malformed"


def test_both_headers_have_to_name_the_same_client() -> None:
    assert client("203.0.113.9, 192.0.2.1", "for=192.0.2.1") == "192.0.2.1"
    different = "unreadable: x-forwarded-for and forwarded name different clients"
    assert client("192.0.2.1", "for=203.0.113.9") == different
    assert client("192.0.2.1", "for=unknown") == different
    assert client("nothing", "for=unknown").startswith("unreadable: a forwarding header names")


def test_without_a_header_the_proxy_speaks_for_itself() -> None:
    assert client() == "127.0.0.2"


def test_a_header_with_more_than_32_items_is_not_walked() -> None:
    longest = ", ".join(["10.0.0.1"] * 32)
    assert client(longest) == "10.0.0.1"
    too_many = "unreadable: a forwarding header has too many items"
    assert client(longest + ", 192.0.2.1") == too_many
    elements = ", ".join(["for=10.0.0.1"] * 32)
    assert client(forwarded=elements) == "10.0.0.1"
    assert client(forwarded=elements + ", for=192.0.2.1") == too_many


items = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from(["10.0.0.1", "127.0.0.2", "unknown", "", '"', "for=", "[::1]:5", ";,"]),
    st.text(max_size=8),
)


@given(st.none() | st.lists(items).map(",".join), st.none() | st.lists(items).map(", for=".join))
def test_no_header_makes_the_walk_fail(forwarded_for: str | None, forwarded: str | None) -> None:
    assert client(forwarded_for, forwarded) != ""


@given(
    st.lists(items, max_size=10).map(",".join),
    st.ip_addresses(network="192.0.2.0/24"),
    st.lists(st.ip_addresses(network="10.0.0.0/8").map(str), max_size=5),
)
def test_nothing_that_a_client_sends_moves_it(sent: str, true: object, hops: list[str]) -> None:
    found = client(",".join([sent, str(true), *hops]))
    assert found in {str(true), "unreadable: a forwarding header has too many items"}


@given(
    st.lists(items, max_size=10).map(",".join),
    st.ip_addresses(network="192.0.2.0/24"),
    st.lists(st.ip_addresses(network="10.0.0.0/8").map(str), max_size=5),
)
def test_in_forwarded_a_client_can_hide_itself_but_never_move(
    sent: str, true: object, hops: list[str]
) -> None:
    added = ", ".join(f"for={hop};proto=https" for hop in [str(true), *hops])
    found = client(forwarded=f"{sent}, {added}")
    assert found == str(true) or found.startswith("unreadable")
