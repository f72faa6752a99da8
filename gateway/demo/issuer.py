"""An identity provider on loopback with keys made on the spot: tokens for the invented callers.

Serves its JWK set (RFC 7517) and the discovery document that names it; everything else is 404.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta

import jwt
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from gateway.demo.loopback import LoopbackServer

ALGORITHM = "RS256"
_EXPONENT = 65537
_KEY_BITS = 2048
_JWKS_PATH = "/jwks.json"
_DISCOVERY_PATH = "/.well-known/openid-configuration"


class _Key(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key and its public half as a JWK; never shown."""

    private: RSAPrivateKey
    public: dict[str, str]

    def __repr__(self) -> str:
        return f"_Key(kid={self.public['kid']!r})"


class Issuer(LoopbackServer):
    """Its `url` is the issuer identifier and its base address."""

    def __init__(self) -> None:
        super().__init__(self._handle)
        self._keys = [_fresh_key()]

    @property
    def jwks_url(self) -> str:
        """Address of the JWK set."""
        return self.url + _JWKS_PATH

    def rotate(self, *, keep_old: bool = True) -> None:
        """Sign with a new key from now on; the old ones stay published unless withdrawn."""
        self._keys = [_fresh_key(), *(self._keys if keep_old else [])]

    def mint(
        self,
        subject: str,
        *,
        audience: str,
        now: datetime,
        lifetime_s: int = 300,
        **claims: str | int,
    ) -> str:
        """Sign a token; a negative `lifetime_s` makes one that has already expired."""
        key = self._keys[0]
        expires = now + timedelta(seconds=lifetime_s)
        payload = {
            "iss": self.url,
            "sub": subject,
            "aud": audience,
            "iat": int(min(now, expires).timestamp()),
            "exp": int(expires.timestamp()),
            **claims,
        }
        return jwt.encode(
            payload, key.private, algorithm=ALGORITHM, headers={"kid": key.public["kid"]}
        )

    async def _handle(self, http: web.BaseRequest) -> web.Response:
        documents: dict[str, object] = {
            _JWKS_PATH: {"keys": [key.public for key in self._keys]},
            _DISCOVERY_PATH: {"issuer": self.url, "jwks_uri": self.jwks_url},
        }
        document = documents.get(http.path)
        if document is None or http.method != "GET":
            return web.Response(status=404)
        return web.Response(
            body=msgspec.json.encode(document), content_type="application/json", charset="utf-8"
        )


def _fresh_key() -> _Key:
    """Make an RSA key; its id is the JWK thumbprint (RFC 7638)."""
    private = rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_KEY_BITS)
    numbers = private.public_key().public_numbers()
    required = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
    thumbprint = hashlib.sha256(msgspec.json.encode(required)).digest()
    public = {**required, "kid": _base64url(thumbprint), "use": "sig", "alg": ALGORITHM}
    return _Key(private=private, public=public)


def _number(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8))


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
