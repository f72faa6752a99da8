"""Catalogue files are read strictly: every mistake is told with its file, line and operation."""

from __future__ import annotations

import pytest

from gateway.errors import FindingsError
from gateway.sources.catalogs import load_catalog, read_catalog

WHOLE = """
name = "invented"
title = "Invented"
reviewed = 2026-01-01
error_form = "problem"
hosts = ["api.example"]
forward_headers = ["content-type"]
response_headers = ["content-type"]
key_headers = ["x-key"]
indicators = [{by = "header", name = "x-action"}]
operations = [
  {name = "Search", class = "one_to_many", gallery = ["body:Group"]},
  {name = "Erase", class = "gallery", access = "delete"},
  {name = "read", route = "GET /sets/{set}", versions = "all", class = "gallery", access = "read"},
]
[sources]
own = "invented"
[bodies]
default = {"application/json" = "json"}
[routes]
prefix = "/{version}"
[routes.versions]
v1 = ["v1"]
[routes.sets]
all = ["v1"]
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(FindingsError) as raised:
        read_catalog({"invented.toml": text})
    return [str(finding) for finding in raised.value.findings]


def changed(before: str, after: str) -> str:
    assert before in WHOLE
    return WHOLE.replace(before, after)


def test_the_package_s_catalogue_has_its_providers() -> None:
    catalog = load_catalog()

    assert {"aws_rekognition", "azure_face"} <= set(catalog.providers)
    assert all(name == provider.name for name, provider in catalog.providers.items())


def test_every_shipped_row_says_where_it_comes_from() -> None:
    for provider in load_catalog().providers.values():
        for row in provider.operations:
            assert provider.sources[row.source or next(iter(provider.sources))]
        assert provider.reviewed.year >= 2026


def test_no_caller_s_secret_is_forwarded_and_no_cookie_comes_back() -> None:
    for provider in load_catalog().providers.values():
        assert provider.forward_headers.isdisjoint(provider.key_headers)
        assert provider.forward_headers.isdisjoint(
            {"authorization", "host", "x-amz-date", "x-amz-security-token", "cookie"}
        )
        assert provider.response_headers.isdisjoint({"set-cookie", "x-amzn-query-error"})
        assert provider.open_parameters.isdisjoint(provider.credential_parameters)


def test_what_names_an_operation_goes_upstream_as_it_was_judged() -> None:
    for provider in load_catalog().providers.values():
        naming = {each.name for each in provider.indicators if each.by == "header"}
        assert naming | {"content-type"} <= provider.forward_headers


def test_the_digest_is_that_of_the_meaning() -> None:
    digest = read_catalog({"invented.toml": WHOLE}).digest
    rows = [line for line in WHOLE.splitlines() if line.startswith("  {")]

    for same in (
        WHOLE.replace("Invented", "Another title"),
        changed('own = "invented"', 'own = "another page"'),
        changed("reviewed = 2026-01-01", "reviewed = 2026-02-02"),
        changed('class = "one_to_many",', 'class = "one_to_many", note = "a remark",'),
        changed("\n".join(rows), "\n".join(reversed(rows))),
    ):
        assert read_catalog({"other.toml": same}).digest == digest
    for other in (
        changed('class = "one_to_many"', 'class = "one_to_one"'),
        changed('access = "delete"', 'access = "write"'),
        changed('"body:Group"', '"body:Groups"'),
        changed('hosts = ["api.example"]', "hosts = []"),
    ):
        assert read_catalog({"invented.toml": other}).digest != digest


def test_all_mistakes_of_all_files_are_told_at_once() -> None:
    first = changed('class = "one_to_many"', 'class = "search"').replace(
        'access = "delete"', 'access = "burn"'
    )
    with pytest.raises(FindingsError) as raised:
        read_catalog({"b.toml": "not = [toml", "a.toml": first})

    places = [(each.path, each.line) for each in raised.value.findings]
    assert places == [("a.toml", 12), ("a.toml", 13), ("b.toml", 0)]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"one_to_many"', '"search"', "invented.toml:12:1: operation `Search`: Invalid enum value"),
        ('gallery = ["body:Group"]', 'galery = ["body:Group"]', "unknown field `galery`"),
        ('{name = "Search", ', "{", "missing required field `name`"),
        ('"body:Group"', '"header:Group"', "operation `Search`: `header:Group` is no place"),
        ('"body:Group"', '"path:set"', "`path:set` is no place"),
        ('"Erase"', '"Search"', "invented.toml:13:1: operation `Search`: the same name twice"),
        (', access = "delete"', "", "class `gallery` with access `none`"),
        ('"one_to_many"', '"one_to_many", access = "read"', "with access `read`"),
        ('"one_to_many"', '"one_to_many", body = "form"', "no table of bodies `form`"),
        ('"one_to_many"', '"one_to_many", features = "f"', "no enumeration `f`"),
        ('"one_to_many"', '"one_to_many", source = "page"', "no source `page`"),
        (
            '"one_to_many"',
            '"one_to_many", variants = [{class = "one_to_one", when = {}}]',
            "variant `one_to_one` has no condition",
        ),
        (
            'versions = "all"',
            'versions = "some"',
            "operation `read`: no set of API versions `some`",
        ),
        ('all = ["v1"]', 'all = ["v2"]', "set `all`: no API version `v2`"),
        ('v1 = ["v1"]', 'v1 = ["v1", "v1"]', "`GET /v1/sets/{set}` stands twice"),
        ('[{by = "header", name = "x-action"}]', "[]", "no request can name it"),
        ('name = "x-action"', 'name = "X-Action"', "indicators: `X-Action` is not in lower case"),
        (
            'name = "x-action"',
            'name = "x-action", body = "b"',
            "`x-action`: no table of bodies `b`",
        ),
        ('["content-type"]\nresponse', '["x-key"]\nresponse', "`x-key` may not stand there"),
        ('["content-type"]\nkey', '["set-cookie"]\nkey', "`set-cookie` may not stand there"),
        ('["content-type"]\nkey', '["Date"]\nkey', "response_headers: `Date` is not in lower case"),
        ('own = "invented"', "", "no source is named"),
        ('title = "Invented"', 'titel = "Invented"', "invented.toml: "),
        ('error_form = "problem"', 'error_form = "soap"', "Invalid enum value 'soap'"),
        ('"application/json" = "json"', '"application/json" = "xml"', "Invalid enum value 'xml'"),
        ("[routes]", "[routs]", "unknown field `routs`"),
        ("operations = [", "operations = 5\nrest = [", "unknown field `rest`"),
    ],
)
def test_a_mistake_is_told_in_words(before: str, after: str, message: str) -> None:
    found = mistakes(changed(before, after))

    assert any(message in each for each in found), found
    assert all(each.startswith("invented.toml") for each in found)


def test_a_path_without_routes_is_a_mistake() -> None:
    text = WHOLE.partition("[routes]")[0]

    assert mistakes(text) == [
        "invented.toml:14:1: operation `read`: no request can name it: no routes, or no indicator"
    ]


def test_a_provider_stands_in_one_file() -> None:
    with pytest.raises(FindingsError, match="provider `invented` stands in two files"):
        read_catalog({"one.toml": WHOLE, "two.toml": WHOLE})
