"""Reads a request target in one way, or says why it has several.

RFC 3986 lets `%61`, `a`, `./a` and `b/../a` name one thing, and servers disagree on which of them
they undo. So nothing is normalised here: a target is in canonical form or it is refused, and what
is judged goes upstream character by character.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import msgspec

from gateway.core.request import Malformed

# RFC 3986 `pchar` without `%`, and without `;`, which some servers cut segments and queries at.
_PCHAR = r"A-Za-z0-9\-._~!$&'()*+,=:@"
_PATH = re.compile(rf"/|(?:/(?!\.\.?(?:/|\Z))[{_PCHAR}%]+)+/?")
_QUERY = re.compile(rf"(?:[{_PCHAR}/?]|%[0-9A-Fa-f]{{2}})+")
_ESCAPE = re.compile(r"%([0-9A-F]{2})?")
# Escapes of unreserved characters (RFC 3986 section 2.3): never needed, so never in a clean name.
_NEEDLESS = re.compile(
    r"%(?:2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])", flags=re.IGNORECASE
)
# What an escape in a path may not stand for: unreserved characters have one spelling; `/`, `\`,
# `;` and `:` (custom verbs, `images:annotate`) change the reading where a server undoes them; `%`
# begins a second round of decoding; controls end strings and lines.
_HIDDEN = frozenset(
    f"{octet:02X}"
    for octet in range(256)
    if chr(octet) in "-._~/\\;:%" or (chr(octet).isascii() and chr(octet).isalnum())
) | frozenset(f"{octet:02X}" for octet in (*range(0x20), 0x7F))

# Why a path that does not match is not canonical, for the operator; the first that is found.
_PATH_FAULTS = (
    (re.compile(r"(?!/)"), "the target is not in origin form"),
    (re.compile(r".*//", re.DOTALL), "the path has an empty segment"),
    (re.compile(r".*/\.\.?(?:/|\Z)", re.DOTALL), "the path has a dot segment"),
    (re.compile(r".*;", re.DOTALL), "the path has a path parameter"),
    (re.compile(r".*#", re.DOTALL), "the target has a fragment"),
)


class Target(msgspec.Struct, frozen=True):
    """A request target in canonical form; `query` holds the decoded parameters in order."""

    path: str
    query_string: str
    query: tuple[tuple[str, str], ...]


_ROOT = Target("/", "", ())


def read_target(target: str, once: frozenset[str]) -> Target | Malformed:
    """Read the target of a request line.

    Args:
        target: the characters between method and version.
        once: lower-case names of the parameters that may occur only once, in any letter case.
    """
    if target == "/":
        return _ROOT
    path, mark, query_string = target.partition("?")
    if not _PATH.fullmatch(path):
        return _path_fault(path)
    if "%" in path and (fault := _escape_fault(path)):
        return fault
    if not mark:
        return Target(path, "", ())
    query = _read_query(query_string, once)
    return query if isinstance(query, Malformed) else Target(path, query_string, query)


def _path_fault(path: str) -> Malformed:
    for pattern, detail in _PATH_FAULTS:
        if pattern.match(path):
            return Malformed(reason="malformed.path", detail=detail)
    return Malformed(
        reason="malformed.path", detail="the path has a character that must be percent-encoded"
    )


def _escape_fault(path: str) -> Malformed | None:
    for escape in _ESCAPE.finditer(path):
        octet = escape[1]
        if octet is None:
            return Malformed(
                reason="malformed.path", detail="a percent sign without two upper-case hex digits"
            )
        if octet in _HIDDEN:
            return Malformed(
                reason="malformed.path",
                detail="the path hides a character behind a percent-encoding",
            )
    if _decoded(path) is None:
        return Malformed(
            reason="malformed.path", detail="the percent-encoding of the path is not UTF-8"
        )
    return None


def _read_query(raw: str, once: frozenset[str]) -> tuple[tuple[str, str], ...] | Malformed:
    if not _QUERY.fullmatch(raw):
        return Malformed(
            reason="malformed.query",
            detail="the query is empty, or has a character that must be percent-encoded",
        )
    query: list[tuple[str, str]] = []
    seen: set[str] = set()
    for part in raw.split("&"):
        if not part:
            continue
        pair = _read_pair(part)
        if isinstance(pair, Malformed):
            return pair
        name = pair[0].casefold()
        if name in seen and name in once:
            return Malformed(
                reason="malformed.duplicate", detail="a parameter that decides occurs twice"
            )
        seen.add(name)
        query.append(pair)
    return tuple(query)


def _read_pair(part: str) -> tuple[str, str] | Malformed:
    raw_name, _, raw_value = part.partition("=")
    if "%" in raw_name and _NEEDLESS.search(raw_name):
        return Malformed(
            reason="malformed.query",
            detail="a parameter's name hides a character behind a percent-encoding",
        )
    name, value = _decoded(raw_name, plus=" "), _decoded(raw_value, plus=" ")
    if name is None or value is None or "\0" in name or "\0" in value:
        return Malformed(
            reason="malformed.query", detail="a parameter is not UTF-8, or contains NUL"
        )
    return name, value


def _decoded(text: str, *, plus: str = "+") -> str | None:
    """Undo one round of percent-encoding; None where the outcome is not UTF-8."""
    if "+" in text:
        text = text.replace("+", plus)
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        return None
