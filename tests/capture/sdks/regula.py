"""Regula Face SDK by its web client."""

from __future__ import annotations

from collections.abc import Iterator

from regula.facesdk.webclient import gen

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import IMAGE_BASE64, PERSON

PROVIDER = "regula"


def calls() -> Iterator[Call]:
    """Name the calls, by method and path."""
    client = gen.ApiClient(gen.Configuration(host="https://faceapi.regulaforensics.com"))
    match, search = gen.MatchApi(client), gen.SearchApi(client)
    people, groups = gen.PersonApi(client), gen.GroupApi(client)
    images = [gen.MatchImage(index=at, type=3, data=IMAGE_BASE64) for at in range(3)]
    yield Call(
        "match",
        "POST /api/match",
        "one_to_one",
        lambda: match.match(gen.MatchRequest(images=images[:2])),
    )
    yield Call(
        "match-of-three",
        "POST /api/match",
        "one_to_many",
        lambda: match.match(gen.MatchRequest(images=images)),
    )
    image = gen.ImageFieldsImage(content=IMAGE_BASE64)
    yield Call(
        "search",
        "POST /api/search",
        "one_to_many",
        lambda: search.search(gen.SearchRequest(group_ids=[PERSON], image=image, detect_all=False)),
    )
    yield Call(
        "detect",
        "POST /api/detect",
        "detect",
        lambda: match.detect(gen.DetectRequest(image=IMAGE_BASE64)),
    )
    yield Call(
        "person-create",
        "POST /api/persons",
        "gallery",
        lambda: people.create_person(gen.PersonFields(name="A. Person", metadata={}, groups=[])),
    )
    yield Call(
        "person-delete",
        "DELETE /api/persons/{personId}",
        "gallery",
        lambda: people.delete_person(PERSON),
    )
    yield Call(
        "groups", "GET /api/groups", "gallery", lambda: groups.get_all_groups(page=1, size=5)
    )
