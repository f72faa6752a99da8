"""Baidu face recognition by baidu-aip."""

from __future__ import annotations

from collections.abc import Iterator

from aip import AipFace

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import IMAGE_BASE64, IMAGE_URL

PROVIDER = "baidu_face"
# The first answer is the token's.
ANSWER = b'{"access_token": "24.0123", "expires_in": 2592000, "scope": "brain_all_scope"}'

_GROUP, _USER = "staff", "user_1"


def calls() -> Iterator[Call]:
    """Name the calls, by path; the token is asked for once, by itself."""
    client = AipFace("1", "made-up-key", "made-up-secret")
    yield Call("token", "oauth/2.0/token", "admin", client._auth)
    yield from _searches(client)
    yield from _galleries(client)


def _searches(client: AipFace) -> Iterator[Call]:
    yield Call(
        "search", "v3/search", "one_to_many", lambda: client.search(IMAGE_BASE64, "BASE64", _GROUP)
    )
    yield Call(
        "search-of-a-user",
        "v3/search",
        "one_to_one",
        lambda: client.search(IMAGE_BASE64, "BASE64", _GROUP, {"user_id": _USER}),
    )
    yield Call(
        "multi-search",
        "v3/multi-search",
        "one_to_many",
        lambda: client.multiSearch(IMAGE_URL, "URL", "staff,vip", {"max_face_num": 3}),
    )
    yield Call(
        "match",
        "v3/match",
        "one_to_one",
        lambda: client.match(
            [
                {"image": IMAGE_BASE64, "image_type": "BASE64"},
                {"image": IMAGE_URL, "image_type": "URL"},
            ]
        ),
    )
    yield Call("detect", "v3/detect", "detect", lambda: client.detect(IMAGE_BASE64, "BASE64"))
    yield Call(
        "liveness",
        "v3/faceverify",
        "liveness",
        lambda: client.faceverify([{"image": IMAGE_BASE64, "image_type": "BASE64"}]),
    )


def _galleries(client: AipFace) -> Iterator[Call]:
    yield Call(
        "user-add",
        "v3/faceset/user/add",
        "gallery",
        lambda: client.addUser(IMAGE_BASE64, "BASE64", _GROUP, _USER),
    )
    yield Call(
        "users",
        "v3/faceset/group/getusers",
        "gallery",
        lambda: client.getGroupUsers(_GROUP),
    )
    yield Call(
        "user-delete",
        "v3/faceset/user/delete",
        "gallery",
        lambda: client.deleteUser(_GROUP, _USER),
    )
    yield Call("group-add", "v3/faceset/group/add", "gallery", lambda: client.groupAdd(_GROUP))
