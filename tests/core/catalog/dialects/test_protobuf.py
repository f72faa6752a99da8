"""Protocol buffers are read by a schema, in one reading or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from gateway.core.catalog.dialects.protobuf import (
    MAX_FIELDS,
    Field,
    parse_field,
    read_frame,
    read_message,
)
from gateway.core.strict_json import Refused, Span

SCHEMA = {
    "Batch": {
        1: Field("requests", "message", repeated=True, message="Request"),
        4: Field("parent", "string", repeated=False),
        6: Field("pages", "number", repeated=True),
    },
    "Request": {
        1: Field("content", "bytes", repeated=False),
        2: Field("features", "message", repeated=True, message="Feature"),
        3: Field("inner", "message", repeated=False, message="Request"),
        9: Field("score", "fixed", repeated=False),
    },
    "Feature": {
        1: Field("type", "number", repeated=False),
        2: Field("max_results", "number", repeated=False),
        3: Field("model", "string", repeated=False),
    },
}


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def long_field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def feature(kind: int) -> bytes:
    return long_field(1, long_field(2, number_field(1, kind)))


def refused(content: bytes, message: str = "Batch") -> str:
    found = read_message(content, SCHEMA, message)
    assert isinstance(found, Refused), found
    return found.reason


def test_members_stand_under_the_names_of_the_schema() -> None:
    content = feature(1) + feature(10) + long_field(4, b"projects/p")

    assert read_message(content, SCHEMA, "Batch") == {
        "parent": "projects/p",
        "requests": [{"features": [{"type": 1}]}, {"features": [{"type": 10}]}],
    }


def test_a_message_without_fields_has_no_members() -> None:
    assert read_message(b"", SCHEMA, "Batch") == {}


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1, max_size=9), st.booleans())
def test_numbers_are_read_packed_or_not(numbers: list[int], packed: bool) -> None:  # noqa: FBT001 - of hypothesis
    content = (
        long_field(6, b"".join(map(varint, numbers)))
        if packed
        else b"".join(number_field(6, number) for number in numbers)
    )

    assert read_message(content, SCHEMA, "Batch") == {"pages": numbers}


def test_bytes_and_long_texts_are_left_where_they_stand() -> None:
    head, image = long_field(4, b"\xc3\xa9" * 4000), b"\xff\xd8" * 10
    content = head + long_field(1, long_field(1, image))
    found = read_message(content, SCHEMA, "Batch")

    assert isinstance(found, dict)
    parent, requests = found["parent"], found["requests"]
    assert isinstance(parent, Span)
    assert (parent.octets().decode(), parent.coding) == ("é" * 4000, "text")
    assert requests == [{"content": Span(content, len(content) - 20, len(content), "binary")}]


@pytest.mark.parametrize(
    "content",
    [
        long_field(4, b"a") + long_field(4, b"b"),
        long_field(1, long_field(2, number_field(1, 5) + number_field(1, 1))),
        long_field(1, long_field(3, b"") + long_field(3, long_field(2, b""))),
    ],
    ids=["text", "number", "message"],
)
def test_a_single_field_that_stands_twice_has_two_readings(content: bytes) -> None:
    assert "twice" in refused(content)


@pytest.mark.parametrize(
    "content",
    [
        long_field(4, b"abc")[:-1],
        long_field(4, b"\xff"),
        b"\x0a",
        b"\x80" * 11,
        varint(6 << 3) + b"\xff" * 9 + b"\x02",
        b"\x26",
        varint(1 << 3 | 2) + varint(1 << 40),
        long_field(1, varint(9 << 3 | 5) + b"\x00\x00"),
        long_field(6, b"\x80"),
    ],
    ids=[
        "too long for its message",
        "no UTF-8",
        "no length",
        "an endless number",
        "a number of more than 64 bits",
        "no known type",
        "longer than the body",
        "half a number",
        "half a packed number",
    ],
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    assert refused(content)


@pytest.mark.parametrize(
    "content",
    [
        long_field(99, b"x"),
        long_field(1, long_field(2, number_field(7, 1))),
        number_field(0, 1),
        varint(1 << 3 | 3) + varint(1 << 3 | 4),
        number_field(4, 1),
        long_field(1, long_field(2, long_field(1, b"\x01"))),
        feature(5) * (MAX_FIELDS // 2),
        long_field(6, b"\x00" * MAX_FIELDS),
    ],
    ids=[
        "an unknown field",
        "an unknown field further in",
        "field zero",
        "a group",
        "a number for a text",
        "a list for a number",
        "too many fields",
        "too many numbers",
    ],
)
def test_what_the_schema_does_not_tell_is_not_read(content: bytes) -> None:
    assert read_message(content, SCHEMA, "Batch") is None


def test_a_message_too_deep_is_not_read() -> None:
    content = b""
    for _ in range(100):
        content = long_field(3, content)

    assert read_message(content, SCHEMA, "Request") is None


@given(st.binary(max_size=200))
def test_no_bytes_raise_and_what_is_read_is_read_the_same_again(content: bytes) -> None:
    found = read_message(content, SCHEMA, "Batch")

    assert found == read_message(content, SCHEMA, "Batch")
    assert (
        found is None
        or isinstance(found, Refused)
        or found.keys() <= {field.name for field in SCHEMA["Batch"].values()}
    )


@given(st.lists(st.integers(0, 30), max_size=5), st.data())
def test_a_message_with_one_bit_turned_is_never_another_list_of_the_same_features(
    kinds: list[int], data: st.DataObject
) -> None:
    content = b"".join(map(feature, kinds))
    whole = read_message(content, SCHEMA, "Batch")
    assert whole == (
        {"requests": [{"features": [{"type": kind}]} for kind in kinds]} if kinds else {}
    )
    if content:
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        turned = bytearray(content)
        turned[bit // 8] ^= 1 << bit % 8
        assert read_message(bytes(turned), SCHEMA, "Batch") != whole


def test_a_call_sends_one_frame() -> None:
    assert read_frame(b"\x00\x00\x00\x00\x03abc") == b"abc"
    assert read_frame(b"\x00\x00\x00\x00\x00") == b""


@pytest.mark.parametrize(
    "content", [b"\x01\x00\x00\x00\x03abc", b"\x00\x00\x00\x00\x01a\x00\x00\x00\x00\x00"]
)
def test_a_frame_that_is_compressed_or_not_alone_is_not_read(content: bytes) -> None:
    assert read_frame(content) is None


@pytest.mark.parametrize("content", [b"", b"\x00\x00\x00", b"\x00\x00\x00\x00\x04abc"])
def test_what_is_no_whole_frame_is_refused(content: bytes) -> None:
    assert isinstance(read_frame(content), Refused)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("type", Field("type", "number", repeated=False)),
        ("pages[]", Field("pages", "number", repeated=True)),
        ("model:string", Field("model", "string", repeated=False)),
        ("aspect_ratios[]:fixed", Field("aspect_ratios", "fixed", repeated=True)),
        ("content:bytes", Field("content", "bytes", repeated=False)),
        (
            "features[]:Feature",
            Field("features", "message", repeated=True, message="Feature"),
        ),
        ("features:feature", None),
        ("Features", None),
        ("features[", None),
        ("features:", None),
        ("", None),
    ],
)
def test_a_field_of_a_data_file_says_name_kind_and_list(text: str, field: Field | None) -> None:
    assert parse_field(text) == field
