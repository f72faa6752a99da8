"""Files that people write: YAML 1.2 and nothing more, with every mistake at its place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import Finding, FindingsError
from gateway.sources.yaml_file import Document, parse_yaml, read_yaml, validation_findings


def findings(text: str) -> tuple[Finding, ...]:
    with pytest.raises(FindingsError) as caught:
        parse_yaml(text, path="x.yaml")
    return caught.value.findings


def messages(text: str) -> list[str]:
    return [str(finding).splitlines()[0] for finding in findings(text)]


def value(text: str) -> object:
    return parse_yaml(text, path="x.yaml").value


def test_norway_stays_norway() -> None:
    assert value("[NO, on, off, yes, y, 12:30:45, 0x, 1.2.3, 0b9f]") == [
        "NO",
        "on",
        "off",
        "yes",
        "y",
        "12:30:45",
        "0x",
        "1.2.3",
        "0b9f",
    ]


def test_plain_values_have_plain_types() -> None:
    text = """
a: [1, -2, 1.5, true, False, null, ~, "1", '', 2026-01-02, 2026-01-02T03:04:05Z]
b: {c: |
  text
  }
e:
"""
    assert value("\n".join(text.split("\nb:")[:1])) == {
        "a": [
            *(1, -2, 1.5, True, False, None, None, "1", ""),
            date(2026, 1, 2),
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        ]
    }
    assert value("b: |\n  text\ne:") == {"b": "text\n", "e": None}


def types_in(content: object) -> Iterator[type]:
    yield type(content)
    if isinstance(content, dict):
        for key, child in content.items():
            yield type(key)
            yield from types_in(child)
    elif isinstance(content, list):
        for child in content:
            yield from types_in(child)


def test_no_type_of_the_parser_comes_through() -> None:
    text = "a: &x {b: [1, 1.5, 'c', \"d\"]}\ne: *x\nf: >\n  g\nh: 2026-01-01\n"
    plain = {dict, list, str, int, float, bool, type(None), date, datetime}
    assert set(types_in(value(text))) <= plain


@pytest.mark.parametrize(
    "text", ["012", "1_000", "0x1f", "0o17", ".inf", "-.INF", ".nan", "1e3", "+1", "1.", "9" * 30]
)
def test_a_number_in_an_odd_form_is_refused(text: str) -> None:
    assert messages(f"a: {text}") == [
        "x.yaml:1:4: not a plain number or date",
    ]


def test_a_date_that_does_not_exist_is_refused() -> None:
    assert messages("a: 2026-02-30") == ["x.yaml:1:4: not a plain number or date"]
    assert len(messages("a: 2026-02-28T25:00:00Z")) == 1


def test_every_mistake_is_reported_at_once_with_its_place() -> None:
    text = "a: !!str 1\nb: 012\nb: 2\n1: x\nc:\n  <<: {d: 1}\n"
    assert messages(text) == [
        "x.yaml:1:4: tags are not accepted",
        "x.yaml:2:4: not a plain number or date",
        "x.yaml:3:1: key `b` stands twice",
        "x.yaml:4:1: a key must be text",
        "x.yaml:6:3: merge keys are not accepted",
    ]


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.system [id]", "! a", "!x {a: 1}", "a: !!int '1'"]
)
def test_tags_are_refused(text: str) -> None:
    assert any("tags are not accepted" in message for message in messages(text))


@pytest.mark.parametrize("text", ["%YAML 1.1\n---\na: on", "%TAG !e! tag:x,2026:\n---\na: 1"])
def test_directives_are_refused(text: str) -> None:
    assert "directives are not accepted" in messages(text)[0]


def test_a_second_document_is_refused() -> None:
    assert messages("a: 1\n---\nb: 2") == ["x.yaml:2:1: a second document stands in this file"]


def test_an_alias_stands_for_its_anchor() -> None:
    assert value("a: &x [1, {b: 2}]\nc: *x") == {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}


@pytest.mark.parametrize("text", ["a: *x", "a: &x [*x]", "a: &x {b: *x}", "a: *x\nb: &x 1"])
def test_an_alias_without_a_finished_anchor_is_refused(text: str) -> None:
    assert "names no finished anchor" in messages(text)[0]


def test_an_alias_bomb_is_refused() -> None:
    levels = "abcdefghi"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for below, level in pairwise(levels):
        lines.append(f"{level}: &{level} [{', '.join([f'*{below}'] * 7)}]")
    assert "too many aliases" in messages("\n".join(lines))[0]
    assert "too many aliases" in messages("a: &a 1\nb: [" + "*a, " * 65 + "]")[0]


@pytest.mark.parametrize("text", ["[" * 5000, "{" * 5000, "- " * 5000, "? " * 5000])
def test_deep_nesting_is_refused(text: str) -> None:
    assert "nested deeper than 64 levels" in messages(text)[0]


@pytest.mark.parametrize("text", ["a: [1", "a: b: c", "\ta: 1", "a: 'x", "a: \x00", "a: @x", "]"])
def test_what_is_no_yaml_is_refused(text: str) -> None:
    assert "not YAML" in messages(text)[0]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\ufeff"])
def test_what_yaml_1_1_alone_takes_for_a_line_break_is_none(character: str) -> None:
    assert value(f"a: b{character}c\nd: 'e{character}f'") == {
        "a": f"b{character}c",
        "d": f"e{character}f",
    }


def test_an_address_in_a_list_needs_no_quotes() -> None:
    assert value("a: [127.0.0.1, 2001:db8::]") == {"a": ["127.0.0.1", "2001:db8::"]}


def test_no_repr_shows_what_stands_in_a_file() -> None:
    document = parse_yaml("token: hunter2", path="x.yaml")
    assert "hunter2" not in repr(document) + repr(document.root)


def test_a_message_shows_no_line_of_the_file() -> None:
    assert all("0123456" not in message for message in messages("token: 0123456"))
    assert all("hunter2" not in message for message in messages("password: 'hunter2\n"))


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%#?,\n \t01.~\x00é", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_reads_or_has_findings(text: str) -> None:
    read, found = reading(text)
    assert read is not None or found
    assert all(finding.line >= 1 for finding in found)


def reading(text: str) -> tuple[Document | None, tuple[Finding, ...]]:
    try:
        return parse_yaml(text, path="x.yaml"), ()
    except FindingsError as error:
        return None, error.findings


def test_a_place_is_that_of_the_value_or_of_the_nearest_ancestor() -> None:
    document = parse_yaml("a:\n  - b: 1\n    c: [x, y]\n", path="x.yaml")
    assert document.place(("a", 0, "c", 1)) == (3, 12)
    assert document.place(("a", 0, "missing")) == (2, 5)
    assert document.place(("a", 0, "tag of a union", "b")) == (2, 8)
    assert document.place(("a", 7)) == (2, 3)
    assert document.place(()) == (1, 1)
    assert document.key_place(("a", 0, "c")) == (3, 5)
    assert document.name(("a", 0, "c", 1)) == "a[0].c[1]"


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("\ufeffa: é\n", encoding="utf-8")
    document = read_yaml(path)
    assert document == Document(str(path), {"a": "é"}, document.root)


def test_a_link_to_a_file_is_followed_and_a_loop_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\n")
    link, loop = tmp_path / "link.yaml", tmp_path / "loop.yaml"
    link.symlink_to("a.yaml")
    loop.symlink_to("loop.yaml")
    assert read_yaml(link).value == {"a": 1}
    with pytest.raises(FindingsError, match="cannot be read"):
        read_yaml(loop)


def test_a_fifo_is_refused_without_waiting(tmp_path: Path) -> None:
    path = tmp_path / "fifo.yaml"
    os.mkfifo(path)
    with pytest.raises(FindingsError, match="not a regular file"):
        read_yaml(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: 1".encode("utf-16"), "not UTF-8"),
        (b"a: \xff", "not UTF-8 at byte 3"),
        (b"a: \0", "holds a NUL byte"),
        (b"a: 1" + b" " * 40, "longer than 32 bytes"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(FindingsError, match=expected) as caught:
        read_yaml(path, max_bytes=32)
    assert caught.value.findings[0].line == 0


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FindingsError, match="cannot be read"):
        read_yaml(tmp_path / "missing.yaml")
    with pytest.raises(FindingsError):
        read_yaml(tmp_path)


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Rule(Strict):
    id: str
    effect: Literal["deny", "permit"]
    weight: int = 1


class Group(Strict):
    kind: Literal["group"]
    members: dict[str, Rule] = {}


class Single(Strict):
    kind: Literal["single"]
    rule: Rule | None = None


class Pack(Strict):
    api_version: str = Field(alias="apiVersion")
    rules: list[Rule] = []
    entries: list[Annotated[Group | Single, Field(discriminator="kind")]] = []


def validation(text: str, *, model: type[BaseModel] | None = Pack) -> list[str]:
    document = parse_yaml(text, path="x.yaml")
    with pytest.raises(ValidationError) as caught:
        Pack.model_validate(document.value)
    return [str(one) for one in validation_findings(caught.value, document, model=model)]


def test_each_mistake_of_a_model_has_its_place_and_a_hint() -> None:
    text = "apiversion: x\nrules:\n  - id: 3\n    effects: deny\n  - {id: a, effect: denny}\n"
    assert "\n".join(validation(text)).splitlines() == [
        "x.yaml:1:1: key `apiVersion` is missing",
        "x.yaml:1:1: unknown key `apiversion`",
        "    hint: did you mean `apiVersion`?",
        "x.yaml:3:5: key `effect` is missing",
        "x.yaml:3:9: `rules[0].id`: input should be a valid string",
        "    hint: put it in quotes if it is text",
        "x.yaml:4:5: unknown key `effects`",
        "    hint: did you mean `effect`?",
        "x.yaml:5:21: `rules[1].effect`: input should be 'deny' or 'permit'",
        "    hint: did you mean `deny`?",
    ]


def test_a_key_in_a_union_or_in_a_mapping_has_a_hint() -> None:
    text = (
        "apiVersion: x\nentries:\n  - kind: single\n    rul: {}\n"
        "  - kind: group\n    members: {a: {id: b, effect: deny, weights: 1}}\n"
    )
    assert validation(text) == [
        "x.yaml:4:5: unknown key `rul`\n    hint: did you mean `rule`?",
        "x.yaml:6:40: unknown key `weights`\n    hint: did you mean `weight`?",
    ]


def test_without_the_model_an_unknown_key_has_no_hint() -> None:
    assert validation("apiVersion: x\nrulse: []\n", model=None) == [
        "x.yaml:2:1: unknown key `rulse`"
    ]


def test_a_file_of_another_shape_says_what_it_must_be() -> None:
    assert validation("[1]") == ["x.yaml:1:1: must be a mapping"]


def test_a_prefix_places_a_part_of_the_document() -> None:
    document = parse_yaml("outer:\n  inner: {id: 1, effect: deny}\n", path="x.yaml")
    with pytest.raises(ValidationError) as caught:
        Rule.model_validate({"id": 1, "effect": "deny"})
    (finding,) = validation_findings(caught.value, document, prefix=("outer", "inner"))
    assert (finding.line, finding.column) == (2, 15)
    assert finding.message.startswith("`outer.inner.id`: ")
