"""SigV4 against botocore as the oracle, and the ways to bend a signature."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given, settings, strategies as st

from gateway.core import sigv4

KEY_ID = "FGAKABCDEFGHIJKLMNOP"
SECRET = "made/up+secret-of-forty-characters-AAAAAA"
HOST = "rekognition.us-east-1.amazonaws.com"

UNRESERVED = "abcXYZ019-._~"
segments = st.lists(
    st.one_of(
        st.sampled_from(UNRESERVED), st.sampled_from(["%20", "%2F", "%C3%A9", "*", "+", "@"])
    ),
    min_size=1,
    max_size=6,
).map("".join)
paths = st.lists(
    segments.filter(lambda segment: segment not in {".", ".."}), min_size=0, max_size=3
).map(lambda parts: "/" + "/".join(parts))
queries = st.text(alphabet="abAB01-._~%&=+*,:;é", max_size=24).map(
    lambda text: text.replace("é", "%C3%A9")
)
names = st.sampled_from(
    ["content-type", "x-amz-target", "x-custom", "x-amz-meta-a", "accept", "x_under", "a"]
)
values = st.text(alphabet="azAZ09 \t.,;=/é\"'", max_size=20).filter(lambda text: text.isprintable())
bodies = st.one_of(st.just(b""), st.binary(max_size=64), st.text(max_size=16).map(str.encode))


class Signed(NamedTuple):
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    region: str
    service: str
    now: datetime

    @property
    def authorization(self) -> str:
        return self.headers["authorization"]


def sign_with_botocore(
    *,
    method: str = "POST",
    path: str = "/",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes = b'{"CollectionId": "c"}',
    region: str = "us-east-1",
    service: str = "rekognition",
) -> Signed:
    url = f"https://{HOST}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}))
    SigV4Auth(Credentials(KEY_ID, SECRET), service, region).add_auth(request)
    sent = {str(name).lower(): str(value) for name, value in request.headers.items()}
    sent["host"] = HOST
    now = datetime.fromisoformat(sent["x-amz-date"])
    return Signed(method, path, query, sent, body, region, service, now)


def failure(signed: Signed, **decisive: frozenset[str]) -> sigv4.Failure | None:
    presented = sigv4.parse_authorization(signed.authorization)
    assert presented is not None
    return sigv4.failure(
        presented,
        secret=SECRET,
        method=signed.method,
        path=signed.path,
        query=signed.query,
        headers=signed.headers,
        payload_sha256=hashlib.sha256(signed.body).hexdigest(),
        now=signed.now,
        **decisive,
    )


def with_headers(signed: Signed, **headers: str) -> Signed:
    changes = {name.replace("_", "-"): value for name, value in headers.items()}
    return signed._replace(headers=signed.headers | changes)


def typical() -> Signed:
    return sign_with_botocore(
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "RekognitionService.SearchFacesByImage",
        }
    )


signatures = st.builds(
    sign_with_botocore,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=paths,
    query=queries,
    headers=st.dictionaries(names, values, max_size=4),
    body=bodies,
    region=st.sampled_from(["us-east-1", "eu-west-2", "us-gov-west-1"]),
    service=st.sampled_from(["rekognition", "execute-api"]),
)


@given(signatures)
@settings(max_examples=150, deadline=None)
def test_what_botocore_signs_verifies(signed: Signed) -> None:
    assert failure(signed) is None


@given(signatures)
@settings(max_examples=100, deadline=None)
def test_our_signature_is_the_one_that_botocore_makes(signed: Signed) -> None:
    covered = {name: value for name, value in signed.headers.items() if name != "authorization"}
    ours = sigv4.sign(
        method=signed.method,
        path=signed.path,
        query=signed.query,
        headers=covered,
        payload_sha256=hashlib.sha256(signed.body).hexdigest(),
        access_key_id=KEY_ID,
        secret=SECRET,
        region=signed.region,
        service=signed.service,
        now=signed.now,
    )
    assert ours == signed.authorization


def changed(text: str, place: int) -> str:
    place %= len(text)
    replacement = "b" if text[place] != "b" else "c"
    return text[:place] + replacement + text[place + 1 :]


@given(
    signatures,
    st.sampled_from(
        ["method", "path", "query", "body", "header", "signature", "region", "service"]
    ),
    st.integers(min_value=0, max_value=200),
)
@settings(max_examples=150, deadline=None)
def test_one_changed_byte_anywhere_fails(signed: Signed, where: str, place: int) -> None:
    headers = dict(signed.headers)
    match where:
        case "header":
            covered = sorted(
                name for name in headers if headers[name].strip() and name != "authorization"
            )
            name = covered[place % len(covered)]
            assume(not headers[name][place % len(headers[name])].isspace())
            headers[name] = changed(headers[name], place)
            bent = signed._replace(headers=headers)
        case "signature":
            text = headers["authorization"]
            headers["authorization"] = text[:-1] + ("0" if text[-1] != "0" else "1")
            bent = signed._replace(headers=headers)
        case "region" | "service":
            old, new = getattr(signed, where), changed(getattr(signed, where), place)
            headers["authorization"] = headers["authorization"].replace(f"/{old}/", f"/{new}/", 1)
            bent = signed._replace(headers=headers)
        case "body":
            bent = signed._replace(body=signed.body + b" ")
        case "method":
            bent = signed._replace(method=changed(signed.method, place))
        case "path":
            bent = signed._replace(path="/b" if signed.path == "/" else changed(signed.path, place))
        case _:
            bent = signed._replace(query=changed(signed.query, place) if signed.query else "b")
    assert failure(bent) is not None


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_text_is_no_authorization(text: str) -> None:
    assert sigv4.parse_authorization(text) is None


@given(
    path=st.text(max_size=10),
    query=st.text(max_size=10),
    value=st.text(max_size=10),
    method=st.text(max_size=5),
)
@settings(max_examples=100, deadline=None)
def test_no_request_makes_the_verifier_raise(
    path: str, query: str, value: str, method: str
) -> None:
    signed = typical()._replace(path=path, query=query, method=method)
    assert failure(with_headers(signed, x_amz_target=value)) is not None
    assert failure(signed._replace(path=f"/{path}\ud800")) == "signature"
    assert failure(with_headers(signed, x_amz_date=value)) == "date"


def test_inner_blanks_count_once_and_outer_ones_not_at_all() -> None:
    signed = sign_with_botocore(headers={"X-Custom": "a   b"})
    assert failure(with_headers(signed, x_custom="  a b ")) is None
    assert failure(with_headers(signed, x_custom="ab")) == "signature"


def test_header_bytes_that_are_not_utf8_sign_as_they_came() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    headers = {"host": HOST, "x-custom": b"ol\xe9  x".decode("utf-8", "surrogateescape")}
    first, second = (
        sigv4.sign(
            method="POST",
            path="/",
            query="",
            headers=headers | {"x-custom": value},
            payload_sha256=hashlib.sha256(b"").hexdigest(),
            access_key_id=KEY_ID,
            secret=SECRET,
            region="us-east-1",
            service="rekognition",
            now=now,
        )
        for value in (headers["x-custom"], headers["x-custom"].replace("  ", " "))
    )
    assert first == second


def test_a_header_that_no_line_can_carry_is_not_signed() -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        sigv4.sign(
            method="POST",
            path="/",
            query="",
            headers={"host": HOST, "x-custom": "\ud800"},
            payload_sha256="",
            access_key_id=KEY_ID,
            secret=SECRET,
            region="us-east-1",
            service="rekognition",
            now=datetime(2026, 11, 22, tzinfo=UTC),
        )


def test_a_changed_body_fails_even_where_its_hash_is_declared() -> None:
    digest = hashlib.sha256(b"{}").hexdigest()
    signed = sign_with_botocore(headers={"X-Amz-Content-SHA256": digest}, body=b"{}")
    assert failure(signed) is None
    assert failure(signed._replace(body=b"{} ")) == "payload"


@pytest.mark.parametrize(
    "declared",
    [
        "UNSIGNED-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    ],
)
def test_an_unsigned_or_streaming_payload_is_refused(declared: str) -> None:
    signed = sign_with_botocore(headers={"X-Amz-Content-SHA256": declared})
    assert failure(signed) == "payload"


def test_a_changed_target_fails() -> None:
    bent = with_headers(typical(), x_amz_target="RekognitionService.CompareFaces")
    assert failure(bent) == "signature"


@pytest.mark.parametrize(
    "name", ["x-amz-target", "content-type", "content-encoding", "x-amz-meta-other"]
)
def test_a_deciding_header_that_is_not_signed_is_refused(name: str) -> None:
    signed = sign_with_botocore()
    assert failure(signed) is None
    assert failure(signed._replace(headers=signed.headers | {name: "text"})) == "unsigned"


def test_the_catalogue_may_name_further_headers_that_decide() -> None:
    signed = with_headers(sign_with_botocore(), x_http_method_override="GET")
    assert failure(signed) is None
    assert failure(signed, decisive=frozenset({"x-http-method-override"})) == "unsigned"


def test_a_signed_header_that_was_taken_away_fails() -> None:
    signed = typical()
    headers = {name: value for name, value in signed.headers.items() if name != "x-amz-target"}
    assert failure(signed._replace(headers=headers)) == "unsigned"


@pytest.mark.parametrize("missing", ["host", "x-amz-date"])
def test_host_and_date_must_be_signed(missing: str) -> None:
    signed = typical()
    presented = sigv4.parse_authorization(signed.authorization)
    assert presented is not None
    fewer = tuple(name for name in presented.signed_headers if name != missing)
    found = sigv4.failure(
        msgspec.structs.replace(presented, signed_headers=fewer),
        secret=SECRET,
        method=signed.method,
        path=signed.path,
        query=signed.query,
        headers=signed.headers,
        payload_sha256=hashlib.sha256(signed.body).hexdigest(),
        now=signed.now,
    )
    assert found == "unsigned"


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (timedelta(minutes=15), None),
        (timedelta(minutes=-15), None),
        (timedelta(minutes=15, seconds=1), "skew"),
        (timedelta(minutes=-15, seconds=-1), "skew"),
    ],
)
def test_a_date_counts_for_fifteen_minutes(
    shift: timedelta, expected: sigv4.Failure | None
) -> None:
    signed = typical()
    assert failure(signed._replace(now=signed.now + shift)) == expected


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "20261122",
        "20261322T000000Z",
        "20261122T000000",
        "20261122T000000Z ",
        "2026112\uff12T000000Z",
    ],
)
def test_a_date_in_another_form_is_refused(stamp: str) -> None:
    assert failure(with_headers(typical(), x_amz_date=stamp)) == "date"


def test_a_date_of_another_day_than_the_scope_is_refused() -> None:
    signed = typical()
    text = signed.authorization.replace(f"/{signed.now:%Y%m%d}/", "/20200101/")
    assert failure(with_headers(signed, authorization=text)) == "date"


@pytest.mark.parametrize(
    ("old", "new"), [("/us-east-1/", "/eu-west-1/"), ("/rekognition/", "/s3/")]
)
def test_a_replay_to_another_region_or_service_fails(old: str, new: str) -> None:
    signed = typical()
    bent = with_headers(signed, authorization=signed.authorization.replace(old, new))
    assert failure(bent) == "signature"


WELL_FORMED = (
    f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20261122/us-east-1/rekognition/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
)


def test_a_well_formed_value_is_read_with_or_without_the_blanks() -> None:
    read = sigv4.parse_authorization(WELL_FORMED)
    assert read == sigv4.Authorization(
        scope=sigv4.Scope(
            access_key_id=KEY_ID, date="20261122", region="us-east-1", service="rekognition"
        ),
        signed_headers=("host", "x-amz-date"),
        signature="0" * 64,
    )
    assert sigv4.parse_authorization(WELL_FORMED.replace(", ", ",")) == read


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("host;x-amz-date", "x-amz-date;host"),
        ("host;x-amz-date", "host;host;x-amz-date"),
        ("host;x-amz-date", "Host;x-amz-date"),
        ("host;x-amz-date", "host;;x-amz-date"),
        ("host;x-amz-date", ""),
        ("0" * 64, "0" * 63),
        ("0" * 64, "A" * 64),
        ("0" * 64, "0" * 64 + "\n"),
        ("AWS4-HMAC-SHA256", "aws4-hmac-sha256"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 AWS4-HMAC-SHA256"),
        ("Signature=", "Signature=0, Signature="),
        ("aws4_request", "aws4_request/aws4_request"),
        ("aws4_request", "aws4"),
        (", SignedHeaders", ",  SignedHeaders"),
        (KEY_ID, "short"),
        (KEY_ID, KEY_ID + "/extra"),
        ("us-east-1", ""),
        ("20261122", "2026112\uff12"),
        (WELL_FORMED, f"{WELL_FORMED}, {WELL_FORMED}"),
        ("us-east-1", "u" * 5000),
    ],
)
def test_an_authorization_in_any_other_form_is_refused(old: str, new: str) -> None:
    assert sigv4.parse_authorization(WELL_FORMED.replace(old, new)) is None


def test_a_secret_that_was_replaced_under_its_id_is_not_served_from_memory() -> None:
    scope = ("20261122", "us-east-1", "rekognition")
    first = sigv4.signing_key("first", *scope)
    assert sigv4.signing_key("second", *scope) != first
    assert sigv4.signing_key("first", *scope) == first


def test_the_memory_of_signing_keys_is_bounded() -> None:
    for number in range(3000):
        sigv4.signing_key(SECRET, "20261122", f"region-{number}", "rekognition")
    assert len(sigv4._SIGNING_KEYS) <= 1024


def test_a_percent_sign_in_the_name_of_a_header_is_no_place_for_a_value() -> None:
    signed = sign_with_botocore(headers={"X-100%s%": "b%d"})
    assert failure(signed) is None
    assert failure(with_headers(signed, **{"x_100%s%": "c"})) == "signature"


@given(st.text(max_size=80), st.binary(max_size=200))
def test_a_remembered_hmac_is_that_of_the_library(secret: str, text: bytes) -> None:
    scope = ("20261122", "us-east-1", "rekognition")
    assume(secret.isascii())
    key = sigv4.signing_key(secret, *scope)
    _, mac = sigv4._remembered((secret, *scope))
    for _ in range(2):
        assert mac(text) == hmac.digest(key, text, "sha256").hex()


ASKED = {
    "method": "GET",
    "path": "/a",
    "query": "b=c",
    "payload_sha256": "0" * 64,
    "access_key_id": KEY_ID,
    "secret": SECRET,
    "region": "us-east-1",
    "service": "rekognition",
}


def test_a_signature_over_named_headers_leaves_the_others_out() -> None:
    headers = {"host": HOST, "x-amz-date": "20261122T000000Z", "user-agent": "a", "x-amz-b": "c"}
    names = ("host", "x-amz-b", "x-amz-date")
    now = datetime(2026, 11, 22, tzinfo=UTC)
    covered = {name: headers[name] for name in names}
    assert sigv4.authorization(headers=headers, signed_headers=names, **ASKED) == sigv4.sign(
        headers=covered, now=now, **ASKED
    )


@pytest.mark.parametrize(
    "change",
    [
        {"secret": "another"},
        {"access_key_id": "AKIAANOTHERKEYOFTHEM"},
        {"region": "eu-west-1"},
        {"service": "s3"},
        {"headers": {"host": HOST, "x-amz-date": "20261122T000001Z"}},
        {"signed_headers": ("host",)},
    ],
    ids=str,
)
def test_nothing_that_was_signed_before_stands_in_another_signature(
    change: dict[str, Any],
) -> None:
    given: dict[str, Any] = {
        **ASKED,
        "headers": {"host": HOST, "x-amz-date": "20261122T000000Z"},
        "signed_headers": ("host", "x-amz-date"),
    }
    first = sigv4.authorization(**given)
    other = sigv4.authorization(**{**given, **change})
    assert other != first
    sigv4._SIGNERS.clear()
    assert sigv4.authorization(**{**given, **change}) == other
    assert sigv4.authorization(**given) == first


def test_the_memory_of_signers_is_bounded() -> None:
    for second in range(200):
        headers = {"host": HOST, "x-amz-date": f"20261122T0000{second:02}Z"}
        sigv4.authorization(headers=headers, signed_headers=("host",), **ASKED)
    assert len(sigv4._SIGNERS) <= 64


def test_a_time_is_written_to_the_second_in_which_it_lies() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)
    written = [sigv4.amz_date(now + timedelta(seconds=number)) for number in range(100)]
    assert written[:2] == ["20260102T030405Z", "20260102T030406Z"]
    assert len(set(written)) == 100
    assert sigv4.amz_date(now) == written[0]


def test_the_memory_of_signed_names_is_bounded() -> None:
    for number in range(300):
        sigv4._lines_of((f"a{number}", "host"))
    assert len(sigv4._LINES) <= 128
