from __future__ import annotations

import msgspec

from gateway.demo.samples.every import SAMPLES
from gateway.demo.table import as_json, render, summary
from gateway.demo.traffic import Observation
from gateway.demo.verdict import Verdict


def _verdicts() -> list[Verdict]:
    return [
        Verdict(
            observation=Observation(
                sample=sample,
                status=sample.expected.status,
                decision="dec_1",
                error="",
                reason=sample.expected.reason,
                arrived=sample.expected.reaches_provider,
                own_credential=True,
            ),
            outcome=sample.expected.outcome,
            reason=sample.expected.reason,
            rules=("pack/rule-1", "pack/rule-2") if sample.expected.outcome == "permit" else (),
            operation_class=sample.operation_class,
            differences=("status: expected 403, got 200",) if sample.id == "aws-iran" else (),
        )
        for sample in SAMPLES
    ]


def test_the_table_has_a_line_for_each_sample_and_a_summary() -> None:
    lines = render(_verdicts()).splitlines()
    assert len(lines) == 2 + len(SAMPLES) + 1 + 2 + 1
    assert lines[0].split() == [
        *("sample", "caller", "from", "operation", "class"),
        *("outcome", "reason", "status", "provider", "rule"),
    ]
    assert sum(line.startswith("✓") for line in lines) == len(SAMPLES) - 1
    assert "✗ aws-iran: status: expected 403, got 200" in lines
    assert lines[-1].startswith(f"{len(SAMPLES)} requests: ")
    assert lines[-1].endswith(f"{len(SAMPLES) - 1} of {len(SAMPLES)} as said")


def test_the_table_is_plain_unless_colour_is_asked_for() -> None:
    assert "\x1b" not in render(_verdicts())
    coloured = render(_verdicts(), colour=True)
    assert coloured.count("\x1b[0m") == len(SAMPLES)
    assert "\x1b[31;1m✗" in coloured


def test_a_narrow_terminal_gets_fewer_columns_and_none_gets_all() -> None:
    wide = render(_verdicts()).splitlines()[0]
    narrow = render(_verdicts(), columns=110).splitlines()
    assert "class" in wide
    assert "class" not in narrow[0]
    assert "rule-1 +1" in render(_verdicts())
    assert {"sample", "outcome", "reason", "provider"} <= set(narrow[0].split())
    assert max(len(line) for line in narrow[: len(SAMPLES) + 2]) <= 110


def test_the_json_form_says_whether_all_came_out_as_said() -> None:
    document = msgspec.json.decode(msgspec.json.encode(as_json(_verdicts())))
    assert document["as_said"] is False
    assert len(document["samples"]) == len(SAMPLES)
    assert {sample["id"] for sample in document["samples"] if not sample["as_said"]} == {"aws-iran"}


def test_the_summary_counts_by_outcome() -> None:
    permitted = [verdict for verdict in _verdicts() if verdict.outcome == "permit"]
    count = len(permitted)
    assert summary(permitted) == (
        f"{count} requests: {count} permitted, 0 refused, 0 rejected; "
        f"{count} reached the provider; {count} of {count} as said"
    )
