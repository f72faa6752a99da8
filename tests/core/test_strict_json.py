"""JSON is read in exactly one way, or refused with a reason; nothing that arrives raises."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest
from hypothesis import example, given, strategies as st

from gateway.core.strict_json import MAX_DEPTH, MAX_NUMBER_CHARACTERS, JsonValue, Refused, loads

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


def refusal(content: bytes) -> str:
    outcome = loads(content)
    assert isinstance(outcome, Refused), outcome
    return outcome.reason


@given(value=VALUES, escaped=st.booleans(), space=st.sampled_from(["", " ", "\n\t", "\r\n "]))
def test_what_a_serialiser_writes_is_read_back(
    *, value: JsonValue, escaped: bool, space: str
) -> None:
    content = (space + json.dumps(value, ensure_ascii=escaped) + space).encode()

    assert loads(content) == value


@given(st.binary(max_size=64))
@example(b"\xef\xbb\xbf{}")
@example(b"\xff\xfe{\x00}\x00")
@example(b'{"a":1}\x00')
def test_arbitrary_bytes_are_read_as_json_loads_reads_them_or_refused(content: bytes) -> None:
    outcome = loads(content)

    if not isinstance(outcome, Refused):
        assert outcome == json.loads(content)


@given(VALUES, st.data())
def test_mutated_json_is_read_as_json_loads_reads_it_or_refused(
    value: JsonValue, data: st.DataObject
) -> None:
    content = bytearray(json.dumps(value, ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content)))
        kept = data.draw(st.integers(place, min(len(content), place + 2)))
        content[place:kept] = data.draw(
            st.sampled_from([b"", b'"', b"\\", b"\\u", b"{", b"[", b",", b"NaN", b"-", b"1e999"])
            | st.binary(max_size=2)
        )

    outcome = loads(bytes(content))

    if not isinstance(outcome, Refused):
        assert outcome == json.loads(bytes(content))


def _once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("twice")
    return dict(pairs)


OBJECTS = st.recursive(
    st.sampled_from(
        ['"x"', '"a:b"', '""', "1", "-0", "1.5", "1e3", "true", "null", '"{"', "10" * 12]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: f"[{','.join(each)}]")
        | st.lists(
            st.tuples(st.sampled_from(['"a"', '"b"', '"a:"', '"\\u0061"', '"é"']), inner),
            max_size=4,
        ).map(lambda pairs: "{" + ", ".join(f"{key} : {value}" for key, value in pairs) + "}")
    ),
    max_leaves=12,
)


@given(OBJECTS)
def test_an_object_is_read_if_and_only_if_no_key_stands_twice(text: str) -> None:
    try:
        expected = json.loads(text, object_pairs_hook=_once)
    except ValueError:
        assert refusal(text.encode()) == "the same key twice in an object"
    else:
        found = loads(text.encode())
        assert (found, repr(found)) == (expected, repr(expected))


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"a":2,"b:":3}',
        b'{"a":{":":1},"a":{":":1}}',
        b'{"a":1,"\\u0061":2}',
        b'{"outer":{"a":null,"b":[],"a":null}}',
        b'[{"x":{"a":1,"a":1}}]',
    ],
)
def test_a_key_that_stands_twice_is_refused_at_every_level(content: bytes) -> None:
    assert refusal(content) == "the same key twice in an object"


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(name: str) -> None:
    assert refusal(f'{{"a":[{name}]}}'.encode()) == "NaN or an infinity"


@pytest.mark.parametrize("digits", ["1e999", "-1e999", "1e" + "9" * 50])
def test_a_number_that_overflows_is_refused(digits: str) -> None:
    assert refusal(digits.encode()) == "a number that is too large"


@pytest.mark.parametrize("start", ["", "-", "0.", "1e-"])
def test_a_number_has_at_most_64_characters(start: str) -> None:
    longest = start + "1" * (MAX_NUMBER_CHARACTERS - len(start))

    assert loads(longest.encode()) == json.loads(longest)
    assert refusal(f"{longest}1".encode()) == "a number of too many characters"


@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
def test_64_levels_are_read_and_65_are_refused(brackets: str) -> None:
    opening, closing = brackets[:-1], brackets[-1]

    def nested(levels: int) -> bytes:
        return (opening * (levels - 1) + "[]" + closing * (levels - 1)).encode()

    assert loads(nested(MAX_DEPTH)) == json.loads(nested(MAX_DEPTH))
    assert refusal(nested(MAX_DEPTH + 1)) == "nested too deeply"


@pytest.mark.parametrize(
    "content", [b"[" * 200_000, b'{"a":' * 200_000, b"[" * 20_000 + b"]" * 20_000]
)
def test_bottomless_nesting_is_refused_and_does_not_raise(content: bytes) -> None:
    assert refusal(content) == "nested too deeply"


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert loads(b"[" + b"[]," * 500 + b"[]]") == [[]] * 501


@pytest.mark.parametrize(
    "content",
    [b'"\\ud800"', b'["a\\udfffb"]', b'{"\\ud83d":1}', b'{"a":[{"b":"\\ude00\\ud83d"}]}'],
)
def test_a_lone_surrogate_is_refused_in_keys_and_values(content: bytes) -> None:
    assert refusal(content) == "a lone surrogate"


@pytest.mark.parametrize("content", [b'"\\ud83d\\ude00"', '"😀"'.encode(), b'"\\u00e9\\\\ud800"'])
def test_a_whole_character_is_read_however_it_is_escaped(content: bytes) -> None:
    assert loads(content) == json.loads(content)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-32-be"])
def test_only_utf_8_without_a_byte_order_mark_is_read(encoding: str) -> None:
    assert isinstance(loads('{"a":1}'.encode(encoding)), Refused)


@pytest.mark.parametrize("content", [b"\xed\xa0\x80", b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\xff"'])
def test_overlong_and_broken_utf_8_is_refused(content: bytes) -> None:
    assert refusal(content) == "not UTF-8"


@pytest.mark.parametrize("content", [b"1 2", b"{}{}", b"{} //", b"null\x0b", b"[]\xc2\xa0"])
def test_bytes_after_the_value_are_refused(content: bytes) -> None:
    assert refusal(content) == "bytes after the value"


@pytest.mark.parametrize(
    "content", [b"", b" ", b"{", b"{'a':1}", b'{"a":1,}', b"01", b'"\x01"', b"\x0b1"]
)
def test_what_is_not_json_is_refused(content: bytes) -> None:
    assert isinstance(loads(content), Refused)


def test_no_reason_shows_a_byte_of_the_input() -> None:
    secret = "c0ffee-secret"
    for content in (f'{{"{secret}":1,"{secret}":2}}', f"{{{secret}", f'"{secret}"{secret}'):
        assert secret not in refusal(content.encode())


def _calls_while_reading(content: bytes) -> Iterator[str]:
    """Name the Python functions that reading runs."""
    called: list[str] = []

    def note(frame: object, event: str, _argument: object) -> None:
        if event == "call":
            called.append(str(frame))

    sys.setprofile(note)
    try:
        loads(content)
    finally:
        sys.setprofile(None)
    yield from called


def test_a_long_string_costs_no_more_steps_than_a_short_one() -> None:
    short = len(list(_calls_while_reading(b'{"Image":{"Bytes":"QUJD"}}')))
    long = len(list(_calls_while_reading(b'{"Image":{"Bytes":"' + b"QUJD" * 250_000 + b'"}}')))

    assert long == short
