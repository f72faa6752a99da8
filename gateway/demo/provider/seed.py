"""What the simulated provider holds before the first request: invented people, by name.

The identifiers are the same in each run, so that samples can name them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

import msgspec

from gateway.core.strict_json import JsonValue
from gateway.demo.provider import azure_face
from gateway.demo.provider.azure_face import AzureFace
from gateway.demo.provider.faces import portrait
from gateway.demo.provider.rekognition import Rekognition
from gateway.demo.provider.reply import identifier

PEOPLE = ("ada", "bob", "cleo")
COLLECTIONS = ("missing-persons", "former-customers")
GROUPS = ("missing-persons", "former-customers")

# Face ids: of Rekognition's first collection, and of one Azure detection each.
INDEXED: Mapping[str, str] = {
    person: identifier("face", index) for index, person in enumerate(PEOPLE, start=1)
}
DETECTED: Mapping[str, str] = {
    person: identifier("azure face", index) for index, person in enumerate(PEOPLE, start=1)
}


def seed(aws: Rekognition, azure: AzureFace) -> None:
    """Index everyone in both services, by the services' own operations."""
    for collection in COLLECTIONS:
        _aws(aws, "CreateCollection", CollectionId=collection)
        for person in PEOPLE:
            image: JsonValue = {"Bytes": b64encode(portrait(person)).decode()}
            _aws(
                aws,
                "IndexFaces",
                CollectionId=collection,
                Image=image,
                ExternalImageId=person,
            )
    for person in PEOPLE:
        _azure(azure, "POST", "/detect", portrait(person, 2), "application/octet-stream")
    for group in GROUPS:
        path = f"/largepersongroups/{group}"
        _azure(azure, "PUT", path, msgspec.json.encode({"name": group}))
        for person in PEOPLE:
            made = _azure(azure, "POST", f"{path}/persons", msgspec.json.encode({"name": person}))
            faces = f"{path}/persons/{made['personId']}/persistedfaces"
            _azure(azure, "POST", faces, portrait(person), "application/octet-stream")
        _azure(azure, "POST", f"{path}/train", b"")


def _aws(service: Rekognition, operation: str, **members: JsonValue) -> None:
    service.answer(operation, msgspec.json.encode(members))


def _azure(
    service: AzureFace,
    method: str,
    path: str,
    body: bytes,
    content_type: str = "application/json",
) -> dict[str, JsonValue]:
    name, places = service.operation(method, path)
    call = azure_face.read_call(
        body, content_type=content_type, query_string="", places=places, root=""
    )
    document = service.answer(name, call).document if call is not None else None
    return document if isinstance(document, dict) else {}
