"""A process whose files cannot grow: what a full disk does to it, without a disk or a privilege."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_room() -> Iterator[None]:
    """Let every write fail until the end of the block, as one to a full disk does.

    The system says `file too large`; Python ignores the signal that comes with it. Others that
    write in this process are concerned as well, so the block should be small.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
