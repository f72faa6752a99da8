from __future__ import annotations

import pytest
from hypothesis import example, given, strategies as st

from gateway.core.request import Malformed
from gateway.proxy import header
from gateway.proxy.header import length_of, names_of, read_headers as _read_headers

LINES = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from([b"X-Amz-Target", b"x-amz-target", b"Accept", b"accept", b"a_b"]),
            st.binary(max_size=4),
        ),
        st.binary(max_size=6),
    ),
    max_size=6,
)


def read_headers(
    lines: list[tuple[bytes, bytes]], *, once: frozenset[str], underscored: frozenset[str]
) -> dict[str, str] | Malformed:
    names = names_of(tuple(name for name, _ in lines))
    return _read_headers(names, [value for _, value in lines], once=once, underscored=underscored)


@given(LINES)
def test_the_names_of_lines_tell_where_each_stands_first(lines: list[tuple[bytes, bytes]]) -> None:
    names = names_of(tuple(name for name, _ in lines))
    assert len(names.lower) == len(lines)
    assert names.length == sum(len(name) for name, _ in lines)
    assert names.places == {name: names.lower.index(name) for name in names.lower}


@given(LINES)
@example([(b"Accept", b"a"), (b"accept", b"b")])
def test_accepted_headers_say_what_the_lines_said(lines: list[tuple[bytes, bytes]]) -> None:
    found = read_headers(lines, once=frozenset(), underscored=frozenset())
    if isinstance(found, Malformed):
        return
    wanted: dict[str, list[str]] = {}
    for name, value in lines:
        wanted.setdefault(name.decode("ascii").lower(), []).append(value.decode("ascii"))
    assert found == {name: ", ".join(values) for name, values in wanted.items()}
    assert all(char == "\t" or char.isprintable() for value in found.values() for char in value)
    assert len(wanted.get("x-amz-target", [])) <= 1


@given(LINES)
def test_headers_are_read_alike_in_any_letter_case(lines: list[tuple[bytes, bytes]]) -> None:
    shouted = [(name.upper(), value) for name, value in lines]
    options = {"once": frozenset({"accept"}), "underscored": frozenset({"a_b"})}
    assert read_headers(lines, **options) == read_headers(shouted, **options)


def test_a_name_with_an_underscore_passes_only_where_it_is_known() -> None:
    line = [(b"Known_One", b"1")]
    assert read_headers(line, once=frozenset(), underscored=frozenset({"known_one"})) == {
        "known_one": "1"
    }
    assert isinstance(read_headers(line, once=frozenset(), underscored=frozenset()), Malformed)


def test_the_lines_of_a_proxy_chain_are_joined_even_if_they_decide() -> None:
    lines = [(b"X-Forwarded-For", b"a"), (b"X-Forwarded-For", b"b")]
    once = frozenset({"x-forwarded-for"})
    assert read_headers(lines, once=once, underscored=frozenset()) == {"x-forwarded-for": "a, b"}


@pytest.mark.parametrize(
    "names", [tuple(b"n%d" % i for i in range(200)), (b"x" * 5_000,)], ids=["many", "long"]
)
def test_names_that_no_real_head_has_are_not_remembered(names: tuple[bytes, ...]) -> None:
    before = header._remembered.cache_info().currsize
    assert len(names_of(names).lower) == len(names)
    assert header._remembered.cache_info().currsize == before


def test_a_length_may_have_any_number_of_zeros_before_it() -> None:
    assert [length_of(text) for text in ("", "0", "007", "0" * 5_000 + "12")] == [0, 0, 7, 12]
