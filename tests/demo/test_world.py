from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import msgspec
import pytest
from ruamel.yaml import YAML

from gateway.core.identity.keys import IssuerKeys, Keys, make_keys, make_places
from gateway.core.operation import Observed, class_of
from gateway.core.pipeline import Judgement, decide
from gateway.core.request import Malformed
from gateway.core.snapshot import Snapshot, make_snapshot
from gateway.demo.head import head_of
from gateway.demo.issuer import ALGORITHM, Issuer
from gateway.demo.samples.every import SAMPLES, TIGHTENED
from gateway.demo.samples.model import Sample
from gateway.demo.wire import exchange
from gateway.demo.world import AUDIENCE, World, build_world, fresh_own, tighten
from gateway.proxy.parser import Arrived
from gateway.proxy.protocol import HeadLimits
from gateway.proxy.reply import Reply
from gateway.proxy.wire import Door, Route, read
from gateway.respond import Answer
from gateway.sources.catalogs import load_catalog
from gateway.sources.jwk_set import read_jwk_set
from gateway.sources.networks import load_networks
from gateway.sources.packs import packs_directory
from gateway.sources.policies import check_policies, load_policies
from gateway.sources.settings import load_settings_file
from gateway.sources.tenants import LoadedTenants, load_tenants
from tests.proxy.doorstep import doorstep

NOW = datetime.now(UTC)
CATALOG = load_catalog()
_WIDE = HeadLimits(header_bytes=16_384, header_timeout_s=5, linger_s=1)


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer() as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, issuer: Issuer) -> World:
    return build_world(
        tmp_path,
        gateway_port=18080,
        admin_port=18081,
        provider_url="http://127.0.0.1:18082",
        issuer_url=issuer.url,
        jwks_url=issuer.jwks_url,
        own=fresh_own(),
    )


def _secrets_key(world: World) -> bytes:
    return bytes.fromhex(world.environ["DEMO_SECRETS_KEY"])


async def _issuer_keys(issuer: Issuer) -> IssuerKeys:
    async with aiohttp.ClientSession() as session, session.get(issuer.jwks_url) as answer:
        content = await answer.read()
    return IssuerKeys(
        issuer=issuer.url,
        audience=AUDIENCE,
        algorithms=frozenset({ALGORITHM}),
        keys=read_jwk_set(content, frozenset({ALGORITHM})).keys,
        fetched=NOW,
        max_stale=timedelta(hours=1),
    )


def _keys(world: World, tenants: LoadedTenants, issuer_keys: IssuerKeys) -> Keys:
    return make_keys(
        issuers=[issuer_keys],
        api_keys=tenants.api_keys,
        access_keys=tenants.access_keys,
        secrets_key=_secrets_key(world),
        places={
            provider.name: make_places(
                key_headers=provider.key_headers,
            )
            for provider in CATALOG.providers.values()
        },
    )


async def _snapshot(world: World, issuer: Issuer) -> Snapshot:
    tenants = load_tenants(world.directory / "tenants.yaml", secrets_key=_secrets_key(world))
    return make_snapshot(
        catalog=CATALOG,
        keys=_keys(world, tenants, await _issuer_keys(issuer)),
        tenants=tenants.tenants,
        verdicts=tenants.verdicts,
        networks=load_networks(
            world.directory / "country.mmdb",
            max_age=timedelta(days=14),
            trusted_proxies=(ip_network("127.0.0.0/8"),),
        ),
        policies=load_policies(world.policies, now=NOW),
        settings_digest="sha256:0",
    )


def _door(world: World) -> Door:
    routes = {
        host: Route(
            upstream=provider,
            provider=provider,
            decision_headers=CATALOG.providers[provider].decision_headers
            | CATALOG.providers[provider].key_headers,
        )
        for provider, host in world.hosts.items()
    }
    return Door(routes=routes, body_bytes=1 << 20, body_timeout_s=5)


async def _judge(
    samples: tuple[Sample, ...], world: World, issuer: Issuer
) -> list[Judgement | Malformed]:
    """Send samples through the real front door into the real decision, and no further."""
    snapshot, door = await _snapshot(world, issuer), _door(world)
    judged: list[Judgement | Malformed] = []

    async def handle(http: Arrived) -> Reply:
        request = await read(http, door)
        if isinstance(request, Malformed):
            judged.append(request)
        else:
            judged.append(decide(request, Observed(), snapshot, NOW))
        return Reply(Answer(200, (), b""), close=True)

    async with doorstep(door=door, limits=_WIDE, handle=handle) as step:
        for sample in samples:
            head = head_of(sample, world=world, issuer=issuer, now=NOW)
            await exchange(step.port, head, sample.message.body)
    return judged


async def test_every_sample_comes_out_as_it_says_under_the_shipped_policy(
    world: World, issuer: Issuer
) -> None:
    judged = await _judge(SAMPLES, world, issuer)
    found = [
        (sample.id, "reject", one.reason, sample.operation_class, one.status)
        if isinstance(one, Malformed)
        else (
            sample.id,
            one.decision.outcome,
            one.decision.reason,
            class_of(one.facts.operation),
            sample.expected.status,
        )
        for sample, one in zip(SAMPLES, judged, strict=True)
    ]
    assert found == [
        (
            sample.id,
            sample.expected.outcome,
            sample.expected.reason,
            sample.operation_class,
            sample.expected.status,
        )
        for sample in SAMPLES
    ]


async def test_a_tightened_policy_changes_the_answer_to_the_same_request(
    world: World, issuer: Issuer
) -> None:
    before, after = TIGHTENED
    assert msgspec.structs.replace(after, expected=before.expected) == before
    (permitted,) = await _judge((before,), world, issuer)
    tighten(world)
    (refused,) = await _judge((after,), world, issuer)
    assert isinstance(permitted, Judgement)
    assert isinstance(refused, Judgement)
    assert permitted.decision.reason == before.expected.reason
    assert refused.decision.reason == after.expected.reason
    assert refused.decision.rules == ("demo-tightening/northwind-suspended",)


def test_the_configuration_and_its_policies_hold(world: World) -> None:
    settings = load_settings_file(world.config, world.environ)
    assert [host for upstream in settings.upstreams for host in upstream.hosts] == [
        *world.hosts.values()
    ]
    assert settings.policies.dir == world.policies
    assert settings.identity.secrets_key_bytes == _secrets_key(world)
    tightening = tighten(world)
    assert check_policies(world.policies, now=NOW) == ()
    assert tightening.is_relative_to(world.policies)
    assert {path.name for path in world.policies.iterdir()} == {
        tightening.name,
        *(path.name for path in packs_directory().iterdir() if ".cases." not in path.name),
    }


def test_no_secret_is_written_out_or_shown(world: World) -> None:
    files = (world.config, world.directory / "tenants.yaml")
    shown = repr(world) + repr(world.callers) + "".join(path.read_text() for path in files)
    hidden = [*world.environ.values(), world.unknown_api_key]
    for caller in world.callers.values():
        hidden += [caller.api_key, caller.secret_access_key]
    assert len(set(hidden)) == 6 + 2 * len(world.callers)
    assert not [text for text in hidden if text in shown]


def test_tenants_of_norway_are_in_norway(world: World) -> None:
    document = YAML(typ="safe", pure=True).load((world.directory / "tenants.yaml").read_text())
    countries = {tenant["id"]: tenant["countries"] for tenant in document["tenants"]}
    assert countries["fjord-police"] == ["NO"]
