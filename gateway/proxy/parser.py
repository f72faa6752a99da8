"""The parser of the data listener: llhttp as aiohttp builds it, and what its refusals mean."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, InvalidURLError, LineTooLong
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from gateway.core.request import Malformed
from gateway.errors import FacegateError

_LEAST_LINE = len("a:\r\n")


def require_c_parser(parser: type = HttpRequestParser) -> None:
    """Refuse to run on aiohttp's Python parser: the door was examined with llhttp.

    Raises:
        FacegateError: aiohttp was installed without its extensions, or told not to use them.
    """
    if parser is HttpRequestParserPy:
        raise FacegateError(
            "aiohttp's C parser is missing: install a wheel of aiohttp, and unset"
            " `AIOHTTP_NO_EXTENSIONS`"
        )


def make_parser(
    protocol: web.RequestHandler,
    *,
    loop: asyncio.AbstractEventLoop,
    buffer_bytes: int,
    header_bytes: int,
) -> Any:
    """Make a parser that stops behind each complete message and keeps the rest for later."""
    return HttpRequestParser(
        protocol,
        loop,
        buffer_bytes,
        max_line_size=header_bytes,
        max_field_size=header_bytes,
        # No head within its limit has more; the number that is allowed is counted by the listener.
        max_headers=header_bytes // _LEAST_LINE,
        payload_exception=web.RequestPayloadError,
        auto_decompress=False,
        max_msg_queue_size=1,
    )


def fault_of(error: Exception) -> Malformed:
    """Say what the parser found; its own words quote the request and are left."""
    match error:
        case LineTooLong():
            return too_large()
        case BadHttpMethod():
            return Malformed(reason="malformed.method", detail="the bytes begin with no method")
        case InvalidURLError():
            return Malformed(reason="malformed.path", detail="the target cannot be read")
        case _:
            return Malformed(reason="malformed.syntax", detail="the head is not HTTP/1.1")


def too_large() -> Malformed:
    """Return the refusal of a head that is too large."""
    return Malformed(
        reason="malformed.length", detail="the head is larger than the limit", status=431
    )
