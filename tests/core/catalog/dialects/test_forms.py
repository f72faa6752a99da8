"""Forms have one reading or none."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, strategies as st

from gateway.core.catalog.dialects.forms import read
from gateway.core.catalog.media import MediaType
from gateway.core.catalog.parameters import decisive, unfold
from gateway.core.strict_json import SPAN_BYTES, JsonValue, Refused, Span

MEDIA = MediaType("application/x-www-form-urlencoded", {})


def fields(content: bytes | str) -> dict[str, JsonValue]:
    found = read(content if isinstance(content, bytes) else content.encode(), MEDIA)
    assert not isinstance(found, Refused), found
    return dict(found)


def test_fields_are_decoded_names_and_values_alike() -> None:
    assert fields("Name=a+b%2Bc&%C3%A9=%E5%90%8D&empty=") == {
        "Name": "a b+c",
        "é": "名",
        "empty": "",
    }
    assert fields("") == {}


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=8), max_size=5))
def test_what_a_client_writes_is_read_back(written: dict[str, str]) -> None:
    found = read(urlencode(written).encode(), MEDIA)

    if all(name.isprintable() for name in written):
        assert found == written
    else:
        assert isinstance(found, Refused)


@given(st.text(alphabet="ab%=&+;.2F\0\n", max_size=12).map(str.encode) | st.binary(max_size=12))
def test_what_is_read_is_what_another_parser_reads(content: bytes) -> None:
    found = read(content, MEDIA)

    if not isinstance(found, Refused):
        text = content.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
        assert list(found.items()) == pairs


@pytest.mark.parametrize(
    "content",
    [
        "a",
        "a=1&",
        "&a=1",
        "a=1&&b=2",
        "a=1;b=2",
        "a=%zz",
        "a=%",
        "a=%ff",
        "%ff=1",
        "a=1&a=2",
        "é=1",
        "a=1&%61=2",
        "a%00=1",
        "a%0a=1",
    ],
)
def test_a_form_with_several_readings_is_refused(content: str) -> None:
    assert isinstance(read(content.encode("latin-1"), MEDIA), Refused)


def test_a_long_value_is_left_where_it_stands() -> None:
    found = fields(b"image=" + b"%2F" * SPAN_BYTES + b"&group_id=g")

    assert found["group_id"] == "g"
    assert isinstance(found["image"], Span)
    assert found["image"].octets() == b"%2F" * SPAN_BYTES
    assert found["image"].coding == "escaped"


def test_a_form_of_very_many_fields_is_refused() -> None:
    assert isinstance(read(b"&".join(b"%d=" % each for each in range(5_000)), MEDIA), Refused)


@pytest.mark.parametrize(
    ("flat", "unfolded"),
    [
        ({"a": "1"}, {"a": "1"}),
        ({"G.0": "a", "G.1": "b"}, {"G": ["a", "b"]}),
        ({"G.2": "b", "G.1": "a", "G.10": "c"}, {"G": ["a", "b", "c"]}),
        ({"T.1.URL": "u", "T.2.URL": "v"}, {"T": [{"URL": "u"}, {"URL": "v"}]}),
        ({"F.member.1": "x", "F.member.2": "y"}, {"F": ["x", "y"]}),
        ({"N.MNS.Topic": "t", "N.URI": "u"}, {"N": {"MNS": {"Topic": "t"}, "URI": "u"}}),
        ({"N.0": "a", "N.0x": "b"}, None),
        ({"N.0": "a", "N.00": "b"}, None),
        ({"N.1": "a", "N.٣": "b"}, None),
        ({"N": "a", "N.0": "b"}, None),
        ({"N.0": "a", "N": "b"}, None),
        ({"N.0.x": "a", "N.0": "b"}, None),
    ],
)
def test_numbered_and_dotted_names_make_lists_and_members(
    flat: dict[str, JsonValue], unfolded: JsonValue
) -> None:
    found = unfold(flat)

    assert (None if isinstance(found, Refused) else found) == unfolded


@given(
    st.dictionaries(
        st.lists(st.sampled_from(["a", "0", "1", "member", "", "00", "9" * 5_000]), min_size=1)
        .map(".".join)
        .map(lambda name: name[:6_000]),
        st.just("v"),
        max_size=5,
    )
)
def test_any_names_unfold_or_are_refused(flat: dict[str, JsonValue]) -> None:
    found = unfold(flat)

    if not isinstance(found, Refused):
        assert {name.split(".")[0] for name in flat} == set(found)


NAMES = {"action": "Action", "groupids": "GroupIds"}


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([("Action", "A"), ("Limit", "1"), ("Limit", "2")], {"Action": "A"}),
        ([("GroupIds.0", "a"), ("GroupIds.1", "b")], {"GroupIds.0": "a", "GroupIds.1": "b"}),
        ([("action", "A")], None),
        ([("groupIds.0", "A")], None),
        ([("Action", "A"), ("Action", "A")], None),
        ([("GroupIds.0", "a"), ("GroupIds.0", "b")], None),
        ([("Action\0", "A")], None),
        ([("Action", 1)], None),
    ],
)
def test_what_decides_stands_once_and_in_its_own_spelling(
    pairs: list[tuple[str, JsonValue]], found: dict[str, str] | None
) -> None:
    outcome = decisive(pairs, NAMES)

    assert (None if isinstance(outcome, Refused) else outcome) == found


def test_a_provider_that_ignores_case_takes_names_in_any() -> None:
    assert decisive([("ACTION", "A")], NAMES, ignore_case=True) == {"Action": "A"}
    assert isinstance(
        decisive([("ACTION", "A"), ("action", "B")], NAMES, ignore_case=True), Refused
    )
