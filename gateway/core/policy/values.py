"""What may be written as a member of an attribute, so that a rule that can never match is found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Final

import msgspec

from gateway.core.policy.attributes import CLOSED, PLACELESS
from gateway.core.policy.countries import MISTAKEN, is_place

_MEMBER_CHARACTERS: Final = 256
_QUOTED_CHARACTERS: Final = 64
_PROBE: Final = re.compile(r"none|unknown|sha256:[0-9a-f]{64}")


class Mistake(msgspec.Struct, frozen=True):
    """What is wrong with a value, and what to do about it."""

    message: str
    hint: str = ""


def quoted(text: str) -> str:
    """Return foreign text in backticks: bounded, and printable."""
    short = text if len(text) <= _QUOTED_CHARACTERS else text[: _QUOTED_CHARACTERS - 1] + "…"
    return f"`{''.join(character if character.isprintable() else '?' for character in short)}`"


def closest(word: str, words: tuple[str, ...]) -> str:
    """Return a hint on a word that is none of these: what is odd in it, or which was meant.

    Empty where neither can be told.
    """
    if not word.isascii():
        return foreign(word)
    near = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    return f"did you mean {quoted(near[0])}?" if near else ""


def foreign(text: str) -> str:
    """Return a hint that names the first character outside ASCII; empty where there is none.

    Letters of other alphabets look like Latin ones: `deny` with a Cyrillic letter in it is no word.
    """
    odd = next((character for character in text if not character.isascii()), "")
    if not odd:
        return ""
    return f"it holds U+{ord(odd):04X} {unicodedata.name(odd, 'without a name')}: type it anew"


def check_member(attribute: str, value: object) -> Mistake | None:
    """Tell what is wrong with a written member; None where it can occur in facts."""
    if not isinstance(value, str):
        return Mistake(f"a value of `{attribute}` must be text", "put it in quotes if it is text")
    if attribute in CLOSED:
        words = CLOSED[attribute]
        if value in words:
            return None
        hint = closest(value, words) or f"one of {', '.join(words)}"
        return Mistake(f"{quoted(value)} is no value of `{attribute}`", hint)
    if attribute == "destination":
        return _check_destination(value)
    if attribute == "probe":
        return _check_probe(value)
    return _check_free(attribute, value)


def _check_free(attribute: str, value: str) -> Mistake | None:
    if value != value.strip() or not value.isprintable() or not value:
        return Mistake(
            f"{quoted(value)} is no value of `{attribute}`", "printable, no space at its ends"
        )
    if not value.isascii():
        # Nothing that a rule may name holds any: ids, tags and uses are ASCII in the tenant file.
        return Mistake(f"{quoted(value)} is no value of `{attribute}`", foreign(value))
    if len(value) > _MEMBER_CHARACTERS:
        return Mistake(f"a value of `{attribute}` is longer than {_MEMBER_CHARACTERS} characters")
    return None


def _check_probe(value: str) -> Mistake | None:
    if _PROBE.fullmatch(value):
        return None
    hint = "`sha256:` and the 64 hex digits, in lower case, of the image; `none` or `unknown`"
    return Mistake(f"{quoted(value)} is no value of `probe`", hint)


def check_budget(attribute: str, value: object, budgets: Collection[str] | None) -> Mistake | None:
    """Tell what is wrong with a member of `over`: a budget that there is, or `none`.

    `budgets` are the ids of all of them; None where they are not all known.
    """
    if attribute != "over" or budgets is None or value == "none" or value in budgets:
        return None
    hint = closest(str(value), tuple(sorted(budgets))) or "define it in a file of kind Budgets"
    return Mistake(f"unknown budget {quoted(str(value))}", hint)


def _check_destination(value: str) -> Mistake | None:
    if value in PLACELESS or is_place(value):
        return None
    upper = value.upper()
    if is_place(MISTAKEN.get(upper, upper)):
        hint = f"did you mean {quoted(MISTAKEN.get(upper, upper))}?"
    else:
        hint = closest(value, PLACELESS) or (
            "an ISO 3166 code like `GB` or `UA-43`, `group:name`, or one of "
            + ", ".join(f"`{word}`" for word in PLACELESS)
        )
    return Mistake(f"{quoted(value)} is no destination", hint)


def repeated(items: Sequence[object]) -> list[int]:
    """Return the indices of texts that stand earlier in the list already."""
    seen = set[str]()
    found = list[int]()
    for index, item in enumerate(items):
        if isinstance(item, str):
            if item in seen:
                found.append(index)
            seen.add(item)
    return found
