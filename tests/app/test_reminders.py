"""What is pressing of the references on file, as a running gateway tells it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from gateway.app.reminders import KINDS, Reminders
from gateway.core.identity.keys import Tenants
from gateway.core.identity.model import Reference, Tenant
from gateway.metrics import Gauge, Metrics
from tests.builders import a_tenant

DAY = timedelta(days=1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
LICENCE = Reference(
    id="LIC-1", kind="licence", valid_from=BEGIN, valid_to=END, report_days=360, warn_days=10
)
CONSENT = Reference(id="CON-1", kind="consent")


def tenants(*some: Tenant, digest: str = "one") -> Tenants:
    return Tenants(by_id={one.id: one for one in some}, by_subject={}, digest=digest)


def with_references(tenant: str, *references: Reference) -> Tenant:
    return a_tenant(tenant, references=references)


class World:
    """Tenants and a clock that a test turns, and who is reminded by them."""

    def __init__(self, *some: Tenant) -> None:
        self.metrics = Metrics()
        self.tenants, self.now = tenants(*some), BEGIN
        self.reminders = Reminders(self.metrics, lambda: self.tenants, lambda: self.now)

    async def look(self, now: datetime) -> tuple[float, float, float]:
        """Look at a time; return the gauges of licences."""
        self.now = now
        await self.reminders.look()
        return self.of("licence")

    def of(self, kind: str) -> tuple[float, float, float]:
        found = self.metrics
        gauges = found.references_expiring, found.references_expired, found.references_report_due
        return (
            gauges[0].value((kind,)),
            gauges[1].value((kind,)),
            gauges[2].value((kind,)),
        )


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="facegate")
    return caplog


def words(said: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in said.records]


def exported(gauge: Gauge) -> Iterable[tuple[str, float]]:
    return [(sample.labels["kind"], sample.value) for sample in gauge.family().samples]


async def test_the_gauges_follow_the_time_from_warning_to_report_to_end() -> None:
    world = World(with_references("harbour", LICENCE, CONSENT))
    assert await world.look(END - 11 * DAY) == (0, 0, 0)
    assert await world.look(END - 10 * DAY) == (1, 0, 0)
    assert await world.look(BEGIN + 360 * DAY) == (1, 0, 1)
    assert await world.look(END) == (0, 1, 1)
    assert world.of("consent") == (0, 0, 0)


async def test_a_clock_that_is_set_back_is_followed() -> None:
    world = World(with_references("harbour", LICENCE))
    assert await world.look(END) == (0, 1, 1)
    assert await world.look(BEGIN) == (0, 0, 0)


async def test_every_kind_is_exported_from_the_beginning_and_no_tenant_ever_is() -> None:
    world = World(with_references("harbour", LICENCE))
    gauge = world.metrics.references_expiring
    assert exported(gauge) == sorted((kind, 0) for kind in KINDS)
    await world.look(END - DAY)
    assert exported(gauge) == sorted((kind, int(kind == "licence")) for kind in KINDS)


async def test_one_line_is_logged_when_something_changes(said: pytest.LogCaptureFixture) -> None:
    world = World(with_references("harbour", LICENCE), with_references("north", LICENCE))
    await world.look(BEGIN)
    assert words(said) == []
    for seconds in range(5):
        await world.look(END - 10 * DAY + timedelta(seconds=seconds))
    line = (
        "references on file: ending soon: 2; ended: 0; reports owed: 0;"
        " among them harbour LIC-1, north LIC-1; see `facegate references`"
    )
    assert words(said) == [line]
    world.tenants = tenants(with_references("north", CONSENT), digest="two")
    await world.look(END - 9 * DAY)
    await world.look(END - 8 * DAY)
    assert words(said) == [line, "references on file: nothing is pressing any more"]


async def test_of_many_a_few_are_named(said: pytest.LogCaptureFixture) -> None:
    world = World(*[with_references(f"t-{number:04}", LICENCE) for number in range(1_000)])
    assert await world.look(END) == (0, 1_000, 1_000)
    (line,) = words(said)
    assert line == (
        "references on file: ending soon: 0; ended: 1000; reports owed: 1000;"
        " among them t-0000 LIC-1, t-0001 LIC-1, t-0002 LIC-1; see `facegate references`"
    )


async def test_others_run_while_many_tenants_are_looked_over() -> None:
    world = World(*[with_references(f"t-{number:04}", LICENCE) for number in range(1_000)])
    world.now, turns = END, 0
    looking = asyncio.create_task(world.reminders.look())
    while not looking.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 1_000 // 256
    assert world.of("licence") == (0, 1_000, 1_000)


async def test_tenants_that_are_replaced_meanwhile_are_let_go_of_and_the_new_ones_count() -> None:
    world = World(*[with_references(f"t-{number:04}", LICENCE) for number in range(1_000)])
    world.now = END
    looking = asyncio.create_task(world.reminders.look())
    await asyncio.sleep(0)
    world.tenants = tenants(with_references("north", LICENCE), digest="two")
    await looking
    assert world.of("licence") == (0, 0, 0)
    assert await world.look(END) == (0, 1, 1)
