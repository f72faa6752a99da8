"""Recorded decisions under a candidate policy: what it would refuse, and what it would permit.

Before anything is compared, each decision is judged again under the very policy that it names: only
where that comes out as it was recorded does this engine read the record as the one that wrote it,
and only those are compared. The rest is counted, with the reason.

Logs are read in pieces by processes of their own; what they find is added up.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from gateway.app.judged_again import (
    Because,
    NotReplayable,
    Recorded,
    StoredPolicies,
    is_decided,
    judge_again,
    read_decided,
)
from gateway.app.remembered import Likeness, Remembered, instants, likeness
from gateway.audit.reading import (
    Piece,
    begins,
    lines_in,
    logs_under,
    parts_beside,
    pieces,
    segments_of,
)
from gateway.core.identity.model import Verified
from gateway.core.operation import class_of
from gateway.core.policy.model import Policies
from gateway.core.policy.stored import from_stored, stored_form
from gateway.enforce import country_label
from gateway.sources.stored_parts import StoredParts

PROCESSES: Final = 2
_IDS: Final = 20


# What came of one decision.
Came = Literal["left", "disagreed", "same", "newly refused", "newly permitted"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one decision, and by what it is counted.

    `why` is of those that were left; `agreed` tells whether one of them passed the self-check.
    """

    came: Came
    why: NotReplayable | None = None
    agreed: bool = True
    tenant: str = ""
    country: str = ""
    operation_class: str = ""
    rule: str = ""


class Changed(msgspec.Struct, kw_only=True):
    """Decisions that would come out otherwise; counts are exact, `ids` are the first few.

    `rule` counts the rule that would refuse, or the one that refused.
    """

    count: int = 0
    tenant: Counter[str] = msgspec.field(default_factory=Counter)
    country: Counter[str] = msgspec.field(default_factory=Counter)
    operation_class: Counter[str] = msgspec.field(default_factory=Counter, name="class")
    rule: Counter[str] = msgspec.field(default_factory=Counter)
    ids: list[str] = msgspec.field(default_factory=list)

    def add(self, verdict: Verdict, decision: str) -> None:
        """Count one decision."""
        self.count += 1
        self.tenant[verdict.tenant] += 1
        self.country[verdict.country] += 1
        self.operation_class[verdict.operation_class] += 1
        self.rule[verdict.rule] += 1
        _remember(self.ids, decision)

    def join(self, other: Changed) -> None:
        """Add what was counted elsewhere."""
        self.count += other.count
        self.tenant += other.tenant
        self.country += other.country
        self.operation_class += other.operation_class
        self.rule += other.rule
        self.ids = (self.ids + other.ids)[:_IDS]


class Left(msgspec.Struct, kw_only=True):
    """Decisions that were not compared, for one reason."""

    count: int = 0
    ids: list[str] = msgspec.field(default_factory=list)
    detail: str = ""


class Report(msgspec.Struct, kw_only=True):
    """What a replay found.

    Attributes:
        decisions: read, in the time that was asked for.
        checked: judged again under the policy that they name.
        agreed: of these, those that came out as recorded; no others are compared.
        disagreed: the rest of these, their ids.
        left: decisions that were not checked or not compared, by reason.
        compared: judged under the candidate.
        same: of these, those with the same outcome.
        newly_refused: of these, those that were permitted.
        newly_permitted: of these, those that were refused.
    """

    decisions: int = 0
    checked: int = 0
    agreed: int = 0
    disagreed: Left = msgspec.field(default_factory=Left)
    left: dict[Because, Left] = msgspec.field(default_factory=dict)
    compared: int = 0
    same: int = 0
    newly_refused: Changed = msgspec.field(default_factory=Changed)
    newly_permitted: Changed = msgspec.field(default_factory=Changed)

    def add(self, verdict: Verdict, decision: str) -> None:
        """Count one decision."""
        self.decisions += 1
        if verdict.came == "disagreed":
            self.checked += 1
            self.disagreed.count += 1
            _remember(self.disagreed.ids, decision)
            return
        self.checked += verdict.agreed
        self.agreed += verdict.agreed
        if verdict.why is not None:
            left = self.left.setdefault(verdict.why.because, Left())
            left.count += 1
            left.detail = left.detail or verdict.why.detail
            _remember(left.ids, decision)
            return
        self.compared += 1
        if verdict.came == "newly refused":
            self.newly_refused.add(verdict, decision)
        elif verdict.came == "newly permitted":
            self.newly_permitted.add(verdict, decision)
        else:
            self.same += 1

    def join(self, other: Report) -> None:
        """Add what was found elsewhere."""
        self.decisions += other.decisions
        self.checked += other.checked
        self.agreed += other.agreed
        _join(self.disagreed, other.disagreed)
        for because, left in other.left.items():
            _join(self.left.setdefault(because, Left()), left)
        self.compared += other.compared
        self.same += other.same
        self.newly_refused.join(other.newly_refused)
        self.newly_permitted.join(other.newly_permitted)


class Replay:
    """Judges the decisions of one log, again and otherwise."""

    def __init__(self, parts: StoredParts, candidate: Policies, since: datetime | None) -> None:
        """Name where the policies are kept, and the one to compare with."""
        self._stored, self._candidate, self._since = StoredPolicies(parts), candidate, since
        self._remembered = Remembered[Verdict]()

    def take(self, line: bytes, report: Report) -> None:
        """Judge one line; what is no decision, or too old, is passed over."""
        if not is_decided(line):
            return
        like = likeness(line)
        verdict = None if like is None else self._remembered.recall(like)
        if like is None or verdict is None:
            self._read(line, like, report)
        elif self._since is None or like.rest.time >= self._since:
            report.add(verdict, like.rest.id)

    def _read(self, line: bytes, like: Likeness | None, report: Report) -> None:
        """Judge a line whose like was not judged before."""
        recorded = read_decided(line)
        if isinstance(recorded, NotReplayable):
            # Of what does not even tell its time nobody knows that it is too old.
            if self._since is None or recorded.time is None or recorded.time >= self._since:
                report.add(Verdict(came="left", why=recorded, agreed=False), recorded.id)
            return
        policies = self._stored.of(recorded)
        if isinstance(policies, NotReplayable):
            verdict = Verdict(came="left", why=policies, agreed=False)
        else:
            verdict = self._judge(recorded, policies)
            if like is not None:
                changes = instants(recorded.facts, policies, self._candidate)
                self._remembered.keep(like, verdict, changes)
        if self._since is None or recorded.record.time >= self._since:
            report.add(verdict, recorded.record.id)

    def _judge(self, recorded: Recorded, policies: Policies) -> Verdict:
        again = judge_again(policies, recorded)
        if isinstance(again, NotReplayable):
            return Verdict(came="left", why=again, agreed=False)
        if again != recorded.decision:
            return Verdict(came="disagreed")
        then = judge_again(self._candidate, recorded, instead_of=policies)
        if isinstance(then, NotReplayable):
            return Verdict(came="left", why=then)
        if then.outcome == again.outcome:
            return Verdict(came="same")
        refused = then.outcome == "refuse"
        refusal, facts = then if refused else again, recorded.facts
        identity = facts.identity
        return Verdict(
            came="newly refused" if refused else "newly permitted",
            tenant=identity.tenant.id if isinstance(identity, Verified) else "none",
            country=country_label(facts.geography),
            operation_class=class_of(facts.operation),
            rule=refusal.rules[0] if refusal.rules else refusal.reason,
        )


def replay(
    directory: Path,
    candidate: Policies,
    *,
    since: datetime | None = None,
    processes: int = PROCESSES,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Replay every log below a directory under a candidate.

    Args:
        directory: of one log, an origin, or a whole audit directory.
        candidate: the policy to compare with.
        since: decisions before it are passed over.
        processes: how many read and judge at once.
        progress: called with the bytes that were read and those that there are.

    Raises:
        OSError: a log cannot be read.
    """
    work = _pieces(directory, since)
    total, done, report = sum(piece.end - piece.start for piece in work), 0, Report()
    with ExitStack() as stack:
        if min(processes, len(work)) > 1:
            pool = ProcessPoolExecutor(
                max_workers=processes,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(stored_form(candidate), candidate.digest, since),
            )
            results = stack.enter_context(pool).map(_replay_piece, work)
        else:
            results = map(_Worker(candidate, since).read, work)
        for piece, found in zip(work, results, strict=True):
            report.join(found)
            done += piece.end - piece.start
            if progress is not None:
                progress(done, total)
    return report


def _pieces(directory: Path, since: datetime | None) -> list[Piece]:
    """Return what has to be read: no segment that ended before `since`."""
    found = list[Piece]()
    for log in logs_under(directory):
        segments = segments_of(log)
        for segment, after in zip(segments, [*segments[1:], None], strict=True):
            begun = None if since is None or after is None else begins(after)
            if since is None or begun is None or begun >= since:
                found += pieces(segment)
    return found


class _Worker:
    """What a process of its own keeps from piece to piece: policies, compiled once."""

    def __init__(self, candidate: Policies, since: datetime | None) -> None:
        self._candidate, self._since = candidate, since
        self._replays: dict[Path, Replay] = {}

    def read(self, piece: Piece) -> Report:
        parts = parts_beside(piece.path.parent)
        replaying = self._replays.get(parts)
        if replaying is None:
            replaying = Replay(StoredParts(parts), self._candidate, self._since)
            self._replays[parts] = replaying
        report = Report()
        for line in lines_in(piece):
            replaying.take(line, report)
        return report


_worker: list[_Worker] = []  # of this process; one, once `_begin` was called


def _begin(candidate: bytes, digest: str, since: datetime | None) -> None:
    _worker[:] = [_Worker(from_stored(candidate, digest=digest), since)]


def _replay_piece(piece: Piece) -> Report:
    return _worker[0].read(piece)


def _remember(ids: list[str], decision: str) -> None:
    if decision and len(ids) < _IDS:
        ids.append(decision)


def _join(left: Left, other: Left) -> None:
    left.count += other.count
    left.ids = (left.ids + other.ids)[:_IDS]
    left.detail = left.detail or other.detail
