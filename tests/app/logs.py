"""Audit logs as a gateway would have left them: decisions under a policy that is kept beside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from gateway.audit.ids import decision_id
from gateway.audit.lines import Lines
from gateway.audit.record import Decided, Line
from gateway.audit.segments import parts_directory, segment_name, worker_directory
from gateway.core.facts import Facts
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Policies
from gateway.sources.stored_parts import StoredParts
from tests.builders import decided, happened

ORIGIN = "gw.example/audit"


def record_of(policy: Policies, facts: Facts, number: int = 1) -> Decided:
    """Return the record of a decision under a policy."""
    return decided(
        decision_id(facts.at, f"{number:016x}"),
        time=facts.at,
        facts=facts,
        decision=evaluate(policy, facts),
        parts={"policies": policy.digest},
    )


def log_of(directory: Path) -> Path:
    return worker_directory(directory, origin=ORIGIN, worker="0")


def write_lines(directory: Path, lines: Iterable[bytes], *, first: int = 0) -> None:
    log = log_of(directory)
    log.mkdir(parents=True, exist_ok=True)
    (log / segment_name(first)).write_bytes(b"".join(line + b"\n" for line in lines))


def keep(directory: Path, *policies: Policies) -> None:
    parts = StoredParts(parts_directory(directory, origin=ORIGIN))
    for policy in policies:
        parts.put_policies(policy)


def write_log(directory: Path, policy: Policies, facts: Sequence[Facts]) -> list[str]:
    """Write a decision and its outcome for each; the policy is kept. Returns the ids."""
    encoder, lines, ids = Lines(origin=ORIGIN, engine="test"), list[bytes](), list[str]()
    for number, judged in enumerate(facts):
        record = record_of(policy, judged, number)
        ids.append(record.id)
        pair: tuple[Line, ...] = (record, happened(record.id, time=judged.at))
        for line in pair:
            lines.append(encoder.line(line, len(lines)))
    write_lines(directory, lines)
    keep(directory, policy)
    return ids


def plain(line: bytes) -> dict[str, object]:
    """Return a line as plain values, to be changed."""
    return msgspec.json.decode(line, type=dict[str, object])


def sorted_line(value: object) -> bytes:
    return msgspec.json.Encoder(order="sorted").encode(value)


def without_caller(line: bytes) -> bytes:
    """Return a decision as it reads where the facts of its caller are gone."""
    value = plain(line)
    judged = value["facts"]
    assert isinstance(judged, dict)
    judged["identity"] = {"state": "erased"}
    return sorted_line(value)


def erase(directory: Path, *numbers: int) -> None:
    """Take the caller out of these decisions of a log that `write_log` wrote."""
    segment = log_of(directory) / segment_name(0)
    lines = segment.read_bytes().split(b"\n")
    for number in numbers:
        lines[2 * number] = without_caller(lines[2 * number])
    segment.write_bytes(b"\n".join(lines))
