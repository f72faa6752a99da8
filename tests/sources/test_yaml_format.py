"""The one form of YAML files: what they say and every comment stay, and it is one form."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from ruamel.yaml import YAML

from gateway.errors import FindingsError
from gateway.sources.packs import packs_directory
from gateway.sources.yaml_file import parse_yaml
from gateway.sources.yaml_format import comments, format_yaml

FORMATTED = """\
# Above all.
apiVersion: facegate/v1
kind: Pack
description: >-
  Words that are folded,
  with their line ends.

  And a paragraph.

# On the rules.
rules:
  # On the first.
  - id: first # behind
    when:
      class: [one_to_many, stream_search]
      destination: {not_in: [GB, UA-43]}

  - id: second
    when: &same
      tag:
        - a
        - "b: c"
    also: *same
# At the end.
"""


def formatted(text: str) -> str:
    written = format_yaml(text, path="x.yaml")
    assert format_yaml(written, path="x.yaml") == written
    return written


def test_what_is_in_its_one_form_stays() -> None:
    text = FORMATTED.replace("first # behind", "first  # behind")
    assert formatted(text) == text


def test_white_space_has_one_form() -> None:
    odd = (
        FORMATTED.replace("\n", "\r\n")
        .replace("kind: Pack", "kind:    Pack   ")
        .replace("  - id", "\r\n\r\n      -   id")
        .replace("    when", "          when")
        .replace("      class", "              class")
        .replace("      destination", "              destination")
        .replace("      tag", "              tag")
        .replace("        - ", "                - ")
        .replace("    also", "          also")
        .replace("[one_to_many, stream_search]", "[ one_to_many,stream_search , ]")
    )
    assert formatted(odd) == FORMATTED.replace("first # behind", "first  # behind").replace(
        "rules:\n  # On the first.\n", "rules:\n  # On the first.\n\n"
    )


def test_a_list_that_is_too_long_for_its_line_is_filled() -> None:
    members = [f"X{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    text = formatted(f"group: [{', '.join(members)}]\n")
    assert text.startswith("group: [\n  XA, XB, ")
    assert text.endswith(", XZ,\n]\n")
    assert max(map(len, text.splitlines())) <= 100


def test_a_mapping_that_is_too_long_for_its_line_stands_on_the_next_or_is_broken() -> None:
    pair = "request: {" + ", ".join(f"key_{number}: {'v' * 8}" for number in range(5))
    assert formatted(pair + "}\n").splitlines()[0] == "request: {" + pair.partition("{")[2] + "}"
    long = pair + ", more: " + "w" * 4 + "}\n"
    assert formatted(long) == "request:\n  {" + long.partition("{")[2]
    longer = pair + ", more: " + "w" * 50 + "}\n"
    assert formatted(longer).splitlines()[:2] == ["request:", "  key_0: vvvvvvvv"]


def test_long_words_are_folded_and_read_the_same() -> None:
    words = "reason: " + "word " * 40 + "end"
    text = formatted(words + "\n")
    assert text.startswith("reason: >-\n  word word")
    assert parse_yaml(text, path="x").value == parse_yaml(words, path="x").value


def test_comments_in_a_list_in_brackets_break_it_into_lines() -> None:
    text = formatted("a: [x,  # one\n  # two\n  y]  # three\nb: 1\n")
    assert text == "a:  # one\n  - x\n  # two\n  - y  # three\nb: 1\n"
    assert formatted("-\n  # here\n  a: 1\n") == "# here\n- a: 1\n"


@pytest.mark.parametrize(
    "text",
    ["a: |2\n    x\n", "a: |+\n  x\n\n", "? [x]\n: 1\n"],
)
def test_what_has_no_form_is_left_alone_with_a_finding(text: str) -> None:
    with pytest.raises(FindingsError) as caught:
        format_yaml(text, path="x.yaml")
    assert caught.value.findings


def test_what_is_no_yaml_is_a_finding_with_its_place() -> None:
    with pytest.raises(FindingsError) as caught:
        format_yaml("a: [b\n", path="x.yaml")
    assert str(caught.value).startswith("x.yaml:2:1: not YAML")


def test_the_shipped_policies_are_in_their_one_form() -> None:
    for path in sorted(packs_directory().rglob("*.yaml")):
        text = path.read_text("utf-8")
        assert formatted(text) == text, path.name


_SCALARS = st.one_of(
    st.text("ab #:-[]{},'\"\\&*!|>%@`\n\u00e9\u6f22", max_size=12),
    st.sampled_from(["NO", "true", "1", "1.5", "~", "2026-01-01", "word " * 30]),
    st.integers(-1000, 1000),
    st.booleans(),
    st.none(),
)
_TREES = st.recursive(
    _SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=5), st.dictionaries(st.text("abc-", min_size=1), below, max_size=5)
    ),
    max_leaves=20,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Write a value as YAML in some style, with comments and blank lines between its lines."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = draw(st.sampled_from([True, False, None]))
    yaml.width = draw(st.sampled_from([20, 80, 4096]))
    yaml.indent = draw(st.integers(2, 6))
    out = io.StringIO()
    yaml.dump({"top": draw(_TREES)}, out)
    lines = out.getvalue().splitlines()
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines)))
        lines.insert(at, draw(st.sampled_from(["", "# a comment", "    # another: [one]", "  "])))
    return "\n".join(lines) + "\n"


@given(documents())
def test_whatever_is_written_reads_the_same_or_is_left_alone(text: str) -> None:
    try:
        before = parse_yaml(text, path="x.yaml").value
        written = format_yaml(text, path="x.yaml")
    except FindingsError:
        return
    assert parse_yaml(written, path="x.yaml").value == before
    assert comments(written) == comments(text)
    assert format_yaml(written, path="x.yaml") == written


def _size(path: Path) -> int:
    return path.stat().st_size


def test_packs_in_another_form_come_back_to_one() -> None:
    """The property above would hold for a formatter that refuses everything."""
    other = YAML(pure=True)
    other.width = 60
    other.indent(mapping=4, sequence=6, offset=3)
    paths = sorted(packs_directory().rglob("*.yaml"))
    # The shortest: ruamel takes its time. All of them where there is more of that.
    for path in sorted(paths, key=_size)[: 12 if settings().max_examples < 1_000 else None]:
        text = path.read_text("utf-8")
        out = io.StringIO()
        other.dump(other.load(text), out)
        assert out.getvalue() != text
        back = formatted(out.getvalue())
        assert parse_yaml(back, path="x").value == parse_yaml(text, path="x").value
        assert comments(back) == comments(text)
