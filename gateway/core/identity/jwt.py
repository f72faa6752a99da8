"""JSON Web Tokens (RFC 7519) from configured issuers, verified strictly (RFC 8725).

PyJWT checks the signature, issuer, audience and required claims. What it lets pass is refused here
first: padding and stray bits in base64url, duplicate members, `crit`, other token types, oversize
values; and time is checked here, against the decision's own clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import jwt
import msgspec

from gateway.core import strict_json
from gateway.core.identity import base64url
from gateway.core.identity.keys import Claims, IssuerKeys, Keys, VerificationKey
from gateway.core.identity.model import Unverified
from gateway.core.strict_json import JsonValue

# Signatures with public keys only, by family; an issuer uses one family.
FAMILIES: Final[Mapping[str, frozenset[str]]] = {
    "RS": frozenset({"RS256", "RS384", "RS512"}),
    "PS": frozenset({"PS256", "PS384", "PS512"}),
    "ES": frozenset({"ES256", "ES384", "ES512"}),
    "Ed": frozenset({"EdDSA"}),
}

LEEWAY: Final = timedelta(seconds=30)  # for clocks of issuers that run ahead; never for `exp`
_LEEWAY_S: Final = LEEWAY.total_seconds()
TOKEN_BYTES: Final = 8192
_TEXT_CHARACTERS: Final = 255
_AUDIENCES: Final = 32
_MEMO_ENTRIES: Final = 4096
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
# Header members that change what the token means or how it is verified.
_REFUSED_MEMBERS: Final = frozenset({"crit", "b64", "enc", "zip"})
_REQUIRED: Final = ["exp", "iss", "aud", "sub"]


class _Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token in readable form, its signature not yet verified."""

    algorithm: str
    kid: str
    audiences: tuple[str, ...]
    claims: Claims


def one_family(algorithms: frozenset[str]) -> bool:
    """Tell whether an issuer may be configured with these algorithms."""
    return bool(algorithms) and any(algorithms <= family for family in FAMILIES.values())


def verified_claims(text: str, keys: Keys, now: datetime) -> Claims | Unverified:
    """Return what a valid token says, or why it is not valid now.

    The verified signature is remembered in `keys.memo`; age of the keys and times of the token are
    checked on every call.
    """
    if len(text) > TOKEN_BYTES or not text.isascii():
        return Unverified(reason="identity.malformed")
    digest = hashlib.sha256(text.encode("ascii")).digest()
    claims = keys.memo.get(digest)
    if claims is None:
        verified = _verify(text, keys, now)
        if isinstance(verified, Unverified):
            return verified
        claims = _remember(keys.memo, digest, verified)
    if not keys.issuers[claims.issuer].usable(now):
        return Unverified(reason="identity.keys")
    return _valid_at(claims, now)


def missing_key(text: str, keys: Keys) -> tuple[str, str] | None:
    """Return issuer and `kid` of a readable token whose key is not at hand; else None.

    For the edge, which may ask the issuer for newer keys.
    """
    token = _read(text) if len(text) <= TOKEN_BYTES and text.isascii() else None
    issuer = keys.issuers.get(token.claims.issuer) if token is not None else None
    if token is None or issuer is None or token.kid in issuer.keys:
        return None
    return issuer.issuer, token.kid


def _verify(text: str, keys: Keys, now: datetime) -> Claims | Unverified:
    token = _read(text)
    if token is None:
        return Unverified(reason="identity.malformed")
    issuer = keys.issuers.get(token.claims.issuer)
    if issuer is None or issuer.audience not in token.audiences:
        return Unverified(reason="identity.unknown")
    if not issuer.usable(now):
        return Unverified(reason="identity.keys")
    key = issuer.keys.get(token.kid)
    if key is None:
        return Unverified(reason="identity.unknown")
    if token.algorithm not in issuer.algorithms & key.algorithms:
        return Unverified(reason="identity.signature")
    return token.claims if _holds(text, issuer, key) else Unverified(reason="identity.signature")


def _holds(text: str, issuer: IssuerKeys, key: VerificationKey) -> bool:
    try:
        jwt.decode(
            text,
            key=key.key,
            algorithms=sorted(issuer.algorithms & key.algorithms),
            audience=issuer.audience,
            issuer=issuer.issuer,
            # Times are checked against the decision's clock, not the library's.
            options={
                "require": _REQUIRED,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except Exception:  # noqa: BLE001 - PyJWT lets foreign errors out; whatever it is, it is no proof
        return False
    return True


def _read(text: str) -> _Token | None:
    """Read a compact JWS; None where any part of it is not in its one accepted form."""
    segments = text.split(".")
    if len(segments) != len(("header", "payload", "signature")) or not all(segments):
        return None
    header, payload = _members(segments[0]), _members(segments[1])
    if header is None or payload is None or base64url.decode(segments[2]) is None:
        return None
    if not _REFUSED_MEMBERS.isdisjoint(header):
        return None
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        return None
    algorithm, kid = _text(header.get("alg")), _text(header.get("kid"))
    audiences, claims = _audiences(payload.get("aud")), _claims(payload)
    if algorithm is None or kid is None or claims is None:
        return None
    return _Token(algorithm=algorithm, kid=kid, audiences=audiences, claims=claims)


def _members(segment: str) -> dict[str, JsonValue] | None:
    content = base64url.decode(segment)
    value = strict_json.loads(content) if content is not None else None
    return value if isinstance(value, dict) else None


def _claims(payload: dict[str, JsonValue]) -> Claims | None:
    issuer, subject = _text(payload.get("iss")), _text(payload.get("sub"))
    expires = _seconds(payload.get("exp"))
    issued, not_before = _seconds(payload.get("iat", 0)), _seconds(payload.get("nbf", 0))
    if issuer is None or subject is None:
        return None
    if expires is None or issued is None or not_before is None:
        return None
    return Claims(
        issuer=issuer, subject=subject, expires=expires, not_before=not_before, issued=issued
    )


def _audiences(value: JsonValue) -> tuple[str, ...]:
    """Read `aud`, one text or a list of them; empty where it is neither."""
    values = value if isinstance(value, list) else [value]
    texts = [_text(one) for one in values[:_AUDIENCES]]
    return tuple(text for text in texts if text is not None)


def _text(value: JsonValue) -> str | None:
    if isinstance(value, str) and 0 < len(value) <= _TEXT_CHARACTERS and value.isprintable():
        return value
    return None


def _seconds(value: JsonValue) -> float | None:
    """Read a NumericDate; a Boolean is none, although Python would count with it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 2**53 else None


def _valid_at(claims: Claims, now: datetime) -> Claims | Unverified:
    at = now.timestamp()
    ahead = at + _LEEWAY_S
    if at >= claims.expires or claims.not_before > ahead or claims.issued > ahead:
        return Unverified(reason="identity.expired")
    return claims


def _remember(memo: dict[bytes, Claims], digest: bytes, claims: Claims) -> Claims:
    if len(memo) >= _MEMO_ENTRIES:
        del memo[next(iter(memo))]
    memo[digest] = claims
    return claims
