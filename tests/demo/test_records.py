from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.audit.record import Decided, Happened, Rejected, RequestPart, encode
from gateway.core.decision import Decision
from gateway.core.facts import Facts
from gateway.core.geography.model import Unlocated
from gateway.core.identity.model import Unverified
from gateway.core.operation import Observed, Unknown
from gateway.core.screening import NotScreened
from gateway.demo.records import decided_records
from gateway.errors import AuditError

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def _decided(decision_id: str) -> Decided:
    return Decided(
        time=NOW,
        id=decision_id,
        snapshot="sha256:0",
        parts={},
        request=RequestPart(
            method="POST", host="a", target="/", header_names=(), body_bytes=0, body_sha256=None
        ),
        facts=Facts(
            operation=Unknown(provider="aws_rekognition", reason="no target"),
            identity=Unverified(reason="identity.missing"),
            geography=Unlocated(client="", reason="no database"),
            screening=NotScreened(reason="not verified"),
            observed=Observed(),
            at=NOW,
        ),
        decision=Decision(outcome="refuse", reason="identity.missing", shadow_outcome="refuse"),
    )


def _line(record: Decided | Happened | Rejected, seq: int) -> bytes:
    return encode(record, origin="demo", seq=seq, engine="0") + b"\n"


def test_decided_records_are_found_by_id_in_every_segment(tmp_path: Path) -> None:
    worker = tmp_path / "demo" / "0"
    worker.mkdir(parents=True)
    happened = Happened(time=NOW, decided="dec_1", outcome="refused", sent=False)
    rejected = Rejected(time=NOW, address="192.0.2.1", reason="malformed.path")
    (worker / "00000000000000000000.jsonl").write_bytes(
        _line(_decided("dec_1"), 0) + _line(happened, 1) + _line(rejected, 2)
    )
    half = _line(_decided("dec_3"), 4)[:-20]
    (worker / "00000000000000000003.jsonl").write_bytes(_line(_decided("dec_2"), 3) + half)
    (worker / "head.json").write_bytes(b"{}")
    records = decided_records(tmp_path)
    assert list(records) == ["dec_1", "dec_2"]
    assert records["dec_2"].decision.reason == "identity.missing"


def test_a_line_that_is_no_record_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000000.jsonl").write_bytes(b"{}\n")
    with pytest.raises(AuditError):
        decided_records(tmp_path)
