"""`facegate serve` that notes how late its event loop is.

Usage: `python -m tests.bench.lagged CONFIG OUT`.

A task asks to be woken every millisecond. What it is woken too late, the loop was held up: by code
that does not give way, or by a machine that runs something else. The second is told apart by the
processor time that the whole process took in between: a hold-up of our own making takes as much.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import msgspec
import uvloop

from gateway.cli import serve

TICK_S = 0.001


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One waking: when (monotonic), how late, and what the process computed meanwhile; seconds."""

    at: float
    late: float
    computed: float


async def sample(samples: list[Sample]) -> None:
    asleep, spent = time.monotonic(), time.process_time()
    while True:
        await asyncio.sleep(TICK_S)
        now, used = time.monotonic(), time.process_time()
        samples.append(Sample(now, max(0.0, now - asleep - TICK_S), used - spent))
        asleep, spent = now, used


async def serve_and_sample(config: Path, samples: list[Sample]) -> None:
    async with asyncio.TaskGroup() as tasks:
        sampling = tasks.create_task(sample(samples))
        await serve._serve(config)
        sampling.cancel()


def main(config: Path, out: Path) -> None:
    serve.log_to_stderr()
    samples = list[Sample]()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve_and_sample(config, samples))
    out.write_bytes(msgspec.json.encode(samples))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
