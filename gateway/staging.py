"""Watches what a staged policy does to the tenants that it judges, and gives it up in time.

Counts belong to the event loop. What is counted are decisions of the staged policy, those that the
active one would have permitted, and failures of the engine while there is a stage at all: whose
fault they are is not told apart.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gateway.core.pipeline import Judgement
from gateway.core.snapshot import ACTIVE


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage may do: see `config.policies.StageSettings`."""

    newly_refused: float
    decisions: int
    failures: int


class StageWatch:
    """The counts of one stage."""

    def __init__(self, give_up: Callable[[str], None]) -> None:
        """Watch nothing yet; `give_up` is called, once for each stage, with the reason."""
        self._give_up = give_up
        self._digest = ""
        self._limits: Limits | None = None
        self._decisions = self._refused = self._failures = 0

    def follow(self, digest: str, limits: Limits | None) -> None:
        """Watch the policy with this digest from now on; another one begins to count anew."""
        if digest != self._digest:
            self._decisions = self._refused = self._failures = 0
        self._digest, self._limits = digest, limits

    def judged(self, judgement: Judgement) -> None:
        """Count a decision, where the staged policy made it."""
        if self._limits is None or judgement.snapshot.policies.digest != self._digest:
            return
        self._decisions += 1
        if judgement.decision.outcome == "refuse" and any(
            one.name == ACTIVE and one.outcome == "permit" for one in judgement.alternatives
        ):
            self._refused += 1
            self._hold_to(self._limits)

    def failed(self) -> None:
        """Count a decision that could not be computed."""
        if self._limits is not None:
            self._failures += 1
            self._hold_to(self._limits)

    def _hold_to(self, limits: Limits) -> None:
        reason = ""
        # Counted against at least as many as the share is of: a few first refusals are no share.
        if self._refused > limits.newly_refused * max(self._decisions, limits.decisions):
            reason = f"{self._refused} of {self._decisions} decisions newly refused"
        elif self._failures >= limits.failures:
            reason = f"{self._failures} failure{'s'[: self._failures > 1]} of the engine"
        if reason:
            self._limits = None
            self._give_up(reason)
