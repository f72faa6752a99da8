"""Writes a whole answer in one go.

aiohttp's own response builds a multidict, sets defaults into it and writes it out again; an answer
that is at hand in full needs none of that.
"""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time

from gateway.respond import Answer

# How a message ends, and when it was sent, is said here alone (RFC 9112 section 6).
_FRAMING = frozenset({"connection", "content-length", "date", "keep-alive", "transfer-encoding"})
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_BODILESS = frozenset({204, 304})


class Reply(web.StreamResponse):
    """An answer as the listener writes it; `close` ends the connection after it."""

    def __init__(self, answer: Answer, *, close: bool = False) -> None:
        """Keep the answer; its own framing headers are left out."""
        super().__init__(status=answer.status)
        self._answer = answer
        if close:
            self.force_close()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write head and body at once (aiohttp's hook).

        Raises:
            ConnectionResetError: the client went away.
        """
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client went away")
        self._keep_alive = request.keep_alive and self._keep_alive is not False
        transport.write(
            written(self._answer, keep_alive=self._keep_alive, head_only=request.method == "HEAD")
        )
        self._eof_sent = True
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: everything was written (aiohttp's hook)."""


def written(answer: Answer, *, keep_alive: bool, head_only: bool = False) -> bytes:
    """Return the bytes of an answer.

    Raises:
        ValueError: a header holds a line end; nothing is written then.
    """
    bodiless = answer.status in _BODILESS
    lines = [f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, '')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers if name.lower() not in _FRAMING]
    lines.append(f"Date: {rfc822_formatted_time()}")
    # With HEAD and no body at hand nobody knows the length that GET would have had.
    if not bodiless and (answer.body or not head_only):
        lines.append(f"Content-Length: {len(answer.body)}")
    if not keep_alive:
        lines.append("Connection: close")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise ValueError("a header of an answer holds a line end")
    content = b"" if head_only or bodiless else answer.body
    return b"%b\r\n\r\n%b" % (head.encode("latin-1"), content)
