"""Luxand by the luxand package."""

from __future__ import annotations

from collections.abc import Iterator

from luxand import luxand

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import image_file

PROVIDER = "luxand"


def calls() -> Iterator[Call]:
    """Name the calls, by method and path."""
    client = luxand("made-up-token")
    image = image_file()
    yield Call("recognize", "POST /photo/search", "one_to_many", lambda: client.recognize(image))
    yield Call(
        "verify", "POST /photo/verify/{uuid}", "one_to_one", lambda: client.verify(17, image)
    )
    yield Call("liveness", "POST /photo/liveness", "liveness", lambda: client.liveness(image))
    yield Call("person-add", "POST /subject", "gallery", lambda: client.add_person("A. Person"))
