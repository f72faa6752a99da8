"""What the engine reads from data alone, on providers that are invented for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from gateway.core.catalog.classify import classify
from gateway.core.catalog.model import Catalog
from gateway.core.operation import Classified, Observed, OperationClass
from gateway.core.request import Body, Streaming
from gateway.core.strict_json import JsonValue
from tests.core.catalog.build import FORM, doubtful, invented, known, request, unheard_of


@cache
def catalog() -> Catalog:
    here = Path(__file__).parent
    return invented(
        *(here.joinpath(name).read_text() for name in ("actions.toml", "features.toml"))
    )


def ask(
    provider: str,
    target: str,
    body: Body | bytes | str | Mapping[str, JsonValue] = b"",
    *,
    method: str = "POST",
    content_type: str = "",
    action: str = "",
) -> Classified:
    made = request(
        provider,
        target=target,
        method=method,
        content_type=content_type,
        body=body,
        headers={"x-inv-action": action} if action else {},
    )
    return classify(made, catalog(), Observed())


def json_action(action: str, body: Mapping[str, JsonValue], target: str = "/") -> Classified:
    return ask("actions", target, body, content_type="application/json", action=action)


def annotate(body: Mapping[str, JsonValue]) -> Classified:
    return ask("features", "/v1/images:annotate", body, content_type="application/json")


def kinds(*types: JsonValue) -> dict[str, JsonValue]:
    return {"requests": [{"features": [{"type": each} for each in types]}]}


def test_an_operation_is_named_in_a_header_the_query_or_a_form() -> None:
    by_header = json_action("Search", {"GroupIds": ["g", "h"]})
    by_query = ask("actions", "/?Action=Search&GroupId=g%20h", method="GET")
    by_form = ask("actions", "/", "Action=Search&Limit=5", content_type=FORM)

    assert known(by_header).gallery == "g,h"
    assert known(by_query).gallery == "g h"
    assert known(by_header).reading == ("named by header `x-inv-action`",)
    assert known(by_query).reading == ("named by query `Action`",)
    assert known(by_form).reading == ("named by form `Action`",)


def test_a_form_is_read_where_it_carries_the_parameters_too() -> None:
    found = known(ask("actions", "/", "Action=Enrol&Unique=4&Name=a+b", content_type=FORM))

    assert (found.operation_class, found.subclass) == ("one_to_many", "enrol_with_dedupe")


def test_what_a_request_states_is_read_where_its_class_is_always_the_same() -> None:
    assert known(json_action("Cluster", {"Faces": ["a", "b"]})).candidates == 2
    assert known(json_action("Cluster", {"Faces": ["a", "b", "c"]})).candidates == 3
    assert known(json_action("Detect", {"MaxFaces": 4})).faces == 4
    assert known(json_action("Detect", {})).faces is None


def test_indicators_that_agree_are_one_reading() -> None:
    found = ask("actions", "/?Action=Search", "Action=Search", content_type=FORM, action="Search")

    assert known(found).name == "Search"


def test_indicators_that_agree_fit_the_method_of_one_of_them() -> None:
    found = ask("actions", "/?Action=Compare", method="GET", action="Compare")

    assert known(found).reading == ("named by query `Action`",)


@pytest.mark.parametrize(
    ("header", "query", "form", "operation_class"),
    [
        ("Compare", "Search", "", "one_to_many"),
        ("Compare", "", "Search", "one_to_many"),
        ("", "Search", "Compare", "one_to_many"),
        ("Erase", "Erase", "Enrol", "one_to_many"),
        ("Compare", "NoSuch", "", "one_to_many"),
        ("Erase", "NoSuch", "", "unknown"),
    ],
)
def test_indicators_that_disagree_have_the_most_restrictive_class(
    header: str, query: str, form: str, operation_class: OperationClass
) -> None:
    target = f"/?Action={query}" if query else "/"
    body = f"Action={form}" if form else ""
    found = ask("actions", target, body, content_type=FORM if form else "", action=header)

    assert doubtful(found).operation_class == operation_class


def test_a_form_that_streams_may_name_anything() -> None:
    found = ask("actions", "/", Streaming(9_000_000), content_type=FORM, action="Compare")

    assert doubtful(found).operation_class == "unknown"


@pytest.mark.parametrize(
    ("target", "method", "content_type"),
    [("/", "POST", ""), ("/", "GET", ""), ("/?Name=Search", "GET", ""), ("/", "POST", FORM)],
)
def test_a_request_that_names_nothing_is_unknown(
    target: str, method: str, content_type: str
) -> None:
    unheard_of(ask("actions", target, method=method, content_type=content_type))


def test_a_provider_that_the_catalogue_does_not_have_is_unknown() -> None:
    assert unheard_of(ask("nobody", "/")).provider == "nobody"


@pytest.mark.parametrize(
    ("unique", "operation_class"),
    [
        (None, "gallery"),
        (0, "gallery"),
        ("0", "gallery"),
        (0.0, "gallery"),
        (4, "one_to_many"),
        ("4", "one_to_many"),
        ("00", "one_to_many"),
        (True, "one_to_many"),
        ({}, "one_to_many"),
    ],
    ids=repr,
)
def test_a_condition_compares_numbers_as_the_provider_reads_them(
    unique: JsonValue, operation_class: OperationClass
) -> None:
    assert known(json_action("Enrol", {"Unique": unique})).operation_class == operation_class


@pytest.mark.parametrize(
    ("targets", "operation_class"),
    [(["a"], "one_to_one"), (["a", "b"], "one_to_many"), ([None, None], "one_to_many")],
)
def test_a_condition_counts_the_elements_of_a_list(
    targets: list[JsonValue], operation_class: OperationClass
) -> None:
    assert known(json_action("Compare", {"Targets": targets})).operation_class == operation_class


def test_a_variant_may_change_the_access() -> None:
    assert known(json_action("Erase", {})).access == "delete"
    assert known(json_action("Erase", {"DryRun": True})).access == "read"


def test_a_body_that_was_not_read_never_makes_an_operation_ungoverned() -> None:
    found = ask("actions", "/", Streaming(9), content_type="application/json", action="Erase")

    assert known(found).access == "read"


@pytest.mark.parametrize("spelling", ["WEB", 10, "10", 10.0], ids=repr)
def test_a_feature_is_named_by_name_number_or_numeric_text(spelling: JsonValue) -> None:
    found = known(annotate(kinds("TEXT", spelling)))

    assert (found.operation_class, found.subclass) == ("image_search", "reverse")
    assert "feature WEB" in found.reading


@pytest.mark.parametrize(
    ("types", "operation_class"),
    [
        ((), "unrelated"),
        (("TEXT",), "unrelated"),
        ((5, 5, 1), "detect"),
        ((1, "WEB"), "image_search"),
    ],
)
def test_the_most_restrictive_of_all_features_decides(
    types: tuple[JsonValue, ...], operation_class: OperationClass
) -> None:
    assert known(annotate(kinds(*types))).operation_class == operation_class


def test_a_feature_late_in_a_batch_decides() -> None:
    batch: list[JsonValue] = [{"features": [{"type": "TEXT"}]} for _ in range(15)]
    found = known(annotate({"requests": [*batch, {"features": [{"type": 10}]}]}))

    assert found.operation_class == "image_search"


@pytest.mark.parametrize(
    "feature", ["CELEBRITIES", 99, 1.5, "01", "1.0", True, None, {}, []], ids=repr
)
def test_a_feature_that_the_catalogue_does_not_know_makes_the_request_unknown(
    feature: JsonValue,
) -> None:
    found = annotate({"requests": [{"features": [{"type": "TEXT"}, {"type": feature}]}]})

    if feature is None:
        assert known(found).operation_class == "unrelated"
    else:
        unheard_of(found)


@pytest.mark.parametrize(
    "body",
    [
        {"requests": {"features": [{"type": 10}]}},
        {"requests": [{"features": {"type": 10}}]},
        {"requests": [{"features": [10]}]},
        {"requests": [None]},
        {"Requests": [{"features": [{"type": 10}]}]},
        {"requests": [{"features": [{"TYPE": 10, "type": 5}]}]},
    ],
)
def test_features_in_another_shape_have_no_reading(body: dict[str, JsonValue]) -> None:
    assert doubtful(annotate(body)).operation_class == "one_to_many"


@pytest.mark.parametrize("body", [Streaming(9_000_000)])
def test_features_that_were_not_read_may_be_any(body: Body) -> None:
    found = ask("features", "/v1/images:annotate", body, content_type="application/json")

    assert known(found).operation_class == "one_to_many"


@pytest.mark.parametrize(
    "context",
    [
        {"imageContext": {"celebritySet": ["all"]}},
        {"image_context": {"celebrity_set": ["all"]}},
        {"imageContext": {}, "image_context": {"celebrity_set": ["all"]}},
    ],
)
def test_two_spellings_of_a_member_are_both_read(context: dict[str, JsonValue]) -> None:
    found = known(annotate({"requests": [{"features": [{"type": 1}], **context}]}))

    assert (found.operation_class, found.subclass) == ("one_to_many", "builtin_gallery")


@pytest.mark.parametrize("query", ["?looksLike=detection:1&limit=1", "?looksLike="])
def test_a_parameter_turns_a_listing_into_a_search(query: str) -> None:
    found = known(ask("features", f"/v1/sets/staff{query}", method="GET"))

    assert (found.operation_class, found.gallery) == ("one_to_many", "staff")


def test_a_listing_without_the_parameter_is_a_listing() -> None:
    found = known(ask("features", "/v1/sets/caf%C3%A9?page=1", method="GET"))

    assert (found.operation_class, found.gallery) == ("gallery", "café")


@pytest.mark.parametrize(
    "query", ["?lookslike=1", "?LooksLike=1&looksLike=1", "?looksLike=1&looksLike=1"]
)
def test_a_parameter_in_another_spelling_or_twice_has_no_reading(query: str) -> None:
    doubtful(ask("features", f"/v1/sets/staff{query}", method="GET"))


@pytest.mark.parametrize("path", ["/v1/sets/staff:import", "/v1/sets/staff%3Aimport"])
def test_a_verb_stands_after_a_colon_escaped_or_not(path: str) -> None:
    found = known(ask("features", path))

    assert (found.name, found.gallery) == ("import", "staff")


@pytest.mark.parametrize(
    "path",
    ["/v1/sets/staff:export", "/v1/sets/:import", "/v1/images:Annotate", "/V1/sets/s:import"],
)
def test_a_verb_that_the_catalogue_does_not_know_is_unknown(path: str) -> None:
    unheard_of(ask("features", path))


def test_a_fixed_segment_goes_before_a_variable_one() -> None:
    assert known(ask("features", "/v1/sets/delete")).access == "delete"
    assert known(ask("features", "/v1/sets/delete", method="GET")).gallery == "delete"


@pytest.mark.parametrize(
    ("model", "operation_class"), [("celebrities", "one_to_many"), ("landmarks", "unrelated")]
)
def test_a_segment_of_the_path_decides(model: str, operation_class: OperationClass) -> None:
    found = known(ask("features", f"/v1/models/{model}/analyze"))

    assert found.operation_class == operation_class


def test_a_template_may_end_in_a_slash() -> None:
    known(ask("features", "/cards/", method="GET"))
    doubtful(ask("features", "/cards", method="GET"))


def test_the_door_is_told_what_classification_reads() -> None:
    actions, features = (catalog().providers[name] for name in ("actions", "features"))

    assert {"x-inv-action", "content-type", "x-original-url"} <= actions.decision_headers
    assert actions.decision_parameters == {"Action", "GroupId"}
    assert features.decision_parameters == {"looksLike"}


BOTH = """
name = "both"
title = "Invented"
reviewed = 2026-01-01
sources = {own = "invented"}
error_form = "problem"
hosts = []
forward_headers = []
response_headers = []
indicators = [
  {by = "header", name = "x-inv-action"},
  {by = "query", name = "op", accepted = false},
]
operations = [
  {name = "Search", class = "one_to_many"},
  {name = "Count", class = "unrelated"},
  {name = "GET /health", class = "admin"},
]
[bodies]
default = {"" = "empty"}
[routes]
"""


def both(target: str, *, action: str = "", method: str = "GET") -> Classified:
    headers = {"x-inv-action": action} if action else {}
    made = request("both", target=target, method=method, headers=headers)
    return classify(made, invented(BOTH), Observed())


def test_a_provider_may_name_some_operations_by_path_and_others_by_header() -> None:
    assert known(both("/health")).name == "GET /health"
    assert known(both("/", action="Count", method="POST")).name == "Count"
    unheard_of(both("/", method="POST"))


@pytest.mark.parametrize(
    ("target", "action", "operation_class"),
    [
        ("/health", "Search", "one_to_many"),
        ("/health", "Count", "admin"),
        ("/health?op=Count", "", "admin"),
        ("/health?op=Search", "", "one_to_many"),
        ("/elsewhere", "Count", "unknown"),
    ],
)
def test_a_path_and_another_indicator_must_agree(
    target: str, action: str, operation_class: OperationClass
) -> None:
    assert doubtful(both(target, action=action)).operation_class == operation_class
