from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given, strategies as st

from gateway.core.request import Malformed
from gateway.proxy.target import Target, read_target

ONCE = frozenset({"action", "$alt"})
# Mostly what targets are made of, so that many drawn ones are canonical; some of anything.
PIECES = st.one_of(
    st.sampled_from(
        ["/", "?", "&", "=", "+", ".", "..", "/..", "%2E", "%2f", "%25", ";", "#", ":"]
    ),
    st.sampled_from(["face", "identify", "Action", "aCTION", "%24alt", "%C3%A9", "%20", "%", "@"]),
    st.text(max_size=3),
)
TARGETS = st.lists(PIECES, max_size=12).map(lambda pieces: "/" + "".join(pieces))


def reason(target: str) -> str:
    found = read_target(target, ONCE)
    return found.reason if isinstance(found, Malformed) else ""


@given(TARGETS)
@example("/a%20b?Action=1&b=%2F")
def test_an_accepted_target_goes_on_as_it_came(target: str) -> None:
    found = read_target(target, ONCE)
    if isinstance(found, Target):
        assert found.path + ("?" if found.query_string else "") + found.query_string == target


@given(TARGETS)
def test_an_accepted_path_means_the_same_to_whoever_decodes_it(target: str) -> None:
    found = read_target(target, ONCE)
    if isinstance(found, Malformed):
        return
    decoded = unquote(found.path, errors="strict")
    assert decoded.count("/") == found.path.count("/")
    assert not {".", ".."}.intersection(decoded.split("/"))
    assert "//" not in decoded
    assert not re.search(r"[\\;\x00-\x1f\x7f]", decoded)
    assert unquote(decoded) == decoded
    assert found.path.isascii()


@given(TARGETS)
def test_an_accepted_query_names_what_decides_once(target: str) -> None:
    found = read_target(target, ONCE)
    if isinstance(found, Target):
        names = [name.lower() for name, _ in found.query]
        assert all(names.count(name) <= 1 for name in ONCE)


@given(st.text(max_size=12))
def test_a_target_of_any_text_is_judged(text: str) -> None:
    found = read_target(text, ONCE)
    assert isinstance(found, Target) == (reason(text) == "")
    assert text.startswith("/") or reason(text) == "malformed.path"


@given(st.text(max_size=5), st.text(max_size=5))
def test_a_message_never_quotes_the_target(path: str, query: str) -> None:
    mark = "zq7canary"
    found = read_target(f"/{path}{mark}?{query}{mark}", ONCE)
    assert isinstance(found, Target) or mark not in found.detail


@pytest.mark.parametrize("octet", range(256))
def test_no_octet_hides_behind_its_encoding_in_a_path(octet: int) -> None:
    accepted = reason(f"/a%{octet:02X}b") == ""
    raw_is_special = chr(octet) in "/\\;:%" or octet < 0x20 or octet == 0x7F
    raw_is_needless = re.fullmatch(r"[A-Za-z0-9\-._~]", chr(octet)) is not None
    assert accepted == (octet < 0x80 and not raw_is_special and not raw_is_needless)


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        ("http://a/", "the target is not in origin form"),
        ("", "the target is not in origin form"),
        ("/a//b", "the path has an empty segment"),
        ("/a/..", "the path has a dot segment"),
        ("/a;b", "the path has a path parameter"),
        ("/a#b", "the target has a fragment"),
        ("/a[b", "the path has a character that must be percent-encoded"),
        ("/%2e", "a percent sign without two upper-case hex digits"),
        ("/%2E", "the path hides a character behind a percent-encoding"),
        ("/%FF", "the percent-encoding of the path is not UTF-8"),
        ("/?", "the query is empty, or has a character that must be percent-encoded"),
        ("/?%61=b", "a parameter's name hides a character behind a percent-encoding"),
        ("/?a=%FF", "a parameter is not UTF-8, or contains NUL"),
        ("/?Action=a&action=b", "a parameter that decides occurs twice"),
    ],
)
def test_the_operator_reads_what_was_wrong(target: str, detail: str) -> None:
    found = read_target(target, ONCE)
    assert isinstance(found, Malformed)
    assert found.detail == detail


def test_a_plus_is_a_space_in_a_query_and_itself_in_a_path() -> None:
    assert read_target("/a+b?c+d=e+f%2B", ONCE) == Target("/a+b", "c+d=e+f%2B", (("c d", "e f+"),))


def test_a_long_path_is_judged_in_linear_time() -> None:
    assert reason("/a" * 20_000 + "[") == "malformed.path"
    assert reason("/" + "a" * 40_000 + ";") == "malformed.path"
    assert reason("/." * 20_000) == "malformed.path"
