"""CompreFace: searches, comparisons that may be small searches, embeddings, and its other doors."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from gateway.core.catalog.probes import probes_of
from gateway.core.operation import Classified
from gateway.core.request import Streaming
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import FORM, doubtful, known, request, shipped, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.forms import MULTIPART, multipart, path_differences

API = "/api/v1"
FILE = multipart(files=("file",))
VECTOR: list[JsonValue] = [0.1, 0.2]


def post(path: str, body: bytes | dict[str, JsonValue] = FILE) -> Classified:
    """Post an image as a form, or JSON."""
    return ask(
        "compreface",
        API + path,
        body,
        content_type=MULTIPART if body == FILE else "application/json",
    )


def test_every_collected_operation_is_here_with_its_class() -> None:
    assert list(operation_differences("compreface")) == []
    assert list(path_differences("compreface")) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    # The gallery of one is the caller's key, which no record may hold.
    collected = [
        msgspec.structs.replace(each, gallery="") for each in collected_requests("compreface")
    ]

    assert [found for each in collected for found in request_differences(each)] == []


def test_a_probe_is_the_same_one_as_a_file_and_in_base64() -> None:
    expected = ("sha256:" + hashlib.sha256(b"\xff\xd8").hexdigest(),)
    for body, content_type in ((FILE, MULTIPART), (b'{"file": "/9g="}', "application/json")):
        made = request(
            "compreface",
            target=f"{API}/recognition/recognize",
            body=body,
            content_type=content_type,
        )
        assert probes_of(made, shipped()) == expected


@pytest.mark.parametrize("body", [FILE, {"file": "/9j/"}], ids=["form", "json"])
@pytest.mark.parametrize("query", ["", "?&limit=0&prediction_count=5", "?face_plugins=calculator"])
def test_recognition_is_a_search_as_a_form_and_as_json(
    query: str, body: bytes | dict[str, JsonValue]
) -> None:
    found = known(post(f"/recognition/recognize{query}", body))

    assert (found.name, found.operation_class) == ("recognize", "one_to_many")


def test_a_vector_is_a_probe_as_well() -> None:
    found = known(post("/recognition/embeddings/recognize", {"embeddings": [VECTOR]}))

    assert found.operation_class == "one_to_many"


def test_a_comparison_is_one_to_one_although_it_stands_below_recognition() -> None:
    found = known(post("/recognition/faces/6b135f5b/verify?limit=1"))

    assert (found.name, found.operation_class) == ("verifyAgainstExample", "one_to_one")


@pytest.mark.parametrize("name", ["recognize", "verify", "delete-me"])
def test_an_example_or_subject_may_be_called_like_an_operation(name: str) -> None:
    erased = known(ask("compreface", f"{API}/recognition/faces/{name}", method="DELETE"))
    renamed = known(
        ask("compreface", f"{API}/recognition/subjects/{name}", {"subject": "a"}, method="PUT")
    )

    assert (erased.operation_class, erased.access) == ("gallery", "delete")
    assert (renamed.operation_class, renamed.access) == ("gallery", "write")


@pytest.mark.parametrize(
    ("targets", "operation_class", "subclass"),
    [
        ([VECTOR], "one_to_one", ""),
        ([VECTOR, VECTOR], "one_to_many", "adhoc_set"),
        ([VECTOR] * 300, "one_to_many", "adhoc_set"),
    ],
    ids=["one", "two", "300"],
)
def test_several_targets_are_a_search_of_what_the_request_brings(
    targets: list[JsonValue], operation_class: str, subclass: str
) -> None:
    found = known(
        post("/verification/embeddings/verify", {"source": VECTOR, "targets": list(targets)})
    )

    assert (found.operation_class, found.subclass) == (operation_class, subclass)


def test_several_embeddings_against_one_stored_image_are_a_set_too() -> None:
    path = "/recognition/embeddings/faces/6b135f5b/verify"

    assert known(post(path, {"embeddings": [VECTOR]})).operation_class == "one_to_one"
    assert known(post(path, {"embeddings": [VECTOR, VECTOR]})).operation_class == "one_to_many"


@pytest.mark.parametrize(
    "body",
    [
        b'{"source":[0.1],"targets":[[0.1]],"targets":[[0.1],[0.2]]}',
        b'{"source":[0.1],"targets":[[0.1]],"t\\u0061rgets":[[0.1],[0.2]]}',
        b'{"source":[0.1],"targets":{"0":[0.1],"1":[0.2]}}',
        b'{"source":[0.1],"Targets":[[0.1],[0.2]]}',
    ],
)
def test_targets_have_one_reading(body: bytes) -> None:
    found = ask(
        "compreface",
        f"{API}/verification/embeddings/verify",
        body,
        content_type="application/json",
    )

    assert doubtful(found).operation_class == "one_to_many"


PLUGINS = [
    ("age,gender,mask", False),
    ("landmarks", False),
    ("", False),
    ("calculator", True),
    ("age,calculator", True),
    ("age%2Ccalculator", True),
    ("age,%20calculator", True),
    ("CALCULATOR", True),
    ("facenet.calculator", True),
    ("something", True),
]


@pytest.mark.parametrize(("plugins", "embeds"), PLUGINS)
@pytest.mark.parametrize(
    ("path", "files", "otherwise"),
    [
        ("/detection/detect", ("file",), "detect"),
        ("/verification/verify", ("source_image", "target_image"), "one_to_one"),
        ("/recognition/faces/6b135f5b/verify", ("file",), "one_to_one"),
    ],
)
def test_the_calculator_plugin_returns_embeddings(
    path: str, files: tuple[str, ...], otherwise: str, plugins: str, *, embeds: bool
) -> None:
    found = ask(
        "compreface",
        f"{API}{path}?face_plugins={plugins}",
        multipart(files=files),
        content_type=MULTIPART,
    )

    assert known(found).operation_class == ("embed" if embeds else otherwise)


def test_a_plugin_named_in_a_form_part_counts() -> None:
    body = multipart(("face_plugins", "calculator"), files=("file",))
    found = ask("compreface", f"{API}/detection/detect", body, content_type=MULTIPART)
    twice = ask(
        "compreface",
        f"{API}/detection/detect?face_plugins=age",
        body,
        content_type=MULTIPART,
    )

    assert known(found).operation_class == "embed"
    assert doubtful(twice).operation_class in {"embed", "unknown"}


def test_a_plugin_is_not_overlooked_where_the_form_streams() -> None:
    found = ask(
        "compreface", f"{API}/detection/detect", Streaming(8_000_000), content_type=MULTIPART
    )

    assert known(found).operation_class == "embed"


@pytest.mark.parametrize(
    "path",
    [
        "/recognition/recognize;v=1",
        "/recognition//recognize",
        "/recognition/%72ecognize",
        "/verification/../recognition/recognize",
        "/detection/%2e%2e/recognition/recognize",
    ],
)
def test_a_disguised_path_is_refused_as_the_search_that_it_is(path: str) -> None:
    assert doubtful(post(path)).operation_class == "one_to_many"


def test_a_slash_behind_the_path_is_the_same_operation() -> None:
    assert known(post("/recognition/recognize/")).operation_class == "one_to_many"


@pytest.mark.parametrize("path", ["/core/find_faces", "/core/scan_faces", "/core/a/b"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_core_behind_the_front_end_returns_embeddings(path: str, method: str) -> None:
    body = FILE if method == "POST" else b""
    found = known(
        ask("compreface", path, body, method=method, content_type=MULTIPART if body else "")
    )

    assert (found.name, found.operation_class) == ("core proxy", "embed")


def test_deleting_examples_is_a_post_that_erases() -> None:
    found = known(
        ask(
            "compreface",
            f"{API}/recognition/faces/delete",
            b'["6b135f5b", "7c"]',
            content_type="application/json",
        )
    )

    assert (found.operation_class, found.access) == ("gallery", "delete")


def test_an_image_for_a_web_page_has_the_key_in_its_path() -> None:
    found = known(ask("compreface", f"{API}/static/SECRET/images/1", method="GET"))

    assert (found.operation_class, found.access, found.gallery) == ("image_db", "read", "")
    assert "SECRET" not in repr(found)
    assert shipped().providers["compreface"].credential_segments == {"apiKey"}


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/api/v2/recognition/recognize", "POST"),
        ("/api/v1/recognition", "POST"),
        ("/api/v1/recognition/recognize", "GET"),
        ("/api/v1/verification/verify/multiple", "POST"),
        ("/", "GET"),
    ],
)
def test_what_the_table_does_not_have_is_unknown(path: str, method: str) -> None:
    unheard_of(ask("compreface", path, method=method))


def test_a_form_in_the_body_is_not_what_a_client_sends() -> None:
    found = ask("compreface", f"{API}/recognition/recognize", b"file=a", content_type=FORM)

    assert doubtful(found).operation_class == "one_to_many"
