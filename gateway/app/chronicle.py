"""What became of each source: in the operator's log, in the metrics, and as records.

Owned by the event loop. Nothing here changes what is served.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal

from gateway.app.parts import Result
from gateway.app.sources import AnyPart, Sources
from gateway.audit.log import AuditLog
from gateway.audit.record import Activation
from gateway.core.policy.activation import Origin
from gateway.core.snapshot import Snapshot
from gateway.errors import Finding
from gateway.metrics import Metrics

log = logging.getLogger("facegate")

# Findings that stand in the record of a refused part; the log has them all.
_TOLD: Final = 3


class Chronicle:
    """Tells of loads and reloads; records begin once there is a log to keep them."""

    def __init__(
        self, sources: Sources, *, metrics: Metrics, clock: Callable[[], datetime]
    ) -> None:
        """Tell of these sources."""
        self._sources, self._metrics, self._clock = sources, metrics, clock
        self._audit: AuditLog | None = None
        metrics.reloads.add(("activated",), 0)
        metrics.reloads.add(("refused",), 0)

    def record_in(self, audit: AuditLog) -> None:
        """Keep records in this log from now on."""
        self._audit = audit

    def tell(self, name: str, result: Result, origin: Origin, snapshot: Snapshot) -> None:
        """Log, count and record what became of one part; `snapshot` is what is served now."""
        if result == "unchanged":
            return
        if name == "policies":
            self._metrics.reloads.add((result,))
        part = next(one for one in self._every_part() if one.name == name)
        for finding in part.findings:
            log.error("%s refused: %s", name, finding)
        asked = {f"candidate {one.name}": one.policies.digest for one in snapshot.shadows}
        digest = {**snapshot.parts, **asked}.get(name, "")
        if result == "activated":
            log.info("%s reloaded (%s) by %s", name, digest, origin.who)
        else:
            digest = f"files:{part.seen}"
        self.record(name, origin, digest, result, part.findings)

    def record(
        self,
        part: str,
        origin: Origin,
        digest: str,
        result: Literal["activated", "refused"],
        findings: tuple[Finding, ...] = (),
    ) -> None:
        """Record that something is served from now on, or was refused."""
        if self._audit is None:
            return
        record = Activation(
            time=self._clock(),
            what=part,
            who=origin.who,
            why=origin.why,
            digest=digest,
            result=result,
            detail="; ".join(str(finding).partition("\n")[0] for finding in findings[:_TOLD]),
        )
        if part == "policies":
            record = self._sources.policies.described(record)
        self._audit.enqueue(record)

    def findings(self) -> tuple[Finding, ...]:
        """Return every mistake in files that are not served for it, and what was not fetched."""
        found = tuple(found for part in self._every_part() for found in part.findings)
        return (*self._sources.unfetched, *found)

    def report_parts(self) -> None:
        """Bring the gauges up to date."""
        metrics, sources = self._metrics, self._sources
        for part in self._every_part():
            metrics.source_reload_ok.set(0 if part.findings else 1, (part.name,))
        metrics.reload_ok.set(0 if sources.policies.findings else 1)
        digest = sources.policies.value.digest
        if metrics.policy_info.value((digest,)) != 1:
            metrics.policy_info.set_all({(digest,): 1})
            metrics.reload_time.set(self._clock().timestamp())
        build = sources.networks.value.build
        if build is not None:
            metrics.dataset_time.set(build.timestamp(), ("networks",))

    def _every_part(self) -> tuple[AnyPart, ...]:
        return (self._sources.settings, *self._sources.parts())
