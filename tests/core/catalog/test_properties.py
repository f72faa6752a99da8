"""What holds for every request, whatever it says."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import msgspec
from hypothesis import given, strategies as st

from gateway.core.catalog.classify import classify
from gateway.core.catalog.model import Catalog
from gateway.core.catalog.severity import RANK
from gateway.core.operation import Classified, Observed, Operation, class_of
from gateway.core.request import Request, Streaming, Whole
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import FORM, JSON_1_1, invented, shipped


@cache
def catalog() -> Catalog:
    """Put the shipped providers and the invented ones together."""
    here = Path(__file__).parent
    own = invented(*(here.joinpath(name).read_text() for name in ("actions.toml", "features.toml")))
    return Catalog({**shipped().providers, **own.providers}, "0")


NAMES = [row.name for provider in catalog().providers.values() for row in provider.operations]
WORDS = st.sampled_from(
    [
        *NAMES,
        *(f"RekognitionService.{name}" for name in NAMES),
        "RekognitionService.CompareFaces, RekognitionService.SearchFaces",
    ]
) | st.text(max_size=6)
MEMBERS = st.sampled_from(
    [
        "Settings",
        "settings",
        "FaceSearch",
        "ConnectedHome",
        "CollectionId",
        "Output",
        "requests",
        "features",
        "type",
        "imageContext",
        "image_context",
        "celebritySet",
        "personIds",
        "faceIds",
        "personGroupId",
        "PersonGroupId",
        "largePersonGroupId",
        "Targets",
        "Unique",
        "Action",
        "GroupIds",
        "DryRun",
    ]
)
SEGMENTS = [
    "face",
    "v1.0",
    "identify",
    "verify",
    "persongroups",
    "persons",
    "%69dentify",
    "..",
    "v1",
    "sets",
    "images:annotate",
    "staff:import",
]
AWS = ["aws_rekognition"]
ROUTED = ["azure_face", "features"]
NESTED: list[dict[str, JsonValue]] = [
    {},
    {"Settings": {"ConnectedHome": {}}},
    {"Settings": {"FaceSearch": {"CollectionId": "c"}}},
    {"requests": [{"features": [{"type": 1}, {"type": "TEXT"}]}]},
    {"requests": [{"features": [{"type": "x"}]}]},
    {"Targets": ["a", "b"], "personIds": ["a"], "faceIds": ["a", "b"]},
    {"Unique": 0, "DryRun": True, "largePersonGroupId": "g"},
]
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 12) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=10,
)
BODIES = (
    st.dictionaries(MEMBERS, VALUES, max_size=4).map(lambda body: json.dumps(body).encode())
    | VALUES.map(lambda body: json.dumps(body).encode())
    | st.builds(lambda name, word: f"{name}={word}&Limit=1".encode(), MEMBERS, WORDS)
    | st.binary(max_size=12)
)
PATHS = st.one_of(
    st.just("/"),
    st.sampled_from(NAMES).map(lambda name: "/face/v1.0" + name.partition(" ")[2]),
    st.builds(
        "/".join,
        st.lists(
            st.sampled_from(SEGMENTS) | st.just(""),
            max_size=6,
        ),
    ),
    st.text(max_size=12),
)
QUERIES = st.lists(
    st.tuples(
        st.sampled_from(
            ["Action", "action", "X-Amz-Target", "returnFaceId", "looksLike", "GroupId"]
        )
        | st.text(max_size=4),
        WORDS,
    ),
    max_size=3,
).map(tuple)
HEADERS = st.dictionaries(
    st.sampled_from(["x-amz-target", "x-inv-action", "x-original-url", "accept"]), WORDS, max_size=3
)
MEDIA = st.sampled_from(
    ["", JSON_1_1, f"{JSON_1_1}; charset=utf-16", "application/json", FORM, ";", "image/png"]
)
WILD = st.builds(
    lambda media, headers, **parts: Request(
        host="h",
        upstream="u",
        query_string="",
        peer="192.0.2.1",
        headers={**headers, **({"content-type": media} if media else {})},
        **parts,
    ),
    media=MEDIA,
    headers=HEADERS,
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "X"]),
    provider=st.sampled_from([*catalog().providers, "nobody"]),
    path=PATHS,
    query=QUERIES,
    body=BODIES.map(Whole) | st.integers(0, 10**9).map(Streaming),
)


@st.composite
def plausible(draw: st.DrawFn) -> Request:
    """Draw a request as an SDK could send it, but for what its body says."""
    provider = catalog().providers[draw(st.sampled_from(["actions", "features", *ROUTED, *AWS]))]
    row = draw(st.sampled_from(provider.operations))
    method, _, template = (row.route or row.name).partition(" ")
    headers = {"content-type": "application/json"}
    if template:
        prefix = "/face/v1.0" if provider.name == "azure_face" else ""
        path = prefix + re.sub(r"\{\w+\}", "a", template)
    else:
        method, path = "POST", "/"
        headers = {
            "content-type": JSON_1_1 if provider.name in AWS else "application/json",
            "x-amz-target": f"RekognitionService.{row.name}",
            "x-inv-action": row.name,
        }
    members = draw(st.dictionaries(MEMBERS, VALUES, max_size=3))
    nested = draw(st.sampled_from(NESTED))
    return Request(
        method=method,
        host="h",
        upstream="u",
        provider=provider.name,
        path=path,
        query_string="",
        query=draw(st.just(()) | st.just((("returnFaceId", "false"),)) | QUERIES),
        headers=headers,
        body=Whole(json.dumps({**members, **nested}).encode()),
        peer="192.0.2.1",
    )


REQUESTS = plausible() | WILD
OBSERVED = st.sampled_from(["", "connected_home", "face_search", "x"]).map(
    lambda declared: Observed(stream_processor=declared)
)


@given(made=REQUESTS, observed=OBSERVED)
def test_every_request_has_an_answer_and_a_known_one_is_in_the_table(
    made: Request, observed: Observed
) -> None:
    found = classify(made, catalog(), observed)

    assert found.provider == made.provider
    assert class_of(found) in RANK
    if isinstance(found, Operation):
        rows = catalog().providers[made.provider].operations
        assert found.name in {row.name for row in rows}
        assert found.operation_class != "unknown"
    assert msgspec.json.decode(msgspec.json.encode(found), type=Classified) == found


@given(made=REQUESTS, observed=OBSERVED)
def test_a_body_that_is_not_read_is_never_less_than_what_it_says(
    made: Request, observed: Observed
) -> None:
    read = classify(made, catalog(), observed)
    unread = classify(msgspec.structs.replace(made, body=Streaming(10**6)), catalog(), observed)

    if isinstance(read, Operation):
        assert RANK[class_of(unread)] <= RANK[read.operation_class]


@given(made=REQUESTS, observed=OBSERVED, action=st.sampled_from(NAMES))
def test_a_second_name_for_the_operation_never_makes_it_less(
    made: Request, observed: Observed, action: str
) -> None:
    before = classify(made, catalog(), observed)
    added = msgspec.structs.replace(made, query=(*made.query, ("Action", action)))
    after = classify(added, catalog(), observed)

    if isinstance(before, Operation) and isinstance(after, Operation):
        assert after == before
    elif isinstance(before, Operation):
        assert RANK[class_of(after)] <= RANK[before.operation_class]
