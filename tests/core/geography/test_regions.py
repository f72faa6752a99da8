"""Cloud regions: the country that their operator states, or `unknown`."""

from __future__ import annotations

import json
from pathlib import Path

import botocore
import pytest

from gateway.core.geography.codes import COUNTRIES
from gateway.core.geography.regions import AWS_REGIONS, region_of

# Words in AWS's descriptions that name a country, or a place in one.
WORDS = {
    "Bahrain": "BH",
    "Beijing": "CN",
    "Calgary": "CA",
    "California": "US",
    "Canada": "CA",
    "Cape Town": "ZA",
    "Chile": "CL",
    "Frankfurt": "DE",
    "Germany": "DE",
    "GovCloud (US": "US",
    "Hong Kong": "HK",
    "Hyderabad": "IN",
    "Ireland": "IE",
    "Israel": "IL",
    "Jakarta": "ID",
    "London": "GB",
    "Malaysia": "MY",
    "Melbourne": "AU",
    "Mexico": "MX",
    "Milan": "IT",
    "Mumbai": "IN",
    "New Zealand": "NZ",
    "Ningxia": "CN",
    "Ohio": "US",
    "Oregon": "US",
    "Osaka": "JP",
    "Paris": "FR",
    "Sao Paulo": "BR",
    "Saudi Arabia": "SA",
    "Seoul": "KR",
    "Singapore": "SG",
    "Spain": "ES",
    "Stockholm": "SE",
    "Sydney": "AU",
    "Taipei": "TW",
    "Thailand": "TH",
    "Tokyo": "JP",
    "UAE": "AE",
    "US ISO": "US",
    "Virginia": "US",
    "Zurich": "CH",
}
NOT_STATED = {"EU ISOE West"}


def described_regions() -> list[tuple[str, str, str]]:
    """Partition, region and description, as the installed botocore has them."""
    data = Path(botocore.__file__).parent / "data"
    partitions = json.loads((data / "partitions.json").read_text())["partitions"]
    return [
        (partition["id"], region, entry["description"])
        for partition in partitions
        for region, entry in partition["regions"].items()
        if not region.endswith("-global")
    ]


def test_every_region_has_the_country_that_its_operator_states() -> None:
    expected = dict[tuple[str, str], str]()
    for partition, region, description in described_regions():
        countries = {country for word, country in WORDS.items() if word in description}
        assert len(countries) == (0 if description in NOT_STATED else 1), description
        if countries:
            expected[partition, region] = countries.pop()
    table = {
        (partition, region): country
        for partition, regions in AWS_REGIONS.items()
        for region, country in regions.items()
    }
    assert table == expected
    assert set(table.values()) <= COUNTRIES


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("arn:aws:sns:eu-west-1:123456789012:topic", ("eu-west-1", "IE")),
        ("arn:aws-cn:kinesis:cn-north-1:123456789012:stream/a:b", ("cn-north-1", "CN")),
        ("arn:aws:s3:::bucket", ("", "unknown")),
        ("arn:aws:sns:cn-north-1:123456789012:topic", ("", "unknown")),  # another partition
        ("arn:aws:sns:eu-nowhere-1:123456789012:topic", ("", "unknown")),
        ("arn:aws:sns:EU-WEST-1:123456789012:topic", ("", "unknown")),
        ("arn:other:sns:eu-west-1:123456789012:topic", ("", "unknown")),
        ("urn:aws:sns:eu-west-1:123456789012:topic", ("", "unknown")),
        ("arn:aws:sns:eu-west-1", ("", "unknown")),
        ("eu-west-1", ("", "unknown")),
        ("bucket-in-eu-west-1", ("", "unknown")),
        ("", ("", "unknown")),
    ],
)
def test_an_arn_names_a_region_or_nothing(resource: str, expected: tuple[str, str]) -> None:
    assert region_of(resource) == expected
