from __future__ import annotations

import pytest

from gateway.core.request import Request, Whole
from tests.proxy.doorstep import CANARY, DOOR, doorstep, raw

CHUNKED = b"Transfer-Encoding: chunked"

ACCEPTED = {
    "nothing-special": raw(),
    "lines-in-upper-case": raw(host=None).replace(b"X-Note", b"HOST: gw.example\r\nX-NOTE"),
    "lines-in-lower-case": raw(host=None).replace(b"X-Note", b"host: gw.example\r\nx-note"),
    "host-in-upper-case": raw(host=b"GW.Example"),
    "host-with-its-port": raw(host=b"gw.example:443"),
    "host-ipv6": raw(host=b"[2001:db8::1]"),
    "host-ipv6-with-port": raw(host=b"[2001:DB8::1]:8080"),
    "value-with-a-tab": raw(b"X-Any: a\tb"),
    "value-with-tab-around": raw(b"X-Any:\ta b\t"),
    "value-empty": raw(b"X-Any:"),
    "value-with-all-punctuation": raw(b"X-Any: !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    "name-with-all-token-characters": raw(b"x!#$%&'*+-.^`|~1: a"),
    "name-with-a-known-underscore": raw(b"X_Known: a"),
    "connection-keep-alive": raw(b"Connection: Keep-Alive"),
    "connection-close": raw(b"Connection: CLOSE"),
    "te-trailers": raw(b"TE: trailers"),
    "header-twice-that-decides-nothing": raw(b"Accept: a", b"Accept: b"),
    "forwarded-twice": raw(b"Forwarded: for=1.2.3.4", b"Forwarded: for=5.6.7.8"),
    "path-long": raw(target=b"/face/v1.2/largepersongroups/a-b_c~d/persons/1.2"),
    "path-of-dots": raw(target=b"/.../..a/a../.a"),
    "path-with-sub-delimiters": raw(target=b"/v1/images:annotate/a@b!$&'()*+,="),
    "path-with-escapes": raw(target=b"/subjects/J%C3%B6rg%20M%C3%BCller%3F"),
    "path-with-a-last-slash": raw(target=b"/face/"),
    "query-slash-encoded": raw(target=b"/?url=https%3A%2F%2Fa%2fb"),
    "query-slash-raw": raw(target=b"/?url=https://a/b?c"),
    "query-name-encoded": raw(target=b"/?%24alt=json%3Benum-encoding%3Dint"),
    "query-parameter-once": raw(target=b"/?Action=a&b=1&b=2"),
    "query-without-values": raw(target=b"/?a&b=&&c"),
    "content-length-zero-with-get": raw(method=b"GET", body=b""),
    "content-length-with-zeros": raw(b"Content-Length: 0003") + b"abc",
    "body-with-delete": raw(method=b"DELETE", body=CANARY),
    "body-as-large-as-may-be": raw(body=b"a" * 65_536),
    "chunk-sizes-upper-and-lower": raw(CHUNKED)
    + b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
    "chunk-extension": raw(CHUNKED) + b"3;a=b\r\nabc\r\n0\r\n\r\n",
    "chunk-size-with-zeros": raw(CHUNKED) + b"0003\r\nabc\r\n000\r\n\r\n",
    "chunks-of-nothing": raw(CHUNKED) + b"0\r\n\r\n",
    "empty-lines-before": b"\r\n\r\n" + raw(),
}


async def accepted(request: bytes) -> Request:
    async with doorstep() as step:
        response = await step.exchange(request)
        assert response.status == 200, step.refused
        assert step.refused == []
        return step.accepted[0]


@pytest.mark.parametrize("request_bytes", ACCEPTED.values(), ids=ACCEPTED)
async def test_what_has_one_reading_is_read(request_bytes: bytes) -> None:
    request = await accepted(request_bytes)
    assert request.headers["x-note"] == CANARY.decode()


@pytest.mark.parametrize("method", ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
async def test_the_methods_of_providers_are_accepted(method: str) -> None:
    async with doorstep() as step:
        client = await step.client()
        await client.send(raw(method=method.encode()))
        response = await client.response(head_only=method == "HEAD")
        assert (response.status, step.accepted[0].method) == (200, method)


async def test_every_part_of_a_request_is_read_as_it_was_sent() -> None:
    request = await accepted(
        raw(
            b"X-Decides: A\tB ",
            b"X-Forwarded-For: 192.0.2.1, 192.0.2.2",
            b"x-forwarded-for: 192.0.2.3",
            target=b"/face/v1.2/a%20b?Action=Sear%63h&q=a+b%2Bc&q=%C3%A9&flag",
            host=b"GW.example:8443",
            body=b"\0\xff" * 3,
        )
    )
    assert request == Request(
        method="POST",
        host="gw.example:8443",
        upstream="face",
        provider="azure_face",
        path="/face/v1.2/a%20b",
        query_string="Action=Sear%63h&q=a+b%2Bc&q=%C3%A9&flag",
        query=(("Action", "Search"), ("q", "a b+c"), ("q", "é"), ("flag", "")),
        headers={
            "host": "GW.example:8443",
            "x-note": CANARY.decode(),
            "content-length": "6",
            "x-decides": "A\tB",
            "x-forwarded-for": "192.0.2.1, 192.0.2.2, 192.0.2.3",
        },
        body=Whole(b"\0\xff" * 3),
        peer="127.0.0.1",
    )
    assert request.target == "/face/v1.2/a%20b?Action=Sear%63h&q=a+b%2Bc&q=%C3%A9&flag"


async def test_a_host_with_its_port_wins_over_the_host_alone() -> None:
    assert (await accepted(raw(host=b"gw.example:8443"))).upstream == "face"
    assert (await accepted(raw(host=b"gw.example:8444"))).upstream == "rekognition"


async def test_chunks_are_read_to_one_body() -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (n, b"a" * n) for n in range(1, 300))
    request = await accepted(raw(CHUNKED) + chunks + b"0\r\n\r\n")
    assert request.body == Whole(b"a" * 44_850)


async def test_trailers_never_become_headers() -> None:
    trailing = raw(CHUNKED) + b"3\r\nabc\r\n0\r\nX-Decides: b\r\nHost: other.example\r\n\r\n"
    async with doorstep() as step:
        client = await step.client()
        await client.send(trailing, raw())
        response = await client.response()
        assert response.headers["connection"] == "close"
        assert await client.rest() == b""
        assert [request.body for request in step.accepted] == [Whole(b"abc")]
        assert "x-decides" not in step.accepted[0].headers


async def test_a_body_may_come_in_pieces() -> None:
    head, _, body = raw(body=b"a" * 60_000).partition(b"\r\n\r\n")
    async with doorstep() as step:
        pieces = [body[start : start + 7_000] for start in range(0, len(body), 7_000)]
        await step.exchange(head[:20], head[20:] + b"\r\n\r\n", *pieces)
        assert step.accepted[0].body == Whole(b"a" * 60_000)


def test_the_names_of_a_route_must_be_in_lower_case() -> None:
    route = DOOR.routes["gw.example"]
    with pytest.raises(ValueError, match="lower case"):
        type(route)(upstream="a", provider="b", decision_headers=frozenset({"X-Amz-Target"}))
