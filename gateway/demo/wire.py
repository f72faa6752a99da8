"""One HTTP/1.1 exchange over a fresh loopback connection, byte for byte as it was given.

An ordinary client would mend what some samples are wrong on purpose about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

_DEADLINE_S = 15.0
_HEAD_BYTES = 65_536


class RawAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A response; header names in lower case, status 0 where none came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def exchange(port: int, head: bytes, body: bytes) -> RawAnswer:
    """Send one request to 127.0.0.1 and read the response to its end.

    Args:
        port: of the listener.
        head: request line and header lines, with the empty line.
        body: what follows.

    Raises:
        OSError: the connection cannot be made, or is lost.
        TimeoutError: no whole answer came in time.
    """
    async with asyncio.timeout(_DEADLINE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_HEAD_BYTES)
        try:
            writer.write(head + body)
            await writer.drain()
            return await _read(reader)
        finally:
            writer.close()
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> RawAnswer:
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return RawAnswer(status=0, headers={}, body=b"")
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    length = headers.get("content-length")
    body = await (reader.read() if length is None else reader.readexactly(int(length)))
    return RawAnswer(status=int(lines[0].split(" ", 2)[1]), headers=headers, body=body)
