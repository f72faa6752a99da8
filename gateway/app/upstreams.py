"""The connections to providers: an upstream that stays as it is keeps them, others are retired."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from gateway.app.assemble import make_upstream
from gateway.config.settings import Upstream as UpstreamSettings
from gateway.core.catalog.model import Catalog
from gateway.proxy.server import Upstream


class Upstreams:
    """The upstreams of the settings, with their pools; owned by the event loop."""

    def __init__(self, catalog: Catalog, tasks: asyncio.TaskGroup) -> None:
        """Begin with none; what is retired is closed in a task of the group."""
        self._catalog, self._tasks = catalog, tasks
        self._present: list[tuple[UpstreamSettings, Upstream]] = []
        self._retiring: dict[asyncio.Task[None], Upstream] = {}

    def follow(self, settings: Iterable[UpstreamSettings]) -> dict[str, Upstream]:
        """Return the upstreams by name; one that did not change keeps its connections."""
        before = self._present
        self._present = [
            (
                wanted,
                next((one for settings, one in before if settings == wanted), None)
                or make_upstream(wanted, self._catalog.providers[wanted.provider]),
            )
            for wanted in settings
        ]
        kept = [upstream for _, upstream in self._present]
        for _, upstream in before:
            if upstream not in kept:
                task = self._tasks.create_task(_retire(upstream))
                self._retiring[task] = upstream
                task.add_done_callback(self._retired)
        return {upstream.name: upstream for upstream in kept}

    async def close(self) -> None:
        """Close every connection."""
        retiring = dict(self._retiring)
        for task in retiring:
            task.cancel()
        for upstream in (*retiring.values(), *(one for _, one in self._present)):
            await upstream.pool.close()

    def _retired(self, task: asyncio.Task[None]) -> None:
        self._retiring.pop(task, None)


async def _retire(upstream: Upstream) -> None:
    """Close a pool that is no longer served, once its last exchange is over or late."""
    await asyncio.sleep(upstream.deadline_s)
    await upstream.pool.close()
