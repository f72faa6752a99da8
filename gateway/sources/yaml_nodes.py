"""YAML text to plain values with their places: YAML 1.2 core schema, read strictly.

Composed here from a parser's events, so that nothing of anybody's types, of tags or of YAML 1.1
can come through: `NO` is Norway, `on` is text, `012` is refused. Dates and times are the one
addition to the core schema (yaml.org/spec/1.2.2, section 10.3).

libyaml's parser reads first, twenty-five times as fast as ruamel's; it was written for YAML 1.1.
Whatever is odd to it, or to us in what it found, is read again by ruamel's, written for 1.2, and
that reading counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Final, NoReturn

import msgspec
import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from gateway.errors import Finding, FindingsError

Scalar = str | int | float | bool | date | datetime | None
Place = tuple[int, int]

_DEPTH: Final = 64
_ALIASES: Final = 64
_ALIASED_NODES: Final = 10_000  # what aliases may add: a file of a few KB must stay a few KB
_QUOTED: Final = 64
# Line breaks of YAML 1.1 alone, a mark of the byte order, and the tab, which has its places.
_TWO_WAYS: Final = re.compile("[\x85\u2028\u2029\ufeff\t]")

_VALUES: Final = (ScalarEvent, CollectionStartEvent)
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMERIC: Final = re.compile(
    r"[-+]?(\.?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?"
    r"|0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+)"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
    re.ASCII,
)
_NUMERIC_STARTS: Final = frozenset("+-.0123456789")
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
_FLOAT: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[-+][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A value with the places of everything in it.

    Attributes:
        value: the plain value: dict, list, str, int, float, bool, None, date or datetime.
        place: line and column of its first character, from 1.
        keys: places of a mapping's keys; empty elsewhere.
        children: nodes below, by key or by index.
        weight: number of values in it, aliases written out.
    """

    value: object
    place: Place
    keys: dict[str, Place] = {}
    children: dict[str | int, Node] = {}
    weight: int = 1

    def __repr__(self) -> str:
        """Show nothing of a file, which may hold secrets."""
        return f"Node(place={self.place})"


def quoted(text: str) -> str:
    """Return foreign text in backticks: bounded, control characters escaped."""
    short = text if len(text) <= _QUOTED else text[: _QUOTED - 1] + "…"
    return (
        f"`{short.encode('unicode_escape').decode('ascii') if not short.isprintable() else short}`"
    )


def compose(text: str, *, path: str) -> Node:
    """Read one YAML document.

    Args:
        text: the file's text.
        path: stands in the findings.

    Raises:
        FindingsError: the text is not one acceptable document; every mistake that was reached.
    """
    return _read_fast(text) or _read(text, path)


def _read_fast(text: str) -> Node | None:
    """Read by libyaml; None where anything is odd, or could be read in two ways."""
    if not is_read_alike(text):
        return None
    composer = _Composer("")
    try:
        node = composer.document(fast_events(text))
    except (yaml.YAMLError, ValueError, RecursionError, _StoppedError):
        return None
    return None if composer.findings else node


def is_read_alike(text: str) -> bool:
    """Tell whether nothing in a text is known to mean something else in YAML 1.1."""
    return _TWO_WAYS.search(text) is None


def fast_events(text: str) -> Iterator[Event]:
    """Parse by libyaml a text that is read alike.

    Yields:
        the events of the text.

    Raises:
        yaml.YAMLError: it is not YAML to libyaml.
    """
    parser = CParser(text)
    while (event := parser.get_event()) is not None:
        yield event


def _read(text: str, path: str) -> Node:
    """Read by ruamel.

    Raises:
        FindingsError: the text is not one acceptable document.
    """
    # Few texts come here, and it takes a twentieth of a second to load.
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    from gateway.sources.yaml_strict import strict_events

    composer = _Composer(path)
    try:
        node = composer.document(strict_events(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        composer.add(place, f"not YAML: {_words(error.context, error.problem)}")
    except (YAMLError, ValueError, RecursionError) as error:
        composer.add((1, 1), f"not YAML: {type(error).__name__}")
    except _StoppedError:
        pass
    else:
        if not composer.findings:
            return node
    raise FindingsError(tuple(sorted(composer.findings)))


def _words(*said: object) -> str:
    """Return the parser's problem without the lines of the file that it would show."""
    parts = [str(part).strip() for part in said if part]
    words = ", ".join(parts).splitlines()
    return words[0].rstrip(".") if words else "not readable"


class _StoppedError(Exception):
    """Reading cannot go on; the finding that says why is already kept."""


class _Composer:
    """Builds nodes from events; lives for one text."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.findings: list[Finding] = []
        self._anchors: dict[str, Node] = {}
        self._aliases = 0
        self._aliased = 0

    def add(self, place: Place, message: str, hint: str = "") -> None:
        """Keep a finding and go on."""
        line, column = place
        self.findings.append(
            Finding(path=self.path, line=line, column=column, message=message, hint=hint)
        )

    def document(self, events: Iterator[Event]) -> Node:
        """Read the only document of the stream; an empty stream is null."""
        root: Node | None = None
        for event in events:
            if isinstance(event, DocumentStartEvent):
                self._start_document(event, first=root is None)
                root = self._node(next(events), events, depth=0)
        return root or Node(value=None, place=(1, 1))

    def _start_document(self, event: DocumentStartEvent, *, first: bool) -> None:
        place = _place(event)
        if event.version not in {None, (1, 2)} or event.tags:
            self._stop(place, "directives are not accepted", "the file is read as YAML 1.2")
        if not first:
            self._stop(place, "a second document stands in this file", "one document a file")

    def _stop(self, place: Place, message: str, hint: str = "") -> NoReturn:
        self.add(place, message, hint)
        raise _StoppedError

    def _node(self, event: Event, events: Iterator[Event], *, depth: int) -> Node:
        place = _place(event)
        if isinstance(event, AliasEvent):
            return self._alias(event, place)
        if not isinstance(event, _VALUES):
            self._stop(place, "not YAML: a value is missing")
        if event.tag is not None:
            self.add(place, "tags are not accepted", "write the plain value")
        if depth > _DEPTH:
            self._stop(place, f"nested deeper than {_DEPTH} levels")
        if isinstance(event, ScalarEvent):
            node = Node(value=self._scalar(event, place), place=place)
        elif isinstance(event, MappingStartEvent):
            node = self._mapping(events, place, depth=depth)
        else:
            node = self._sequence(events, place, depth=depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: AliasEvent, place: Place) -> Node:
        anchor = event.anchor or ""
        node = self._anchors.get(anchor)
        if node is None:
            self._stop(place, f"alias {quoted(anchor)} names no finished anchor before it")
        self._aliases += 1
        self._aliased += node.weight
        if self._aliases > _ALIASES or self._aliased > _ALIASED_NODES:
            self._stop(place, "too many aliases", f"at most {_ALIASES} in a file")
        return node

    def _sequence(self, events: Iterator[Event], place: Place, *, depth: int) -> Node:
        nodes: list[Node] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            nodes.append(self._node(event, events, depth=depth + 1))
        return Node(
            value=[node.value for node in nodes],
            place=place,
            children=dict(enumerate(nodes)),
            weight=1 + sum(node.weight for node in nodes),
        )

    def _mapping(self, events: Iterator[Event], place: Place, *, depth: int) -> Node:
        keys: dict[str, Place] = {}
        children: dict[str | int, Node] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(self._node(event, events, depth=depth + 1), event, keys)
            child = self._node(next(events), events, depth=depth + 1)
            if key is not None:
                keys[key] = _place(event)
                children[key] = child
        return Node(
            value={key: child.value for key, child in children.items() if isinstance(key, str)},
            place=place,
            keys=keys,
            children=children,
            weight=1 + sum(1 + child.weight for child in children.values()),
        )

    def _key(self, node: Node, event: Event, keys: dict[str, Place]) -> str | None:
        key, place = node.value, _place(event)
        if key == "<<" and not getattr(event, "style", None):
            self.add(place, "merge keys are not accepted", "repeat the keys")
            return None
        if not isinstance(key, str):
            self.add(place, "a key must be text", "put it in quotes")
            return None
        if key in keys:
            self.add(place, f"key {quoted(key)} stands twice", f"first in line {keys[key][0]}")
            return None
        return key

    def _scalar(self, event: ScalarEvent, place: Place) -> Scalar:
        text: str = event.value
        if event.style:
            return text
        try:
            return _plain(text)
        except ValueError:
            # The text is not repeated: it may be a secret that happens to be digits.
            self.add(place, "not a plain number or date", "quote it if it is text")
            return text


def _plain(text: str) -> Scalar:
    """Read an unquoted scalar.

    Raises:
        ValueError: it looks like a number or a date and is not in its one accepted form.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_STARTS:
        return text
    return _numeric(text)


def _numeric(text: str) -> Scalar:
    """Read what begins like a number or a date.

    Raises:
        ValueError: as above.
    """
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DATE.fullmatch(text):
        return date.fromisoformat(text)
    if _TIME.fullmatch(text):
        return datetime.fromisoformat(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NUMERIC.fullmatch(text):
        raise ValueError(text)
    return text


def _place(event: Event) -> Place:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
