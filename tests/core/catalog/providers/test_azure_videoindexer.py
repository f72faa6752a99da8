"""Azure Video Indexer: an upload is identified against person models and celebrities."""

from __future__ import annotations

import pytest

from gateway.core.operation import Destination
from tests.core.catalog.build import known, shipped, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
)
from tests.core.catalog.providers.wires import not_collected, wire_differences

PROVIDER = "azure_videoindexer"
AT = "/trial/Accounts/11111111-1111-1111-1111-111111111111"
MORE = {
    "PUT /{location}/Accounts/{accountId}/Videos/{videoId}/ReIndex",
    "GET /{location}/Accounts/{accountId}/Customization/PersonModels",
    "DELETE /{location}/Accounts/{accountId}/Customization/PersonModels/{personModelId}",
    "PUT /{location}/Accounts/{accountId}/Videos/{videoId}/Index/Faces/{faceId}",
}


def test_every_collected_operation_is_here_with_its_class_and_paths() -> None:
    more = not_collected(PROVIDER)

    assert more == MORE
    assert set(operation_differences(PROVIDER)) == {f"{name}: not collected" for name in more}
    assert list(wire_differences(PROVIDER)) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    for each in collected_requests(PROVIDER):
        found = known(ask(PROVIDER, each.target, each.body.encode(), method=each.method))
        assert found.operation_class == each.operation_class, each.why
        assert (found.gallery, found.subclass) == (each.gallery, each.subclass)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/Videos"), ("POST", "/videos"), ("PUT", "/Videos/v/ReIndex")]
)
def test_indexing_names_the_people_of_a_video(method: str, path: str) -> None:
    query = "?personModelId=m&callbackUrl=https%3A%2F%2Fsink.example%2Fcb%3Fsig%3Ds&accessToken=t"
    found = known(ask(PROVIDER, AT + path + query, method=method))

    assert (found.operation_class, found.subclass) == ("one_to_many", "async_start")
    assert found.gallery == "m"
    assert found.destinations == (Destination(kind="callback", value="sink.example"),)


@pytest.mark.parametrize("query", ["excludedAI=Faces", "indexingPreset=AudioOnly"])
def test_no_parameter_makes_an_upload_milder(query: str) -> None:
    assert known(ask(PROVIDER, f"{AT}/Videos?{query}")).operation_class == "one_to_many"


@pytest.mark.parametrize(
    ("method", "path", "access"),
    [
        ("POST", "/Customization/PersonModels", "write"),
        ("POST", "/Customization/PersonModels/m/Persons/p/Faces", "write"),
        ("PUT", "/Videos/v/Index/Faces/1000?newName=Ann", "write"),
        ("GET", "/Customization/PersonModels", "read"),
        ("DELETE", "/Customization/PersonModels/m", "delete"),
    ],
)
def test_person_models_are_galleries(method: str, path: str, access: str) -> None:
    found = known(ask(PROVIDER, AT + path, method=method))

    assert (found.operation_class, found.access) == ("gallery", access)


def test_the_index_of_a_video_is_the_result_of_its_search() -> None:
    assert known(ask(PROVIDER, f"{AT}/Videos/v/Index", method="GET")).operation_class == "results"


def test_a_token_that_goes_around_the_gateway_is_not_known() -> None:
    unheard_of(ask(PROVIDER, "/auth/trial/Accounts/a/AccessToken", method="GET"))


def test_the_token_stands_in_the_query() -> None:
    provider = shipped().providers[PROVIDER]

    assert "accessToken" in provider.credential_parameters
    assert provider.open_parameters.isdisjoint({"accessToken", "callbackUrl", "videoUrl"})
