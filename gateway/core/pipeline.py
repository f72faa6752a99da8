"""The whole decision in one pure function: read this first.

No stage goes back, none is skipped, and no `if` chooses between them: each stage always answers,
with a value that can say "could not", and only `evaluate` judges.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.core.catalog.classify import classify
from gateway.core.catalog.credentials import stated_credentials
from gateway.core.decision import Alternative, Decision
from gateway.core.facts import Facts
from gateway.core.geography.locate import locate
from gateway.core.identity.identify import identify
from gateway.core.identity.model import Identity
from gateway.core.operation import Classified, Observed
from gateway.core.policy.evaluate import evaluate
from gateway.core.request import Request
from gateway.core.screening import screening_of
from gateway.core.snapshot import Shadow, Snapshot


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with the facts that it rests on and the snapshot that it was made under.

    `alternatives` is what the shadows of the snapshot say; they are asked afterwards.
    """

    facts: Facts
    decision: Decision
    snapshot: Snapshot
    alternatives: tuple[Alternative, ...] = ()


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks for and who asks: what counters go by, before anything is judged.

    `snapshot` is the one that this caller is judged under.
    """

    operation: Classified
    identity: Identity
    snapshot: Snapshot


def decide(request: Request, observed: Observed, snapshot: Snapshot, now: datetime) -> Judgement:
    """Judge one request.

    A caller who asks the same kind of thing from the same place again, before anything that depends
    on time can have changed, gets the same answer from memory: see `gateway.core.standing`.

    Args:
        request: the canonical request.
        observed: what the edge observed just before.
        snapshot: the state of all sources; read once per request. Where it has a staged policy,
            the judgement names the one of the two that this tenant is judged under.
        now: the time of the decision, aware, UTC.

    Returns:
        The facts and the verdict; never an exception for anything that a client sent.
    """
    return judge(request, recognise(request, observed, snapshot, now), observed, now)


def recognise(
    request: Request, observed: Observed, snapshot: Snapshot, now: datetime
) -> Recognised:
    """Take the first two steps of `decide`: what and who."""
    operation = classify(request, snapshot.catalog, observed)
    stated = stated_credentials(request, snapshot.catalog)
    identity = identify(request, snapshot.keys, snapshot.tenants, now, stated=stated)
    return Recognised(operation=operation, identity=identity, snapshot=snapshot.judging(identity))


def judge(
    request: Request,
    recognised: Recognised,
    observed: Observed,
    now: datetime,
) -> Judgement:
    """Take the other steps of `decide`, with what was counted for what and who in `observed`."""
    operation, identity, snapshot = (
        recognised.operation,
        recognised.identity,
        recognised.snapshot,
    )
    known = snapshot.standings.recall(request, operation, identity, observed, now)
    if known is not None:
        facts = Facts(
            operation=operation,
            identity=identity,
            geography=known.geography,
            screening=known.screening,
            observed=observed,
            at=now,
        )
        return Judgement(facts=facts, decision=known.decision, snapshot=snapshot)
    geography = locate(request, operation, identity, snapshot.networks, now)
    facts = Facts(
        operation=operation,
        identity=identity,
        geography=geography,
        screening=screening_of(identity, snapshot.verdicts),
        observed=observed,
        at=now,
    )
    decision = evaluate(snapshot.policies, facts)
    snapshot.standings.remember(request, facts, decision)
    return Judgement(facts=facts, decision=decision, snapshot=snapshot)


def alternative(request: Request, judgement: Judgement, shadow: Shadow) -> Alternative:
    """Tell what another policy says of a request that was judged; it changes nothing."""
    facts = judgement.facts
    known = shadow.standings.recall(
        request, facts.operation, facts.identity, facts.observed, facts.at
    )
    if known is None:
        decision = evaluate(shadow.policies, facts)
        shadow.standings.remember(request, facts, decision)
    else:
        decision = known.decision
    return Alternative(
        name=shadow.name,
        outcome=decision.outcome,
        policies=shadow.policies.digest,
        reason=decision.reason,
        rules=decision.rules,
    )
