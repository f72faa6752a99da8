"""Addresses: one reading or none, unwrapped before they are looked up."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, strategies as st

from gateway.core.geography.addresses import is_private, parse_address, unwrap


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:C000:201", "192.0.2.1"),
        ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"),
        ("::", "::"),
        ("2002:c000:201::1", "2002:c000:201::1"),
    ],
)
def test_an_address_is_read_in_its_canonical_form(text: str, canonical: str) -> None:
    assert str(parse_address(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 192.0.2.1",
        "192.0.2.1 ",
        "192.0.2.01",
        "0300.0.2.1",
        "0xc0.0.2.1",
        "3221225985",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1:80",
        "192.0.2.1/32",
        "[2001:db8::1]",
        "2001:db8::1%eth0",
        "fe80::1%25eth0",
        "2001:db8:::1",
        "2001:db8::12345",
        "1.2.3.4.5",
        "١٩٢.0.2.1",
        "unknown",
        "::ffff:192.0.2.01",
        "0" * 50,
    ],
)
def test_what_is_not_exactly_one_address_is_none(text: str) -> None:
    assert parse_address(text) is None


@given(st.text(max_size=60))
def test_no_text_makes_the_reading_fail(text: str) -> None:
    address = parse_address(text)
    assert address is None or parse_address(str(address)) == address


@given(st.ip_addresses())
def test_every_address_reads_as_itself(address: IPv4Address | IPv6Address) -> None:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    assert parse_address(str(address)) == (mapped or address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_found_in_every_wrapping(inside: IPv4Address) -> None:
    number = int(inside)
    wrapped = (
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(0x2002 << 112 | number << 80 | 0x1234),
        IPv6Address(0x0064FF9B << 96 | number),
    )
    for address in wrapped:
        read = parse_address(str(address))
        assert read is not None
        assert unwrap(read) == inside


@pytest.mark.parametrize(
    "text",
    [
        "::192.0.2.1",  # IPv4-compatible
        "64:ff9b:1::c000:201",  # local NAT64
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
    ],
)
def test_a_form_that_hides_the_network_has_no_place(text: str) -> None:
    assert unwrap(ip_address(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",  # noqa: S104 - an address to be classified
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.1.1",
        "172.31.255.255",
        "192.168.0.1",
        "198.19.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "100::1",
    ],
)
def test_what_no_public_network_routes_is_private(text: str) -> None:
    address = ip_address(text)
    assert is_private(address)
    assert unwrap(address) == address


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "2001:db8::1",
        "3fff::1",
        "8.8.8.8",
        "100.128.0.1",
        "172.32.0.1",
        "2606:4700::1111",
    ],
)
def test_public_and_documentation_addresses_are_looked_up(text: str) -> None:
    assert not is_private(ip_address(text))
