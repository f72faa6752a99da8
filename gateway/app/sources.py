"""All that a gateway reads, each with its last good value; which files, the settings say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from gateway.app.parts import Part, networks_part, policies_part, tenants_part
from gateway.config.settings import Settings
from gateway.core.catalog.model import Catalog
from gateway.core.geography.networks import Networks
from gateway.core.policy.model import Policies
from gateway.errors import ConfigError
from gateway.sources.child import Child
from gateway.sources.networks import load_networks
from gateway.sources.settings import load_settings_file
from gateway.sources.tenants import LoadedTenants

AnyPart = Part[Settings] | Part[LoadedTenants] | Part[Networks] | Part[Policies]


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
    ) -> None:
        """Name the configuration file; nothing is read yet."""
        self.path, self.catalog, self._environ, self._child = path, catalog, environ, child
        self._clock = clock
        self.settings = Part("settings", (path,), self._load_settings)
        self.tenants: Part[LoadedTenants]
        self.networks: Part[Networks]
        self.policies: Part[Policies]

    async def load(self) -> None:
        """Read everything for the first time.

        Raises:
            ConfigError: every mistake in every file that could be reached.
        """
        await self.settings.refresh()
        self.point()
        results = [await part.refresh() for part in self.parts()]
        if "refused" in results:
            raise ConfigError(tuple(found for part in self.parts() for found in part.findings))

    def point(self) -> None:
        """Make the parts that the settings name; a part keeps its value where it stays the same."""
        settings = self.settings.value
        self.tenants = tenants_part(
            settings.tenants, settings.identity.secrets_key_bytes, self._child
        )
        self.policies = policies_part(settings.policies, self._child, self._clock)
        databases = (settings.networks.country, settings.networks.anonymous)

        def load() -> Networks:
            return load_networks(
                settings.networks.country,
                anonymous=settings.networks.anonymous,
                max_age=settings.networks.max_age,
                trusted_proxies=settings.trusted_proxies,
            )

        self.networks = networks_part(tuple(path for path in databases if path), load)

    def parts(self) -> tuple[AnyPart, ...]:
        """Return the parts that the settings name, in the order in which they are read."""
        return self.tenants, self.networks, self.policies

    def roots(self) -> tuple[Path, ...]:
        """Return every file and directory that is watched."""
        return (self.path, *(root for part in self.parts() for root in part.roots))

    async def _load_settings(self) -> Settings:
        return await asyncio.to_thread(
            load_settings_file, self.path, self._environ, providers=self.catalog.providers
        )
