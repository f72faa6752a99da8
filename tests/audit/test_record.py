from __future__ import annotations

import hashlib
import json

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings, strategies as st

from gateway.audit.record import (
    MAX_INTEGER,
    Aborted,
    Activation,
    Gap,
    Line,
    Rejected,
    Shed,
    encode,
    masked_target,
    read_line,
    request_part,
)
from gateway.core.decision import Decision
from gateway.core.facts import Facts
from gateway.core.request import Streaming
from gateway.errors import AuditError
from tests.audit.strategies import DECISIONS, FACTS
from tests.builders import NOW, a_request, an_operation, decided, facts, happened

KEY = b"k" * 32
EVERY_KIND: list[Line] = [
    decided(),
    happened(),
    Rejected(time=NOW, address="192.0.2.1", reason="malformed.path", count=3, since=NOW),
    Aborted(time=NOW, id="dec_9", reason="engine.failed"),
    Activation(time=NOW, what="policies", who="watcher", digest="e" * 64, result="activated"),
    Shed(time=NOW, reason="inflight", count=7, since=NOW),
    Gap(time=NOW, reason="restart", unpaired=("dec_1", "dec_2")),
]


def line_of(record: Line, seq: int = 5) -> bytes:
    return encode(record, origin="gw.example/audit", seq=seq, engine="0.1.0")


def masked(query_string: str, *, open_parameters: frozenset[str] = frozenset({"limit"})) -> str:
    return masked_target(
        a_request(path="/v1/detect", query_string=query_string),
        open_parameters=open_parameters,
        credential_parameters=frozenset({"key"}),
        mask_key=KEY,
    )


@pytest.mark.parametrize("record", EVERY_KIND, ids=lambda record: type(record).__name__)
def test_each_kind_is_canonical_and_read_back_as_written(record: Line) -> None:
    line = line_of(record)
    plain = json.loads(line)
    assert rfc8785.dumps(plain) == line
    assert plain["kind"] == type(record).__name__.lower()
    assert (plain["v"], plain["origin"], plain["seq"]) == (1, "gw.example/audit", 5)
    again = read_line(line)
    assert again == msgspec.structs.replace(
        record, origin="gw.example/audit", seq=5, engine="0.1.0"
    )


@given(FACTS, DECISIONS)
@settings(max_examples=60)
def test_facts_and_decision_are_read_back_without_loss(found: Facts, verdict: Decision) -> None:
    line = line_of(decided(facts=found, decision=verdict))
    again = read_line(line)
    assert isinstance(again, type(decided()))
    assert (again.facts, again.decision) == (found, verdict)
    assert rfc8785.dumps(json.loads(line)) == line


def test_numbering_a_record_leaves_the_record_itself_alone() -> None:
    record = decided()
    line_of(record, seq=7)
    assert (record.seq, record.origin) == (0, "")


def test_a_record_with_text_that_has_no_utf_8_form_is_written_all_the_same() -> None:
    record = decided(facts=facts(operation=an_operation(name="\ud800Search")))
    assert b'"name":"?Search"' in line_of(record)


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain.update(v=2),
        lambda plain: plain.update(kind="ordained"),
        lambda plain: plain.update(extra=1),
        lambda plain: plain["facts"].update(extra=1),
        lambda plain: plain["facts"]["operation"].update(extra=1),
        lambda plain: plain.update(seq=MAX_INTEGER + 1),
        lambda plain: plain.update(seq=-1),
        lambda plain: plain.pop("facts"),
        lambda plain: plain["decision"].update(outcome="perhaps"),
    ],
    ids=["v", "kind", "field", "fact", "deep", "large", "negative", "missing", "outcome"],
)
def test_a_reader_refuses_what_it_does_not_know(change: object) -> None:
    plain = json.loads(line_of(decided()))
    assert callable(change)
    change(plain)
    with pytest.raises(AuditError):
        read_line(rfc8785.dumps(plain) if plain["seq"] <= MAX_INTEGER else _sorted(plain))


def _sorted(plain: object) -> bytes:
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"null", b"[1]", b'{"kind":"decided"}', b"\xff", b'{"v":1'],
)
def test_a_reader_refuses_what_is_no_record(line: bytes) -> None:
    with pytest.raises(AuditError):
        read_line(line)


def test_a_reader_refuses_a_record_in_another_form() -> None:
    with pytest.raises(AuditError, match="canonical"):
        read_line(line_of(happened()).replace(b'"v":1', b'"v": 1'))


def test_a_reader_takes_a_line_from_before_a_field_with_a_default_existed() -> None:
    plain = json.loads(line_of(decided()))
    del plain["facts"]["observed"]["stream_processor"]
    again = read_line(rfc8785.dumps(plain))
    assert isinstance(again, type(decided()))
    assert again.facts.observed.stream_processor == ""


def test_only_open_parameters_stand_in_a_record() -> None:
    digest = hashlib.blake2b(b"s3cret", key=KEY, digest_size=32).hexdigest()[:16]
    assert masked("limit=10&token=s3cret") == f"/v1/detect?limit=10&token=~{digest}"


def test_a_credential_place_is_masked_even_if_the_catalogue_calls_it_open() -> None:
    assert "s3cret" not in masked("key=s3cret", open_parameters=frozenset({"key", "limit"}))


@pytest.mark.parametrize(
    "query", ["s3cret", "&s3cret", "lim%69t=s3cret", "Limit=s3cret", "=s3cret"]
)
def test_a_value_in_an_unexpected_place_is_masked(query: str) -> None:
    assert "s3cret" not in masked(query)
    assert "~" in masked(query)


def test_equal_values_have_equal_masks_under_one_key_only() -> None:
    first, second = masked("a=x&b=x").partition("?")[2].split("&")
    assert first.removeprefix("a=") == second.removeprefix("b=")
    other = masked_target(
        a_request(path="/v1/detect", query_string="a=x"),
        open_parameters=frozenset(),
        credential_parameters=frozenset(),
        mask_key=b"another key",
    )
    assert other.partition("?")[2] != first


def test_a_target_without_a_query_stands_as_it_is() -> None:
    assert masked("") == "/v1/detect"


@given(st.text("abc=&%~", max_size=20))
def test_masking_keeps_the_shape_of_the_query(query: str) -> None:
    shown = masked(query).partition("?")[2]
    assert shown.count("&") == query.count("&")
    names = [piece.partition("=")[0] for piece in query.split("&") if "=" in piece]
    assert [piece.partition("=")[0] for piece in shown.split("&") if "=" in piece] == names


def test_a_record_keeps_names_lengths_and_digest_of_a_request_and_no_value() -> None:
    request = a_request(
        body=b"face bytes", headers={"x-b": "s3cret-1", "authorization": "s3cret-2"}
    )
    part = request_part(
        request, open_parameters=frozenset(), credential_parameters=frozenset(), mask_key=KEY
    )
    assert part.header_names == ("authorization", "x-b")
    assert part.body_bytes == 10
    assert part.body_sha256 == hashlib.sha256(b"face bytes").hexdigest()
    assert b"s3cret" not in msgspec.json.encode(part)
    assert b"face bytes" not in msgspec.json.encode(part)


@pytest.mark.parametrize(("length", "kept"), [(5_000, 5_000), (2**60, MAX_INTEGER)])
def test_of_a_streaming_body_the_announced_length_is_kept(length: int, kept: int) -> None:
    part = request_part(
        a_request(body=Streaming(length)),
        open_parameters=frozenset(),
        credential_parameters=frozenset(),
        mask_key=KEY,
    )
    assert (part.body_bytes, part.body_sha256) == (kept, None)


def test_segments_of_a_path_that_may_hold_a_credential_are_masked() -> None:
    request = a_request(method="GET", path="/api/v1/static/00000000-key/images/7", body=b"")
    masked = masked_target(
        request,
        open_parameters=frozenset(),
        credential_parameters=frozenset(),
        mask_key=KEY,
        open_segments=frozenset({"api", "v1", "static", "images"}),
    )
    assert masked.startswith("/api/v1/static/~")
    assert "/images/~" in masked
    assert "00000000" not in masked
