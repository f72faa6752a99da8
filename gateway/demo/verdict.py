"""Compares what became of the samples with what they say, by the audit log's own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gateway.audit.record import Decided
from gateway.core.operation import class_of
from gateway.demo.samples.model import Outcome
from gateway.demo.traffic import Observation


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """An observation beside what was expected.

    Attributes:
        observation: what was seen from outside.
        outcome: as recorded; `reject` where no decision was.
        reason: as recorded, or as the answer names it.
        rules: ids of the rules that decided, in pack order; empty where a built-in did.
        operation_class: as recorded; empty where no decision was.
        differences: empty where all is as said.
    """

    observation: Observation
    outcome: Outcome
    reason: str
    rules: tuple[str, ...]
    operation_class: str
    differences: tuple[str, ...]

    @property
    def as_said(self) -> bool:
        """Whether everything came out as the sample says."""
        return not self.differences


def verdicts(
    observations: Iterable[Observation], decided: Mapping[str, Decided]
) -> tuple[Verdict, ...]:
    """Compare observations with what the samples say.

    Args:
        observations: what was seen from outside.
        decided: the audit log's `decided` records by id; what they say counts, and where a sample
            was judged there must be one.
    """
    return tuple(_verdict(one, decided.get(one.decision)) for one in observations)


def _verdict(observation: Observation, decided: Decided | None) -> Verdict:
    expected = observation.sample.expected
    outcome: Outcome = "reject" if decided is None else decided.decision.outcome
    reason = observation.reason if decided is None else decided.decision.reason
    operation_class = "" if decided is None else class_of(decided.facts.operation)
    said = {
        "status": (expected.status, observation.status),
        "outcome": (expected.outcome, outcome),
        "reason": (expected.reason, reason),
        "class": (
            "" if expected.outcome == "reject" else observation.sample.operation_class,
            operation_class,
        ),
        "reaches provider": (expected.reaches_provider, observation.arrived),
        "the gateway's own credential": (True, observation.own_credential),
    }
    return Verdict(
        observation=observation,
        outcome=outcome,
        reason=reason,
        rules=() if decided is None else decided.decision.rules,
        operation_class=operation_class,
        differences=tuple(
            f"{what}: expected {wanted}, got {got}"
            for what, (wanted, got) in said.items()
            if wanted != got
        ),
    )
