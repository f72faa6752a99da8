"""The one path from a request to a recorded verdict, which every door runs.

`judge_and_record` judges with the pure core, makes the record durable, and only then hands the
verdict out. Which way each dependency fails: a decision that cannot be computed is a refusal with
an `aborted` record; a record that cannot be made durable is a refusal that nothing follows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

import msgspec

from gateway.audit.log import AuditLog
from gateway.audit.record import Aborted, Decided, Effect, Happened, Rejected, Shed, request_part
from gateway.core.catalog.model import Provider
from gateway.core.catalog.probes import probes_of
from gateway.core.catalog.processors import Declarations, Processor, processor_of
from gateway.core.decision import Alternative
from gateway.core.geography.model import Geography, Located
from gateway.core.identity.identify import wanted_key
from gateway.core.identity.model import Verified
from gateway.core.operation import Observed, class_of
from gateway.core.pipeline import Judgement, alternative, judge, recognise
from gateway.core.policy.counting import counted_for
from gateway.core.request import Request
from gateway.core.snapshot import Snapshot
from gateway.errors import AuditError, StateError, place_of
from gateway.ledger.ledger import Ledger
from gateway.metrics import Metrics
from gateway.staging import StageWatch

log = logging.getLogger("facegate")

Clock = Callable[[], datetime]
Ids = Callable[[datetime], str]

# Order in which a refusal is counted under one country: what could not be placed comes first.
_UNPLACED = frozenset({"unknown", "private", "stale", "anonymised"})


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What a door may act on.

    Attributes:
        id: the decision's id, in the answer and in the records.
        at: when it was decided, UTC.
        permitted: whether the request goes on; true only once its record is durable.
        reason: code from `gateway.core.decision.REASONS`.
        judgement: facts and verdict; None where the engine failed.
        recorded: whether a `decided` line stands in the log, which a `happened` line must follow.
        processor: the stream processor that the request names.
    """

    id: str
    at: datetime
    permitted: bool
    reason: str
    judgement: Judgement | None
    recorded: bool
    processor: Processor | None = None


class Enforcer:
    """Judges requests and records the verdicts."""

    def __init__(
        self,
        *,
        audit: AuditLog,
        clock: Clock,
        ids: Ids,
        metrics: Metrics,
        mask_key: bytes,
        ledger: Ledger,
        want_key: Callable[[str, str], None],
        stage: StageWatch,
    ) -> None:
        """Keep what the composition root made once.

        Args:
            audit: the log.
            clock: aware, UTC.
            ids: a new decision id for a time at each call.
            metrics: all of them.
            mask_key: hashes request values that are masked in records.
            ledger: what was taken of quotas and budgets.
            want_key: called with issuer and `kid` where a token names a key that is not at hand.
            stage: counts what a staged policy does.
        """
        self.audit, self.clock, self.ids, self.metrics = audit, clock, ids, metrics
        self._want_key, self._stage, self._ledger = want_key, stage, ledger
        self._judge_seconds = metrics.decision_seconds.timer(("judge",))
        self._probe_seconds = metrics.decision_seconds.timer(("probes",))
        self._record_seconds = metrics.decision_seconds.timer(("record",))
        self._mask_key = mask_key
        # What stream processors were declared as; this process alone, and only what it forwarded.
        self._declarations = Declarations()
        self._shed: dict[str, tuple[datetime, int]] = {}

    async def judge_and_record(self, request: Request, snapshot: Snapshot) -> Ruling:
        """Judge one request and make the record durable.

        A client that hangs up meanwhile cannot undo the record: the log keeps it, and completes it
        (see `AuditLog.append`).

        Raises:
            asyncio.CancelledError: where the caller was cancelled.
        """
        started = time.perf_counter()
        # None where a look at the images that are shown comes first: some rule names them.
        found = None if "probe" in snapshot.named else self._judge(request, snapshot)
        if isinstance(found, Ruling):
            ruling = found
        else:
            ruling = await self._judge_later(found, request, snapshot)
        judgement = ruling.judgement
        if judgement is None:
            return ruling
        judged = time.perf_counter()
        ruling = await self._record(ruling, request, judgement)
        durable = time.perf_counter()
        self._judge_seconds(judged - started)
        self._record_seconds(durable - judged)
        self._count(ruling, judgement)
        if ruling.reason == "identity.unknown":
            wanted = wanted_key(request, snapshot.keys)
            if wanted is not None:
                self._want_key(*wanted)
        return ruling

    async def _record(self, ruling: Ruling, request: Request, judgement: Judgement) -> Ruling:
        """Wait until the record is durable.

        Raises:
            asyncio.CancelledError: where the caller was cancelled.
        """
        durable_at = self.audit.append(self._decided(ruling.id, request, judgement))
        taken = self._ledger.holds(ruling.id)
        try:
            await (asyncio.shield(durable_at) if taken else durable_at)
        except AuditError as failure:
            # What stands in no record was not taken; what may stand in one was.
            self._ledger.settle(ruling.id, spent=failure.perhaps_written)
            return self._unrecorded(ruling)
        except asyncio.CancelledError:
            # Cancelled while it waited, the log completes the record. Here it was durable already,
            # and the client went away before anybody could act on it; or something was taken,
            # which is given back in the line that says so.
            if taken:
                durable_at.add_done_callback(partial(self._gone, ruling))
            elif not durable_at.cancelled() and durable_at.exception() is None:
                self.happened(ruling, outcome="client_gone")
            raise
        return ruling

    def new_id(self) -> str:
        """Return the id of a decision that is made now."""
        return self.ids(self.clock())

    def happened(
        self,
        ruling: Ruling,
        *,
        outcome: Effect,
        status: int | None = None,
        upstream_status: int | None = None,
        sent: bool = False,
        duration_s: float = 0.0,
        response_bytes: int = 0,
    ) -> None:
        """Enqueue the line that says what became of a recorded verdict; a later sync carries it.

        What the verdict took of quotas and budgets is given back where nothing was sent.
        """
        if not ruling.recorded:
            return
        self.audit.enqueue(
            Happened(
                time=self.clock(),
                decided=ruling.id,
                outcome=outcome,
                status=status,
                upstream_status=upstream_status,
                sent=sent,
                duration_us=int(duration_s * 1_000_000),
                response_bytes=response_bytes,
                given_back=self._ledger.settle(ruling.id, spent=sent),
            )
        )

    def learn(self, ruling: Ruling, status: int | None) -> None:
        """Remember what a forwarded request declared, where it declared anything.

        `status` is the provider's; None where it may have acted and nobody knows.
        """
        if ruling.processor is not None and ruling.judgement is not None:
            operation = ruling.judgement.facts.operation
            self._declarations = self._declarations.after(ruling.processor, operation, status)

    def rejected(self, *, address: str, reason: str, length: int, count: int = 1) -> None:
        """Enqueue the line on requests that had no single reading: where from and why only."""
        self.audit.enqueue(
            Rejected(
                time=self.clock(),
                address=address,
                reason=reason,
                request_bytes=length,
                count=count,
            )
        )

    def shed(self, reason: str) -> None:
        """Count a request that was turned away unread; `write_shed` makes the line."""
        self.metrics.shed.add((reason,))
        since, count = self._shed.get(reason, (self.clock(), 0))
        self._shed[reason] = (since, count + 1)

    def write_shed(self) -> None:
        """Enqueue a line for each reason that requests were turned away for since the last call."""
        shed, self._shed = self._shed, {}
        for reason, (since, count) in shed.items():
            self.audit.enqueue(Shed(time=self.clock(), reason=reason, count=count, since=since))

    def _judge(
        self, request: Request, snapshot: Snapshot, probes: tuple[str, ...] | None = None
    ) -> Ruling | Awaitable[None]:
        """Judge at once; where that is not possible, answer with what to wait for."""
        now = self.clock()
        decision_id = self.ids(now)
        try:
            processor = processor_of(request, snapshot.catalog)
            observed = self._declarations.observed_of(processor)
            if probes is not None:
                observed = msgspec.structs.replace(observed, probes=probes)
            judgement = self._judge_counted(decision_id, request, observed, snapshot, now)
            if not isinstance(judgement, Judgement):
                return judgement
            if judgement.snapshot.shadows:
                judgement = self._with_alternatives(request, judgement)
        except Exception as bug:  # noqa: BLE001 - the one catch-all
            return self._failed(decision_id, bug)
        decision = judgement.decision
        return Ruling(
            id=decision_id,
            at=now,
            permitted=decision.outcome == "permit",
            reason=decision.reason,
            judgement=judgement,
            recorded=True,
            processor=processor,
        )

    async def _judge_later(
        self, counts: Awaitable[None] | None, request: Request, snapshot: Snapshot
    ) -> Ruling:
        """Judge once images were looked at, or counts are known and durable enough to take from.

        Args:
            counts: what `_judge` answered; None where images have to be looked at.
            request: the canonical request.
            snapshot: what it is judged under.
        """
        probes: tuple[str, ...] | None = None
        ruling: Ruling | Awaitable[None] | None = counts
        if ruling is None:
            started = time.perf_counter()
            try:
                probes = await asyncio.to_thread(probes_of, request, snapshot.catalog)
            except Exception as bug:  # noqa: BLE001 - as in `_judge`
                return self._failed(self.new_id(), bug)
            self._probe_seconds(time.perf_counter() - started)
            ruling = self._judge(request, snapshot, probes)
        while not isinstance(ruling, Ruling):
            try:
                await ruling
            except StateError:
                return self._aborted(self.new_id(), "state.unavailable")
            ruling = self._judge(request, snapshot, probes)
        return ruling

    def _judge_counted(
        self,
        decision_id: str,
        request: Request,
        observed: Observed,
        snapshot: Snapshot,
        now: datetime,
    ) -> Judgement | Awaitable[None]:
        """Judge, and take what the decision takes of quotas and budgets.

        From looking at the counts to taking from them there is no turn of the event loop, and none
        until the record is with the log: what a decision was judged by is what it takes from, and
        records stand in the order of their takings.

        Returns:
            The judgement; or what to wait for before judging again, which may raise a StateError.
        """
        ledger = self._ledger
        recognised = recognise(request, observed, snapshot, now)
        identity, policies = recognised.identity, recognised.snapshot.policies
        budgets = counted_for(recognised.operation, identity, policies)
        if budgets is None or not isinstance(identity, Verified):
            return judge(request, recognised, observed, now)
        if not ledger.open:
            return ledger.ready()
        sighting = ledger.look(identity.tenant, recognised.operation, budgets, now)
        judgement = judge(request, recognised, sighting.onto(observed), now)
        higher = ledger.take(decision_id, sighting, judgement.facts, judgement.decision)
        return judgement if higher is None else asyncio.shield(higher)

    def _failed(self, decision_id: str, bug: Exception) -> Ruling:
        """Refuse what could not be judged: a bug is XACML's Indeterminate, never a pass."""
        # Its words may quote the request.
        log.error("decision %s could not be computed: %s", decision_id, place_of(bug))
        self._stage.failed()
        return self._aborted(decision_id, "engine.failed")

    def _aborted(self, decision_id: str, reason: str) -> Ruling:
        # What stands in no record was not taken.
        self._ledger.settle(decision_id, spent=False)
        now = self.clock()
        self.audit.enqueue(Aborted(time=now, id=decision_id, reason=reason))
        return Ruling(
            id=decision_id, at=now, permitted=False, reason=reason, judgement=None, recorded=False
        )

    def _gone(self, ruling: Ruling, durable_at: asyncio.Future[int]) -> None:
        """Complete the record of a caller who went away before it was durable."""
        failure = None if durable_at.cancelled() else durable_at.exception()
        if failure is None:
            self.happened(ruling, outcome="client_gone")
        else:
            perhaps = isinstance(failure, AuditError) and failure.perhaps_written
            self._ledger.settle(ruling.id, spent=perhaps)

    def _with_alternatives(self, request: Request, judgement: Judgement) -> Judgement:
        """Ask the candidates; one that fails says nothing, and changes nothing of the verdict."""
        said = list[Alternative]()
        for shadow in judgement.snapshot.shadows:
            try:
                said.append(alternative(request, judgement, shadow))
            except Exception as bug:  # noqa: BLE001 - a candidate is only asked
                log.error("candidate %s failed: %s", shadow.name, place_of(bug))  # noqa: TRY400 - the words of a bug may quote the request
                operation_class = class_of(judgement.facts.operation)
                self.metrics.candidate_decisions.add((shadow.name, operation_class, "failed"))
        return msgspec.structs.replace(judgement, alternatives=tuple(said))

    def _decided(self, decision_id: str, request: Request, judgement: Judgement) -> Decided:
        snapshot = judgement.snapshot
        provider: Provider = snapshot.catalog.providers[request.provider]
        return Decided(
            time=judgement.facts.at,
            id=decision_id,
            snapshot=snapshot.digest,
            parts=snapshot.parts,
            request=request_part(
                request,
                open_parameters=provider.open_parameters,
                credential_parameters=provider.credential_parameters,
                mask_key=self._mask_key,
                open_segments=provider.open_segments,
            ),
            facts=judgement.facts,
            decision=judgement.decision,
            alternatives=judgement.alternatives,
        )

    def _unrecorded(self, ruling: Ruling) -> Ruling:
        return msgspec.structs.replace(
            ruling, permitted=False, reason="audit.unavailable", recorded=False
        )

    def _count(self, ruling: Ruling, judgement: Judgement) -> None:
        decision = judgement.decision
        provider = judgement.facts.operation.provider
        operation_class = class_of(judgement.facts.operation)
        rule = decision.rules[0] if decision.rules and ruling.recorded else "none"
        outcome = "permit" if ruling.permitted else "refuse"
        labels = (provider, operation_class, outcome, ruling.reason, rule)
        self.metrics.decisions.add(labels)
        if decision.shadow and decision.shadow_outcome == "refuse" and ruling.permitted:
            self.metrics.decisions.add(
                (provider, operation_class, "shadow_refuse", "policy.denied", decision.shadow[0])
            )
        self._stage.judged(judgement)
        for other in judgement.alternatives:
            same = other.outcome == decision.outcome
            says = "same" if same else f"would_{other.outcome}"
            self.metrics.candidate_decisions.add((other.name, operation_class, says))
        if not ruling.permitted:
            self.metrics.refused_by_country.add((country_label(judgement.facts.geography),))


def country_label(geography: Geography) -> str:
    """Return one country for counting: `ZZ` where any evidence has none, else the network's.

    Sub-regions count under their country; without network evidence the first code is taken.
    """
    if not isinstance(geography, Located) or _UNPLACED.intersection(geography.destination):
        return "ZZ"
    network = [item.code for item in geography.evidence if item.kind == "network"]
    return (network or list(geography.destination))[0][:2]
