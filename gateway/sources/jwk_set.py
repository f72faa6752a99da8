"""JSON Web Key Sets (RFC 7517), read strictly: what an issuer publishes to verify its tokens with.

A set with two readings (the same `kid` twice) or with a secret in it is refused whole. A key that
is weak, or not meant for verifying signatures, is dropped with a reason, and the others stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gateway.core import strict_json
from gateway.core.identity import base64url
from gateway.core.identity.jwt import FAMILIES
from gateway.core.identity.keys import PublicKey, VerificationKey
from gateway.core.strict_json import JsonValue
from gateway.errors import SourceError

_KEYS: Final = 256
_KID_CHARACTERS: Final = 255
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_RSA_BITS: Final = range(2048, 8193)  # SP 800-131A from below; above, each request costs too much
_RSA_EXPONENTS: Final = range(65537, 2**32)  # FIPS 186-5 section A.1.1
_CURVES: Final[Mapping[str, tuple[ec.EllipticCurve, str]]] = {
    "P-256": (ec.SECP256R1(), "ES256"),
    "P-384": (ec.SECP384R1(), "ES384"),
    "P-521": (ec.SECP521R1(), "ES512"),
}
# Moduli of the Infineon library (ROCA, CVE-2017-15361) are powers of 65537 modulo each of these.
_ROCA_PRIMES: Final = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
_ROCA_RESIDUES: Final = {
    prime: frozenset(pow(65537, power, prime) for power in range(prime)) for prime in _ROCA_PRIMES
}


class JwkSet(msgspec.Struct, frozen=True, kw_only=True):
    """The usable keys by `kid`, and why each of the others is not (in the order of the set)."""

    keys: Mapping[str, VerificationKey]
    dropped: tuple[str, ...]


def read_jwk_set(content: bytes, algorithms: frozenset[str]) -> JwkSet:
    """Read a key set for an issuer with these algorithms.

    Raises:
        SourceError: the set is not acceptable, or no key in it is usable.
    """
    entries = _entries(content)
    keys: dict[str, VerificationKey] = {}
    dropped: list[str] = []
    for place, entry in enumerate(entries):
        key = _key(entry, algorithms)
        if isinstance(key, str):
            dropped.append(f"key {place}: {key}")
        else:
            keys[key.kid] = key
    if not keys:
        raise SourceError("no key of the set is usable" + (f" ({dropped[0]})" if dropped else ""))
    return JwkSet(keys=keys, dropped=tuple(dropped))


def _entries(content: bytes) -> list[dict[str, JsonValue]]:
    value = strict_json.loads(content)
    listed = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(listed, list) or len(listed) > _KEYS:
        raise SourceError("not a key set")
    entries = [entry for entry in listed if isinstance(entry, dict)]
    if len(entries) < len(listed):
        raise SourceError("not a key set: an entry is no object")
    if any(not _PRIVATE.isdisjoint(entry) for entry in entries):
        raise SourceError("the key set publishes a secret")
    kids = [entry["kid"] for entry in entries if isinstance(entry.get("kid"), str)]
    if len(kids) != len(set(map(str, kids))):
        raise SourceError("the key set names one `kid` twice")
    return entries


def _key(entry: dict[str, JsonValue], algorithms: frozenset[str]) -> VerificationKey | str:
    """Return the key, or why it is not usable."""
    kid = entry.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _KID_CHARACTERS or not kid.isprintable():
        return "no usable `kid`"
    if entry.get("use", "sig") != "sig":
        return "not for signatures"
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return "not for verifying"
    read = _public_key(entry)
    if isinstance(read, str):
        return read
    key, possible, thumbprint = read
    declared = entry.get("alg")
    usable = possible & algorithms & (possible if declared is None else {str(declared)})
    if not usable:
        return "not for an algorithm of this issuer"
    return VerificationKey(kid=kid, algorithms=usable, key=key, thumbprint=thumbprint)


def _public_key(entry: dict[str, JsonValue]) -> tuple[PublicKey, frozenset[str], str] | str:
    """Return key, possible algorithms and thumbprint, or why the key is refused."""
    try:
        match entry.get("kty"):
            case "RSA":
                return _rsa_key(entry)
            case "EC":
                return _ec_key(entry)
            case "OKP":
                return _ed25519_key(entry)
            case _:
                return "unknown key type"
    except ValueError:
        return "not a valid key"


def _rsa_key(entry: dict[str, JsonValue]) -> tuple[PublicKey, frozenset[str], str] | str:
    modulus, exponent = _number(entry, "n"), _number(entry, "e")
    if modulus.bit_length() not in _RSA_BITS or exponent not in _RSA_EXPONENTS or exponent % 2 == 0:
        return "weak RSA key"
    if all(modulus % prime in residues for prime, residues in _ROCA_RESIDUES.items()):
        return "weak RSA key (ROCA)"
    key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    return key, FAMILIES["RS"] | FAMILIES["PS"], _thumbprint(entry, "e", "kty", "n")


def _ec_key(entry: dict[str, JsonValue]) -> tuple[PublicKey, frozenset[str], str] | str:
    curve, algorithm = _CURVES.get(str(entry.get("crv")), (None, ""))
    if curve is None:
        return "unknown curve"
    octets = (curve.key_size + 7) // 8
    x, y = _octets(entry, "x"), _octets(entry, "y")
    if len(x) != octets or len(y) != octets:
        return "not a valid key"
    key = ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + x + y)
    return key, frozenset({algorithm}), _thumbprint(entry, "crv", "kty", "x", "y")


def _ed25519_key(entry: dict[str, JsonValue]) -> tuple[PublicKey, frozenset[str], str] | str:
    if entry.get("crv") != "Ed25519":
        return "unknown curve"
    key = ed25519.Ed25519PublicKey.from_public_bytes(_octets(entry, "x"))
    return key, FAMILIES["Ed"], _thumbprint(entry, "crv", "kty", "x")


def _octets(entry: dict[str, JsonValue], member: str) -> bytes:
    text = entry.get(member)
    content = base64url.decode(text) if isinstance(text, str) else None
    if not content:
        raise ValueError(member)
    return content


def _number(entry: dict[str, JsonValue], member: str) -> int:
    """Read a Base64urlUInt, which has no leading zero octet (RFC 7518 section 2).

    Raises:
        ValueError: it is none.
    """
    content = _octets(entry, member)
    if content[0] == 0:
        raise ValueError(member)
    return int.from_bytes(content, "big")


def _thumbprint(entry: dict[str, JsonValue], *members: str) -> str:
    """Return the thumbprint over the required members (RFC 7638 section 3.2), in base64url."""
    text = msgspec.json.encode({member: entry[member] for member in sorted(members)})
    return base64url.encode(hashlib.sha256(text).digest())
