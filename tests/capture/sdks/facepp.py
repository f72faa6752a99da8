"""Face++ by python-facepp: the wire of its engine, which every resource of it uses."""

from __future__ import annotations

from collections.abc import Iterator

from facepplib import FacePP

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import IMAGE_URL, image_file

PROVIDER = "facepp"

_HOST = "https://api-us.faceplusplus.com"


def calls() -> Iterator[Call]:
    """Name the calls, by path."""
    engine = FacePP("made-up-key", "made-up-secret", url=_HOST).engine

    def call(operation: str, operation_class: str, *, name: str = "", **fields: str) -> Call:
        url = f"{_HOST}/facepp/{operation}"
        return Call(
            name or operation.replace("/", "-"),
            operation,
            operation_class,
            lambda: engine.request("post", url, data=dict(fields)),
        )

    yield call("v3/detect", "detect", image_url=IMAGE_URL, return_attributes="none")
    yield call("v3/search", "one_to_many", image_url=IMAGE_URL, outer_id="staff")
    yield call(
        "v3/search",
        "one_to_many",
        name="search-file",
        image_file=image_file(),
        faceset_token="42fb0d5bf81c5ac57c52344dddc3e7c9",
    )
    yield call("v3/compare", "one_to_one", image_url1=IMAGE_URL, image_url2=IMAGE_URL)
    yield call("v3/faceset/create", "gallery", outer_id="staff")
    yield call("v3/faceset/addface", "gallery", outer_id="staff", face_tokens="c2fc0ad7c8da3af5")
    yield call("v3/faceset/removeface", "gallery", outer_id="staff", face_tokens="c2fc0ad7c8da3af5")
    yield call("v3/faceset/getfacesets", "gallery")
    yield call("v3/faceset/delete", "gallery", outer_id="staff", check_empty="0")
