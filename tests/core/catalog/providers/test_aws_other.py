"""Other AWS services: told apart by host, and unknown unless they are proven harmless."""

from __future__ import annotations

import json

import pytest

from gateway.core.operation import Destination, class_of
from tests.core.catalog.build import known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_operations,
    collected_requests,
    operation_differences,
)
from tests.core.catalog.providers.wires import ask_at, not_collected

PROVIDER = "aws_other"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
STS = "sts.us-east-1.amazonaws.com"
MORE = {
    "sts:GetCallerIdentity",
    "AWSEvents.*",
    "AWSShineFrontendService_20170701.*",
    "AmazonSQS.*",
    "Comprehend_20171127.*",
    "DynamoDB_20120810.*",
    "GraniteServiceVersion20100801.*",
    "Kinesis_20131202.*",
    "Logs_20140328.*",
    "Textract.*",
    "Transcribe.*",
    "VoiceID.*",
}


def test_every_collected_operation_is_here_with_its_class() -> None:
    more = not_collected(PROVIDER)

    assert more == MORE
    assert set(operation_differences(PROVIDER)) == {f"{name}: not collected" for name in more}
    assert len(collected_operations(PROVIDER)) == 9


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("face-dataset.s3.amazonaws.com", "/0001.jpg"),
        ("s3.eu-west-1.amazonaws.com", "/face-dataset/0001.jpg"),
        ("face-dataset.s3.eu-west-1.amazonaws.com", "/?list-type=2"),
        ("face-dataset.s3-us-west-2.amazonaws.com", "/a?torrent"),
    ],
)
def test_a_bucket_may_hold_faces(host: str, target: str) -> None:
    found = known(ask_at(host, PROVIDER, target, method="GET"))

    assert (found.operation_class, found.access) == ("image_db", "read")


def test_only_the_caller_s_own_name_may_be_asked_of_sts() -> None:
    asked = ask_at(
        STS, PROVIDER, "/", "Action=GetCallerIdentity&Version=2011-06-15", content_type=FORM
    )

    assert known(asked).operation_class == "unrelated"
    for body in ("Action=AssumeRole&RoleArn=r", "Action=GetCallerIdentity&Action=AssumeRole", ""):
        assert class_of(ask_at(STS, PROVIDER, "/", body, content_type=FORM)) == "unknown"


@pytest.mark.parametrize(
    "host",
    [
        "ivs.us-east-1.amazonaws.com",
        "connect.eu-west-1.amazonaws.com",
        "voiceid.us-east-1.amazonaws.com",
    ],
)
def test_a_service_without_faces_is_unrelated(host: str) -> None:
    found = ask_at(host, PROVIDER, "/ListChannels", {}, content_type="application/json")

    assert known(found).operation_class == "unrelated"


@pytest.mark.parametrize(
    ("service", "target"),
    [
        ("dynamodb", "DynamoDB_20120810.Query"),
        ("logs", "Logs_20140328.PutLogEvents"),
        ("voiceid", "VoiceID.ListDomains"),
    ],
)
def test_a_target_of_a_service_without_faces_is_unrelated(service: str, target: str) -> None:
    found = ask_at(
        f"{service}.us-east-1.amazonaws.com",
        PROVIDER,
        "/",
        {},
        content_type="application/x-amz-json-1.0",
        headers={"x-amz-target": target},
    )

    assert known(found).operation_class == "unrelated"


@pytest.mark.parametrize(
    "host",
    ["dynamodb.us-east-1.amazonaws.com", "ivs.us-east-1.amazonaws.com", STS, "s3.amazonaws.com"],
)
@pytest.mark.parametrize(
    "target",
    ["RekognitionService.SearchFacesByImage", "RekognitionService.DetectLabels", "X.Y", ""],
)
def test_a_target_of_another_service_is_unknown_at_every_host(host: str, target: str) -> None:
    found = ask_at(
        host,
        PROVIDER,
        "/",
        {},
        content_type="application/x-amz-json-1.1",
        headers={"x-amz-target": target},
    )

    assert class_of(found) == "unknown"


@pytest.mark.parametrize(
    "host",
    [
        "abc123.execute-api.ap-southeast-2.amazonaws.com",
        "runtime.sagemaker.us-east-1.amazonaws.com",
        "bedrock-runtime.us-east-1.amazonaws.com",
        "lambda.us-east-1.amazonaws.com",
        "iam.amazonaws.com",
        "cognito-identity.us-east-1.amazonaws.com",
        "10.0.0.5",
    ],
)
def test_what_may_run_anything_or_issues_credentials_is_unknown(host: str) -> None:
    unheard_of(ask_at(host, PROVIDER, "/v1/face/verify", {}, content_type="application/json"))


def test_frames_of_a_stream_go_to_a_bucket() -> None:
    found = known(
        ask(
            PROVIDER,
            "/updateImageGenerationConfiguration",
            {"ImageGenerationConfiguration": {"DestinationConfig": {"Uri": "s3://frames/a"}}},
        )
    )

    assert (found.operation_class, found.access) == ("image_db", "write")
    assert found.destinations == (Destination(kind="s3_uri", value="s3://frames/a"),)


def test_every_collected_request_is_what_the_collection_says() -> None:
    for each in collected_requests(PROVIDER):
        headers = {name.lower(): value for name, value in each.headers}
        found = ask_at(
            headers["host"],
            PROVIDER,
            each.target,
            each.body,
            method=each.method,
            headers=headers,
        )
        assert known(found).operation_class == each.operation_class, each.why


def test_the_media_types_of_a_service_are_many_and_unread() -> None:
    for content_type in ("application/json", "application/x-amz-json-1.1"):
        body = json.dumps({"Image": "/9j/"})
        found = ask_at(
            "connect.eu-west-1.amazonaws.com", PROVIDER, "/x", body, content_type=content_type
        )
        assert known(found).reading[-1].startswith("the body was not read")
