"""What the simulated Rekognition keeps and reads: calls, indexed faces, collections.

Shapes from botocore's service model `rekognition/2016-06-27`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.core.strict_json import JsonValue
from gateway.demo.provider.faces import similarity

MODEL_VERSION = "7.0"
DEFAULT_THRESHOLD = 80.0  # per cent of likeness


class Image(msgspec.Struct, frozen=True):
    """An inline image; base64 on the wire."""

    content: bytes = msgspec.field(default=b"", name="Bytes")


class Call(msgspec.Struct, frozen=True, rename="pascal"):
    """The members that the simulated operations read, all optional, as in the service model."""

    collection_id: str = ""
    image: Image = Image()
    source_image: Image = Image()
    target_image: Image = Image()
    external_image_id: str = ""
    face_id: str = ""
    face_ids: tuple[str, ...] = ()
    project_arn: str = ""
    dataset_type: str = "TRAIN"
    max_faces: int = 4096
    max_results: int = 1000
    similarity_threshold: float = DEFAULT_THRESHOLD
    face_match_threshold: float = DEFAULT_THRESHOLD


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """One indexed face."""

    face_id: str
    image_id: str
    external_image_id: str
    template: bytes

    def document(self) -> dict[str, JsonValue]:
        """Return the model's `Face` structure."""
        named: dict[str, JsonValue] = (
            {"ExternalImageId": self.external_image_id} if self.external_image_id else {}
        )
        return {
            "FaceId": self.face_id,
            "ImageId": self.image_id,
            "BoundingBox": box(self.template),
            "Confidence": 99.9,
            "IndexFacesModelVersion": MODEL_VERSION,
            **named,
        }


class Collection(msgspec.Struct, kw_only=True):
    """One collection; owned by the `Rekognition` that made it."""

    id: str
    created: datetime
    faces: dict[str, Face] = {}

    def matches(self, template: bytes, *, threshold: float, limit: int) -> list[JsonValue]:
        """Search the collection, best first."""
        scored = [(similarity(template, face.template), face) for face in self.faces.values()]
        found = sorted(
            ((score, face) for score, face in scored if score >= threshold),
            key=lambda pair: (-pair[0], pair[1].face_id),
        )
        return [{"Similarity": score, "Face": face.document()} for score, face in found[:limit]]


def box(template: bytes) -> dict[str, JsonValue]:
    """Return the model's `BoundingBox`: place the face somewhere plausible, by its template."""
    left, top = (template[0] % 20 + 20) / 100, (template[1] % 20 + 15) / 100
    return {"Left": left, "Top": top, "Width": 0.4, "Height": 0.5}


def detail(template: bytes) -> dict[str, JsonValue]:
    """Return the model's `FaceDetail` structure."""
    return {
        "BoundingBox": box(template),
        "Confidence": 99.9,
        "Landmarks": [
            {"Type": "eyeLeft", "X": 0.42, "Y": 0.38},
            {"Type": "eyeRight", "X": 0.58, "Y": 0.38},
            {"Type": "nose", "X": 0.5, "Y": 0.5},
        ],
        "Pose": {"Roll": 0.5, "Yaw": -1.5, "Pitch": 2.0},
        "Quality": {"Brightness": 80.0, "Sharpness": 92.0},
    }
