"""CompreFace by compreface-sdk."""

from __future__ import annotations

from collections.abc import Iterator

from compreface import CompreFace

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import FACE, image_file

PROVIDER = "compreface"

_KEY = "00000000-0000-0000-0000-00000000aaaa"


def calls() -> Iterator[Call]:
    """Name the calls, by the operations of the server's source."""
    face = CompreFace("http://compreface.corp", "8000")
    recognition = face.init_face_recognition(_KEY)
    faces, subjects = recognition.get_face_collection(), recognition.get_subjects()
    image = image_file()
    yield Call(
        "recognize",
        "recognize",
        "one_to_many",
        lambda: recognition.recognize(image, {"limit": 0, "prediction_count": 1}),
    )
    yield Call(
        "recognize-templates",
        "recognize",
        "one_to_many",
        lambda: recognition.recognize(image, {"face_plugins": "calculator,age"}),
    )
    yield Call(
        "verify",
        "verify",
        "one_to_one",
        lambda: face.init_face_verification(_KEY).verify(image, image),
    )
    yield Call("detect", "detect", "detect", lambda: face.init_face_detection(_KEY).detect(image))
    yield Call(
        "detect-templates",
        "detect",
        "embed",
        lambda: face.init_face_detection(_KEY).detect(image, {"face_plugins": "calculator"}),
    )
    yield Call(
        "example-verify", "verifyAgainstExample", "one_to_one", lambda: faces.verify(image, FACE)
    )
    yield Call("example-add", "addExample", "gallery", lambda: faces.add(image, "A. Person"))
    yield Call("examples", "listExamples", "gallery", faces.list)
    yield Call("example-delete", "deleteExample", "gallery", lambda: faces.delete(FACE))
    yield Call("subject-add", "addSubject", "gallery", lambda: subjects.add("A. Person"))
    yield Call("subjects", "listSubjects", "gallery", subjects.list)
    yield Call("subject-delete", "deleteSubject", "gallery", lambda: subjects.delete("crew"))
