"""Detached Ed25519 signatures over a policy bundle: k of n keys, a version, an expiry.

What is signed names the bundle by the digest over all its files, so nothing in it can be swapped,
added, taken away or renamed. The version only ever rises: an older bundle that was signed once does
not come back. The expiry bounds when a bundle may be activated, not how long it serves.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_CONTEXT: Final = b"facegate policy bundle v1\n"
_MAX_SIGNATURES: Final = 64

Version = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed: this bundle, as this version, to be activated before this time (UTC)."""

    bundle: str
    version: Version
    expires: datetime


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signature: public key (32 bytes) and signature (64 bytes), both in base64."""

    public: str
    signature: str


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file `bundle.sig.json`: a statement, and who signed it."""

    facegate: Literal["bundle-signature/v1"] = "bundle-signature/v1"
    bundle: str
    version: Version
    expires: datetime
    signatures: Annotated[tuple[Signature, ...], msgspec.Meta(max_length=_MAX_SIGNATURES)]

    @property
    def statement(self) -> Statement:
        """What is signed."""
        return Statement(bundle=self.bundle, version=self.version, expires=self.expires)


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A trusted signer: a name for people, and the public key, 32 bytes."""

    id: str
    public: bytes


class Signing(msgspec.Struct, frozen=True, kw_only=True):
    """Whose signatures count, how many are needed, and whether a bundle may have none."""

    keys: tuple[Key, ...]
    threshold: int
    required: bool = True


_decoder: msgspec.json.Decoder[Signed] = msgspec.json.Decoder(Signed)
_encoder = msgspec.json.Encoder(order="sorted")


def message_of(statement: Statement) -> bytes:
    """Return the bytes that are signed; no other purpose's bytes begin alike."""
    return _CONTEXT + _encoder.encode(statement)


def sign(key: Ed25519PrivateKey, statement: Statement) -> Signature:
    """Sign a statement."""
    return Signature(
        public=_text(key.public_key().public_bytes_raw()),
        signature=_text(key.sign(message_of(statement))),
    )


def cosigned(statement: Statement, signatures: Iterable[Signature]) -> Signed:
    """Put a statement and its signatures together, one a key, sorted by key."""
    by_key = {signature.public: signature for signature in signatures}
    return Signed(
        bundle=statement.bundle,
        version=statement.version,
        expires=statement.expires,
        signatures=tuple(by_key[public] for public in sorted(by_key)),
    )


def read_signed(content: bytes) -> Signed:
    """Read `bundle.sig.json`.

    Raises:
        ValueError: it is not of this form.
    """
    try:
        signed = _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"is no signature of a known form: {error}") from error
    if signed.expires.tzinfo is None:
        raise ValueError("is no signature of a known form: `expires` has no time zone")
    return signed


def approve(
    signed: Signed | None, *, bundle: str, signing: Signing, now: datetime
) -> tuple[str, ...]:
    """Hold a bundle to the signatures that are asked for.

    Args:
        signed: what came with the bundle; None where nothing did.
        bundle: digest of the bundle that is there.
        signing: whose signatures count.
        now: aware, UTC.

    Returns:
        The names of the trusted keys whose signature holds, sorted; none where there is no
        signature and none is required.

    Raises:
        ValueError: why the bundle is not to be activated, in words.
    """
    if signed is None:
        if signing.required:
            raise ValueError(f"is not signed; {_wanted(signing)}")
        return ()
    if signed.bundle != bundle:
        raise ValueError(f"the signatures are of another bundle, {signed.bundle}; this is {bundle}")
    signers, faults = _signers(signed, signing)
    if len(signers) < signing.threshold:
        found = f"{len(signers)} of {signing.threshold} needed signatures hold"
        raise ValueError("; ".join([found, *faults]))
    if signed.expires <= now:
        raise ValueError(f"the signatures expired on {signed.expires.isoformat()}")
    return signers


def _signers(signed: Signed, signing: Signing) -> tuple[tuple[str, ...], list[str]]:
    """Return the trusted keys whose signature holds, each once, and what is wrong with others."""
    message = message_of(signed.statement)
    trusted = {key.public: key.id for key in signing.keys}
    signers, faults = set[str](), list[str]()
    for signature in signed.signatures:
        public = _bytes(signature.public)
        name = trusted.get(public)
        if name is None:
            faults.append(f"the key `{signature.public[:64]}` is not trusted")
        elif _holds(public, _bytes(signature.signature), message):
            signers.add(name)
        else:
            faults.append(f"the signature of `{name}` does not hold")
    return tuple(sorted(signers)), faults


def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _wanted(signing: Signing) -> str:
    names = ", ".join(f"`{key.id}`" for key in signing.keys)
    return f"{signing.threshold} of {names} should sign it: `facegate policy sign`"


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str) -> bytes:
    """Read base64; nothing where it is none, which no key and no signature is."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""
