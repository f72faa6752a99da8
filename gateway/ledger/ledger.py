"""Reserving from quotas and budgets: before a decision's record, durably, and never twice.

Looking, judging and taking are one step on the event loop, with no turn of it in between: what a
decision was judged by is what it takes from, however many ask at once. Where the durable mark is
too low, the taking is refused with a future that is done once it is higher, and the request is
judged again: nothing is taken that a crash could forget.

Which way it fails: closed. Where marks cannot be made durable, whoever would have taken is refused;
who takes nothing goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from gateway.core.decision import Decision
from gateway.core.facts import Facts
from gateway.core.identity.model import Tenant
from gateway.core.operation import Classified, Counted, Observed, Returned, Taken
from gateway.core.policy.counting import amount, first_moment
from gateway.core.policy.model import Budget
from gateway.core.policy.references import taken
from gateway.errors import StateError
from gateway.ledger.accounts import ALL_TIME, Account, Count, Key, Stored, quota_key
from gateway.ledger.store import Store

log = logging.getLogger("facegate")

T = TypeVar("T")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One count that a request may take from; `count` is None where nobody knows it any more."""

    of: Literal["reference", "budget"]
    id: str
    amount: int
    account: Account
    count: Count | None


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger saw for one request; holds until the next turn of the event loop."""

    entries: tuple[Entry, ...]
    quotas: tuple[Taken, ...]
    budgets: tuple[Counted, ...]

    def onto(self, observed: Observed) -> Observed:
        """Return what was observed with the counts."""
        over = tuple(one.budget for one in self.budgets if one.used + one.amount > one.limit)
        return msgspec.structs.replace(
            observed, quotas=self.quotas, budgets=self.budgets, over=over
        )


class Ledger:
    """All counts of this process; owned by the event loop, the store by one thread."""

    def __init__(self, directory: Path) -> None:
        """Name the directory; nothing is read or made before something is counted."""
        self._directory = directory
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._store: Store | None = None
        self._opening: asyncio.Task[StateError | None] | None = None
        self._accounts: dict[Key, Account] = {}
        self._held: dict[str, tuple[Entry, ...]] = {}
        self._due: dict[Key, Account] = {}
        self._round: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def open(self) -> bool:
        """Whether the counts of earlier processes are known."""
        return self._store is not None

    async def ready(self) -> None:
        """Read what earlier processes counted, once.

        Raises:
            StateError: it cannot be read, another process counts there, or the end has come.
        """
        if self._closed:
            raise StateError("the ledger is closed")
        if self._opening is None or self._opening.done():
            self._opening = asyncio.get_running_loop().create_task(self._read())
        # Whoever hangs up meanwhile takes nothing of it away from the others.
        failure = await asyncio.shield(self._opening)
        if failure is not None:
            raise failure

    def look(
        self, tenant: Tenant, operation: Classified, budgets: Sequence[Budget], now: datetime
    ) -> Sighting:
        """Return what a request of this kind would take from, and what was taken of it."""
        entries = list[Entry]()
        quotas, counted = list[Taken](), list[Counted]()
        for reference in tenant.references:
            quota = reference.quota
            if quota is None:
                continue
            key = quota_key(tenant.id, reference.id, quota.counts)
            entry = self._entry(
                "reference", reference.id, key, ALL_TIME, amount(operation, quota.counts)
            )
            entries.append(entry)
            quotas.append(
                Taken(
                    reference=reference.id,
                    counts=quota.counts,
                    used=_used(entry, quota.limit, capped=True),
                    limit=quota.limit,
                    amount=entry.amount,
                )
            )
        for budget in budgets:
            since = first_moment(budget.per, now)
            key = ("budget", tenant.id, budget.id, budget.counts, budget.per)
            entry = self._entry("budget", budget.id, key, since, amount(operation, budget.counts))
            entries.append(entry)
            counted.append(
                Counted(
                    budget=budget.id,
                    counts=budget.counts,
                    per=budget.per,
                    since=since,
                    used=_used(entry, budget.limit, capped=False),
                    limit=budget.limit,
                    amount=entry.amount,
                )
            )
        return Sighting(entries=tuple(entries), quotas=tuple(quotas), budgets=tuple(counted))

    def take(
        self, decision_id: str, sighting: Sighting, facts: Facts, decision: Decision
    ) -> asyncio.Future[None] | None:
        """Take what a decision takes, at once and whole; nothing where it refuses.

        Returns:
            None where it is taken. Else nothing is, and the future is done once the durable marks
            are higher, or with a StateError; then look and judge again.
        """
        wanted = _wanted(sighting, facts, decision)
        if not wanted:
            return None
        short = [entry for entry in wanted if entry.count is not None and _short(entry)]
        if short:
            for entry in short:
                if entry.count is not None:
                    entry.count.wait_for(entry.amount)
            return self._raise_marks(short)
        for entry in wanted:
            if entry.count is not None:
                entry.count.used += entry.amount
        self._held[decision_id] = wanted
        low = [entry for entry in wanted if entry.count is not None and entry.count.low]
        # Nobody waits for these: the next requests are to find the marks high enough.
        _ = self._raise_marks(low) if low else None
        return None

    def holds(self, decision_id: str) -> bool:
        """Tell whether something is taken for a decision that is not settled."""
        return decision_id in self._held

    def settle(self, decision_id: str, *, spent: bool) -> tuple[Returned, ...]:
        """End what was taken for a decision: spent, or given back.

        Returns:
            What was given back, for the record that says so.
        """
        held = self._held.pop(decision_id, ())
        if spent:
            return ()
        for entry in held:
            if entry.count is not None:
                entry.count.used -= entry.amount
        return tuple(Returned(of=one.of, id=one.id, amount=one.amount) for one in held)

    async def close(self, *, exact: bool) -> None:
        """Let go of the store.

        Args:
            exact: every record is durable, so the marks come down to what was taken; else they
                stay where they are, and what lies between is lost to the callers.
        """
        under_way = [task for task in (self._opening, self._writer) if task is not None]
        if under_way:
            await asyncio.wait(under_way)
        store, self._store = self._store, None
        self._closed = True
        if store is not None:
            accounts = [one for one in self._accounts.values() if exact and not one.is_exact()]
            try:
                await self._run(lambda: store.write({one.key: one.exact() for one in accounts}))
            except StateError as failure:
                log.error("%s", failure)  # noqa: TRY400 - likewise
            await self._run(store.close)
        self._thread.shutdown(wait=False)

    async def _read(self) -> StateError | None:
        """Open the store and read it; return why that failed."""
        if self._store is not None:
            return None
        store: Store | None = None
        try:
            store = await self._run(lambda: Store.open(self._directory))
            stored = await self._run(store.read)
        except StateError as failure:
            log.error("%s", failure)  # noqa: TRY400 - the message says it all
            if store is not None:
                await self._run(store.close)
            return failure
        self._accounts = {key: Account(key, found) for key, found in stored.items()}
        self._store = store
        return None

    def _entry(
        self, of: Literal["reference", "budget"], name: str, key: Key, since: datetime, many: int
    ) -> Entry:
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = Account(key)
        return Entry(of=of, id=name, amount=many, account=account, count=account.count(since))

    def _raise_marks(self, entries: Sequence[Entry]) -> asyncio.Future[None]:
        """Have marks raised; the future is shared by all who wait for the same writing."""
        self._due.update({entry.account.key: entry.account for entry in entries})
        loop = asyncio.get_running_loop()
        if self._round is None:
            self._round = loop.create_future()
            self._round.add_done_callback(_seen)
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._write_rounds())
        return self._round

    async def _write_rounds(self) -> None:
        while self._due:
            await asyncio.sleep(0)  # what else is ready in this turn of the loop joins
            due, self._due = self._due, {}
            waiting, self._round = self._round, None
            marks = {key: account.ahead() for key, account in due.items()}
            for account in due.values():
                account.nobody_waits()
            failure: StateError | None = StateError("the counts were not written")
            try:
                failure = await self._written(marks)
            finally:
                if failure is None:
                    for key, account in due.items():
                        account.take_over(marks[key])
                _answer(waiting, failure)

    async def _written(self, marks: Mapping[Key, Stored]) -> StateError | None:
        store = self._store
        if store is None:
            return StateError("the ledger is closed")
        try:
            await self._run(lambda: store.write(marks))
        except StateError as failure:
            log.error("%s", failure)  # noqa: TRY400 - likewise
            return failure
        return None

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _used(entry: Entry, limit: int, *, capped: bool) -> int:
    """Return what was taken; of a time that is no longer kept, all of it."""
    count = entry.count
    if count is None:
        return limit
    count.limit, count.capped = limit, capped
    return count.used


def _short(entry: Entry) -> bool:
    return entry.count is not None and entry.count.used + entry.amount > entry.count.mark


def _wanted(sighting: Sighting, facts: Facts, decision: Decision) -> tuple[Entry, ...]:
    """Return what a decision takes from: the references that it uses, and every budget."""
    if decision.outcome != "permit":
        return ()
    used = {one.reference for one in taken(facts, decision)}
    return tuple(entry for entry in sighting.entries if entry.of == "budget" or entry.id in used)


def _answer(waiting: asyncio.Future[None] | None, failure: StateError | None) -> None:
    if waiting is None:
        return
    if failure is None:
        waiting.set_result(None)
    else:
        waiting.set_exception(failure)


def _seen(round_: asyncio.Future[None]) -> None:
    """Look at a failure that nobody may be waiting for: marks are raised ahead of need too."""
    if not round_.cancelled():
        round_.exception()
