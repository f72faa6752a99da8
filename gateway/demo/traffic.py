"""Sends the sample traffic through a running gateway and notes what became of each request.

Over real sockets, one request at a time, so that what arrives at the provider meanwhile is that
request's doing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from gateway.demo.head import head_of
from gateway.demo.issuer import Issuer
from gateway.demo.provider.server import ProviderSimulator
from gateway.demo.samples.model import Sample
from gateway.demo.wire import RawAnswer, exchange
from gateway.demo.world import World


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a sample, seen from outside.

    Attributes:
        sample: the sample.
        status: status of the answer; 0 where the connection ended without one.
        decision: the X-Facegate-Decision header; empty where there was none.
        error: the provider's own name of the error; empty where there was none.
        reason: the reason that the answer names; empty where it names none, as permits do.
        arrived: whether anything reached the provider meanwhile.
        own_credential: whether whatever arrived came with the gateway's own credential.
    """

    sample: Sample
    status: int
    decision: str
    error: str
    reason: str
    arrived: bool
    own_credential: bool


class _Error(msgspec.Struct, frozen=True):
    """The members of an error body that are read here, in every dialect."""

    kind: str = msgspec.field(default="", name="__type")
    error: dict[str, object] = {}
    type: str = ""
    reason: str = ""


async def run(
    samples: Iterable[Sample],
    *,
    world: World,
    gateway_port: int,
    provider: ProviderSimulator,
    issuer: Issuer,
    clock: Callable[[], datetime],
) -> tuple[Observation, ...]:
    """Send the samples in order.

    Raises:
        OSError: the gateway cannot be reached.
        TimeoutError: it did not answer in time.
    """
    observations: list[Observation] = []
    for sample in samples:
        before = len(provider.arrivals)
        provider.misbehave_next = sample.misbehaviour
        head = head_of(sample, world=world, issuer=issuer, now=clock())
        answer = await exchange(gateway_port, head, sample.message.body)
        provider.misbehave_next = None
        arrivals = provider.arrivals[before:]
        observations.append(
            _observed(
                sample,
                answer,
                arrived=bool(arrivals),
                own_credential=all(arrival.own_credential for arrival in arrivals),
            )
        )
    return tuple(observations)


def _observed(
    sample: Sample, answer: RawAnswer, *, arrived: bool, own_credential: bool
) -> Observation:
    error = _error_of(answer)
    return Observation(
        sample=sample,
        status=answer.status,
        decision=answer.headers.get("x-facegate-decision", ""),
        error=error.kind or str(error.error.get("code", "")) or error.type,
        reason=error.reason,
        arrived=arrived,
        own_credential=own_credential,
    )


def _error_of(answer: RawAnswer) -> _Error:
    try:
        return msgspec.json.decode(answer.body, type=_Error)
    except msgspec.MsgspecError:
        return _Error()
