"""Attacks on the ledger: by many at once, by a crash, by a clock, by whoever leaves halfway."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from gateway.core.decision import Decision
from gateway.core.facts import Facts
from gateway.core.identity.model import Quota, Reference, Verified
from gateway.core.operation import Observed, Operation, Returned
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Budget, Policies
from gateway.errors import StateError
from gateway.ledger.ledger import Ledger
from gateway.ledger.store import read_marks
from tests.core.policy.builders import caller, facts, operation, pack, rule, where
from tests.no_room import no_room

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LICENSED = compile_policies(
    [pack(rule("require", id="licence", needs="licence"), rule("permit", id="all"))]
)


def budgeted(limit: int = 10, *, mode: str = "enforce") -> Policies:
    budget = Budget(id="a-day", counts="calls", classes=("one_to_many",), per="day", limit=limit)
    month = Budget(
        id="a-month", counts="faces", classes=("one_to_many",), per="month", limit=limit * 3
    )
    deny = rule("deny", where("over", "a-day", "a-month"), id="enough")
    permit = rule("permit", id="all")
    denying = [deny] if mode == "enforce" else []
    return compile_policies([pack(*denying, permit)], budgets=[budget, month])


def licence(limit: int, *, id: str = "LIC-1", counts: str = "calls") -> Reference:  # noqa: A002 - the language's own word
    quota = msgspec.convert({"limit": limit, "counts": counts}, Quota)
    return Reference(
        id=id, kind="licence", classes=("one_to_many",), destinations=("GB",), quota=quota
    )


class Desk:
    """Judges and takes as the enforcer does; `decided` has what it permitted."""

    def __init__(self, ledger: Ledger, policies: Policies, *references: Reference) -> None:
        self.ledger, self.policies = ledger, policies
        self.identity: Verified = caller(references=references)
        self.at = NOON
        self.asked: Operation = operation()
        self._number = 0

    def judge(self, at: datetime | None = None) -> tuple[Facts, Decision]:
        seen = self.ledger.look(self.identity.tenant, self.asked, self.policies.budgets, self.at)
        judged = msgspec.structs.replace(
            facts(asked=self.asked, identity=self.identity, at=at or self.at),
            observed=seen.onto(Observed()),
        )
        return judged, evaluate(self.policies, judged)

    async def ask(self) -> tuple[str, Facts, Decision]:
        self._number += 1
        name = f"dec_{self._number}"
        if not self.ledger.open:
            await self.ledger.ready()
        while True:
            seen = self.ledger.look(
                self.identity.tenant, self.asked, self.policies.budgets, self.at
            )
            judged, decision = self.judge()
            higher = self.ledger.take(name, seen, judged, decision)
            if higher is None:
                return name, judged, decision
            await asyncio.shield(higher)

    async def permitted(self, times: int) -> int:
        answers = [await self.ask() for _ in range(times)]
        return sum(decision.outcome == "permit" for _, _, decision in answers)


@asynccontextmanager
async def desk(
    directory: Path, policies: Policies, *references: Reference, exact: bool = True
) -> AsyncIterator[Desk]:
    """Yield a desk over a ledger of its own; without `exact` it ends as in a crash."""
    ledger = Ledger(directory)
    try:
        yield Desk(ledger, policies, *references)
    finally:
        await ledger.close(exact=exact)


def left(directory: Path) -> dict[str, int]:
    """Return the durable marks by kind and name."""
    return {
        f"{key[0]} {key[2]}": stored.marks[-1][1] for key, stored in read_marks(directory).items()
    }


async def test_a_thousand_calls_at_once_never_overspend(tmp_path: Path) -> None:
    async with desk(tmp_path, LICENSED, licence(137)) as one:
        answers = await asyncio.gather(*[one.ask() for _ in range(1_000)])
    permitted = [judged for _, judged, decision in answers if decision.outcome == "permit"]
    assert len(permitted) == 137
    assert sorted(judged.observed.quotas[0].used for judged in permitted) == list(range(137))
    assert left(tmp_path) == {"quota LIC-1": 137}


async def test_a_thousand_calls_at_once_stay_within_a_budget(tmp_path: Path) -> None:
    async with desk(tmp_path, budgeted(50)) as one:
        answers = await asyncio.gather(*[one.ask() for _ in range(1_000)])
    permitted = [decision for _, _, decision in answers if decision.outcome == "permit"]
    assert len(permitted) == 50
    refused = {decision.rules for _, _, decision in answers if decision.outcome == "refuse"}
    assert refused == {("pack/enough",)}


async def test_a_budget_that_nothing_denies_is_counted_beyond_its_limit(tmp_path: Path) -> None:
    async with desk(tmp_path, budgeted(5, mode="shadow")) as one:
        answers = await asyncio.gather(*[one.ask() for _ in range(200)])
    assert {decision.outcome for _, _, decision in answers} == {"permit"}
    over = Counter(judged.observed.over for _, judged, _ in answers)
    assert over == {(): 5, ("a-day",): 10, ("a-day", "a-month"): 185}
    assert left(tmp_path)["budget a-day"] == 200


async def test_two_licences_are_used_one_after_the_other(tmp_path: Path) -> None:
    two = (licence(3, id="LIC-1"), licence(4, id="LIC-2"))
    async with desk(tmp_path, LICENSED, *two) as one:
        answers = await asyncio.gather(*[one.ask() for _ in range(50)])
    used = [decision.discharged for _, _, decision in answers if decision.outcome == "permit"]
    assert sorted(used) == [("LIC-1",)] * 3 + [("LIC-2",)] * 4


async def test_a_refusal_takes_nothing(tmp_path: Path) -> None:
    refusing = compile_policies([pack(rule("require", needs="licence"))])
    async with desk(tmp_path, refusing, licence(3)) as one:
        for _ in range(10):
            name, judged, decision = await one.ask()
            assert (decision.outcome, decision.discharged) == ("refuse", ("LIC-1",))
            assert judged.observed.quotas[0].used == 0
            assert not one.ledger.holds(name)


async def test_what_is_given_back_can_be_taken_again_and_what_is_spent_cannot(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, LICENSED, licence(2)) as one:
        first, _, _ = await one.ask()
        second, _, _ = await one.ask()
        assert (await one.ask())[2].reason == "policy.unmet"
        returned = Returned(of="reference", id="LIC-1", amount=1)
        assert one.ledger.settle(first, spent=False) == (returned,)
        assert one.ledger.settle(first, spent=False) == ()  # and only once
        assert one.ledger.settle(second, spent=True) == ()
        assert await one.permitted(3) == 1


async def test_faces_are_counted_as_the_request_states_them(tmp_path: Path) -> None:
    async with desk(tmp_path, LICENSED, licence(10, counts="faces")) as one:
        one.asked = msgspec.structs.replace(operation(), faces=4)
        assert await one.permitted(5) == 2
        for unstated in (None, 0, -3):
            one.asked = msgspec.structs.replace(operation(), faces=unstated)
            _, judged, _ = await one.ask()
            assert judged.observed.quotas[0].amount == 1
        one.asked = msgspec.structs.replace(operation(), faces=2**70)
        _, judged, decision = await one.ask()
        assert judged.observed.quotas[0].amount == 2**53 - 1
        assert decision.outcome == "refuse"


async def test_a_restart_in_order_counts_on_exactly(tmp_path: Path) -> None:
    for taken in (3, 6, 9):
        async with desk(tmp_path, LICENSED, licence(1_000)) as one:
            assert await one.permitted(3) == 3
            for name in ("dec_1", "dec_2", "dec_3"):
                one.ledger.settle(name, spent=True)
        assert left(tmp_path) == {"quota LIC-1": taken}


async def test_after_a_crash_counting_begins_at_the_durable_mark(tmp_path: Path) -> None:
    permitted = 0
    for _ in range(40):
        async with desk(tmp_path, LICENSED, licence(500), exact=False) as one:
            permitted += await one.permitted(20)
    assert permitted <= 500
    # A crash costs no more than a block, and what a raise ahead of need adds.
    assert permitted >= 500 - 40 * 2 * 5
    assert left(tmp_path) == {"quota LIC-1": 500}


async def test_nothing_is_permitted_that_is_not_below_the_durable_mark(tmp_path: Path) -> None:
    async with desk(tmp_path, LICENSED, licence(300)) as one:
        for count in range(1, 301):
            _, _, decision = await one.ask()
            assert decision.outcome == "permit"
            assert left(tmp_path)["quota LIC-1"] >= count


async def test_a_clock_that_goes_back_gives_nothing_back(tmp_path: Path) -> None:
    async with desk(tmp_path, budgeted(4)) as one:
        assert await one.permitted(3) == 3
        one.at = NOON + timedelta(days=1)
        assert await one.permitted(9) == 4
        one.at = NOON
        assert await one.permitted(9) == 1
        for days in (2, 3, 4):
            one.at = NOON + timedelta(days=days)
            await one.permitted(1)
        one.at = NOON + timedelta(days=1)
        _, judged, decision = await one.ask()
        assert (decision.rules, judged.observed.over) == (("pack/enough",), ("a-day",))


async def test_a_month_ends_in_the_microsecond_in_which_it_ends(tmp_path: Path) -> None:
    month = Budget(id="m", counts="calls", classes=("one_to_many",), per="month", limit=2)
    deny = rule("deny", where("over", "m"), id="enough")
    policies = compile_policies([pack(deny, rule("permit", id="all"))], budgets=[month])
    async with desk(tmp_path, policies) as one:
        december = datetime(2026, 12, 1, tzinfo=UTC)
        one.at = december - datetime.resolution
        assert await one.permitted(5) == 2
        one.at = december
        assert await one.permitted(5) == 2
        one.at = december - datetime.resolution
        assert await one.permitted(5) == 0


async def test_whoever_leaves_while_a_mark_is_raised_takes_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path, LICENSED, licence(10)) as one:
        await one.ledger.ready()
        tasks = [asyncio.create_task(one.ask()) for _ in range(50)]
        await asyncio.sleep(0)
        for task in tasks[:45]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        gone = [answer for answer in answers if isinstance(answer, asyncio.CancelledError)]
        assert len(gone) == 45
        assert await one.permitted(10) == 5


async def test_whoever_leaves_while_the_ledger_is_opened_takes_it_from_nobody(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, LICENSED, licence(10)) as one:
        for _ in range(3):
            task = asyncio.create_task(one.ask())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert await one.permitted(20) == 10


async def test_where_marks_cannot_be_made_durable_nobody_takes_and_nobody_hangs(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, LICENSED, licence(10)) as one:
        assert await one.permitted(2) == 2  # as far as the first mark goes
        file = tmp_path / "ledger.sqlite"
        file.rename(tmp_path / "elsewhere.sqlite")
        with pytest.raises(StateError, match="counts cannot be kept: no such file"):
            await one.ask()
        file.write_bytes(b"")
        with pytest.raises(StateError, match="was replaced while the gateway ran"):
            await one.ask()
        (tmp_path / "elsewhere.sqlite").rename(file)
        assert await one.permitted(10) == 8


async def until_nobody_can(one: Desk) -> int:
    """Take until marks cannot be raised; return how often that went well."""
    for taken in range(1_000):
        try:
            await one.ask()
        except StateError:
            return taken
    raise AssertionError("a thousand calls needed no mark")


async def test_on_a_disk_without_room_nobody_takes_and_with_room_everybody_does(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, LICENSED, licence(1_000)) as one:
        with no_room(), pytest.raises(StateError, match="counts cannot be kept"):
            await one.ask()
        assert await one.permitted(15) == 15
        with no_room():
            taken = await until_nobody_can(one)
        # No more than was set aside beforehand, one hundredth at a time.
        assert taken <= 20
        assert await one.permitted(1) == 1
    assert left(tmp_path) == {"quota LIC-1": 15 + taken + 1}


async def test_who_takes_nothing_goes_on_where_marks_cannot_be_made_durable(
    tmp_path: Path,
) -> None:
    require = rule("require", where("class", "one_to_many"), id="licence", needs="licence")
    policies = compile_policies([pack(require, rule("permit", id="all"))])
    async with desk(tmp_path, policies, licence(10)) as one:
        await one.ledger.ready()
        (tmp_path / "ledger.sqlite").unlink()
        one.asked = operation("one_to_one")
        assert (await one.ask())[2].outcome == "permit"
        one.asked = operation()
        with pytest.raises(StateError):
            await one.ask()


async def test_two_processes_do_not_count_in_one_directory(tmp_path: Path) -> None:
    async with desk(tmp_path, LICENSED, licence(10)) as one:
        await one.ask()
        other = Ledger(tmp_path)
        with pytest.raises(StateError, match="another process counts here"):
            await other.ready()
        await other.close(exact=True)
    assert left(tmp_path) == {"quota LIC-1": 1}


@pytest.mark.parametrize("content", [b"not a database, and long enough to be one" * 50, b"SQLite"])
async def test_what_is_no_ledger_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(content)
    ledger = Ledger(tmp_path)
    with pytest.raises(StateError, match="counts cannot be kept"):
        await ledger.ready()
    await ledger.close(exact=True)
    assert file.read_bytes() == content


async def test_nothing_is_made_before_something_is_counted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state")
    assert not ledger.open
    await ledger.close(exact=True)
    assert not (tmp_path / "state").exists()
    assert read_marks(tmp_path / "state") == {}


SPENDER = """
import asyncio, sys
from pathlib import Path
from gateway.ledger.ledger import Ledger
from tests.ledger.test_ledger import Desk, LICENSED, licence

async def spend():
    desk = Desk(Ledger(Path(sys.argv[1])), LICENSED, licence(2_000))
    while True:
        answers = await asyncio.gather(*[desk.ask() for _ in range(7)])
        print(sum(decision.outcome == "permit" for _, _, decision in answers), flush=True)

asyncio.run(spend())
"""


def spent(directory: Path, lines: int) -> int:
    """Spend in another process until it said so often what it took; kill it; return the sum."""
    with subprocess.Popen(
        [sys.executable, "-c", SPENDER, str(directory)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
        told += map(int, process.stdout.read().split())
    return sum(told)


def test_a_process_that_is_killed_again_and_again_never_overspends(tmp_path: Path) -> None:
    taken = sum(spent(tmp_path, lines) for lines in (3, 40, 1, 25))
    marks = left(tmp_path)["quota LIC-1"]
    assert 0 < taken <= marks <= 2_000
    # What was told of was taken; what is lost to the caller is a block for each death.
    assert marks - taken <= 4 * (2 * 20 + 7)
