from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from gateway.demo.provider.credential import Own
from gateway.demo.provider.faces import portrait
from gateway.demo.provider.rekognition import CELEBRITIES
from gateway.demo.provider.seed import COLLECTIONS
from gateway.demo.provider.server import ProviderSimulator


@contextmanager
def _client(url: str, *, key: str, secret: str) -> Iterator[Any]:
    client = boto3.client(
        "rekognition",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
    )
    with closing(client):
        yield client


@pytest.fixture
async def rekognition(provider: ProviderSimulator, own: Own) -> AsyncIterator[Any]:
    with _client(provider.url, key=own.access_key_id, secret=own.secret_access_key) as client:
        yield client


async def test_boto3_finds_an_indexed_person_and_nobody_else(rekognition: Any) -> None:
    def scenario() -> None:
        made = rekognition.create_collection(CollectionId="staff")
        assert made["StatusCode"] == 200
        record = rekognition.index_faces(
            CollectionId="staff", Image={"Bytes": portrait("ada", 1)}, ExternalImageId="ada"
        )["FaceRecords"][0]
        rekognition.index_faces(CollectionId="staff", Image={"Bytes": portrait("bob", 1)})
        found = rekognition.search_faces_by_image(
            CollectionId="staff", Image={"Bytes": portrait("ada", 2)}
        )
        assert [match["Face"]["ExternalImageId"] for match in found["FaceMatches"]] == ["ada"]
        assert found["FaceMatches"][0]["Similarity"] > 98
        face_id = record["Face"]["FaceId"]
        assert rekognition.search_faces(CollectionId="staff", FaceId=face_id)["FaceMatches"] == []
        assert rekognition.list_collections()["CollectionIds"] == sorted([*COLLECTIONS, "staff"])
        described = rekognition.describe_collection(CollectionId="staff")
        assert described["FaceCount"] == 2
        assert described["CreationTimestamp"].year >= 2024
        deleted = rekognition.delete_faces(CollectionId="staff", FaceIds=[face_id])
        assert deleted["DeletedFaces"] == [face_id]
        assert len(rekognition.list_faces(CollectionId="staff")["Faces"]) == 1
        assert rekognition.delete_collection(CollectionId="staff")["StatusCode"] == 200
        with pytest.raises(rekognition.exceptions.ResourceNotFoundException):
            rekognition.describe_collection(CollectionId="staff")

    await asyncio.to_thread(scenario)


async def test_boto3_compares_two_pictures(rekognition: Any) -> None:
    def scenario() -> None:
        same = rekognition.compare_faces(
            SourceImage={"Bytes": portrait("ada", 1)}, TargetImage={"Bytes": portrait("ada", 2)}
        )
        assert same["FaceMatches"][0]["Similarity"] > 98
        assert same["UnmatchedFaces"] == []
        other = rekognition.compare_faces(
            SourceImage={"Bytes": portrait("ada", 1)}, TargetImage={"Bytes": portrait("bob", 1)}
        )
        assert other["FaceMatches"] == []
        assert len(other["UnmatchedFaces"]) == 1
        assert other["SourceImageFace"]["Confidence"] > 99

    await asyncio.to_thread(scenario)


async def test_boto3_reads_what_needs_no_collection(rekognition: Any) -> None:
    def scenario() -> None:
        image = {"Bytes": portrait(CELEBRITIES[0], 5)}
        assert len(rekognition.detect_faces(Image=image)["FaceDetails"]) == 1
        assert rekognition.detect_labels(Image=image)["Labels"][0]["Name"] == "Person"
        known = rekognition.recognize_celebrities(Image=image)
        assert [face["Name"] for face in known["CelebrityFaces"]] == [CELEBRITIES[0]]
        nobody = rekognition.recognize_celebrities(Image={"Bytes": portrait("ada")})
        assert nobody["CelebrityFaces"] == []
        project = "arn:aws:rekognition:us-east-1:000000000000:project/crowd/1"
        made = rekognition.create_dataset(ProjectArn=project, DatasetType="TRAIN")
        assert made["DatasetArn"].endswith(":dataset/crowd/1/train")

    await asyncio.to_thread(scenario)


async def test_boto3_raises_the_services_own_errors(rekognition: Any) -> None:
    def scenario() -> None:
        with pytest.raises(rekognition.exceptions.InvalidImageFormatException):
            rekognition.detect_faces(Image={"Bytes": b"no picture"})
        with pytest.raises(rekognition.exceptions.ResourceNotFoundException):
            rekognition.search_faces(CollectionId="nobody", FaceId="0" * 36)
        rekognition.create_collection(CollectionId="twice")
        with pytest.raises(rekognition.exceptions.ResourceAlreadyExistsException):
            rekognition.create_collection(CollectionId="twice")
        with pytest.raises(ClientError) as unknown:
            rekognition.detect_text(Image={"Bytes": portrait("ada")})
        assert unknown.value.response["Error"]["Code"] == "UnknownOperationException"

    await asyncio.to_thread(scenario)


@pytest.mark.parametrize(
    ("key", "secret", "error"),
    [
        pytest.param("AKIDSOMEBODYELSE", "x", "UnrecognizedClientException", id="unknown key"),
        pytest.param("AKIDGATEWAYEXAMPLE", "x", "InvalidSignatureException", id="wrong signature"),
    ],
)
async def test_only_the_gateways_own_key_is_served(
    provider: ProviderSimulator, key: str, secret: str, error: str
) -> None:
    def scenario() -> None:
        with (
            _client(provider.url, key=key, secret=secret) as client,
            pytest.raises(ClientError) as refused,
        ):
            client.list_collections()
        assert refused.value.response["Error"]["Code"] == error
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

    await asyncio.to_thread(scenario)
    assert [arrival.own_credential for arrival in provider.arrivals] == [False]


async def test_an_arrival_is_noted_without_its_body(
    provider: ProviderSimulator, rekognition: Any
) -> None:
    image = portrait("ada")
    await asyncio.to_thread(lambda: rekognition.detect_faces(Image={"Bytes": image}))
    (arrival,) = provider.arrivals
    assert (arrival.provider, arrival.operation) == ("aws_rekognition", "DetectFaces")
    assert arrival.own_credential
    assert arrival.body_bytes > len(image)
    assert {"authorization", "x-amz-date", "x-amz-target"} <= set(arrival.header_names)


@pytest.mark.parametrize("misbehaviour", ["drop", "garbage"])
async def test_a_told_misbehaviour_happens_once(
    provider: ProviderSimulator, rekognition: Any, misbehaviour: Any
) -> None:
    provider.misbehave_next = misbehaviour

    def scenario() -> None:
        with pytest.raises((ConnectionClosedError, ClientError)):
            rekognition.list_collections()
        assert rekognition.list_collections()["CollectionIds"] == sorted(COLLECTIONS)

    await asyncio.to_thread(scenario)
    assert [arrival.operation for arrival in provider.arrivals] == [
        misbehaviour,
        "ListCollections",
    ]
