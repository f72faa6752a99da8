"""IBM Visual Recognition: images to train on, at the old host and the new."""

from __future__ import annotations

import pytest

from tests.core.catalog.build import known, unheard_of
from tests.core.catalog.providers.collection import ask, operation_differences
from tests.core.catalog.providers.forms import MULTIPART, multipart, path_differences

IBM = "ibm_visual_recognition"


def test_every_collected_operation_is_here_with_its_class() -> None:
    assert list(operation_differences("ibm_visual_recognition")) == []
    assert list(path_differences("ibm_visual_recognition")) == []


@pytest.mark.parametrize("prefix", ["", "/instances/i1", "/visual-recognition/api"])
@pytest.mark.parametrize(
    ("method", "path", "operation_class", "access"),
    [
        ("POST", "/v3/classify", "unrelated", "none"),
        ("POST", "/v4/analyze", "unrelated", "none"),
        ("POST", "/v3/detect_faces", "detect", "none"),
        ("GET", "/v3/detect_faces", "detect", "none"),
        ("POST", "/v3/classifiers", "image_db", "train"),
        ("GET", "/v3/classifiers/c1/core_ml_model", "image_db", "export"),
        ("POST", "/v4/collections/c1/images", "image_db", "write"),
        ("GET", "/v4/collections/c1/images/i1/jpeg", "image_db", "read"),
        ("POST", "/v4/collections/c1/train", "image_db", "train"),
        ("DELETE", "/v4/collections/c1", "image_db", "delete"),
        ("DELETE", "/v3/user_data", "unrelated", "none"),
        ("DELETE", "/v4/user_data", "unrelated", "none"),
    ],
)
def test_ibm_trains_on_images_at_the_old_host_and_the_new(
    prefix: str, method: str, path: str, operation_class: str, access: str
) -> None:
    body = multipart(files=("images_file", "images_file")) if method == "POST" else b""
    found = known(
        ask(
            IBM,
            f"{prefix}{path}?version=2019-02-11",
            body,
            method=method,
            content_type=MULTIPART if body else "",
        )
    )

    assert (found.operation_class, found.access) == (operation_class, access)


@pytest.mark.parametrize("path", ["/v5/analyze", "/v3/analyze", "/v4/classify", "/v4/recognize"])
def test_a_path_of_another_version_of_ibm_is_unknown(path: str) -> None:
    unheard_of(ask(IBM, path))
