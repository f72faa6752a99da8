from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from prometheus_client.registry import CollectorRegistry

from gateway.console.admin import AdminSurface, Probe, ReloadReport, make_admin
from gateway.console.policy import Wish
from gateway.core.policy.activation import Step
from gateway.core.policy.signing import read_signed
from gateway.errors import SourceError
from gateway.metrics import Metrics
from tests.builders import NOW

TOKEN = "an-admin-token"
SIGNED = {
    "facegate": "bundle-signature/v1",
    "bundle": "sha256:" + "a" * 64,
    "version": 2,
    "expires": "2027-01-01T00:00:00Z",
    "signatures": [],
}
A_STEP = Step(
    seq=1,
    time=NOW,
    action="activate",
    result="activated",
    who="ada",
    why="the new law",
    bundle="sha256:" + "a" * 64,
    policies="sha256:" + "b" * 64,
    version=None,
)


class World:
    """A surface whose readiness and reload results the test decides."""

    def __init__(self) -> None:
        self.ready = True
        self.asked: list[str] = []
        self.wishes: list[Wish] = []

    def probes(self) -> tuple[Probe, ...]:
        return (
            Probe(name="policy", ok=True),
            Probe(name="audit", ok=self.ready, detail="disk full"),
        )

    def status(self) -> Mapping[str, object]:
        return {"digest": "sha256:0"}

    async def reload(self, who: str) -> ReloadReport:
        self.asked.append(who)
        return ReloadReport(result="refused", digest="sha256:0", findings=("a.yaml:1:1: wrong",))

    async def act(self, wish: Wish) -> ReloadReport:
        self.wishes.append(wish)
        return ReloadReport(result="activated", digest="sha256:0")

    async def history(self) -> tuple[Step, ...]:
        if not self.ready:
            raise SourceError("`history.jsonl`: line 1 is no step")
        return (A_STEP,)


async def serve(world: World, token: str | None) -> tuple[web.AppRunner, str]:
    registry = CollectorRegistry()
    registry.register(Metrics())
    app = make_admin(
        AdminSurface(
            hosts=frozenset({"127.0.0.1"}),
            token=token,
            probes=world.probes,
            status=world.status,
            reload=world.reload,
            registry=registry,
            act=world.act,
            history=world.history,
        )
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest_asyncio.fixture
async def world() -> World:
    return World()


@pytest_asyncio.fixture
async def url(world: World) -> AsyncIterator[str]:
    runner, address = await serve(world, TOKEN)
    yield address
    await runner.cleanup()


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def test_health_and_metrics_are_open(url: str, client: aiohttp.ClientSession) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        async with client.get(url + path) as answer:
            assert answer.status == 200
    async with client.get(url + "/metrics") as answer:
        assert "facegate_inflight_requests" in await answer.text()


async def test_readiness_goes_with_its_parts_and_names_them(
    url: str, world: World, client: aiohttp.ClientSession
) -> None:
    world.ready = False
    async with client.get(url + "/readyz?verbose") as answer:
        assert answer.status == 503
        assert await answer.text() == "[+]policy ok\n[-]audit disk full\nnot ready\n"


async def test_a_reload_with_the_token_reports_every_finding(
    url: str, world: World, client: aiohttp.ClientSession
) -> None:
    async with client.post(url + "/admin/v1/reload", headers=BEARER) as answer:
        assert answer.status == 409
        assert (await answer.json())["findings"] == ["a.yaml:1:1: wrong"]
    assert world.asked == ["admin token from 127.0.0.1"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 401, id="no token"),
        pytest.param({"Authorization": "Bearer another"}, 401, id="wrong token"),
        pytest.param({"Authorization": f"Basic {TOKEN}"}, 401, id="another scheme"),
        pytest.param({**BEARER, "Origin": "https://evil.example"}, 403, id="another origin"),
        pytest.param({**BEARER, "Origin": "null"}, 403, id="an opaque origin"),
        pytest.param({**BEARER, "Host": "rebound.example"}, 421, id="a rebound host"),
        pytest.param(
            {**BEARER, "Host": "127.0.0.1.evil.example"}, 421, id="a host with our prefix"
        ),
    ],
)
async def test_a_reload_is_refused(
    url: str, world: World, client: aiohttp.ClientSession, headers: dict[str, str], status: int
) -> None:
    async with client.post(url + "/admin/v1/reload", headers=headers) as answer:
        assert answer.status == status
        assert answer.content_type == "application/problem+json"
    assert world.asked == []


async def test_state_changes_by_post_only(
    url: str, world: World, client: aiohttp.ClientSession
) -> None:
    async with client.get(url + "/admin/v1/reload", headers=BEARER) as answer:
        assert answer.status == 405
    assert world.asked == []


async def test_status_needs_the_token(url: str, client: aiohttp.ClientSession) -> None:
    async with client.get(url + "/admin/v1/status") as answer:
        assert answer.status == 401
    async with client.get(url + "/admin/v1/status", headers=BEARER) as answer:
        assert (await answer.json()) == {"digest": "sha256:0"}


async def test_without_a_configured_token_the_listener_is_read_only(
    world: World, client: aiohttp.ClientSession
) -> None:
    runner, url = await serve(world, None)
    try:
        async with client.post(url + "/admin/v1/reload", headers=BEARER) as answer:
            assert answer.status == 403
        async with client.get(url + "/livez") as answer:
            assert answer.status == 200
    finally:
        await runner.cleanup()
    assert world.asked == []


async def test_every_answer_forbids_storing_and_framing(
    url: str, client: aiohttp.ClientSession
) -> None:
    for path in ("/livez", "/nowhere", "/admin/v1/status"):
        async with client.get(url + path) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("action", ["activate", "rollback"])
async def test_the_policy_moves_by_post_with_the_token_and_names_who_and_why(
    url: str, world: World, client: aiohttp.ClientSession, action: str
) -> None:
    page = f"{url}/admin/v1/policy/{action}"
    bundle = "sha256:" + "a" * 64
    asked = {"who": "ada", "why": "the new law", "bundle": bundle, "signature": SIGNED}
    async with client.post(page, json=asked) as answer:
        assert answer.status == 401
    async with client.get(page, headers=BEARER) as answer:
        assert answer.status == 405
    assert world.wishes == []
    async with client.post(page, json=asked, headers=BEARER) as answer:
        assert (await answer.json())["result"] == "activated"
    (wish,) = world.wishes
    assert (wish.action, wish.bundle, wish.why) == (action, bundle, "the new law")
    assert wish.who == "ada (admin token from 127.0.0.1)"
    assert wish.signature is not None
    assert read_signed(wish.signature).version == 2


async def test_who_does_not_say_their_name_is_known_by_the_token(
    url: str, world: World, client: aiohttp.ClientSession
) -> None:
    async with client.post(url + "/admin/v1/policy/rollback", headers=BEARER) as answer:
        assert answer.status == 200
    assert world.wishes[0].who == "admin token from 127.0.0.1"


@pytest.mark.parametrize("body", ["[]", '{"whom": "ada"}', '{"bundle": "../etc"}', "{", "\x00"])
async def test_a_body_of_another_form_moves_nothing(
    url: str, world: World, client: aiohttp.ClientSession, body: str
) -> None:
    page = url + "/admin/v1/policy/activate"
    async with client.post(page, data=body.encode(), headers=BEARER) as answer:
        assert answer.status == 400
    assert world.wishes == []


async def test_the_history_needs_the_token_and_tells_where_it_cannot_be_read(
    url: str, world: World, client: aiohttp.ClientSession
) -> None:
    page = url + "/admin/v1/policy/history"
    async with client.get(page) as answer:
        assert answer.status == 401
    async with client.get(page, headers=BEARER) as answer:
        assert (await answer.json())["steps"][0]["why"] == "the new law"
    world.ready = False
    async with client.get(page, headers=BEARER) as answer:
        assert answer.status == 500
        assert "no step" in (await answer.json())["title"]
