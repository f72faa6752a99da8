"""Keeping what is served up to date: load, check, swap whole, or keep the last good one loudly.

Each content is tried once. A part whose files hold is swapped in even where another part's do not;
the settings are refused whole where they have a mistake or change what needs a restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import aiohttp
import msgspec

from gateway.app.assemble import Loaded, assemble, assemble_keys
from gateway.app.chronicle import Chronicle
from gateway.app.issuers import Issuers
from gateway.app.keeping import Keeping
from gateway.app.once import settle_memory
from gateway.app.parts import Result
from gateway.app.policies import START, TIMETABLE, WATCH, Active
from gateway.app.retire import Retired
from gateway.app.sources import Sources
from gateway.app.upstreams import Upstreams
from gateway.audit.log import AuditLog
from gateway.config.settings import (
    Settings,
    restart_only_differences,
)
from gateway.console.admin import ReloadReport
from gateway.console.policy import Wish
from gateway.core.identity.keys import IssuerKeys, Keys, with_issuer, with_memo_of
from gateway.core.policy.activation import Origin
from gateway.errors import Finding
from gateway.metrics import Metrics
from gateway.proxy.server import Live, Serving
from gateway.sources.stored_parts import StoredParts
from gateway.sources.watch import changes
from gateway.staging import StageWatch

log = logging.getLogger("facegate")

# What the gateway does by itself and cannot is tried again after so long.
_AGAIN: Final = timedelta(minutes=1)

Clock = Callable[[], datetime]


class Reloader:
    """Swaps what is served; `live` is written here alone."""

    def __init__(
        self,
        sources: Sources,
        *,
        session: aiohttp.ClientSession,
        clock: Clock,
        metrics: Metrics,
        tasks: asyncio.TaskGroup,
        on_swap: Callable[[], None],
    ) -> None:
        """Begin with sources that are loaded; serve them with `live`.

        Args:
            sources: everything that is read, loaded once.
            session: for the issuers' keys.
            clock: aware, UTC.
            metrics: all of them.
            tasks: holds what runs in the background.
            on_swap: called after something else is served.
        """
        self._on_swap = on_swap
        self._sources, self._session = sources, session
        self._clock, self._metrics, self._tasks = clock, metrics, tasks
        self._turn = asyncio.Lock()
        self._closed = False
        self._given_up = _unread(sources.active)  # a staged bundle, and why
        self._not_before: datetime | None = None  # of what the gateway does by itself
        self._told = tuple[Finding, ...]()  # why that was refused last
        self.issuers = Issuers(
            session=session, clock=clock, tasks=tasks, on_change=self._take_issuer
        )
        self.stage = StageWatch(self._give_up)
        self._upstreams, self._retired = Upstreams(sources.catalog, tasks), Retired(tasks)
        self._served = sources.settings.value
        self._chronicle = Chronicle(sources, metrics=metrics, clock=clock)
        self._keeping = Keeping()
        self.issuers.follow(self._served.identity.issuers)
        self._loaded = self._load()
        self._keys = self._assemble_keys()
        self.live = Live(self._assemble())
        self._watch_stage()
        self.changed = asyncio.Event()  # set, and replaced, when something else is served
        self._chronicle.report_parts()

    async def record_in(self, audit: AuditLog, kept: StoredParts) -> None:
        """Record activations in this log from now on, the first state among them.

        Args:
            audit: the log.
            kept: where policy and settings are stored before anything is decided under them.

        Raises:
            AuditError: what is served cannot be stored.
        """
        await self._keeping.begin(kept, self._loaded.every_policy(), self._served)
        self._chronicle.record_in(audit)
        origin = Origin(who=START, time=self._clock())
        candidates = self._loaded.candidates.items()
        asked = {f"candidate {name}": policies.digest for name, policies in candidates}
        for name, digest in {**self.live.serving.snapshot.parts, **asked}.items():
            self._chronicle.record(name, origin, digest, "activated")

    @property
    def settings(self) -> Settings:
        """The settings that are served."""
        return self._served

    @property
    def active(self) -> Active:
        """Which policy is active, and how it came to be."""
        return self._sources.active

    @property
    def fetched(self) -> datetime | None:
        """When the server that offers policy last answered, where one does."""
        return self._sources.fetched

    def policy_status(self) -> Mapping[str, object]:
        """Return which bundle is active since when, and which one is offered and held."""
        state, policies = self.active.state, self._sources.policies
        return {
            "active": None if state is None else state.active,
            "held": policies.held,
            "staged": None if state is None else state.staged,
            "mark": 0 if state is None else state.mark,
        }

    async def watch(self, stop: asyncio.Event) -> None:
        """Reload when a file changes, until `stop` is set."""
        while not stop.is_set():
            roots = self._sources.roots()
            async with aclosing(changes(roots, stop=stop)) as changed:
                # What changed between loading and watching is found by the first look.
                await self.reload(WATCH)
                async for _ in changed:
                    await self.reload(WATCH)
                    if self._sources.roots() != roots:
                        break

    async def reload(self, who: str) -> ReloadReport:
        """Read what changed and swap it in.

        Args:
            who: who asked, for the record.
        """
        async with self._turn:
            if self._closed:
                return self._report(activated=False, findings=())
            if who != WATCH:
                # Whoever asks means everything: a secret in a file may be new under the same name.
                self._sources.forget_seen()
                await self._sources.fetch()
            origin = Origin(who=who, time=self._clock())
            activated = await self._apply(await self._refresh(origin), origin)
            if who != WATCH:
                await self._write_return()
            return self._report(activated=activated, findings=self.findings())

    async def act(self, wish: Wish) -> ReloadReport:
        """Activate a policy, or go back to one, because an operator says so."""
        async with self._turn:
            if self._closed:
                return self._report(activated=False, findings=())
            origin = Origin(who=wish.who, why=wish.why, time=self._clock())
            policies = self._sources.policies
            result = await policies.demand(wish)
            if result == "activated":
                result = await self._commit(self._served, origin)
            told = self._tell_once if wish.who == TIMETABLE else self._apply
            activated = await told({policies.name: result}, origin)
            return self._report(activated=activated, findings=policies.findings)

    async def _apply(self, results: Mapping[str, Result], origin: Origin) -> bool:
        """Serve what was activated, and tell of everything; return whether anything was."""
        activated = "activated" in results.values()
        if activated:
            self._loaded = self._load()
            self._keys = with_memo_of(self._assemble_keys(), self._keys)
            settle_memory()  # before there is more to look through
            self._swap()
        for part, result in results.items():
            self._chronicle.tell(part, result, origin, self.live.serving.snapshot)
        self._chronicle.report_parts()
        if results.get("policies") == "refused":
            await self._sources.policies.note_refusal(origin)
        return activated

    def _report(self, *, activated: bool, findings: tuple[Finding, ...]) -> ReloadReport:
        return ReloadReport(
            result="refused" if findings else "activated" if activated else "unchanged",
            digest=self.live.serving.snapshot.digest,
            findings=tuple(str(finding) for finding in findings),
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return every mistake in files that are not served for it."""
        return self._chronicle.findings()

    async def close(self) -> None:
        """Close every connection to providers and stop asking issuers.

        A reload that is under way is waited for, and there is no other after it.
        """
        async with self._turn:
            self._closed = True
        self.issuers.close()
        self._retired.close()
        await self._upstreams.close()

    async def _refresh(self, origin: Origin) -> dict[str, Result]:
        sources = self._sources
        results: dict[str, Result] = {"settings": await sources.settings.refresh()}
        if results["settings"] == "activated":
            results |= await self._take_settings(origin)
        for part in sources.deciding():
            result = await part.refresh()
            if part is sources.policies and result == "activated":
                result = await self._commit(self._served, origin)
            if result != "unchanged" or part.name not in results:
                results[part.name] = result
        for candidate in sources.candidates.values():
            before, result = candidate.present, await candidate.refresh()
            if result == "activated":
                findings = await self._keeping.unkept(candidate.value, self._served)
                if findings:
                    candidate.refuse(before, findings, again=True)
                    result = "refused"
            results[candidate.name] = result
        return results

    async def _take_settings(self, origin: Origin) -> dict[str, Result]:
        """Follow new settings, or refuse them whole and go on with the present ones."""
        settings, sources = self._sources.settings, self._sources
        new, before = settings.value, sources.pointed
        if new == self._served:
            return {"settings": "unchanged"}  # each part that they name stands for itself
        findings = _fixed(sources.path, restart_only_differences(self._served, new))
        again = not findings  # then it is not the settings themselves
        if not findings:
            sources.point()
            # What was kept of another server does not stand for what this one offers.
            if new.policies.url != self._served.policies.url:
                await sources.fetch()
                findings = sources.unfetched
        if not findings:
            results = {part.name: await part.refresh() for part in sources.deciding()}
            hold = "refused" not in results.values()
            # The settings are kept even where the policy stays as it is.
            if hold and await self._commit(new, origin) == "activated":
                self._served = new
                self.issuers.follow(new.identity.issuers)
                return {"settings": "activated", "policies": results["policies"]}
            findings = tuple(found for part in sources.deciding() for found in part.findings)
        settings.refuse(self._served, findings, again=again)
        sources.pointed = before
        return {"settings": "refused"}

    async def _commit(self, settings: Settings, origin: Origin) -> Result:
        """Keep the policy that was found and these settings, then point to that policy."""
        policies = self._sources.policies
        unkept = await self._keeping.unkept(policies.value, settings)
        findings = unkept or await policies.commit(origin)
        if findings:
            policies.refuse(findings, again=True)
            return "refused"
        return "activated"

    def _take_issuer(self, issuer: IssuerKeys) -> None:
        """Swap in an issuer's new keys."""
        before = self._keys.digest
        self._keys = with_issuer(self._keys, issuer)
        self._swap()
        if self._keys.digest != before:
            log.info("keys of %s changed", issuer.issuer)
            origin = Origin(who=issuer.issuer, time=self._clock())
            self._chronicle.record("keys", origin, self._keys.digest, "activated")
        if issuer.fetched is not None:
            self._metrics.jwks_time.set(issuer.fetched.timestamp(), (issuer.issuer,))

    def _assemble_keys(self) -> Keys:
        sources = self._sources
        return assemble_keys(
            self._served, sources.catalog, sources.tenants.value, self.issuers.known()
        )

    def _load(self) -> Loaded:
        """Take what the sources hold; between two reloads, never in the middle of one."""
        sources = self._sources
        return Loaded(
            settings=self._served,
            tenants=sources.tenants.value,
            networks=sources.networks.value,
            policies=sources.policies.value,
            candidates={
                name: part.present
                for name, part in sources.candidates.items()
                if part.present is not None
            },
            stage=self.active.stage,
        )

    def _assemble(self) -> Serving:
        return assemble(
            self._loaded,
            catalog=self._sources.catalog,
            keys=self._keys,
            upstreams=self._upstreams.follow(self._loaded.settings.upstreams),
        )

    def _swap(self) -> None:
        before, self.live.serving = self.live.serving, self._assemble()
        self._retired.add(before.snapshot, self.live.serving.snapshot)
        self._watch_stage()
        self.changed.set()
        self.changed = asyncio.Event()
        self._on_swap()

    def _watch_stage(self) -> None:
        stage, policies = self._loaded.stage, self._sources.policies
        digest = "" if stage is None else stage.policies.digest
        self.stage.follow(digest, None if stage is None else policies.limits)
        self._metrics.policy_staged.set_all({} if stage is None else {(digest,): stage.percent})

    def _give_up(self, reason: str) -> None:
        """Give every tenant the active policy at once; writing that down may take its time."""
        state = self.active.state
        if state is not None and state.staged is not None:
            self._given_up = (state.staged.step.bundle, reason)
        log.error("policies: what is staged is taken back: %s", reason)
        self.active.staged = None
        self._loaded = msgspec.structs.replace(self._loaded, stage=None)
        self._swap()
        self._tasks.create_task(self._take_back())

    async def _take_back(self) -> None:
        async with self._turn:
            if not self._closed:
                await self._write_return()

    async def _write_return(self) -> None:
        """Write down that a stage was given up, unless something else has taken its place."""
        state, policies = self.active.state, self._sources.policies
        if self._given_up is None:
            return
        bundle, reason = self._given_up
        if state is None or state.staged is None or state.staged.step.bundle != bundle:
            self._given_up = None
            return
        origin = Origin(who="gateway", why=reason, time=self._clock())
        policies.withdraw(hold=True)
        result = await self._commit(self._served, origin)
        if result == "activated":
            self._given_up = None
        await self._tell_once({policies.name: result}, origin)

    async def go_on(self) -> None:
        """Do what is due of what is staged; what is refused is tried again after a while."""
        if self._not_before is not None and self._clock() < self._not_before:
            return
        self._not_before = None
        if self._given_up is not None:
            await self._take_back()
        elif (wish := self._sources.policies.due()) is not None:
            await self.act(wish)

    async def _tell_once(self, results: Mapping[str, Result], origin: Origin) -> bool:
        """Tell what became of what the gateway did by itself; the same refusal is told once."""
        refused = "refused" in results.values()
        findings = self._sources.policies.findings if refused else ()
        if refused:
            self._not_before = self._clock() + _AGAIN
            if findings == self._told:
                return False
        self._told = findings
        return await self._apply(results, origin)


def _fixed(path: Path, keys: tuple[str, ...]) -> tuple[Finding, ...]:
    """Return why settings are refused that change what needs a restart."""
    return tuple(
        Finding(
            path=str(path),
            line=0,
            column=0,
            message=f"`{key}` cannot change while the gateway runs",
            hint="restart the gateway, or put the old value back",
        )
        for key in keys
    )


def _unread(active: Active) -> tuple[str, str] | None:
    """Return the bundle that was staged, where the start could not read it, and that."""
    waiting = None if active.state is None else active.state.staged
    if waiting is None or active.staged is not None:
        return None
    return waiting.step.bundle, "what was staged cannot be read"
