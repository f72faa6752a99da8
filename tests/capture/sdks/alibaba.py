"""Alibaba facebody by its V3 SDK and by the older RPC one, and IMM."""

from __future__ import annotations

from collections.abc import Iterator

from alibabacloud_facebody20191230 import client as facebody, models as face
from alibabacloud_imm20200930 import client as imm, models as media
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.client import AcsClient
from aliyunsdkfacebody.request.v20191230 import CompareFaceRequest, SearchFaceRequest

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import IMAGE_URL

PROVIDER = "alibaba_facebody"

_KEY, _SECRET = "LTAI5tEXAMPLE", "made-up-secret"


def calls() -> Iterator[Call]:
    """Name the calls, by the names of the API."""
    yield from _version_3()
    yield from _media()
    yield from _version_1()


def _config(endpoint: str) -> Config:
    return Config(access_key_id=_KEY, access_key_secret=_SECRET, endpoint=endpoint)


def _version_3() -> Iterator[Call]:
    client = facebody.Client(_config("facebody.cn-shanghai.aliyuncs.com"))

    def call(action: str, operation_class: str, method: str, **members: object) -> Call:
        request = getattr(face, f"{action}Request")(**members)
        return Call(action, action, operation_class, lambda: getattr(client, method)(request))

    yield call(
        "SearchFace", "one_to_many", "search_face", db_name="staff", image_url=IMAGE_URL, limit=3
    )
    yield call(
        "RecognizePublicFace",
        "one_to_many",
        "recognize_public_face",
        task=[face.RecognizePublicFaceRequestTask(image_url=IMAGE_URL)],
    )
    yield call("DetectCelebrity", "one_to_many", "detect_celebrity", image_url=IMAGE_URL)
    yield call(
        "CompareFace", "one_to_one", "compare_face", image_urla=IMAGE_URL, image_urlb=IMAGE_URL
    )
    yield call("RecognizeFace", "detect", "recognize_face", image_url=IMAGE_URL, age=True)
    yield call("DetectFace", "detect", "detect_face", image_url=IMAGE_URL)
    yield call(
        "DetectLivingFace",
        "liveness",
        "detect_living_face",
        tasks=[face.DetectLivingFaceRequestTasks(image_url=IMAGE_URL)],
    )
    yield call("CreateFaceDb", "gallery", "create_face_db", name="staff")
    yield call(
        "AddFace", "gallery", "add_face", db_name="staff", entity_id="e1", image_url=IMAGE_URL
    )
    yield call("ListFaceEntities", "gallery", "list_face_entities", db_name="staff", limit=5)
    yield call("DeleteFaceEntity", "gallery", "delete_face_entity", db_name="staff", entity_id="e1")
    yield call("FaceBeauty", "unrelated", "face_beauty", image_url=IMAGE_URL)


def _media() -> Iterator[Call]:
    client = imm.Client(_config("imm.cn-shanghai.aliyuncs.com"))
    topic = media.Notification(mns=media.MNS(topic_name="found"))
    searching = media.CreateFacesSearchingTaskRequest(
        project_name="p",
        dataset_name="d",
        notification=topic,
        sources=[media.CreateFacesSearchingTaskRequestSources(uri="oss://b/probe.jpg")],
    )
    clustering = media.CreateFigureClusteringTaskRequest(
        project_name="p", dataset_name="d", notification=topic
    )
    comparing = media.CompareImageFacesRequest(
        project_name="p",
        source=media.CompareImageFacesRequestSource(uri1="oss://b/one.jpg", uri2="oss://b/two.jpg"),
    )
    for action, operation_class, do in (
        (
            "CreateFacesSearchingTask",
            "one_to_many",
            lambda: client.create_faces_searching_task(searching),
        ),
        (
            "CreateFigureClusteringTask",
            "one_to_many",
            lambda: client.create_figure_clustering_task(clustering),
        ),
        ("CompareImageFaces", "one_to_one", lambda: client.compare_image_faces(comparing)),
    ):
        yield Call(action, action, operation_class, do, provider="alibaba_imm")


def _version_1() -> Iterator[Call]:
    client = AcsClient(_KEY, _SECRET, "cn-shanghai", auto_retry=False, max_retry_time=0)
    client.add_endpoint("cn-shanghai", "facebody", "facebody.cn-shanghai.aliyuncs.com")
    search = SearchFaceRequest.SearchFaceRequest()
    search.set_DbName("staff")
    search.set_ImageUrl(IMAGE_URL)
    search.set_Limit(3)
    comparison = CompareFaceRequest.CompareFaceRequest()
    comparison.set_ImageURLA(IMAGE_URL)
    comparison.set_ImageURLB(IMAGE_URL)
    for operation, operation_class, request in (
        ("SearchFace", "one_to_many", search),
        ("CompareFace", "one_to_one", comparison),
    ):
        yield Call(
            f"{operation}-v1",
            operation,
            operation_class,
            lambda request=request: client.do_action_with_exception(request),
        )
