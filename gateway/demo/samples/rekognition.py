"""Samples in the AWS dialect, most of them as boto3 sends them."""

from __future__ import annotations

from gateway.core.operation import OperationClass
from gateway.demo.provider.faces import portrait
from gateway.demo.provider.seed import INDEXED
from gateway.demo.provider.server import Misbehaviour
from gateway.demo.samples.model import (
    AMBIGUOUS,
    DENIED,
    NO_RULE,
    PERMITTED,
    UNGOVERNED,
    UNMET,
    CredentialKind,
    Expected,
    Message,
    Sample,
    rejected,
    rekognition_message,
    unverified,
)

_ADA = {"Bytes": portrait("ada", 2)}
_ADA_AGAIN = {"Bytes": portrait("ada", 3)}
_COMPARE = rekognition_message("CompareFaces", SourceImage=_ADA, TargetImage=_ADA_AGAIN)
_SEARCH = rekognition_message("SearchFacesByImage", CollectionId="missing-persons", Image=_ADA)
_LONDON = "arn:aws:{}:eu-west-2:000000000000"
_PROJECT = "arn:aws:rekognition:us-east-1:000000000000:project/crowds/1"


def _sample(
    sample_id: str,
    title: str,
    *,
    tenant: str,
    operation: str,
    operation_class: OperationClass,
    message: Message,
    place: str,
    expected: Expected,
    credential: CredentialKind = "sigv4",
    claimed_place: str = "",
    misbehaviour: Misbehaviour | None = None,
) -> Sample:
    return Sample(
        id=sample_id,
        title=title,
        tenant=tenant,
        provider="aws_rekognition",
        operation=operation,
        operation_class=operation_class,
        message=message,
        credential=credential,
        place=place,
        claimed_place=claimed_place,
        expected=expected,
        misbehaviour=misbehaviour,
    )


def _compare(
    sample_id: str,
    title: str,
    *,
    tenant: str,
    place: str,
    expected: Expected,
    credential: CredentialKind = "sigv4",
    misbehaviour: Misbehaviour | None = None,
) -> Sample:
    return _sample(
        sample_id,
        title,
        tenant=tenant,
        operation="CompareFaces",
        operation_class="one_to_one",
        message=_COMPARE,
        place=place,
        expected=expected,
        credential=credential,
        misbehaviour=misbehaviour,
    )


def _search(
    sample_id: str,
    title: str,
    *,
    tenant: str,
    place: str,
    expected: Expected,
    claimed_place: str = "",
) -> Sample:
    return _sample(
        sample_id,
        title,
        tenant=tenant,
        operation="SearchFacesByImage",
        operation_class="one_to_many",
        message=_SEARCH,
        place=place,
        expected=expected,
        claimed_place=claimed_place,
    )


def _with_header(message: Message, name: str, value: str) -> Message:
    return Message(
        method=message.method,
        target=message.target,
        headers=(*message.headers, (name, value)),
        body=message.body,
    )


_SEARCHES = (
    *(
        _search(sample_id, title, tenant=tenant, place=place, expected=expected)
        for sample_id, title, tenant, place, expected in (
            ("aws-missing", "search for a missing person", "northwind-missing", "CA", PERMITTED),
            ("aws-bank-search", "search by a named use", "harbour-bank", "GB", PERMITTED),
            ("aws-mall", "search by a use that nobody named", "bright-mall", "GB", NO_RULE),
            ("aws-plaza", "search of crowds: off limits", "plaza-watch", "US", DENIED),
            ("aws-bureau-search", "listed security bureau", "jade-bureau", "CN", DENIED),
            ("aws-reseller", "reseller, end user police in RU", "gulf-reseller", "AE", DENIED),
            ("aws-towers", "crime control: no licence on file", "dune-towers", "AE", UNMET),
            ("aws-police", "police, by the provider's own rules", "prairie-police", "US", DENIED),
            ("aws-crimea", "deployed in Crimea", "tavria-port", "UA", DENIED),
            ("aws-iran", "missing person, from IR", "northwind-missing", "IR", DENIED),
            ("aws-nowhere", "… from no known country", "northwind-missing", "nowhere", DENIED),
            ("aws-private", "… from a private network", "northwind-missing", "private", DENIED),
        )
    ),
    _search(
        "aws-spoofed",
        "… from RU, claiming CA",
        tenant="northwind-missing",
        place="RU",
        claimed_place="CA",
        expected=DENIED,
    ),
    _sample(
        "aws-bureau-faces",
        "search by face id, listed bureau",
        tenant="jade-bureau",
        operation="SearchFaces",
        operation_class="one_to_many",
        message=rekognition_message(
            "SearchFaces", CollectionId="missing-persons", FaceId=INDEXED["ada"]
        ),
        place="CN",
        expected=DENIED,
    ),
    _sample(
        "aws-bureau-celebrities",
        "search in the provider's own gallery",
        tenant="jade-bureau",
        operation="RecognizeCelebrities",
        operation_class="one_to_many",
        message=rekognition_message("RecognizeCelebrities", Image=_ADA),
        place="CN",
        expected=DENIED,
    ),
)

_OUTPUTS = (
    _sample(
        "aws-output",
        "results sent to a topic in CN",
        tenant="harbour-bank",
        operation="StartFaceSearch",
        operation_class="one_to_many",
        message=rekognition_message(
            "StartFaceSearch",
            CollectionId="missing-persons",
            Video={"S3Object": {"Bucket": "videos", "Name": "lobby.mp4"}},
            NotificationChannel={
                "SNSTopicArn": "arn:aws-cn:sns:cn-north-1:000000000000:found",
                "RoleArn": "arn:aws:iam::000000000000:role/notify",
            },
        ),
        place="GB",
        expected=DENIED,
    ),
    _sample(
        "aws-stream",
        "searching a live stream, not a live use",
        tenant="harbour-bank",
        operation="CreateStreamProcessor",
        operation_class="stream_search",
        message=rekognition_message(
            "CreateStreamProcessor",
            Name="lobby",
            Input={
                "KinesisVideoStream": {"Arn": f"{_LONDON.format('kinesisvideo')}:stream/lobby/1"}
            },
            Output={"KinesisDataStream": {"Arn": f"{_LONDON.format('kinesis')}:stream/faces"}},
            RoleArn="arn:aws:iam::000000000000:role/stream",
            Settings={"FaceSearch": {"CollectionId": "missing-persons", "FaceMatchThreshold": 90}},
        ),
        place="GB",
        expected=NO_RULE,
    ),
)

_OTHERS = (
    _compare(
        "aws-bank-compare",
        "bank verifies its customer, 1:1",
        tenant="harbour-bank",
        place="GB",
        expected=UNGOVERNED,
    ),
    _compare(
        "aws-bureau-compare",
        "1:1 stays, for the listed bureau too",
        tenant="jade-bureau",
        place="CN",
        expected=UNGOVERNED,
    ),
    _sample(
        "aws-bank-labels",
        "what has nothing to do with faces",
        tenant="harbour-bank",
        operation="DetectLabels",
        operation_class="unrelated",
        message=rekognition_message("DetectLabels", Image=_ADA),
        place="GB",
        expected=UNGOVERNED,
        credential="jwt",
    ),
    _sample(
        "aws-bureau-enrol",
        "adding faces to a gallery",
        tenant="jade-bureau",
        operation="IndexFaces",
        operation_class="gallery",
        message=rekognition_message("IndexFaces", CollectionId="missing-persons", Image=_ADA),
        place="CN",
        expected=DENIED,
    ),
    _sample(
        "aws-bureau-erase",
        "erasing a gallery stays possible",
        tenant="jade-bureau",
        operation="DeleteCollection",
        operation_class="gallery",
        message=rekognition_message("DeleteCollection", CollectionId="former-customers"),
        place="CN",
        expected=UNGOVERNED,
    ),
    _sample(
        "aws-lab-dataset",
        "face data set without consent on file",
        tenant="lowland-lab",
        operation="CreateDataset",
        operation_class="image_db",
        message=rekognition_message("CreateDataset", ProjectArn=_PROJECT, DatasetType="TRAIN"),
        place="NL",
        expected=UNMET,
    ),
    _sample(
        "aws-studio-dataset",
        "face data set, consent on file",
        tenant="polder-studio",
        operation="CreateDataset",
        operation_class="image_db",
        message=rekognition_message("CreateDataset", ProjectArn=_PROJECT, DatasetType="TEST"),
        place="NL",
        expected=PERMITTED,
    ),
    _sample(
        "aws-unknown",
        "an operation that the catalogue does not know",
        tenant="harbour-bank",
        operation="SearchFacesByVoice",
        operation_class="unknown",
        message=rekognition_message("SearchFacesByVoice", CollectionId="missing-persons"),
        place="GB",
        expected=NO_RULE,
    ),
    _sample(
        "aws-ambiguous",
        "a body with the same key twice",
        tenant="harbour-bank",
        operation="CompareFaces",
        operation_class="one_to_one",
        message=Message(
            method="POST",
            target="/",
            headers=_COMPARE.headers,
            body=b'{"SimilarityThreshold":90,"SimilarityThreshold":1}',
        ),
        place="GB",
        expected=AMBIGUOUS,
    ),
    _sample(
        "aws-two-targets",
        "X-Amz-Target twice: compare and search",
        tenant="jade-bureau",
        operation="CompareFaces",
        operation_class="one_to_one",
        message=_with_header(_COMPARE, "X-Amz-Target", "RekognitionService.SearchFacesByImage"),
        place="CN",
        expected=rejected("malformed.duplicate"),
    ),
)

_CALLERS = (
    _compare(
        "aws-nobody",
        "no credential",
        tenant="harbour-bank",
        place="GB",
        expected=unverified("missing", 403),
        credential="none",
    ),
    _compare(
        "aws-wrong-signature",
        "a signature by another secret",
        tenant="harbour-bank",
        place="GB",
        expected=unverified("signature", 403),
        credential="wrong_signature",
    ),
    _compare(
        "aws-expired",
        "a token that has expired",
        tenant="harbour-bank",
        place="GB",
        expected=unverified("expired", 403),
        credential="expired_jwt",
    ),
)

_PROVIDER_FAULTS = (
    _compare(
        "aws-provider-101",
        "the provider answers 101",
        tenant="harbour-bank",
        place="GB",
        expected=Expected(
            status=502, outcome="permit", reason="policy.ungoverned", reaches_provider=True
        ),
        misbehaviour="switch_protocols",
    ),
    _compare(
        "aws-provider-gone",
        "the provider drops the connection",
        tenant="harbour-bank",
        place="GB",
        expected=Expected(
            status=502, outcome="permit", reason="policy.ungoverned", reaches_provider=True
        ),
        misbehaviour="drop",
    ),
)

SAMPLES = (*_OTHERS[:3], *_SEARCHES, *_OUTPUTS, *_OTHERS[3:], *_CALLERS, *_PROVIDER_FAULTS)
