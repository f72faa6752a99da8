"""Letting go of what was replaced, a little at a time.

Freeing 100,000 tenants, or 16,000 remembered verdicts, takes as long as making them, and happens
all at once where the last request lets go of the snapshot that holds them. So they are held here
until the snapshot is gone, and then freed in portions, between which the gateway serves.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.core.snapshot import Shadow, Snapshot

_PORTION = 128  # tenants, or rules: a fraction of a millisecond

# What holds many values: a list, or a dictionary that nobody reads any more.
_Held = list[object] | dict[object, object]


class Retired:
    """Snapshots that were replaced and are not gone yet; owned by the event loop."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        """Begin with none; each is let go of in a task of the group."""
        self._tasks = tasks
        self._going = set[asyncio.Task[None]]()

    def add(self, old: Snapshot, new: Snapshot) -> None:
        """Let go of a snapshot, but for what stands in its successor too."""
        gone, loop = asyncio.Event(), asyncio.get_running_loop()
        # The last request may let go of it in a thread.
        watch = weakref.ref(old, lambda _: loop.call_soon_threadsafe(gone.set))
        # What it holds, an older one may hold too: those before it come first.
        task = self._tasks.create_task(
            _let_go(watch, gone, [*_replaced(old, new)], before=[*self._going])
        )
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    def __len__(self) -> int:
        """Return how many are not gone yet."""
        return len(self._going)

    def close(self) -> None:
        """Stop: whoever ends need not be gentle."""
        for task in self._going:
            task.cancel()


async def _let_go(
    snapshot: weakref.ref[Snapshot],
    gone: asyncio.Event,
    held: list[_Held],
    *,
    before: list[asyncio.Task[None]],
) -> None:
    """Wait until no request holds the snapshot or an older one, then free what it held."""
    if before:
        await asyncio.wait(before)
    if snapshot() is not None:
        await gone.wait()
    for items in held:
        while items:
            if isinstance(items, list):
                del items[-_PORTION:]
            else:
                for _ in range(min(_PORTION, len(items))):
                    items.popitem()
            await asyncio.sleep(0)


def _replaced(old: Snapshot, new: Snapshot) -> Iterator[_Held]:
    """Yield what only the old snapshot holds by the thousands."""
    pairs: tuple[tuple[Mapping[Any, object], Mapping[Any, object]], ...] = (
        (old.tenants.by_id, new.tenants.by_id),
        (old.tenants.by_subject, new.tenants.by_subject),
        (old.keys.api_keys, new.keys.api_keys),
        (old.keys.access_keys, new.keys.access_keys),
        (old.keys.memo, new.keys.memo),
    )
    for before, after in pairs:
        if before is not after and isinstance(before, dict):
            yield before
    # These stay whole while anybody might look: without a verdict nobody is on a list.
    if old.verdicts is not new.verdicts:
        yield [*old.verdicts]
        yield [*old.verdicts.values()]
    kept = [new.policies, *(shadow.policies for shadow in new.shadows)]
    judges: tuple[Snapshot | Shadow, ...] = (old, *old.shadows)
    for judging in judges:
        if not any(judging.policies is one for one in kept):
            yield [rule for pack in judging.policies.packs for rule in pack.rules]
        yield judging.standings.held()
