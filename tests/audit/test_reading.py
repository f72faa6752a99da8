"""Reading logs: every whole line once, and one decision wherever it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from gateway.audit import reading
from gateway.audit.ids import decision_id, time_of
from gateway.audit.reading import Piece, begins, find_decision, lines_in, logs_under, pieces
from gateway.audit.record import encode, read_line
from gateway.audit.segments import segment_name, worker_directory
from tests.builders import NOW, decided, happened

ORIGIN = "gw.example/audit"


def noise() -> Callable[[], str]:
    numbers = count(0x1234)
    return lambda: f"{next(numbers) * 0x9E3779B97F4A7C15 % 2**64:016x}"


def write_log(directory: Path, times: list[datetime], *, lines_a_segment: int = 40) -> list[str]:
    """Write decisions with their outcomes; returns the ids."""
    log = worker_directory(directory, origin=ORIGIN, worker="0")
    log.mkdir(parents=True)
    next_noise, ids, lines = noise(), list[str](), list[bytes]()
    for time in times:
        decision = decision_id(time, next_noise())
        ids.append(decision)
        for record in (decided(decision, time=time), happened(decision, time=time)):
            lines.append(encode(record, origin=ORIGIN, seq=len(lines), engine="test"))
    for first in range(0, len(lines), lines_a_segment):
        content = b"".join(line + b"\n" for line in lines[first : first + lines_a_segment])
        (log / segment_name(first)).write_bytes(content)
    return ids


def steadily(number: int, *, every_s: float = 3.0) -> list[datetime]:
    return [NOW + timedelta(seconds=every_s * one) for one in range(number)]


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis wants naive bounds
def test_an_id_tells_its_time_to_the_millisecond(time: datetime) -> None:
    told = time_of(decision_id(time, "0123456789abcdef"))
    assert told is not None
    assert abs(told - time) <= timedelta(milliseconds=1)


@given(st.lists(st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)), min_size=2))  # noqa: DTZ001 - likewise
def test_ids_are_in_order_of_time(times: list[datetime]) -> None:
    ordered = sorted(times)
    ids = [decision_id(time, f"{2**64 - 1 - n:016x}")[:16] for n, time in enumerate(ordered)]
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    "other", ["", "dec_1", "dec_977254e6b9593387c1d46b22", "dec_" + "f" * 28, "dec_" + "g" * 28]
)
def test_an_id_of_another_form_tells_no_time(other: str) -> None:
    assert time_of(other) is None


@given(
    st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=30),
    st.integers(1, 50),
    st.sampled_from([b"", b"{torn"]),
)
def test_every_whole_line_is_in_exactly_one_piece(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], size: int, torn: bytes
) -> None:
    path = tmp_path_factory.mktemp("segment") / segment_name(0)
    content = b"".join(line + b"\n" for line in lines)
    path.write_bytes(content + torn)
    total = path.stat().st_size
    cut = [Piece(path, at, min(at + size, total)) for at in range(0, total, size)]
    assert [line for piece in cut for line in lines_in(piece)] == lines


def test_a_segment_is_read_in_pieces_that_follow_one_another(tmp_path: Path) -> None:
    path = tmp_path / segment_name(0)
    with path.open("wb") as file:
        file.truncate(2 * reading.PIECE_BYTES + 5)
    assert [(piece.start, piece.end) for piece in pieces(path)] == [
        (0, reading.PIECE_BYTES),
        (reading.PIECE_BYTES, 2 * reading.PIECE_BYTES),
        (2 * reading.PIECE_BYTES, 2 * reading.PIECE_BYTES + 5),
    ]


@pytest.mark.parametrize("every_s", [0.0001, 3.0, 400.0])
def test_each_decision_is_found_wherever_it_stands(tmp_path: Path, every_s: float) -> None:
    ids = write_log(tmp_path, steadily(200, every_s=every_s))
    for decision in ids:
        found = find_decision(tmp_path, decision)
        assert found is not None
        record = read_line(found.line)
        assert record.__struct_config__.tag == "decided"
        assert f'"id":"{decision}"'.encode() in found.line
        with found.path.open("rb") as file:
            file.seek(found.offset)
            assert file.readline() == found.line + b"\n"


def test_only_a_little_around_its_time_is_read(tmp_path: Path) -> None:
    ids = write_log(tmp_path, steadily(3000), lines_a_segment=10_000)
    told = list[tuple[int, int]]()
    found = find_decision(tmp_path, ids[1234], progress=lambda *read: told.append(read))
    assert found is not None
    assert not told  # the whole log was not searched


def test_a_clock_that_went_astray_makes_it_slower_and_finds_it_all_the_same(
    tmp_path: Path,
) -> None:
    times = steadily(3000)
    times[1500] = NOW - timedelta(days=400)
    ids = write_log(tmp_path, times, lines_a_segment=10_000)
    told = list[tuple[int, int]]()
    found = find_decision(tmp_path, ids[1500], progress=lambda *read: told.append(read))
    assert found is not None
    assert f'"id":"{ids[1500]}"'.encode() in found.line


def test_an_id_of_an_earlier_form_is_found_by_reading_everything(tmp_path: Path) -> None:
    write_log(tmp_path, steadily(10))
    log = worker_directory(tmp_path, origin=ORIGIN, worker="0")
    old = encode(decided("dec_977254e6b9593387c1d46b22"), origin=ORIGIN, seq=20, engine="test")
    (log / segment_name(20)).write_bytes(old + b"\n")
    found = find_decision(tmp_path, "dec_977254e6b9593387c1d46b22")
    assert found is not None
    assert found.line == old


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    write_log(tmp_path, steadily(10))
    assert find_decision(tmp_path, decision_id(NOW, "f" * 16)) is None
    assert find_decision(tmp_path, 'dec_1"') is None


def test_parts_are_no_log(tmp_path: Path) -> None:
    write_log(tmp_path, steadily(3))
    log = worker_directory(tmp_path, origin=ORIGIN, worker="0")
    reading.parts_beside(log).mkdir()
    assert logs_under(tmp_path) == (log,)
    assert logs_under(log) == (log,)


def test_a_segment_begins_when_its_first_line_does(tmp_path: Path) -> None:
    write_log(tmp_path, steadily(30))
    log = worker_directory(tmp_path, origin=ORIGIN, worker="0")
    assert begins(log / segment_name(40)) == NOW + timedelta(seconds=60)
    (log / segment_name(99)).write_bytes(b"")
    assert begins(log / segment_name(99)) is None
