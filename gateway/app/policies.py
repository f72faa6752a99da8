"""The policy part: what its directory offers is a candidate, what is active is a pointer.

A candidate is read, held to its signatures and checked in the child process. It is activated in two
steps: `refresh` (or `demand`) finds it, and `commit` moves the pointer, after everything else that
it needs is durable and before anything is decided under it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVarTuple

import msgspec

from gateway.app.parts import Result, Watched
from gateway.audit.record import Activation
from gateway.config.policies import PolicySettings, StageSettings
from gateway.console.policy import Wish
from gateway.core.policy.activation import (
    Action,
    Candidate,
    Origin,
    Staged,
    State,
    Step,
    StepRefusedError,
    activated,
    refused,
    returned,
    rolled_back,
    staged,
    target_of_rollback,
)
from gateway.core.policy.model import Policies
from gateway.core.snapshot import Stage
from gateway.errors import ConfigError, Finding, SourceError, source_finding
from gateway.sources.activations import Activations
from gateway.sources.bundle_url import archive_path
from gateway.sources.child import Child
from gateway.sources.offers import Offered, Outcome, Refused, Terms, Unmoved, offer, recall, restore
from gateway.staging import Limits

Ts = TypeVarTuple("Ts")

log = logging.getLogger("facegate")

# Findings that stand in the history of a refused candidate; the log has them all.
_TOLD: Final = 3
START: Final = "start"
WATCH: Final = "watch"
TIMETABLE: Final = "timetable"
# What takes a stage back that an operator began without any settings on stages.
_USUAL_STAGE: Final = StageSettings(steps=(1,))


class Active:
    """What is active: the pointer, and the policy that it leads to; owned by the event loop."""

    def __init__(self, activations: Activations) -> None:
        """Begin with what the directory says; the policy is read later."""
        self.activations = activations
        self.policies: Policies | None = None
        self.staged: Policies | None = None
        self.lost = False  # what the pointer leads to could not be read

    @property
    def state(self) -> State | None:
        """What the pointer says."""
        return self.activations.state

    @property
    def stage(self) -> Stage | None:
        """What judges some tenants already; None where nothing does, or it was given up."""
        waiting = None if self.state is None else self.state.staged
        if waiting is None or self.staged is None:
            return None
        return Stage(policies=self.staged, percent=waiting.percent, salt=waiting.step.bundle)

    async def history(self) -> tuple[Step, ...]:
        """Return every step, oldest first.

        Raises:
            SourceError: the history cannot be read.
        """
        return await asyncio.to_thread(self.activations.history)


class PolicyPart(Watched):
    """The policy directory as a part; its value is what is active, or is about to be."""

    def __init__(
        self,
        settings: PolicySettings,
        active: Active,
        child: Child,
        clock: Callable[[], datetime],
    ) -> None:
        """Name the source; nothing is read yet."""
        directory = active.activations.directory
        self._place = settings.dir or archive_path(directory)
        super().__init__("policies", (self._place,))
        self._settings, self._active, self._child, self._clock = settings, active, child, clock
        self._directory = str(directory)
        self._pending: Offered | None = None
        self._action: Action = "change"
        self._percent = 0  # of the tenants, where the action is a stage
        self._hold = False  # what is taken back does not come back by itself
        self._returning = self._from_offer = False
        self.candidate = Candidate(bundle="")  # that was found last
        self.held = ""  # the bundle that is offered, where it is held

    @property
    def value(self) -> Policies:
        """What is about to be active, else what is.

        Raises:
            ConfigError: there is neither.
        """
        policies = self._pending.policies if self._pending else self._active.policies
        if policies is None:
            raise ConfigError(self.findings)
        return policies

    @property
    def state(self) -> State | None:
        """What is active, since when, and by whom."""
        return self._active.state

    def refuse(self, findings: tuple[Finding, ...], *, again: bool = False) -> None:
        """Let go of the candidate that was found, for these reasons; see `Part.refuse`."""
        self._pending, self._returning = None, False
        self.findings, self.again = findings, again

    async def start(self) -> Result:
        """Read what the pointer leads to; else what is offered is a candidate as at any time.

        Returns:
            `unchanged` where what was active is again, `activated` with a candidate to commit, or
            `refused` with findings on both.
        """
        state, findings = self._active.state, tuple[Finding, ...]()
        if state is not None:
            outcome = await self._restored(state.active)
            if isinstance(outcome, Offered):
                self._active.policies = outcome.policies
                await self._restore_stage(state)
                return "unchanged"
            findings = outcome.findings if isinstance(outcome, Refused) else ()
            self._active.lost = True
            for finding in findings:
                log.error("what was active cannot be read: %s", finding)
        result = await self.refresh()
        if result == "activated":
            return result
        self.findings = (*findings, *self.findings)
        return "refused"

    async def refresh(self) -> Result:
        """Look at what the directory offers, where that is another content than before."""
        if not await self.is_new():
            return "unchanged"
        return await self._offered("change", None)

    async def demand(self, wish: Wish) -> Result:
        """Look at what an operator asks for, whatever was seen before."""
        waiting = self._waiting
        bundle, signature, action = wish.bundle, wish.signature, _action_of(wish)
        if bundle is None and waiting is not None:
            if wish.action == "rollback":
                return self.withdraw(hold=True)
            # What is staged goes on, with the signatures that it came with.
            bundle = waiting.step.bundle
            if signature is None and waiting.step.signed is not None:
                signature = msgspec.json.encode(waiting.step.signed)
        self._percent = wish.percent or 0
        if bundle is None and wish.action == "rollback":
            try:
                bundle = target_of_rollback(self._active.state)
            except StepRefusedError as error:
                outcome = Refused(candidate=Candidate(bundle=""), findings=(_finding(error),))
                return self._take(outcome, action)
        if bundle is None:
            return await self._offered(action, signature)
        terms = self._terms(action)
        return self._take(
            await self._in_child(recall, bundle, signature, self._directory, terms), action
        )

    def withdraw(self, *, hold: bool) -> Result:
        """Take back what is staged, with the next commit."""
        self._pending, self._action, self.findings = None, "return", ()
        self._returning, self._hold = True, hold
        return "activated"

    def due(self) -> Wish | None:
        """Return the next step of what is staged, where the timetable says that it is time."""
        waiting, stage = self._waiting, self._settings.stage
        if waiting is None or self._active.stage is None:
            return None  # or it was given up
        if stage is None or stage.every_s is None:
            return None
        if (self._clock() - waiting.step.time).total_seconds() < stage.every_s:
            return None
        percent = next((step for step in stage.steps if step > waiting.percent), None)
        return Wish(action="activate", percent=percent, who=TIMETABLE)

    @property
    def limits(self) -> Limits:
        """What a stage may do before it is taken back."""
        stage = self._settings.stage or _USUAL_STAGE
        return Limits(
            newly_refused=stage.newly_refused,
            decisions=stage.decisions,
            failures=stage.failures,
        )

    async def commit(self, origin: Origin) -> tuple[Finding, ...]:
        """Move the pointer to the candidate that was found, if any; return why it stays.

        What it points to is active from here on: whoever calls swaps it in without waiting.
        """
        pending = self._pending
        if pending is None and not self._returning:
            return ()
        try:
            state = self._next(pending, origin)
            await asyncio.to_thread(self._active.activations.advance, state)
        except SourceError as failure:
            return (source_finding(failure),)
        except StepRefusedError as error:
            return (_finding(error),)
        active, self._pending, self._returning = self._active, None, False
        active.staged = None
        if pending is not None and self._action == "stage":
            active.staged = pending.policies
        elif pending is not None:
            active.policies, active.lost = pending.policies, False
        return ()

    def described(self, record: Activation) -> Activation:
        """Add to the record of an activation or a refusal which bundle it speaks of."""
        if record.result == "refused":
            return msgspec.structs.replace(
                record, bundle=self.candidate.bundle, version=self.candidate.version
            )
        state = self._active.state
        if state is None:
            return record
        step = state.latest
        detail = record.detail or step.detail
        if record.who == START and step.who != START:
            step = state.active
            detail = f"active since {step.time.isoformat()}, by {step.who}"
        return msgspec.structs.replace(
            record,
            digest=step.policies,
            bundle=step.bundle,
            version=step.version,
            signers=step.signers,
            why=record.why or step.why,
            detail=detail,
        )

    async def note_refusal(self, origin: Origin) -> None:
        """Add the line on the candidate that was refused to the history."""
        detail = "; ".join(str(one).partition("\n")[0] for one in self.findings[:_TOLD])
        step = refused(
            self._active.state, self.candidate, origin, action=self._action, detail=detail
        )
        await asyncio.to_thread(self._active.activations.note, step)

    async def _offered(self, action: Action, signature: bytes | None) -> Result:
        path, terms = str(self._place), self._terms(action)
        outcome = await self._in_child(offer, path, signature, self._directory, terms)
        return self._take(outcome, action)

    async def _in_child(self, function: Callable[[*Ts], Outcome], *args: *Ts) -> Outcome:
        try:
            return await self._child.run(function, *args)
        except SourceError as failure:
            return Refused(
                candidate=Candidate(bundle=""), findings=(source_finding(failure),), again=True
            )

    async def _restored(self, step: Step) -> Outcome:
        return await self._in_child(restore, self._directory, step, self._settings.signers)

    async def _restore_stage(self, state: State) -> None:
        """Go on with what was staged; where it cannot be read, its tenants have the active one."""
        if state.staged is None:
            return
        outcome = await self._restored(state.staged.step)
        if isinstance(outcome, Offered):
            self._active.staged = outcome.policies
        elif isinstance(outcome, Refused):
            for finding in outcome.findings:
                log.error("what was staged cannot be read: %s", finding)

    def _take(self, outcome: Outcome, action: Action) -> Result:
        self._pending, self._action, self.held = None, action, ""
        self._returning, self._from_offer = False, action == "change"
        match outcome:
            case Offered():
                self._pending, self.candidate, self.findings = outcome, outcome.candidate, ()
                self._begin_stage()
                return "activated"
            case Refused():
                self.candidate, self.findings = outcome.candidate, outcome.findings
                self.again = outcome.again
                return "refused"
            case Unmoved():
                return self._stay(outcome)

    def _begin_stage(self) -> None:
        """Let what is offered begin with some tenants, where the settings say so."""
        stage = self._settings.stage
        if self._from_offer and stage is not None and self._active.policies is not None:
            self._action, self._percent = "stage", stage.steps[0]
            waiting = self._waiting
            if waiting is not None and waiting.step.bundle == self.candidate.bundle:
                self._percent = waiting.percent  # signed anew: nobody goes back

    def _stay(self, outcome: Unmoved) -> Result:
        if self.findings:
            log.info("policies reloaded (%s): as they were", self.value.digest)
        self.findings = ()
        if outcome.held:
            self.held = outcome.bundle
            log.info("policies: %s is held after a rollback", outcome.bundle)
            return "unchanged"
        waiting = self._waiting
        gone = waiting is not None and waiting.offered and waiting.step.bundle != outcome.bundle
        # What is active is offered again: what was to follow it is gone.
        return self.withdraw(hold=False) if gone else "unchanged"

    @property
    def _waiting(self) -> Staged | None:
        state = self._active.state
        return None if state is None else state.staged

    def _terms(self, action: Action) -> Terms:
        return Terms(
            state=self._active.state,
            signing=self._settings.signers,
            now=self._clock(),
            wanted=action != "change",
            lost=self._active.lost,
        )

    def _next(self, pending: Offered | None, origin: Origin) -> State:
        state = self._active.state
        if pending is None:
            return returned(state, origin, hold=self._hold)
        candidate = pending.candidate
        if self._action == "rollback":
            return rolled_back(state, candidate, origin)
        if self._action == "stage":
            waiting = self._waiting
            offered = self._from_offer
            if waiting is not None and waiting.step.bundle == candidate.bundle:
                offered = waiting.offered
            return staged(state, candidate, origin, percent=self._percent, offered=offered)
        return activated(state, candidate, origin, action=self._action)


def _action_of(wish: Wish) -> Action:
    """Return the step that a wish leads to: a share of the tenants is a stage."""
    return "stage" if wish.action == "activate" and wish.percent is not None else wish.action


def _finding(error: StepRefusedError) -> Finding:
    return Finding(path="policies", line=0, column=0, message=str(error))
