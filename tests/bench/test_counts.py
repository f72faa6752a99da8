"""The bench's own rule: a figure counts only if records equal replies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.facegate import check_records, verdict

KINDS = ["activation"] + ["decided", "happened"] * 10


def write(directory: Path, kinds: list[str]) -> Path:
    log = directory / "audit" / "bench" / "0"
    log.mkdir(parents=True)
    half = len(kinds) // 2
    for name, part in (("00.jsonl", kinds[:half]), ("01.jsonl", kinds[half:])):
        lines = [json.dumps({"kind": kind, "seq": seq, "v": 1}) for seq, kind in enumerate(part)]
        (log / name).write_text("".join(f"{line}\n" for line in lines))
    return directory


def test_records_are_counted_over_all_segments(tmp_path: Path) -> None:
    assert check_records(write(tmp_path, KINDS)) == (10, 10)


@pytest.mark.parametrize(("replies", "asked", "in_flight"), [(10, 10, 0), (8, 10, 2), (8, 9, 2)])
def test_a_run_counts_where_records_equal_replies_but_for_what_was_cut_off(
    tmp_path: Path, replies: int, asked: int, in_flight: int
) -> None:
    directory = write(tmp_path, KINDS)
    assert verdict(directory, replies=replies, asked=asked, in_flight=in_flight) is None


@pytest.mark.parametrize(
    ("kinds", "replies", "asked", "in_flight"),
    [
        (KINDS[:-1], 10, 10, 0),
        (KINDS, 11, 11, 5),
        (KINDS, 10, 11, 5),
        (KINDS, 10, 9, 5),
        (KINDS, 7, 10, 2),
        ([], 10, 10, 5),
    ],
    ids=["half", "reply_without", "asked_without", "reply_not_asked", "surplus", "none"],
)
def test_a_run_does_not_count_where_a_record_is_missing_or_too_many(
    tmp_path: Path, kinds: list[str], replies: int, asked: int, in_flight: int
) -> None:
    directory = write(tmp_path, kinds)
    assert verdict(directory, replies=replies, asked=asked, in_flight=in_flight) is not None


def test_the_plain_proxy_is_at_most_60_lines() -> None:
    assert len((Path(__file__).parent / "plain_proxy.py").read_text().splitlines()) <= 60
