from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import jwt
import pytest

from gateway.demo.issuer import ALGORITHM, Issuer


async def _verify(issuer: Issuer, token: str) -> dict[str, object]:
    client = jwt.PyJWKClient(issuer.jwks_url, cache_jwk_set=False)
    key = await asyncio.to_thread(client.get_signing_key_from_jwt, token)
    claims: dict[str, object] = jwt.decode(
        token, key.key, algorithms=[ALGORITHM], audience="face-gateway", issuer=issuer.url
    )
    return claims


async def test_a_minted_token_verifies_by_the_published_key() -> None:
    async with Issuer() as issuer:
        token = issuer.mint("svc-bank", audience="face-gateway", now=datetime.now(UTC), team="kyc")
        claims = await _verify(issuer, token)
    assert claims["sub"] == "svc-bank"
    assert claims["team"] == "kyc"


async def test_a_negative_lifetime_mints_an_expired_token() -> None:
    async with Issuer() as issuer:
        token = issuer.mint(
            "svc-bank", audience="face-gateway", now=datetime.now(UTC), lifetime_s=-600
        )
        with pytest.raises(jwt.ExpiredSignatureError):
            await _verify(issuer, token)


async def test_after_a_rotation_old_tokens_hold_until_the_key_is_withdrawn() -> None:
    async with Issuer() as issuer:
        old = issuer.mint("svc-bank", audience="face-gateway", now=datetime.now(UTC))
        issuer.rotate()
        new = issuer.mint("svc-bank", audience="face-gateway", now=datetime.now(UTC))
        assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
        assert (await _verify(issuer, old))["sub"] == "svc-bank"
        assert (await _verify(issuer, new))["sub"] == "svc-bank"
        issuer.rotate(keep_old=False)
        with pytest.raises(jwt.PyJWKClientError):
            await _verify(issuer, new)


async def test_the_issuer_publishes_public_halves_only() -> None:
    async with Issuer() as issuer, aiohttp.ClientSession() as session:
        async with session.get(issuer.jwks_url) as answer:
            document = await answer.json()
        async with session.get(f"{issuer.url}/.well-known/openid-configuration") as answer:
            discovery = await answer.json()
        async with session.get(f"{issuer.url}/private") as answer:
            assert answer.status == 404
    assert [sorted(key) for key in document["keys"]] == [["alg", "e", "kid", "kty", "n", "use"]]
    assert discovery == {"issuer": issuer.url, "jwks_uri": issuer.jwks_url}


def test_a_token_lives_as_long_as_asked() -> None:
    now = datetime.now(UTC)
    claims = jwt.decode(
        Issuer().mint("s", audience="a", now=now, lifetime_s=60),
        options={"verify_signature": False},
    )
    assert claims["exp"] == int((now + timedelta(seconds=60)).timestamp())
