"""Remembered verdicts on callers: what stays the same from one request to the next.

Where, listed and judged depend on the caller, the place, the kind of operation, the snapshot, and
on the time only through instants at which something begins or ends: a rule, a reference on file,
the network database's age. Until the next such instant the answer is the same, so it is remembered
with the interval in which it holds. What was counted (quotas) changes with every request: an answer
that may rest on it is neither kept nor given. The credential is verified on every request all the
same, and a new snapshot begins with an empty memory. Property: with memory equals without, at any
time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from gateway.core.decision import Decision
from gateway.core.facts import Facts
from gateway.core.geography.model import Geography
from gateway.core.geography.networks import Networks
from gateway.core.identity.model import Identity, Reference, Verified
from gateway.core.operation import Classified, Observed, Operation
from gateway.core.policy.model import Policies
from gateway.core.request import Request
from gateway.core.screening import Screening

# About 2 KB each; the oldest goes first.
_ENTRIES: Final = 16_384
_KEY_CHARACTERS: Final = 512  # where a client makes a part of the key long, nothing is remembered
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)

# All that the three stages read, beside the snapshot and the time.
_Key = tuple[str, str, str, str | None, str | None, Operation, bool]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What three stages answered, and from when (inclusive) until when (exclusive) they would."""

    geography: Geography
    screening: Screening
    decision: Decision
    since: datetime
    until: datetime


class Standings:
    """The memory of one snapshot; bounded, shared by nobody else, gone with the snapshot."""

    def __init__(self, networks: Networks, policies: Policies) -> None:
        """Begin empty, for these two parts."""
        self._networks, self._policies = networks, policies
        self._known: dict[_Key, Standing] = {}

    def recall(
        self,
        request: Request,
        operation: Classified,
        identity: Identity,
        observed: Observed,
        now: datetime,
    ) -> Standing | None:
        """Return what is known to hold now; None where the stages have to be asked.

        A request that shows an image is always judged anew: the next one shows another.
        """
        if observed.probes or not isinstance(identity, Verified):
            return None
        if observed.counted or not isinstance(operation, Operation):
            return None
        known = self._known.get(_key(request, operation, identity, observed))
        return known if known is not None and known.since <= now < known.until else None

    def remember(self, request: Request, facts: Facts, decision: Decision) -> None:
        """Keep what the stages answered, until the next instant that may change it."""
        identity, operation = facts.identity, facts.operation
        if facts.observed.probes or not isinstance(identity, Verified):
            return
        if facts.observed.counted or not isinstance(operation, Operation):
            return
        key = _key(request, operation, identity, facts.observed)
        if any(len(part) > _KEY_CHARACTERS for part in key if isinstance(part, str)):
            return
        if len(self._known) >= _ENTRIES:
            del self._known[next(iter(self._known))]
        instants = self._instants(identity.tenant.references, facts.at)
        self._known[key] = Standing(
            geography=facts.geography,
            screening=facts.screening,
            decision=decision,
            since=facts.at,
            until=min((instant for instant in instants if instant > facts.at), default=_FOREVER),
        )

    def held(self) -> list[object]:
        """Return all that is remembered: whoever holds it can let go of it in portions."""
        return [*self._known.values()]

    def _instants(self, references: tuple[Reference, ...], now: datetime) -> Iterator[datetime]:
        """Yield every instant at which an answer may change; of the rules' only the next."""
        boundaries = self._policies.table.boundaries
        yield from boundaries[bisect_right(boundaries, now) :][:1]
        yield from self._networks.changes()
        for reference in references:
            for instant in (reference.valid_from, reference.valid_to):
                if instant is not None:
                    yield instant


def _key(request: Request, operation: Operation, identity: Verified, observed: Observed) -> _Key:
    headers = request.headers
    return (
        identity.tenant.id,
        identity.method,
        request.peer,
        headers.get("x-forwarded-for"),
        headers.get("forwarded"),
        operation,
        observed.probes is None,
    )
