"""The data listener's one pass: read → judge and record → act → record.

Nothing goes upstream before the decision's record is durable; whatever happens afterwards, the
outcome is enqueued in a `finally`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping

import msgspec

from gateway.audit.record import Effect
from gateway.core.catalog.model import Provider
from gateway.core.request import Malformed, Request, Whole
from gateway.core.snapshot import Snapshot
from gateway.enforce import Enforcer, Ruling
from gateway.errors import UpstreamError
from gateway.metrics import Metrics
from gateway.proxy.credentials import exchanged
from gateway.proxy.forward import Credential, outbound_head, response_for_client
from gateway.proxy.header import length_of
from gateway.proxy.parser import Arrived
from gateway.proxy.rejections import Rejection, Rejections
from gateway.proxy.reply import Reply
from gateway.proxy.upstream import Pool
from gateway.proxy.wire import Door, read, route_of
from gateway.respond import Answer, ErrorForm, refusal

log = logging.getLogger("facegate")


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """One provider endpoint: where, as whom, and how long to wait."""

    name: str
    provider: Provider
    pool: Pool
    host: str
    credential: Credential
    deadline_s: float


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """All that one request is served by; read once, so that no answer mixes two states."""

    snapshot: Snapshot
    door: Door
    upstreams: Mapping[str, Upstream]
    inspection_memory_bytes: int


class Live:
    """The present `Serving`; replaced whole by the reloader alone, read once by each request."""

    def __init__(self, serving: Serving) -> None:
        """Begin with a first state."""
        self.serving = serving


class Acted(msgspec.Struct, kw_only=True):
    """What became of a permitted or refused request; filled in while acting.

    `started` is when the verdict was durable, on the clock of durations.
    """

    started: float
    outcome: Effect = "failed"
    status: int | None = None
    upstream_status: int | None = None
    sent: bool = False
    response_bytes: int = 0


class Proxy:
    """Handles the requests of the data listener."""

    def __init__(self, *, live: Live, enforcer: Enforcer, metrics: Metrics) -> None:
        """Keep what the composition root made; the counts are owned by this object."""
        self._live, self._enforcer, self._metrics = live, enforcer, metrics
        self._rejections = Rejections()
        self.inflight = 0
        self._held_bytes = 0  # bodies announced by the requests under way

    async def handle(self, http: Arrived) -> Reply:
        """Answer one request; never raises for what a client or a provider sent."""
        serving = self._live.serving
        # A body that came with its head is held by the connection already, which bounds it.
        held = 0 if http.here else announced_bytes(http, serving.door.body_bytes)
        if self._held_bytes + held > serving.inspection_memory_bytes:
            return self._shed(http, serving)
        self.inflight += 1
        self._held_bytes += held
        try:
            request = await read(http, serving.door)
            if not isinstance(request, Request):
                return self._reject(http, request, serving)
            return await self._serve(request, serving)
        finally:
            self.inflight -= 1
            self._held_bytes -= held

    async def _serve(self, request: Request, serving: Serving) -> Reply:
        ruling = await self._enforcer.judge_and_record(request, serving.snapshot)
        upstream = serving.upstreams[request.upstream]
        acted = Acted(started=time.perf_counter())
        try:
            if ruling.permitted:
                answer = await self._forward(request, ruling, upstream, acted)
            else:
                acted.outcome = "refused"
                answer = _refused(ruling, request, upstream)
            acted.status = answer.status
            return Reply(answer)
        except asyncio.CancelledError:
            acted.outcome = "client_gone"
            raise
        finally:
            self._enforcer.happened(
                ruling,
                outcome=acted.outcome,
                status=acted.status,
                upstream_status=acted.upstream_status,
                sent=acted.sent,
                duration_s=time.perf_counter() - acted.started,
                response_bytes=acted.response_bytes,
            )

    async def _forward(
        self, request: Request, ruling: Ruling, upstream: Upstream, acted: Acted
    ) -> Answer:
        provider = upstream.provider
        try:
            outbound = exchanged(request, provider, upstream.credential)
            body = outbound.body
            content, digest = (
                (body.content, body.sha256) if isinstance(body, Whole) else (b"", None)
            )
            head = outbound_head(
                outbound,
                upstream_host=upstream.host,
                forward_headers=provider.forward_headers,
                credential=upstream.credential,
                body=content,
                payload_sha256=digest,
                now=ruling.at,
            )
            # From here on the provider may see the request; a cancellation cannot tell.
            acted.sent = True
            response = await upstream.pool.exchange(head, content, deadline_s=upstream.deadline_s)
        except UpstreamError as failure:
            self._enforcer.learn(ruling, None)
            acted.outcome, acted.sent = "upstream_failed", failure.sent
            self._metrics.upstream.add((provider.name, "error"))
            log.warning("upstream %s: %s (decision %s)", upstream.name, failure, ruling.id)
            return _unreachable(failure, ruling, request, upstream)
        self._enforcer.learn(ruling, response.status)
        self._metrics.upstream_seconds.observe(
            time.perf_counter() - acted.started, (provider.name,)
        )
        self._metrics.upstream.add((provider.name, f"{response.status // 100}xx"))
        acted.outcome, acted.upstream_status = "forwarded", response.status
        acted.response_bytes = len(response.body)
        return response_for_client(response, provider.response_headers, ruling.id)

    def _shed(self, http: Arrived, serving: Serving) -> Reply:
        """Turn a request away unread: its body would not fit the memory that the operator gave."""
        self._enforcer.shed("memory")
        host = http.header("host").lower()
        route = route_of(host, http.raw_path, serving.door)
        answer = refusal(
            reason="gateway.overload",
            decision_id=self._enforcer.new_id(),
            form=serving.snapshot.catalog.providers[route.provider].error_form
            if route
            else "problem",
            host=host,
        )
        return Reply(answer, close=True)

    def _reject(self, http: Arrived, malformed: Malformed, serving: Serving) -> Reply:
        provider = serving.snapshot.catalog.providers.get(malformed.provider or "")
        form = provider.error_form if provider else "problem"
        answer = self._rejection(http.remote, malformed, form)
        return Reply(answer, close=malformed.close)

    def reject_unread(self, address: str, malformed: Malformed) -> Answer:
        """Record and answer what never became a request; see `protocol.Reject`."""
        return self._rejection(address, malformed, "problem")

    def _rejection(self, address: str, malformed: Malformed, form: ErrorForm) -> Answer:
        reason = malformed.reason
        self._metrics.rejected.add((reason,))
        now = self._enforcer.clock()
        self._record_rejections(
            self._rejections.add(address=address, reason=reason, length=malformed.length, now=now)
        )
        return refusal(
            reason=reason,
            decision_id=self._enforcer.new_id(),
            form=form,
            host="",
            status=malformed.status,
        )

    def write_counts(self, *, final: bool = False) -> None:
        """Record what was only counted so far: to be called every second, and at the end."""
        rejections = self._rejections
        self._record_rejections(
            rejections.drain() if final else rejections.due(self._enforcer.clock())
        )
        self._enforcer.write_shed()

    def _record_rejections(self, rejections: tuple[Rejection, ...]) -> None:
        for each in rejections:
            self._enforcer.rejected(
                address=each.address, reason=each.reason, length=each.length, count=each.count
            )


def announced_bytes(http: Arrived, most: int) -> int:
    """Return how much of a body is still to come: what it announces, else the limit."""
    text = http.header("content-length")
    return min(length_of(text), most) if text.isascii() and text.isdecimal() else most


def _refused(ruling: Ruling, request: Request, upstream: Upstream) -> Answer:
    obligations = ruling.judgement.decision.obligations if ruling.judgement else ()
    return refusal(
        reason=ruling.reason,
        decision_id=ruling.id,
        form=upstream.provider.error_form,
        host=request.host,
        obligations=obligations,
    )


def _unreachable(
    failure: UpstreamError, ruling: Ruling, request: Request, upstream: Upstream
) -> Answer:
    return refusal(
        reason=failure.reason,
        decision_id=ruling.id,
        form=upstream.provider.error_form,
        host=request.host,
    )
