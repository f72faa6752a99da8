"""The keys of token issuers, fetched ahead of need and never on the path of a request.

An issuer that is down, or publishes garbage, does no harm while the last good keys are younger than
`max_stale`; after that tokens are refused (`identity.keys`). A `kid` that nobody knows asks for one
fetch, at most one in a cooldown, however many tokens name one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from gateway.core.identity.jwt import one_family
from gateway.core.identity.keys import IssuerKeys
from gateway.errors import SourceError
from gateway.sources.jwk_set import read_jwk_set

Clock = Callable[[], datetime]

COOLDOWN: Final = timedelta(seconds=30)
_BODY_BYTES: Final = 1 << 20
_TIMEOUT_S: Final = 10.0
_OK: Final = 200


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """A token issuer as configured.

    Attributes:
        issuer: exact `iss` of its tokens.
        jwks: URL of its key set.
        audience: `aud` that its tokens must hold.
        algorithms: what it signs with, one family.
        max_stale: how old its keys may become.
        refresh: how often they are fetched where nothing is wrong.
    """

    issuer: str
    jwks: str
    audience: str
    algorithms: frozenset[str]
    max_stale: timedelta
    refresh: timedelta = timedelta(minutes=5)


def issuer_mistakes(issuer: Issuer) -> tuple[str, ...]:
    """Return what is wrong with the configuration of an issuer, in words."""
    mistakes = []
    if not _is_acceptable(issuer.jwks):
        mistakes.append("`jwks` must be an https URL (http only to the loopback interface)")
    if not one_family(issuer.algorithms):
        mistakes.append(
            "`algorithms` must be of one family: RS256/384/512, PS256/384/512, ES256/384/512, EdDSA"
        )
    return tuple(mistakes)


def without_keys(issuer: Issuer) -> IssuerKeys:
    """Return the issuer as it stands before the first fetch: every token of it is refused."""
    return IssuerKeys(
        issuer=issuer.issuer,
        audience=issuer.audience,
        algorithms=issuer.algorithms,
        keys={},
        fetched=None,
        max_stale=issuer.max_stale,
    )


class JwksSource:
    """Keeps one issuer's keys fresh.

    Owned by one event loop; `run` fetches, everybody else reads or asks.
    """

    def __init__(
        self,
        issuer: Issuer,
        *,
        session: aiohttp.ClientSession,
        clock: Clock,
        on_change: Callable[[IssuerKeys], None],
        jitter: Callable[[], float] = random.random,  # noqa: S311 - spreads load, hides nothing
    ) -> None:
        """Keep what the composition root made.

        Args:
            issuer: the configuration; it has no mistakes.
            session: for the requests.
            clock: aware UTC.
            on_change: called with the keys after every success, also where only their age is new.
            jitter: uniform in [0, 1), spreads the fetches of many processes.
        """
        self.keys = without_keys(issuer)
        self.failures = 0
        self.last_error = ""
        self.dropped: tuple[str, ...] = ()
        self._issuer = issuer
        self._session = session
        self._clock = clock
        self._on_change = on_change
        self._jitter = jitter
        self._finished = 0
        self._attempted: datetime | None = None
        self._pause = timedelta(0)
        self._lock = asyncio.Lock()
        self._asked = asyncio.Event()

    @property
    def last_success(self) -> datetime | None:
        """When the keys were last obtained."""
        return self.keys.fetched

    def wanted(self, kid: str) -> None:
        """Ask for newer keys because a token names a key that is not at hand."""
        if kid not in self.keys.keys:
            self._asked.set()

    def due(self) -> timedelta:
        """Return how long until the next fetch; zero where it is due."""
        if self._attempted is None:
            return timedelta(0)
        pause = min(self._pause, COOLDOWN) if self._asked.is_set() else self._pause
        passed = max(self._clock() - self._attempted, timedelta(0))
        return max(pause - passed, timedelta(0))

    async def run(self) -> None:
        """Fetch when it is due, until cancelled."""
        while True:
            await self._until_due()
            await self.refresh()

    async def refresh(self) -> bool:
        """Fetch now, and tell whether it worked; calls at the same time share one fetch."""
        finished = self._finished
        async with self._lock:
            if self._finished == finished:
                await self._attempt()
                self._finished += 1
        return not self.failures

    async def _until_due(self) -> None:
        while due := self.due():
            # Once somebody has asked, waiting for the event would not wait at all.
            asked = self._asked.is_set()
            try:
                async with asyncio.timeout(due.total_seconds()):
                    await (asyncio.Event() if asked else self._asked).wait()
            except TimeoutError:
                continue

    async def _attempt(self) -> None:
        self._attempted = self._clock()
        self._asked.clear()
        try:
            content = await _fetch(self._session, self._issuer.jwks)
            read = read_jwk_set(content, self._issuer.algorithms)
        except SourceError as error:
            self.failures += 1
            self.last_error = str(error)
            self._pause = self._spread(
                min(COOLDOWN * 2 ** min(self.failures - 1, 10), self._issuer.refresh)
            )
            return
        self.failures, self.last_error, self.dropped = 0, "", read.dropped
        self._pause = self._spread(self._issuer.refresh)
        self.keys = msgspec.structs.replace(self.keys, keys=read.keys, fetched=self._clock())
        self._on_change(self.keys)

    def _spread(self, pause: timedelta) -> timedelta:
        return pause * (1 + 0.25 * self._jitter())


async def _fetch(session: aiohttp.ClientSession, url: str) -> bytes:
    try:
        async with session.get(
            url,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
            headers={"accept": "application/json", "accept-encoding": "identity"},
        ) as response:
            if response.status != _OK:
                raise SourceError(f"the issuer answered {response.status}")
            content = bytearray()
            async for chunk in response.content.iter_chunked(1 << 16):
                content += chunk
                if len(content) > _BODY_BYTES:
                    raise SourceError(f"the key set is longer than {_BODY_BYTES} bytes")
            return bytes(content)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise SourceError(f"the issuer cannot be reached ({type(error).__name__})") from error


def _is_acceptable(url: str) -> bool:
    try:
        parsed = urlsplit(url)
    except ValueError:
        return False
    if not parsed.hostname or "@" in parsed.netloc or parsed.fragment:
        return False
    return parsed.scheme == "https" or (parsed.scheme == "http" and _is_loopback(parsed.hostname))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
