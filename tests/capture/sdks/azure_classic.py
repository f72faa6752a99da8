"""Azure Face by azure-cognitiveservices-vision-face and the archived cognitive-face."""

from __future__ import annotations

import io
from collections.abc import Iterator

import cognitive_face
from azure.cognitiveservices.vision.face import FaceClient
from msrest.authentication import CognitiveServicesCredentials

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import FACE, IMAGE, IMAGE_URL, OTHER_FACE, PERSON

PROVIDER = "azure_face"

_HOST = "https://westeurope.api.cognitive.microsoft.com"
_KEY = "0123456789abcdef0123456789abcdef"


def calls() -> Iterator[Call]:
    """Name the calls, by method and path of the API."""
    client = FaceClient(_HOST, CognitiveServicesCredentials(_KEY))
    yield from _faces(client.face)
    yield from _galleries(client)
    yield from _archived()


def _faces(face) -> Iterator[Call]:
    yield Call(
        "detect",
        "POST /detect",
        "detect",
        lambda: face.detect_with_url(IMAGE_URL, return_face_id=True),
    )
    yield Call(
        "detect-stream",
        "POST /detect",
        "detect",
        lambda: face.detect_with_stream(io.BytesIO(IMAGE), return_face_id=False),
    )
    yield Call(
        "identify",
        "POST /identify",
        "one_to_many",
        lambda: face.identify([FACE], person_group_id="staff"),
    )
    yield Call(
        "find-similar",
        "POST /findsimilars",
        "one_to_many",
        lambda: face.find_similar(FACE, face_list_id="fans", mode="matchFace"),
    )
    yield Call("group", "POST /group", "one_to_many", lambda: face.group([FACE, OTHER_FACE]))
    yield Call(
        "verify",
        "POST /verify",
        "one_to_one",
        lambda: face.verify_face_to_person(FACE, PERSON, large_person_group_id="staff"),
    )


def _galleries(client) -> Iterator[Call]:
    yield Call(
        "group-create",
        "PUT /persongroups/{personGroupId}",
        "gallery",
        lambda: client.person_group.create("staff", name="Staff"),
    )
    yield Call(
        "group-train",
        "POST /persongroups/{personGroupId}/train",
        "gallery",
        lambda: client.person_group.train("staff"),
    )
    yield Call(
        "person-face",
        "POST /persongroups/{personGroupId}/persons/{personId}/persistedfaces",
        "gallery",
        lambda: client.person_group_person.add_face_from_url("staff", PERSON, IMAGE_URL),
    )
    yield Call(
        "list-face",
        "POST /facelists/{faceListId}/persistedfaces",
        "gallery",
        lambda: client.face_list.add_face_from_stream("fans", io.BytesIO(IMAGE)),
    )
    yield Call(
        "group-delete",
        "DELETE /persongroups/{personGroupId}",
        "gallery",
        lambda: client.person_group.delete("staff"),
    )
    yield Call(
        "snapshot",
        "POST /snapshots",
        "gallery",
        lambda: client.snapshot.take("PersonGroup", "staff", [PERSON]),
    )


def _archived() -> Iterator[Call]:
    cognitive_face.Key.set(_KEY)
    cognitive_face.BaseUrl.set(f"{_HOST}/face/v1.0/")
    face = cognitive_face.face
    yield Call(
        "archived-identify",
        "POST /identify",
        "one_to_many",
        lambda: face.identify([FACE], large_person_group_id="staff"),
    )
    yield Call(
        "archived-verify",
        "POST /verify",
        "one_to_one",
        lambda: face.verify(FACE, another_face_id=OTHER_FACE),
    )
    yield Call("archived-detect", "POST /detect", "detect", lambda: face.detect(IMAGE_URL))
    yield Call(
        "archived-person-face",
        "POST /largepersongroups/{largePersonGroupId}/persons/{personId}/persistedfaces",
        "gallery",
        lambda: cognitive_face.large_person_group_person_face.add(IMAGE_URL, "staff", PERSON),
    )
