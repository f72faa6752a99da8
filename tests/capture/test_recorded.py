"""What the SDKs of the providers send is read as what it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.app.captures import answer_line
from gateway.sources.catalogs import load_catalog
from tests.capture.measure import measure

ROOT = Path(__file__).parents[2]
RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.jsonl"))
COLLECTION = ROOT / "../shared/catalog/fixtures_sample.jsonl"
CATALOG = load_catalog()


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def test_the_captures_of_fourteen_sdks_are_here() -> None:
    assert len(RECORDED) == 14
    assert sum(len(lines_of(path)) for path in RECORDED) > 180


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_capture_is_what_a_person_said_of_it(path: Path) -> None:
    for line in lines_of(path):
        said, found = json.loads(line), answer_line(line, CATALOG)

        given = (found.id, found.disposition, found.operation_class, found.operation)
        assert given == (
            said["id"],
            "classify",
            said["expected_class"],
            said["expected_operation"],
        ), found.reason


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_no_capture_names_the_machine_that_made_it(path: Path) -> None:
    text = path.read_text()

    for word in ("127.0.0.1", "localhost", "python/3", "Linux"):
        assert word not in text


def test_the_captures_are_read_exactly_and_none_is_refused() -> None:
    rates = measure([line for path in RECORDED for line in lines_of(path)], CATALOG)

    assert (rates.exact, rates.milder, rates.harmless_refused) == (rates.requests, 0, 0)
    assert f"class exact: {rates.requests} of {rates.requests} (100.0%)" in str(rates)


def test_the_collection_is_read_within_the_rates_that_are_asked_for() -> None:
    if not COLLECTION.is_file():
        pytest.skip(f"{COLLECTION} is not here; the committed captures run in its place")
    rates = measure(lines_of(COLLECTION), CATALOG)

    assert rates.exact >= 0.99 * rates.requests, [str(miss) for miss in rates.misses]
    assert rates.milder == 0
    assert rates.harmless_refused <= 0.01 * rates.harmless


def test_a_milder_reading_would_be_seen() -> None:
    [line] = [each for each in lines_of(RECORDED[1]) if b'"aws/CompareFaces"' in each]
    said = json.loads(line) | {"expected_class": "one_to_many"}
    rates = measure([json.dumps(said).encode()], CATALOG)

    assert (rates.milder, rates.exact) == (1, 0)
    assert "milder" in str(rates.misses[0])


@pytest.mark.parametrize("name", ["aws", "azure"])
def test_the_pinned_sdk_still_sends_what_was_recorded(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.capture.record", name],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        timeout=60,
        check=True,
    )

    recorded = ROOT / "tests/capture/recorded" / f"{name}.jsonl"
    assert done.stdout.splitlines() == lines_of(recorded)
