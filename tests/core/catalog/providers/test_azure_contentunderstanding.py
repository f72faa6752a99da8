"""Azure Content Understanding: a second face gallery on the hosts of Azure Face."""

from __future__ import annotations

import msgspec
import pytest

from gateway.core.operation import OperationClass, class_of
from tests.core.catalog.build import doubtful, known, shipped, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.wires import not_collected, wire_differences

PROVIDER = "azure_contentunderstanding"
AT = "/contentunderstanding/personDirectories/d1"
VERSION = "?api-version=2025-05-01-preview"
# Analyzers, as the SDK of 2025-11-01 calls them.
MORE = {
    "POST /analyzers/{analyzerId}:analyzeBinary",
    "GET /analyzerResults/{operationId}",
    "GET /analyzerResults/{operationId}/files/{rest*}",
    "DELETE /analyzerResults/{operationId}",
    "GET /analyzers",
    "GET /analyzers/{analyzerId}",
    "PUT /analyzers/{analyzerId}",
    "PATCH /analyzers/{analyzerId}",
    "DELETE /analyzers/{analyzerId}",
    "POST /analyzers/{analyzerId}:copy",
    "POST /analyzers/{analyzerId}:grantCopyAuthorization",
    "GET /analyzers/{analyzerId}/operations/{operationId}",
}


def test_every_collected_operation_is_here_with_its_class_and_paths() -> None:
    more = not_collected(PROVIDER)

    assert more == MORE
    assert set(operation_differences(PROVIDER)) == {f"{name}: not collected" for name in more}
    assert list(wire_differences(PROVIDER)) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    # The collection names a directory for all of them; the path of hw-0398 has none.
    collected = [
        msgspec.structs.replace(each, gallery="" if each.id == "hw-0398" else each.gallery)
        for each in collected_requests(PROVIDER)
    ]

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize(
    ("path", "operation_class"),
    [
        ("/persons:identify", "one_to_many"),
        ("/persons%3Aidentify", "one_to_many"),
        ("/persons%3aIdentify", "one_to_many"),
        ("/faces:find", "one_to_many"),
        ("/PERSONS:IDENTIFY", "one_to_many"),
        ("/persons/p:verify", "one_to_one"),
        ("/persons/identify:verify", "one_to_one"),
        ("/persons", "gallery"),
        ("/faces", "gallery"),
    ],
)
def test_a_verb_after_a_colon_says_what_is_done(path: str, operation_class: OperationClass) -> None:
    found = known(ask(PROVIDER, AT + path + VERSION, {"faceSource": {"data": "/9j/"}}))

    assert (found.operation_class, found.gallery) == (operation_class, "d1")


@pytest.mark.parametrize(
    ("verb", "operation_class"), [("detect", "detect"), ("compare", "one_to_one")]
)
def test_faces_of_the_moment_need_no_directory(verb: str, operation_class: OperationClass) -> None:
    found = known(ask(PROVIDER, f"/contentunderstanding/faces:{verb}{VERSION}", {}))

    assert (found.operation_class, found.gallery) == (operation_class, "")


@pytest.mark.parametrize(
    "path", ["/persons:find", "/faces:identify", ":identify", "/persons/p:compare"]
)
def test_a_verb_that_nobody_knows_is_unknown(path: str) -> None:
    unheard_of(ask(PROVIDER, AT + path + VERSION, {}))


def test_a_version_that_nobody_knows_is_unknown() -> None:
    unheard_of(ask(PROVIDER, f"{AT}/faces?api-version=2031-01-01", {}))


def test_an_analyzer_may_identify_whatever_it_is_called() -> None:
    for verb in ("analyze", "analyzeBinary"):
        path = f"/contentunderstanding/analyzers/prebuilt-read:{verb}{VERSION}"
        found = known(ask(PROVIDER, path, b"%PDF", content_type="application/pdf"))
        assert found.operation_class == "one_to_many"


def test_erasing_a_person_is_erasing() -> None:
    found = known(ask(PROVIDER, f"{AT}/persons/p{VERSION}", method="DELETE"))

    assert (found.operation_class, found.access) == ("gallery", "delete")


@pytest.mark.parametrize(
    ("target", "provider"),
    [
        ("/face/v1.0/identify", "azure_face"),
        ("/vision/v3.2/models/celebrities/analyze", "azure_computervision"),
    ],
)
def test_a_path_of_another_provider_on_the_same_host_is_looked_up_there(
    target: str, provider: str
) -> None:
    found = known(ask(PROVIDER, target, {"faceIds": ["a"], "url": "https://img.example/a.jpg"}))

    assert (found.provider, found.operation_class) == (provider, "one_to_many")


def test_a_doubtful_path_is_what_it_may_be_at_its_worst() -> None:
    assert doubtful(ask(PROVIDER, f"{AT}/persons%253Aidentify")).operation_class in {
        "one_to_many",
        "unknown",
    }
    assert class_of(ask(PROVIDER, f"{AT}//persons:identify", {})) == "one_to_many"


def test_its_hosts_are_those_of_azure_face() -> None:
    face = set(shipped().providers["azure_face"].hosts)

    assert set(shipped().providers[PROVIDER].hosts) <= face
