from __future__ import annotations

import logging
from http import HTTPStatus

import pytest

from tests.proxy.doorstep import CANARY, Client, Doorstep, doorstep, raw

CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"


def targets() -> dict[str, tuple[bytes, int, str]]:
    paths = {
        "absolute-form": b"http://gw.example/" + CANARY,
        "asterisk-form": b"*",
        "dot-segment": b"/face/../identify",
        "dot-segment-single": b"/face/./identify",
        "dot-segment-last": b"/face/..",
        "dot-segment-encoded": b"/face/%2E%2E/identify",
        "dot-segment-half-encoded": b"/face/.%2E/identify",
        "dot-segment-lower-hex": b"/face/%2e%2e/identify",
        "double-slash-first": b"//face",
        "double-slash-inner": b"/face//identify",
        "double-slash-last": b"/face//",
        "semicolon": b"/face;a=b",
        "semicolon-encoded": b"/face%3Ba=b",
        "backslash": b"/face\\identify",
        "backslash-encoded": b"/face%5Cidentify",
        "slash-encoded": b"/face%2Fidentify",
        "nul-encoded": b"/face%00",
        "newline-encoded": b"/face%0Aidentify",
        "unreserved-encoded": b"/%66ace",
        "colon-encoded": b"/v1/images%3Aannotate",
        "percent-encoded-twice": b"/face%252E%252E",
        "hex-lower": b"/caf%c3%A9",
        "hex-invalid": b"/face%zz",
        "hex-short": b"/face%2",
        "utf8-overlong-slash": b"/face%C0%AFidentify",
        "utf8-broken": b"/face%FF",
        "fragment": b"/face#identify",
        "space-encoded-as-quote": b'/"face"',
        "angle-brackets": b"/<face>",
        "braces": b"/{face}",
        "caret": b"/face^",
        "bar": b"/a|b",
        "backtick": b"/`face`",
        "brackets": b"/face[0]",
    }
    queries = {
        "empty": b"/?",
        "semicolon": b"/?a=1;Action=2",
        "fragment": b"/?a=1#b",
        "hex-invalid": b"/?a=%zz",
        "hex-short": b"/?a=%2",
        "backslash": b"/?a=\\",
        "brackets": b"/?Action[]=1",
        "quote": b'/?a="1"',
        "nul": b"/?a=%00",
        "utf8-broken": b"/?a=%FF",
        "name-hidden": b"/?%41ction=Search",
        "name-hidden-lower-hex": b"/?Acti%6fn=Search",
    }
    twice = {
        "parameter-twice": b"/?Action=a&Action=b",
        "parameter-twice-same": b"/?Action=a&Action=a",
        "parameter-twice-letter-case": b"/?Action=a&aCTION=b",
        "parameter-twice-apart": b"/?Action=a&b=c&Action",
        "parameter-twice-encoded": b"/?$alt=json&%24alt=proto",
    }
    return (
        {f"path-{name}": (raw(target=path), 400, "malformed.path") for name, path in paths.items()}
        | {
            f"query-{k}": (raw(target=query), 400, "malformed.query")
            for k, query in queries.items()
        }
        | {k: (raw(target=query), 400, "malformed.duplicate") for k, query in twice.items()}
        | {
            "path-non-ascii": (raw(target=b"/caf\xc3\xa9"), 400, "malformed.path"),
            "path-delete": (raw(target=b"/face\x7f"), 400, "malformed.path"),
            "path-space": (raw(target=b"/a b"), 400, "malformed.syntax"),
            "query-non-ascii": (raw(target=b"/?a=\xff"), 400, "malformed.path"),
            "target-missing": (raw(target=b""), 400, "malformed.path"),
        }
    )


def headers() -> dict[str, tuple[bytes, int, str]]:
    values = {
        "value-high-byte": b"X-Amz-Target: Search\xffFaces",
        "value-latin-1": b"X-Any: caf\xe9",
        "value-utf-8": "X-Any: café".encode(),
        "name-underscore": b"X_Decides: 1",
        "name-underscore-of-a-known-one": b"Content_Length: 0",
        "override-method": b"X-HTTP-Method-Override: DELETE",
        "override-method-short": b"X-Http-Method: DELETE",
        "override-method-other": b"X-METHOD-OVERRIDE: DELETE",
        "override-original-method": b"X-Original-Method: DELETE",
        "override-original-url": b"X-Original-URL: /identify",
        "override-rewrite-url": b"X-Rewrite-URL: /identify",
        "name-long": b"X-" + b"a" * 300 + b": 1",
    }
    syntax = {
        "value-nul": b"X-Any: a\0b",
        "value-control": b"X-Any: a\x01b",
        "value-delete": b"X-Any: a\x7fb",
        "value-bare-cr": b"X-Any: a\rX-Amz-Target: b",
        "value-bare-lf": b"X-Any: a\nX-Amz-Target: b",
        "obs-fold": b"X-Any: a\r\n b",
        "obs-fold-tab": b"X-Any: a\r\n\tb",
        "obs-fold-of-empty": b"X-Any:\r\n b",
        "name-space-before-colon": b"X-Amz-Target : Search",
        "name-tab-before-colon": b"X-Amz-Target\t: Search",
        "name-empty": b": a",
        "name-no-colon": b"X-Any",
        "name-parenthesis": b"X(Any): a",
        "name-at": b"X@Any: a",
        "name-high-byte": b"X-\xff: a",
        "name-utf-8": "X-é: a".encode(),
        "name-nul": b"X\0Any: a",
        "length-twice": b"Content-Length: 0\r\nContent-Length: 0",
        "length-list": b"Content-Length: 0, 0",
        "length-signed": b"Content-Length: +0",
        "length-empty": b"Content-Length:",
        "length-hex": b"Content-Length: 0x0",
        "length-spaced": b"Content-Length: 1 0",
        "length-overflow": b"Content-Length: 99999999999999999999999",
        "coding-and-length": CHUNKED + b"\r\nContent-Length: 3",
        "length-and-coding": b"Content-Length: 3\r\n" + CHUNKED,
        "coding-twice": CHUNKED + b"\r\n" + CHUNKED,
        "coding-not-last": b"Transfer-Encoding: chunked, gzip",
        "coding-vertical-tab": b"Transfer-Encoding: \x0bchunked",
    }
    twice = {
        "authorization": b"Authorization: a",
        "x-amz-target": b"X-Amz-Target: a",
        "x-amz-date": b"X-Amz-Date: a",
        "x-amz-anything": b"X-Amz-Anything: a",
        "x-api-key": b"X-Api-Key: a",
        "date": b"Date: a",
        "connection": b"Connection: close",
        "content-type": b"Content-Type: a/b",
        "expect": b"Expect: 100-continue",
        "header-of-the-catalogue": b"X-Decides: a",
    }
    connections = {
        "connection-names-a-header": b"Connection: X-Amz-Target",
        "connection-two": b"Connection: close, X-Amz-Target",
        "connection-empty": b"Connection:",
        "upgrade": b"Upgrade: h2c",
        "upgrade-websocket": b"Connection: Upgrade\r\nUpgrade: websocket",
        "upgrade-settings": b"HTTP2-Settings: AAMAAABkAAQAAP__",
        "te-gzip": b"TE: gzip",
        "te-two": b"TE: trailers, deflate",
        "trailer": b"Trailer: X-Amz-Target",
        "proxy-connection": b"Proxy-Connection: keep-alive",
        "proxy-authorization": b"Proxy-Authorization: Basic " + CANARY,
    }
    return (
        {k: (raw(line), 400, "malformed.header") for k, line in values.items()}
        | {k: (raw(line), 400, "malformed.syntax") for k, line in syntax.items()}
        | {f"twice-{k}": (raw(v, v.upper()), 400, "malformed.duplicate") for k, v in twice.items()}
        | {k: (raw(line), 400, "malformed.connection") for k, line in connections.items()}
        | {
            "space-after-the-start-line": (
                raw().replace(b"\r\nHost", b"\r\n Host"),
                400,
                "malformed.syntax",
            ),
            "twice-host": (raw(b"Host: gw.example"), 400, "malformed.duplicate"),
            "twice-host-other": (raw(b"host: other.example"), 400, "malformed.duplicate"),
            "lf-after-the-start-line": (
                raw().replace(b"1.1\r\n", b"1.1\n"),
                400,
                "malformed.syntax",
            ),
            "lf-at-the-end": (raw()[:-2] + b"\n", 400, "malformed.syntax"),
        }
    )


def starts() -> dict[str, tuple[bytes, int, str]]:
    return {
        "method-connect": (raw(method=b"CONNECT", target=b"gw:1"), 405, "malformed.method"),
        "method-trace": (raw(method=b"TRACE"), 405, "malformed.method"),
        "method-propfind": (raw(method=b"PROPFIND"), 501, "malformed.method"),
        "method-unknown": (raw(method=b"SEARCHFACES"), 400, "malformed.method"),
        "method-lower-case": (raw(method=b"post"), 400, "malformed.method"),
        "method-then-tab": (raw().replace(b"POST ", b"POST\t"), 400, "malformed.method"),
        "version-0.9": (b"GET /" + CANARY + b"\r\n\r\n", 400, "malformed.syntax"),
        "version-1.0": (raw(version=b"HTTP/1.0"), 400, "malformed.syntax"),
        "version-1.0-no-host": (raw(version=b"HTTP/1.0", host=None), 400, "malformed.syntax"),
        "version-1.2": (raw(version=b"HTTP/1.2"), 400, "malformed.syntax"),
        "version-2.0": (raw(version=b"HTTP/2.0"), 400, "malformed.syntax"),
        "version-http2-preface": (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            400,
            "malformed.syntax",
        ),
        "version-trailing-space": (raw(version=b"HTTP/1.1 "), 400, "malformed.syntax"),
        "version-of-another-protocol": (raw(version=b"RTSP/1.1"), 400, "malformed.syntax"),
        "spaces-after-the-method": (
            raw().replace(b"POST ", b"POST  "),
            400,
            "malformed.syntax",
        ),
        "version-lower-case": (raw(version=b"http/1.1"), 400, "malformed.syntax"),
        "tls-on-the-plain-port": (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + CANARY,
            400,
            "malformed.method",
        ),
        "host-missing": (raw(host=None), 400, "malformed.syntax"),
        "host-empty": (raw(host=b""), 421, "host.unknown"),
        "host-unknown": (raw(host=CANARY + b".example"), 421, "host.unknown"),
        "host-userinfo": (raw(host=b"user@gw.example"), 421, "host.unknown"),
        "host-list": (raw(host=b"gw.example, other"), 421, "host.unknown"),
        "host-dot": (raw(host=b"gw.example."), 421, "host.unknown"),
        "host-port-empty": (raw(host=b"gw.example:"), 421, "host.unknown"),
        "host-port-word": (raw(host=b"gw.example:https"), 421, "host.unknown"),
        "host-high-byte": (raw(host=b"gw.example\xff"), 421, "host.unknown"),
        "host-six-without-brackets": (raw(host=b"2001:db8::1"), 421, "host.unknown"),
    }


def bodies() -> dict[str, tuple[bytes, int, str]]:
    methods = (b"GET", b"HEAD", b"OPTIONS")
    sized = {
        f"body-with-{method.decode().lower()}": (
            raw(method=method, body=CANARY),
            400,
            "malformed.body",
        )
        for method in methods
        if method != b"HEAD"
    }
    chunked = {
        f"chunks-with-{method.decode().lower()}": (
            raw(CHUNKED, method=method, body=None) + CHUNKS,
            400,
            "malformed.body",
        )
        for method in methods
        if method != b"HEAD"
    }
    chunk_faults = {
        "size-hex-prefix": b"0x3\r\nabc\r\n0\r\n\r\n",
        "size-sign": b"+3\r\nabc\r\n0\r\n\r\n",
        "size-underscore": b"1_0\r\nabc\r\n0\r\n\r\n",
        "size-space": b"3 \r\nabc\r\n0\r\n\r\n",
        "size-overflow": b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "size-empty": b"\r\nabc\r\n0\r\n\r\n",
        "line-end-lf": b"3\nabc\n0\n\n",
        "line-end-missing": b"3\r\nabc0\r\n\r\n",
        "longer-than-said": b"3\r\nabcd\r\n0\r\n\r\n",
        "extension-lf": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
        "extension-quoted-lf": b'3;a="b\nc"\r\nabc\r\n0\r\n\r\n',
        "trailer-length": b"3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n",
    }
    return (
        sized
        | chunked
        | {
            "body-coded": (
                raw(b"Content-Encoding: gzip", body=CANARY),
                415,
                "malformed.body",
            ),
            "body-coded-identity": (
                raw(b"Content-Encoding: identity", body=CANARY),
                415,
                "malformed.body",
            ),
            "body-coded-none": (raw(b"Content-Encoding: gzip"), 415, "malformed.body"),
            "coding-list": (
                raw(b"Transfer-Encoding: gzip, chunked") + CHUNKS,
                501,
                "malformed.body",
            ),
            "coding-unknown": (raw(b"Transfer-Encoding: xchunked"), 501, "malformed.body"),
            "coding-identity": (raw(b"Transfer-Encoding: identity"), 501, "malformed.body"),
            "coding-letter-case": (
                raw(b"Transfer-Encoding: Chunked") + CHUNKS,
                501,
                "malformed.body",
            ),
            "body-long": (raw(body=b"a" * 65_537), 413, "malformed.length"),
            "body-said-long": (
                raw(b"Content-Length: 18446744073709551615"),
                413,
                "malformed.length",
            ),
            "length-of-many-zeros": (
                raw(b"Content-Length: " + b"0" * 4300 + b"3") + b"ab",
                431,
                "malformed.length",
            ),
            "chunks-long": (
                raw(CHUNKED) + b"10001\r\n" + b"a" * 65_537 + b"\r\n0\r\n\r\n",
                413,
                "malformed.length",
            ),
            "expect-other": (raw(b"Expect: 200-ok", body=CANARY), 417, "malformed.expect"),
            "expect-list": (
                raw(b"Expect: 100-continue, x", body=CANARY),
                417,
                "malformed.expect",
            ),
            "head-long-line": (raw(b"X-Any: " + b"a" * 5000), 431, "malformed.length"),
            "head-long-name": (raw(b"a" * 5000 + b": 1"), 431, "malformed.length"),
            "head-long-target": (raw(target=b"/" + b"a" * 5000), 431, "malformed.length"),
            "head-long-in-all": (
                raw(*(b"X-%d: " % i + b"a" * 200 for i in range(25))),
                431,
                "malformed.length",
            ),
            "head-many-lines": (
                raw(*(b"X-%d: a" % i for i in range(60))),
                431,
                "malformed.length",
            ),
        }
        # These come in the head's own segment; how they come late is a test of its own.
        | {
            f"chunk-{name}": (raw(CHUNKED) + chunks, 400, "malformed.body")
            for name, chunks in chunk_faults.items()
        }
    )


REFUSED = targets() | headers() | starts() | bodies()
LATE = {name: case for name, case in REFUSED.items() if name.startswith("chunk-")}


def assert_refused_natively(step: Doorstep, status: int, reason: str) -> None:
    assert [refused.reason for refused in step.refused] == [reason]
    assert step.refused[0].status == status
    assert step.accepted == []


async def assert_answer_is_clean(client: Client, status: int, reason: str) -> None:
    response = await client.response()
    assert response.status == status
    assert response.json["reason"] == reason
    assert response.json["decision_id"] == response.headers["x-facegate-decision"] == "dec_test"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["connection"] == "close"
    assert "retry-after" not in response.headers
    assert await client.rest() == b""
    assert CANARY not in client.received


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
async def test_what_has_no_single_reading_is_refused(
    case: tuple[bytes, int, str], caplog: pytest.LogCaptureFixture
) -> None:
    request, status, reason = case
    caplog.set_level(logging.DEBUG)
    async with doorstep() as step:
        client = await step.client()
        await client.send(request)
        await assert_answer_is_clean(client, status, reason)
        assert_refused_natively(step, status, reason)
    assert CANARY.decode() not in caplog.text


@pytest.mark.parametrize("case", LATE.values(), ids=LATE)
async def test_a_body_that_cannot_be_read_is_refused_also_when_it_comes_late(
    case: tuple[bytes, int, str],
) -> None:
    head, _, chunks = case[0].partition(b"\r\n\r\n")
    async with doorstep() as step:
        client = await step.client()
        await client.send(
            head.replace(b"POST /", b"POST /late") + b"\r\nExpect: 100-continue\r\n\r\n"
        )
        assert (await client.response()).status == HTTPStatus.CONTINUE
        await client.send(chunks)
        await assert_answer_is_clean(client, 400, "malformed.body")
        assert step.refused[0].provider == "aws_rekognition"


async def test_head_with_a_body_is_refused_without_one() -> None:
    async with doorstep() as step:
        client = await step.client()
        await client.send(raw(method=b"HEAD", body=CANARY))
        response = await client.response(head_only=True)
        assert response.status == HTTPStatus.BAD_REQUEST
        assert int(response.headers["content-length"]) > 0
        assert await client.rest() == b""


async def test_a_refusal_names_the_provider_where_the_host_is_known() -> None:
    async with doorstep() as step:
        native = await step.exchange(raw(target=b"/../"))
        plain = await step.exchange(raw(target=b"/../", host=b"other"))
    assert native.headers["content-type"] == "application/x-amz-json-1.1"
    assert plain.headers["content-type"] == "application/problem+json"
    assert [refused.provider for refused in step.refused] == ["aws_rekognition", None]


async def test_a_refusal_tells_how_many_bytes_had_come() -> None:
    request = raw(target=b"/../", body=b"a" * 100)
    async with doorstep() as step:
        await step.exchange(request)
        await step.exchange(b"\0" * 77)
    assert [refused.length for refused in step.refused] == [len(request), 77]
    assert step.addresses == ["127.0.0.1"]
