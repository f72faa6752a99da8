"""The simulated provider's AWS dialect: Rekognition over JSON 1.1, on invented faces.

Enough of the service that boto3 reads every answer as its own; images inline only. Errors as in
botocore's service model `rekognition/2016-06-27`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from gateway.core.strict_json import JsonValue
from gateway.demo.provider.collection import (
    DEFAULT_THRESHOLD,
    MODEL_VERSION,
    Call,
    Collection,
    Face,
    box,
    detail,
)
from gateway.demo.provider.faces import portrait, similarity, template_of
from gateway.demo.provider.reply import Reply, identifier

_ARN = "aws:rekognition:us-east-1:000000000000:collection/"
# Invented people, whom RecognizeCelebrities knows.
CELEBRITIES = ("Mirabel Stagecoach", "Orlando Quill")

Clock = Callable[[], datetime]


class Rekognition:
    """The service's state and its operations; single-threaded, owned by the event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._collections: dict[str, Collection] = {}
        self._indexed = 0
        self._celebrities = {name: template_of(portrait(name)) or b"" for name in CELEBRITIES}
        self._plain: Mapping[str, Callable[[Call], Reply]] = {
            "CreateCollection": self._create_collection,
            "ListCollections": self._list_collections,
            "CompareFaces": self._compare_faces,
            "DetectFaces": _detect_faces,
            "DetectLabels": _detect_labels,
            "CreateDataset": _create_dataset,
            "RecognizeCelebrities": self._recognize_celebrities,
        }
        self._on_collection: Mapping[str, Callable[[Collection, Call], Reply]] = {
            "IndexFaces": self._index_faces,
            "SearchFacesByImage": _search_faces_by_image,
            "SearchFaces": _search_faces,
            "ListFaces": _list_faces,
            "DeleteFaces": _delete_faces,
            "DescribeCollection": _describe_collection,
            "DeleteCollection": self._delete_collection,
        }

    def answer(self, operation: str, body: bytes) -> Reply:
        """Carry out one operation; whatever is wrong is the service's own error."""
        plain = self._plain.get(operation)
        on_collection = self._on_collection.get(operation)
        if plain is None and on_collection is None:
            return fault("UnknownOperationException", "")
        try:
            call = msgspec.json.decode(body or b"{}", type=Call)
        except msgspec.MsgspecError:
            return fault("SerializationException", "the body could not be read")
        if plain is not None:
            return plain(call)
        collection = self._collections.get(call.collection_id)
        if collection is None or on_collection is None:
            return fault(
                "ResourceNotFoundException",
                f"The collection id: {call.collection_id} does not exist",
            )
        return on_collection(collection, call)

    def _create_collection(self, call: Call) -> Reply:
        if call.collection_id in self._collections:
            return fault(
                "ResourceAlreadyExistsException",
                f"The collection id: {call.collection_id} already exists",
            )
        self._collections[call.collection_id] = Collection(
            id=call.collection_id, created=self._clock()
        )
        return _done(
            StatusCode=200,
            CollectionArn=_ARN + call.collection_id,
            FaceModelVersion=MODEL_VERSION,
        )

    def _delete_collection(self, collection: Collection, _call: Call) -> Reply:
        del self._collections[collection.id]
        return _done(StatusCode=200)

    def _list_collections(self, call: Call) -> Reply:
        names: list[JsonValue] = [*sorted(self._collections)[: call.max_results]]
        versions: list[JsonValue] = [MODEL_VERSION] * len(names)
        return _done(CollectionIds=names, FaceModelVersions=versions)

    def _index_faces(self, collection: Collection, call: Call) -> Reply:
        template = template_of(call.image.content)
        if template is None:
            return _no_image()
        self._indexed += 1
        face = Face(
            face_id=identifier("face", self._indexed),
            image_id=identifier("image", self._indexed),
            external_image_id=call.external_image_id,
            template=template,
        )
        collection.faces[face.face_id] = face
        record: JsonValue = {"Face": face.document(), "FaceDetail": detail(template)}
        return _done(FaceRecords=[record], UnindexedFaces=[], FaceModelVersion=MODEL_VERSION)

    def _compare_faces(self, call: Call) -> Reply:
        source = template_of(call.source_image.content)
        target = template_of(call.target_image.content)
        if source is None or target is None:
            return _no_image()
        score = similarity(source, target)
        matched = score >= call.similarity_threshold
        match: JsonValue = {"Similarity": score, "Face": detail(target)}
        return _done(
            SourceImageFace={"BoundingBox": box(source), "Confidence": 99.9},
            FaceMatches=[match] if matched else [],
            UnmatchedFaces=[] if matched else [detail(target)],
        )

    def _recognize_celebrities(self, call: Call) -> Reply:
        template = template_of(call.image.content)
        if template is None:
            return _no_image()
        known: list[JsonValue] = [
            {
                "Name": name,
                "Id": f"demo{index}",
                "Urls": [],
                "MatchConfidence": score,
                "Face": detail(template),
            }
            for index, (name, celebrity) in enumerate(self._celebrities.items())
            if (score := similarity(template, celebrity)) >= DEFAULT_THRESHOLD
        ]
        return _done(CelebrityFaces=known, UnrecognizedFaces=[] if known else [detail(template)])


def fault(error: str, message: str, status: int = 400) -> Reply:
    """Answer as AWS JSON 1.1 services do: `__type` names the error."""
    return Reply(status=status, document={"__type": error, "message": message}, error=error)


def _done(**members: JsonValue) -> Reply:
    return Reply(document=members)


def _no_image() -> Reply:
    return fault("InvalidImageFormatException", "Request has invalid image format")


def _detect_faces(call: Call) -> Reply:
    template = template_of(call.image.content)
    return _no_image() if template is None else _done(FaceDetails=[detail(template)])


def _detect_labels(call: Call) -> Reply:
    if template_of(call.image.content) is None:
        return _no_image()
    return _done(Labels=[{"Name": "Person", "Confidence": 99.5}], LabelModelVersion="3.0")


def _create_dataset(call: Call) -> Reply:
    arn = call.project_arn.replace(":project/", ":dataset/", 1)
    return _done(DatasetArn=f"{arn}/{call.dataset_type.lower()}")


def _search_faces_by_image(collection: Collection, call: Call) -> Reply:
    template = template_of(call.image.content)
    if template is None:
        return _no_image()
    return _done(
        SearchedFaceBoundingBox=box(template),
        SearchedFaceConfidence=99.9,
        FaceMatches=collection.matches(
            template, threshold=call.face_match_threshold, limit=call.max_faces
        ),
        FaceModelVersion=MODEL_VERSION,
    )


def _search_faces(collection: Collection, call: Call) -> Reply:
    face = collection.faces.get(call.face_id)
    if face is None:
        return fault("InvalidParameterException", "faceId was not found in the collection.")
    others = Collection(
        id=collection.id,
        created=collection.created,
        faces={key: value for key, value in collection.faces.items() if key != call.face_id},
    )
    return _done(
        SearchedFaceId=call.face_id,
        FaceMatches=others.matches(
            face.template, threshold=call.face_match_threshold, limit=call.max_faces
        ),
        FaceModelVersion=MODEL_VERSION,
    )


def _list_faces(collection: Collection, call: Call) -> Reply:
    faces: list[JsonValue] = [
        face.document() for face in list(collection.faces.values())[: call.max_results]
    ]
    return _done(Faces=faces, FaceModelVersion=MODEL_VERSION)


def _delete_faces(collection: Collection, call: Call) -> Reply:
    deleted: list[JsonValue] = [
        face_id for face_id in call.face_ids if collection.faces.pop(face_id, None) is not None
    ]
    return _done(DeletedFaces=deleted)


def _describe_collection(collection: Collection, _call: Call) -> Reply:
    return _done(
        FaceCount=len(collection.faces),
        FaceModelVersion=MODEL_VERSION,
        CollectionARN="arn:" + _ARN + collection.id,
        CreationTimestamp=collection.created.timestamp(),
        UserCount=0,
    )
