"""The caller's credential goes out of query, form and path; the gateway's own goes in."""

from __future__ import annotations

import msgspec
import pytest

from gateway.core.catalog.credentials import stated_credentials
from gateway.core.request import Request, Whole
from gateway.errors import UpstreamError
from gateway.proxy.credentials import exchanged
from gateway.proxy.forward import (
    BearerCredential,
    Credential,
    FormCredential,
    HeaderCredential,
    NoCredential,
    QueryCredential,
)
from tests.core.catalog.build import FORM, request, shipped
from tests.core.catalog.providers.forms import MULTIPART, multipart

KEY = "fgk_" + "k" * 43
OURS = FormCredential(fields={"api_key": "own key", "api_secret": "own&secret"})
GOOGLE = QueryCredential(parameters={"key": "own/key"})
NONE = NoCredential()


def sent(made: Request, credential: Credential) -> Request:
    return exchanged(made, shipped().providers[made.provider], credential)


def content(made: Request) -> bytes:
    assert isinstance(made.body, Whole)
    return made.body.content


def search(body: bytes | str, content_type: str = MULTIPART, query: str = "") -> Request:
    target = f"/facepp/v3/search{query}"
    return request("facepp", target=target, content_type=content_type, body=body)


def test_a_parameter_is_exchanged_and_the_others_stay_to_the_character() -> None:
    made = request("google_vision", target=f"/v1/images:annotate?%24alt=json&KEY={KEY}&&a=%7e&b")
    out = sent(made, GOOGLE)
    assert out.query_string == "%24alt=json&&a=%7e&b&key=own%2Fkey"
    assert out.query == (("$alt", "json"), ("a", "~"), ("b", ""), ("key", "own/key"))
    assert sent(made, BearerCredential(token="t")).query_string == "%24alt=json&&a=%7e&b"


def test_a_query_that_held_nothing_else_is_gone() -> None:
    made = request("google_vision", target=f"/v1/images:annotate?key={KEY}")
    assert sent(made, NONE).target == "/v1/images:annotate"


def test_fields_are_exchanged_in_an_encoded_form() -> None:
    made = search(f"api_key={KEY}&outer_id=a%20b&api_secret={KEY}", FORM)
    out = sent(made, OURS)
    assert content(out) == b"outer_id=a%20b&api_key=own+key&api_secret=own%26secret"
    assert content(sent(made, NONE)) == b"outer_id=a%20b"


def test_fields_are_exchanged_among_the_parts_of_a_form() -> None:
    keys = (("api_key", KEY), ("api_secret", KEY))
    made = search(multipart(*keys, ("outer_id", "g"), files=("image_file",)))
    own = multipart(*OURS.fields.items(), ("outer_id", "g"), files=("image_file",))
    assert content(sent(made, OURS)) == own
    assert content(sent(made, NONE)) == multipart(("outer_id", "g"), files=("image_file",))


def test_a_form_without_the_caller_s_key_is_not_touched_where_ours_does_not_stand_in_it() -> None:
    made = search(multipart(("outer_id", "g"), files=("image_file",)).removesuffix(b"\r\n"))
    assert sent(made, NONE) is made


def test_a_form_of_nothing_but_the_caller_s_key_is_no_form_any_more() -> None:
    made = search(multipart(("api_key", KEY)))
    out = sent(made, QueryCredential(parameters={"api_key": "ours"}))
    assert (content(out), out.headers.get("content-type")) == (b"", None)
    assert out.query_string == "api_key=ours"


def test_a_request_without_a_body_gets_a_form_for_the_gateway_s_key() -> None:
    out = sent(search(b"", "", f"?api_key={KEY}&api_secret={KEY}"), OURS)
    assert content(out) == b"api_key=own+key&api_secret=own%26secret"
    assert (out.headers["content-type"], out.target) == (FORM, "/facepp/v3/search")


@pytest.mark.parametrize(
    ("made", "credential", "why"),
    [
        (search(b"{}", "application/json"), OURS, "no form"),
        (
            msgspec.structs.replace(search(b"", ""), method="GET"),
            OURS,
            "its method has no form",
        ),
        (
            search(multipart(("outer_id", "g"))),
            FormCredential(fields={"api_key": "a--b"}),
            "boundary",
        ),
        (
            request("compreface", target=f"/api/v1/static/{KEY}/images/1", method="GET"),
            NONE,
            "in the path",
        ),
        (
            request("compreface", target=f"/api/v1/static/{KEY}/images/1", method="GET"),
            HeaderCredential(name="x-api-key", value="../x"),
            "in the path",
        ),
    ],
)
def test_a_credential_without_a_place_is_an_error_before_anything_is_sent(
    made: Request, credential: Credential, why: str
) -> None:
    with pytest.raises(UpstreamError, match=why) as failure:
        sent(made, credential)
    assert not failure.value.sent
    assert KEY not in str(failure.value)


def test_a_key_in_the_path_gives_way_to_the_one_of_a_header() -> None:
    made = request("compreface", target=f"/api/v1/static/{KEY}/images/1", method="GET")
    out = sent(made, HeaderCredential(name="x-api-key", value="0a-1B"))
    assert out.path == "/api/v1/static/0a-1B/images/1"
    twice = msgspec.structs.replace(made, path=f"/api/v1/static/{KEY}/images/static")
    assert sent(twice, HeaderCredential(name="x-api-key", value="static")).path == (
        "/api/v1/static/static/images/static"
    )


def test_what_is_sent_states_the_gateway_s_credential_and_no_other() -> None:
    keys = (("api_key", KEY), ("api_secret", KEY))
    ours = FormCredential(fields={"api_key": "o", "api_secret": "o"})
    made = search(multipart(*keys, files=("image_file",)), query=f"?API_KEY={KEY}")
    assert stated_credentials(sent(made, ours), shipped()) == ("o",)


def test_a_request_to_a_provider_without_such_places_is_the_same_one() -> None:
    made = request("aws_rekognition", target=f"/?key={KEY}")
    assert sent(made, NONE) is made
