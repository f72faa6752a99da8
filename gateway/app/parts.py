"""Everything that is read from files, loaded at start and again when it changes.

Each part keeps its last good value: a file with mistakes is reported once for each content, loudly,
and changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Generic, Literal, TypeVar

from gateway.core.geography.networks import Networks
from gateway.core.policy.model import Policies
from gateway.errors import (
    ConfigError,
    Finding,
    FindingsError,
    PolicyError,
    SourceError,
    source_finding,
)
from gateway.sources.child import Child
from gateway.sources.fingerprint import fingerprint
from gateway.sources.policies import load_outcome
from gateway.sources.tenants import LoadedTenants, load_tenants

T = TypeVar("T")
Result = Literal["activated", "unchanged", "refused"]


class Watched:
    """Files that are tried once for each content; `findings` says what is wrong with them now."""

    def __init__(self, name: str, roots: tuple[Path, ...]) -> None:
        """Name the source and what it reads; nothing is read yet."""
        self.name, self.roots = name, roots
        self.findings: tuple[Finding, ...] = ()
        self.seen = ""  # fingerprint of the content that was tried last
        self.again = False  # what is wrong is not in the content: the same is tried once more

    async def is_new(self) -> bool:
        """Tell whether the content is another than at the last attempt, which this one is now."""
        seen = await asyncio.to_thread(fingerprint, self.roots)
        if seen == self.seen and not self.again:
            return False
        self.seen, self.again = seen, False
        return True


class Part(Watched, Generic[T]):
    """One source of the snapshot with its last good value.

    Owned by the reloader; `value` is replaced whole.
    """

    def __init__(
        self, name: str, roots: tuple[Path, ...], load: Callable[[], Awaitable[T]]
    ) -> None:
        """Name the source, what it reads, and how; nothing is read yet."""
        super().__init__(name, roots)
        self._load = load
        self._value: T | None = None

    @property
    def present(self) -> T | None:
        """The last good value, where there is any."""
        return self._value

    @property
    def value(self) -> T:
        """The last good value.

        Raises:
            ConfigError: there is none yet.
        """
        if self._value is None:
            raise ConfigError(self.findings)
        return self._value

    def refuse(
        self, value: T | None, findings: tuple[Finding, ...], *, again: bool = False
    ) -> None:
        """Go back to a value, or to none, because the new one does not fit, for these reasons.

        `again`: the reason is not in the content, so the next refresh tries the same once more.
        """
        self._value, self.findings, self.again = value, findings, again

    async def refresh(self) -> Result:
        """Read again where the content is another than at the last attempt.

        Returns:
            `activated` with a new value, `refused` with findings, or `unchanged`.
        """
        if not await self.is_new():
            return "unchanged"
        try:
            self._value = await self._load()
        except FindingsError as failure:
            self.findings = failure.findings
        except SourceError as failure:
            self.findings = (source_finding(failure),)
        else:
            self.findings = ()
            return "activated"
        return "refused"


def candidate_part(
    name: str, directory: Path, child: Child, clock: Callable[[], datetime]
) -> Part[Policies]:
    """Return the directory of a candidate as a part; it is read, and proved, in the child."""

    async def load() -> Policies:
        outcome = await child.run(load_outcome, str(directory), clock())
        if isinstance(outcome, Policies):
            return outcome
        raise PolicyError(outcome)

    return Part(f"candidate {name}", (directory,), load)


def tenants_part(path: Path, secrets_key: bytes | None, child: Child) -> Part[LoadedTenants]:
    """Return the tenant file as a part; it is read in the child process."""

    async def load() -> LoadedTenants:
        outcome = await child.run(_tenants_outcome, str(path), secrets_key)
        if isinstance(outcome, LoadedTenants):
            return outcome
        raise ConfigError(outcome)

    return Part("tenants", (path,), load)


def networks_part(roots: tuple[Path, ...], load_blocking: Callable[[], Networks]) -> Part[Networks]:
    """Return the network databases as a part; they are read in a thread."""

    async def load() -> Networks:
        return await asyncio.to_thread(load_blocking)

    return Part("networks", roots, load)


def _tenants_outcome(path: str, secrets_key: bytes | None) -> LoadedTenants | tuple[Finding, ...]:
    try:
        return load_tenants(Path(path), secrets_key=secrets_key)
    except ConfigError as failure:
        return failure.findings
