"""What the simulated Azure Face keeps and reads: calls, detected faces, person groups.

Shapes from the SDK's models (`azure.ai.vision.face.models`, API version v1.2-preview.1).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.strict_json import JsonValue
from gateway.demo.provider.faces import similarity

RECOGNITION_MODEL = "recognition_04"
SAME_PERSON = 0.5  # the service's default confidence threshold


class Query(msgspec.Struct, frozen=True, rename="camel"):
    """The members that the simulated operations read from a JSON body, all optional."""

    url: str = ""
    name: str = ""
    user_data: str = ""
    recognition_model: str = RECOGNITION_MODEL
    face_id: str = ""
    face_id1: str = ""
    face_id2: str = ""
    face_ids: tuple[str, ...] = ()
    person_id: str = ""
    large_person_group_id: str = ""
    max_num_of_candidates_returned: int = 20
    confidence_threshold: float = SAME_PERSON


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call: what the path names, the query parameters, and the body in its two readings.

    `image` is empty unless the body is a picture.
    """

    places: Mapping[str, str]
    parameters: Mapping[str, str]
    query: Query
    image: bytes
    root: str


class Person(msgspec.Struct, kw_only=True):
    """One person of a group; `faces` maps persisted face id to template."""

    person_id: str
    name: str
    user_data: str
    faces: dict[str, bytes] = {}

    def confidence(self, template: bytes) -> float:
        """Return the best likeness over the person's faces, 0 to 1."""
        scores = [similarity(template, face) for face in self.faces.values()]
        return round(max(scores, default=0.0) / 100, 5)

    def document(self) -> JsonValue:
        """Return the model's `LargePersonGroupPerson`."""
        faces: list[JsonValue] = [*self.faces]
        return {
            "personId": self.person_id,
            "name": self.name,
            "userData": self.user_data or None,
            "persistedFaceIds": faces,
        }


class Group(msgspec.Struct, kw_only=True):
    """One large person group; `trained_at` is an RFC 3339 time, empty before the first training."""

    group_id: str
    name: str
    user_data: str
    recognition_model: str
    persons: dict[str, Person] = {}
    trained_at: str = ""

    def candidates(self, template: bytes, *, threshold: float, limit: int) -> list[JsonValue]:
        """Search the group, best first."""
        scored = [(person.confidence(template), person) for person in self.persons.values()]
        found = sorted(
            ((score, person) for score, person in scored if score >= threshold),
            key=lambda pair: (-pair[0], pair[1].person_id),
        )
        return [
            {"personId": person.person_id, "confidence": score} for score, person in found[:limit]
        ]

    def document(self) -> JsonValue:
        """Return the model's `LargePersonGroup`."""
        return {
            "largePersonGroupId": self.group_id,
            "name": self.name,
            "userData": self.user_data or None,
            "recognitionModel": self.recognition_model,
        }
