"""Amazon Rekognition: all operations, by header, with conditions on the body."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.model import Shape, StructureShape

from gateway.core.catalog.severity import RANK
from gateway.core.operation import Destination, Operation, class_of
from gateway.core.request import Streaming
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import JSON_1_1, aws, doubtful, known, shipped, unheard_of

TOPIC = "arn:aws:sns:us-east-1:111122223333:done"
STREAM = "arn:aws:kinesis:us-east-1:111122223333:stream/hits"


def test_the_operations_are_those_of_the_sdk_s_own_model() -> None:
    model = botocore.session.get_session().get_service_model("rekognition")
    rows = shipped().providers["aws_rekognition"].operations

    assert sorted(row.name for row in rows) == sorted(model.operation_names)
    assert model.metadata["targetPrefix"] == "RekognitionService"
    assert model.metadata["jsonVersion"] == "1.1"


def test_every_place_in_the_table_is_a_member_of_the_sdk_s_model() -> None:
    model = botocore.session.get_session().get_service_model("rekognition")
    for row in shipped().providers["aws_rekognition"].operations:
        places = [*row.gallery, *row.to.values()]
        for variant in row.variants:
            places += [*variant.when.present, *variant.when.absent]
        for place in places:
            shape: Shape | None = model.operation_model(row.name).input_shape
            for member in place.removeprefix("body:").split("."):
                assert isinstance(shape, StructureShape)
                assert member in shape.members, (row.name, place)
                shape = shape.members[member]


@pytest.mark.parametrize(
    ("operation", "operation_class", "access", "subclass"),
    [
        ("CompareFaces", "one_to_one", "none", ""),
        ("SearchFacesByImage", "one_to_many", "none", ""),
        ("SearchUsers", "one_to_many", "none", ""),
        ("StartFaceSearch", "one_to_many", "none", "async_start"),
        ("RecognizeCelebrities", "one_to_many", "none", "builtin_gallery"),
        ("GetFaceSearch", "results", "none", ""),
        ("StartFaceDetection", "detect", "none", ""),
        ("IndexFaces", "gallery", "write", ""),
        ("ListFaces", "gallery", "read", ""),
        ("DeleteFaces", "gallery", "delete", ""),
        ("DisassociateFaces", "gallery", "delete", ""),
        ("DeleteDataset", "image_db", "delete", ""),
        ("CreateProjectVersion", "image_db", "train", "train"),
        ("CreateFaceLivenessSession", "liveness", "none", ""),
        ("PutProjectPolicy", "admin", "none", ""),
        ("DetectText", "unrelated", "none", ""),
    ],
)
def test_an_operation_has_the_class_of_its_row(
    operation: str, operation_class: str, access: str, subclass: str
) -> None:
    found = known(aws(operation))

    assert (found.name, found.operation_class) == (operation, operation_class)
    assert (found.access, found.subclass) == (access, subclass)


def test_a_search_names_its_collection_and_where_its_output_goes() -> None:
    found = known(
        aws(
            "StartFaceSearch",
            {
                "CollectionId": "watchlist",
                "Video": {"S3Object": {"Bucket": "cctv", "Name": "a.mp4"}},
                "NotificationChannel": {"SNSTopicArn": TOPIC, "RoleArn": "r"},
            },
        )
    )

    assert found.gallery == "watchlist"
    assert found.destinations == (Destination(kind="sns_topic", value=TOPIC),)


def test_every_output_of_a_stream_processor_is_a_destination() -> None:
    found = known(
        aws(
            "CreateStreamProcessor",
            {
                "Settings": {"FaceSearch": {"CollectionId": "watchlist"}},
                "Output": {
                    "KinesisDataStream": {"Arn": STREAM},
                    "S3Destination": {"Bucket": "crops"},
                },
                "NotificationChannel": {"SNSTopicArn": TOPIC},
            },
        )
    )

    assert found.gallery == "watchlist"
    assert {(each.kind, each.value) for each in found.destinations} == {
        ("kinesis_stream", STREAM),
        ("s3_bucket", "crops"),
        ("sns_topic", TOPIC),
    }


@pytest.mark.parametrize(
    ("operation", "body", "kind"),
    [
        ("CopyProjectVersion", {"DestinationProjectArn": "x"}, "project"),
        ("CopyProjectVersion", {"OutputConfig": {"S3Bucket": "x"}}, "s3_bucket"),
        (
            "CreateFaceLivenessSession",
            {"Settings": {"OutputConfig": {"S3Bucket": "x"}}},
            "s3_bucket",
        ),
        ("StartMediaAnalysisJob", {"OutputConfig": {"S3Bucket": "x"}}, "s3_bucket"),
        (
            "DetectModerationLabels",
            {"HumanLoopConfig": {"FlowDefinitionArn": "x"}},
            "flow_definition",
        ),
    ],
)
def test_an_output_is_found_where_the_operation_names_it(
    operation: str, body: dict[str, JsonValue], kind: str
) -> None:
    found = known(aws(operation, body))

    assert found.destinations == (Destination(kind=kind, value="x"),)


def test_a_stream_processor_without_faces_is_unrelated() -> None:
    found = known(
        aws("CreateStreamProcessor", {"Settings": {"ConnectedHome": {"Labels": ["PET"]}}})
    )

    assert found.operation_class == "unrelated"
    assert "body:Settings.ConnectedHome is present" in found.reading


@pytest.mark.parametrize(
    "settings",
    [
        {"FaceSearch": {"CollectionId": "c"}},
        {"FaceSearch": {}, "ConnectedHome": {"Labels": ["PET"]}},
        {"ConnectedHome": None},
        {},
    ],
)
def test_a_stream_processor_that_is_not_proven_faceless_searches(
    settings: JsonValue,
) -> None:
    found = known(aws("CreateStreamProcessor", {"Settings": settings}))

    assert found.operation_class == "stream_search"


@pytest.mark.parametrize("operation", ["StartStreamProcessor", "UpdateStreamProcessor"])
@pytest.mark.parametrize(
    ("observed", "operation_class"),
    [
        ("connected_home", "unrelated"),
        ("face_search", "stream_search"),
        ("unknown", "stream_search"),
        ("", "stream_search"),
    ],
)
def test_a_named_stream_processor_searches_unless_it_was_declared_faceless(
    operation: str, observed: str, operation_class: str
) -> None:
    found = known(aws(operation, {"Name": "door"}, observed=observed))

    assert found.operation_class == operation_class


def test_a_body_that_streams_reads_as_its_most_restrictive_variant() -> None:
    found = known(aws("CreateStreamProcessor", Streaming(9_000_000)))

    assert found.operation_class == "stream_search"
    assert "not read" in found.reading[-1]


def test_a_streaming_image_keeps_the_class_that_the_header_names() -> None:
    assert known(aws("CompareFaces", Streaming(9_000_000))).operation_class == "one_to_one"


@pytest.mark.parametrize("operation", ["", "SearchFacesByIMAGE", "Search", "DetectFaces "])
def test_an_operation_that_the_table_does_not_have_is_unknown(operation: str) -> None:
    unheard_of(aws(operation))


@pytest.mark.parametrize(
    "value",
    [
        "SearchFaces",
        "rekognitionservice.SearchFaces",
        "RekognitionStreamingService.SearchFaces",
        "RekognitionService.RekognitionService.SearchFaces",
        "RekognitionService.",
        "",
    ],
)
def test_only_the_exact_prefix_names_an_operation(value: str) -> None:
    unheard_of(aws("", headers={"x-amz-target": value}))


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "post"])
def test_only_a_post_is_a_known_form(method: str) -> None:
    unheard_of(aws("DetectFaces", method=method))


@pytest.mark.parametrize("path", ["/aws", "/service/Rekognition/operation/SearchFaces", "//"])
def test_a_path_other_than_the_root_is_unknown_without_a_target(path: str) -> None:
    unheard_of(aws("", target=path))


@pytest.mark.parametrize("path", ["/aws", "/service/Rekognition/operation/SearchFaces", "//"])
def test_a_target_on_a_path_other_than_the_root_has_two_readings(path: str) -> None:
    assert doubtful(aws("DetectFaces", target=path)).operation_class == "unknown"


@pytest.mark.parametrize("content_type", [JSON_1_1, f"{JSON_1_1}; charset=UTF-8", JSON_1_1.upper()])
def test_the_media_type_of_the_sdk_is_read(content_type: str) -> None:
    assert known(aws("DetectFaces", content_type=content_type)).operation_class == "detect"


def test_a_presigned_query_does_not_change_what_is_asked() -> None:
    found = aws(
        "SearchFaces",
        {"CollectionId": "c"},
        target="/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2Frekognition&X-Amz-Signature=0",
    )

    assert known(found).gallery == "c"


def test_the_reading_says_where_the_operation_was_named() -> None:
    assert known(aws("SearchFaces")).reading == ("named by header `x-amz-target`",)


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/", {}),
        ("/", {"x-amz-target": "DynamoDB_20120810.SearchFaces"}),
        ("/", {"x-amz-target": "Rekognition.SearchFaces"}),
        ("/service/RekognitionService/operation/SearchFaces", {"smithy-protocol": "rpc-v2-cbor"}),
    ],
    ids=["no target", "another service", "another prefix", "another protocol"],
)
def test_what_is_not_named_as_sdks_name_it_is_the_most_restrictive_there_is(
    target: str, headers: dict[str, str]
) -> None:
    found = aws("", {"CollectionId": "c"}, target=target, headers=headers)

    assert class_of(found) in {"unknown", "one_to_many"}
    assert RANK[class_of(found)] <= RANK["one_to_many"]
    assert not isinstance(found, Operation)
