"""The gateway as a whole: loaded, listening, draining, gone.

Starting is all or nothing: every mistake in every file is reported and nothing listens. Ending is
in order: readiness off, a pause for balancers to notice, no new connections, the requests under
way, the log with its last root.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

import aiohttp
from aiohttp import web
from prometheus_client.registry import CollectorRegistry

from gateway import __version__
from gateway.app.once import decision_ids, settle_memory, utc_now
from gateway.app.reload import Reloader
from gateway.app.reminders import Reminders
from gateway.app.sources import Sources
from gateway.audit.files import Files
from gateway.audit.log import AuditLog
from gateway.audit.segments import parts_directory
from gateway.config.settings import Settings
from gateway.console.admin import AdminSurface, Probe, ReloadReport, make_admin
from gateway.console.policy import Wish
from gateway.core.policy.activation import Step
from gateway.core.snapshot import Snapshot
from gateway.enforce import Enforcer
from gateway.errors import AuditError
from gateway.ledger.ledger import Ledger
from gateway.metrics import Metrics
from gateway.proxy.parser import require_c_parser
from gateway.proxy.protocol import HeadLimits, Listener
from gateway.proxy.server import Live, Proxy
from gateway.sources.catalogs import load_catalog
from gateway.sources.child import Child
from gateway.sources.stored_parts import StoredParts

log = logging.getLogger("facegate")

# Requests under way may go on for so long once the listener is closed.
SHUTDOWN_S = 25.0
_TICK_S = 1.0
_WORKER = "0"


class Gateway:
    """One gateway process.

    Attributes:
        ready: set while both listeners serve.
        port: port of the data listener, known once `ready` is set.
        admin_port: port of the admin listener, likewise.
        metrics: all metrics.
    """

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        *,
        clock: Callable[[], datetime] = utc_now,
        files: Files | None = None,
        child: Child | None = None,
    ) -> None:
        """Name the configuration; nothing is read yet.

        Args:
            path: `gateway.yaml`.
            environ: variables, for overrides and `env:` references.
            clock: aware, UTC.
            files: the audit log's file port; the machine's own by default.
            child: reads files, and ends with this gateway; one of its own by default.
        """
        self._path, self._environ, self._clock, self._files = path, environ, clock, files
        self._child = child or Child()
        self.metrics = Metrics()
        self.ready = asyncio.Event()
        self.port = self.admin_port = 0
        self._stop = asyncio.Event()
        self._draining = False
        self._listener: Listener | None = None
        self._reloader: Reloader
        self._audit: AuditLog
        self._ledger: Ledger
        self._proxy: Proxy

    def stop(self) -> None:
        """Ask for an orderly end."""
        self._stop.set()

    @property
    def live(self) -> Live:
        """What is served at present."""
        return self._reloader.live

    @property
    def snapshot(self) -> Snapshot:
        """What is decided by at present."""
        return self.live.serving.snapshot

    async def change(self) -> None:
        """Wait until something else is served than now."""
        await self._reloader.changed.wait()

    async def reload(self, who: str) -> ReloadReport:
        """Reload what changed; see `Reloader.reload`."""
        return await self._reloader.reload(who)

    async def act(self, wish: Wish) -> ReloadReport:
        """Move the policy; see `Reloader.act`."""
        return await self._reloader.act(wish)

    async def history(self) -> tuple[Step, ...]:
        """Return every step of the policy; see `Active.history`."""
        return await self._reloader.active.history()

    async def run(self) -> None:
        """Load, serve until `stop`, and end in order.

        Raises:
            ConfigError: a file does not hold; nothing was started.
            AuditError: the audit log does not open, or its end could not be written.
            FacegateError: aiohttp's C parser is missing.
        """
        require_c_parser()
        catalog = load_catalog()
        async with AsyncExitStack() as stack:
            stack.callback(self._child.close)
            session = await stack.enter_async_context(
                aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
            )
            sources = Sources(
                path=self._path,
                environ=self._environ,
                catalog=catalog,
                child=self._child,
                clock=self._clock,
                session=session,
            )
            stack.callback(sources.close)
            await sources.load()
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            await self._serve(sources, session, tasks)

    async def _serve(
        self, sources: Sources, session: aiohttp.ClientSession, tasks: asyncio.TaskGroup
    ) -> None:
        settings = sources.settings.value
        self._reloader = Reloader(
            sources,
            session=session,
            clock=self._clock,
            metrics=self.metrics,
            tasks=tasks,
            on_swap=self._follow_limits,
        )
        self._audit = await AuditLog.open(
            settings.audit.dir,
            origin=settings.audit.origin,
            worker=_WORKER,
            engine=__version__,
            clock=self._clock,
            files=self._files,
        )
        await self._begin_records(settings)
        await self._reloader.issuers.first_keys()
        self._ledger = Ledger(settings.state_dir)
        self._proxy = self._make_proxy(settings)
        self.metrics.refresh = self._refresh_metrics
        background = [
            tasks.create_task(self._reloader.watch(self._stop)),
            tasks.create_task(sources.poll()),
            tasks.create_task(self._tick()),
        ]
        try:
            await self._listen(settings)
        finally:
            for task in background:
                task.cancel()
            await self._reloader.close()
            self._proxy.write_counts(final=True)
            await self._end_records()

    async def _begin_records(self, settings: Settings) -> None:
        """Keep what is decided under and record that it is; the log is let go of where that fails.

        Raises:
            AuditError: it cannot be kept.
        """
        directory = parts_directory(settings.audit.dir, origin=settings.audit.origin)
        try:
            await self._reloader.record_in(self._audit, StoredParts(directory))
        except AuditError:
            await self._audit.close()
            raise

    async def _end_records(self) -> None:
        """Write the last records, then the last counts.

        Raises:
            AuditError: records could not be written; then counts stay at their marks.
        """
        recorded = False
        try:
            await self._audit.close()
            recorded = True
        finally:
            await self._ledger.close(exact=recorded)

    def _make_proxy(self, settings: Settings) -> Proxy:
        secrets_key = settings.identity.secrets_key_bytes or os.urandom(32)
        enforcer = Enforcer(
            audit=self._audit,
            clock=self._clock,
            ids=decision_ids(),
            metrics=self.metrics,
            # Derived, so that equal masked values can be told across restarts; without a secrets
            # key only within one.
            mask_key=hashlib.blake2b(
                b"", digest_size=32, key=secrets_key, person=b"facegate mask"
            ).digest(),
            ledger=self._ledger,
            want_key=self._reloader.issuers.want_key,
            stage=self._reloader.stage,
        )
        return Proxy(live=self._reloader.live, enforcer=enforcer, metrics=self.metrics)

    async def _listen(self, settings: Settings) -> None:
        loop = asyncio.get_running_loop()
        listener = self._listener = Listener(
            self._proxy.handle, limits=_head_limits(settings), reject=self._proxy.reject_unread
        )
        admin = web.AppRunner(make_admin(self._surface(settings)), access_log=None)
        await admin.setup()
        try:
            site = web.TCPSite(admin, settings.admin.host, settings.admin.port)
            await site.start()
            self.admin_port = admin.addresses[0][1]
            self._reloader.active.activations.announce(admin_url(settings, self.admin_port))
            server = await loop.create_server(
                listener,
                settings.listen.host,
                settings.listen.port,
                ssl=settings.listen.tls.context() if settings.listen.tls else None,
                backlog=1024,
            )
            self.port = server.sockets[0].getsockname()[1]
            log.info("data listener on %s port %s", settings.listen.host, self.port)
            log.info("admin listener on %s port %s", settings.admin.host, self.admin_port)
            settle_memory()
            self.ready.set()
            await self._stop.wait()
            await self._drain(server, listener)
        finally:
            self.ready.clear()
            await admin.cleanup()

    def _follow_limits(self) -> None:
        """Give connections that come from now on the limits of the present settings."""
        if self._listener is not None:
            self._listener.limits = _head_limits(self._reloader.settings)

    async def _drain(self, server: asyncio.Server, listener: Listener) -> None:
        self._draining = True
        log.info("draining: %s requests under way", self._proxy.inflight)
        await asyncio.sleep(self._reloader.settings.limits.drain_delay_s)
        server.close()
        listener.pre_shutdown()
        await listener.shutdown(SHUTDOWN_S)
        # Answers are out; connections end with their transports.

    async def _tick(self) -> None:
        """Every second: write down what is only counted, and tell of the log and of references."""
        healthy = True
        reminders = Reminders(self.metrics, lambda: self.snapshot.tenants, self._clock)
        while True:
            await reminders.look()
            await asyncio.sleep(_TICK_S)
            self._proxy.write_counts()
            await self._reloader.go_on()
            if healthy and not self._audit.healthy:
                log.error(
                    "the audit log cannot be written, nothing is forwarded: %s",
                    self._audit.last_error,
                )
            elif self._audit.healthy and not healthy:
                log.info("the audit log can be written again")
            healthy = self._audit.healthy

    def _surface(self, settings: Settings) -> AdminSurface:
        registry = CollectorRegistry()
        registry.register(self.metrics)
        return AdminSurface(
            hosts=frozenset(settings.admin.hosts),
            token=settings.admin.token.reveal() if settings.admin.token else None,
            probes=self._probes,
            status=self._status,
            reload=self.reload,
            registry=registry,
            act=self.act,
            history=self.history,
        )

    def _probes(self) -> tuple[Probe, ...]:
        live = self.snapshot
        networks = live.networks
        stale = networks.is_stale(self._clock())
        state = "none configured" if networks.reader is None else "stale" if stale else ""
        return (
            Probe(
                name="draining", ok=not self._draining, detail="no" if not self._draining else ""
            ),
            Probe(name="policies", ok=bool(live.policies.packs), detail=live.policies.digest),
            Probe(
                name="audit",
                ok=self._audit.healthy,
                detail=self._audit.last_error if not self._audit.healthy else "",
            ),
            # Old or missing data is a policy value, not a reason to take the process away.
            Probe(name="networks", ok=True, detail=state),
            *(
                Probe(
                    name=f"issuer {issuer.issuer}",
                    ok=True,
                    detail="" if issuer.usable(self._clock()) else "no usable keys",
                )
                for issuer in self._reloader.issuers.known()
            ),
        )

    def _status(self) -> Mapping[str, object]:
        snapshot = self.snapshot
        return {
            "version": __version__,
            "snapshot": snapshot.digest,
            "parts": dict(snapshot.parts),
            "policies": snapshot.policies.counts,
            "policy": self._reloader.policy_status(),
            "findings": [str(finding) for finding in self._reloader.findings()],
            "audit": {
                "healthy": self._audit.healthy,
                "size": self._audit.size,
                "root": self._audit.root.hex(),
            },
        }

    def _refresh_metrics(self) -> None:
        audit, metrics = self._audit, self.metrics
        metrics.audit_queue.set(audit.queue_length)
        metrics.audit_healthy.set(1 if audit.healthy else 0)
        metrics.audit_size.set(audit.size)
        metrics.audit_records.mirror(audit.records)
        metrics.audit_syncs.mirror(audit.syncs)
        metrics.audit_failures.mirror(audit.failures)
        fetched = self._reloader.fetched
        if fetched is not None:
            metrics.policy_fetched.set(fetched.timestamp())
        metrics.inflight.set(self._proxy.inflight)


def admin_url(settings: Settings, port: int) -> str:
    """Return where this machine reaches the admin listener."""
    host = settings.admin.host
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - to recognise it
    bare = local.strip("[]")
    return f"http://[{bare}]:{port}" if ":" in bare else f"http://{bare}:{port}"


def _head_limits(settings: Settings) -> HeadLimits:
    return HeadLimits(
        header_bytes=settings.limits.header_bytes,
        header_timeout_s=settings.limits.header_timeout_s,
    )
