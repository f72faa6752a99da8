from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from azure.ai.vision.face import FaceAdministrationClient, FaceClient
from azure.ai.vision.face.models import FaceDetectionModel, FaceRecognitionModel
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from gateway.demo.provider.credential import Own
from gateway.demo.provider.faces import portrait
from gateway.demo.provider.seed import GROUPS
from gateway.demo.provider.server import ProviderSimulator


@contextmanager
def _clients(url: str, key: str) -> Iterator[tuple[FaceClient, FaceAdministrationClient]]:
    credential = AzureKeyCredential(key)
    with (
        FaceClient(endpoint=url, credential=credential, retry_total=0) as face,
        FaceAdministrationClient(endpoint=url, credential=credential, retry_total=0) as admin,
    ):
        yield face, admin


def _detect(client: FaceClient, image: bytes) -> str:
    (found,) = client.detect(
        image,
        detection_model=FaceDetectionModel.DETECTION03,
        recognition_model=FaceRecognitionModel.RECOGNITION04,
        return_face_id=True,
        return_recognition_model=True,
    )
    assert found.recognition_model == "recognition_04"
    assert found.face_rectangle.width == 30
    return str(found.face_id)


async def test_the_sdk_verifies_two_faces(provider: ProviderSimulator, own: Own) -> None:
    def scenario() -> None:
        with _clients(provider.url, own.subscription_key) as (client, _):
            one = _detect(client, portrait("ada", 1))
            two = _detect(client, portrait("ada", 2))
            other = _detect(client, portrait("bob", 1))
            same = client.verify_face_to_face(face_id1=one, face_id2=two)
            assert same.is_identical
            assert same.confidence > 0.98
            assert not client.verify_face_to_face(face_id1=one, face_id2=other).is_identical
            similar = client.find_similar(face_id=one, face_ids=[two, other])
            assert [item.face_id for item in similar] == [two]

    await asyncio.to_thread(scenario)


async def test_the_sdk_identifies_a_person_of_a_trained_group(
    provider: ProviderSimulator, own: Own
) -> None:
    def scenario() -> None:
        with _clients(provider.url, own.subscription_key) as (client, admin):
            groups = admin.large_person_group
            groups.create("staff", name="Staff", recognition_model="recognition_04")
            ada = groups.create_person("staff", name="Ada").person_id
            groups.add_face("staff", ada, portrait("ada", 1))
            groups.create_person("staff", name="Bob")
            probe = _detect(client, portrait("ada", 2))
            with pytest.raises(HttpResponseError) as untrained:
                client.identify_from_large_person_group(
                    face_ids=[probe], large_person_group_id="staff"
                )
            assert untrained.value.error is not None
            assert untrained.value.error.code == "LargePersonGroupNotTrained"
            groups.begin_train("staff", polling_interval=0).wait()
            (result,) = client.identify_from_large_person_group(
                face_ids=[probe], large_person_group_id="staff"
            )
            assert [candidate.person_id for candidate in result.candidates] == [ada]
            verified = client.verify_from_large_person_group(
                face_id=probe, large_person_group_id="staff", person_id=ada
            )
            assert verified.is_identical

    await asyncio.to_thread(scenario)
    assert {arrival.operation for arrival in provider.arrivals} >= {
        "POST /identify",
        "PUT /largepersongroups/{largePersonGroupId}",
        "POST /largepersongroups/{largePersonGroupId}/persons/{personId}/persistedfaces",
    }


async def test_the_sdk_reads_and_erases_groups(provider: ProviderSimulator, own: Own) -> None:
    def scenario() -> None:
        with _clients(provider.url, own.subscription_key) as (_, admin):
            groups = admin.large_person_group
            names = [group.large_person_group_id for group in groups.get_large_person_groups()]
            assert names == sorted(GROUPS)
            name = GROUPS[0]
            assert groups.get(name).name == name
            assert groups.get_training_status(name).status == "succeeded"
            ada, *others = groups.get_persons(name)
            assert groups.get_person(name, ada.person_id).name == ada.name
            (face,) = ada.persisted_face_ids or []
            groups.delete_face(name, ada.person_id, face)
            groups.delete_person(name, ada.person_id)
            left = [person.name for person in groups.get_persons(name)]
            assert left == [person.name for person in others]
            groups.delete(name)
            with pytest.raises(HttpResponseError) as gone:
                groups.get(name)
            assert gone.value.status_code == 404

    await asyncio.to_thread(scenario)


async def test_the_sdk_raises_the_services_own_errors(
    provider: ProviderSimulator, own: Own
) -> None:
    def scenario() -> None:
        with _clients(provider.url, own.subscription_key) as (client, admin):
            with pytest.raises(HttpResponseError) as no_picture:
                _detect(client, b"no picture")
            assert no_picture.value.error is not None
            assert no_picture.value.error.code == "InvalidImage"
            with pytest.raises(HttpResponseError) as no_face:
                client.verify_face_to_face(face_id1="a", face_id2="b")
            assert no_face.value.status_code == 404
            with pytest.raises(HttpResponseError) as no_operation:
                admin.large_face_list.get("lists are not simulated")
            assert no_operation.value.status_code == 404

    await asyncio.to_thread(scenario)
    assert provider.arrivals[-1].operation == "unknown"


async def test_only_the_gateways_own_subscription_key_is_served(
    provider: ProviderSimulator,
) -> None:
    def scenario() -> None:
        with (
            _clients(provider.url, "somebody's key") as (client, _),
            pytest.raises(ClientAuthenticationError) as refused,
        ):
            _detect(client, portrait("ada"))
        assert refused.value.status_code == 401

    await asyncio.to_thread(scenario)
    assert [arrival.own_credential for arrival in provider.arrivals] == [False]
