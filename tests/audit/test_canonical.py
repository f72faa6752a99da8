from __future__ import annotations

from types import MappingProxyType

import msgspec
import pytest
import rfc8785
from hypothesis import given, strategies as st

from gateway.audit.canonical import canonical, loses_nothing
from gateway.audit.record import MAX_INTEGER

# Keys are ASCII: names of our own fields, and of the parts of a snapshot.
KEYS = st.text(st.characters(max_codepoint=0x7F), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


class Point(msgspec.Struct):
    x: int
    y: int = 0


@given(VALUES)
def test_the_encoding_is_that_of_an_independent_implementation(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [*range(0x20), 0x22, 0x5C, 0x7F, 0x2028, 0xFFFF, 0x1F600])
def test_each_special_character_is_escaped_as_rfc_8785_says(code: int) -> None:
    assert canonical(chr(code)) == rfc8785.dumps(chr(code))


def test_members_of_structs_are_sorted_too() -> None:
    class Unsorted(msgspec.Struct, tag="t", tag_field="m"):
        z: int = 1
        a: int = 2

    assert canonical({"u": Unsorted(), "b": [Unsorted()]}) == (
        b'{"b":[{"a":2,"m":"t","z":1}],"u":{"a":2,"m":"t","z":1}}'
    )


def test_text_that_has_no_utf_8_form_is_written_with_question_marks() -> None:
    value = {"a": ["x\ud800y", {"b": "\udfff"}], "c": "whole", "n": 1}
    assert canonical(value) == b'{"a":["x?y",{"b":"?"}],"c":"whole","n":1}'


@pytest.mark.parametrize("text", ["whole", "\ud800"])
def test_a_frozen_mapping_is_a_mapping(text: str) -> None:
    assert canonical(MappingProxyType({"b": text, "a": 1})).startswith(b'{"a":1,"b":"')


def test_a_value_without_a_json_form_is_an_error() -> None:
    with pytest.raises(TypeError):
        canonical(object())


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b'{"x":1,"y":2}', True),
        (b'{"x":1}', True),  # `y` came later, and has its default
        (b'{"x":1,"z":2}', False),
        (b'{"x": 1}', False),
        (b'{"y":2,"x":1}', False),
        (b'{"x":1,"x":1}', False),
    ],
)
def test_a_line_is_whole_only_if_canonical_and_read_entirely(line: bytes, *, kept: bool) -> None:
    assert loses_nothing(line, msgspec.json.decode(line, type=Point)) is kept
