"""libyaml, written for YAML 1.1, reads what we accept as ruamel's parser of YAML 1.2 does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import event, example, given, strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from gateway.errors import FindingsError
from gateway.sources.packs import packs_directory
from gateway.sources.yaml_nodes import Node, compose

SHIPPED = sorted(packs_directory().glob("*.yaml"))
PIECES = [
    *" \n:-?,[]{}#&*|>'\"%@`~ab01./<=é😀",
    *("\n  ", "\n- ", "\n  - ", ": ", "a: ", "\nb: ", "---\n", "...\n", "\r\n", "\r"),
    *("&x ", "*x", "[a, b]", "{c: d}", "'e f'", '"g\\n"', "|\n  h\n", ">-\n  i\n", "\\/", "# j\n"),
]


class _AliasError(Exception):
    pass


def leaves(node: Node) -> list[tuple[object, tuple[int, int]]]:
    """Return keys and scalars in the order of the text, with their places."""
    found = list[tuple[object, tuple[int, int]]]()
    for key, child in node.children.items():
        if isinstance(key, str):
            found.append((key, node.keys[key]))
        found += leaves(child)
    return found if isinstance(node.value, dict | list) else [(node.value, node.place)]


def read_by_ruamel(text: str) -> Sequence[tuple[str, tuple[int, int]]] | None:
    """Return the scalars that ruamel's parser finds, with their places; None where it refuses.

    Raises:
        _AliasError: there is an alias, which stands for what stood elsewhere.
    """
    found = list[tuple[str, tuple[int, int]]]()
    try:
        for one in YAML(typ="safe", pure=True).parse(text):
            if isinstance(one, AliasEvent):
                raise _AliasError
            if isinstance(one, ScalarEvent):
                found.append((one.value, (one.start_mark.line + 1, one.start_mark.column + 1)))
    except (YAMLError, ValueError):
        return None
    return found


def shape_by_ruamel(text: str) -> str:
    """Return the brackets of a text."""
    shape = ""
    for one in YAML(typ="safe", pure=True).parse(text):
        if isinstance(one, MappingStartEvent | SequenceStartEvent):
            shape += "{" if isinstance(one, MappingStartEvent) else "["
        elif isinstance(one, CollectionEndEvent):
            shape += ")"
        elif isinstance(one, ScalarEvent):
            shape += "."
        elif isinstance(one, DocumentStartEvent):
            shape += "-"
    return shape


def shape(node: Node) -> str:
    if isinstance(node.value, list):
        return "[" + "".join(shape(child) for child in node.children.values()) + ")"
    if isinstance(node.value, dict):
        return "{" + "".join("." + shape(child) for child in node.children.values()) + ")"
    return "."


def agree(text: str) -> bool:
    """Tell whether both read the text, and see to it that they read the same."""
    try:
        node = compose(text, path="x.yaml")
        expected = read_by_ruamel(text)
    except (FindingsError, _AliasError):
        return False
    if expected is None or not shape_by_ruamel(text):
        return False
    written = {
        (str(value), place) for value, place in leaves(node) if value and isinstance(value, str)
    }
    assert written <= {(value, place) for value, place in expected if value}, text
    assert shape_by_ruamel(text) == "-" + shape(node), text
    return True


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_packs_are_read_alike(path: Path) -> None:
    assert agree(path.read_text())


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("a: [b, 'c']\nd:\n  - e: >-\n      f\n      g\n  - |\n    h\n")
def test_what_both_accept_they_read_alike(text: str) -> None:
    event("read" if agree(text) else "refused")
