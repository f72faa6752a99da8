"""The keys of the issuers that the settings name, each fetched in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import aiohttp

from gateway.config.settings import Issuer as IssuerSettings
from gateway.core.identity.keys import IssuerKeys
from gateway.sources.jwks import Issuer, JwksSource

# A start is not held up longer than this by issuers that do not answer.
_FIRST_KEYS_S: Final = 5.0


class Issuers:
    """One source of keys an issuer; owned by the event loop."""

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession,
        clock: Callable[[], datetime],
        tasks: asyncio.TaskGroup,
        on_change: Callable[[IssuerKeys], None],
    ) -> None:
        """Begin with none; `on_change` is called with an issuer's keys after each success."""
        self._session, self._clock, self._tasks = session, clock, tasks
        self._on_change = on_change
        self._sources: dict[IssuerSettings, tuple[JwksSource, asyncio.Task[None]]] = {}

    def follow(self, issuers: Iterable[IssuerSettings]) -> None:
        """Ask these from now on; one that did not change keeps its keys."""
        wanted = {issuer: issuer for issuer in issuers}
        for gone in self._sources.keys() - wanted.keys():
            self._sources.pop(gone)[1].cancel()
        for issuer in wanted.keys() - self._sources.keys():
            source = JwksSource(
                _issuer(issuer),
                session=self._session,
                clock=self._clock,
                on_change=self._on_change,
            )
            self._sources[issuer] = (source, self._tasks.create_task(source.run()))

    async def first_keys(self) -> None:
        """Give every issuer a moment to hand out its keys; one that is down does not stop us."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_KEYS_S), asyncio.TaskGroup() as fetches:
                for source, _ in self._sources.values():
                    fetches.create_task(source.refresh())

    def want_key(self, issuer: str, kid: str) -> None:
        """Ask an issuer for a key that a token names; bounded by the issuer's cooldown."""
        for settings, (source, _) in self._sources.items():
            if settings.issuer == issuer:
                source.wanted(kid)

    def known(self) -> tuple[IssuerKeys, ...]:
        """Return each issuer with the keys at hand."""
        return tuple(source.keys for source, _ in self._sources.values())

    def close(self) -> None:
        """Stop asking."""
        for _, task in self._sources.values():
            task.cancel()


def _issuer(settings: IssuerSettings) -> Issuer:
    return Issuer(
        issuer=settings.issuer,
        jwks=settings.jwks,
        audience=settings.audience,
        algorithms=frozenset(settings.algorithms),
        max_stale=timedelta(seconds=settings.max_stale_s),
    )
