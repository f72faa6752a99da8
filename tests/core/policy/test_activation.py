"""The steps that move the pointer: what is active, what is held, and what never comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.core.policy.activation import (
    Candidate,
    Origin,
    State,
    StepRefusedError,
    activated,
    objection,
    refused,
    rolled_back,
    target_of_rollback,
)
from gateway.core.policy.signing import Signed
from tests.builders import NOW

ADA = Origin(who="ada", why="because", time=NOW)
NAMES = st.sampled_from("ABCD")


def candidate(bundle: str, version: int | None = None) -> Candidate:
    """Return a candidate; one with a version is signed."""
    if version is None:
        return Candidate(bundle=bundle, policies=bundle.lower())
    signed = Signed(bundle=bundle, version=version, expires=NOW + timedelta(days=1), signatures=())
    return Candidate(bundle=bundle, policies=bundle.lower(), signed=signed, signers=("ada",))


def after(*bundles: str) -> State:
    """Return the state after these bundles were activated in turn."""
    state: State | None = None
    for bundle in bundles:
        state = activated(state, candidate(bundle), ADA)
    assert state is not None
    return state


def test_a_step_says_who_when_why_and_what() -> None:
    step = activated(after("A"), candidate("B", 3), ADA, action="activate").active
    assert (step.who, step.why, step.time, step.seq) == ("ada", "because", NOW, 2)
    assert (step.action, step.bundle, step.policies) == ("activate", "B", "b")
    assert (step.version, step.signers) == (3, ("ada",))


def test_a_rollback_goes_back_one_and_holds_what_it_left() -> None:
    state = after("A", "B", "C")
    assert target_of_rollback(state) == "B"
    state = rolled_back(state, candidate("B"), ADA)
    assert (state.active.bundle, state.held) == ("B", ("C",))
    assert target_of_rollback(state) == "A"
    state = rolled_back(state, candidate("A"), ADA)
    assert (state.active.bundle, state.held) == ("A", ("B", "C"))
    with pytest.raises(StepRefusedError, match="nothing was active before"):
        target_of_rollback(state)


def test_a_rollback_may_name_any_bundle_but_the_active_one() -> None:
    state = rolled_back(after("A", "B", "C"), candidate("A"), ADA)
    assert (state.active.bundle, state.trail, state.held) == ("A", (), ("C",))
    with pytest.raises(StepRefusedError, match="active already"):
        rolled_back(state, candidate("A"), ADA)


def test_every_hold_ends_with_the_next_activation() -> None:
    state = rolled_back(after("A", "B"), candidate("A"), ADA)
    assert activated(state, candidate("C"), ADA).held == ()
    assert activated(state, candidate("B"), ADA).held == ()


def test_nothing_can_be_rolled_back_before_anything_is_active() -> None:
    with pytest.raises(StepRefusedError):
        target_of_rollback(None)
    with pytest.raises(StepRefusedError):
        rolled_back(None, candidate("A"), ADA)


def test_an_older_version_is_refused_also_after_a_rollback() -> None:
    state = activated(activated(None, candidate("A", 1), ADA), candidate("B", 2), ADA)
    for old in (candidate("A", 1), candidate("C", 1), candidate("C", 2), candidate("A", 2)):
        assert "sign it anew with a higher version" in objection(state, old)
        with pytest.raises(StepRefusedError, match="higher version"):
            rolled_back(state, old, ADA) if old.bundle != "B" else activated(state, old, ADA)
    state = rolled_back(state, candidate("A", 3), ADA)
    assert (state.active.bundle, state.mark, state.held) == ("A", 3, ("B",))
    assert objection(state, candidate("B", 2))


def test_a_refusal_leaves_the_state_and_is_a_step_of_its_own() -> None:
    step = refused(after("A"), candidate("B"), ADA, action="change", detail="a mistake")
    assert (step.seq, step.result, step.bundle, step.detail) == (1, "refused", "B", "a mistake")
    assert refused(None, candidate("B"), ADA, action="start", detail="").seq == 0


class Steps(RuleBasedStateMachine):
    """Any order of steps, beside a plain list of what was active."""

    @initialize()
    def begin(self) -> None:
        self.state = activated(None, candidate("A", 1), ADA)
        self.highest = 1

    @rule(bundle=NAMES, version=st.integers(1, 12) | st.none())
    def activate(self, bundle: str, version: int | None) -> None:
        self._move(activated, bundle, version)

    @rule(bundle=NAMES, version=st.integers(1, 12) | st.none())
    def roll_back(self, bundle: str, version: int | None) -> None:
        self._move(rolled_back, bundle, version)

    def _move(self, step: object, bundle: str, version: int | None) -> None:
        assert callable(step)
        before, wanted = self.state, candidate(bundle, version)
        try:
            self.state = step(before, wanted, ADA)
        except StepRefusedError:
            assert self.state is before
            return
        assert self.state.active.bundle == bundle
        assert self.state.seq == before.seq + 1
        same = (bundle, version) == (before.active.bundle, before.active.version)
        assert version is None or same or version > self.highest
        self.highest = max(self.highest, version or 0)

    @invariant()
    def the_mark_is_the_highest_version_that_was_ever_active(self) -> None:
        assert self.state.mark == self.highest

    @invariant()
    def what_is_active_is_not_held(self) -> None:
        assert self.state.active.bundle not in self.state.held


TestSteps = Steps.TestCase


@given(st.lists(NAMES, min_size=1, max_size=8))
def test_rolling_back_again_and_again_ends_and_never_shows_a_held_bundle(names: list[str]) -> None:
    state = after(*names)
    seen = [state.active.bundle]
    while True:
        try:
            target = target_of_rollback(state)
        except StepRefusedError:
            break
        assert target not in state.held
        state = rolled_back(state, candidate(target), ADA)
        seen.append(state.active.bundle)
    assert len(seen) == len(set(seen)) <= len(names)
