"""Storing what is decided under, or only asked, before it is: see `sources.stored_parts`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from gateway.config.settings import Settings
from gateway.core.policy.model import Policies
from gateway.errors import AuditError, Finding, SourceError, source_finding
from gateway.sources.stored_parts import StoredParts

_HINT: Final = "nothing is decided under what is not kept; see the disk, then reload"


class Keeping:
    """The stored parts of this gateway's log, once there is one."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._parts: StoredParts | None = None

    async def begin(
        self, parts: StoredParts, policies: Iterable[Policies], settings: Settings
    ) -> None:
        """Keep what is served there, and everything from now on.

        Raises:
            AuditError: it cannot be stored.
        """
        await asyncio.to_thread(_put, parts, tuple(policies), settings)
        self._parts = parts

    async def unkept(self, policies: Policies, settings: Settings) -> tuple[Finding, ...]:
        """Store a policy and settings; return why that is not possible."""
        if self._parts is None:
            return ()
        try:
            await asyncio.to_thread(_put, self._parts, (policies,), settings)
        except AuditError as failure:
            return (source_finding(SourceError(f"{failure}\n    hint: {_HINT}")),)
        return ()


def _put(parts: StoredParts, policies: tuple[Policies, ...], settings: Settings) -> None:
    for one in policies:
        parts.put_policies(one)
    parts.put_settings(settings.meaning())
