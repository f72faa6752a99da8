"""Alibaba VCS: city video, named twice in each request, and documented by its SDK's model only."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from gateway.core.operation import Classified, Destination, OperationClass
from tests.core.catalog.build import FORM, doubtful, known, unheard_of
from tests.core.catalog.providers.collection import ask, operation_differences

# Their names say less than the SDK's model or the vendor's documentation; the rows say why.
ABOVE_THEIR_NAMES: dict[str, OperationClass] = {
    "AddMonitor": "stream_search",
    "CreateWatchTask": "stream_search",
    "GetFaceModelResult": "embed",
    "GetMonitorResult": "results",
    "UpdateMonitor": "stream_search",
    "UpdateWatchTask": "stream_search",
}


def vcs(operation: str, *, action: str = "", **parameters: str) -> Classified:
    """Classify a call as the SDK sends it: header and parameter, V1 signature, form."""
    query = urlencode({"Action": action or operation, "Version": "2020-05-15", "Signature": "s"})
    return ask(
        "alibaba_vcs",
        f"/?{query}",
        urlencode({"CorpId": "c", **parameters}),
        content_type=FORM,
        headers={"x-acs-action": operation, "x-acs-version": "2020-05-15"},
    )


def test_the_operations_are_those_that_were_collected() -> None:
    assert list(operation_differences("alibaba_vcs", ABOVE_THEIR_NAMES)) == []


@pytest.mark.parametrize(
    ("operation", "operation_class", "access"),
    [
        ("SearchFace", "one_to_many", "none"),
        ("SearchBody", "one_to_many", "none"),
        ("RecognizeImage", "one_to_many", "none"),
        ("AddMonitor", "stream_search", "none"),
        ("CreateWatchTask", "stream_search", "none"),
        ("GetMonitorResult", "results", "none"),
        ("GetFaceModelResult", "embed", "none"),
        ("AddAiotPersonTableItems", "gallery", "write"),
        ("ListPersonTrace", "gallery", "read"),
        ("UnbindPerson", "gallery", "delete"),
        ("DeleteSearchTables", "gallery", "delete"),
        ("ListFaceAlgorithmResults", "detect", "none"),
        ("StartStreams", "unrelated", "none"),
    ],
)
def test_an_operation_has_the_class_of_its_row(
    operation: str, operation_class: str, access: str
) -> None:
    found = known(vcs(operation))

    assert (found.operation_class, found.access) == (operation_class, access)


@pytest.mark.parametrize(
    ("operation", "member", "without"),
    [
        ("GetPersonList", "FaceUrl", "gallery"),
        ("GetProfileList", "FaceUrl", "gallery"),
        ("GetProfileList", "FaceImageId", "gallery"),
        ("ListUsers", "FaceImageUrl", "unrelated"),
    ],
)
def test_a_list_of_those_who_look_like_a_face_is_a_search(
    operation: str, member: str, without: str
) -> None:
    assert known(vcs(operation, **{member: "https://x/face.jpg"})).operation_class == "one_to_many"
    assert known(vcs(operation, **{member: ""})).operation_class == without
    assert known(vcs(operation)).operation_class == without


@pytest.mark.parametrize("operation", ["CreateWatchPolicy", "UpdateWatchPolicy"])
def test_a_policy_that_watches_for_pictures_searches_streams(operation: str) -> None:
    assert known(vcs(operation, ItemMatchType="ByImage")).operation_class == "stream_search"
    assert known(vcs(operation, ItemMatchType="ByAttributes")).operation_class == "unrelated"


def test_a_watch_list_with_pictures_is_a_gallery() -> None:
    found = known(vcs("AddWatchItems", **{"WatchItemList.1.ItemImageUrl": "u"}))
    plain = known(vcs("AddWatchItems", **{"WatchItemList.1.ItemAttributes": "a"}))

    assert (found.operation_class, found.access) == ("gallery", "write")
    assert plain.operation_class == "unrelated"


def test_a_user_with_a_face_is_enrolled() -> None:
    found = known(vcs("CreateUser", FaceImageUrl="u"))

    assert (found.operation_class, found.access) == ("gallery", "write")
    assert known(vcs("UpdateUser", UserName="n")).operation_class == "unrelated"


def test_a_watch_tells_where_its_hits_go() -> None:
    monitor = known(vcs("UpdateMonitor", NotifierUrl="https://hooks.example/face?key=secret"))
    task = known(
        vcs(
            "CreateWatchTask",
            MessageReceiver='{"Config": {"BootstrapServers": "k:9092", "Topic": "hits",'
            ' "SASL": {"Password": "secret"}}}',
        )
    )

    assert monitor.destinations == (Destination(kind="callback", value="hooks.example"),)
    assert {each.value for each in task.destinations} == {"k:9092", "hits"}


def test_a_header_and_an_action_that_disagree_are_two_readings() -> None:
    assert doubtful(vcs("GetFaceOptions", action="SearchFace")).operation_class == "one_to_many"


def test_what_the_table_does_not_have_is_unknown() -> None:
    unheard_of(vcs("SearchImages"))
