from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.audit.log import AuditLog
from gateway.audit.record import Gap, read_line
from gateway.audit.verify import verify
from gateway.errors import AuditError
from tests.audit.fakes import open_log, the_log
from tests.builders import decided, happened


async def a_log(directory: Path, pairs: int = 4, *, segment_bytes: int = 1 << 20) -> AuditLog:
    log = await open_log(directory, segment_bytes=segment_bytes)
    for number in range(pairs):
        await log.append(decided(f"dec_{number}"))
        await log.append(happened(f"dec_{number}"))
    return log


async def a_closed_log(
    directory: Path, pairs: int = 4, *, segment_bytes: int = 1 << 20
) -> tuple[Path, bytes]:
    """Write some pairs and end in order; return the log's directory and its root."""
    log = await a_log(directory, pairs, segment_bytes=segment_bytes)
    await log.close()
    return the_log(directory), log.root


def segments(log: Path) -> list[Path]:
    return sorted(log.glob("*.jsonl"))


def gaps(log: Path) -> list[Gap]:
    lines = [line for path in segments(log) for line in path.read_bytes().splitlines()]
    return [record for record in map(read_line, lines) if isinstance(record, Gap)]


def edit_head(log: Path, **changes: object) -> None:
    head = json.loads((log / "head.json").read_bytes())
    (log / "head.json").write_text(json.dumps({**head, **changes}))


async def test_an_orderly_end_leaves_nothing_to_state(tmp_path: Path) -> None:
    log, root = await a_closed_log(tmp_path)
    again = await open_log(tmp_path)
    assert (again.root, again.size, gaps(log)) == (root, 8, [])
    await again.close()


HEADS: dict[str, Callable[[Path], object]] = {
    "missing": lambda head: head.unlink(),
    "empty": lambda head: head.write_bytes(b""),
    "torn": lambda head: head.write_bytes(head.read_bytes()[:40]),
    "no text": lambda head: head.write_bytes(b"\xff\x00"),
    "of no sense": lambda head: head.write_bytes(
        head.read_bytes().replace(b'"size":8', b'"size":7')
    ),
    "of another root": lambda head: head.write_bytes(
        head.read_bytes().replace(b'"root":"', b'"root":"00')
    ),
}


@pytest.mark.parametrize("damage", HEADS)
async def test_a_lost_head_is_rebuilt_from_the_lines_and_that_is_stated(
    tmp_path: Path, damage: str
) -> None:
    log, root = await a_closed_log(tmp_path, segment_bytes=4_000)
    HEADS[damage](log / "head.json")
    again = await open_log(tmp_path)
    assert [(gap.reason, gap.seq) for gap in gaps(log)] == [("head", 8)]
    await again.close()
    tampered_with = json.loads((log / "head.json").read_bytes())
    assert tampered_with["size"] == 9
    assert again.root != root
    assert verify(tmp_path, closed=True).ok


async def test_a_head_that_is_behind_is_brought_up_to_the_lines(tmp_path: Path) -> None:
    log = await a_log(tmp_path, pairs=2, segment_bytes=4_000)
    await log.probe()
    head = the_log(tmp_path) / "head.json"
    behind = head.read_bytes()
    for number in range(10, 14):
        await log.append(decided(f"dec_{number}"))
        await log.append(happened(f"dec_{number}"))
    await log.close()
    head.write_bytes(behind)
    again = await open_log(tmp_path)
    assert (again.size, again.root, gaps(the_log(tmp_path))) == (12, log.root, [])
    await again.close()
    assert verify(tmp_path, closed=True).ok


async def test_an_open_decision_in_an_earlier_segment_is_found(tmp_path: Path) -> None:
    log = await a_log(tmp_path, pairs=1, segment_bytes=4_000)
    await log.append(decided("dec_open"))
    for number in range(10, 14):
        await log.append(decided(f"dec_{number}"))
        await log.append(happened(f"dec_{number}"))
    await log.close()
    assert len(segments(the_log(tmp_path))) > 2
    again = await open_log(tmp_path)
    assert again.size == 12
    await again.close()
    assert [gap.unpaired for gap in gaps(the_log(tmp_path))] == [("dec_open",)]
    assert verify(tmp_path, closed=True).ok


@pytest.mark.parametrize(
    "tail", [b'{"v":1', b"\0" * 64, b"\0" * 30 + b"\n" + b"\0" * 30, b"x\n"], ids=repr
)
async def test_what_an_unsynced_write_left_at_the_end_is_cut_and_stated(
    tmp_path: Path, tail: bytes
) -> None:
    log, root = await a_closed_log(tmp_path)
    with segments(log)[-1].open("ab") as segment:
        segment.write(tail)
    again = await open_log(tmp_path)
    await again.close()
    (gap,) = gaps(log)
    assert (gap.reason, gap.cut_bytes, gap.seq) == ("torn", len(tail), 8)
    assert again.root != root
    assert verify(tmp_path, closed=True).ok


def _cut_last_line(log: Path) -> None:
    path = segments(log)[-1]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _cut_last_bytes(log: Path) -> None:
    path = segments(log)[-1]
    path.write_bytes(path.read_bytes()[:-3])


def _append_foreign_number(log: Path) -> None:
    path = segments(log)[-1]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[-1]]))


def _append_damage_amid_lines(log: Path) -> None:
    path = segments(log)[-1]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, b"damage\n", lines[-1]]))


def _damage_before_the_last_segment(log: Path) -> None:
    (log / "head.json").unlink()
    path = segments(log)[0]
    path.write_bytes(path.read_bytes()[:-1])


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink()


UNSOUND: dict[str, Callable[[Path], object]] = {
    "last line cut": _cut_last_line,
    "last bytes cut": _cut_last_bytes,
    "last segment removed": lambda log: segments(log)[-1].unlink(),
    "all segments removed": lambda log: _remove(*segments(log)),
    "last segment emptied": lambda log: segments(log)[-1].write_bytes(b""),
    "line repeated": _append_foreign_number,
    "damage amid lines": _append_damage_amid_lines,
    "earlier segment torn": _damage_before_the_last_segment,
    "head of more lines": lambda log: edit_head(
        log, size=16, frontier=["0" * 64], root="0" * 64, open_from=16
    ),
    "head amid a line": lambda log: edit_head(log, offset=5),
    "head of another worker": lambda log: edit_head(log, worker="w9"),
    "head of another origin": lambda log: edit_head(log, origin="elsewhere"),
    "head at a segment that never was": lambda log: edit_head(log, segment="0" * 19 + "9.jsonl"),
    "first segment and head removed": lambda log: _remove(segments(log)[0], log / "head.json"),
}


@pytest.mark.parametrize("damage", UNSOUND)
async def test_a_log_that_does_not_hold_together_does_not_open(tmp_path: Path, damage: str) -> None:
    log, _ = await a_closed_log(tmp_path, segment_bytes=4_000)
    UNSOUND[damage](log)
    before = {path.name: path.read_bytes() for path in log.iterdir()}
    with pytest.raises(AuditError, match="does not open") as refusal:
        await open_log(tmp_path)
    assert "hint: run `facegate audit verify`" in str(refusal.value)
    assert {path.name: path.read_bytes() for path in log.iterdir()} == before


async def test_a_log_that_was_shortened_while_a_decision_was_open_does_not_open(
    tmp_path: Path,
) -> None:
    log = await open_log(tmp_path)
    for number in range(4):
        await log.append(decided(f"dec_{number}"))
    await log.close()
    _cut_last_line(the_log(tmp_path))
    with pytest.raises(AuditError, match="3 lines, but its own root is over 4"):
        await open_log(tmp_path)


async def test_a_log_that_is_longer_than_one_read_is_taken_up_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, root = await a_closed_log(tmp_path, pairs=3)
    (log / "head.json").unlink()
    monkeypatch.setattr("gateway.audit.recovery._CHUNK_BYTES", 700)
    again = await open_log(tmp_path)
    await again.close()
    assert again.size == 7
    assert verify(tmp_path, closed=True).ok
    assert root != again.root
