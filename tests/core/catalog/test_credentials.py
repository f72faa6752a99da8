"""What a caller presents outside of the headers, as the catalogue names the places."""

from __future__ import annotations

import msgspec
import pytest

from gateway.core.catalog.credentials import Stated, stated_credentials
from gateway.core.request import Request, Streaming, Whole
from tests.core.catalog.build import FORM, request, shipped
from tests.core.catalog.providers.forms import MULTIPART, multipart

KEY, OTHER = "fgk_" + "k" * 43, "fgk_" + "o" * 43


def stated(made: Request) -> Stated:
    return stated_credentials(made, shipped())


def search(*fields: tuple[str, str], query: str = "") -> Request:
    return request(
        "facepp",
        target=f"/facepp/v3/search{query}",
        content_type=MULTIPART,
        body=multipart(*fields, files=("image_file",)),
    )


@pytest.mark.parametrize(
    ("provider", "target"),
    [
        ("google_vision", f"/v1/images:annotate?alt=json&key={KEY}"),
        ("google_vision", f"/v1/images:annotate?Access_Token={KEY}"),
        ("azure_face", f"/face/v1.0/detect?subscription-key={KEY}"),
        ("baidu_face", f"/rest/2.0/face/v3/search?access_token={KEY}"),
        ("facepp_v2_legacy", f"/v2/recognition/search?api_key={KEY}"),
        ("compreface", f"/api/v1/static/{KEY}/images/1"),
    ],
)
def test_a_key_stands_where_the_provider_looks_for_it(provider: str, target: str) -> None:
    assert stated(request(provider, target=target, method="GET")) == (KEY,)


def test_a_key_stands_in_a_form_of_either_kind() -> None:
    assert stated(search(("api_key", KEY))) == (KEY,)
    assert stated(search(("API_Key", KEY))) == (KEY,)
    urlencoded = request(
        "facepp", target="/facepp/v3/search", content_type=FORM, body=f"api_key={KEY}&x=1"
    )
    assert stated(urlencoded) == (KEY,)


def test_key_and_secret_are_one_credential_where_they_are_the_same_and_else_two() -> None:
    both = (("api_key", KEY), ("api_secret", KEY))
    assert stated(search(*both)) == (KEY,)
    assert stated(search(query=f"?api_secret={KEY}&api_key={KEY}")) == (KEY,)
    assert stated(search(("api_key", KEY), ("api_secret", OTHER))) == (KEY, OTHER)
    assert stated(search(("api_key", KEY), query=f"?api_key={KEY}")) == (KEY, KEY)
    assert stated(search(*both, query=f"?api_key={KEY}")) == (KEY, KEY, KEY)
    unpaired = request("google_vision", target=f"/v1/images:annotate?key={KEY}&access_token={KEY}")
    assert stated(unpaired) == (KEY, KEY)


@pytest.mark.parametrize(
    "made",
    [
        search(("api_key", KEY), ("api_key", KEY)),
        request("facepp", target="/facepp/v3/search", content_type=MULTIPART, body=b"--c\r\n"),
        request(
            "facepp", target="/facepp/v3/search", content_type=FORM, body="api_key=a&api_key=b"
        ),
        msgspec.structs.replace(search(("api_key", KEY)), body=Streaming(10)),
    ],
    ids=["twice", "no form", "twice, encoded", "streams"],
)
def test_a_form_that_has_no_single_reading_has_no_credential_that_could_be_read(
    made: Request,
) -> None:
    assert stated(made) is None


@pytest.mark.parametrize(("target", "own"), [(f"/batch?key={KEY}", (KEY,)), ("/batch", ())])
@pytest.mark.parametrize(
    ("line", "header"),
    [
        ("POST /v1/images:annotate", "Authorization: Bearer x"),
        ("POST /v1/images:annotate", f"X-Goog-Api-Key: {KEY}"),
        (f"POST /v1/images:annotate?a=1&Key={KEY}", ""),
        (f"POST /v1/images:annotate?a=1&access_token={KEY}", ""),
    ],
)
def test_a_request_of_a_batch_has_no_credential_of_its_own(
    line: str, header: str, target: str, own: Stated
) -> None:
    part = "--b\r\nContent-Type: application/http\r\n\r\n"
    inner = [f"{part}POST /v1/images:annotate\r\nAccept: x\r\n\r\n{{}}\r\n"]
    outer = request(
        "google_vision",
        target=target,
        content_type="multipart/mixed; boundary=b",
        body="".join(inner) + "--b--\r\n",
    )
    assert stated(outer) == own
    inner.append(f"{part}{line}\r\n{header or 'Accept: x'}\r\n\r\n{{}}\r\n")
    body = Whole(("".join(inner) + "--b--\r\n").encode())
    assert stated(msgspec.structs.replace(outer, body=body)) is None
    assert stated(msgspec.structs.replace(outer, body=Whole(b"--c"))) is None
    assert stated(msgspec.structs.replace(outer, body=Streaming(9))) is None


def test_elsewhere_the_same_names_are_none_of_a_credential() -> None:
    assert stated(request("aws_rekognition", target=f"/?key={KEY}")) == ()
    assert stated(request("compreface", target=f"/api/v1/recognition/faces?key={KEY}")) == ()
    assert stated(request("nobody", target=f"/?key={KEY}")) == ()
    assert stated(search(("outer_id", KEY))) == ()
