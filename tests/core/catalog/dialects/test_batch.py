"""Batches are read into whole requests, or have no reading."""

from __future__ import annotations

import pytest

from gateway.core.catalog.dialects.batch import Inner, read
from gateway.core.catalog.media import MediaType
from gateway.core.strict_json import Refused

MEDIA = MediaType("multipart/mixed", {"boundary": "===1=="})
REQUEST = (
    "POST /v1/images:annotate?alt=json&key=a%20b HTTP/1.1\nContent-Type: application/json\n\n{}"
)


def batch(*requests: str, head: str = "Content-Type: application/http", end: str = "--") -> bytes:
    """Write a batch as google-api-python-client does, with LF at the end of lines."""
    parts = "".join(f"--===1==\n{head}\n\n{request}\n" for request in requests)
    return f"{parts}--===1=={end}\n".encode()


def inner(content: bytes) -> tuple[Inner, ...]:
    found = read(content, MEDIA)
    assert not isinstance(found, Refused), found
    return found


@pytest.mark.parametrize("end_of_line", [b"\n", b"\r\n"])
def test_each_part_is_a_request(end_of_line: bytes) -> None:
    head = "Content-Type: application/http\nMIME-Version: 1.0\nContent-ID: <1>"
    content = batch(REQUEST, "GET /v1/operations HTTP/1.1\nHost: h\n\n", head=head)
    first, second = inner(content.replace(b"\n", end_of_line))

    assert (first.method, first.path, first.content) == ("POST", "/v1/images:annotate", b"{}")
    assert first.query == (("alt", "json"), ("key", "a b"))
    assert first.headers == {"content-type": "application/json"}
    assert (second.method, second.path, second.query, second.content) == (
        "GET",
        "/v1/operations",
        (),
        b"",
    )


def test_a_request_needs_neither_a_version_nor_a_body() -> None:
    assert inner(batch("DELETE /v1/x"))[0].method == "DELETE"


def test_a_body_keeps_its_empty_lines() -> None:
    assert inner(batch(REQUEST + "\n\nmore"))[0].content == b"{}\n\nmore"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--===1==--\n",
        batch(REQUEST).replace(b"\n", b"\r\n", 3),
        batch(REQUEST).replace(b"\n", b"\r"),
        batch(REQUEST, end=""),
        batch(REQUEST) + b"epilogue",
        b"preamble\n" + batch(REQUEST),
        batch(REQUEST + "--===1=="),
        batch(REQUEST, head="Content-Type: application/json"),
        batch(REQUEST, head="Content-Type: application/http\nContent-Type: application/http"),
        batch(REQUEST, head="Content-Type: application/http\nContent-Transfer-Encoding: base64"),
        batch("POST https://other.example/v1 HTTP/1.1\n\n"),
        batch("POST /v1 x HTTP/1.1\n\n"),
        batch("POST /v1 HTTP/2\n\n"),
        batch("post /v1 HTTP/1.1\n\n"),
        batch(REQUEST.replace("\n\n", "\nContent-Length: 7\n\n")),
        batch(REQUEST.replace("\n\n", "\nTransfer-Encoding: chunked\n\n")),
        batch(REQUEST.replace("\n\n", "\nContent-Encoding: gzip\n\n")),
        batch(REQUEST.replace("\n\n", "\n folded\n\n")),
        batch(REQUEST.replace("key=", "key=%zz")),
        batch(REQUEST.replace("key=", "key=%ff")),
        batch(REQUEST.replace("&key", ";key")),
        batch(REQUEST.replace("POST", "PÖST")),
        batch("\n" + REQUEST),
    ],
)
def test_a_batch_with_several_readings_is_refused(content: bytes) -> None:
    assert isinstance(read(content, MEDIA), Refused)


def test_a_boundary_is_one_that_the_standard_allows() -> None:
    for boundary in ("", "b" * 71, "é"):
        media = MediaType(MEDIA.essence, {"boundary": boundary})
        assert isinstance(read(batch(REQUEST), media), Refused)


def test_a_batch_of_too_many_requests_is_refused() -> None:
    assert isinstance(read(batch(*["GET /v1"] * 1_001), MEDIA), Refused)


def test_no_byte_of_a_body_is_shown() -> None:
    assert "c0ffee" not in repr(inner(batch(REQUEST.replace("{}", "c0ffee"))))
