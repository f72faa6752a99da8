from __future__ import annotations

import pytest

from gateway.core.geography.codes import COUNTRIES, is_code


@pytest.mark.parametrize("code", ["GB", "NO", "CN", "XK", "UA-43", "US-CA", "GB-ENG"])
def test_iso_codes_are_codes(code: str) -> None:
    assert is_code(code)


@pytest.mark.parametrize(
    "code",
    ["", "gb", "UK", "EU", "ZZ", "GBR", "UA-", "UA-4343", "ZZ-1", "ua-43", "UA-43\n", "unknown"],
)
def test_anything_else_is_none(code: str) -> None:
    assert not is_code(code)


def test_the_table_is_iso_3166_1_and_kosovo() -> None:
    assert len(COUNTRIES) == 250
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in COUNTRIES)
