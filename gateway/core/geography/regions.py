"""In which country a cloud region lies, as far as its operator states it.

Source: the region descriptions in botocore's `endpoints.json` and `partitions.json` (1.44). A
region whose country is not stated there is not in the table, and so reads as `unknown`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Partition, then region, to ISO 3166-1 alpha-2. A region counts only in its own partition.
AWS_REGIONS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "aws": {
            "af-south-1": "ZA",
            "ap-east-1": "HK",
            "ap-east-2": "TW",
            "ap-northeast-1": "JP",
            "ap-northeast-2": "KR",
            "ap-northeast-3": "JP",
            "ap-south-1": "IN",
            "ap-south-2": "IN",
            "ap-southeast-1": "SG",
            "ap-southeast-2": "AU",
            "ap-southeast-3": "ID",
            "ap-southeast-4": "AU",
            "ap-southeast-5": "MY",
            "ap-southeast-6": "NZ",
            "ap-southeast-7": "TH",
            "ca-central-1": "CA",
            "ca-west-1": "CA",
            "eu-central-1": "DE",
            "eu-central-2": "CH",
            "eu-north-1": "SE",
            "eu-south-1": "IT",
            "eu-south-2": "ES",
            "eu-west-1": "IE",
            "eu-west-2": "GB",
            "eu-west-3": "FR",
            "il-central-1": "IL",
            "me-central-1": "AE",
            "me-south-1": "BH",
            "me-west-1": "SA",
            "mx-central-1": "MX",
            "sa-east-1": "BR",
            "sa-west-1": "CL",
            "us-east-1": "US",
            "us-east-2": "US",
            "us-west-1": "US",
            "us-west-2": "US",
        },
        "aws-cn": {"cn-north-1": "CN", "cn-northwest-1": "CN"},
        "aws-eusc": {"eusc-de-east-1": "DE"},
        "aws-iso": {"us-iso-east-1": "US", "us-iso-west-1": "US"},
        "aws-iso-b": {"us-isob-east-1": "US", "us-isob-west-1": "US"},
        "aws-iso-f": {"us-isof-east-1": "US", "us-isof-south-1": "US"},
        "aws-us-gov": {"us-gov-east-1": "US", "us-gov-west-1": "US"},
    }
)

_ARN_PARTS: Final = 6
_NOWHERE: Final = ("", "unknown")


def region_of(resource: str) -> tuple[str, str]:
    """Return the AWS region that an ARN names and its country, e.g. `("eu-west-1", "IE")`.

    Without a known region the answer is `("", "unknown")`: a bucket's ARN and a bare name have
    none. Only regions in the table are returned, so the result never holds a caller's free text.
    Source: `arn:partition:service:region:account:resource`, AWS IAM User Guide, "Amazon Resource
    Names".
    """
    parts = resource.split(":", _ARN_PARTS - 1)
    if len(parts) != _ARN_PARTS or parts[0] != "arn":
        return _NOWHERE
    _, partition, _, region, _, _ = parts
    country = AWS_REGIONS.get(partition, {}).get(region)
    return _NOWHERE if country is None else (region, country)
