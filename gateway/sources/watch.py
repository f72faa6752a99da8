"""Watching files and directories for change.

Directories are watched, never files: a watch on a file follows the inode, and is lost when the file
is replaced by renaming or a symlink above it is swapped (as Kubernetes does with `..data`). The
kernel's events make it quick; a look at the files every second makes it sure, where a root went
away and came back, lies on a network file system, or cannot be watched at all.
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Final

from watchfiles import awatch

_DEBOUNCE_MS: Final = 100
_STEP_MS: Final = 50

# What tells that a name leads to other content: device, inode, mode, size, times of both.
_Mark = tuple[int, int, int, int, int, int]
_Marks = Mapping[Path, _Mark]


def changes(
    paths: Iterable[Path], *, stop: asyncio.Event, look_every_s: float = 1.0
) -> AsyncGenerator[frozenset[Path], None]:
    """Report which of the paths changed, until `stop` is set.

    What counts as before is what stands on disk at the time of the call, not of the first
    iteration: call first, then load, then iterate, and no change between them is missed. The same
    change may be reported twice, so compare content before acting.

    Args:
        paths: files and directories, with all that is below; they need not exist yet.
        stop: ends the iteration; it is also set where the iteration is cancelled.
        look_every_s: how often to look at the files where no event came.

    Returns:
        An iterator over those of `paths` that changed, never empty.
    """
    roots = {path: path.absolute() for path in paths}
    return _changes(roots, {root: _survey(root) for root in roots.values()}, stop, look_every_s)


async def _changes(
    roots: Mapping[Path, Path],
    seen: Mapping[Path, _Marks],
    stop: asyncio.Event,
    look_every_s: float,
) -> AsyncGenerator[frozenset[Path], None]:
    while not stop.is_set():
        watched = _directories(seen)
        async with aclosing(_ticks(watched, stop, look_every_s)) as ticks:
            async for touched in ticks:
                now = {root: _survey(root) for root in roots.values()}
                changed = frozenset(
                    path
                    for path, root in roots.items()
                    if now[root] != seen[root] or any(_within(root, one) for one in touched)
                )
                seen = now
                if changed:
                    yield changed
                if _directories(seen) != watched:
                    break  # what has to be watched is no longer the same


async def _ticks(
    directories: Mapping[Path, tuple[int, int]], stop: asyncio.Event, look_every_s: float
) -> AsyncGenerator[tuple[Path, ...], None]:
    """Yield nothing at once, then the paths that events name, and nothing where none came."""
    yield ()
    # A directory is gone already, no watches are left, or the watcher itself broke (which it says
    # with a kind of RuntimeError): then look instead, and try again after that.
    with suppress(OSError, RuntimeError):
        async for touched in awatch(
            *directories,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=stop,
            rust_timeout=int(look_every_s * 1000),
            yield_on_timeout=True,
            recursive=False,
        ):
            yield tuple(Path(name) for _, name in touched)
    with suppress(TimeoutError):
        async with asyncio.timeout(look_every_s):
            await stop.wait()
    yield ()


def _within(root: Path, path: Path) -> bool:
    return path == root or root in path.parents


def _directories(seen: Mapping[Path, _Marks]) -> dict[Path, tuple[int, int]]:
    """Return the directories to watch, by name, with device and inode.

    These are the one that each root stands in, and for a directory itself and all below.
    """
    found = dict[Path, tuple[int, int]]()
    for root, marks in seen.items():
        for path, mark in ((root.parent, _mark(root.parent)), *marks.items()):
            if mark is not None and stat.S_ISDIR(mark[2]):
                found[path] = mark[:2]
    return found


def _survey(root: Path) -> dict[Path, _Mark]:
    """Mark everything at and below a root, following links; empty where there is nothing."""
    marks = dict[Path, _Mark]()
    pending = [root]
    entered = set[tuple[int, int]]()
    while pending:
        path = pending.pop()
        mark = _mark(path)
        if mark is None:
            continue
        marks[path] = mark
        if stat.S_ISDIR(mark[2]) and mark[:2] not in entered:
            entered.add(mark[:2])
            with suppress(OSError):  # gone again, or not for us
                pending.extend(path.iterdir())
    return marks


def _mark(path: Path) -> _Mark | None:
    """Mark what a path leads to; None for nothing, a link to nothing, or what is not for us."""
    try:
        state = path.stat()
    except OSError:
        return None
    return (
        state.st_dev,
        state.st_ino,
        state.st_mode,
        state.st_size,
        state.st_mtime_ns,
        state.st_ctime_ns,
    )
