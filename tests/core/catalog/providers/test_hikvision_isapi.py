"""Hikvision ISAPI: the path says what a device does, in XML as in JSON."""

from __future__ import annotations

import pytest

from tests.core.catalog.build import known, unheard_of
from tests.core.catalog.providers.collection import ask, operation_differences
from tests.core.catalog.providers.forms import MULTIPART, multipart, path_differences

FDLIB = "/ISAPI/Intelligent/FDLib"


def test_every_collected_operation_is_here_with_its_class() -> None:
    assert list(operation_differences("hikvision_isapi")) == []
    assert list(path_differences("hikvision_isapi")) == []


@pytest.mark.parametrize(
    ("body", "content_type", "gallery"),
    [
        (b'{"FDLib":[{"FDID":"1"}],"maxResults":100}', "application/json", "1"),
        (b'{"faceLibType":"blackFD","FDID":"2"}', "application/json", "2"),
        (b"<FDSearchDescription/>", "application/xml", ""),
        (b"<FDSearchDescription/>", 'text/xml; charset="UTF-8"', ""),
        (multipart(files=("img",)), MULTIPART, ""),
    ],
    ids=["libraries", "library", "xml", "text", "upload"],
)
def test_a_device_is_searched_in_xml_as_in_json(
    body: bytes, content_type: str, gallery: str
) -> None:
    found = known(
        ask("hikvision_isapi", f"{FDLIB}/searchByPic?format=json", body, content_type=content_type)
    )

    assert (found.operation_class, found.gallery) == ("one_to_many", gallery)


@pytest.mark.parametrize(
    ("method", "path", "access"),
    [
        ("POST", "/FDSearch", "read"),
        ("POST", "/FaceDataRecord", "write"),
        ("POST", "/pictureUpload", "write"),
        ("GET", "", "read"),
    ],
)
def test_the_libraries_of_a_device_are_galleries(method: str, path: str, access: str) -> None:
    found = known(ask("hikvision_isapi", f"{FDLIB}{path}?format=json", method=method))

    assert (found.operation_class, found.access) == ("gallery", access)


@pytest.mark.parametrize(
    "path",
    [f"{FDLIB}/FDSearch/Delete", f"{FDLIB}/FDModify", "/ISAPI/Intelligent/analysisImage/face"],
)
def test_what_else_a_device_can_do_is_unknown(path: str) -> None:
    unheard_of(ask("hikvision_isapi", path, method="PUT"))
