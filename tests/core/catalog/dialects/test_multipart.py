"""Forms with files have one reading or none (RFC 7578)."""

from __future__ import annotations

import email.parser
import email.policy
from email.message import Message

import pytest
from hypothesis import given, strategies as st

from gateway.core.catalog.dialects.multipart import read
from gateway.core.catalog.media import MediaType
from gateway.core.strict_json import SPAN_BYTES, JsonValue, Refused, Span

MEDIA = MediaType("multipart/form-data", {"boundary": "b"})
TEXT = 'Content-Disposition: form-data; name="{}"'
FILE = 'Content-Disposition: form-data; name="{}"; filename="a.jpg"\r\nContent-Type: image/jpeg'


def body(*parts: tuple[str, bytes], end: bytes = b"--b--\r\n") -> bytes:
    """Put heads and contents between boundaries."""
    return (
        b"".join(b"--b\r\n%b\r\n\r\n%b\r\n" % (head.encode(), each) for head, each in parts) + end
    )


def fields(content: bytes, media: MediaType = MEDIA) -> dict[str, JsonValue]:
    found = read(content, media)
    assert not isinstance(found, Refused), found
    return dict(found)


def refusal(content: bytes, media: MediaType = MEDIA) -> str:
    found = read(content, media)
    assert isinstance(found, Refused), found
    return found.reason


def test_text_is_read_and_files_are_left_where_they_stand() -> None:
    content = body(
        (TEXT.format("outer_id"), "café".encode()),
        (FILE.format("image_file"), b"\xff\xd8\r\n\r\n"),
        (TEXT.format("empty"), b""),
    )
    found = fields(content)

    assert (found["outer_id"], found["empty"]) == ("café", "")
    assert isinstance(found["image_file"], Span)
    assert found["image_file"].octets() == b"\xff\xd8\r\n\r\n"
    assert found["image_file"].coding == "binary"


@pytest.mark.parametrize("end", [b"--b--", b"--b--\r\n"])
def test_the_last_line_end_may_be_missing(end: bytes) -> None:
    assert fields(body((TEXT.format("a"), b"1"), end=end)) == {"a": "1"}


@pytest.mark.parametrize(
    "head",
    [
        "Content-Disposition: form-data; name=a",
        'content-disposition:form-data;name="a"',
        TEXT.format("a") + "\r\nContent-Type: text/plain; charset=utf-8",
        TEXT.format("a") + "\r\nContent-Length: 1",
        TEXT.format("a") + "\r\nContent-Transfer-Encoding: 8bit",
        "Content-Type: application/json\r\n" + TEXT.format("a"),
    ],
)
def test_what_clients_write_before_a_text_is_read(head: str) -> None:
    assert fields(body((head, b"1"))) == {"a": "1"}


def test_what_is_no_text_and_what_is_long_is_left_where_it_stands() -> None:
    typed = TEXT.format("a") + "\r\nContent-Type: image/png"
    found = fields(body((typed, b"1"), (TEXT.format("b"), b"x" * SPAN_BYTES)))

    assert isinstance(found["a"], Span)
    assert isinstance(found["b"], Span)


def test_a_field_that_stands_several_times_is_a_list() -> None:
    content = body((TEXT.format("a"), b"1"), (FILE.format("a"), b"2"), (TEXT.format("a"), b"3"))
    values = fields(content)["a"]

    assert isinstance(values, list)
    assert (values[0], values[2], len(values)) == ("1", "3", 3)


PLAIN = TEXT.format("a")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--b--",
        b"--b\r\n--b--",
        b"\r\n" + body((PLAIN, b"1")),
        b"preamble\r\n" + body((PLAIN, b"1")),
        body((PLAIN, b"1")) + b"epilogue",
        body((PLAIN, b"1"), end=b""),
        body((PLAIN, b"1"), end=b"--b\r\n"),
        body((PLAIN, b"1")).replace(b"\r\n", b"\n"),
        body((PLAIN, b"1")).replace(b"--b\r\n", b"--b \r\n"),
        body((PLAIN, b"1\n--b\nContent-Disposition: form-data; name=x\n\ny")),
        body((PLAIN, b"--b")),
        body((PLAIN, b"1")).replace(b"--b\r\n", b"--bc\r\n"),
        body(("", b"1")),
        body(("Content-Type: text/plain", b"1")),
        body((PLAIN + "\r\n" + PLAIN, b"1")),
        body((PLAIN + "\r\n folded: 1", b"1")),
        body((PLAIN + "\r\nX-Other: 1", b"1")),
        body((PLAIN.replace(":", " :"), b"1")),
        body((PLAIN + "\r\nContent-Type: multipart/mixed; boundary=c", b"1")),
        body((PLAIN + "\r\nContent-Type: text/plain; charset=utf-16", b"1")),
        body((PLAIN + "\r\nContent-Type: text", b"1")),
        body((PLAIN + "\r\nContent-Transfer-Encoding: base64", b"MQ==")),
        body((PLAIN + "\r\nContent-Length: 2", b"1")),
        body((PLAIN + '; name="b"', b"1")),
        body((PLAIN + "; filename*=utf-8''a", b"1")),
        body((PLAIN + '; filename="a\\"; name=b"', b"1")),
        body(("Content-Disposition: attachment; name=a", b"1")),
        body(("Content-Disposition: form-data", b"1")),
        body((TEXT.format(""), b"1")),
        body((TEXT.format("%61"), b"1")),
        body((TEXT.format("_charset_"), b"utf-7")),
        body((PLAIN, b"\xff")),
        body((PLAIN + "x" * 5_000, b"1")),
        body(*[(PLAIN, b"1")] * 300),
    ],
)
def test_a_body_that_parsers_read_in_several_ways_is_refused(content: bytes) -> None:
    assert refusal(content)


@pytest.mark.parametrize("boundary", ["", "b" * 71, "b ", "b\n", "é", 'b"'])
def test_a_boundary_is_one_that_the_standard_allows(boundary: str) -> None:
    assert refusal(body((PLAIN, b"1")), MediaType(MEDIA.essence, {"boundary": boundary}))


def test_no_reason_shows_a_byte_of_the_body() -> None:
    assert "c0ffee" not in refusal(body((TEXT.format("c0ffee%"), b"c0ffee")))


PARTS = st.tuples(
    st.sampled_from(
        [PLAIN, TEXT.format("b"), FILE.format("f"), PLAIN + "\r\nContent-Type: text/plain", "x: y"]
    ),
    st.sampled_from([b"", b"1", b"\r\n", b"--b", b"\r\n--b\r\n", b"--", b"\n\n", b"\xff"]),
)


@given(
    st.lists(PARTS, max_size=4),
    st.sampled_from([b"", b"--b--", b"--b--\r\n", b"\r\n--b--"]),
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from([b"\n", b"\r\n", b"--b", b""])), max_size=2
    ),
)
def test_what_is_read_is_what_another_parser_reads(
    parts: list[tuple[str, bytes]], end: bytes, changes: list[tuple[int, bytes]]
) -> None:
    content = body(*parts, end=end)
    for place, octets in changes:
        content = content[:place] + octets + content[place + 1 :]

    found = read(content, MEDIA)

    if not isinstance(found, Refused):
        assert _names(content) == sorted(
            name
            for name, value in found.items()
            for _ in range(len(value) if isinstance(value, list) else 1)
        )


def _names(content: bytes) -> list[str]:
    head = b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    parser = email.parser.BytesParser(policy=email.policy.compat32)
    payload = parser.parsebytes(head + content).get_payload()
    assert isinstance(payload, list)
    return sorted(
        str(part.get_param("name", header="content-disposition"))
        for part in payload
        if isinstance(part, Message)
    )
