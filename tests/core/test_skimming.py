"""Long strings are left where they stand, and nothing else is read in another way than whole."""

from __future__ import annotations

import base64
import json
import sys
import tracemalloc

import pytest
from hypothesis import example, given, strategies as st

from gateway.core.strict_json import SPAN_BYTES, JsonValue, Refused, Span, loads, skim

LONG = b"A" * SPAN_BYTES
IMAGE = base64.b64encode(bytes(range(256)) * 4_000)  # about 1.3 MB of text


def whole(value: JsonValue | Refused) -> JsonValue | Refused:
    """Put the texts of spans in their places."""
    match value:
        case Span():
            return value.octets().decode()
        case dict():
            return {key: _member(each) for key, each in value.items()}
        case list():
            return [_member(each) for each in value]
        case _:
            return value


def _member(value: JsonValue) -> JsonValue:
    read = whole(value)
    assert not isinstance(read, Refused)
    return read


def agree(content: bytes) -> None:
    skimmed, read = skim(content), loads(content)

    assert isinstance(skimmed, Refused) == isinstance(read, Refused), (skimmed, read)
    assert isinstance(read, Refused) or whole(skimmed) == read


FRAGMENTS = st.sampled_from(
    [
        LONG,
        LONG + b'"',
        b'"' + LONG + b'"',
        b'"k":"' + LONG + b'"',
        b'"' + LONG + b'" : 1',
        b'"' + LONG + b"\\" + b'"',
        b'"' + LONG + b'\\\\"',
        b'"' + LONG + b'\\u00e9"',
        b'"' + LONG + b'\x01"',
        b'"' + LONG + b'\n"',
        b'"' + LONG + b'\xff"',
        b'"' + LONG + b'\x00"',
        '"é'.encode() + LONG + b'"',
        b'"',
        b'\\"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\n",
        b"NaN",
        b"-",
        b"-Infinity",
        b"1",
        b"tru",
        b"null",
        b'"a"',
        b"\xef\xbb\xbf",
    ]
)


@given(st.lists(FRAGMENTS, max_size=9).map(b"".join))
@example(b'["' + LONG + b'",NaN]')
@example(b'[NaN,"' + LONG + b'"]')
@example(b'{"' + LONG + b'":1,"' + LONG + b'":2}')
@example(b'[-"' + LONG + b'"]')
@example(b'1"' + LONG + b'"')
@example(b'"' + LONG + b'""' + LONG + b'"')
@example(b'{"a":"' + LONG + b'","a":"' + LONG + b'"}')
@example(b'"' + LONG + b"\xc3" + b'"' + b"\xa9")
def test_fragments_are_read_around_long_strings_as_they_are_read_whole(content: bytes) -> None:
    agree(content)


TEXTS = (
    st.text(max_size=4)
    | st.sampled_from(['"', "\\", "\x7f", "é", "\u2028", "NaN", "\x01"])
    | st.integers(0, 3).map(lambda extra: "B" * (SPAN_BYTES - 1 + extra))
    | st.sampled_from(["é", '"', "\\", "\n"]).map(lambda odd: "B" * SPAN_BYTES + odd)
)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    TEXTS | st.none() | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


@given(VALUES, st.booleans(), st.data())
def test_a_document_that_was_changed_is_read_around_long_strings_as_it_is_read_whole(
    value: JsonValue,
    escaped: bool,  # noqa: FBT001 - Hypothesis passes it
    data: st.DataObject,
) -> None:
    content = bytearray(json.dumps(value, ensure_ascii=escaped).encode())
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.integers(0, len(content)))
        kept = data.draw(st.integers(place, min(len(content), place + 2)))
        content[place:kept] = data.draw(FRAGMENTS)

    agree(bytes(content))


@pytest.mark.parametrize("length", [SPAN_BYTES - 1, SPAN_BYTES, len(IMAGE)])
def test_a_string_is_left_where_it_stands_from_a_length_on(length: int) -> None:
    content = b'{"a": ["' + IMAGE[:length] + b'"], "b": "x"}'

    read = skim(content)

    assert isinstance(read, dict)
    assert isinstance(read["a"], list)
    assert isinstance(read["a"][0], Span) == (length >= SPAN_BYTES)
    assert whole(read) == json.loads(content)


@pytest.mark.parametrize(
    ("before", "after"),
    [(b'{"', b'": 1}'), (b'["', b'\\u0041"]'), (b'["', b'\\""]'), (b'["\\"', b'"]')],
)
def test_a_key_and_a_string_with_an_escape_are_read_whole(before: bytes, after: bytes) -> None:
    content = before + LONG + after

    assert skim(content) == json.loads(content)


@pytest.mark.parametrize("octet", [*range(0x20), 0x80, 0xFF])
def test_a_control_character_or_broken_utf_8_late_in_an_image_is_refused(octet: int) -> None:
    content = b'{"Bytes": "' + IMAGE + bytes([octet]) + b'"}'

    assert isinstance(skim(content), Refused)


@pytest.mark.parametrize("place", [*range(66), 4_095, 65_535, 65_536, 65_537, 131_071, 131_072])
def test_every_octet_in_every_place_of_an_image_is_read_as_it_is_read_whole(place: int) -> None:
    image = b"A" * 131_076
    for octet in range(256):
        agree(b'["' + image[:place] + bytes([octet]) + image[place + 1 :] + b'"]')


@pytest.mark.parametrize(
    "ending", [b"", b"=", b"==", b"A===", b"A", b"==AA", b"A A", b"\xc3\xa9", b" "]
)
def test_an_image_whose_base64_is_odd_is_read_as_it_is_read_whole(ending: bytes) -> None:
    agree(b'["' + IMAGE + ending + b'"]')
    agree(b'["data:image/jpeg;base64,' + IMAGE + ending + b'", 1]')


def test_a_span_shows_none_of_its_bytes() -> None:
    read = skim(b'["' + LONG + b'"]')

    assert repr(read) == f"[Span({SPAN_BYTES} bytes)]"


HOSTILE = {
    "quotes": b'"' * 400_000,
    "empty strings": b"[" + b'"",' * 200_000 + b'""]',
    "escaped quotes": b'["' + b'\\"' * 300_000 + b'"]',
    "backslashes": b'["' + b"\\" * 600_001 + b'"]',
    "long strings": b"[" + (b'"' + LONG + b'",') * 100 + b'""]',
    "long strings with an escape at the end": b"[" + (b'"' + LONG + b'\\n",') * 100 + b'""]',
    "a string that never ends": b'["' + b"A" * 600_000,
    "spaces behind a string": b'["' + LONG + b'"' + b" " * 600_000 + b"]",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bodies_cost_a_bounded_number_of_steps_beside_the_parser_s(content: bytes) -> None:
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        skim(content)
    finally:
        sys.setprofile(None)

    assert calls < 15_000
    agree(content)


def test_an_image_is_not_copied() -> None:
    content = b'{"Image": {"Bytes": "' + IMAGE + b'"}}'
    tracemalloc.start()
    try:
        skim(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < len(content) / 20
