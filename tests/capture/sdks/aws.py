"""Amazon Rekognition by boto3."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
from botocore.config import Config

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import FACE, IMAGE, OTHER_FACE

PROVIDER = "aws_rekognition"

_IMAGE = {"Bytes": IMAGE}
_STORED = {"S3Object": {"Bucket": "portraits", "Name": "probe.jpg"}}
_VIDEO = {"S3Object": {"Bucket": "footage", "Name": "door.mp4"}}
_TOPIC = {
    "SNSTopicArn": "arn:aws:sns:eu-west-1:111122223333:found",
    "RoleArn": "arn:aws:iam::111122223333:role/found",
}
_ROLE = "arn:aws:iam::111122223333:role/stream"
_INPUT = {
    "KinesisVideoStream": {"Arn": "arn:aws:kinesisvideo:eu-west-1:111122223333:stream/door/1"}
}
_TO_STREAM = {"KinesisDataStream": {"Arn": "arn:aws:kinesis:eu-west-1:111122223333:stream/found"}}


def calls() -> Iterator[Call]:
    """Name the calls, by the names of the API."""
    client = boto3.client(
        "rekognition",
        region_name="eu-west-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        config=Config(retries={"max_attempts": 0}),
    )

    def call(operation: str, operation_class: str, *, name: str = "", **members: object) -> Call:
        snake = "".join(
            f"_{letter.lower()}" if letter.isupper() else letter for letter in operation
        )
        method = getattr(client, snake.removeprefix("_"))
        return Call(name or operation, operation, operation_class, lambda: method(**members))

    yield from _searches(call)
    yield from _galleries(call)
    yield from _others(call)


def _searches(call) -> Iterator[Call]:
    yield call("SearchFaces", "one_to_many", CollectionId="visitors", FaceId=FACE)
    yield call("SearchFacesByImage", "one_to_many", CollectionId="visitors", Image=_IMAGE)
    yield call("SearchUsers", "one_to_many", CollectionId="visitors", UserId="u1")
    yield call("SearchUsersByImage", "one_to_many", CollectionId="visitors", Image=_STORED)
    yield call("RecognizeCelebrities", "one_to_many", Image=_IMAGE)
    yield call(
        "StartFaceSearch",
        "one_to_many",
        CollectionId="visitors",
        Video=_VIDEO,
        NotificationChannel=_TOPIC,
        ClientRequestToken="token",
    )
    yield call("StartCelebrityRecognition", "one_to_many", Video=_VIDEO, ClientRequestToken="token")
    yield call("GetFaceSearch", "results", JobId="job-1")
    yield call("GetCelebrityRecognition", "results", JobId="job-1")
    yield call(
        "CreateStreamProcessor",
        "stream_search",
        name="CreateStreamProcessor-faces",
        Name="door",
        RoleArn=_ROLE,
        Input=_INPUT,
        Output=_TO_STREAM,
        Settings={"FaceSearch": {"CollectionId": "visitors", "FaceMatchThreshold": 85.5}},
    )
    yield call(
        "CreateStreamProcessor",
        "unrelated",
        name="CreateStreamProcessor-home",
        Name="garden",
        RoleArn=_ROLE,
        Input=_INPUT,
        Output={"S3Destination": {"Bucket": "garden-alerts"}},
        Settings={"ConnectedHome": {"Labels": ["PET"]}},
        NotificationChannel={"SNSTopicArn": _TOPIC["SNSTopicArn"]},
    )
    yield call("StartStreamProcessor", "stream_search", Name="door")


def _galleries(call) -> Iterator[Call]:
    yield call("CreateCollection", "gallery", CollectionId="visitors")
    yield call("DescribeCollection", "gallery", CollectionId="visitors")
    yield call("ListCollections", "gallery")
    yield call("DeleteCollection", "gallery", CollectionId="visitors")
    yield call("IndexFaces", "gallery", CollectionId="visitors", Image=_IMAGE, MaxFaces=1)
    yield call("ListFaces", "gallery", CollectionId="visitors")
    yield call("DeleteFaces", "gallery", CollectionId="visitors", FaceIds=[FACE, OTHER_FACE])
    yield call(
        "CreateUser", "gallery", CollectionId="visitors", UserId="u1", ClientRequestToken="token"
    )
    yield call(
        "AssociateFaces",
        "gallery",
        CollectionId="visitors",
        UserId="u1",
        FaceIds=[FACE],
        ClientRequestToken="token",
    )
    yield call(
        "DeleteUser", "gallery", CollectionId="visitors", UserId="u1", ClientRequestToken="token"
    )


def _others(call) -> Iterator[Call]:
    yield call("CompareFaces", "one_to_one", SourceImage=_IMAGE, TargetImage=_STORED)
    yield call("DetectFaces", "detect", Image=_IMAGE, Attributes=["ALL"])
    yield call("StartFaceDetection", "detect", Video=_VIDEO, NotificationChannel=_TOPIC)
    yield call("GetFaceDetection", "detect", JobId="job-1")
    yield call(
        "CreateFaceLivenessSession",
        "liveness",
        ClientRequestToken="token",
        Settings={"OutputConfig": {"S3Bucket": "liveness-audit"}},
    )
    yield call("GetFaceLivenessSessionResults", "liveness", SessionId=FACE)
    yield call("DetectLabels", "unrelated", Image=_IMAGE, MaxLabels=3)
    yield call("DetectText", "unrelated", Image=_STORED)
    yield call("DetectModerationLabels", "unrelated", Image=_IMAGE)
    yield call("ListTagsForResource", "admin", ResourceArn=_ROLE)
