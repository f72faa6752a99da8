"""What is active and why: the pointer to a stored bundle, and the steps that move it.

Pure: each step is a function from the present state to the next one, which its owner then makes
durable before anything is decided under it. A step that may not be taken says so in words.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec

from gateway.core.policy.signing import Signed

# How far back a rollback without a target reaches; `rollback --to` reaches everything stored.
_TRAIL: Final = 50
_NOTHING_BEFORE: Final = "nothing was active before this bundle"

Action = Literal["start", "change", "activate", "rollback", "stage", "return"]
_WHOLE: Final = 100


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants a step, why, and when (UTC)."""

    who: str
    why: str = ""
    time: datetime


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that could be activated.

    Attributes:
        bundle: its digest.
        policies: digest of what its policy means; records carry this one.
        signed: the statement that was signed, with the signatures; None where nobody signed.
        signers: names of the keys whose signature holds, sorted.
    """

    bundle: str
    policies: str = ""
    signed: Signed | None = None
    signers: tuple[str, ...] = ()

    @property
    def version(self) -> int | None:
        """The signed version, where there is one."""
        return None if self.signed is None else self.signed.version


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the history: what was done or refused, by whom, when and why.

    Attributes:
        seq: of the state that it led to; of a refusal: of the state that it left as it was.
        signers: names of the keys that signed it, sorted.
        signed: what they signed, with the signatures.
        detail: of a refusal: what was wrong.
    """

    seq: int
    time: datetime
    action: Action
    result: Literal["activated", "refused"]
    who: str
    why: str
    bundle: str
    policies: str
    version: int | None
    signers: tuple[str, ...] = ()
    signed: Signed | None = None
    detail: str = ""


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that judges some tenants already.

    Attributes:
        step: the step that put it there.
        percent: of the tenants, 1 to 99.
        offered: whether it came from what is offered, and goes when that goes.
    """

    step: Step
    percent: int
    offered: bool


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The pointer, and what has to change together with it.

    Attributes:
        v: of this form.
        seq: counts the steps, from 1.
        active: the step that activated what is active.
        trail: the steps whose bundles were active before, oldest first; a rollback pops it.
        held: bundles that were rolled back from: they do not activate themselves.
        mark: the highest version that was ever activated; 0 where none was signed.
        staged: what judges some tenants already.
        last: the step that led to this state, where that did not change what is active.
    """

    v: Literal[1] = 1
    seq: int
    active: Step
    trail: tuple[Step, ...] = ()
    held: tuple[str, ...] = ()
    mark: int = 0
    staged: Staged | None = None
    last: Step | None = None

    @property
    def latest(self) -> Step:
        """The step that led to this state."""
        return self.last or self.active


class StepRefusedError(ValueError):
    """A step that may not be taken, in words."""


def objection(state: State | None, candidate: Candidate) -> str:
    """Return why a candidate may not be activated next; empty where nothing speaks against it.

    A signed version only rises, and a version names one bundle. Whether a bundle may come without a
    signature is not asked here: see `signing.approve`.
    """
    version = candidate.version
    if state is None or version is None or version > state.mark:
        return ""
    known = [state.active, *([state.staged.step] if state.staged else [])]
    if (candidate.bundle, version) in [(step.bundle, step.version) for step in known]:
        return ""
    return (
        f"is signed as version {version}, and version {state.mark} was activated before it; "
        "sign it anew with a higher version"
    )


def activated(
    state: State | None, candidate: Candidate, origin: Origin, *, action: Action = "change"
) -> State:
    """Return the state after a candidate was activated; every hold ends.

    Raises:
        StepRefusedError: see `objection`.
    """
    why_not = objection(state, candidate)
    if why_not:
        raise StepRefusedError(why_not)
    step = _step(state, candidate, origin, action)
    before = () if state is None else (*state.trail, state.active)[-_TRAIL:]
    return State(seq=step.seq, active=step, trail=before, mark=_mark(state, candidate))


def staged(
    state: State | None, candidate: Candidate, origin: Origin, *, percent: int, offered: bool
) -> State:
    """Return the state after a candidate was given some tenants; the active one has the rest.

    Raises:
        StepRefusedError: nothing is active beside it, it is active itself, or see `objection`.
    """
    if state is None:
        raise StepRefusedError("nothing is active beside it yet: activate it as a whole")
    if not 0 < percent < _WHOLE:
        raise StepRefusedError("a stage has 1 to 99 percent of the tenants")
    if candidate.bundle == state.active.bundle:
        raise StepRefusedError("is active already")
    why_not = objection(state, candidate)
    if why_not:
        raise StepRefusedError(why_not)
    step = _step(state, candidate, origin, "stage", detail=f"for {percent} % of the tenants")
    held: tuple[str, ...] = tuple(one for one in state.held if one != candidate.bundle)
    return msgspec.structs.replace(
        state,
        seq=step.seq,
        held=held,
        mark=_mark(state, candidate),
        staged=Staged(step=step, percent=percent, offered=offered),
        last=step,
    )


def returned(state: State | None, origin: Origin, *, hold: bool) -> State:
    """Return the state after what was staged was taken back from the tenants that it had.

    Args:
        state: the present one.
        origin: who takes it back, and why.
        hold: it does not come back by itself.

    Raises:
        StepRefusedError: nothing is staged.
    """
    if state is None or state.staged is None:
        raise StepRefusedError("nothing is staged")
    back = state.staged.step
    candidate = Candidate(
        bundle=back.bundle, policies=back.policies, signed=back.signed, signers=back.signers
    )
    step = _step(state, candidate, origin, "return")
    held: tuple[str, ...] = (*state.held, back.bundle) if hold else state.held
    return msgspec.structs.replace(
        state,
        seq=step.seq,
        held=held,
        staged=None,
        last=step,
    )


def rolled_back(state: State | None, candidate: Candidate, origin: Origin) -> State:
    """Return the state after going back to a bundle; what was active until now is held.

    Raises:
        StepRefusedError: the bundle is active already, or see `objection`.
    """
    if state is None:
        raise StepRefusedError(_NOTHING_BEFORE)
    if candidate.bundle == state.active.bundle:
        raise StepRefusedError("is active already")
    why_not = objection(state, candidate)
    if why_not:
        raise StepRefusedError(why_not)
    step = _step(state, candidate, origin, "rollback")
    return State(
        seq=step.seq,
        active=step,
        trail=_trail_to(state, candidate.bundle),
        held=tuple(sorted({*state.held, state.active.bundle} - {candidate.bundle})),
        mark=_mark(state, candidate),
    )


def target_of_rollback(state: State | None) -> str:
    """Return the bundle that was active last before the present one, and is not held itself.

    Raises:
        StepRefusedError: there is none.
    """
    if state is not None:
        for step in reversed(state.trail):
            if step.bundle not in {state.active.bundle, *state.held}:
                return step.bundle
    raise StepRefusedError(_NOTHING_BEFORE)


def refused(
    state: State | None, candidate: Candidate, origin: Origin, *, action: Action, detail: str
) -> Step:
    """Return the line of the history on a candidate that was refused."""
    step = _step(state, candidate, origin, action)
    seq = 0 if state is None else state.seq
    return msgspec.structs.replace(step, seq=seq, result="refused", detail=detail)


def _step(
    state: State | None, candidate: Candidate, origin: Origin, action: Action, *, detail: str = ""
) -> Step:
    return Step(
        seq=1 if state is None else state.seq + 1,
        time=origin.time,
        action=action,
        result="activated",
        who=origin.who,
        why=origin.why,
        bundle=candidate.bundle,
        policies=candidate.policies,
        version=candidate.version,
        signers=candidate.signers,
        signed=candidate.signed,
        detail=detail,
    )


def _mark(state: State | None, candidate: Candidate) -> int:
    return max(0 if state is None else state.mark, candidate.version or 0)


def _trail_to(state: State, bundle: str) -> tuple[Step, ...]:
    """Return what was active before a bundle was; all of it where that is not known."""
    for index in range(len(state.trail) - 1, -1, -1):
        if state.trail[index].bundle == bundle:
            return state.trail[:index]
    return state.trail
