"""Loss of power at any moment: what was acknowledged is in the log, and the log holds together."""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings, strategies as st

from gateway.audit.log import AuditLog
from gateway.audit.record import Aborted, Decided, Gap, Line, read_line
from gateway.audit.segments import worker_directory
from gateway.audit.verify import verify
from gateway.errors import AuditError
from tests.audit.fakes import ORIGIN, Disk, Faults, FaultyFiles, MemoryFiles, open_log
from tests.builders import NOW, decided, happened

AUDIT = Path("/audit")
LOG = worker_directory(AUDIT, origin=ORIGIN, worker="w0")

# `tail`: how much of what was written and not synced survives; `names`: whether unsynced renames
# and new files do.
LOSSES = st.tuples(st.sampled_from([0, 300, 999, 1_000]), st.booleans())
MOMENTS = st.sampled_from(["write", "sync", "synced", "replace"])
ACTIONS = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 4)),
    st.tuples(st.just("complete"), st.integers(1, 4)),
    st.tuples(st.just("abort"), st.integers(1, 2)),
    st.tuples(st.just("fail"), st.sampled_from(["write", "sync", "replace", "open"])),
    st.tuples(st.just("heal"), st.none()),
    st.tuples(st.just("probe"), st.none()),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("power"), LOSSES),
    st.tuples(MOMENTS, LOSSES),
)
Action = tuple[str, object]


@dataclass
class Run:
    """One life of a log over several processes."""

    disk: Disk
    segment_bytes: int
    faults: Faults = field(default_factory=Faults)
    acknowledged: dict[int, str] = field(default_factory=dict)
    open: deque[str] = field(default_factory=deque)
    counter: int = 0
    live: AuditLog | None = None

    async def log(self) -> AuditLog:
        """Return the running log, opened anew if the last one is gone."""
        if self.live is None:
            self.faults.heal()
            files = FaultyFiles(MemoryFiles(self.disk), self.faults)
            self.live = await open_log(AUDIT, files, segment_bytes=self.segment_bytes)
            self.open.clear()
        return self.live

    async def act(self, action: Action) -> None:
        """Do one thing, and find out whether the power went meanwhile."""
        name, argument = action
        log, powered = await self.log(), self.disk.powered
        if isinstance(argument, tuple):
            self.threaten(name, *argument)
        elif isinstance(argument, int):
            await self.record(log, name, argument)
        elif isinstance(argument, str):
            self.faults.begin(**{argument: OSError(errno.EIO, argument)})
        elif name == "restart":
            await self.end()
        else:
            if name == "heal":
                self.faults.heal()
            await log.probe()
        if self.disk.powered != powered:
            await self.end()

    def threaten(self, moment: str, tail: int, names: bool) -> None:  # noqa: FBT001 - drawn values
        """Take the power away, now or at the next such operation, which then fails."""

        def off() -> None:
            self.disk.lose_power(tail_permille=tail, names_survive=names)
            raise OSError(errno.EIO, "the power went")

        if moment == "power":
            self.disk.lose_power(tail_permille=tail, names_survive=names)
        else:
            self.faults.power[moment] = off

    async def record(self, log: AuditLog, what: str, count: int) -> None:
        """Add records of one kind."""
        if what == "append":
            await self.append(log, count)
        elif what == "complete":
            for _ in range(min(count, len(self.open))):
                log.enqueue(happened(self.open.popleft()))
        else:
            for _ in range(count):
                log.enqueue(Aborted(time=NOW, id="dec_0", reason="engine.failed"))

    async def append(self, log: AuditLog, count: int) -> None:
        """Append decisions at once; keep those that were acknowledged."""
        names = [f"dec_{self.counter + number}" for number in range(count)]
        self.counter += count
        waiters = [log.append(decided(name)) for name in names]
        for name, waiter in zip(names, waiters, strict=True):
            with suppress(AuditError):
                self.acknowledged[await waiter] = name
                self.open.append(name)

    async def end(self) -> None:
        """End the process: in order if the disk still works."""
        if self.live is not None:
            with suppress(AuditError):
                await self.live.close()
        self.live = None

    async def whole(self, actions: list[Action]) -> None:
        """Run, then recover once more and end in order."""
        for action in actions:
            await self.act(action)
        self.faults.heal()
        await self.end()
        await self.log()
        await self.end()


def check(run: Run, actions: list[Action]) -> None:
    """Fail unless all that was acknowledged stands in a log that verifies."""
    asyncio.run(run.whole(actions))
    segments = sorted(path for path in run.disk.names if path.suffix == ".jsonl")
    lines = [line for path in segments for line in bytes(run.disk.names[path].content).splitlines()]
    for seq, name in run.acknowledged.items():
        assert seq < len(lines), f"line {seq} is gone"
        record = read_line(lines[seq])
        assert isinstance(record, Decided)
        assert (record.seq, record.id) == (seq, name)
    with TemporaryDirectory() as directory:
        run.disk.dump(Path(directory))
        assert verify(Path(directory), closed=True).findings == ()


@given(st.lists(ACTIONS, max_size=14), st.sampled_from([3_000, 1 << 20]))
@example([("synced", (0, False)), ("append", 1)], 3_000)
@example([("append", 1), ("sync", (1_000, True)), ("append", 2)], 3_000)
@example([("append", 3), ("fail", "sync"), ("append", 1), ("power", (1_000, True))], 3_000)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_was_acknowledged_survives_any_loss_of_power(
    actions: list[Action], segment_bytes: int
) -> None:
    check(Run(Disk(), segment_bytes), actions)


@pytest.mark.parametrize(
    "disk",
    [Disk(lying_sync=True), Disk(lying_directories=True)],
    ids=["of files", "of directories"],
)
def test_the_property_finds_out_where_the_sync_is_taken_out(disk: Disk) -> None:
    @given(st.lists(ACTIONS, max_size=14), st.sampled_from([3_000, 1 << 20]))
    @settings(
        max_examples=200,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow],
    )
    def survives(actions: list[Action], segment_bytes: int) -> None:
        lying = Disk(lying_sync=disk.lying_sync, lying_directories=disk.lying_directories)
        check(Run(lying, segment_bytes), actions)

    with pytest.raises((AssertionError, AuditError)):
        survives()


def records_of(run: Run) -> list[Line]:
    (segment,) = (path for path in run.disk.names if path.suffix == ".jsonl")
    return [read_line(line) for line in bytes(run.disk.names[segment].content).splitlines()]


def gap_of(run: Run, reason: str) -> Gap:
    (gap,) = (
        record for record in records_of(run) if isinstance(record, Gap) and record.reason == reason
    )
    return gap


def test_a_decision_whose_acknowledgement_was_lost_with_the_power_is_named() -> None:
    run = Run(Disk(), 1 << 20)
    check(run, [("synced", (0, False)), ("append", 1)])
    written = records_of(run)[0]
    assert run.acknowledged == {}
    assert isinstance(written, Decided)
    assert gap_of(run, "restart").unpaired == (written.id,)


def test_a_decision_that_never_reached_the_disk_leaves_nothing() -> None:
    run = Run(Disk(), 1 << 20)
    check(run, [("write", (0, False)), ("append", 1)])
    assert records_of(run) == []


def test_a_torn_line_is_cut_and_stated() -> None:
    run = Run(Disk(), 1 << 20)
    check(run, [("append", 2), ("complete", 1), ("write", (999, True)), ("append", 2)])
    assert gap_of(run, "torn").cut_bytes > 0
    assert gap_of(run, "restart").unpaired == ("dec_1",)


def test_a_root_that_was_lost_is_rebuilt_and_stated() -> None:
    run = Run(Disk(), 1 << 20)
    check(run, [("append", 1), ("complete", 1), ("restart", None), ("power", (0, False))])
    assert "rebuilt" in gap_of(run, "head").detail
