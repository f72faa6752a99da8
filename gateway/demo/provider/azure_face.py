"""The simulated provider's Azure dialect: the Face REST interface, on invented faces.

Enough of the service that azure-ai-vision-face reads every answer as its own. An operation is
named as the catalogue names it: method and path template below `/face/{version}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl

import msgspec

from gateway.core.strict_json import JsonValue
from gateway.demo.provider.faces import portrait, similarity, template_of
from gateway.demo.provider.persons import (
    RECOGNITION_MODEL,
    SAME_PERSON,
    Call,
    Group,
    Person,
    Query,
)
from gateway.demo.provider.reply import Reply, identifier

Clock = Callable[[], datetime]

_GROUP = "/largepersongroups/{largePersonGroupId}"
_PERSON = _GROUP + "/persons/{personId}"
_FACE = _PERSON + "/persistedfaces/{persistedFaceId}"
_UNKNOWN = "unknown"


class AzureFace:
    """The service's state and its operations; single-threaded, owned by the event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faces: dict[str, bytes] = {}
        self._groups: dict[str, Group] = {}
        self._made = 0
        self._plain: Mapping[str, Callable[[Call], Reply]] = {
            "POST /detect": self._detect,
            "POST /verify": self._verify,
            "POST /identify": self._identify,
            "POST /findsimilars": self._find_similars,
            "GET /largepersongroups": self._list_groups,
            f"PUT {_GROUP}": self._create_group,
        }
        self._on_group: Mapping[str, Callable[[Group, Call], Reply]] = {
            f"GET {_GROUP}": _get_group,
            f"DELETE {_GROUP}": self._delete_group,
            f"POST {_GROUP}/train": self._train,
            f"GET {_GROUP}/training": _training,
            f"GET {_GROUP}/persons": _list_persons,
            f"POST {_GROUP}/persons": self._create_person,
        }
        self._on_person: Mapping[str, Callable[[Group, Person, Call], Reply]] = {
            f"GET {_PERSON}": _get_person,
            f"DELETE {_PERSON}": _delete_person,
            f"POST {_PERSON}/persistedfaces": self._add_face,
            f"DELETE {_FACE}": _delete_face,
        }
        self._names = (*self._plain, *self._on_group, *self._on_person)

    def operation(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        """Name the operation of a path below `/face/{version}`, with what its template captures."""
        parts = path.split("/")
        for name in self._names:
            verb, _, template = name.partition(" ")
            captured = _captured(template.split("/"), parts) if verb == method else None
            if captured is not None:
                return name, captured
        return _UNKNOWN, {}

    def answer(self, name: str, call: Call) -> Reply:
        """Carry out one operation; whatever is wrong is the service's own error."""
        if (plain := self._plain.get(name)) is not None:
            return plain(call)
        on_group, on_person = self._on_group.get(name), self._on_person.get(name)
        if on_group is None and on_person is None:
            return fault(404, "404", "Resource not found")
        group = self._groups.get(call.places["largePersonGroupId"])
        if group is None:
            return fault(404, "LargePersonGroupNotFound", "Large person group is not found.")
        if on_group is not None:
            return on_group(group, call)
        person = group.persons.get(call.places["personId"])
        if person is None or on_person is None:
            return fault(404, "PersonNotFound", "Person is not found.")
        return on_person(group, person, call)

    def _next(self, kind: str) -> str:
        self._made += 1
        return identifier(f"azure {kind}", self._made)

    def _detect(self, call: Call) -> Reply:
        # A picture by address is never fetched: its address stands for who is on it.
        image = portrait(call.query.url) if call.query.url else call.image
        template = template_of(image)
        if template is None:
            return fault(400, "InvalidImage", "Decoding error, image format unsupported.")
        top, left = template[0] % 8, template[1] % 8
        found: dict[str, JsonValue] = {
            "faceRectangle": {"top": top, "left": left, "width": 30, "height": 30}
        }
        if call.parameters.get("returnFaceId", "true").lower() == "true":
            face_id = self._next("face")
            self._faces[face_id] = template
            found["faceId"] = face_id
        if call.parameters.get("returnRecognitionModel", "").lower() == "true":
            found["recognitionModel"] = call.parameters.get("recognitionModel", RECOGNITION_MODEL)
        return Reply(document=[found])

    def _verify(self, call: Call) -> Reply:
        query = call.query
        probe = self._faces.get(query.face_id1 or query.face_id)
        if probe is None:
            return _no_face()
        if query.person_id:
            group = self._groups.get(query.large_person_group_id)
            person = group.persons.get(query.person_id) if group else None
            if person is None:
                return fault(404, "PersonNotFound", "Person is not found.")
            confidence = person.confidence(probe)
        else:
            other = self._faces.get(query.face_id2)
            if other is None:
                return _no_face()
            confidence = round(similarity(probe, other) / 100, 5)
        return Reply(document={"isIdentical": confidence >= SAME_PERSON, "confidence": confidence})

    def _identify(self, call: Call) -> Reply:
        group = self._groups.get(call.query.large_person_group_id)
        if group is None:
            return fault(404, "LargePersonGroupNotFound", "Large person group is not found.")
        if not group.trained_at:
            return fault(400, "LargePersonGroupNotTrained", "Large person group is not trained.")
        if any(face_id not in self._faces for face_id in call.query.face_ids):
            return _no_face()
        results: list[JsonValue] = [
            {
                "faceId": face_id,
                "candidates": group.candidates(
                    self._faces[face_id],
                    threshold=call.query.confidence_threshold,
                    limit=call.query.max_num_of_candidates_returned,
                ),
            }
            for face_id in call.query.face_ids
        ]
        return Reply(document=results)

    def _find_similars(self, call: Call) -> Reply:
        probe = self._faces.get(call.query.face_id)
        if probe is None:
            return _no_face()
        scored = [
            (round(similarity(probe, self._faces[face_id]) / 100, 5), face_id)
            for face_id in call.query.face_ids
            if face_id in self._faces
        ]
        found: list[JsonValue] = [
            {"confidence": score, "faceId": face_id}
            for score, face_id in sorted(scored, key=lambda pair: (-pair[0], pair[1]))
            if score >= SAME_PERSON
        ]
        return Reply(document=found[: call.query.max_num_of_candidates_returned])

    def _list_groups(self, _call: Call) -> Reply:
        return Reply(document=[self._groups[name].document() for name in sorted(self._groups)])

    def _create_group(self, call: Call) -> Reply:
        group_id = call.places["largePersonGroupId"]
        if group_id in self._groups:
            return fault(409, "LargePersonGroupExists", "Large person group already exists.")
        self._groups[group_id] = Group(
            group_id=group_id,
            name=call.query.name,
            user_data=call.query.user_data,
            recognition_model=call.query.recognition_model,
        )
        return Reply()

    def _delete_group(self, group: Group, _call: Call) -> Reply:
        del self._groups[group.group_id]
        return Reply()

    def _train(self, group: Group, call: Call) -> Reply:
        group.trained_at = self._clock().isoformat().replace("+00:00", "Z")
        place = f"{call.root}/largepersongroups/{group.group_id}/training"
        return Reply(status=202, headers={"operation-location": place})

    def _create_person(self, group: Group, call: Call) -> Reply:
        person = Person(
            person_id=self._next("person"), name=call.query.name, user_data=call.query.user_data
        )
        group.persons[person.person_id] = person
        return Reply(document={"personId": person.person_id})

    def _add_face(self, _group: Group, person: Person, call: Call) -> Reply:
        template = template_of(portrait(call.query.url) if call.query.url else call.image)
        if template is None:
            return fault(400, "InvalidImage", "Decoding error, image format unsupported.")
        face_id = self._next("persisted face")
        person.faces[face_id] = template
        return Reply(document={"persistedFaceId": face_id})


def read_call(
    body: bytes, *, content_type: str, query_string: str, places: Mapping[str, str], root: str
) -> Call | None:
    """Read one call; None where a JSON body cannot be read.

    Args:
        body: the body; a picture unless the content type is JSON.
        content_type: the Content-Type header.
        query_string: the raw query without `?`.
        places: what the path's template captured.
        root: address of the service up to the version, for `operation-location`.
    """
    is_json = content_type.startswith("application/json")
    try:
        query = msgspec.json.decode(body, type=Query) if is_json and body else Query()
    except msgspec.MsgspecError:
        return None
    return Call(
        places=places,
        parameters=dict(parse_qsl(query_string)),
        query=query,
        image=b"" if is_json else body,
        root=root,
    )


def fault(status: int, error: str, message: str) -> Reply:
    """Answer as Azure Face does: `error.code` names the error."""
    return Reply(
        status=status, document={"error": {"code": error, "message": message}}, error=error
    )


def _captured(template: list[str], parts: list[str]) -> dict[str, str] | None:
    if len(template) != len(parts):
        return None
    pairs = list(zip(template, parts, strict=True))
    if any(part != name for name, part in pairs if not name.startswith("{")):
        return None
    return {name.strip("{}"): part for name, part in pairs if name.startswith("{")}


def _no_face() -> Reply:
    return fault(404, "FaceNotFound", "Face is not found.")


def _get_group(group: Group, _call: Call) -> Reply:
    return Reply(document=group.document())


def _training(group: Group, _call: Call) -> Reply:
    if not group.trained_at:
        return fault(404, "LargePersonGroupNotTrained", "Large person group is not trained.")
    times: dict[str, JsonValue] = dict.fromkeys(
        ("createdDateTime", "lastActionDateTime", "lastSuccessfulTrainingDateTime"),
        group.trained_at,
    )
    return Reply(document={"status": "succeeded", **times})


def _list_persons(group: Group, _call: Call) -> Reply:
    return Reply(document=[person.document() for person in group.persons.values()])


def _get_person(_group: Group, person: Person, _call: Call) -> Reply:
    return Reply(document=person.document())


def _delete_person(group: Group, person: Person, _call: Call) -> Reply:
    del group.persons[person.person_id]
    return Reply()


def _delete_face(_group: Group, person: Person, call: Call) -> Reply:
    if person.faces.pop(call.places["persistedFaceId"], None) is None:
        return fault(404, "PersistedFaceNotFound", "Persisted face is not found.")
    return Reply()
