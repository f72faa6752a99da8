"""Moving the policy's pointer while no gateway runs; the next start begins with what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from gateway.app.policies import Active, PolicyPart
from gateway.config.settings import Settings
from gateway.console.admin import ReloadReport
from gateway.console.policy import Wish
from gateway.core.policy.activation import Origin
from gateway.sources.activations import Activations
from gateway.sources.child import Child


def move(settings: Settings, wish: Wish, clock: Callable[[], datetime]) -> ReloadReport:
    """Do what an operator asks for, with the checks that a running gateway makes.

    Args:
        settings: where the state directory is, what is offered, whose signatures count.
        wish: what is asked for.
        clock: aware, UTC.

    Raises:
        HeldError: a gateway runs on this state directory; ask that one.
        SourceError: the state directory cannot be used.
    """
    with Activations(settings.state_dir) as activations:
        return asyncio.run(_move(settings, wish, Active(activations), clock))


async def _move(
    settings: Settings, wish: Wish, active: Active, clock: Callable[[], datetime]
) -> ReloadReport:
    child = Child()
    origin = Origin(who=wish.who, why=wish.why, time=clock())
    try:
        part = PolicyPart(settings.policies, active, child, clock)
        result = await part.demand(wish)
        if result == "activated" and (findings := await part.commit(origin)):
            part.refuse(findings)
            result = "refused"
        if result == "refused":
            await part.note_refusal(origin)
    finally:
        child.close()
    return ReloadReport(
        result=result,
        digest=active.state.active.policies if active.state else "",
        findings=tuple(str(finding) for finding in part.findings),
    )
