"""Key sets of issuers: what verifies tokens, and what must not."""

from __future__ import annotations

import base64
import json
from math import prod

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings, strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.core.identity import base64url
from gateway.core.identity.jwt import FAMILIES
from gateway.errors import SourceError
from gateway.sources.jwk_set import JwkSet, read_jwk_set

EVERY = frozenset[str]().union(*FAMILIES.values())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()

RSA_JWK: dict[str, object] = {
    **RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True),
    "kid": "rsa-1",
}
EC_JWK: dict[str, object] = {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "ec-1"}
ED_JWK: dict[str, object] = {
    **OKPAlgorithm.to_jwk(ED_KEY.public_key(), as_dict=True),
    "kid": "ed-1",
}
GOOD = {**EC_JWK, "kid": "good"}


def read(*keys: object, algorithms: frozenset[str] = EVERY) -> JwkSet:
    return read_jwk_set(json.dumps({"keys": keys}).encode(), algorithms)


def number(value: int) -> str:
    return base64url.encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def test_each_kind_of_key_verifies_its_own_algorithms() -> None:
    keys = read(
        {name: value for name, value in RSA_JWK.items() if name != "key_ops"}, EC_JWK, ED_JWK
    ).keys
    assert keys["rsa-1"].algorithms == FAMILIES["RS"] | FAMILIES["PS"]
    assert keys["ec-1"].algorithms == {"ES256"}
    assert keys["ed-1"].algorithms == {"EdDSA"}
    assert keys["ec-1"].key == EC_KEY.public_key()


def test_the_thumbprint_is_that_of_the_standard() -> None:
    # RFC 7638 section 3.1.
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
        "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
        "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
        "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    entry = {
        "kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
    }  # fmt: skip
    key = read(entry).keys["2011-04-29"]
    assert key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert key.algorithms == {"RS256"}


def test_a_key_is_for_the_algorithms_of_its_issuer_only() -> None:
    key = read({**EC_JWK, "alg": "ES256"}, algorithms=FAMILIES["ES"]).keys["ec-1"]
    assert key.algorithms == {"ES256"}
    with pytest.raises(SourceError, match="not for an algorithm of this issuer"):
        read(EC_JWK, algorithms=FAMILIES["RS"])


OFF_CURVE = {**EC_JWK, "kid": "x", "y": number(int.from_bytes(b"\x01" * 32, "big"))}
SHORT_MODULUS = RSA_KEY.private_numbers().p * 3
ROCA_PRIMES = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]
# Congruent to 65537 modulo every prime of the fingerprint, and of full length.
ROCA_MODULUS = (prod(ROCA_PRIMES) << (2048 - prod(ROCA_PRIMES).bit_length())) + 65537


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({**EC_JWK, "kid": 5}, "no usable `kid`"),
        ({**EC_JWK, "kid": ""}, "no usable `kid`"),
        ({**EC_JWK, "kid": "x" * 256}, "no usable `kid`"),
        ({name: value for name, value in EC_JWK.items() if name != "kid"}, "no usable `kid`"),
        ({**EC_JWK, "use": "enc"}, "not for signatures"),
        ({**EC_JWK, "use": None}, "not for signatures"),
        ({**EC_JWK, "key_ops": ["sign"]}, "not for verifying"),
        ({**EC_JWK, "key_ops": "verify"}, "not for verifying"),
        ({**EC_JWK, "key_ops": []}, "not for verifying"),
        ({**EC_JWK, "alg": "ES384"}, "not for an algorithm of this issuer"),
        ({**EC_JWK, "alg": "HS256"}, "not for an algorithm of this issuer"),
        ({**EC_JWK, "alg": "none"}, "not for an algorithm of this issuer"),
        ({**EC_JWK, "crv": "secp256k1"}, "unknown curve"),
        ({**EC_JWK, "crv": "P-384"}, "not a valid key"),
        ({**EC_JWK, "x": str(EC_JWK["x"]) + "="}, "not a valid key"),
        ({**EC_JWK, "x": 5}, "not a valid key"),
        (OFF_CURVE, "not a valid key"),
        ({**ED_JWK, "crv": "X25519"}, "unknown curve"),
        ({**ED_JWK, "x": "AAAA"}, "not a valid key"),
        ({"kty": "oct", "kid": "x"}, "unknown key type"),
        ({"kid": "x"}, "unknown key type"),
        ({**RSA_JWK, "n": number(SHORT_MODULUS)}, "weak RSA key"),
        ({**RSA_JWK, "n": number((1 << 9000) + 1)}, "weak RSA key"),
        ({**RSA_JWK, "e": number(3)}, "weak RSA key"),
        ({**RSA_JWK, "e": number(65538)}, "weak RSA key"),
        ({**RSA_JWK, "n": "AA" + str(RSA_JWK["n"])}, "not a valid key"),
        ({**RSA_JWK, "n": number(ROCA_MODULUS)}, "weak RSA key (ROCA)"),
    ],
)
def test_a_weak_or_misplaced_key_is_dropped_with_a_reason(
    entry: dict[str, object], expected: str
) -> None:
    entry = {"key_ops": ["verify"], **entry}
    read_set = read(entry, GOOD)
    assert set(read_set.keys) == {"good"}
    assert read_set.dropped == (f"key 0: {expected}",)


def test_a_sound_modulus_has_no_fingerprint_of_a_weak_library() -> None:
    assert set(read({**RSA_JWK, "key_ops": ["verify"]}).keys) == {"rsa-1"}


@pytest.mark.parametrize("member", ["d", "p", "k", "oth"])
def test_a_set_that_publishes_a_secret_is_refused_whole(member: str) -> None:
    with pytest.raises(SourceError, match="publishes a secret"):
        read(GOOD, {**EC_JWK, member: "AAAA"})


def test_a_kid_that_stands_twice_is_refused_whole() -> None:
    with pytest.raises(SourceError, match="twice"):
        read(GOOD, {**RSA_JWK, "kid": "good"})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [1]}',
        b'{"keys": [], "keys": []}',
        json.dumps({"keys": [GOOD] * 257}).encode(),
        json.dumps({"keys": [GOOD]}).encode("utf-16"),
    ],
)
def test_what_is_no_key_set_is_refused(content: bytes) -> None:
    with pytest.raises(SourceError):
        read_jwk_set(content, EVERY)


members = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "use", "key_ops", "alg"])
contents = st.none() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=6))


@given(st.dictionaries(members, contents), st.sampled_from([RSA_JWK, EC_JWK, ED_JWK]))
@settings(max_examples=200, deadline=None)
def test_no_entry_does_more_than_be_dropped(
    changes: dict[str, object], base: dict[str, object]
) -> None:
    read_set = read({**base, **changes}, {**GOOD, "kid": "other good"})
    assert "other good" in read_set.keys


def test_padded_base64_is_not_what_a_key_is_written_in() -> None:
    padded = base64.urlsafe_b64encode(b"\x01" * 32).decode()
    assert padded.endswith("=")
    assert read({**EC_JWK, "x": padded}, GOOD).dropped == ("key 0: not a valid key",)
