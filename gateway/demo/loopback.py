"""A small HTTP server on an ephemeral port of 127.0.0.1, for the parts that play other systems."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web

_SHUTDOWN_S = 1.0


class LoopbackServer:
    """Serves between `async with` and its end; `port` is 0 before."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        self._handler = handler
        self._runner: web.ServerRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The base address, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        """Begin to serve."""
        self._runner = runner = web.ServerRunner(
            web.Server(self._handler, access_log=None), shutdown_timeout=_SHUTDOWN_S
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = int(runner.addresses[0][1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
