"""`facegate serve`."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from gateway.app.gateway import Gateway
from gateway.cli.output import EXIT_FINDINGS, EXIT_OK, EXIT_USAGE
from gateway.config.environment import environment
from gateway.errors import FacegateError, FindingsError


def run_serve(config: Path) -> int:
    """Serve until SIGTERM or SIGINT; SIGHUP reloads.

    Returns:
        0 after an orderly end, 2 where a file has mistakes (all are printed, nothing was started),
        1 where the machine does not play along (a port in use, an audit log that does not open).
    """
    log_to_stderr()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(config))
    except ExceptionGroup as failures:
        return told(failures)
    return EXIT_OK


def told(failures: ExceptionGroup) -> int:
    """Print what stopped the gateway; a bug keeps its traceback.

    Raises:
        ExceptionGroup: there is something else than what an operator can act on.
    """
    known, bugs = failures.split((FacegateError, OSError))
    if bugs is not None:
        raise bugs
    code = EXIT_FINDINGS
    for failure in _leaves(known):
        if isinstance(failure, FindingsError):
            code = EXIT_USAGE
            sys.stderr.write(f"{failure}\n")
        else:
            sys.stderr.write(f"facegate: {failure}\n")
    return code


def _leaves(group: BaseException | None) -> Iterator[BaseException]:
    if isinstance(group, BaseExceptionGroup):
        for each in group.exceptions:
            yield from _leaves(each)
    elif group is not None:
        yield group


async def _serve(config: Path) -> None:
    gateway = Gateway(config, environment())
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, gateway.stop)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(gateway.run())
        loop.add_signal_handler(signal.SIGHUP, lambda: tasks.create_task(_reload(gateway, serving)))


async def _reload(gateway: Gateway, serving: asyncio.Task[None]) -> None:
    if gateway.ready.is_set() and not serving.done():
        await gateway.reload("SIGHUP")


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send the operator's log to stderr, one line a message, times in UTC."""
    out = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    formatter.default_time_format = "%Y-%m-%dT%H:%M:%S"
    formatter.default_msec_format = "%s.%03dZ"
    formatter.converter = _utc
    out.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(logging.WARNING)
    logging.getLogger("facegate").setLevel(level)


def _utc(seconds: float | None) -> time.struct_time:
    return time.gmtime(seconds)
