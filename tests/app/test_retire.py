from __future__ import annotations

import asyncio
import weakref
from datetime import UTC, datetime, timedelta

import msgspec

from gateway.app.retire import Retired
from gateway.core.geography.networks import Networks
from gateway.core.identity.keys import ApiKey, Tenants, make_keys
from gateway.core.snapshot import Snapshot, make_snapshot
from gateway.sources.catalogs import load_catalog
from tests.core.policy.builders import policies

CATALOG = load_catalog()


def a_snapshot(number: int) -> Snapshot:
    keys = {f"{place:064x}": ApiKey(id=f"{place}", tenant_id="t") for place in range(1_000)}
    return make_snapshot(
        catalog=CATALOG,
        keys=make_keys(api_keys=keys, access_keys={}, secrets_key=None),
        tenants=Tenants(by_id={}, by_subject={}, digest=str(number)),
        verdicts={f"party {place}": (f"list {number}",) for place in range(1_000)},
        networks=Networks(
            reader=None,
            build=datetime(2026, 11, 1, tzinfo=UTC),
            max_age=timedelta(days=14),
            trusted_proxies=(),
            digest="networks",
        ),
        policies=policies(),
        settings_digest="settings",
    )


async def test_what_was_replaced_goes_once_no_request_holds_it() -> None:
    request, new = a_snapshot(1), a_snapshot(2)
    gone = asyncio.Event()
    weakref.finalize(request, gone.set)
    async with asyncio.TaskGroup() as tasks:
        retired = Retired(tasks)
        retired.add(request, new)
        await asyncio.sleep(0)
        assert len(retired) == 1
        assert not gone.is_set()
        del request  # and the group waits until all is gone
    assert gone.is_set()
    assert len(retired) == 0


async def test_what_an_older_snapshot_holds_too_waits_for_the_older_one() -> None:
    oldest = a_snapshot(1)
    old = msgspec.structs.replace(oldest, policies=policies())  # with the same keys
    async with asyncio.TaskGroup() as tasks:
        retired = Retired(tasks)
        retired.add(oldest, old)
        retired.add(old, a_snapshot(2))
        del old
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(oldest.keys.api_keys) == 1_000
        assert len(retired) == 2
        keys, verdicts = oldest.keys.api_keys, oldest.verdicts
        del oldest
    assert not keys
    assert len(verdicts) == 1_000


async def test_a_gateway_that_ends_does_not_wait_for_it() -> None:
    request = a_snapshot(1)
    async with asyncio.TaskGroup() as tasks:
        retired = Retired(tasks)
        retired.add(request, a_snapshot(2))
        retired.close()
    assert len(retired) == 0
