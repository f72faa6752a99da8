"""What decisions took, added up from the records alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.audit.takings import Takings
from gateway.core.decision import Decision
from gateway.core.operation import Counted, Observed, Returned, Taken
from tests.core.policy.builders import NOON, caller, facts

PERMIT = Decision(
    outcome="permit", reason="policy.permitted", shadow_outcome="permit", discharged=("LIC-1",)
)
BACK = Returned(of="reference", id="LIC-1", amount=1)


def quota(used: int, *, limit: int = 10, amount: int = 1) -> Observed:
    taken = Taken(reference="LIC-1", used=used, limit=limit, amount=amount)
    return Observed(quotas=(taken,))


def budget(used: int, *, limit: int = 10, over: tuple[str, ...] = ()) -> Observed:
    counted = Counted(budget="a", per="day", since=NOON, used=used, limit=limit, amount=1)
    return Observed(budgets=(counted,), over=over)


def decided(number: int, observed: Observed, decision: Decision = PERMIT) -> dict[str, Any]:
    judged = msgspec.structs.replace(facts(identity=caller()), observed=observed)
    made: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode({"id": f"dec_{number}", "facts": judged, "decision": decision})
    )
    return made


def happened(number: int, *given_back: Returned, sent: bool = False) -> dict[str, Any]:
    back: list[Any] = msgspec.json.decode(msgspec.json.encode(given_back))
    return {"decided": f"dec_{number}", "sent": sent, "given_back": back}


def found(*records: dict[str, Any]) -> list[str]:
    takings = Takings()
    messages = list[str]()
    for record in records:
        messages += takings.decided(record) if "id" in record else takings.happened(record)
    return messages


def test_what_is_taken_and_given_back_adds_up() -> None:
    assert (
        found(
            decided(1, quota(0)),
            decided(2, quota(1)),
            happened(1, sent=True),
            happened(2, BACK),
            decided(3, quota(1)),
            # A crash: counting begins again at the mark, which lies ahead.
            decided(4, quota(7)),
            # A refusal takes nothing, and so does a reference that was not used.
            decided(5, quota(8), msgspec.structs.replace(PERMIT, outcome="refuse")),
            decided(6, quota(8), msgspec.structs.replace(PERMIT, discharged=("LIC-2",))),
            decided(7, quota(9)),
            decided(8, budget(9)),
            decided(9, budget(10, over=("a",))),
        )
        == []
    )


@pytest.mark.parametrize(
    ("records", "message"),
    [
        pytest.param(
            [decided(1, quota(10))],
            "counts 10 of reference `LIC-1`, and takes more than its quota",
            id="more than the quota",
        ),
        pytest.param(
            [decided(1, quota(4)), decided(2, quota(0))],
            "counts 0 of reference `LIC-1`, but 1 were taken before",
            id="a count that was set back",
        ),
        pytest.param(
            [decided(1, quota(0)), decided(2, quota(1)), decided(3, quota(1))],
            "counts 1 of reference `LIC-1`, but 2 were taken before",
            id="the same twice",
        ),
        pytest.param(
            [decided(1, budget(0)), decided(2, budget(0))],
            "counts 0 of budget `a`, but 1 were taken before",
            id="a budget that was set back",
        ),
        pytest.param(
            [decided(1, budget(10))],
            "is wrong about whether budget `a` is exceeded",
            id="over, and not said",
        ),
        pytest.param(
            [decided(1, budget(1, over=("a",)))],
            "is wrong about whether budget `a` is exceeded",
            id="said, and not over",
        ),
        pytest.param(
            [decided(1, quota(0)), happened(1, BACK, sent=True)],
            "gives back what was sent",
            id="given back after it was sent",
        ),
        pytest.param(
            [decided(1, budget(0)), happened(1, BACK)],
            "gives back of reference `LIC-1` what was not taken",
            id="given back and never taken",
        ),
        pytest.param(
            [decided(1, quota(0)), happened(1, BACK, BACK)],
            "gives back of reference `LIC-1` what was not taken",
            id="given back twice",
        ),
        pytest.param(
            [
                decided(1, quota(0)),
                happened(1, msgspec.structs.replace(BACK, amount=5)),
            ],
            "gives back of reference `LIC-1` what was not taken",
            id="more than was taken",
        ),
    ],
)
def test_what_does_not_add_up_is_found(records: list[dict[str, Any]], message: str) -> None:
    assert found(*records) == [message]


def test_what_was_never_completed_counts_as_spent() -> None:
    takings = Takings()
    assert list(takings.decided(decided(1, quota(0)))) == []
    takings.lost("dec_1")
    assert list(takings.happened(happened(1, BACK))) == [
        "gives back of reference `LIC-1` what was not taken"
    ]


@pytest.mark.parametrize("value", [None, "x", -1, 1.5, True, [], {}])
def test_a_count_in_no_known_form_is_found(value: object) -> None:
    record = decided(1, quota(0))
    record["facts"]["observed"]["quotas"][0]["used"] = value
    assert found(record) == ["does not say what was taken of reference `LIC-1`"]


@pytest.mark.parametrize("field", ["facts", "decision"])
@pytest.mark.parametrize("value", [None, 7, [], "x", {"observed": {"quotas": [3]}}])
def test_a_record_of_any_form_is_read(field: str, value: object) -> None:
    found({**decided(1, quota(0)), field: value})


def erased(record: dict[str, Any]) -> dict[str, Any]:
    """Return a decision as it stands where its caller's facts are gone."""
    return record | {"facts": record["facts"] | {"identity": {"state": "erased"}}}


def test_the_counts_of_callers_that_are_erased_are_not_taken_for_one_another_s() -> None:
    # Two tenants with a licence of the same name: nobody can tell any more whose is whose.
    assert (
        found(
            erased(decided(1, quota(0))),
            erased(decided(2, quota(0))),
            happened(1, BACK),
            decided(3, quota(0)),
            erased(decided(4, quota(0))),
            happened(2, BACK),
        )
        == []
    )


def test_what_an_erased_caller_never_took_is_not_given_back_either() -> None:
    refused = msgspec.structs.replace(PERMIT, outcome="refuse")
    (message,) = found(erased(decided(1, quota(0), refused)), happened(1, BACK))
    assert message == "gives back of reference `LIC-1` what was not taken"


def test_a_record_from_before_there_were_quotas_is_read() -> None:
    assert found({"id": "dec_1", "facts": {"observed": {"stream_processor": ""}}}) == []
    assert found({"decided": "dec_1", "sent": True}) == []
