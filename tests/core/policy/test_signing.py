"""Signatures over a bundle: who counts, how many, for what, and until when."""

from __future__ import annotations

import base64
from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, strategies as st

from gateway.core.policy.signing import (
    Key,
    Signature,
    Signed,
    Signing,
    Statement,
    approve,
    cosigned,
    read_signed,
    sign,
)
from tests.builders import NOW

ADA, BEN, EVE = (Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n in (1, 2, 3))
BUNDLE, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
STATEMENT = Statement(bundle=BUNDLE, version=7, expires=NOW + timedelta(days=1))


def key(name: str, private: Ed25519PrivateKey) -> Key:
    return Key(id=name, public=private.public_key().public_bytes_raw())


TWO = Signing(keys=(key("ada", ADA), key("ben", BEN)), threshold=2)
ONE = msgspec.structs.replace(TWO, threshold=1)


def signed(*privates: Ed25519PrivateKey, statement: Statement = STATEMENT) -> Signed:
    return cosigned(statement, [sign(private, statement) for private in privates])


def why_not(given: Signed | None, *, bundle: str = BUNDLE, signing: Signing = TWO) -> str:
    with pytest.raises(ValueError, match=r".") as refusal:
        approve(given, bundle=bundle, signing=signing, now=NOW)
    return str(refusal.value)


def test_enough_trusted_keys_approve_a_bundle() -> None:
    assert approve(signed(BEN, ADA), bundle=BUNDLE, signing=TWO, now=NOW) == ("ada", "ben")
    assert approve(signed(BEN, EVE), bundle=BUNDLE, signing=ONE, now=NOW) == ("ben",)


def test_a_bundle_without_a_signature_is_refused_unless_it_may_be() -> None:
    assert (
        why_not(None) == "is not signed; 2 of `ada`, `ben` should sign it: `facegate policy sign`"
    )
    optional = msgspec.structs.replace(TWO, required=False)
    assert approve(None, bundle=BUNDLE, signing=optional, now=NOW) == ()
    assert "1 of 2" in why_not(signed(ADA), signing=optional)


def test_too_few_signatures_are_refused() -> None:
    assert why_not(signed(ADA)) == "1 of 2 needed signatures hold"
    assert why_not(signed()) == "0 of 2 needed signatures hold"


def test_a_key_that_signs_twice_counts_once() -> None:
    one = signed(ADA).signatures[0]
    padded = msgspec.structs.replace(one, public=one.public)
    twice = msgspec.structs.replace(signed(ADA), signatures=(one, padded, one))
    assert why_not(twice) == "1 of 2 needed signatures hold"


def test_a_foreign_key_does_not_count_and_is_named() -> None:
    public = base64.b64encode(EVE.public_key().public_bytes_raw()).decode()
    assert why_not(signed(ADA, EVE)) == (
        f"1 of 2 needed signatures hold; the key `{public}` is not trusted"
    )


def test_a_key_that_was_rotated_out_does_not_count_any_more() -> None:
    rotated = Signing(keys=(key("ada", ADA), key("eve", EVE)), threshold=2)
    assert "is not trusted" in why_not(signed(ADA, BEN), signing=rotated)


def test_the_signatures_of_another_bundle_are_refused() -> None:
    assert why_not(signed(ADA, BEN), bundle=OTHER) == (
        f"the signatures are of another bundle, {BUNDLE}; this is {OTHER}"
    )


def test_expired_signatures_are_refused_from_the_very_moment() -> None:
    late = msgspec.structs.replace(STATEMENT, expires=NOW)
    assert why_not(signed(ADA, BEN, statement=late)).startswith("the signatures expired on 2026-")
    last = msgspec.structs.replace(STATEMENT, expires=NOW + timedelta(microseconds=1))
    assert approve(signed(ADA, BEN, statement=last), bundle=BUNDLE, signing=TWO, now=NOW)


@pytest.mark.parametrize(
    "change",
    [{"bundle": OTHER}, {"version": 8}, {"expires": NOW + timedelta(days=2)}],
    ids=["bundle", "version", "expiry"],
)
def test_nothing_of_what_was_signed_can_be_changed(change: dict[str, object]) -> None:
    changed = msgspec.structs.replace(signed(ADA, BEN), **change)
    words = why_not(changed, bundle=changed.bundle)
    assert words.startswith("0 of 2 needed signatures hold")
    assert "the signature of `ada` does not hold" in words


@given(st.integers(0, 63), st.integers(1, 255))
def test_a_signature_with_any_other_byte_does_not_hold(place: int, change: int) -> None:
    good = signed(ADA, BEN)
    content = bytearray(base64.b64decode(good.signatures[0].signature))
    content[place] ^= change
    forged = Signature(
        public=good.signatures[0].public, signature=base64.b64encode(content).decode()
    )
    bad = msgspec.structs.replace(good, signatures=(forged, good.signatures[1]))
    assert "does not hold" in why_not(bad)


@pytest.mark.parametrize("length", [0, 1, 32, 63])
def test_a_truncated_signature_does_not_hold(length: int) -> None:
    good = signed(ADA, BEN)
    short = base64.b64encode(base64.b64decode(good.signatures[0].signature)[:length]).decode()
    cut = msgspec.structs.replace(good.signatures[0], signature=short)
    bad = msgspec.structs.replace(good, signatures=(cut, good.signatures[1]))
    assert "does not hold" in why_not(bad)


def test_an_all_zero_key_signs_nothing() -> None:
    # The point of small order: verifiers that accept it hold any message to be signed.
    weak = Key(id="weak", public=bytes(32))
    signing = Signing(keys=(weak,), threshold=1)
    zero = Signature(
        public=base64.b64encode(bytes(32)).decode(), signature=base64.b64encode(bytes(64)).decode()
    )
    assert "0 of 1" in why_not(cosigned(STATEMENT, [zero]), signing=signing)


def test_a_signature_file_is_read_back_as_it_was_written() -> None:
    good = signed(ADA, BEN)
    assert read_signed(msgspec.json.encode(good)) == good


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[" * 9999,
        b"\xff",
        msgspec.json.encode({**msgspec.to_builtins(signed(ADA)), "more": 1}),
        msgspec.json.encode({**msgspec.to_builtins(signed(ADA)), "version": 0}),
        msgspec.json.encode({**msgspec.to_builtins(signed(ADA)), "version": 2**53}),
        msgspec.json.encode({**msgspec.to_builtins(signed(ADA)), "expires": "2027-01-01T00:00:00"}),
        msgspec.json.encode({**msgspec.to_builtins(signed(ADA)), "facegate": "other/v1"}),
        msgspec.json.encode(
            {
                **msgspec.to_builtins(signed(ADA)),
                "signatures": [{"public": "", "signature": ""}] * 65,
            }
        ),
    ],
    ids=range(10),
)
def test_what_is_no_signature_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="is no signature of a known form"):
        read_signed(content)
