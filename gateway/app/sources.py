"""All that a gateway reads, each with its last good value; which files, the settings say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import aiohttp

from gateway.app.parts import Part, candidate_part, networks_part, tenants_part
from gateway.app.policies import START, Active, PolicyPart
from gateway.config.policies import PolicySettings
from gateway.config.settings import Settings
from gateway.core.catalog.model import Catalog
from gateway.core.geography.networks import Networks
from gateway.core.policy.activation import Origin
from gateway.core.policy.model import Policies
from gateway.errors import ConfigError, Finding
from gateway.sources.activations import Activations
from gateway.sources.bundle_url import BundleUrl, forget_others
from gateway.sources.child import Child
from gateway.sources.networks import load_networks
from gateway.sources.settings import load_settings_file
from gateway.sources.tenants import LoadedTenants


class Pointed(NamedTuple):
    """What the settings name."""

    tenants: Part[LoadedTenants]
    networks: Part[Networks]
    policies: PolicyPart
    candidates: Mapping[str, Part[Policies]]
    url: BundleUrl | None


AnyPart = Part[Settings] | Part[LoadedTenants] | Part[Networks] | Part[Policies] | PolicyPart


class Sources:
    """Everything that is read, with its last good value; owned by the event loop."""

    def __init__(
        self,
        *,
        path: Path,
        environ: Mapping[str, str],
        catalog: Catalog,
        child: Child,
        clock: Callable[[], datetime],
        session: aiohttp.ClientSession,
    ) -> None:
        """Name the configuration file; nothing is read yet."""
        self.path, self.catalog, self._environ, self._child = path, catalog, environ, child
        self._clock = clock
        self._active: Active | None = None
        self._session = session
        self._url: BundleUrl | None = None
        self._pointed = asyncio.Event()  # set where the settings may name another URL
        self.settings = Part("settings", (path,), self._load_settings)
        self.tenants: Part[LoadedTenants]
        self.networks: Part[Networks]
        self.policies: PolicyPart
        self.candidates: Mapping[str, Part[Policies]] = {}

    async def load(self) -> None:
        """Read everything for the first time: policy from where its pointer leads.

        Raises:
            ConfigError: every mistake in every file that could be reached.
            SourceError: the state directory cannot be used, or another process does.
        """
        await self.settings.refresh()
        activations = await asyncio.to_thread(Activations, self.settings.value.state_dir)
        self._active = Active(activations)
        self.point()
        await asyncio.to_thread(
            forget_others, activations.directory, self.settings.value.policies.url
        )
        if self._active.state is None:
            await self.fetch()
        results = [await part.refresh() for part in (self.tenants, self.networks)]
        results.append(await self.policies.start())
        if "refused" not in results:
            for candidate in self.candidates.values():
                # One that has mistakes is not asked, and stops nobody.
                await candidate.refresh()
            findings = await self.policies.commit(Origin(who=START, time=self._clock()))
            if not findings:
                return
            self.policies.refuse(findings)
        found = tuple(found for part in self.deciding() for found in part.findings)
        raise ConfigError((*self.unfetched, *found))

    @property
    def active(self) -> Active:
        """What is active.

        Raises:
            ConfigError: nothing is read yet.
        """
        if self._active is None:
            raise ConfigError(())
        return self._active

    def close(self) -> None:
        """Let go of the state directory."""
        if self._active is not None:
            self._active.activations.close()

    def point(self) -> None:
        """Make the parts that the settings name; a part keeps its value where it stays the same."""
        settings = self.settings.value
        self.tenants = tenants_part(
            settings.tenants, settings.identity.secrets_key_bytes, self._child
        )
        self._url = self._bundle_url(settings.policies)
        self._pointed.set()
        self.policies = PolicyPart(settings.policies, self.active, self._child, self._clock)
        self.candidates = {
            one.name: candidate_part(one.name, one.dir, self._child, self._clock)
            for one in settings.policies.candidates
        }
        databases = (settings.networks.country, settings.networks.anonymous)

        def load() -> Networks:
            return load_networks(
                settings.networks.country,
                anonymous=settings.networks.anonymous,
                max_age=settings.networks.max_age,
                trusted_proxies=settings.trusted_proxies,
            )

        self.networks = networks_part(tuple(path for path in databases if path), load)

    @property
    def pointed(self) -> Pointed:
        """What the settings name; set back where new settings are not taken."""
        return Pointed(self.tenants, self.networks, self.policies, self.candidates, self._url)

    @pointed.setter
    def pointed(self, before: Pointed) -> None:
        self.tenants, self.networks, self.policies, self.candidates, self._url = before

    async def fetch(self) -> None:
        """Ask for what a URL offers, where policy comes from one; a failure is logged."""
        if self._url is not None:
            await self._url.fetch()

    @property
    def unfetched(self) -> tuple[Finding, ...]:
        """Why the server of the policy did not answer when it was asked last."""
        words = "" if self._url is None else self._url.last_error
        if not words:
            return ()
        message = f"cannot be fetched: {words}"
        return (Finding(path="policies.url", line=0, column=0, message=message),)

    async def poll(self) -> None:
        """Ask for what a URL offers again and again, until cancelled."""
        while True:
            self._pointed.clear()
            await self.fetch()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.settings.value.policies.poll_s):
                    await self._pointed.wait()

    @property
    def fetched(self) -> datetime | None:
        """When the server of the policy last answered; None without one, or where it never did."""
        return None if self._url is None else self._url.fetched

    def _bundle_url(self, settings: PolicySettings) -> BundleUrl | None:
        if settings.url is None:
            return None
        made = BundleUrl(
            settings.url,
            directory=self.active.activations.directory,
            session=self._session,
            clock=self._clock,
            tls=settings.tls(),
            token=settings.token.reveal() if settings.token else None,
        )
        made.follow(self._url)
        return made

    def forget_seen(self) -> None:
        """Let everything be read again, whatever was seen before."""
        for part in (self.settings, *self.parts()):
            part.seen = ""
        # The authorities may be others under the same name.
        self._url = self._bundle_url(self.settings.value.policies)

    def deciding(self) -> tuple[AnyPart, ...]:
        """Return the parts that decisions rest on, in the order in which they are read."""
        return self.tenants, self.networks, self.policies

    def parts(self) -> tuple[AnyPart, ...]:
        """Return the parts that the settings name, in the order in which they are read."""
        return *self.deciding(), *self.candidates.values()

    def roots(self) -> tuple[Path, ...]:
        """Return every file and directory that is watched."""
        return (self.path, *(root for part in self.parts() for root in part.roots))

    async def _load_settings(self) -> Settings:
        return await asyncio.to_thread(
            load_settings_file, self.path, self._environ, providers=self.catalog.providers
        )
