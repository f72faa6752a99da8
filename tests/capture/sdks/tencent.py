"""Tencent face recognition by tencentcloud-sdk-python-iai and -faceid: TC3, and signature v1."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.faceid.v20180301 import faceid_client
from tencentcloud.iai.v20180301 import iai_client as old
from tencentcloud.iai.v20200303 import iai_client as new, models

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import IMAGE_BASE64, IMAGE_URL

PROVIDER = "tencent_iai"
ANSWER = b'{"Response": {"RequestId": "0"}}'

_CREDENTIAL = Credential("AKIDEXAMPLE", "made-up-secret")
_REGION = "ap-guangzhou"


def calls() -> Iterator[Call]:
    """Name the calls, by the names of the API."""
    client = new.IaiClient(_CREDENTIAL, _REGION)

    def call(action: str, operation_class: str, **members: object) -> Call:
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps(members))
        return Call(action, action, operation_class, lambda: getattr(client, action)(request))

    yield call("SearchFaces", "one_to_many", GroupIds=["staff", "vip"], Image=IMAGE_BASE64)
    yield call("SearchFacesReturnsByGroup", "one_to_many", GroupIds=["staff"], Url=IMAGE_URL)
    yield call("SearchPersons", "one_to_many", GroupIds=["staff"], Image=IMAGE_BASE64)
    yield call("SearchPersonsReturnsByGroup", "one_to_many", GroupIds=["staff"], Url=IMAGE_URL)
    yield call("VerifyFace", "one_to_one", PersonId="p1", Image=IMAGE_BASE64)
    yield call("VerifyPerson", "one_to_one", PersonId="p1", Url=IMAGE_URL)
    yield call("CompareFace", "one_to_one", ImageA=IMAGE_BASE64, UrlB=IMAGE_URL)
    yield call("DetectFace", "detect", Image=IMAGE_BASE64, MaxFaceNum=1)
    yield call("DetectLiveFaceAccurate", "liveness", Image=IMAGE_BASE64)
    yield call("CreateGroup", "gallery", GroupId="staff", GroupName="Staff")
    yield call(
        "CreatePerson",
        "gallery",
        GroupId="staff",
        PersonName="A. Person",
        PersonId="p1",
        Image=IMAGE_BASE64,
        UniquePersonControl=0,
    )
    yield call("CreateFace", "gallery", PersonId="p1", Images=[IMAGE_BASE64])
    yield call("GetPersonList", "gallery", GroupId="staff", Limit=10)
    yield call("DeletePerson", "gallery", PersonId="p1")
    yield from _more(client)
    yield from _version_1()
    yield from _older()
    yield from _identities()


def _more(client: new.IaiClient) -> Iterator[Call]:
    request = models.CreatePersonRequest()
    request.GroupId, request.PersonId, request.Image = "staff", "p2", IMAGE_BASE64
    request.UniquePersonControl = 2
    yield Call(
        "CreatePerson-unique", "CreatePerson", "one_to_many", lambda: client.CreatePerson(request)
    )


def _version_1() -> Iterator[Call]:
    for method in ("GET", "POST"):
        profile = ClientProfile("HmacSHA1", HttpProfile(reqMethod=method))
        client = new.IaiClient(_CREDENTIAL, _REGION, profile)
        search = models.SearchFacesRequest()
        search.GroupIds, search.Url = ["staff", "vip"], IMAGE_URL
        yield Call(
            f"SearchFaces-v1-{method}",
            "SearchFaces",
            "one_to_many",
            lambda client=client, search=search: client.SearchFaces(search),
        )
        groups = models.GetGroupListRequest()
        groups.Limit = 5
        yield Call(
            f"GetGroupList-v1-{method}",
            "GetGroupList",
            "gallery",
            lambda client=client, groups=groups: client.GetGroupList(groups),
        )


def _older() -> Iterator[Call]:
    client = old.IaiClient(_CREDENTIAL, _REGION)
    request = old.models.SearchFacesRequest()
    request.GroupIds, request.Image = ["staff"], IMAGE_BASE64
    yield Call(
        "SearchFaces-2018", "SearchFaces", "one_to_many", lambda: client.SearchFaces(request)
    )


def _identities() -> Iterator[Call]:
    client = faceid_client.FaceidClient(_CREDENTIAL, _REGION)
    token = faceid_client.models.GetFaceIdTokenRequest()
    token.CompareLib = "AUTHORITY"
    yield Call(
        "GetFaceIdToken",
        "GetFaceIdToken",
        "liveness",
        lambda: client.GetFaceIdToken(token),
        provider="tencent_faceid",
    )
    recognition = faceid_client.models.ImageRecognitionV2Request()
    recognition.IdCard, recognition.Name = "11010519491231002X", "A. Person"
    recognition.ImageBase64 = IMAGE_BASE64
    yield Call(
        "ImageRecognitionV2",
        "ImageRecognitionV2",
        "one_to_one",
        lambda: client.ImageRecognitionV2(recognition),
        provider="tencent_faceid",
    )
