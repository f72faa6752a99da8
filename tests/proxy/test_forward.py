"""Heads to the provider and answers to the caller: allow-lists, and what never passes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings, strategies as st

from gateway.core.request import Request, Whole
from gateway.errors import UpstreamError
from gateway.proxy.forward import (
    AwsCredential,
    BearerCredential,
    Credential,
    HeaderCredential,
    NoCredential,
    outbound_head,
    response_for_client,
)
from gateway.proxy.response import UpstreamResponse

NOW = datetime(2026, 11, 22, 10, 30, 5, tzinfo=UTC)
HOST = "rekognition.us-east-1.amazonaws.com"
BODY = b'{"SimilarityThreshold": 90}'
AWS = AwsCredential(
    access_key_id="FGUPSTREAM0123456789",
    secret="made-up/secret+of/tests",
    region="us-east-1",
    service="rekognition",
)
NONE = NoCredential()
COMPARE = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "RekognitionService.CompareFaces",
}


def request(
    headers: Mapping[str, str] = COMPARE,
    *,
    method: str = "POST",
    path: str = "/",
    query_string: str = "",
    body: bytes = BODY,
) -> Request:
    return Request(
        method=method,
        host="rekognition.gw.example",
        upstream="rekognition",
        provider="aws_rekognition",
        path=path,
        query_string=query_string,
        query=(),
        headers=headers,
        body=Whole(body),
        peer="127.0.0.1",
    )


def head(
    incoming: Request,
    *,
    forward: frozenset[str] = frozenset(COMPARE),
    credential: Credential = NONE,
) -> bytes:
    body = incoming.body.content if isinstance(incoming.body, Whole) else b""
    return outbound_head(
        incoming,
        upstream_host=HOST,
        forward_headers=forward,
        credential=credential,
        body=body,
        payload_sha256=None,
        now=NOW,
    )


def parsed(content: bytes) -> tuple[str, dict[str, str]]:
    """Return request line and headers, having seen to it that each name stands once."""
    assert content.endswith(b"\r\n\r\n")
    first, *lines = content[:-4].decode("ascii").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert len(headers) == len(lines)
    return first, headers


def test_the_judged_method_and_target_go_out_to_the_character() -> None:
    path, query = "/face/v1.2/a%2Fb~c", "x=%24y&empty=&z=%7e"
    first, _ = parsed(head(request(method="PUT", path=path, query_string=query)))
    assert first == f"PUT {path}?{query} HTTP/1.1"


def test_a_head_holds_the_upstreams_host_allowed_headers_and_the_length_alone() -> None:
    incoming = request({**COMPARE, "host": "rekognition.gw.example", "x-other": "1"})
    _, headers = parsed(head(incoming))
    assert headers == {"host": HOST, **COMPARE, "content-length": str(len(BODY))}


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("POST", b"", "0"),
        ("PUT", b"", "0"),
        ("PATCH", b"{}", "2"),
        ("DELETE", b"{}", "2"),
        ("DELETE", b"", None),
        ("GET", b"", None),
        ("HEAD", b"", None),
    ],
)
def test_the_length_stands_wherever_a_body_is_or_could_be(
    method: str, body: bytes, length: str | None
) -> None:
    _, headers = parsed(head(request(method=method, body=body)))
    assert headers.get("content-length") == length


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "connection",
        "cookie",
        "expect",
        "forwarded",
        "keep-alive",
        "ocp-apim-subscription-key",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-security-token",
        "x-api-key",
        "x-facegate-decision",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
    ],
)
def test_some_headers_never_pass_even_where_they_are_allowed(name: str) -> None:
    content = head(request({**COMPARE, name: "of-the-caller"}), forward=frozenset({name}))
    assert b"of-the-caller" not in content


def test_the_callers_host_and_length_never_pass_even_where_they_are_allowed() -> None:
    incoming = request({"host": "evil.example", "content-length": "7"})
    _, headers = parsed(head(incoming, forward=frozenset({"host", "content-length"})))
    assert headers == {"host": HOST, "content-length": str(len(BODY))}


def test_the_gateways_header_replaces_the_callers() -> None:
    incoming = request({"x-key": "callers"})
    own = HeaderCredential(name="X-Key", value="gateways")
    _, headers = parsed(head(incoming, forward=frozenset({"x-key"}), credential=own))
    assert headers["x-key"] == "gateways"


def test_a_bearer_token_takes_the_place_of_the_callers() -> None:
    incoming = request({"authorization": "Bearer callers"})
    _, headers = parsed(head(incoming, credential=BearerCredential(token="gateways")))
    assert headers["authorization"] == "Bearer gateways"


@pytest.mark.parametrize("session_token", [None, "made-up-session-token=="])
@pytest.mark.parametrize(
    ("path", "query"), [("/", ""), ("/a/b%20c", "b=2&a=1&a=0"), ("/~x", "k=%2F")]
)
def test_a_signed_head_is_what_botocore_would_sign(
    session_token: str | None, path: str, query: str
) -> None:
    credential = msgspec.structs.replace(AWS, session_token=session_token)
    incoming = request(
        {**COMPARE, "user-agent": "boto3/1.44", "authorization": "Bearer callers"},
        path=path,
        query_string=query,
    )
    content = head(incoming, forward=frozenset({*COMPARE, "user-agent"}), credential=credential)
    _, headers = parsed(content)
    assert headers["x-amz-date"] == "20261122T103005Z"
    assert headers.get("x-amz-security-token") == session_token
    assert headers["user-agent"] == "boto3/1.44"
    assert headers["authorization"] == botocore_signature(incoming, headers, session_token)


def botocore_signature(
    incoming: Request, headers: Mapping[str, str], session_token: str | None
) -> str:
    """Sign the same request with botocore."""
    signer = SigV4Auth(
        Credentials(AWS.access_key_id, AWS.secret, session_token), AWS.service, AWS.region
    )
    unsigned = {"authorization", "content-length"}
    asked = AWSRequest(
        method=incoming.method,
        url=f"https://{HOST}{incoming.target}",
        data=BODY,
        headers={name: value for name, value in headers.items() if name not in unsigned},
    )
    asked.context["timestamp"] = headers["x-amz-date"]
    text = signer.string_to_sign(asked, signer.canonical_request(asked))
    names = signer.signed_headers(signer.headers_to_sign(asked))
    return (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(asked)}, SignedHeaders={names},"
        f" Signature={signer.signature(text, asked)}"
    )


def test_a_hash_that_is_known_is_signed_as_it_is() -> None:
    known = hashlib.sha256(BODY).hexdigest()
    incoming = request()
    given_hash = outbound_head(
        incoming,
        upstream_host=HOST,
        forward_headers=frozenset(COMPARE),
        credential=AWS,
        body=BODY,
        payload_sha256=known,
        now=NOW,
    )
    assert given_hash == head(incoming, credential=AWS)


UNWRITABLE = {
    "line_feed_in_header": request({"x-a": "b\nx-evil: 1"}),
    "line_end_in_header": request({"x-a": "b\r\nx-evil: 1"}),
    "carriage_return_in_header": request({"x-a": "b\rc"}),
    "nul_in_header": request({"x-a": "b\x00c"}),
    "escape_in_header": request({"x-a": "b\x1b[0m"}),
    "delete_in_header": request({"x-a": "b\x7f"}),
    "above_ascii_in_header": request({"x-a": "caf\u00e9"}),
    "surrogate_in_header": request({"x-a": "caf\udcff"}),
    "line_separator_in_header": request({"x-a": "b\u2028c"}),
    "space_in_path": request(path="/a b"),
    "tab_in_path": request(path="/a\tb"),
    "line_end_in_path": request(path="/a\r\nb"),
    "relative_path": request(path="a"),
    "empty_path": request(path=""),
    "space_in_query": request(query_string="a b"),
    "line_end_in_query": request(query_string="a\r\nx-evil: 1"),
    "space_in_method": request(method="GET /"),
    "line_end_in_method": request(method="GET\r\n"),
}


@pytest.mark.parametrize("credential", [NONE, AWS], ids=["none", "aws"])
@pytest.mark.parametrize("incoming", UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_could_begin_another_line_is_never_written(
    incoming: Request, credential: Credential
) -> None:
    with pytest.raises(UpstreamError) as caught:
        head(incoming, forward=frozenset({"x-a", "x-amz-a"}), credential=credential)
    assert not caught.value.sent
    assert "evil" not in str(caught.value)


def test_a_signed_header_with_an_unwritable_character_is_never_written() -> None:
    incoming = request({"x-amz-a": "caf\ud800"})
    with pytest.raises(UpstreamError):
        head(incoming, forward=frozenset({"x-amz-a"}), credential=AWS)


@pytest.mark.parametrize(
    "credential",
    [
        HeaderCredential(name="x-key", value="hush\n"),
        BearerCredential(token="hush\r\nx-evil: 1"),
        msgspec.structs.replace(AWS, session_token="hush\n"),
        msgspec.structs.replace(AWS, access_key_id="hush\n"),
        msgspec.structs.replace(AWS, region="hush\n"),
    ],
    ids=["header", "bearer", "session_token", "access_key_id", "region"],
)
def test_a_credential_with_a_line_end_is_never_written_or_named(credential: Credential) -> None:
    with pytest.raises(UpstreamError) as caught:
        head(request(), credential=credential)
    assert "hush" not in str(caught.value)


@settings(deadline=None)
@given(value=st.text(max_size=20), path=st.text(max_size=20))
def test_a_head_reads_back_as_it_was_made_or_is_not_written(value: str, path: str) -> None:
    incoming = request({"x-a": value}, path=f"/{path}")
    try:
        content = head(incoming, forward=frozenset({"x-a"}))
    except UpstreamError:
        return
    first, headers = parsed(content)
    assert first.split(" ") == ["POST", f"/{path}", "HTTP/1.1"]
    assert headers == {"host": HOST, "x-a": value, "content-length": str(len(BODY))}


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "caf\u00e9"])
def test_the_header_of_a_credential_has_a_name_that_is_one(name: str) -> None:
    with pytest.raises(ValueError, match="not a token"):
        HeaderCredential(name=name, value="v")


@pytest.mark.parametrize(
    "credential",
    [
        msgspec.structs.replace(AWS, session_token="hush-token", secret="hush-secret"),
        HeaderCredential(name="x-key", value="hush"),
        BearerCredential(token="hush"),
    ],
    ids=["aws", "header", "bearer"],
)
def test_a_credential_never_shows_its_secret(credential: AwsCredential) -> None:
    assert "hush" not in f"{credential} {credential!r} {credential.__rich_repr__()}"


def answered(*headers: tuple[str, str], allowed: frozenset[str]) -> dict[str, str]:
    """Return the headers of the answer for a response with these headers, as a mapping."""
    response = UpstreamResponse(status=200, headers=headers, body=b"{}")
    answer = response_for_client(response, allowed, "dec_x")
    assert (answer.status, answer.body) == (200, b"{}")
    return {name.lower(): value for name, value in answer.headers}


OURS = {"cache-control": "no-store", "x-facegate-decision": "dec_x"}


def test_an_answer_holds_allowed_headers_the_decision_and_no_store() -> None:
    headers = answered(
        ("content-type", "application/json"),
        ("x-amzn-requestid", "r"),
        ("server", "Server"),
        allowed=frozenset({"content-type", "x-amzn-requestid"}),
    )
    assert headers == {"content-type": "application/json", "x-amzn-requestid": "r", **OURS}


def test_the_content_coding_always_passes_because_the_bytes_do() -> None:
    assert answered(("content-encoding", "gzip"), allowed=frozenset())["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    "name",
    [
        "alt-svc",
        "cache-control",
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-facegate-decision",
        "x-facegate-other",
        "x-forwarded-for",
    ],
)
def test_some_headers_never_come_back_even_where_they_are_allowed(name: str) -> None:
    assert answered((name, "of-the-provider"), allowed=frozenset({name})) == OURS


def test_what_the_providers_connection_header_names_does_not_come_back() -> None:
    headers = answered(
        ("connection", "keep-alive, X-Hop"),
        ("x-hop", "1"),
        ("x-end", "2"),
        allowed=frozenset({"x-hop", "x-end"}),
    )
    assert headers == {"x-end": "2", **OURS}
