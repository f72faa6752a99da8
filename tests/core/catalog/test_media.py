"""A Content-Type says one media type, or none."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from gateway.core.catalog.media import read_media_type


@pytest.mark.parametrize(
    ("value", "essence", "parameters"),
    [
        ("", "", {}),
        ("application/json", "application/json", {}),
        (" Application/JSON ", "application/json", {}),
        ("application/json; charset=UTF-8", "application/json", {"charset": "UTF-8"}),
        ('text/plain;charset="utf-8" ;', "text/plain", {"charset": "utf-8"}),
        ("multipart/mixed; boundary===1==", "multipart/mixed", {"boundary": "==1=="}),
        ('multipart/form-data; boundary="a b"', "multipart/form-data", {"boundary": "a b"}),
        ("application/grpc+proto", "application/grpc+proto", {}),
    ],
)
def test_a_media_type_is_read(value: str, essence: str, parameters: dict[str, str]) -> None:
    found = read_media_type(value)

    assert found is not None
    assert (found.essence, found.parameters) == (essence, parameters)


@pytest.mark.parametrize(
    "value",
    [
        "json",
        "application/json, text/plain",
        "application/json;charset=utf-16",
        "application/json;charset",
        "application/json;charset=utf-8;charset=utf-8",
        "application/json;CHARSET=utf-8;charset=utf-8",
        'multipart/mixed; boundary="a\\"b"',
        "multipart/mixed; boundary=a b",
        "multipart/mixed; boundary*=utf-8''b",
        "application /json",
        "ä/b",
    ],
)
def test_what_has_several_readings_has_none(value: str) -> None:
    found = read_media_type(value)

    assert found is None or not found.parameters.get("boundary")


@given(st.text(alphabet='ab/;= "\\charsetutf-8,*', max_size=30))
def test_any_text_is_read_or_not(value: str) -> None:
    found = read_media_type(value)

    if found is not None:
        assert found.essence == found.essence.lower()
