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
from gateway.config.policies import PolicySettings
from gateway.console.policy import Wish
from gateway.core.policy.activation import (
    Action,
    Candidate,
    Origin,
    State,
    Step,
    StepRefusedError,
    activated,
    refused,
    rolled_back,
    target_of_rollback,
)
from gateway.core.policy.model import Policies
from gateway.errors import ConfigError, Finding, SourceError, source_finding
from gateway.sources.activations import Activations
from gateway.sources.bundle_url import archive_path
from gateway.sources.child import Child
from gateway.sources.offers import Offered, Outcome, Refused, Terms, Unmoved, offer, recall, restore

Ts = TypeVarTuple("Ts")

log = logging.getLogger("facegate")

# Findings that stand in the history of a refused candidate; the log has them all.
_TOLD: Final = 3


class Active:
    """What is active: the pointer, and the policy that it leads to; owned by the event loop."""

    def __init__(self, activations: Activations) -> None:
        """Begin with what the directory says; the policy is read later."""
        self.activations = activations
        self.policies: Policies | None = None
        self.lost = False  # what the pointer leads to could not be read

    @property
    def state(self) -> State | None:
        """What the pointer says."""
        return self.activations.state

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
        self._pending, self.findings, self.again = None, findings, again

    async def start(self) -> Result:
        """Read what the pointer leads to; else what is offered is a candidate as at any time.

        Returns:
            `unchanged` where what was active is again, `activated` with a candidate to commit, or
            `refused` with findings on both.
        """
        state, findings = self._active.state, tuple[Finding, ...]()
        if state is not None:
            outcome = await self._in_child(restore, self._directory, state, self._settings.signers)
            if isinstance(outcome, Offered):
                self._active.policies = outcome.policies
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
        bundle = wish.bundle
        if bundle is None and wish.action == "rollback":
            try:
                bundle = target_of_rollback(self._active.state)
            except StepRefusedError as error:
                outcome = Refused(candidate=Candidate(bundle=""), findings=(_finding(error),))
                return self._take(outcome, wish.action)
        if bundle is None:
            return await self._offered(wish.action, wish.signature)
        terms = self._terms(wish.action)
        return self._take(
            await self._in_child(recall, bundle, wish.signature, self._directory, terms),
            wish.action,
        )

    async def commit(self, origin: Origin) -> tuple[Finding, ...]:
        """Move the pointer to the candidate that was found, if any; return why it stays.

        What it points to is active from here on: whoever calls swaps it in without waiting.
        """
        pending = self._pending
        if pending is None:
            return ()
        try:
            state = self._next(pending.candidate, origin)
            await asyncio.to_thread(self._active.activations.advance, state)
        except SourceError as failure:
            return (source_finding(failure),)
        except StepRefusedError as error:
            return (_finding(error),)
        self._active.policies, self._active.lost, self._pending = pending.policies, False, None
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
        step, detail = state.active, record.detail
        if record.who != step.who:
            detail = f"active since {step.time.isoformat()}, by {step.who}"
        return msgspec.structs.replace(
            record,
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
            return Refused(candidate=Candidate(bundle=""), findings=(source_finding(failure),))

    def _take(self, outcome: Outcome, action: Action) -> Result:
        self._pending, self._action, self.held = None, action, ""
        match outcome:
            case Offered():
                self._pending, self.candidate, self.findings = outcome, outcome.candidate, ()
                return "activated"
            case Refused():
                self.candidate, self.findings = outcome.candidate, outcome.findings
                return "refused"
            case Unmoved():
                if self.findings:
                    log.info("policies reloaded (%s): as they were", self.value.digest)
                self.findings = ()
                if outcome.held:
                    self.held = outcome.bundle
                    log.info("policies: %s is held after a rollback", outcome.bundle)
                return "unchanged"

    def _terms(self, action: Action) -> Terms:
        return Terms(
            state=self._active.state,
            signing=self._settings.signers,
            now=self._clock(),
            wanted=action != "change",
            lost=self._active.lost,
        )

    def _next(self, candidate: Candidate, origin: Origin) -> State:
        state = self._active.state
        if self._action == "rollback":
            return rolled_back(state, candidate, origin)
        return activated(state, candidate, origin, action=self._action)


def _finding(error: StepRefusedError) -> Finding:
    return Finding(path="policies", line=0, column=0, message=str(error))
