"""Writes a whole answer in one go.

aiohttp's own response builds a multidict, sets defaults into it and writes it out again; an answer
that is at hand in full needs none of that.
"""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus

import msgspec
from aiohttp.helpers import rfc822_formatted_time

from gateway.respond import Answer

# How a message ends, and when it was sent, is said here alone (RFC 9112 section 6).
_FRAMING = frozenset({"connection", "content-length", "date", "keep-alive", "transfer-encoding"})
_STATUS_LINES = {each.value: f"HTTP/1.1 {each.value} {each.phrase}" for each in HTTPStatus}
_BODILESS = frozenset({204, 304})


class Reply(msgspec.Struct, frozen=True):
    """An answer that is at hand in full; `close` ends the connection after it."""

    answer: Answer
    close: bool = False


def written(answer: Answer, *, keep_alive: bool, head_only: bool = False) -> bytes:
    """Return the bytes of an answer.

    Raises:
        ValueError: a header holds a line end; nothing is written then.
    """
    status, body = answer.status, answer.body
    bodiless = status in _BODILESS
    headers = answer.headers
    if _any_frames(tuple(dict(headers))):
        headers = tuple([header for header in headers if header[0].lower() not in _FRAMING])
    lines = [_STATUS_LINES.get(status) or f"HTTP/1.1 {status} "]
    lines += map(": ".join, headers)
    lines.append(f"Date: {rfc822_formatted_time()}")
    # With HEAD and no body at hand nobody knows the length that GET would have had.
    if not bodiless and (body or not head_only):
        lines.append(f"Content-Length: {len(body)}")
    if not keep_alive:
        lines.append("Connection: close")
    lines += ("", "")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise ValueError("a header of an answer holds a line end")
    content = head.encode("latin-1")
    return content if head_only or bodiless else content + body


@lru_cache(maxsize=256)  # of the names in allow-lists and in refusals
def _any_frames(names: tuple[str, ...]) -> bool:
    """Tell whether any of these headers is the listener's alone to write."""
    return not _FRAMING.isdisjoint([name.lower() for name in names])
