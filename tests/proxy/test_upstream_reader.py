"""The reader of responses, byte by byte, without a socket."""

from __future__ import annotations

import gc
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from gateway.errors import UpstreamError
from gateway.proxy.response import (
    ResponseLimits,
    ResponseReader,
    UpstreamResponse,
    read_at_once,
)

COUNTED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nhel\r\n2;note=x\r\nlo\r\n0\r\nX-Trailer: t\r\n\r\n"
)
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + COUNTED
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n"
GOOD = {
    "counted": COUNTED,
    "chunked": CHUNKED,
    "continued": CONTINUED,
    "empty": EMPTY,
    "no_content": NO_CONTENT,
}
SMALL = ResponseLimits(head_bytes=256, body_bytes=64)


def reader(*, no_body: bool = False) -> ResponseReader:
    return ResponseReader(limits=SMALL, no_body=no_body)


def feed_byte_by_byte(reading: ResponseReader, wire: bytes) -> list[UpstreamResponse | None]:
    return [reading.feed(wire[at : at + 1]) for at in range(len(wire))]


def read(content: bytes, *, no_body: bool = False) -> tuple[UpstreamResponse | None, bool]:
    reading = reader(no_body=no_body)
    return reading.feed(content), reading.reusable


@pytest.mark.parametrize("wire", GOOD.values(), ids=GOOD)
def test_a_response_split_at_any_byte_reads_the_same(wire: bytes) -> None:
    whole, reusable = read(wire)
    assert whole is not None
    assert reusable
    for cut in range(1, len(wire)):
        reading = reader()
        assert reading.feed(wire[:cut]) is None
        assert reading.feed(wire[cut:]) == whole


@settings(deadline=None)
@given(
    wire=st.sampled_from(sorted(GOOD.values())),
    cuts=st.lists(st.integers(min_value=0, max_value=200), max_size=12),
)
def test_a_response_in_any_pieces_ends_with_its_last_byte(wire: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    pieces = [wire[start:end] for start, end in pairwise(edges)]
    reading = reader()
    answers = [reading.feed(piece) for piece in pieces]
    assert answers[:-1] == [None] * (len(pieces) - 1)
    assert answers[-1] == read(wire)[0]


@pytest.mark.parametrize("wire", GOOD.values(), ids=GOOD)
def test_a_response_byte_by_byte_reads_the_same(wire: bytes) -> None:
    answers = feed_byte_by_byte(reader(), wire)
    assert answers[-1] == read(wire)[0]
    assert set(answers[:-1]) == {None}


def test_headers_keep_their_order_and_repetition_and_have_lower_case_names() -> None:
    response, _ = read(
        b"HTTP/1.1 200 OK\r\nX-B: 1\r\nx-a:  2 \r\nX-B: 3\r\nContent-Length: 0\r\n\r\n"
    )
    assert response is not None
    assert response.headers == (
        ("x-b", "1"),
        ("x-a", "2"),
        ("x-b", "3"),
        ("content-length", "0"),
    )


def test_chunks_are_joined_and_trailers_left_out() -> None:
    response, _ = read(CHUNKED)
    assert response is not None
    assert response.body == b"hello"
    assert [name for name, _ in response.headers] == ["transfer-encoding"]


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_a_status_without_content_ends_with_its_head(status: bytes) -> None:
    response, reusable = read(b"HTTP/1.1 " + status + b"\r\n\r\n")
    assert response is not None
    assert response.body == b""
    assert reusable


def test_the_answer_to_head_ends_with_its_head_whatever_length_it_names() -> None:
    response, reusable = read(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n", no_body=True)
    assert response is not None
    assert response.body == b""
    assert reusable


FOLLOWED = {
    "response": COUNTED,
    "empty_response": EMPTY,
    "byte": b"x",
    "line_end": b"\r\n",
    "line_ends": b"\r\n\r\n",
    "garbage": b"\x00\xff",
}


@pytest.mark.parametrize("surplus", FOLLOWED.values(), ids=FOLLOWED)
@pytest.mark.parametrize("wire", GOOD.values(), ids=GOOD)
def test_bytes_after_a_response_forbid_another_exchange(wire: bytes, surplus: bytes) -> None:
    for cut in range(len(wire)):
        reading = reader()
        assert cut == 0 or reading.feed(wire[:cut]) is None
        assert reading.feed(wire[cut:] + surplus) == read(wire)[0]
        assert not reading.reusable


@pytest.mark.parametrize("value", ["close", "Close", "keep-alive, close"])
def test_an_announced_close_forbids_another_exchange(value: str) -> None:
    wire = f"HTTP/1.1 200 OK\r\nConnection: {value}\r\nContent-Length: 0\r\n\r\n".encode()
    response, reusable = read(wire)
    assert response is not None
    assert not reusable


OK = b"HTTP/1.1 200 OK\r\n"
BROKEN = {
    "length_twice_the_same": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    "length_twice_different": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    "length_list": OK + b"Content-Length: 2, 2\r\n\r\nhi",
    "length_signed": OK + b"Content-Length: +2\r\n\r\nhi",
    "length_empty": OK + b"Content-Length:\r\n\r\n",
    "length_hex": OK + b"Content-Length: 0x2\r\n\r\nhi",
    "length_overflow": OK + b"Content-Length: 18446744073709551618\r\n\r\nhi",
    "length_and_chunks": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks_and_length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "no_length": OK + b"Content-Type: text/plain\r\n\r\nhello",
    "coding_twice": OK
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding_list": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding_other": OK + b"Transfer-Encoding: identity\r\n\r\nhello",
    "coding_of_no_content": b"HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length_of_no_content": b"HTTP/1.1 204 N\r\nContent-Length: 2\r\n\r\nhi",
    "folded_header": OK + b"X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "space_before_colon": OK + b"X-A : b\r\nContent-Length: 0\r\n\r\n",
    "space_in_name": OK + b"X A: b\r\nContent-Length: 0\r\n\r\n",
    "nameless_header": OK + b": b\r\nContent-Length: 0\r\n\r\n",
    "header_without_colon": OK + b"X-A\r\nContent-Length: 0\r\n\r\n",
    "bare_line_feed": OK + b"X-A: b\nContent-Length: 0\r\n\r\n",
    "bare_carriage_return": OK + b"X-A: b\rc\r\nContent-Length: 0\r\n\r\n",
    "nul_in_value": OK + b"X-A: b\x00c\r\nContent-Length: 0\r\n\r\n",
    "control_in_value": OK + b"X-A: b\x1bc\r\nContent-Length: 0\r\n\r\n",
    "above_ascii_in_value": OK + b"X-A: caf\xc3\xa9\r\nContent-Length: 0\r\n\r\n",
    "above_ascii_in_reason": b"HTTP/1.1 200 caf\xe9\r\nContent-Length: 0\r\n\r\n",
    "version_1_0": b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "version_2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "other_protocol": b"RTSP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "no_protocol": b"hello\r\n\r\n",
    "empty_line_first": b"\r\n" + EMPTY,
    "empty_lines_first": b"\r\n\r\n" + EMPTY,
    "status_of_two_digits": b"HTTP/1.1 99 X\r\nContent-Length: 0\r\n\r\n",
    "status_of_letters": b"HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n",
    "status_of_four_digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "status_600": b"HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n",
    "switching_protocols": b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nbytes",
    "switching_without_upgrade": b"HTTP/1.1 101 X\r\n\r\n",
    "processing": b"HTTP/1.1 102 Processing\r\n\r\n" + EMPTY,
    "interim_without_end": b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + EMPTY,
    "chunk_size_of_letters": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n",
    "chunk_size_with_space": OK + b"Transfer-Encoding: chunked\r\n\r\n2 \r\nhi\r\n0\r\n\r\n",
    "chunk_size_negative": OK + b"Transfer-Encoding: chunked\r\n\r\n-2\r\nhi\r\n0\r\n\r\n",
    "chunk_size_overflow": OK
    + b"Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\nhi\r\n0\r\n\r\n",
    "chunk_longer_than_said": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
    "chunk_with_bare_line_feed": OK + b"Transfer-Encoding: chunked\r\n\r\n2\nhi\n0\n\n",
    "head_above_limit": OK + b"X-A: " + b"b" * 300 + b"\r\nContent-Length: 0\r\n\r\n",
    "head_without_end": OK + b"X-A: b\r\n" * 40,
    "body_above_limit": OK + b"Content-Length: 65\r\n\r\n",
    "chunks_above_limit": OK
    + b"Transfer-Encoding: chunked\r\n\r\n41\r\n"
    + b"x" * 65
    + b"\r\n0\r\n\r\n",
    "framing_above_limit": OK
    + b"Transfer-Encoding: chunked\r\n\r\n1;"
    + b"e" * 400
    + b"\r\nx\r\n0\r\n\r\n",
    "trailers_above_limit": OK
    + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-T: "
    + b"t" * 400
    + b"\r\n\r\n",
}


@pytest.mark.parametrize("wire", BROKEN.values(), ids=BROKEN)
def test_a_broken_response_is_refused_whole_and_byte_by_byte(wire: bytes) -> None:
    with pytest.raises(UpstreamError) as at_once:
        reader().feed(wire)
    with pytest.raises(UpstreamError) as slowly:
        feed_byte_by_byte(reader(), wire)
    for caught in (at_once, slowly):
        assert caught.value.sent
        assert caught.value.reason == "upstream.broken"


@settings(deadline=None)
@given(noise=st.binary(max_size=200), at=st.integers(min_value=0, max_value=len(CHUNKED)))
def test_damage_is_refused_or_read_but_never_another_exception(noise: bytes, at: int) -> None:
    wire = CHUNKED[:at] + noise + CHUNKED[at:]
    with suppress(UpstreamError):
        response = reader().feed(wire)
        assert response is None or response.status == 200


def test_a_response_that_was_read_leaves_nothing_to_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        for wire in GOOD.values():
            read(wire)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_response_never_shows_its_body_or_its_headers() -> None:
    response = UpstreamResponse(status=200, headers=(("x-secret", "hush"),), body=b"a face")
    assert "face" not in repr(response)
    assert "hush" not in repr(response)
    assert "face" not in repr(response.__rich_repr__())


def at_once(wire: bytes, *, no_body: bool = False) -> UpstreamResponse | None:
    return read_at_once(wire, no_body=no_body, limits=SMALL)


COMMON = {
    "counted": COUNTED,
    "empty": EMPTY,
    "kept": OK + b"Connection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi",
    "blanks": OK + b"X-A:b\r\nX-B: \t c\td \r\nX-C:\r\ncontent-length:2\r\n\r\nhi",
    "repeated": OK + b"X-A: b\r\nContent-Length: 2\r\nX-A: c\r\n\r\n\r\n",
    "no_phrase": b"HTTP/1.1 599 \r\nContent-Length: 2\r\n\r\nhi",
    "largest": OK + b"Content-Length: 64\r\n\r\n" + b"x" * 64,
}


@pytest.mark.parametrize("wire", COMMON.values(), ids=COMMON)
def test_a_common_response_is_read_at_once_and_the_same(wire: bytes) -> None:
    response = at_once(wire)
    assert response is not None
    assert (response, True) == read(wire)


@pytest.mark.parametrize("wire", COMMON.values(), ids=COMMON)
def test_nothing_but_a_whole_response_is_read_at_once(wire: bytes) -> None:
    assert {at_once(wire[:cut]) for cut in range(len(wire))} == {None}
    assert {at_once(wire + surplus) for surplus in FOLLOWED.values()} == {None}
    assert at_once(wire, no_body=True) is None


@pytest.mark.parametrize("wire", BROKEN.values(), ids=BROKEN)
def test_a_broken_response_is_never_read_at_once(wire: bytes) -> None:
    assert at_once(wire) is None


@pytest.mark.parametrize(
    "wire",
    [
        CHUNKED,
        CONTINUED,
        NO_CONTENT,
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n",
        OK + b"Connection: close\r\nContent-Length: 0\r\n\r\n",
        OK + b"Content-Length: 002\r\n\r\nhi",
    ],
    ids=["chunked", "continued", "no_content", "not_modified", "close", "zeros"],
)
def test_an_uncommon_response_is_left_to_the_reader(wire: bytes) -> None:
    assert at_once(wire) is None
    assert read(wire)[0] is not None


PIECES = [
    *[
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 204 N",
        b"HTTP/1.1 100 C",
        b"HTTP/1.1 200",
        b"HTTP/1.0 200 OK",
    ],
    *[b"Content-Length", b"Connection", b"Transfer-Encoding", b"Upgrade", b"Trailer", b"X-A", b"x"],
    *[b"\r\n", b"\r\n", b"\r\n", b"\r\n\r\n", b"\r", b"\n", b": ", b": ", b":", b" ", b"\t", b","],
    *[b"0", b"2", b"5", b"02", b"+2", b"hi", b"hello", b"close", b"keep-alive", b"chunked"],
    *[
        b"upgrade",
        b"\0",
        b"\x0b",
        b"\x1b",
        b"\x7f",
        b"\x85",
        b"\xa0",
        b"\xff",
        b'"',
        b"%",
        b"\xc2\xa0",
    ],
]


@settings(deadline=None, max_examples=300)
@given(
    start=st.sampled_from([b"", OK, OK + b"Content-Length: 2\r\n", COUNTED]),
    pieces=st.lists(st.sampled_from(PIECES), max_size=10),
    end=st.sampled_from([b"", b"\r\n\r\nhi", b"\r\nContent-Length: 2\r\n\r\nhi"]),
)
def test_what_is_read_at_once_the_reader_reads_the_same(
    start: bytes, pieces: list[bytes], end: bytes
) -> None:
    wire = start + b"".join(pieces) + end
    response = at_once(wire)
    assert response is None or (response, True) == read(wire)
