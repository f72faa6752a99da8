"""A process that is killed: what it had acknowledged is in the log that the next one opens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.audit.record import Decided, read_line
from gateway.audit.verify import verify
from tests.audit.fakes import open_log, the_log

ROOT = Path(__file__).parents[2]
# Eight callers append, and say each acknowledgement on a line of its own; nothing ends this.
WRITER = """
import asyncio, itertools, sys
from pathlib import Path
from tests.audit.fakes import open_log
from tests.builders import decided, happened

async def call(log, caller):
    for number in itertools.count():
        name = f"dec_{caller}_{number}"
        seq = await log.append(decided(name))
        print(seq, name, flush=True)
        log.enqueue(happened(name))

async def main():
    log = await open_log(Path(sys.argv[1]), segment_bytes=50_000, head_s=0.001)
    async with asyncio.TaskGroup() as group:
        for caller in range(8):
            group.create_task(call(log, caller))

asyncio.run(main())
"""


def acknowledgements(directory: Path, count: int) -> list[tuple[int, str]]:
    """Run the writer, kill it after some acknowledgements, and return all that it said."""
    command = [sys.executable, "-c", WRITER, str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(count)]
        process.kill()
        said += process.stdout.read().splitlines(keepends=True)
    whole = [line.split() for line in said if line.endswith("\n")]
    return [(int(seq), name) for seq, name in whole]


@pytest.mark.parametrize("count", [1, 300])
async def test_what_a_killed_process_acknowledged_is_in_the_log(tmp_path: Path, count: int) -> None:
    said = acknowledgements(tmp_path, count)
    assert len(said) >= count
    await (await open_log(tmp_path)).close()
    assert verify(tmp_path, closed=True).findings == ()
    segments = sorted(the_log(tmp_path).glob("*.jsonl"))
    lines = [line for path in segments for line in path.read_bytes().splitlines()]
    for seq, name in said:
        record = read_line(lines[seq])
        assert isinstance(record, Decided)
        assert record.id == name
