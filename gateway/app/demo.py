"""The demonstration: a provider, an issuer and a gateway in one process, and sample traffic.

Everything is the real thing but the provider and the parties: files, sockets, signatures, records.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from gateway.app.gateway import Gateway
from gateway.app.once import utc_now
from gateway.audit.verify import Verdict as AuditVerdict, verify
from gateway.demo.issuer import Issuer
from gateway.demo.provider.server import ProviderSimulator
from gateway.demo.records import decided_records
from gateway.demo.samples.every import SAMPLES, TIGHTENED
from gateway.demo.samples.model import Sample
from gateway.demo.traffic import run
from gateway.demo.verdict import Verdict, verdicts
from gateway.demo.world import World, build_world, fresh_own, tighten

_PATIENCE_S = 20.0


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What the demonstration showed.

    Attributes:
        verdicts: of every sample, in order; those after the policy change last.
        audit: what the independent verifier says of the log.
        changed: index of the first verdict after the policy change.
    """

    verdicts: tuple[Verdict, ...]
    audit: AuditVerdict
    changed: int

    @property
    def as_said(self) -> bool:
        """Whether every sample came out as said and the log verifies."""
        return self.audit.ok and all(verdict.as_said for verdict in self.verdicts)


class Demonstration:
    """A running demonstration."""

    def __init__(
        self, gateway: Gateway, world: World, provider: ProviderSimulator, issuer: Issuer
    ) -> None:
        """Keep what runs."""
        self.gateway, self.world = gateway, world
        self._provider, self._issuer = provider, issuer

    async def show(self) -> Shown:
        """Send the sample traffic, change the policy, and send what the change concerns again."""
        before, after = TIGHTENED
        first = await self._send((*SAMPLES, before))
        digest = self._policy_digest()
        tighten(self.world)
        async with asyncio.timeout(_PATIENCE_S):
            while self._policy_digest() == digest:
                await self.gateway.change()
        second = await self._send((after,))
        audit = self.world.directory / "audit"
        return Shown(
            verdicts=(*first, *second),
            audit=await asyncio.to_thread(verify, audit),
            changed=len(first),
        )

    async def _send(self, samples: tuple[Sample, ...]) -> tuple[Verdict, ...]:
        observations = await run(
            samples,
            world=self.world,
            gateway_port=self.gateway.port,
            provider=self._provider,
            issuer=self._issuer,
            clock=utc_now,
        )
        records = await asyncio.to_thread(decided_records, self.world.directory / "audit")
        return verdicts(observations, records)

    def _policy_digest(self) -> str:
        return self.gateway.snapshot.policies.digest


@asynccontextmanager
async def demonstration(port: int) -> AsyncIterator[Demonstration]:
    """Start everything on loopback, in a directory that is removed at the end.

    Args:
        port: of the data listener; 0 takes a free one.

    Yields:
        The running demonstration; the gateway is ready and has the issuer's keys.

    Raises:
        FacegateError: something does not start.
        OSError: the port is taken.
    """
    own = fresh_own()
    with tempfile.TemporaryDirectory(prefix="facegate-demo-") as name:
        async with ProviderSimulator(own, utc_now) as provider, Issuer() as issuer:
            world = build_world(
                Path(name),
                gateway_port=port or free_port(),
                admin_port=free_port(),
                provider_url=provider.url,
                issuer_url=issuer.url,
                jwks_url=issuer.jwks_url,
                own=own,
            )
            gateway = Gateway(world.config, world.environ)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(gateway.run())
                async with asyncio.timeout(_PATIENCE_S):
                    await gateway.ready.wait()
                try:
                    yield Demonstration(gateway, world, provider, issuer)
                finally:
                    gateway.stop()


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
