from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path

import msgspec
import pytest

from gateway.audit.files import OsFiles
from gateway.audit.merkle import Frontier, leaf_hash
from gateway.audit.record import Aborted, Gap, Happened, Rejected, read_line
from gateway.audit.segments import worker_directory
from gateway.audit.verify import verify
from gateway.errors import AuditError
from tests.audit.fakes import Faults, FaultyFiles, open_log, the_log, turns, until
from tests.builders import NOW, decided, happened


def lines(directory: Path) -> list[bytes]:
    found: list[bytes] = []
    for segment in sorted(the_log(directory).glob("*.jsonl")):
        found += segment.read_bytes().splitlines()
    return found


def head(directory: Path) -> dict[str, object]:
    plain: dict[str, object] = json.loads((the_log(directory) / "head.json").read_bytes())
    return plain


def rejected() -> Rejected:
    return Rejected(time=NOW, address="192.0.2.1", reason="malformed.path")


async def test_an_appended_record_is_in_the_file_when_its_future_ends(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    assert await log.append(decided("dec_a")) == 0
    assert [read_line(line).seq for line in lines(tmp_path)] == [0]
    assert await log.append(happened("dec_a")) == 1
    await log.close()
    first, second = map(read_line, lines(tmp_path))
    assert isinstance(second, Happened)
    assert (first.seq, first.origin, first.engine) == (0, "gw.example/audit", "0.1.0")
    assert (second.seq, second.decided) == (1, "dec_a")


async def test_what_arrives_during_a_sync_is_one_batch(tmp_path: Path) -> None:
    faults = Faults()
    log = await open_log(tmp_path, FaultyFiles(OsFiles(), faults))
    faults.gate = threading.Semaphore(0)
    first = log.append(decided("dec_0"))
    await asyncio.sleep(0)
    rest = [log.append(decided(f"dec_{number}")) for number in range(1, 50)]
    await asyncio.sleep(0)
    assert log.queue_length == 50
    faults.open_gate()
    assert await first == 0
    assert [await waiter for waiter in rest] == list(range(1, 50))
    assert (log.syncs, log.last_batch, log.records) == (2, 49, 50)
    await log.close()


@pytest.mark.parametrize(("turns", "syncs"), [(4, 2), (0, 3)])
async def test_what_the_turns_after_a_sync_bring_joins_what_waited_for_it(
    tmp_path: Path, turns: int, syncs: int
) -> None:
    faults = Faults()
    log = await open_log(tmp_path, FaultyFiles(OsFiles(), faults), gather_turns=turns)
    faults.gate = threading.Semaphore(0)
    first = log.append(decided("dec_0"))
    await asyncio.sleep(0)
    waiting = log.append(decided("dec_1"))
    faults.open_gate()
    await first
    late = log.append(decided("dec_2"))
    assert (await waiting, await late) == (1, 2)
    assert log.syncs == syncs
    await log.close()


async def test_records_that_arrive_together_share_a_sync(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    waiters = [log.append(decided(f"dec_{number}")) for number in range(20)]
    assert [await waiter for waiter in waiters] == list(range(20))
    assert log.syncs == 1
    await log.close()


async def test_a_large_backlog_is_written_in_bounded_batches(tmp_path: Path) -> None:
    log = await open_log(tmp_path, batch_lines=8, linger_s=3_600.0)
    waiters = [log.append(decided(f"dec_{number}")) for number in range(20)]
    assert [await waiter for waiter in waiters] == list(range(20))
    assert (log.syncs, log.last_batch) == (3, 4)
    await log.close()


async def test_what_nobody_waits_for_is_written_with_what_comes_next(tmp_path: Path) -> None:
    log = await open_log(tmp_path, linger_s=3_600.0)
    for number in range(2):
        log.enqueue(rejected())
        await turns(20)
        assert (log.syncs, log.queue_length) == (number, 1)
        assert await log.append(decided(f"dec_{number}")) == 2 * number + 1
        assert (log.syncs, log.last_batch) == (number + 1, 2)
    await log.close()


async def test_what_nobody_waits_for_is_written_by_itself_after_a_while(tmp_path: Path) -> None:
    log = await open_log(tmp_path, linger_s=0.001)
    for syncs in (1, 2):
        log.enqueue(rejected())
        await until(lambda syncs=syncs: log.syncs == syncs)  # type: ignore[misc]
    assert len(lines(tmp_path)) == 2
    await log.close()


async def test_what_comes_during_a_sync_and_nobody_waits_for_needs_no_other_at_once(
    tmp_path: Path,
) -> None:
    faults = Faults()
    log = await open_log(tmp_path, FaultyFiles(OsFiles(), faults), linger_s=3_600.0)
    faults.gate = threading.Semaphore(0)
    first = log.append(decided("dec_0"))
    await asyncio.sleep(0)
    log.enqueue(rejected())
    faults.open_gate()
    await first
    await turns(20)
    assert (log.syncs, log.queue_length, log._batch) == (1, 1, None)
    assert await log.append(decided("dec_1")) == 2
    await log.close()


async def test_what_nobody_waits_for_is_written_when_the_log_closes(tmp_path: Path) -> None:
    log = await open_log(tmp_path, linger_s=3_600.0)
    log.enqueue(rejected())
    await log.close()
    assert [type(read_line(line)) for line in lines(tmp_path)] == [Rejected]


async def test_what_comes_while_the_log_closes_is_told_to_be_lost(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    closing = asyncio.create_task(log.close())
    await until(lambda: log._state == "closed")
    log.enqueue(rejected())
    with pytest.raises(AuditError, match="1 records were not written"):
        await closing
    assert (log.lost, lines(tmp_path)) == (1, [])


async def test_a_closed_log_can_be_asked_for_its_health(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    await log.close()
    assert not await asyncio.wait_for(log.probe(), 5)


async def test_closing_writes_what_waits_and_publishes_the_root(tmp_path: Path) -> None:
    log = await open_log(tmp_path, head_s=3_600.0)
    await log.append(decided("dec_a"))
    log.enqueue(happened("dec_a"))
    log.enqueue(rejected())
    await log.close()
    tree = Frontier()
    for line in lines(tmp_path):
        tree.append(leaf_hash(line))
    assert tree.size == 3
    assert head(tmp_path) == {
        "v": 1,
        "origin": "gw.example/audit",
        "worker": "w0",
        "size": 3,
        "root": tree.root().hex(),
        "frontier": [peak.hex() for peak in tree.peaks],
        "segment": "00000000000000000000.jsonl",
        "offset": sum(len(line) + 1 for line in lines(tmp_path)),
        "open_from": 3,
    }
    assert (log.size, log.root) == (3, tree.root())


async def test_the_head_follows_a_sync_and_names_the_oldest_open_decision(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    await log.append(decided("dec_a"))
    await log.append(happened("dec_a"))
    await log.append(decided("dec_b"))
    await log.append(decided("dec_c"))
    await log.probe()
    assert (head(tmp_path)["size"], head(tmp_path)["open_from"]) == (4, 2)
    log.enqueue(happened("dec_b"))
    log.enqueue(happened("dec_c"))
    await log.close()


async def test_a_new_log_has_a_head_before_its_first_record(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    assert (head(tmp_path)["size"], log.healthy, log.last_error) == (0, True, "")
    await log.close()


async def test_segments_begin_where_the_size_is_reached_and_are_named_by_their_first_line(
    tmp_path: Path,
) -> None:
    log = await open_log(tmp_path, segment_bytes=4_000)
    for number in range(9):
        await log.append(decided(f"dec_{number}"))
        log.enqueue(happened(f"dec_{number}"))
    await log.close()
    segments = sorted(the_log(tmp_path).glob("*.jsonl"))
    assert len(segments) > 2
    for segment in segments:
        first = read_line(segment.read_bytes().splitlines()[0])
        assert segment.name == f"{first.seq:020}.jsonl"
        assert segment.stat().st_size <= 4_000
    assert verify(tmp_path, closed=True).ok


async def test_a_batch_larger_than_a_segment_stays_in_one_piece(tmp_path: Path) -> None:
    log = await open_log(tmp_path, segment_bytes=100)
    for number in range(3):
        await log.append(decided(f"dec_{number}"))
        await log.append(happened(f"dec_{number}"))
    await log.close()
    assert len(list(the_log(tmp_path).glob("*.jsonl"))) == 6
    assert verify(tmp_path, closed=True).ok


async def test_a_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    for begin in (0, 2, 4):
        log = await open_log(tmp_path)
        assert await log.append(decided(f"dec_{begin}")) == begin
        log.enqueue(happened(f"dec_{begin}"))
        await log.close()
    assert [read_line(line).seq for line in lines(tmp_path)] == list(range(6))
    assert verify(tmp_path, closed=True).ok


async def test_decisions_left_open_are_named_at_the_next_start(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    for name in ("dec_a", "dec_b", "dec_c"):
        await log.append(decided(name))
    log.enqueue(happened("dec_b"))
    await log.close()
    await (await open_log(tmp_path)).close()
    gap = read_line(lines(tmp_path)[-1])
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.unpaired) == ("restart", ("dec_a", "dec_c"))
    assert verify(tmp_path, closed=True).ok
    await (await open_log(tmp_path)).close()
    assert len(lines(tmp_path)) == 5


async def test_many_open_decisions_are_named_in_lines_of_bounded_length(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    names = [f"dec_{number:024}" for number in range(2_500)]
    for waiter in [log.append(decided(name)) for name in names]:
        await waiter
    await log.close()
    await (await open_log(tmp_path)).close()
    gaps = lines(tmp_path)[2_500:]
    assert max(map(len, gaps)) < 65_536
    assert [
        name for gap in map(read_line, gaps) if isinstance(gap, Gap) for name in gap.unpaired
    ] == names
    assert verify(tmp_path, closed=True).ok


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    with pytest.raises(AuditError, match="another process"):
        await open_log(tmp_path)
    await log.append(decided("dec_a"))
    await log.append(happened("dec_a"))
    await log.close()
    assert verify(tmp_path, closed=True).ok


async def test_each_worker_has_a_log_of_its_own(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    other = worker_directory(tmp_path, origin="gw.example/audit", worker="w1")
    assert other.parent == the_log(tmp_path).parent
    assert other != the_log(tmp_path)
    await log.close()


@pytest.mark.parametrize(
    ("origin", "worker"), [("", "w"), ("o", ""), ("..", "w"), ("o", "."), ("o", "..")]
)
def test_a_name_that_leads_out_of_the_directory_is_refused(origin: str, worker: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        worker_directory(Path("/audit"), origin=origin, worker=worker)


def test_a_slash_in_a_name_is_escaped() -> None:
    directory = worker_directory(Path("/audit"), origin="../x/y", worker="a/b")
    assert directory == Path("/audit/..%2Fx%2Fy/a%2Fb")


async def test_a_completion_of_nothing_is_not_written(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    log.enqueue(happened("dec_unknown"))
    await log.append(decided("dec_a"))
    log.enqueue(happened("dec_a"))
    log.enqueue(happened("dec_a"))
    with pytest.raises(AuditError, match="no open decision"):
        await log.append(happened("dec_a"))
    await log.close()
    assert [read_line(line).seq for line in lines(tmp_path)] == [0, 1]
    assert log.orphans == 3


async def test_a_record_that_cannot_be_encoded_fails_alone(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    broken = msgspec.structs.replace(decided("dec_x"), parts={"a": object()})
    good, bad, other = (
        log.append(record) for record in (decided("dec_a"), broken, decided("dec_b"))
    )
    assert (await good, await other) == (0, 1)
    with pytest.raises(AuditError, match="cannot be encoded"):
        await bad
    assert log.healthy
    for name in ("dec_a", "dec_b"):
        log.enqueue(happened(name))
    log.enqueue(broken)
    await log.close()
    gaps = [record for record in map(read_line, lines(tmp_path)) if isinstance(record, Gap)]
    assert [(gap.refused, gap.lost) for gap in gaps] == [(1, 0), (0, 1)]
    assert verify(tmp_path, closed=True).ok


async def test_a_closed_log_takes_nothing_more(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    await log.close()
    await log.close()
    with pytest.raises(AuditError, match="closed"):
        await log.append(decided())
    log.enqueue(Aborted(time=NOW, id="dec_9", reason="engine.failed"))
    assert (log.healthy, log.lost, lines(tmp_path)) == (False, 1, [])


async def test_a_decision_whose_caller_went_away_is_completed_by_the_log(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    gone, stays = log.append(decided("dec_a")), log.append(decided("dec_b"))
    gone.cancel()
    assert await stays == 1
    log.enqueue(happened("dec_b"))
    await log.close()
    completed = [
        record for record in map(read_line, lines(tmp_path)) if isinstance(record, Happened)
    ]
    assert [(record.decided, record.outcome, record.sent) for record in completed] == [
        ("dec_a", "client_gone", False),
        ("dec_b", "forwarded", True),
    ]
    assert (len(lines(tmp_path)), log.orphans) == (4, 0)
    assert verify(tmp_path, closed=True).ok


async def test_a_task_that_is_cancelled_while_it_waits_need_not_shield_its_record(
    tmp_path: Path,
) -> None:
    faults = Faults()
    log = await open_log(tmp_path, FaultyFiles(OsFiles(), faults))
    faults.gate = threading.Semaphore(0)

    async def append(name: str) -> int:
        return await log.append(decided(name))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(append(name)) for name in ("dec_a", "dec_b")]
        await until(lambda: faults.syncs == 2)  # the first was that of opening
        tasks[0].cancel()
        await asyncio.sleep(0)
        faults.open_gate()
    assert (tasks[0].cancelled(), tasks[1].result()) == (True, 1)
    log.enqueue(happened("dec_b"))
    await log.close()
    completed = [
        record for record in map(read_line, lines(tmp_path)) if isinstance(record, Happened)
    ]
    assert [(record.decided, record.outcome) for record in completed] == [
        ("dec_a", "client_gone"),
        ("dec_b", "forwarded"),
    ]
    assert verify(tmp_path, closed=True).ok


async def test_a_caller_that_shields_its_record_completes_it_itself(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    durable = log.append(decided("dec_a"))
    asyncio.shield(durable).cancel()
    assert await durable == 0
    log.enqueue(happened("dec_a", outcome="client_gone", sent=False))
    await log.close()
    assert (len(lines(tmp_path)), log.orphans) == (2, 0)
    assert verify(tmp_path, closed=True).ok


async def test_of_other_records_than_decisions_nothing_is_completed(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    log.append(rejected()).cancel()
    await log.close()
    assert [type(read_line(line)) for line in lines(tmp_path)] == [Rejected]


async def test_a_caller_that_gave_up_may_still_complete_its_decision(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    log.append(decided("dec_a")).cancel()
    log.enqueue(happened("dec_a"))
    await log.close()
    assert verify(tmp_path, closed=True).ok


async def test_the_group_may_read_the_log_and_others_may_not(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    await log.append(rejected())
    await log.close()
    mask = os.umask(0)
    os.umask(mask)
    segment = next(the_log(tmp_path).glob("*.jsonl"))
    assert segment.stat().st_mode & 0o777 == 0o640 & ~mask
    assert the_log(tmp_path).stat().st_mode & 0o007 == 0
