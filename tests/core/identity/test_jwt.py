"""Tokens: what verifies, and every way to bend one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings, strategies as st

from gateway.core.decision import REASONS
from gateway.core.identity import base64url
from gateway.core.identity.jwt import FAMILIES, missing_key, one_family, verified_claims
from gateway.core.identity.keys import (
    ApiKey,
    Claims,
    IssuerKeys,
    Keys,
    PublicKey,
    VerificationKey,
    make_keys,
    with_issuer,
    with_memo_of,
)
from gateway.core.identity.model import Unverified

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ISSUER, OTHER_ISSUER = "https://idp.example", "https://other.example"
AUDIENCE = "face-gateway"

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
STRANGER = ec.generate_private_key(ec.SECP256R1())


def verification_key(kid: str, key: PublicKey, *algorithms: str) -> VerificationKey:
    return VerificationKey(
        kid=kid, algorithms=frozenset(algorithms), key=key, thumbprint=f"thumbprint of {kid}"
    )


def issuer_keys(
    *entries: VerificationKey,
    issuer: str = ISSUER,
    algorithms: frozenset[str] = FAMILIES["ES"],
    fetched: datetime | None = NOW,
) -> IssuerKeys:
    return IssuerKeys(
        issuer=issuer,
        audience=AUDIENCE,
        algorithms=algorithms,
        keys={entry.kid: entry for entry in entries},
        fetched=fetched,
        max_stale=timedelta(days=1),
    )


def keys_of(*issuers: IssuerKeys) -> Keys:
    return make_keys(
        issuers=issuers,
        api_keys={},
        access_keys={},
        secrets_key=None,
    )


EC_ENTRY = verification_key("ec-1", EC_KEY.public_key(), "ES256")
KEYS = keys_of(issuer_keys(EC_ENTRY))


def payload(**claims: object) -> dict[str, object]:
    standard: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "svc-bank",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 300,
    }
    return {name: value for name, value in (standard | claims).items() if value is not None}


def token(
    *,
    kid: str | None = "ec-1",
    key: ec.EllipticCurvePrivateKey = EC_KEY,
    header: dict[str, object] | None = None,
    changed: Mapping[str, object] | None = None,
    **claims: object,
) -> str:
    headers = {"kid": kid, **(header or {})} if kid is not None else dict(header or {})
    return jwt.encode(payload(**claims, **(changed or {})), key, algorithm="ES256", headers=headers)


def compact(header: bytes, body: bytes, signature: bytes = b"") -> str:
    return ".".join(base64url.encode(part) for part in (header, body, signature))


def signed_bytes(header: bytes, body: bytes) -> str:
    """Return a token over exactly these bytes, with a signature that verifies."""
    text = compact(header, body).rstrip(".")
    algorithm = jwt.get_algorithm_by_name("ES256")
    return f"{text}.{base64url.encode(algorithm.sign(text.encode(), EC_KEY))}"


def reason(text: str, keys: Keys | None = None, now: datetime = NOW) -> str:
    found = verified_claims(text, fresh() if keys is None else keys, now)
    assert isinstance(found, Unverified)
    assert found.reason in REASONS
    return found.reason


def fresh() -> Keys:
    return keys_of(issuer_keys(EC_ENTRY))


def test_a_token_of_a_configured_issuer_verifies() -> None:
    found = verified_claims(token(), fresh(), NOW)
    assert found == Claims(
        issuer=ISSUER,
        subject="svc-bank",
        expires=NOW.timestamp() + 300,
        not_before=0,
        issued=NOW.timestamp(),
    )


def test_every_family_verifies_with_its_own_kind_of_key() -> None:
    rsa_entry = verification_key("k", RSA_KEY.public_key(), "RS256", "PS384")
    ed_entry = verification_key("k", ED_KEY.public_key(), "EdDSA")
    for entry, private, algorithm in (
        (rsa_entry, RSA_KEY, "RS256"),
        (rsa_entry, RSA_KEY, "PS384"),
        (ed_entry, ED_KEY, "EdDSA"),
    ):
        keys = keys_of(issuer_keys(entry, algorithms=frozenset({algorithm})))
        text = jwt.encode(payload(), private, algorithm=algorithm, headers={"kid": "k"})
        assert isinstance(verified_claims(text, keys, NOW), Claims), algorithm


def test_alg_none_is_refused() -> None:
    for algorithm in ("none", "None", "nOnE"):
        header = json.dumps({"alg": algorithm, "kid": "ec-1", "typ": "JWT"}).encode()
        body = json.dumps(payload()).encode()
        assert reason(compact(header, body)) == "identity.malformed"
        assert reason(compact(header, body, b"x")) == "identity.signature"


def test_a_public_key_cannot_be_used_as_an_hmac_secret() -> None:
    public = RSA_KEY.public_key()
    entry = verification_key("k", public, "RS256")
    keys = keys_of(issuer_keys(entry, algorithms=FAMILIES["RS"]))
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = json.dumps({"alg": "HS256", "kid": "k", "typ": "JWT"}).encode()
    text = compact(header, json.dumps(payload()).encode()).rstrip(".")
    mac = hmac.digest(pem, text.encode(), hashlib.sha256)
    assert reason(f"{text}.{base64url.encode(mac)}", keys) == "identity.signature"


def test_an_algorithm_that_the_issuer_or_the_key_does_not_allow_is_refused() -> None:
    entry = verification_key("k", RSA_KEY.public_key(), "RS256")
    text = jwt.encode(payload(), RSA_KEY, algorithm="RS512", headers={"kid": "k"})
    assert reason(text, keys_of(issuer_keys(entry, algorithms=FAMILIES["RS"]))) == (
        "identity.signature"
    )
    open_key = verification_key("k", RSA_KEY.public_key(), *FAMILIES["RS"])
    allowed = frozenset({"RS256"})
    assert reason(text, keys_of(issuer_keys(open_key, algorithms=allowed))) == "identity.signature"


def test_a_kid_of_another_issuer_does_not_verify() -> None:
    mine = verification_key("mine", STRANGER.public_key(), "ES256")
    keys = keys_of(issuer_keys(mine), issuer_keys(EC_ENTRY, issuer=OTHER_ISSUER))
    assert reason(token(kid="ec-1"), keys) == "identity.unknown"
    assert reason(token(kid="mine"), keys) == "identity.signature"


def test_a_signature_of_another_key_is_refused() -> None:
    assert reason(token(key=STRANGER)) == "identity.signature"


def test_an_issuer_that_is_not_configured_is_refused() -> None:
    assert reason(token(iss="https://idp.example/")) == "identity.unknown"


@pytest.mark.parametrize("audience", ["another", ["a", "b"], [], 5, "", "Face-Gateway", None])
def test_a_wrong_audience_is_refused(audience: object) -> None:
    assert reason(token(aud=audience)) == "identity.unknown"


def test_one_audience_of_several_may_be_ours() -> None:
    assert isinstance(verified_claims(token(aud=["other", AUDIENCE]), fresh(), NOW), Claims)


def test_a_kid_must_name_a_key() -> None:
    assert reason(token(kid=None)) == "identity.malformed"
    assert reason(token(kid="ec-2")) == "identity.unknown"


@pytest.mark.parametrize("claim", ["iss", "sub", "exp"])
def test_a_token_without_a_required_claim_is_refused(claim: str) -> None:
    assert reason(token(changed={claim: None})) == "identity.malformed"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("exp", True),
        ("exp", "1800000000"),
        ("exp", -1),
        ("exp", 2**60),
        ("nbf", "soon"),
        ("iat", [1]),
        ("sub", ["svc-bank"]),
        ("sub", ""),
        ("sub", "x" * 256),
        ("sub", "line\nbreak"),
    ],
)
def test_a_claim_of_another_type_or_size_is_refused(claim: str, value: object) -> None:
    body = json.dumps(payload() | {claim: value}).encode()
    assert reason(signed_bytes(b'{"alg":"ES256","kid":"ec-1"}', body)) == "identity.malformed"


def test_a_token_counts_until_its_expiry_and_not_a_moment_longer() -> None:
    keys, text = fresh(), token()
    end = NOW + timedelta(seconds=300)
    assert isinstance(verified_claims(text, keys, end - timedelta(microseconds=1)), Claims)
    assert reason(text, keys, end) == "identity.expired"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_from_the_future_counts_only_within_the_leeway(claim: str) -> None:
    at = NOW.timestamp()
    assert isinstance(verified_claims(token(changed={claim: at + 30}), fresh(), NOW), Claims)
    assert reason(token(changed={claim: at + 31})) == "identity.expired"


def test_padding_is_refused() -> None:
    assert reason(token() + "=") == "identity.malformed"
    assert reason(token() + "==") == "identity.malformed"


def test_stray_trailing_bits_are_refused() -> None:
    header, body, signature = token().split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 64 octets end in a character with four stray bits: its neighbours decode to the same octets.
    stray = signature[:-1] + alphabet[alphabet.index(signature[-1]) + 1]
    lenient = base64.urlsafe_b64decode(stray + "==")
    assert lenient == base64.urlsafe_b64decode(signature + "==")
    assert reason(f"{header}.{body}.{stray}") == "identity.malformed"


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "a.b", "{}", "\u0661.\u0661.\u0661"])
def test_what_is_no_compact_token_is_refused(text: str) -> None:
    assert reason(text) == "identity.malformed"


def test_an_encrypted_token_is_refused() -> None:
    header = base64url.encode(b'{"alg":"RSA-OAEP","enc":"A256GCM","kid":"ec-1"}')
    assert reason(f"{header}.YQ.YQ.YQ.YQ") == "identity.malformed"
    assert reason(token(header={"enc": "A256GCM"})) == "identity.malformed"


@pytest.mark.parametrize(
    "member",
    [{"crit": ["exp"]}, {"crit": ["b64"], "b64": True}, {"b64": True}, {"zip": "DEF"}],
)
def test_a_header_that_changes_the_meaning_is_refused(member: dict[str, object]) -> None:
    header = json.dumps({"alg": "ES256", "kid": "ec-1"} | member).encode()
    text = signed_bytes(header, json.dumps(payload()).encode())
    assert reason(text) == "identity.malformed"


@pytest.mark.parametrize("kind", ["dpop+jwt", "logout+jwt", "JWE", 5])
def test_a_token_of_another_type_is_refused(kind: object) -> None:
    header = json.dumps({"alg": "ES256", "kid": "ec-1", "typ": kind}).encode()
    text = signed_bytes(header, json.dumps(payload()).encode())
    assert reason(text) == "identity.malformed"


def test_an_access_token_may_say_its_type() -> None:
    assert isinstance(verified_claims(token(header={"typ": "at+jwt"}), fresh(), NOW), Claims)


def test_keys_that_a_token_brings_along_are_not_used() -> None:
    algorithm = jwt.get_algorithm_by_name("ES256")
    own = algorithm.to_jwk(STRANGER.public_key(), as_dict=True)
    header: dict[str, object] = {"jwk": own, "jku": "https://evil.example/jwks.json"}
    assert reason(token(key=STRANGER, header=header)) == "identity.signature"


def test_members_that_stand_twice_are_refused() -> None:
    body = json.dumps(payload()).encode()
    twice = body[:-1] + b',"sub":"svc-other"}'
    assert reason(signed_bytes(b'{"alg":"ES256","kid":"ec-1"}', twice)) == "identity.malformed"
    header = b'{"alg":"ES256","kid":"ec-1","kid":"ec-1"}'
    assert reason(signed_bytes(header, body)) == "identity.malformed"


def test_a_token_beyond_eight_kibibytes_is_refused() -> None:
    assert reason(token(extra="x" * 8192)) == "identity.malformed"


def test_keys_that_are_too_old_verify_nothing_also_what_they_verified_before() -> None:
    keys, text = fresh(), token(exp=int(NOW.timestamp()) + 10**6)
    assert isinstance(verified_claims(text, keys, NOW + timedelta(days=1)), Claims)
    late = NOW + timedelta(days=1, seconds=1)
    assert reason(text, keys, late) == "identity.keys"
    assert reason(token(), fresh(), late) == "identity.keys"


def test_before_the_first_fetch_the_keys_are_not_at_hand() -> None:
    assert reason(token(), keys_of(issuer_keys(fetched=None))) == "identity.keys"


def test_a_missing_key_is_named_for_the_edge() -> None:
    keys = fresh()
    assert missing_key(token(kid="ec-2"), keys) == (ISSUER, "ec-2")
    assert missing_key(token(), keys) is None
    assert missing_key(token(kid="ec-2", iss="https://unknown.example"), keys) is None
    assert missing_key("no token", keys) is None
    assert missing_key("x" * 9000, keys) is None


def test_a_verified_signature_is_remembered_and_a_failed_one_is_not() -> None:
    keys = fresh()
    verified_claims(token(key=STRANGER), keys, NOW)
    assert not keys.memo
    text = token()
    verified_claims(text, keys, NOW)
    assert list(keys.memo) == [hashlib.sha256(text.encode()).digest()]


def test_the_memory_is_bounded() -> None:
    keys = fresh()
    claims = verified_claims(token(), keys, NOW)
    assert isinstance(claims, Claims)
    for number in range(5000):
        keys.memo[number.to_bytes(4, "big")] = claims
        if len(keys.memo) > 4095:
            break
    verified_claims(token(sub="another"), keys, NOW)
    assert len(keys.memo) == 4096


def test_new_keys_forget_and_a_new_age_does_not() -> None:
    keys, text = fresh(), token()
    verified_claims(text, keys, NOW)
    later = with_issuer(keys, issuer_keys(EC_ENTRY, fetched=NOW + timedelta(hours=1)))
    assert later.memo == keys.memo
    assert later.digest == keys.digest
    assert later.issuers[ISSUER].fetched == NOW + timedelta(hours=1)
    entry = verification_key("ec-1", STRANGER.public_key(), "ES256")
    rotated = with_issuer(
        keys, issuer_keys(msgspec.structs.replace(entry, thumbprint="another thumbprint"))
    )
    assert not rotated.memo
    assert reason(text, rotated) == "identity.signature"


def test_other_tenants_forget_no_token_and_other_issuers_forget_all() -> None:
    keys, text = fresh(), token()
    verified_claims(text, keys, NOW)
    others = msgspec.structs.replace(
        fresh(), api_keys={"0" * 64: ApiKey(id="k", tenant_id="t")}, credentials="others"
    )
    assert with_memo_of(others, keys).memo is keys.memo
    entry = verification_key("ec-1", STRANGER.public_key(), "ES256")
    rotated = with_issuer(
        keys, issuer_keys(msgspec.structs.replace(entry, thumbprint="another thumbprint"))
    )
    assert not with_memo_of(rotated, keys).memo


MEMOED = [
    token(),
    token(exp=int(NOW.timestamp()) + 10),
    token(nbf=int(NOW.timestamp()) + 60),
    token(key=STRANGER),
    token(kid="ec-2"),
    token(aud="another"),
]


@given(
    st.lists(
        st.tuples(st.sampled_from(MEMOED), st.integers(min_value=-100, max_value=90_000)),
        max_size=12,
    )
)
@settings(max_examples=25, deadline=None)
def test_with_memory_equals_without_under_any_clock(calls: list[tuple[str, int]]) -> None:
    remembering = fresh()
    for text, offset in calls:
        now = NOW + timedelta(seconds=offset)
        assert verified_claims(text, remembering, now) == verified_claims(text, fresh(), now)


@given(st.one_of(st.text(max_size=80), st.text(alphabet="ab-_.=", max_size=40)))
@settings(max_examples=200, deadline=None)
def test_no_text_makes_the_verifier_raise(text: str) -> None:
    assert isinstance(verified_claims(text, KEYS, NOW), Unverified)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit"]), json_values),
    st.dictionaries(st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat"]), json_values),
)
@settings(max_examples=200, deadline=None)
def test_no_token_makes_the_verifier_raise(
    header: dict[str, object], body: dict[str, object]
) -> None:
    text = compact(
        json.dumps({"alg": "ES256", "kid": "ec-1"} | header).encode(),
        json.dumps(payload() | body).encode(),
        b"x",
    )
    assert isinstance(verified_claims(text, KEYS, NOW), Unverified)


@pytest.mark.parametrize("algorithms", [{"RS256"}, {"RS256", "RS512"}, {"EdDSA"}])
def test_an_issuer_may_use_one_family_of_algorithms(algorithms: set[str]) -> None:
    assert one_family(frozenset(algorithms))


@pytest.mark.parametrize(
    "algorithms",
    [{"RS256", "ES256"}, {"RS256", "PS256"}, {"HS256"}, {"RS256", "HS256"}, {"none"}, set()],
)
def test_an_issuer_may_not_mix_families_nor_use_a_shared_secret(algorithms: set[str]) -> None:
    assert not one_family(frozenset(algorithms))
