"""The fetcher of issuers' keys, against a real server on the loopback interface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from gateway.core.identity.jwt import verified_claims
from gateway.core.identity.keys import Claims, IssuerKeys, Keys, make_keys, with_issuer
from gateway.core.identity.model import Unverified
from gateway.sources.jwks import COOLDOWN, Issuer, JwksSource, issuer_mistakes, without_keys

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
ISSUER = "https://idp.example"
ONE, TWO = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))


def key_set(**keys: ec.EllipticCurvePrivateKey) -> bytes:
    entries = [
        {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid}
        for kid, key in keys.items()
    ]
    return json.dumps({"keys": entries}).encode()


class Provider:
    """An identity provider whose answer a test sets."""

    def __init__(self) -> None:
        self.content = key_set(one=ONE)
        self.status = 200
        self.fetches = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()
        self.url = ""

    async def answer(self, _: web.Request) -> web.Response:
        self.fetches += 1
        self.reached.set()
        await self.gate.wait()
        headers = {"location": "/other"} if self.status == 302 else {}
        return web.Response(body=self.content, status=self.status, headers=headers)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    simulated = Provider()
    app = web.Application()
    app.router.add_get("/jwks.json", simulated.answer)
    app.router.add_get("/other", simulated.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    simulated.url = f"http://{host}:{port}/jwks.json"
    yield simulated
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def changes() -> list[IssuerKeys]:
    return []


def issuer(url: str) -> Issuer:
    return Issuer(
        issuer=ISSUER,
        jwks=url,
        audience="face-gateway",
        algorithms=frozenset({"ES256"}),
        max_stale=timedelta(hours=1),
    )


@pytest.fixture
async def source(
    provider: Provider, session: aiohttp.ClientSession, clock: Clock, changes: list[IssuerKeys]
) -> JwksSource:
    return JwksSource(
        issuer(provider.url),
        session=session,
        clock=clock,
        on_change=changes.append,
        jitter=lambda: 0.0,
    )


def keys_of(*issuers: IssuerKeys) -> Keys:
    return make_keys(
        issuers=issuers,
        api_keys={},
        access_keys={},
        secrets_key=None,
    )


def token(key: ec.EllipticCurvePrivateKey, kid: str) -> str:
    expires = int(START.timestamp()) + 10**6
    claims = {"iss": ISSUER, "aud": "face-gateway", "sub": "svc", "exp": expires}
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid})


async def test_the_keys_of_an_issuer_verify_its_tokens(
    source: JwksSource, changes: list[IssuerKeys]
) -> None:
    assert source.last_success is None
    assert source.due() == timedelta(0)
    assert await source.refresh()
    assert changes == [source.keys]
    assert source.last_success == START
    assert isinstance(verified_claims(token(ONE, "one"), keys_of(source.keys), START), Claims)


async def test_rotated_keys_replace_the_old_ones(source: JwksSource, provider: Provider) -> None:
    await source.refresh()
    before = keys_of(source.keys)
    provider.content = key_set(two=TWO)
    await source.refresh()
    after = with_issuer(before, source.keys)
    assert isinstance(verified_claims(token(TWO, "two"), after, START), Claims)
    assert verified_claims(token(ONE, "one"), after, START) == Unverified(reason="identity.unknown")


async def test_in_an_outage_the_last_good_keys_verify_until_they_are_too_old(
    source: JwksSource, provider: Provider, clock: Clock, changes: list[IssuerKeys]
) -> None:
    await source.refresh()
    provider.status = 500
    clock.now = START + timedelta(minutes=59)
    assert not await source.refresh()
    assert source.failures == 1
    assert source.last_error == "the issuer answered 500"
    assert len(changes) == 1
    keys = keys_of(source.keys)
    assert isinstance(verified_claims(token(ONE, "one"), keys, clock.now), Claims)
    clock.now = START + timedelta(hours=1, seconds=1)
    refused = Unverified(reason="identity.keys")
    assert verified_claims(token(ONE, "one"), keys, clock.now) == refused
    provider.status = 200
    assert await source.refresh()
    assert source.failures == 0
    assert source.last_error == ""
    recovered = with_issuer(keys, source.keys)
    assert isinstance(verified_claims(token(ONE, "one"), recovered, clock.now), Claims)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>busy</html>",
        b"{}",
        b'{"keys": []}',
        b" " * ((1 << 20) + 1),
        key_set(one=ONE)[:-3],
    ],
)
async def test_garbage_keeps_the_last_good_keys(
    source: JwksSource, provider: Provider, content: bytes
) -> None:
    await source.refresh()
    good = source.keys
    provider.content = content
    assert not await source.refresh()
    assert source.keys == good
    assert source.last_error


async def test_a_redirect_is_not_followed(source: JwksSource, provider: Provider) -> None:
    provider.status = 302
    assert not await source.refresh()
    assert provider.fetches == 1


async def test_an_issuer_that_cannot_be_reached_is_a_failure(
    session: aiohttp.ClientSession, clock: Clock, changes: list[IssuerKeys], unused_tcp_port: int
) -> None:
    source = JwksSource(
        issuer(f"http://127.0.0.1:{unused_tcp_port}/"),
        session=session,
        clock=clock,
        on_change=changes.append,
    )
    assert not await source.refresh()
    assert source.last_error.startswith("the issuer cannot be reached")
    assert not changes


async def test_a_storm_of_unknown_kids_is_one_fetch(
    source: JwksSource, provider: Provider, clock: Clock
) -> None:
    await source.refresh()
    clock.now += COOLDOWN
    assert source.due() > timedelta(0)
    async with asyncio.TaskGroup() as group:
        for number in range(50):
            source.wanted(f"unknown-{number}")
            group.create_task(source.refresh())
    assert provider.fetches == 2
    source.wanted("unknown-again")
    assert source.due() == COOLDOWN
    clock.now += COOLDOWN
    assert source.due() == timedelta(0)


async def test_a_kid_that_is_at_hand_asks_for_nothing(source: JwksSource, clock: Clock) -> None:
    await source.refresh()
    clock.now += COOLDOWN
    source.wanted("one")
    assert source.due() == timedelta(minutes=5) - COOLDOWN


async def test_failures_are_repeated_ever_more_slowly(
    source: JwksSource, provider: Provider
) -> None:
    provider.status = 503
    pauses = []
    for _ in range(6):
        await source.refresh()
        pauses.append(source.due())
    assert pauses == [timedelta(seconds=seconds) for seconds in (30, 60, 120, 240, 300, 300)]


async def test_many_processes_do_not_fetch_in_step(
    provider: Provider, session: aiohttp.ClientSession, clock: Clock
) -> None:
    pauses = set()
    for jitter in (lambda: 0.0, lambda: 0.5, lambda: 0.999):
        source = JwksSource(
            issuer(provider.url),
            session=session,
            clock=clock,
            on_change=lambda _: None,
            jitter=jitter,
        )
        await source.refresh()
        pauses.add(source.due())
    assert len(pauses) == 3


async def test_calls_at_the_same_time_share_one_fetch(
    source: JwksSource, provider: Provider
) -> None:
    provider.gate.clear()
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(source.refresh()) for _ in range(5)]
        group.create_task(open_gate(provider))
    assert provider.fetches == 1
    assert all(call.result() for call in calls)


async def open_gate(provider: Provider) -> None:
    await provider.reached.wait()
    provider.gate.set()


async def test_the_loop_fetches_at_once_and_again_when_a_key_is_wanted(
    provider: Provider, session: aiohttp.ClientSession, clock: Clock
) -> None:
    arrived: asyncio.Queue[IssuerKeys] = asyncio.Queue()
    source = JwksSource(
        issuer(provider.url), session=session, clock=clock, on_change=arrived.put_nowait
    )
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        loop = group.create_task(source.run())
        first = await arrived.get()
        assert set(first.keys) == {"one"}
        provider.content = key_set(one=ONE, two=TWO)
        clock.now += COOLDOWN
        source.wanted("two")
        second = await arrived.get()
        assert set(second.keys) == {"one", "two"}
        loop.cancel()
    assert provider.fetches == 2


def test_before_the_first_fetch_an_issuer_has_no_keys() -> None:
    empty = without_keys(issuer("https://idp.example/jwks.json"))
    assert not empty.usable(START)
    assert verified_claims(token(ONE, "one"), keys_of(empty), START) == Unverified(
        reason="identity.keys"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://idp.example/jwks.json",
        "http://127.0.0.1:8080/jwks.json",
        "http://[::1]/jwks.json",
        "http://localhost/jwks.json",
    ],
)
def test_keys_come_over_tls_or_from_the_loopback_interface(url: str) -> None:
    assert issuer_mistakes(issuer(url)) == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example/jwks.json",
        "http://192.0.2.1/",
        "http://localhost.example/",
        "http://127.0.0.1@idp.example/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://",
        "https://user:password@idp.example/",
        "https://idp.example/#a",
        "https://[bad/",
        "",
    ],
)
def test_any_other_place_of_keys_is_a_mistake(url: str) -> None:
    assert len(issuer_mistakes(issuer(url))) == 1


def test_mixed_algorithms_are_a_mistake() -> None:
    mixed = Issuer(
        issuer=ISSUER,
        jwks="https://idp.example/jwks.json",
        audience="a",
        algorithms=frozenset({"RS256", "HS256"}),
        max_stale=timedelta(hours=1),
    )
    (mistake,) = issuer_mistakes(mixed)
    assert "one family" in mistake
