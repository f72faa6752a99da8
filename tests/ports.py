"""Ports for gateways that tests start, and start again.

The kernel hands out ephemeral ports to whoever asks for any, and to every connection that goes out:
one of them may be gone before the gateway listens on it, or while it is down between two starts.
So these lie below them, and each worker of a run has its own.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from itertools import cycle

_FIRST, _A_WORKER, _WORKERS = 12_000, 1_000, 16
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
_MINE = range(_FIRST + _WORKER * _A_WORKER, _FIRST + (_WORKER + 1) * _A_WORKER)
# Runs side by side begin at different ones.
_BEGINNING = os.getpid() % _A_WORKER
_ports: Iterator[int] = cycle((*_MINE[_BEGINNING:], *_MINE[:_BEGINNING]))


def free_port() -> int:
    """Return a loopback port that nobody listens on, and another one at each call."""
    return next(port for port in _ports if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As asyncio does it: a port of connections that have ended is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
