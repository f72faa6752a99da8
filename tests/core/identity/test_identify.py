"""Who asks: exactly one credential, and a tenant behind it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import jwt
import msgspec
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings, strategies as st

from gateway.core import sigv4
from gateway.core.decision import REASONS
from gateway.core.identity.api_key import api_key_hash
from gateway.core.identity.credentials import Presented
from gateway.core.identity.identify import identify, wanted_key
from gateway.core.identity.keys import (
    AccessKey,
    ApiKey,
    IssuerKeys,
    Tenants,
    VerificationKey,
    make_keys,
    make_places,
)
from gateway.core.identity.model import Identity, Party, Tenant, Unverified, Verified
from gateway.core.request import Body, Request, Streaming, Whole

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOST = "rekognition.gw.example"
SECRETS_KEY = b"k" * 32
API_KEY = "fgk_" + "A" * 43
ORPHAN_KEY = "fgk_" + "B" * 42 + "A"
ACCESS_KEY = AccessKey(id="FGAKABCDEFGHIJKLMNOP", tenant_id="acct-1", secret="made-up-secret")
ORPHAN_ACCESS_KEY = AccessKey(id="FGAKORPHANORPHANORPH", tenant_id="gone", secret="made-up-two")
ISSUER = "https://idp.example"
SIGNER = ec.generate_private_key(ec.SECP256R1())

TENANT = Tenant(
    id="acct-1",
    legal_name="Harbour Bank plc",
    type="private",
    tier="none",
    tags=(),
    countries=("GB",),
    deployments=("GB",),
    end_uses=("undeclared",),
    parties=(Party(name="Harbour Bank plc", role="caller", type="private", countries=("GB",)),),
)
TENANTS = Tenants(
    by_id={"acct-1": TENANT}, by_subject={(ISSUER, "svc-bank"): TENANT}, digest="sha256:0"
)
KEYS = make_keys(
    issuers=[
        IssuerKeys(
            issuer=ISSUER,
            audience="face-gateway",
            algorithms=frozenset({"ES256"}),
            keys={
                "k": VerificationKey(
                    kid="k",
                    algorithms=frozenset({"ES256"}),
                    key=SIGNER.public_key(),
                    thumbprint="t",
                )
            },
            fetched=NOW,
            max_stale=timedelta(days=1),
        )
    ],
    api_keys={
        api_key_hash(API_KEY, SECRETS_KEY): ApiKey(id="key-1", tenant_id="acct-1"),
        api_key_hash(ORPHAN_KEY, SECRETS_KEY): ApiKey(id="key-2", tenant_id="gone"),
    },
    access_keys={key.id: key for key in (ACCESS_KEY, ORPHAN_ACCESS_KEY)},
    secrets_key=SECRETS_KEY,
    places={
        provider: make_places(
            key_headers=frozenset({"Ocp-Apim-Subscription-Key", "x-goog-api-key", "authorization"}),
        )
        for provider in ("aws_rekognition", "azure_face")
    },
)


PARAMETERS = {"key", "subscription-key"}


def request(
    headers: dict[str, str] | None = None,
    *,
    query: tuple[tuple[str, str], ...] = (),
    body: Body | None = None,
    provider: str = "aws_rekognition",
) -> Request:
    return Request(
        method="POST",
        host=HOST,
        upstream="rekognition",
        provider=provider,
        path="/",
        query_string="",
        query=query,
        headers=headers or {},
        body=body or Whole(b"{}"),
        peer="192.0.2.1",
    )


def bearer(*, kid: str = "k", subject: str = "svc-bank", expires_s: int = 300) -> str:
    claims = {
        "iss": ISSUER,
        "aud": "face-gateway",
        "sub": subject,
        "exp": int(NOW.timestamp()) + expires_s,
    }
    return "Bearer " + jwt.encode(claims, SIGNER, algorithm="ES256", headers={"kid": kid})


def signed_headers(
    *,
    key: AccessKey = ACCESS_KEY,
    secret: str | None = None,
    service: str = "rekognition",
    content: bytes = b"{}",
    now: datetime = NOW,
) -> dict[str, str]:
    headers = {"x-amz-target": "RekognitionService.SearchFaces", "host": HOST}
    authorization = sigv4.sign(
        method="POST",
        path="/",
        query="",
        headers=headers,
        payload_sha256=hashlib.sha256(content).hexdigest(),
        access_key_id=key.id,
        secret=secret or key.secret,
        region="us-east-1",
        service=service,
        now=now,
    )
    return headers | {"authorization": authorization, "x-amz-date": sigv4.amz_date(now)}


def found(incoming: Request, now: datetime = NOW) -> Identity:
    elsewhere = [value for name, value in incoming.query if name.lower() in PARAMETERS]
    return identify(incoming, KEYS, TENANTS, now, stated=tuple(elsewhere))


def reason(incoming: Request, now: datetime = NOW) -> str:
    identity = found(incoming, now)
    assert isinstance(identity, Unverified)
    assert identity.reason in REASONS
    return identity.reason


def test_a_token_identifies_the_tenant_of_its_subject() -> None:
    identity = found(request({"authorization": bearer()}))
    assert identity == Verified(method="jwt", credential="svc-bank", tenant=TENANT)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_of_a_token_has_no_case(scheme: str) -> None:
    text = scheme + bearer().removeprefix("Bearer")
    assert isinstance(found(request({"authorization": text})), Verified)


@pytest.mark.parametrize("header", ["x-api-key", "ocp-apim-subscription-key", "x-goog-api-key"])
def test_an_api_key_may_stand_in_every_key_header(header: str) -> None:
    identity = found(request({header: API_KEY}))
    assert identity == Verified(method="api_key", credential="key-1", tenant=TENANT)


def test_an_access_key_identifies_whoever_signed() -> None:
    identity = found(request(signed_headers()))
    assert identity == Verified(method="sigv4", credential=ACCESS_KEY.id, tenant=TENANT)


def test_a_request_signed_by_the_sdk_is_identified() -> None:
    content = b'{"CollectionId":"c"}'
    outgoing = AWSRequest(
        method="POST",
        url=f"http://{HOST}/",
        data=content,
        headers={
            "X-Amz-Target": "RekognitionService.SearchFaces",
            "Content-Type": "application/x-amz-json-1.1",
        },
    )
    credentials = Credentials(ACCESS_KEY.id, ACCESS_KEY.secret)
    SigV4Auth(credentials, "rekognition", "us-east-1").add_auth(outgoing)
    headers = {str(name).lower(): str(value) for name, value in outgoing.headers.items()}
    # Written by the HTTP client, after the signature.
    headers |= {"host": HOST, "user-agent": "Boto3", "content-length": str(len(content))}
    now = datetime.fromisoformat(headers["x-amz-date"])
    assert isinstance(found(request(headers, body=Whole(content)), now), Verified)


def test_a_request_without_a_credential_says_so() -> None:
    assert reason(request({"content-type": "application/json"})) == "identity.missing"


TWO_CREDENTIALS: list[tuple[dict[str, str], tuple[tuple[str, str], ...]]] = [
    ({"authorization": bearer(), "x-api-key": API_KEY}, ()),
    ({"x-api-key": API_KEY, "x-goog-api-key": API_KEY}, ()),
    ({"authorization": "", "x-api-key": API_KEY}, ()),
    ({"authorization": bearer()}, (("KEY", "abc"),)),
    ({"authorization": bearer()}, (("X-Amz-Signature", "abc"),)),
    (signed_headers() | {"ocp-apim-subscription-key": API_KEY}, ()),
    ({}, (("key", "abc"), ("subscription-key", "abc"))),
    ({}, (("key", "abc"), ("key", "abc"))),
    ({"x-api-key": API_KEY}, (("x-amz-credential", ""),)),
]


@pytest.mark.parametrize(("headers", "query"), TWO_CREDENTIALS)
def test_two_credentials_at_once_are_refused(
    headers: dict[str, str], query: tuple[tuple[str, str], ...]
) -> None:
    assert reason(request(headers, query=query)) == "identity.several"


@pytest.mark.parametrize(
    "name",
    ["X-Amz-Signature", "x-amz-credential", "X-AMZ-ALGORITHM", "X-Amz-Security-Token", "key"],
)
def test_what_is_no_key_of_this_gateway_is_not_read_in_the_query(name: str) -> None:
    assert reason(request(query=((name, "abc"),))) == "identity.malformed"


def test_an_api_key_may_stand_where_the_catalogue_names_a_place_outside_of_the_headers() -> None:
    identity = found(request(query=(("key", API_KEY),)))
    assert isinstance(identity, Verified)
    assert (identity.method, identity.credential) == ("api_key", "key-1")


def test_a_credential_whose_place_cannot_be_read_is_malformed_and_a_second_one_beside_others() -> (
    None
):
    unread = identify(request(), KEYS, TENANTS, NOW, stated=None)
    assert unread == Unverified(reason="identity.malformed")
    beside = identify(request({"x-api-key": API_KEY}), KEYS, TENANTS, NOW, stated=None)
    assert beside == Unverified(reason="identity.several")


def test_a_presigned_request_is_one_credential_that_is_not_read() -> None:
    query = (("X-Amz-Algorithm", "a"), ("X-Amz-Credential", "b"), ("X-Amz-Signature", "c"))
    assert reason(request(query=query)) == "identity.malformed"


def test_a_session_token_is_refused() -> None:
    headers = signed_headers() | {"x-amz-security-token": "abc"}
    assert reason(request(headers)) == "identity.malformed"
    assert reason(request({"x-amz-security-token": "abc"})) == "identity.malformed"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Digest a=b",
        f"Bearer {API_KEY}",
        API_KEY,
        "AWS4-HMAC-SHA256",
        "aws4-hmac-sha256 Credential=a",
        "AWS4-HMAC-SHA256 Credential=a",
        "AWS4-ECDSA-P256-SHA256 Credential=a",
    ],
)
def test_an_authorization_that_cannot_be_read_is_malformed(value: str) -> None:
    assert reason(request({"authorization": value})) == "identity.malformed"


def test_two_lines_of_one_authorization_are_malformed() -> None:
    both = f"{bearer()}, {bearer()}"
    assert reason(request({"authorization": both})) == "identity.malformed"
    signed = signed_headers()
    signed["authorization"] += ", " + signed["authorization"]
    assert reason(request(signed)) == "identity.malformed"


@pytest.mark.parametrize(
    "value",
    ["", "fgk_", API_KEY[:-1], API_KEY + "A", API_KEY.upper(), f"{API_KEY}, {API_KEY}", "é" * 47],
)
def test_an_api_key_in_another_form_is_malformed(value: str) -> None:
    assert reason(request({"x-api-key": value})) == "identity.malformed"


def test_an_api_key_that_nobody_issued_is_unknown() -> None:
    assert reason(request({"x-api-key": "fgk_" + "C" * 43})) == "identity.unknown"


def test_without_a_secrets_key_no_api_key_is_known() -> None:
    keys = msgspec.structs.replace(KEYS, secrets_key=b"")
    identity = identify(request({"x-api-key": API_KEY}), keys, TENANTS, NOW)
    assert identity == Unverified(reason="identity.unknown")


def test_a_credential_of_no_tenant_is_refused() -> None:
    assert reason(request({"x-api-key": ORPHAN_KEY})) == "identity.tenant"
    assert reason(request(signed_headers(key=ORPHAN_ACCESS_KEY))) == "identity.tenant"
    assert reason(request({"authorization": bearer(subject="svc-other")})) == "identity.tenant"


def test_an_expired_credential_says_so() -> None:
    assert reason(request({"authorization": bearer(expires_s=-1)})) == "identity.expired"
    late = NOW + timedelta(minutes=15, seconds=1)
    assert reason(request(signed_headers()), late) == "identity.expired"


def test_an_unknown_access_key_is_unknown() -> None:
    stranger = AccessKey(id="FGAKSTRANGERSTRANGER", tenant_id="acct-1", secret="s")
    assert reason(request(signed_headers(key=stranger))) == "identity.unknown"


def test_a_wrong_secret_is_a_wrong_signature() -> None:
    assert reason(request(signed_headers(secret="another"))) == "identity.signature"


def test_a_changed_body_under_sigv4_is_refused() -> None:
    assert reason(request(signed_headers(), body=Whole(b"{} "))) == "identity.signature"


def test_a_streaming_body_cannot_be_verified_under_sigv4() -> None:
    assert reason(request(signed_headers(), body=Streaming(2))) == "identity.signature"


def test_a_signature_for_another_host_is_refused() -> None:
    incoming = msgspec.structs.replace(request(signed_headers()), host="azure.gw.example")
    assert reason(incoming) == "identity.signature"


def test_the_host_that_counts_is_the_one_that_chose_the_upstream() -> None:
    headers = signed_headers() | {"host": "another.example"}
    assert isinstance(found(request(headers)), Verified)


def test_a_signature_for_another_service_is_refused() -> None:
    headers = signed_headers(service="s3")
    assert reason(request(headers)) == "identity.signature"
    assert isinstance(found(request(headers, provider="nec_id")), Verified)


def test_an_unsigned_target_is_refused() -> None:
    signed = signed_headers()
    now_unsigned = sigv4.sign(
        method="POST",
        path="/",
        query="",
        headers={"host": HOST},
        payload_sha256=hashlib.sha256(b"{}").hexdigest(),
        access_key_id=ACCESS_KEY.id,
        secret=ACCESS_KEY.secret,
        region="us-east-1",
        service="rekognition",
        now=NOW,
    )
    assert reason(request(signed | {"authorization": now_unsigned})) == "identity.signature"


def test_the_edge_learns_which_key_to_ask_for() -> None:
    incoming = request({"authorization": bearer(kid="new")})
    assert reason(incoming) == "identity.unknown"
    assert wanted_key(incoming, KEYS) == (ISSUER, "new")
    assert wanted_key(request({"authorization": bearer()}), KEYS) is None
    assert wanted_key(request({"x-api-key": API_KEY}), KEYS) is None
    assert wanted_key(request(), KEYS) is None


def test_no_repr_shows_a_secret() -> None:
    values = [KEYS, ACCESS_KEY, Presented(kind="api_key", value=API_KEY), TENANTS]
    for text in map(repr, values):
        assert ACCESS_KEY.secret not in text
        assert API_KEY not in text
        assert repr(SECRETS_KEY) not in text
    assert ACCESS_KEY.id in repr(ACCESS_KEY)


def test_the_digest_covers_the_meaning_and_no_secret() -> None:
    def digest(
        *, key_id: str = "FGAKABCDEFGHIJKLMNOP", secret: str = "one", tenant: str = "acct-1"
    ) -> str:
        key = AccessKey(id=key_id, tenant_id=tenant, secret=secret)
        return make_keys(
            api_keys={},
            access_keys={key.id: key},
            secrets_key=secret.encode() * 8,
        ).digest

    assert digest() == digest(secret="two")
    assert digest() != digest(tenant="acct-2")
    assert digest() != digest(key_id="FGAKABCDEFGHIJKLMNOQ")
    assert digest().startswith("sha256:")


HEADERS = st.dictionaries(
    st.sampled_from(
        ["authorization", "x-api-key", "x-amz-date", "x-amz-security-token", "x-amz-target", "host"]
    ),
    st.one_of(
        st.text(max_size=40),
        st.text(max_size=40).map(lambda text: f"Bearer {text}"),
        st.text(max_size=40).map(lambda text: f"fgk_{text}"),
        st.sampled_from([*signed_headers().values(), API_KEY, bearer()]),
    ),
    max_size=3,
)


@given(
    HEADERS,
    st.lists(st.tuples(st.sampled_from(["key", "X-Amz-Signature", "é"]), st.text()), max_size=2),
    st.one_of(st.binary(max_size=4).map(Whole), st.just(Streaming(2))),
)
@settings(max_examples=200, deadline=None)
def test_no_request_makes_identify_raise(
    headers: dict[str, str], query: list[tuple[str, str]], body: Body
) -> None:
    identity = found(request(headers, query=tuple(query), body=body))
    assert isinstance(identity, Verified) or identity.reason in REASONS
