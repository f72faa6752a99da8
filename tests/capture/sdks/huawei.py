"""Huawei FRS by huaweicloudsdkfrs."""

from __future__ import annotations

from collections.abc import Iterator

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkfrs import v2 as frs
from huaweicloudsdkfrs.v2.region.frs_region import FrsRegion

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import IMAGE_BASE64, IMAGE_URL

PROVIDER = "huawei_frs"

_SET = "staff"


def calls() -> Iterator[Call]:
    """Name the calls, by the names of the API."""
    credentials = BasicCredentials("made-up-key", "made-up-secret", "0123456789abcdef" * 2)
    client = (
        frs.FrsClient.new_builder()
        .with_credentials(credentials)
        .with_region(FrsRegion.value_of("cn-north-4"))
        .build()
    )
    yield from _searches(client)
    yield from _galleries(client)


def _searches(client: frs.FrsClient) -> Iterator[Call]:
    search = {
        "SearchFaceByBase64": (
            client.search_face_by_base64,
            frs.SearchFaceByBase64Request(
                face_set_name=_SET, body=frs.FaceSearchBase64Req(image_base64=IMAGE_BASE64)
            ),
        ),
        "SearchFaceByUrl": (
            client.search_face_by_url,
            frs.SearchFaceByUrlRequest(
                face_set_name=_SET, body=frs.FaceSearchUrlReq(image_url=IMAGE_URL, top_n=3)
            ),
        ),
        "SearchFaceByFaceId": (
            client.search_face_by_face_id,
            frs.SearchFaceByFaceIdRequest(
                face_set_name=_SET, body=frs.FaceSearchFaceIdReq(face_id="f1")
            ),
        ),
    }
    for operation, (method, request) in search.items():
        yield Call(
            operation,
            operation,
            "one_to_many",
            lambda method=method, request=request: method(request),
        )
    yield Call(
        "CompareFaceByBase64",
        "CompareFaceByBase64",
        "one_to_one",
        lambda: client.compare_face_by_base64(
            frs.CompareFaceByBase64Request(
                body=frs.FaceCompareBase64Req(
                    image1_base64=IMAGE_BASE64, image2_base64=IMAGE_BASE64
                )
            )
        ),
    )
    yield Call(
        "DetectFaceByUrl",
        "DetectFaceByUrl",
        "detect",
        lambda: client.detect_face_by_url(
            frs.DetectFaceByUrlRequest(body=frs.FaceDetectUrlReq(image_url=IMAGE_URL))
        ),
    )
    yield Call(
        "DetectLiveFaceByBase64",
        "DetectLiveFaceByBase64",
        "liveness",
        lambda: client.detect_live_face_by_base64(
            frs.DetectLiveFaceByBase64Request(
                body=frs.LiveDetectFaceBase64Req(image_base64=IMAGE_BASE64)
            )
        ),
    )


def _galleries(client: frs.FrsClient) -> Iterator[Call]:
    yield Call(
        "CreateFaceSet",
        "CreateFaceSet",
        "gallery",
        lambda: client.create_face_set(
            frs.CreateFaceSetRequest(body=frs.CreateFaceSetReq(face_set_name=_SET))
        ),
    )
    yield Call(
        "AddFacesByUrl",
        "AddFacesByUrl",
        "gallery",
        lambda: client.add_faces_by_url(
            frs.AddFacesByUrlRequest(
                face_set_name=_SET, body=frs.AddFacesUrlReq(image_url=IMAGE_URL)
            )
        ),
    )
    yield Call(
        "ShowFacesByLimit",
        "ShowFacesByLimit",
        "gallery",
        lambda: client.show_faces_by_limit(
            frs.ShowFacesByLimitRequest(face_set_name=_SET, offset=0, limit=5)
        ),
    )
    yield Call(
        "DeleteFaceByFaceId",
        "DeleteFaceByFaceId",
        "gallery",
        lambda: client.delete_face_by_face_id(
            frs.DeleteFaceByFaceIdRequest(face_set_name=_SET, face_id="f1")
        ),
    )
    yield Call(
        "DeleteFaceSet",
        "DeleteFaceSet",
        "gallery",
        lambda: client.delete_face_set(frs.DeleteFaceSetRequest(face_set_name=_SET)),
    )
