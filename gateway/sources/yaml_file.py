"""Files that people write, read from YAML: plain values, places, and every mistake at once.

What the keys mean is the reader's own pydantic model; here stands what all of them share.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.core.policy.values import foreign
from gateway.errors import Finding, FindingsError, words_of
from gateway.sources.yaml_nodes import Node, Place, compose, quoted

Loc = tuple[str | int, ...]

_PLAIN_WANTED: Final = frozenset({"bool_type", "int_type", "float_type"})
_TEXT_WANTED: Final = frozenset({"string_type", "literal_error", "enum"})


@dataclass(frozen=True, slots=True)
class Document:
    """The plain value of a file, and where each part of it stands.

    `value` holds only dict, list, str, int, float, bool, None, date and datetime.
    """

    path: str
    value: object = field(repr=False)
    root: Node = field(repr=False)

    def place(self, loc: Loc) -> Place:
        """Return line and column (from 1) of the value at `loc`, else of its nearest ancestor.

        Parts of `loc` that the file does not have (a union's tag, a missing key) are passed over.
        """
        return self._walk(loc)[0].place

    def key_place(self, loc: Loc) -> Place:
        """Return the place of the key that `loc` ends with, else what `place` returns."""
        node = self._walk(loc[:-1])[0]
        key = loc[-1] if loc else None
        return node.keys[key] if isinstance(key, str) and key in node.keys else self.place(loc)

    def finding(self, loc: Loc, message: str, hint: str = "") -> Finding:
        """Return a finding at the value that `loc` names."""
        line, column = self.place(loc)
        return Finding(path=self.path, line=line, column=column, message=message, hint=hint)

    def name(self, loc: Loc) -> str:
        """Return `loc` in words, e.g. `tenants[3].type`, without what the file does not have."""
        text = ""
        for part in self._walk(loc)[1]:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
        return text

    def _walk(self, loc: Loc) -> tuple[Node, Loc]:
        node, found = self.root, list[str | int]()
        for part in loc:
            child = node.children.get(part)
            if child is not None:
                node = child
                found.append(part)
        return node, tuple(found)


def read_text(path: Path, *, max_bytes: int) -> str:
    """Read a regular file of UTF-8 text, following links.

    Args:
        path: the file; a FIFO or a device is refused without waiting on it.
        max_bytes: the most that is accepted.

    Raises:
        FindingsError: it cannot be read, is too long, is no regular file, or is not UTF-8.
    """
    return text_of(read_bytes(path, max_bytes=max_bytes), path=str(path))


def text_of(content: bytes, *, path: str) -> str:
    """Take the content of a file as UTF-8 text; `path` stands in the findings.

    Raises:
        FindingsError: it is none.
    """
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise FindingsError(
            _whole(path, f"not UTF-8 at byte {error.start}", "save the file as UTF-8")
        ) from None
    if "\0" in text:
        raise FindingsError(_whole(path, "holds a NUL byte"))
    return text


def read_bytes(path: Path, *, max_bytes: int) -> bytes:
    """Read a regular file, following links; a FIFO or a device is refused without waiting on it.

    Raises:
        FindingsError: it cannot be read, is too long, or is no regular file.
    """
    try:
        # O_NONBLOCK: opening a FIFO must not wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FindingsError(_whole(path, "is not a regular file"))
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise FindingsError(_whole(path, f"cannot be read: {words_of(error)}")) from None
    if len(content) > max_bytes:
        raise FindingsError(_whole(path, f"is longer than {max_bytes} bytes"))
    return content


def read_yaml(path: Path, *, max_bytes: int = 4 << 20) -> Document:
    """Read a YAML file.

    Args:
        path: a regular file.
        max_bytes: the most that is accepted.

    Raises:
        FindingsError: the file or its YAML is not acceptable.
    """
    return parse_yaml(read_text(path, max_bytes=max_bytes), path=str(path))


def parse_yaml(text: str, *, path: str) -> Document:
    """Read YAML text; `path` stands in the findings.

    Raises:
        FindingsError: the YAML is not acceptable.
    """
    root = compose(text, path=path)
    return Document(path=path, value=root.value, root=root)


def validation_findings(
    error: ValidationError,
    document: Document,
    *,
    prefix: Loc = (),
    model: type[BaseModel] | None = None,
) -> tuple[Finding, ...]:
    """Translate what pydantic found into findings with places, in file order.

    Args:
        error: from validating the value at `prefix`; values are not repeated in messages, except
            where one of a few words was expected.
        document: the document that the value came from.
        prefix: where in the document the validated value stands.
        model: the model that was validated; with it an unknown key has a hint.
    """
    found = [
        _finding(details, document, prefix=prefix, model=model)
        for details in error.errors(include_url=False)
    ]
    return tuple(sorted(set(found)))


def closest(word: str, words: Iterable[str]) -> str:
    """Return a hint on a word that is none of these: what is odd in it, or which was meant.

    Empty where neither can be told.
    """
    if not word.isascii():
        return foreign(word)
    by_lower = {known.lower(): known for known in sorted(words)}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean {quoted(by_lower[near[0]])}?" if near else ""


def _whole(path: Path | str, message: str, hint: str = "") -> tuple[Finding]:
    return (Finding(path=str(path), line=0, column=0, message=message, hint=hint),)


def _finding(
    details: ErrorDetails, document: Document, *, prefix: Loc, model: type[BaseModel] | None
) -> Finding:
    loc, kind = details["loc"], details["type"]
    whole = (*prefix, *loc)
    last = str(loc[-1]) if loc else ""
    hint = ""
    if kind == "extra_forbidden":
        line, column = document.key_place(whole)
        message = f"unknown key {quoted(last)}"
        hint = closest(last, _keys_at(model, loc[:-1])) if model is not None else foreign(last)
    elif kind == "missing":
        line, column = document.place(whole)
        message = f"key {quoted(last)} is missing"
    else:
        line, column = document.place(whole)
        name = document.name(whole)
        message = (f"`{name}`: " if name else "") + _message(details)
        hint = _hint(details)
    return Finding(path=document.path, line=line, column=column, message=message, hint=hint)


def _message(details: ErrorDetails) -> str:
    """Return pydantic's message in the house's form; it never holds the input."""
    if details["type"] in {"model_type", "dict_type", "model_attributes_type"}:
        return "must be a mapping"
    message = details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return (message[:1].lower() + message[1:]).rstrip(".")


def _hint(details: ErrorDetails) -> str:
    given, kind = details["input"], details["type"]
    if kind in _PLAIN_WANTED and isinstance(given, str):
        return "take the quotes away"
    if kind not in _TEXT_WANTED:
        return ""
    if not isinstance(given, str):
        return "put it in quotes if it is text" if given is not None else ""
    expected = str(details.get("ctx", {}).get("expected", ""))
    return closest(given, (word for word in expected.split("'")[1::2]))


def _keys_at(model: type[BaseModel], loc: Loc) -> set[str]:
    """Return the keys that the models at `loc` accept."""
    here = _models_in(model)
    for part in loc:
        if isinstance(part, int):
            continue
        below = {
            found
            for one in here
            for name, info in one.model_fields.items()
            if part in {name, info.alias}
            for found in _models_in(info.annotation)
        }
        # A union's tag or a free key of a mapping names no field: the models stay the same.
        here = below or here
    return {info.alias or name for one in here for name, info in one.model_fields.items()}


def _models_in(annotation: object) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {found for part in get_args(annotation) for found in _models_in(part)}
