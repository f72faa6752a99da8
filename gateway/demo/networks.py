"""A synthetic network database over the documentation ranges, for demonstrations and tests.

It holds no real network: RFC 5737 and RFC 3849 set these ranges aside for examples. What stands in
it says nothing about anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import mmdb_writer
from netaddr import IPSet

# Each range is cut into parts of equal size; what is not listed has no record.
SYNTHETIC: Final[Mapping[str, str]] = MappingProxyType(
    {
        "192.0.2.0/28": "US",
        "192.0.2.16/28": "GB",
        "192.0.2.32/28": "DE",
        "192.0.2.48/28": "FR",
        "192.0.2.64/28": "JP",
        "192.0.2.80/28": "CA",
        "192.0.2.96/28": "BR",
        "192.0.2.112/28": "IN",
        "198.51.100.0/28": "CN",
        "198.51.100.16/28": "RU",
        "198.51.100.32/28": "IR",
        "198.51.100.48/28": "AE",
        "198.51.100.64/28": "BY",
        "198.51.100.80/28": "KP",
        "198.51.100.96/28": "HK",
        "198.51.100.112/28": "SA",
        "203.0.113.0/28": "US",
        "203.0.113.16/28": "IE",
        "203.0.113.32/28": "UA",
        "2001:db8:1000::/40": "US",
        "2001:db8:1100::/40": "GB",
        "2001:db8:1200::/40": "DE",
        "2001:db8:1300::/40": "FR",
        "2001:db8:2000::/40": "CN",
        "2001:db8:2100::/40": "RU",
        "2001:db8:2200::/40": "IR",
    }
)


def write_networks(path: Path, networks: Mapping[str, str] = SYNTHETIC) -> None:
    """Write a country database in MaxMind's format and its nested form of record.

    Args:
        path: the file to write; its build time is the time of writing.
        networks: network in CIDR form to ISO 3166-1 alpha-2 code, upper case.
    """
    records = {network: {"country": {"iso_code": code}} for network, code in networks.items()}
    write_records(path, records, database_type="Facegate-Synthetic-Country")


def write_records(
    path: Path, records: Mapping[str, Mapping[str, object]], *, database_type: str
) -> None:
    """Write a database with any form of record, IPv4 and IPv6 in one tree.

    Args:
        path: the file to write; its build time is the time of writing.
        records: network in CIDR form to its record.
        database_type: name of the form, which readers may look at.
    """
    writer = mmdb_writer.MMDBWriter(
        ip_version=6,
        ipv4_compatible=True,
        database_type=database_type,
        languages=["en"],
        description="synthetic records over documentation ranges",
    )
    for network, record in records.items():
        writer.insert_network(IPSet([network]), dict(record))
    writer.to_db_file(str(path))
