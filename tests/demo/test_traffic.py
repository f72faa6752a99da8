from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import msgspec
import pytest
from aiohttp import web
from azure.ai.vision.face import FaceClient
from azure.core.credentials import AzureKeyCredential

from gateway.demo.callers import Caller
from gateway.demo.issuer import Issuer
from gateway.demo.loopback import LoopbackServer
from gateway.demo.parties import PARTIES
from gateway.demo.provider.credential import Own
from gateway.demo.provider.seed import DETECTED
from gateway.demo.provider.server import Misbehaviour, ProviderSimulator
from gateway.demo.samples.every import SAMPLES
from gateway.demo.samples.model import Sample
from gateway.demo.snippet import boto3_snippet
from gateway.demo.traffic import Observation, run
from gateway.demo.verdict import verdicts
from gateway.demo.wire import exchange
from gateway.demo.world import World
from gateway.respond import refusal

BY_ID = {sample.id: sample for sample in SAMPLES}
PERMITTED = [
    sample
    for sample in SAMPLES
    if sample.expected.outcome == "permit" and sample.misbehaviour is None
]


def _now() -> datetime:
    return datetime.now(UTC)


def _world(own: Own, port: int) -> World:
    """Return a world whose every caller holds the gateway's own credentials."""
    caller = Caller(
        subject="svc",
        api_key=own.subscription_key,
        access_key_id=own.access_key_id,
        secret_access_key=own.secret_access_key,
    )
    host = f"127.0.0.1:{port}"
    return World(
        directory=Path("nowhere"),
        config=Path("nowhere/gateway.yaml"),
        environ={},
        callers={str(party["id"]): caller for party in PARTIES},
        hosts={"aws_rekognition": host, "azure_face": host},
        admin_token="",
        unknown_api_key="",
    )


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer() as running:
        yield running


async def _send(
    samples: list[Sample], *, own: Own, port: int, provider: ProviderSimulator, issuer: Issuer
) -> tuple[Observation, ...]:
    return await run(
        samples,
        world=_world(own, port),
        gateway_port=port,
        provider=provider,
        issuer=issuer,
        clock=_now,
    )


async def test_the_provider_carries_out_what_a_sample_asks(
    provider: ProviderSimulator, issuer: Issuer, own: Own
) -> None:
    kinds = {"aws_rekognition": "sigv4", "azure_face": "api_key"}
    samples = [
        msgspec.structs.replace(sample, credential=kinds[sample.provider]) for sample in PERMITTED
    ]
    observations = await _send(
        samples, own=own, port=provider.port, provider=provider, issuer=issuer
    )
    assert [(one.sample.id, one.status, one.error) for one in observations] == [
        (sample.id, 200, "") for sample in samples
    ]
    assert all(one.arrived and one.own_credential for one in observations)
    assert [arrival.operation for arrival in provider.arrivals] == [
        sample.operation for sample in samples
    ]


async def test_a_message_in_the_aws_dialect_has_the_headers_that_boto3_sends(
    provider: ProviderSimulator, issuer: Issuer, own: Own
) -> None:
    def real() -> None:
        client = boto3.client(
            "rekognition",
            region_name=own.region,
            endpoint_url=provider.url,
            aws_access_key_id=own.access_key_id,
            aws_secret_access_key=own.secret_access_key,
        )
        client.list_collections()
        client.close()

    await asyncio.to_thread(real)
    await _send(
        [BY_ID["aws-bank-compare"]], own=own, port=provider.port, provider=provider, issuer=issuer
    )
    real_one, ours = provider.arrivals
    assert set(ours.header_names) - set(real_one.header_names) == {"x-forwarded-for"}
    assert set(real_one.header_names) <= set(ours.header_names)


async def test_a_message_in_azures_dialect_has_the_headers_that_the_sdk_sends(
    provider: ProviderSimulator, issuer: Issuer, own: Own
) -> None:
    def real() -> None:
        with FaceClient(provider.url, AzureKeyCredential(own.subscription_key)) as client:
            client.verify_face_to_face(face_id1=DETECTED["ada"], face_id2=DETECTED["bob"])

    await asyncio.to_thread(real)
    await _send(
        [BY_ID["azure-bank-verify"]], own=own, port=provider.port, provider=provider, issuer=issuer
    )
    real_one, ours = provider.arrivals
    assert set(ours.header_names) - set(real_one.header_names) == {"x-forwarded-for"}
    assert set(real_one.header_names) <= set(ours.header_names)
    assert (real_one.operation, real_one.body_bytes) == ("POST /verify", ours.body_bytes + 3)


@pytest.mark.parametrize(
    ("form", "error"), [("aws_json", "AccessDeniedException"), ("azure", "AccessDenied")]
)
async def test_a_refusal_is_read_in_the_dialect_it_comes_in(
    provider: ProviderSimulator, issuer: Issuer, own: Own, form: str, error: str
) -> None:
    async def refuse(_http: web.BaseRequest) -> web.Response:
        answer = refusal(
            reason="policy.denied",
            decision_id="dec_1",
            form="azure" if form == "azure" else "aws_json",
            host="gw.example",
        )
        return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))

    async with LoopbackServer(refuse) as gateway:
        (seen,) = await _send(
            [BY_ID["aws-bureau-search"]],
            own=own,
            port=gateway.port,
            provider=provider,
            issuer=issuer,
        )
    assert (seen.status, seen.error, seen.reason) == (403, error, "policy.denied")
    assert seen.decision == "dec_1"
    assert not seen.arrived


async def test_a_verdict_names_everything_that_came_out_otherwise(
    provider: ProviderSimulator, issuer: Issuer, own: Own
) -> None:
    observations = await _send(
        [BY_ID["aws-bureau-search"]], own=own, port=provider.port, provider=provider, issuer=issuer
    )
    (verdict,) = verdicts(observations, {})
    assert not verdict.as_said
    assert [difference.partition(":")[0] for difference in verdict.differences] == [
        "status",
        "outcome",
        "reason",
        "class",
        "reaches provider",
    ]


async def test_a_connection_that_ends_without_an_answer_is_status_0() -> None:
    async def hang_up(http: web.BaseRequest) -> web.Response:
        if http.transport is not None:
            http.transport.close()
        return web.Response()

    async with LoopbackServer(hang_up) as server:
        answer = await exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"")
    assert answer.status == 0


async def test_the_snippet_runs_as_it_is_printed(provider: ProviderSimulator, own: Own) -> None:
    program = boto3_snippet(_world(own, provider.port))
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    similarity, matches = done.stdout.splitlines()
    assert float(similarity) > 98
    assert "'ExternalImageId': 'ada'" in matches
    assert [arrival.operation for arrival in provider.arrivals] == [
        "CompareFaces",
        "SearchFacesByImage",
    ]


@pytest.mark.parametrize(
    ("misbehaviour", "status"), [("switch_protocols", 101), ("drop", 0)], ids=["101", "drop"]
)
async def test_the_provider_misbehaves_in_the_dialect_that_was_spoken(
    provider: ProviderSimulator, misbehaviour: Misbehaviour, status: int
) -> None:
    provider.misbehave_next = misbehaviour
    head = b"POST /face/v1.2/verify HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    answer = await exchange(provider.port, head, b"")
    assert answer.status == status
    (arrival,) = provider.arrivals
    assert (arrival.provider, arrival.operation) == ("azure_face", misbehaviour)
    assert provider.misbehave_next is None
