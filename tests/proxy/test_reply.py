from __future__ import annotations

import re

import pytest

from gateway.proxy.reply import Reply, written
from gateway.respond import Answer

ANSWER = Answer(200, (("content-type", "a/b"), ("X-One", "1")), b"abc")
DATE = rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n"


def test_an_answer_is_one_http_message() -> None:
    wanted = (
        rb"HTTP/1\.1 200 OK\r\ncontent-type: a/b\r\nX-One: 1\r\n"
        + DATE
        + rb"Content-Length: 3\r\n\r\nabc"
    )
    assert re.fullmatch(wanted, written(ANSWER, keep_alive=True))


def test_an_answer_that_ends_the_connection_says_so() -> None:
    assert b"\r\nConnection: close\r\n" in written(ANSWER, keep_alive=False)


def test_an_answer_to_head_has_the_length_and_no_body() -> None:
    content = written(ANSWER, keep_alive=True, head_only=True)
    assert content.endswith(b"Content-Length: 3\r\n\r\n")


def test_an_answer_to_head_claims_no_length_that_nobody_knows() -> None:
    content = written(Answer(200, (), b""), keep_alive=True, head_only=True)
    assert b"Content-Length" not in content
    assert b"Content-Length: 0" in written(Answer(200, (), b""), keep_alive=True)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_has_none(status: int) -> None:
    content = written(Answer(status, (), b"abc"), keep_alive=True)
    assert content.endswith(b"\r\n\r\n")
    assert b"Content-Length" not in content


def test_only_the_listener_frames_an_answer() -> None:
    framing = (
        ("Transfer-Encoding", "chunked"),
        ("content-length", "99"),
        ("Connection", "upgrade"),
        ("date", "yesterday"),
        ("Keep-Alive", "timeout=5"),
    )
    content = written(Answer(200, framing, b"abc"), keep_alive=True)
    head = rb"HTTP/1\.1 200 OK\r\n" + DATE + rb"Content-Length: 3\r\n\r\nabc"
    assert re.fullmatch(head, content)


def test_a_status_without_a_phrase_is_written_all_the_same() -> None:
    assert written(Answer(599, (), b""), keep_alive=True).startswith(b"HTTP/1.1 599 \r\n")


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("place", ["name", "value"])
def test_a_header_cannot_split_an_answer(place: str, end: str) -> None:
    evil = f"a{end}Set-Cookie: b"
    header = (evil, "a") if place == "name" else ("X-One", evil)
    with pytest.raises(ValueError, match="line end"):
        written(Answer(200, (header,), b""), keep_alive=True)


def test_a_reply_does_not_show_what_it_says() -> None:
    assert "face" not in repr(Reply(Answer(200, (("X-One", "1"),), b"a face")))
