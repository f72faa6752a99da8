"""Samples in Azure's dialect, most of them as azure-ai-vision-face sends them."""

from __future__ import annotations

from gateway.core.operation import OperationClass
from gateway.demo.provider.faces import portrait
from gateway.demo.provider.seed import DETECTED
from gateway.demo.samples.model import (
    DENIED,
    NO_RULE,
    PERMITTED,
    UNGOVERNED,
    UNMET,
    CredentialKind,
    Expected,
    Message,
    Sample,
    azure_message,
    rejected,
    unverified,
)

_VERIFY = azure_message("POST", "/verify", {"faceId1": DETECTED["ada"], "faceId2": DETECTED["bob"]})
_IDENTIFY = azure_message(
    "POST",
    "/identify",
    {"faceIds": [DETECTED["ada"]], "largePersonGroupId": "missing-persons"},
)
_GROUP = "/largepersongroups/{largePersonGroupId}"


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
    credential: CredentialKind = "api_key",
    host: str = "",
) -> Sample:
    return Sample(
        id=sample_id,
        title=title,
        tenant=tenant,
        provider="azure_face",
        operation=operation,
        operation_class=operation_class,
        message=message,
        credential=credential,
        place=place,
        expected=expected,
        host=host,
    )


def _verify(
    sample_id: str,
    title: str,
    *,
    expected: Expected,
    tenant: str = "harbour-bank",
    place: str = "GB",
    message: Message = _VERIFY,
    credential: CredentialKind = "api_key",
    host: str = "",
) -> Sample:
    return _sample(
        sample_id,
        title,
        tenant=tenant,
        operation="POST /verify",
        operation_class="one_to_one",
        message=message,
        place=place,
        expected=expected,
        credential=credential,
        host=host,
    )


def _identify(sample_id: str, title: str, *, tenant: str, place: str, expected: Expected) -> Sample:
    return _sample(
        sample_id,
        title,
        tenant=tenant,
        operation="POST /identify",
        operation_class="one_to_many",
        message=_IDENTIFY,
        place=place,
        expected=expected,
    )


_JUDGED = (
    _verify("azure-bank-verify", "bank verifies its customer, 1:1", expected=UNGOVERNED),
    _verify(
        "azure-bureau-verify",
        "1:1 stays, for the listed bureau too",
        tenant="jade-bureau",
        place="CN",
        expected=UNGOVERNED,
    ),
    _sample(
        "azure-bank-detect",
        "finding a face in a picture",
        tenant="harbour-bank",
        operation="POST /detect",
        operation_class="detect",
        message=azure_message(
            "POST",
            "/detect?detectionModel=detection_03&recognitionModel=recognition_04&returnFaceId=true",
            portrait("ada", 4),
        ),
        place="GB",
        expected=UNGOVERNED,
        credential="jwt",
    ),
    _identify(
        "azure-missing",
        "search for a missing person",
        tenant="northwind-missing",
        place="CA",
        expected=PERMITTED,
    ),
    _identify(
        "azure-bureau-identify",
        "search by a listed security bureau",
        tenant="jade-bureau",
        place="CN",
        expected=DENIED,
    ),
    _identify(
        "azure-fjord",
        "police, authorisation and reviews on file",
        tenant="fjord-police",
        place="NO",
        expected=PERMITTED,
    ),
    _identify(
        "azure-border-identify",
        "border agency, no authorisation on file",
        tenant="meridian-border",
        place="US",
        expected=UNMET,
    ),
    _sample(
        "azure-mall-similar",
        "search among a list of faces",
        tenant="bright-mall",
        operation="POST /findsimilars",
        operation_class="one_to_many",
        message=azure_message(
            "POST", "/findsimilars", {"faceId": DETECTED["ada"], "faceIds": [*DETECTED.values()]}
        ),
        place="GB",
        expected=NO_RULE,
    ),
    _sample(
        "azure-bureau-train",
        "training a gallery",
        tenant="jade-bureau",
        operation=f"POST {_GROUP}/train",
        operation_class="gallery",
        message=azure_message("POST", "/largepersongroups/missing-persons/train"),
        place="CN",
        expected=DENIED,
    ),
    _sample(
        "azure-bureau-erase",
        "erasing a gallery stays possible",
        tenant="jade-bureau",
        operation=f"DELETE {_GROUP}",
        operation_class="gallery",
        message=azure_message("DELETE", "/largepersongroups/former-customers"),
        place="CN",
        expected=UNGOVERNED,
    ),
    _sample(
        "azure-unknown",
        "a path that the catalogue does not know",
        tenant="harbour-bank",
        operation="POST /recognize",
        operation_class="unknown",
        message=azure_message("POST", "/recognize", {"faceIds": [DETECTED["ada"]]}),
        place="GB",
        expected=NO_RULE,
    ),
)

_DOOR = (
    _verify(
        "azure-two-callers",
        "two credentials: two callers",
        expected=unverified("several", 401),
        credential="jwt_and_api_key",
    ),
    _verify(
        "azure-unknown-key",
        "a key that was never issued",
        expected=unverified("unknown", 401),
        credential="unknown_api_key",
    ),
    _verify(
        "azure-stranger",
        "a good token of nobody's account",
        expected=unverified("tenant", 401),
        credential="foreign_jwt",
    ),
    _verify(
        "azure-dots",
        "verify on the way to identify: %2e%2e",
        expected=rejected("malformed.path"),
        message=azure_message("POST", "/verify/%2e%2e/identify", {"faceIds": [DETECTED["ada"]]}),
    ),
    _verify(
        "azure-backslash",
        "verify on the way to identify: backslashes",
        expected=rejected("malformed.path"),
        message=azure_message("POST", "/verify\\..\\identify", {"faceIds": [DETECTED["ada"]]}),
    ),
    _verify(
        "azure-elsewhere",
        "a host that is not served here",
        expected=rejected("host.unknown", 421),
        host="face.elsewhere.example",
    ),
)

SAMPLES = (*_JUDGED, *_DOOR)
