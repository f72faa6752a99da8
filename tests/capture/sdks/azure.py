"""Azure Face by azure-ai-vision-face."""

from __future__ import annotations

from collections.abc import Iterator

from azure.ai.vision.face import FaceAdministrationClient, FaceClient, FaceSessionClient
from azure.ai.vision.face.models import (
    CreateLivenessSessionContent,
    CreateLivenessWithVerifySessionContent,
    FaceAttributeTypeDetection03,
    FaceDetectionModel,
    FaceRecognitionModel,
    LivenessOperationMode,
)
from azure.core.credentials import AzureKeyCredential

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import FACE, IMAGE, IMAGE_URL, OTHER_FACE, PERSON

PROVIDER = "azure_face"

_ENDPOINT = "https://contoso-face.cognitiveservices.azure.com"
_KEY = AzureKeyCredential("0123456789abcdef0123456789abcdef")
_NO_RETRIES = {"retry_total": 0}


def calls() -> Iterator[Call]:
    """Name the calls, by method and path of the API."""
    with FaceClient(_ENDPOINT, _KEY, **_NO_RETRIES) as client:
        yield from _faces(client)
    with FaceAdministrationClient(_ENDPOINT, _KEY, **_NO_RETRIES) as client:
        yield from _people(client.large_person_group)
        yield from _lists(client.large_face_list)
    with FaceSessionClient(_ENDPOINT, _KEY, **_NO_RETRIES) as client:
        yield from _sessions(client)


def _faces(client: FaceClient) -> Iterator[Call]:
    models = {
        "detection_model": FaceDetectionModel.DETECTION03,
        "recognition_model": FaceRecognitionModel.RECOGNITION04,
    }
    yield Call(
        "detect",
        "POST /detect",
        "detect",
        lambda: client.detect(
            IMAGE,
            return_face_id=False,
            return_face_attributes=[FaceAttributeTypeDetection03.MASK],
            **models,
        ),
    )
    yield Call(
        "detect-for-a-search",
        "POST /detect",
        "detect",
        lambda: client.detect(IMAGE, return_face_id=True, face_id_time_to_live=60, **models),
    )
    yield Call(
        "detect-from-url",
        "POST /detect",
        "detect",
        lambda: client.detect_from_url(url=IMAGE_URL, return_face_id=True, **models),
    )
    yield Call(
        "find-similar",
        "POST /findsimilars",
        "one_to_many",
        lambda: client.find_similar(face_id=FACE, face_ids=[OTHER_FACE]),
    )
    yield Call(
        "find-similar-in-a-list",
        "POST /findsimilars",
        "one_to_many",
        lambda: client.find_similar_from_large_face_list(face_id=FACE, large_face_list_id="fans"),
    )
    yield Call(
        "identify",
        "POST /identify",
        "one_to_many",
        lambda: client.identify_from_large_person_group(
            face_ids=[FACE], large_person_group_id="staff", max_num_of_candidates_returned=5
        ),
    )
    yield Call(
        "group", "POST /group", "one_to_many", lambda: client.group(face_ids=[FACE, OTHER_FACE])
    )
    yield Call(
        "verify",
        "POST /verify",
        "one_to_one",
        lambda: client.verify_face_to_face(face_id1=FACE, face_id2=OTHER_FACE),
    )
    yield Call(
        "verify-a-person",
        "POST /verify",
        "one_to_one",
        lambda: client.verify_from_large_person_group(
            face_id=FACE, large_person_group_id="staff", person_id=PERSON
        ),
    )


def _people(groups) -> Iterator[Call]:
    group = "/largepersongroups/{largePersonGroupId}"
    person = f"{group}/persons/{{personId}}"
    yield Call(
        "group-create", f"PUT {group}", "gallery", lambda: groups.create("staff", name="Staff")
    )
    yield Call(
        "groups", "GET /largepersongroups", "gallery", lambda: groups.get_large_person_groups(top=5)
    )
    yield Call("group-train", f"POST {group}/train", "gallery", lambda: groups.begin_train("staff"))
    yield Call(
        "group-training",
        f"GET {group}/training",
        "gallery",
        lambda: groups.get_training_status("staff"),
    )
    yield Call("group-delete", f"DELETE {group}", "gallery", lambda: groups.delete("staff"))
    yield Call(
        "person-create",
        f"POST {group}/persons",
        "gallery",
        lambda: groups.create_person("staff", name="A. Person"),
    )
    yield Call(
        "person-face",
        f"POST {person}/persistedfaces",
        "gallery",
        lambda: groups.add_face("staff", PERSON, IMAGE, target_face=[1, 2, 30, 40]),
    )
    yield Call(
        "person-face-from-url",
        f"POST {person}/persistedfaces",
        "gallery",
        lambda: groups.add_face_from_url("staff", PERSON, url=IMAGE_URL),
    )
    yield Call("persons", f"GET {group}/persons", "gallery", lambda: groups.get_persons("staff"))
    yield Call(
        "person-delete",
        f"DELETE {person}",
        "gallery",
        lambda: groups.delete_person("staff", PERSON),
    )


def _lists(lists) -> Iterator[Call]:
    path = "/largefacelists/{largeFaceListId}"
    yield Call("list-create", f"PUT {path}", "gallery", lambda: lists.create("fans", name="Fans"))
    yield Call(
        "list-face", f"POST {path}/persistedfaces", "gallery", lambda: lists.add_face("fans", IMAGE)
    )
    yield Call(
        "list-face-delete",
        f"DELETE {path}/persistedfaces/{{persistedFaceId}}",
        "gallery",
        lambda: lists.delete_face("fans", FACE),
    )


def _sessions(client: FaceSessionClient) -> Iterator[Call]:
    content = CreateLivenessSessionContent(
        liveness_operation_mode=LivenessOperationMode.PASSIVE, device_correlation_id=FACE
    )
    verifying = CreateLivenessWithVerifySessionContent(
        liveness_operation_mode=LivenessOperationMode.PASSIVE, device_correlation_id=FACE
    )
    yield Call(
        "liveness",
        "POST /detectLiveness/singleModal/sessions",
        "liveness",
        lambda: client.create_liveness_session(content),
    )
    yield Call(
        "liveness-with-verify",
        "POST /detectLivenessWithVerify/singleModal/sessions",
        "liveness",
        lambda: client.create_liveness_with_verify_session(verifying, verify_image=IMAGE),
    )
    yield Call(
        "liveness-result",
        "GET /detectLiveness/singleModal/sessions/{sessionId}",
        "liveness",
        lambda: client.get_liveness_session_result(FACE),
    )
    yield Call(
        "liveness-delete",
        "DELETE /detectLiveness/singleModal/sessions/{sessionId}",
        "liveness",
        lambda: client.delete_liveness_session(FACE),
    )
