"""Failures in pairs: it failed, and it failed although it was written."""

from __future__ import annotations

import asyncio
import errno
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.audit.files import OsFiles
from gateway.audit.log import AuditLog
from gateway.audit.record import Aborted, Decided, Gap, Happened, Line, read_line
from gateway.audit.verify import verify
from gateway.errors import AuditError
from tests.audit.fakes import Faults, FaultyFiles, open_log, the_log, until
from tests.builders import NOW, decided, happened

FULL = OSError(errno.ENOSPC, "No space left on device")
BROKEN = OSError(errno.EIO, "Input/output error")


async def faulty_log(directory: Path, **changes: object) -> tuple[AuditLog, Faults]:
    """Open a log on the real disk whose port fails as the faults say."""
    faults = Faults()
    return await open_log(directory, FaultyFiles(OsFiles(), faults), **changes), faults


def records(directory: Path) -> list[Line]:
    segments = sorted(the_log(directory).glob("*.jsonl"))
    return [read_line(line) for path in segments for line in path.read_bytes().splitlines()]


def gaps(directory: Path) -> list[Gap]:
    return [record for record in records(directory) if isinstance(record, Gap)]


async def begun(log: AuditLog) -> None:
    """Write one decision that stays open."""
    await log.append(decided("dec_open"))


FAULTS: dict[str, dict[str, object]] = {
    "disk full": {"write": FULL},
    "disk full amid a line": {"write": FULL, "written": 700},
    "sync failed": {"sync": BROKEN},
    "sync failed although it was written": {"sync": BROKEN, "synced_although": True},
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failure_refuses_what_is_decided_and_keeps_what_happened(
    tmp_path: Path, fault: str
) -> None:
    log, faults = await faulty_log(tmp_path)
    await begun(log)
    faults.begin(**FAULTS[fault])
    log.enqueue(happened("dec_open"))
    for name in ("dec_refused", "dec_refused_at_once"):
        with pytest.raises(AuditError):
            await log.append(decided(name))
        assert not log.healthy
        assert log.last_error
    assert not await log.probe()
    faults.heal()
    assert await log.probe()
    assert await log.append(decided("dec_after")) == 3
    log.enqueue(happened("dec_after"))
    await log.close()

    first, gap, kept, after, _ = records(tmp_path)
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.refused, gap.since) == ("write", 2, NOW)
    assert isinstance(first, Decided)
    assert isinstance(after, Decided)
    assert isinstance(kept, Happened)
    assert (first.id, kept.decided, after.id) == ("dec_open", "dec_open", "dec_after")
    assert verify(tmp_path, closed=True).findings == ()


async def test_a_root_that_cannot_be_published_makes_the_log_unavailable(tmp_path: Path) -> None:
    log, faults = await faulty_log(tmp_path)
    faults.begin(replace=FULL)
    assert await log.append(decided("dec_a")) == 0
    assert not await log.probe()
    with pytest.raises(AuditError, match="No space left"):
        await log.append(decided("dec_refused"))
    assert not await log.probe()
    faults.heal()
    assert await log.probe()
    log.enqueue(happened("dec_a"))
    await log.close()
    assert [(gap.reason, gap.refused) for gap in gaps(tmp_path)] == [("write", 1)]
    assert verify(tmp_path, closed=True).ok


@pytest.mark.parametrize("fault", ["sync failed", "sync failed although it was written"])
async def test_what_a_failed_sync_left_behind_is_cut_before_the_log_goes_on(
    tmp_path: Path, fault: str
) -> None:
    log, faults = await faulty_log(tmp_path)
    await begun(log)
    faults.begin(**FAULTS[fault])
    with pytest.raises(AuditError):
        await log.append(decided("dec_refused"))
    (segment,) = the_log(tmp_path).glob("*.jsonl")
    assert b"dec_refused" in segment.read_bytes()
    faults.heal()
    assert await log.probe()
    assert b"dec_refused" not in segment.read_bytes()
    log.enqueue(happened("dec_open"))
    await log.close()
    assert verify(tmp_path, closed=True).ok


async def test_what_a_failed_sync_left_behind_is_named_if_the_process_dies_first(
    tmp_path: Path,
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    log, faults = await faulty_log(before)
    faults.begin(**FAULTS["sync failed although it was written"])
    with pytest.raises(AuditError):
        await log.append(decided("dec_refused"))
    shutil.copytree(before, after)  # what a process that was killed now would leave
    faults.heal()
    await log.close()
    await (await open_log(after)).close()
    (gap,) = gaps(after)
    assert (gap.reason, gap.unpaired) == ("restart", ("dec_refused",))
    assert verify(after, closed=True).ok


async def test_everybody_in_a_failed_batch_and_behind_it_is_refused(tmp_path: Path) -> None:
    log, faults = await faulty_log(tmp_path, batch_lines=5)
    faults.write = FULL
    waiters = [log.append(decided(f"dec_{number}")) for number in range(12)]
    for waiter in waiters:
        with pytest.raises(AuditError, match="No space left"):
            await waiter
    assert (log.refused, log.queue_length) == (12, 0)
    faults.heal()
    assert await log.probe()
    await log.close()
    assert [gap.refused for gap in gaps(tmp_path)] == [12]


async def test_what_is_refused_while_a_repair_fails_is_stated_with_the_rest(tmp_path: Path) -> None:
    log, faults = await faulty_log(tmp_path)
    faults.begin(write=FULL)
    with pytest.raises(AuditError):
        await log.append(decided("dec_a"))
    faults.begin(write=None, gate=threading.Semaphore(1), syncs=0)  # the reopened file's passes
    async with asyncio.TaskGroup() as group:
        mending = group.create_task(log.probe())
        await until(lambda: faults.syncs == 2)
        with pytest.raises(AuditError):
            await log.append(decided("dec_b"))
        faults.sync = BROKEN
        faults.open_gate()
    assert not mending.result()
    faults.heal()
    assert await log.probe()
    await log.close()
    assert [(gap.reason, gap.refused) for gap in gaps(tmp_path)] == [("write", 2)]


async def test_short_writes_are_continued(tmp_path: Path) -> None:
    log, faults = await faulty_log(tmp_path)
    faults.short = 37
    assert await log.append(decided("dec_a")) == 0
    log.enqueue(happened("dec_a"))
    await log.close()
    assert log.failures == 0
    assert verify(tmp_path, closed=True).ok


async def test_a_write_that_takes_nothing_is_a_failure(tmp_path: Path) -> None:
    log, faults = await faulty_log(tmp_path)
    faults.short = 0
    with pytest.raises(AuditError, match="no more bytes"):
        await log.append(decided("dec_a"))
    faults.heal()
    assert await log.probe()
    await log.close()


def _delete(segment: Path) -> None:
    segment.unlink()


def _replace(segment: Path) -> None:
    copy = segment.with_suffix(".copy")
    shutil.copyfile(segment, copy)
    copy.replace(segment)


def _truncate(segment: Path) -> None:
    segment.write_bytes(b"")


def _shorten(segment: Path) -> None:
    segment.write_bytes(segment.read_bytes()[:-10])


def _delete_directory(segment: Path) -> None:
    shutil.rmtree(segment.parent.parent)


def _replace_directory(segment: Path) -> None:
    segment.parent.rename(segment.parent.with_name("moved"))
    segment.parent.mkdir()


DISPLACEMENTS = [_delete, _replace, _truncate, _shorten, _delete_directory, _replace_directory]


@pytest.mark.parametrize("traffic", [True, False], ids=["under traffic", "idle"])
@pytest.mark.parametrize("displace", DISPLACEMENTS, ids=lambda change: change.__name__[1:])
async def test_lines_taken_away_are_noticed_and_the_log_goes_on_in_a_new_segment(
    tmp_path: Path, displace: Callable[[Path], None], *, traffic: bool
) -> None:
    log = await open_log(tmp_path)
    await begun(log)
    await log.probe()
    displace(next(the_log(tmp_path).glob("*.jsonl")))
    if traffic:
        with pytest.raises(AuditError):
            await log.append(decided("dec_refused"))
    else:
        assert not await log.probe()
    assert not log.healthy

    assert await log.probe()
    assert await log.append(decided("dec_after")) == 2
    log.enqueue(happened("dec_after"))
    log.enqueue(happened("dec_open"))
    await log.close()
    new = the_log(tmp_path) / "00000000000000000001.jsonl"
    gap, after = map(read_line, new.read_bytes().splitlines()[:2])
    assert isinstance(gap, Gap)
    assert isinstance(after, Decided)
    assert (gap.reason, gap.refused, after.id) == ("replaced", int(traffic), "dec_after")
    # The new segment holds together; that the old one does not is for the verifier to say.
    if displace is not _replace:
        assert not verify(tmp_path).ok
    await (await open_log(tmp_path)).close()


async def test_lines_that_somebody_adds_are_noticed_and_cut(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    await begun(log)
    with next(the_log(tmp_path).glob("*.jsonl")).open("ab") as segment:
        segment.write(b"not ours\n")
    assert not await log.probe()
    assert "somebody changed it" in log.last_error
    assert await log.probe()
    log.enqueue(happened("dec_open"))
    await log.close()
    assert [gap.reason for gap in gaps(tmp_path)] == ["replaced"]
    assert verify(tmp_path, closed=True).ok


async def test_a_directory_that_another_process_took_over_stays_unavailable(
    tmp_path: Path,
) -> None:
    log = await open_log(tmp_path)
    await begun(log)
    (tmp_path / "gw.example%2Faudit").rename(tmp_path / "taken-away")
    other = await open_log(tmp_path)
    assert not await log.probe()
    assert not await log.probe()
    assert "another process" in log.last_error
    with pytest.raises(AuditError, match="another process"):
        await log.close()
    await other.close()


async def test_a_log_without_lines_whose_segment_is_deleted_begins_again(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    next(the_log(tmp_path).glob("*.jsonl")).unlink()
    assert not await log.probe()
    assert await log.probe()
    await log.close()
    assert verify(tmp_path, closed=True).ok


async def test_readiness_comes_back_without_traffic(tmp_path: Path) -> None:
    log, faults = await faulty_log(tmp_path, probe_s=0.001)
    faults.sync = BROKEN
    with pytest.raises(AuditError):
        await log.append(decided("dec_a"))
    await until(lambda: log.failures > 2)
    assert not log.healthy
    faults.heal()
    await until(lambda: log.healthy)
    await log.close()
    assert [gap.reason for gap in gaps(tmp_path)] == ["write"]


async def test_a_deleted_log_is_noticed_without_traffic(tmp_path: Path) -> None:
    log = await open_log(tmp_path, probe_s=0.001)
    shutil.rmtree(tmp_path / "gw.example%2Faudit")
    await until(lambda: log.failures > 0 and log.healthy)
    await log.close()
    assert [gap.reason for gap in gaps(tmp_path)] == ["replaced"]


async def test_repair_that_fails_leaves_the_log_unavailable(tmp_path: Path) -> None:
    log, faults = await faulty_log(tmp_path)
    faults.write = FULL
    with pytest.raises(AuditError):
        await log.append(decided("dec_a"))
    faults.heal()
    faults.open = OSError(errno.EMFILE, "Too many open files")
    assert not await log.probe()
    assert "Too many open files" in log.last_error
    faults.heal()
    assert await log.probe()
    await log.close()
    assert verify(tmp_path, closed=True).ok


async def test_a_segment_that_cannot_be_begun_is_begun_after_the_repair(tmp_path: Path) -> None:
    log, faults = await faulty_log(tmp_path, segment_bytes=100)
    await log.append(decided("dec_a"))
    faults.open = FULL
    with pytest.raises(AuditError):
        await log.append(happened("dec_a"))
    faults.heal()
    assert await log.probe()
    await log.append(happened("dec_a"))
    await log.close()
    names = [path.name for path in sorted(the_log(tmp_path).glob("*.jsonl"))]
    assert names == [f"{seq:020}.jsonl" for seq in range(3)]
    assert verify(tmp_path, closed=True).ok


async def test_a_segment_that_was_begun_in_vain_is_used_for_what_comes_next(
    tmp_path: Path,
) -> None:
    log, faults = await faulty_log(tmp_path, segment_bytes=4_000)
    await begun(log)
    faults.begin(write=FULL, written=1_500)
    waiters = [log.append(decided(f"dec_{number}")) for number in range(4)]
    for waiter in waiters:
        with pytest.raises(AuditError):
            await waiter
    faults.heal()
    assert await log.probe()  # the gap alone would have had room in the first segment
    log.enqueue(happened("dec_open"))
    await log.close()
    names = [path.name for path in sorted(the_log(tmp_path).glob("*.jsonl"))]
    assert names == [f"{seq:020}.jsonl" for seq in range(2)]
    assert verify(tmp_path, closed=True).ok


async def test_a_record_whose_file_is_deleted_while_it_is_synced_is_refused(
    tmp_path: Path,
) -> None:
    log, faults = await faulty_log(tmp_path)
    faults.power["synced"] = next(the_log(tmp_path).glob("*.jsonl")).unlink
    with pytest.raises(AuditError, match="was deleted"):
        await log.append(decided("dec_a"))
    assert await log.probe()
    await log.close()
    assert [(gap.reason, gap.refused) for gap in gaps(tmp_path)] == [("replaced", 1)]


async def test_a_record_is_not_put_behind_a_hole_where_the_file_vanishes_during_the_repair(
    tmp_path: Path,
) -> None:
    log, faults = await faulty_log(tmp_path)
    await begun(log)
    faults.begin(write=FULL)
    with pytest.raises(AuditError):
        await log.append(decided("dec_a"))
    faults.heal()
    faults.power["open"] = next(the_log(tmp_path).glob("*.jsonl")).unlink
    assert await log.probe()
    await log.close()
    first, second = sorted(the_log(tmp_path).glob("*.jsonl"))
    assert (first.read_bytes(), second.name) == (b"", f"{1:020}.jsonl")
    assert b"\0" not in second.read_bytes()


async def test_a_log_that_ends_failed_does_not_publish_a_place_that_does_not_exist(
    tmp_path: Path,
) -> None:
    log, faults = await faulty_log(tmp_path, segment_bytes=100)
    await begun(log)
    faults.open = FULL
    with pytest.raises(AuditError):
        await log.append(decided("dec_a"))
    with pytest.raises(AuditError, match="were not written"):
        await log.close()
    await (await open_log(tmp_path)).close()
    assert [gap.unpaired for gap in gaps(tmp_path)] == [("dec_open",)]
    assert verify(tmp_path, closed=True).ok


async def test_a_disk_that_does_not_answer_makes_the_log_unavailable(tmp_path: Path) -> None:
    log, faults = await faulty_log(tmp_path, stall_s=0.0, batch_lines=1)
    faults.gate = threading.Semaphore(0)
    in_flight, behind = log.append(decided("dec_late")), log.append(decided("dec_behind"))
    await asyncio.sleep(0)
    assert not await log.probe()
    for waiter in (in_flight, behind, log.append(decided("dec_at_once"))):
        with pytest.raises(AuditError, match="has not answered"):
            await waiter
    faults.open_gate()
    await until(lambda: log.healthy)
    await log.append(decided("dec_after"))
    await log.append(happened("dec_after"))
    await log.close()
    (gap,) = gaps(tmp_path)
    # It failed although it was written: its caller was refused, so nothing will complete it.
    assert (gap.reason, gap.refused, gap.unpaired) == ("stalled", 3, ("dec_late",))
    written = [record.id for record in records(tmp_path) if isinstance(record, Decided)]
    assert written == ["dec_late", "dec_after"]
    assert verify(tmp_path, closed=True).ok


async def test_a_decision_whose_caller_went_away_is_not_completed_where_its_batch_failed(
    tmp_path: Path,
) -> None:
    log, faults = await faulty_log(tmp_path)
    faults.begin(sync=BROKEN, gate=threading.Semaphore(0), syncs=0)
    gone = log.append(decided("dec_gone"))
    await until(lambda: faults.syncs == 1)
    gone.cancel()
    faults.open_gate()
    await until(lambda: log.failures == 1)
    assert log.queue_length == 0
    faults.heal()
    assert await log.probe()
    await log.close()
    assert [type(record) for record in records(tmp_path)] == [Gap]
    assert (log.orphans, verify(tmp_path, closed=True).findings) == (0, ())


async def test_a_caller_who_went_away_from_a_stalled_write_is_told_from_one_who_was_refused(
    tmp_path: Path,
) -> None:
    log, faults = await faulty_log(tmp_path, stall_s=0.0)
    faults.begin(gate=threading.Semaphore(0), syncs=0)
    gone, told = log.append(decided("dec_gone")), log.append(decided("dec_told"))
    await until(lambda: faults.syncs == 1)
    gone.cancel()
    assert not await log.probe()
    with pytest.raises(AuditError, match="has not answered"):
        await told
    faults.open_gate()
    await until(lambda: log.healthy)
    await log.close()
    assert [gap.unpaired for gap in gaps(tmp_path)] == [("dec_told",)]
    completed = [record.decided for record in records(tmp_path) if isinstance(record, Happened)]
    assert completed == ["dec_gone"]
    assert verify(tmp_path, closed=True).ok


async def test_what_is_kept_past_a_failure_is_bounded_and_the_loss_is_stated(
    tmp_path: Path,
) -> None:
    log, faults = await faulty_log(tmp_path, queue_lines=3)
    await begun(log)
    faults.write = FULL
    for number in range(10):
        log.enqueue(Aborted(time=NOW, id=f"dec_{number}", reason="engine.failed"))
    log.enqueue(happened("dec_open"))
    await until(lambda: log.failures > 0)
    assert (log.healthy, log.lost, log.queue_length) == (False, 7, 4)
    faults.heal()
    assert await log.probe()
    await log.close()
    assert sum(gap.lost for gap in gaps(tmp_path)) == 7
    kept = [record.id for record in records(tmp_path) if isinstance(record, Aborted)]
    assert kept == ["dec_0", "dec_1", "dec_2"]
    assert verify(tmp_path, closed=True).ok


async def test_a_log_on_a_failing_disk_does_not_open_and_holds_nothing(tmp_path: Path) -> None:
    for fault in ("open", "replace", "sync"):
        faults = Faults()
        setattr(faults, fault, BROKEN)
        with pytest.raises(AuditError, match="does not open"):
            await open_log(tmp_path, FaultyFiles(OsFiles(), faults))
    log = await open_log(tmp_path)
    assert log.healthy
    await log.close()


async def test_a_log_that_cannot_state_how_it_ended_does_not_open(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    await begun(log)
    await log.close()
    faults = Faults(write=FULL)
    with pytest.raises(AuditError, match="No space left"):
        await open_log(tmp_path, FaultyFiles(OsFiles(), faults))
    await (await open_log(tmp_path)).close()
    assert [gap.reason for gap in gaps(tmp_path)] == ["restart"]


async def test_closing_a_failed_log_says_what_is_missing_and_lets_go(tmp_path: Path) -> None:
    log, faults = await faulty_log(tmp_path)
    await begun(log)
    faults.write = FULL
    log.enqueue(happened("dec_open"))
    with pytest.raises(AuditError, match="1 records were not written"):
        await log.close()
    again = await open_log(tmp_path)
    await again.close()
    assert [gap.unpaired for gap in gaps(tmp_path)] == [("dec_open",)]
    assert verify(tmp_path, closed=True).ok


async def test_probes_at_the_same_time_are_one(tmp_path: Path) -> None:
    log, faults = await faulty_log(tmp_path)
    faults.begin(write=FULL)
    with pytest.raises(AuditError):
        await log.append(decided("dec_a"))
    faults.heal()
    async with asyncio.TaskGroup() as group:
        probes = [group.create_task(log.probe()) for _ in range(5)]
    assert [probe.result() for probe in probes] == [True] * 5
    await log.close()
    assert len(gaps(tmp_path)) == 1
