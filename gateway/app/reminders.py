"""What is pressing of the references on file, while the gateway runs: gauges, and a line logged.

Looked over when the tenants are others, and at the moment at which some reference stands otherwise;
a few tenants at a time, between which the gateway serves. No decision depends on it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from heapq import nsmallest
from itertools import islice
from typing import Final, get_args

import msgspec

from gateway.core.identity.keys import Tenants
from gateway.core.identity.model import ReferenceKind, Tenant
from gateway.core.identity.terms import next_change, terms
from gateway.metrics import Gauge, Metrics

log = logging.getLogger("facegate")

KINDS: Final[tuple[ReferenceKind, ...]] = get_args(ReferenceKind)
_PORTION: Final = 128  # tenants: a fraction of a millisecond, unless much is on file
_NAMED: Final = 3  # in the log; `facegate references` has them all
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


class Pressing(msgspec.Struct, kw_only=True):
    """What is pressing, by kind of reference; `first` names a few, by tenant and id.

    `until` is the first moment at which it may be otherwise.
    """

    expiring: Counter[str] = msgspec.field(default_factory=Counter)
    expired: Counter[str] = msgspec.field(default_factory=Counter)
    report_due: Counter[str] = msgspec.field(default_factory=Counter)
    first: list[tuple[str, str]] = msgspec.field(default_factory=list)
    until: datetime = _LAST

    def add(self, tenants: Iterable[Tenant], now: datetime) -> None:
        """Look these tenants over."""
        named = list[tuple[str, str]]()
        for tenant in tenants:
            for reference in tenant.references:
                stands = terms(reference, now)
                self.until = min(self.until, next_change(reference, now) or _LAST)
                if not stands.pressing:
                    continue
                named.append((tenant.id, reference.id))
                self.expiring[reference.kind] += stands.standing == "expiring"
                self.expired[reference.kind] += stands.standing == "expired"
                self.report_due[reference.kind] += stands.report_owed
        self.first = nsmallest(_NAMED, [*self.first, *named])

    def says(self) -> str:
        """Return it in words, for the log; empty where nothing is pressing."""
        if not self.first:
            return ""
        names = ", ".join(f"{tenant} {reference}" for tenant, reference in self.first)
        return (
            f"ending soon: {self.expiring.total()}; ended: {self.expired.total()};"
            f" reports owed: {self.report_due.total()}; among them {names};"
            " see `facegate references`"
        )


class Reminders:
    """Keeps the gauges; owned by the event loop."""

    def __init__(
        self, metrics: Metrics, tenants: Callable[[], Tenants], clock: Callable[[], datetime]
    ) -> None:
        """Look at nothing yet.

        Args:
            metrics: has the gauges.
            tenants: returns those that are served at present.
            clock: aware, UTC.
        """
        self._metrics, self._tenants, self._clock = metrics, tenants, clock
        self._looked_at = ""  # digest of tenants
        self._since, self._until = _LAST, _FIRST
        self._said = ""
        self._show(Pressing())

    async def look(self) -> None:
        """Look the references over, where what was found the last time may not hold any more."""
        digest, now = self._tenants().digest, self._clock()
        if digest == self._looked_at and self._since <= now < self._until:
            return
        found = await self._found(now)
        if found is None:
            return
        self._looked_at, self._since, self._until = digest, now, found.until
        self._show(found)
        said = found.says()
        if said and said != self._said:
            log.warning("references on file: %s", said)
        elif self._said and not said:
            log.info("references on file: nothing is pressing any more")
        self._said = said

    async def _found(self, now: datetime) -> Pressing | None:
        """Look all tenants over; None where others are served meanwhile."""
        found = Pressing()
        tenants = self._tenants()
        rest = iter(tenants.by_id.values())
        while portion := list(islice(rest, _PORTION)):
            found.add(portion, now)
            await asyncio.sleep(0)
            if self._tenants() is not tenants:
                return None  # hold on to nothing that was replaced: see `app.retire`
        return found

    def _show(self, found: Pressing) -> None:
        gauges: tuple[tuple[Gauge, Counter[str]], ...] = (
            (self._metrics.references_expiring, found.expiring),
            (self._metrics.references_expired, found.expired),
            (self._metrics.references_report_due, found.report_due),
        )
        for gauge, counts in gauges:
            gauge.set_all({(kind,): counts[kind] for kind in KINDS})
