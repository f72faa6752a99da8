"""The one form of a YAML file that people share: `facegate format`.

What a file means stays, and so does every comment; what changes is white space, and where lists and
mappings are broken into lines. A collection that was written on one line stays on one where it
fits. The result is read again and compared before it is taken: what would change is left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from gateway.errors import Finding, FindingsError
from gateway.sources.yaml_file import parse_yaml
from gateway.sources.yaml_nodes import fast_events, is_read_alike
from gateway.sources.yaml_strict import strict_events

_WIDTH: Final = 100
_STEP: Final = 2
_ROUNDS: Final = 4  # what a comment broke into lines may have to be broken once more
_COMMENT: Final = re.compile(r"(?:^|(?<=[ \t]))#[^\n]*", re.MULTILINE)
_OPENING: Final = re.compile(r"\A\ufeff?([ \t]*\n)*")
_HEADER: Final = re.compile(r"[|>][-+]?(?=[ \t]*(#|$))")


@dataclass(slots=True, kw_only=True)
class _Value:
    """A value as it stands in the source.

    Attributes:
        first: line of its first character, from 0.
        last: line of its last character.
        anchor: `&name`, or empty.
        text: of a scalar or alias, as it is written on one line; of a block scalar, its header.
        block: lines of a block scalar, without their indentation.
        keys: of a mapping, beside `items`.
        items: of a collection.
        flow: whether a collection was written with brackets.
    """

    first: int
    last: int = 0
    anchor: str = ""
    text: str | None = None
    block: tuple[str, ...] = ()
    keys: list[str] | None = None
    items: list[_Value] = field(default_factory=list["_Value"])
    flow: bool = False


def format_yaml(text: str, *, path: str) -> str:
    """Return the file in its one form; formatting that again changes nothing.

    Args:
        text: what stands in the file.
        path: stands in the findings.

    Raises:
        FindingsError: the text is not acceptable YAML, or holds something that has no form here.
    """
    value = parse_yaml(text, path=path).value  # its mistakes come first, with their places
    written = _OPENING.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).rstrip() + "\n"
    said: list[str] | None = None
    unformed = Finding(
        path=path,
        line=0,
        column=0,
        message="has no one form: something that it says would be lost",
        hint="give comments lines of their own, and block scalars no number",
    )
    before = ""
    for _ in range(_ROUNDS):
        before = written
        try:
            written = "\n".join(_Writer(before).document()) + "\n"
            if written == before:
                return written
            said = comments(before) if said is None else said
            same = parse_yaml(written, path=path).value == value and comments(written) == said
        except (FindingsError, _NoFormError):
            raise FindingsError((unformed,)) from None
        if not same:
            raise FindingsError((unformed,))
    raise FindingsError((unformed,))


def comments(text: str) -> list[str]:
    """Return every comment of acceptable YAML, in the order of the file."""
    return [comment.text for comment in _comments(text, _events(text))]


class _NoFormError(Exception):
    """Something that the writer cannot carry over."""


@dataclass(frozen=True, slots=True)
class _Comment:
    line: int
    text: str
    alone: bool


def _events(text: str) -> list[Event]:
    """Parse acceptable YAML, by the fast parser where that reads it."""
    if is_read_alike(text):
        with suppress(yaml.YAMLError):
            return list(fast_events(text))
    return list(strict_events(text))


def _marks(event: Event) -> tuple[Any, Any]:
    """Return where an event starts and ends.

    Raises:
        _NoFormError: the parser did not say so.
    """
    if event.start_mark is None or event.end_mark is None:
        raise _NoFormError
    return event.start_mark, event.end_mark


def _comments(text: str, events: Sequence[Event]) -> list[_Comment]:
    """Find the comments: whatever looks like one and stands in no scalar."""
    inside = set[int]()
    for event in events:
        if isinstance(event, ScalarEvent):
            start, end = (mark.index for mark in _marks(event))
            if event.style in {"|", ">"}:
                start = text.index("\n", start)  # a comment may follow the header
            inside.update(range(start, end))
    found = list[_Comment]()
    for match in _COMMENT.finditer(text):
        if match.start() not in inside:
            begin = text.rfind("\n", 0, match.start()) + 1
            alone = not text[begin : match.start()].strip()
            found.append(_Comment(text.count("\n", 0, begin), match.group().rstrip(), alone))
    return found


class _Reader:
    """Builds values from the parser's events; lives for one text."""

    def __init__(self, text: str, events: Sequence[Event]) -> None:
        self._text = text
        self._events = iter(events)

    def root(self) -> _Value | None:
        """Return the document's value; None where there is none."""
        for event in self._events:
            if isinstance(event, NodeEvent):
                return self._value(event)
        return None

    def _value(self, event: Event) -> _Value:
        value = _Value(first=_marks(event)[0].line)
        if isinstance(event, AliasEvent):
            value.text = f"*{event.anchor}"
            value.last = _marks(event)[1].line
            return value
        anchor = getattr(event, "anchor", None)
        value.anchor = f"&{anchor}" if anchor is not None else ""
        if isinstance(event, ScalarEvent):
            self._scalar(value, event)
        else:
            self._collection(value, event)
        return value

    def _scalar(self, value: _Value, event: ScalarEvent) -> None:
        start, end = (mark.index for mark in _marks(event))
        if event.style in {"|", ">"}:
            self._block(value, start, end)
            return
        value.last = _marks(event)[1].line
        written = self._text[start:end]
        if event.anchor is not None:
            written = written.partition(f"&{event.anchor}")[2].lstrip()
        if "\n" in written:
            plain = not event.style
            written = event.value if plain else json.dumps(event.value, ensure_ascii=False)
        value.text = written

    def _block(self, value: _Value, start: int, end: int) -> None:
        line = self._text.index("\n", start)
        header = self._text[start:line]
        match = _HEADER.search(header)
        if match is None:
            raise _NoFormError
        lines = self._text[line + 1 : end].split("\n")
        while lines and not lines[-1].strip():
            lines.pop()
        indents = [len(one) - len(one.lstrip(" ")) for one in lines if one.strip()]
        if not indents or match.group().endswith("+"):
            raise _NoFormError
        value.text = match.group()
        value.block = tuple(one[min(indents) :].rstrip() if one.strip() else "" for one in lines)
        value.last = self._text.count("\n", 0, start) + len(lines)

    def _collection(self, value: _Value, event: Event) -> None:
        if not isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            raise _NoFormError
        value.flow = bool(event.flow_style)
        value.keys = [] if isinstance(event, MappingStartEvent) else None
        for each in self._events:
            if isinstance(each, CollectionEndEvent):
                # That of a block stands where the next value begins.
                last = value.items[-1].last if value.items else value.first
                value.last = _marks(each)[1].line if value.flow else last
                break
            item = self._value(each)
            if value.keys is not None:
                if item.text is None or item.block:
                    raise _NoFormError
                key, item = item, self._value(next(self._events))
                value.keys.append(key.text or "")
                # The line of the key is where its comments stand above.
                item.first = key.first
            value.items.append(item)


class _Writer:
    """Writes one document; lives for one text."""

    def __init__(self, text: str) -> None:
        events = _events(text)
        self._root = _Reader(text, events).root()
        found = _comments(text, events)
        self._above = [comment for comment in found if comment.alone]
        self._behind = {comment.line: comment.text for comment in found if not comment.alone}
        lines = text.split("\n")
        self._blank = {number for number, line in enumerate(lines) if not line.strip()}
        self._commented = {comment.line for comment in found}
        self._end_line = len(lines) - 1
        self._lines: list[str] = []
        self._told = -1  # the last line of the source that was written

    def document(self) -> list[str]:
        """Return the lines."""
        root = self._root
        if root is not None and root.items and not root.flow:
            self._items(root, 0)
        elif root is not None:
            self._lead(root.first, 0)
            self._put("", root, 0)
        self._lead(self._end_line, 0)
        return self._lines

    def _lead(self, line: int, indent: int) -> None:
        """Write the comments that stand above a line, and the blank lines between, one each."""
        while self._above and self._above[0].line < line:
            comment = self._above.pop(0)
            self._space(comment.line)
            self._lines.append(" " * indent + comment.text)
            self._told = comment.line
        self._space(line)

    def _space(self, line: int) -> None:
        if self._lines and line - 1 in self._blank and self._told < line - 1 and self._lines[-1]:
            self._lines.append("")

    def _items(self, value: _Value, indent: int) -> None:
        """Write a collection in block form."""
        for number, item in enumerate(value.items):
            self._lead(item.first, indent)
            if value.keys is not None:
                self._put(f"{' ' * indent}{value.keys[number]}:", item, indent)
            else:
                self._put(f"{' ' * indent}-", item, indent)

    def _put(self, head: str, value: _Value, indent: int) -> None:
        """Write a value behind its key or dash."""
        lead = f"{head} {value.anchor}".strip() if value.anchor else head
        lead = " " * (len(head) - len(head.lstrip())) + lead.lstrip()
        line = _one_line(value) if not self._has_comments(value) else None
        if value.text is not None and value.block:
            self._end(f"{lead} {value.text}", value.first)
            self._lines += [" " * (indent + _STEP) + each if each else "" for each in value.block]
        elif line is not None and len(lead) + 1 + len(line) <= _WIDTH:
            self._end(f"{lead} {line}" if lead and line else lead or line, value.last)
        elif value.text is not None:
            self._long(lead, value, indent)
        else:
            self._broken(lead, value, indent, line)
        self._told = max(self._told, value.last)

    def _has_comments(self, value: _Value) -> bool:
        """Tell whether comments stand inside a collection in brackets."""
        return value.text is None and any(
            line in self._commented
            for line in range(value.first, value.last + 1)
            if line != value.last or self._is_above(line)
        )

    def _is_above(self, line: int) -> bool:
        return any(comment.line == line for comment in self._above)

    def _end(self, line: str, source_line: int) -> None:
        """Write a line, with the comment that stood behind it in the source."""
        comment = self._behind.pop(source_line, "")
        self._lines.append(f"{line}  {comment}" if comment else line)

    def _long(self, lead: str, value: _Value, indent: int) -> None:
        """Write a scalar that is too long for its line: plain text is folded."""
        text = value.text or ""
        words = text.split(" ")
        if not _is_plain(text) or "" in words or not lead:
            self._end(f"{lead} {text}".lstrip(), value.last)
            return
        self._end(f"{lead} >-", value.last)
        self._lines += _filled(words, indent + _STEP, " ")

    def _broken(self, lead: str, value: _Value, indent: int, line: str | None) -> None:
        """Write a collection that does not stand on the line of its key."""
        inner = indent + _STEP
        if line is not None and value.keys is not None and inner + len(line) <= _WIDTH and lead:
            self._end(lead, value.last)
            self._lines.append(" " * inner + line)
        elif line is not None and value.keys is None and all(_is_short(one) for one in value.items):
            self._lines.append(f"{lead} [")
            parts = [f"{one.text}," for one in value.items]
            self._lines += _filled(parts, inner, " ")
            self._end(" " * indent + "]", value.last)
        elif lead.endswith("-"):
            self._nested(lead, value, indent)
        else:
            self._end(lead, value.first)
            self._items(value, inner)

    def _nested(self, lead: str, value: _Value, indent: int) -> None:
        """Write a collection whose first item stands on the line of a dash.

        Raises:
            _NoFormError: a comment stands between the two.
        """
        begin = len(self._lines)
        told, self._told = self._told, value.first
        self._items(value, indent + _STEP)
        self._told = max(told, self._told)
        first = self._lines[begin]
        if first.lstrip().startswith("#"):
            raise _NoFormError
        self._lines[begin] = f"{lead} {first.lstrip()}"


def _is_plain(text: str) -> bool:
    return text[:1] not in {'"', "'", "*", "&", "[", "{"}


def _is_short(value: _Value) -> bool:
    return value.text is not None and not value.block and len(value.text) <= _WIDTH // 2


def _one_line(value: _Value) -> str | None:
    """Return a value on one line; None where it was not written so, or cannot be."""
    if value.block:
        return None
    if value.text is not None:
        return value.text
    if not value.flow and value.items:
        return None
    parts = list[str]()
    for number, item in enumerate(value.items):
        part = _one_line(item)
        if part is None:
            return None
        anchored = f"{item.anchor} {part}" if item.anchor else part
        parts.append(f"{value.keys[number]}: {anchored}" if value.keys is not None else anchored)
    return ("{%s}" if value.keys is not None else "[%s]") % ", ".join(parts)


def _filled(parts: Sequence[str], indent: int, between: str) -> list[str]:
    """Fill lines with parts."""
    lines = [""]
    for part in parts:
        if lines[-1] and indent + len(lines[-1]) + len(between) + len(part) > _WIDTH:
            lines.append("")
        lines[-1] += f"{between}{part}" if lines[-1] else part
    return [" " * indent + line for line in lines]
