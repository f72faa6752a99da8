"""The real SDKs against a running gateway: nothing is changed but endpoint and key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
import pytest_asyncio
from azure.ai.vision.face import FaceClient
from azure.ai.vision.face.models import FaceDetectionModel, FaceRecognitionModel
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ClientError

from gateway.audit.record import Decided, Happened
from gateway.audit.verify import verify
from gateway.demo.provider.faces import portrait
from gateway.demo.provider.seed import GROUPS
from gateway.demo.provider.server import ProviderSimulator
from gateway.demo.samples.model import PLACES
from tests.system.served import Served, own_credentials, serving

RESTRICTED = "jade-bureau"
CHARITY = "northwind-missing"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[ProviderSimulator]:
    async with ProviderSimulator(own_credentials(), lambda: datetime.now(UTC)) as simulator:
        yield simulator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    tmp_path_factory: pytest.TempPathFactory, provider: ProviderSimulator
) -> AsyncIterator[Served]:
    async with serving(tmp_path_factory.mktemp("sdk"), provider.url) as running:
        yield running


pytestmark = pytest.mark.asyncio(loop_scope="module")


def rekognition(served: Served, tenant: str, *, client_address: str | None = None):  # type: ignore[no-untyped-def]  # boto3 has no types at run time
    caller = served.world.callers[tenant]
    client = boto3.client(
        "rekognition",
        region_name="us-east-1",
        endpoint_url=served.url,
        aws_access_key_id=caller.access_key_id,
        aws_secret_access_key=caller.secret_access_key,
    )
    if client_address is not None:

        def through_a_proxy(request: AWSPreparedRequest, **_: object) -> None:
            request.headers["X-Forwarded-For"] = client_address

        client.meta.events.register("before-send", through_a_proxy)
    return client


def face(served: Served, tenant: str) -> FaceClient:
    key = AzureKeyCredential(served.world.callers[tenant].api_key)
    return FaceClient(endpoint=served.azure_url, credential=key)


async def test_a_restricted_search_raises_boto3s_own_exception_and_never_arrives(
    served: Served, provider: ProviderSimulator
) -> None:
    before = len(provider.arrivals)

    def scenario() -> tuple[str, str]:
        client = rekognition(served, RESTRICTED)
        with pytest.raises(client.exceptions.AccessDeniedException) as refused:
            client.search_faces_by_image(
                CollectionId="watchlist", Image={"Bytes": portrait("ada", 1)}
            )
        response = refused.value.response
        assert response["ResponseMetadata"]["RetryAttempts"] == 0
        return response["Error"]["Message"], response["ResponseMetadata"]["RequestId"]

    message, decision = await asyncio.to_thread(scenario)
    assert decision in message
    assert len(provider.arrivals) == before
    records = served.records()
    (decided,) = (r for r in records if isinstance(r, Decided) and r.id == decision)
    assert decided.decision.outcome == "refuse"


async def test_compare_faces_of_the_same_tenant_returns_the_providers_answer(
    served: Served, provider: ProviderSimulator
) -> None:
    before = len(provider.arrivals)

    def scenario() -> float:
        answer = rekognition(served, RESTRICTED).compare_faces(
            SourceImage={"Bytes": portrait("ada", 1)}, TargetImage={"Bytes": portrait("ada", 2)}
        )
        return float(answer["FaceMatches"][0]["Similarity"])

    assert await asyncio.to_thread(scenario) > 90
    (arrival,) = provider.arrivals[before:]
    assert arrival.own_credential


async def test_a_permitted_search_works_through_the_sdk(served: Served) -> None:
    def scenario() -> list[object]:
        client = rekognition(served, CHARITY, client_address=PLACES["CA"])
        answer = client.search_faces_by_image(
            CollectionId="missing-persons", Image={"Bytes": portrait("ada", 1)}
        )
        return list(answer["FaceMatches"])

    assert isinstance(await asyncio.to_thread(scenario), list)


async def test_a_key_of_another_secret_is_the_sdks_signature_error(served: Served) -> None:
    def scenario() -> str:
        caller = served.world.callers[CHARITY]
        client = boto3.client(
            "rekognition",
            region_name="us-east-1",
            endpoint_url=served.url,
            aws_access_key_id=caller.access_key_id,
            aws_secret_access_key="another-secret",
        )
        with pytest.raises(ClientError) as refused:
            client.list_collections()
        return str(refused.value.response["Error"]["Code"])

    assert await asyncio.to_thread(scenario) == "InvalidSignatureException"


def _two_faces(client: FaceClient) -> tuple[str, str]:
    def minted(shot: int) -> str:
        (found,) = client.detect(
            portrait("ada", shot),
            detection_model=FaceDetectionModel.DETECTION03,
            recognition_model=FaceRecognitionModel.RECOGNITION04,
            return_face_id=True,
        )
        return str(found.face_id)

    return minted(1), minted(2)


async def test_verify_works_through_the_azure_sdk(served: Served) -> None:
    def scenario() -> bool:
        with face(served, RESTRICTED) as client:
            one, two = _two_faces(client)
            return bool(client.verify_face_to_face(face_id1=one, face_id2=two).is_identical)

    assert await asyncio.to_thread(scenario)


async def test_identify_raises_the_azure_sdks_error_with_its_code_and_never_arrives(
    served: Served, provider: ProviderSimulator
) -> None:
    def scenario() -> tuple[int | None, str | None, list[str]]:
        with face(served, RESTRICTED) as client:
            one, _ = _two_faces(client)
            before = len(provider.arrivals)
            with pytest.raises(HttpResponseError) as refused:
                client.identify_from_large_person_group(
                    face_ids=[one], large_person_group_id=next(iter(GROUPS))
                )
            arrived = [arrival.operation for arrival in provider.arrivals[before:]]
            error = refused.value.error
            return refused.value.status_code, error.code if error else None, arrived

    assert await asyncio.to_thread(scenario) == (403, "AccessDenied", [])


async def test_a_key_that_nobody_issued_is_the_azure_sdks_authentication_error(
    served: Served,
) -> None:
    def scenario() -> None:
        key = AzureKeyCredential(served.world.unknown_api_key)
        with (
            FaceClient(endpoint=served.azure_url, credential=key) as client,
            pytest.raises(ClientAuthenticationError),
        ):
            client.verify_face_to_face(face_id1="a", face_id2="b")

    await asyncio.to_thread(scenario)


async def test_no_secret_and_no_image_stands_in_log_or_records(served: Served) -> None:
    def everything() -> bytes:
        files = [
            path for path in Path(served.world.directory / "audit").rglob("*") if path.is_file()
        ]
        return b"\n".join(
            [path.read_bytes() for path in files] + [line.encode() for line in served.log]
        )

    text = await asyncio.to_thread(everything)
    hidden = [
        *(caller.api_key for caller in served.world.callers.values()),
        *(caller.secret_access_key for caller in served.world.callers.values()),
        served.world.admin_token,
        *served.world.environ.values(),
    ]
    assert [secret for secret in hidden if secret.encode() in text and len(secret) > 20] == []
    assert portrait("ada", 1)[:24] not in text


async def test_every_decision_has_its_outcome_and_the_log_verifies(served: Served) -> None:
    records = served.records()
    decided = [record.id for record in records if isinstance(record, Decided)]
    happened = [record.decided for record in records if isinstance(record, Happened)]
    assert len(decided) >= 10
    assert set(happened) <= set(decided)
    assert len(happened) == len(set(happened))
    verdict = await asyncio.to_thread(verify, served.world.directory / "audit")
    assert verdict.ok, verdict.findings
