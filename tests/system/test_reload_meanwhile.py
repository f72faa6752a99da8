"""What happens in the middle of a reload: what is served is whole, before it and after it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.audit.record import Decided
from gateway.demo.issuer import Issuer
from gateway.sources.jwks import COOLDOWN
from tests.system.inside import TENANT, beside, write_world
from tests.system.offering import policy, write
from tests.system.recording import recording_provider
from tests.system.served import token_for
from tests.system.test_kept_parts import records
from tests.system.test_stages import Clock


async def test_keys_that_come_while_settings_are_read_are_served_with_what_was_served(
    tmp_path: Path,
) -> None:
    async with Issuer() as issuer, recording_provider() as provider:
        world, clock = await write_world(tmp_path, provider, issuer), Clock()
        write(world.policies, policy())
        async with beside(world, provider, issuer, clock=clock) as running:
            write(world.policies, policy("strict"))
            settings = world.config.read_text()
            world.config.write_text(
                settings.replace("{drain_delay_s: 0}", "{drain_delay_s: 0, header_bytes: 9999}")
            )
            assert world.config.read_text() != settings
            before, answers = running.gateway.snapshot.keys.digest, set[int]()
            reloading = asyncio.ensure_future(running.gateway.reload("ada"))
            while not reloading.done():
                clock.go_on(COOLDOWN)  # keys may be asked for again
                issuer.rotate(keep_old=False)
                running.token = token_for(issuer, world, TENANT)
                answers.add((await running.search(1)).status)
            assert (await reloading).findings == ()
            # By the new policy, for a token of the newest key.
            while last_rules(tmp_path) != ("strict/charity",):
                answers.add((await running.search(2)).status)
            assert running.gateway.snapshot.keys.digest != before
            assert answers <= {200, 403}


def last_rules(directory: Path) -> tuple[str, ...]:
    decided = [one for one in records(directory) if isinstance(one, Decided)]
    return decided[-1].decision.rules
