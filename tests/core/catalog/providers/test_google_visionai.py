"""Google Vision AI: stored images, and applications that run on the server."""

from __future__ import annotations

import pytest

from gateway.core.operation import Destination, OperationClass
from tests.core.catalog.build import known, unheard_of
from tests.core.catalog.providers.collection import (
    ask,
    collected_requests,
    operation_differences,
    request_differences,
)
from tests.core.catalog.providers.wires import grpc, wire_differences

PROVIDER = "google_visionai"
AT = "/v1/projects/p/locations/l"
# Six services answer these under one path each; the first names it.
SHARED = {
    "GetLocation",
    "ListLocations",
    "CancelOperation",
    "DeleteOperation",
    "GetOperation",
    "ListOperations",
}


def named(operation: str) -> str:
    _, _, method = operation.rpartition(".")
    return method if method in SHARED else operation


def test_every_collected_operation_is_here_with_its_class_and_paths() -> None:
    assert list(operation_differences(PROVIDER)) == []
    assert list(wire_differences(PROVIDER, named)) == []


def test_every_collected_request_is_what_the_collection_says() -> None:
    collected = collected_requests(PROVIDER)

    assert [found for each in collected for found in request_differences(each)] == []


@pytest.mark.parametrize(
    ("method", "path", "operation_class", "access"),
    [
        ("POST", "/corpora/c/assets", "image_db", "write"),
        ("POST", "/corpora/c/assets:import", "image_db", "write"),
        ("POST", "/corpora/c/assets/a:generateRetrievalUrl", "image_db", "export"),
        ("POST", "/corpora/c/assets/a:clip", "image_db", "export"),
        ("GET", "/corpora/c/assets/searchIndexEndpoint", "image_db", "read"),
        ("DELETE", "/corpora/c/assets/a", "image_db", "delete"),
        ("POST", "/corpora/c:searchAssets", "image_db", "read"),
        ("POST", "/indexEndpoints/c:searchIndexEndpoint", "image_search", "none"),
        ("POST", "/indexEndpoints/c%3AsearchIndexEndpoint", "image_search", "none"),
    ],
)
def test_the_warehouse_stores_images_and_one_verb_searches_them(
    method: str, path: str, operation_class: OperationClass, access: str
) -> None:
    found = known(ask(PROVIDER, AT + path, method=method))

    assert (found.operation_class, found.access, found.gallery) == (operation_class, access, "c")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/applications"),
        ("PATCH", "/applications/a"),
        ("POST", "/applications/a:deploy"),
        ("POST", "/applications/a:addStreamInput"),
        ("POST", "/applications/a/drafts"),
        ("POST", "/processors"),
        ("POST", "/clusters/c/analyses"),
        ("POST", "/clusters/c/processes:batchRun"),
    ],
)
def test_to_build_or_start_an_application_is_to_search_a_stream(method: str, path: str) -> None:
    assert known(ask(PROVIDER, AT + path, {}, method=method)).operation_class == "stream_search"


def test_an_application_can_always_be_stopped() -> None:
    assert known(ask(PROVIDER, f"{AT}/applications/a:undeploy", {})).operation_class == "admin"


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/applications", "applicationConfigs"),
        ("/applications", "application_configs"),
        ("/applications/a/drafts", "draftApplicationConfigs"),
    ],
)
def test_the_outputs_of_an_application_are_found_in_its_nodes(path: str, member: str) -> None:
    found = known(
        ask(
            PROVIDER,
            AT + path,
            {
                member: {
                    "nodes": [
                        {"nodeConfig": {"gcsOutputConfig": {"gcsPath": "gs://out"}}},
                        {"node_config": {"big_query_config": {"table": "p.d.t"}}},
                        {
                            "nodeConfig": {
                                "mediaWarehouseConfig": {"corpus": "projects/p/corpora/c"}
                            }
                        },
                    ]
                }
            },
        )
    )

    assert set(found.destinations) == {
        Destination(kind="gcs_uri", value="gs://out"),
        Destination(kind="bigquery_table", value="p.d.t"),
        Destination(kind="corpus", value="projects/p/corpora/c"),
    }


@pytest.mark.parametrize(
    ("service", "operation_class"),
    [
        ("Warehouse/SearchIndexEndpoint", "image_search"),
        ("Warehouse/IngestAsset", "image_db"),
        ("AppPlatform/DeployApplication", "stream_search"),
        ("StreamingService/SendPackets", "admin"),
    ],
)
def test_grpc_names_an_operation_as_its_path_does(
    service: str, operation_class: OperationClass
) -> None:
    found = known(grpc(PROVIDER, f"/google.cloud.visionai.v1.{service}"))

    assert found.operation_class == operation_class


@pytest.mark.parametrize(
    "path",
    [
        "/v1alpha1/projects/p/locations/l/corpora/c:searchAssets",
        f"{AT}/corpora/c:identify",
        "/google.cloud.visionai.v1.Warehouse/SearchFaces",
    ],
)
def test_what_nobody_knows_is_unknown(path: str) -> None:
    unheard_of(ask(PROVIDER, path, {}))
