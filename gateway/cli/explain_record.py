"""`facegate explain --record`."""

from __future__ import annotations

from pathlib import Path

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
from gateway.audit.reading import Found, find_decision, logs_under, parts_beside
from gateway.cli.explain import lines_of
from gateway.cli.output import (
    EXIT_FINDINGS,
    EXIT_OK,
    EXIT_USAGE,
    Format,
    fail,
    print_findings,
    print_json,
    progress,
)
from gateway.core.decision import Alternative, Decision
from gateway.core.policy.explain import Explanation, explain
from gateway.core.policy.model import Policies
from gateway.errors import Finding, FindingsError, words_of
from gateway.sources.stored_parts import StoredParts


class By(msgspec.Struct, frozen=True, kw_only=True):
    """What to judge by instead of the policy that the record names, if anything.

    Attributes:
        given: another policy directory.
        candidate: name of one that was asked beside it.
    """

    given: Path | None = None
    candidate: str | None = None


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What one candidate said, and whether its stored policy says so again.

    Attributes:
        said: as it was recorded.
        agrees: None where it cannot be judged again.
        not_replayable: why; None where it can.
        detail: of that, in words.
    """

    said: Alternative
    agrees: bool | None = None
    not_replayable: Because | None = None
    detail: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of one record.

    Attributes:
        record: the id.
        path: of the segment that it stands in.
        offset: where in it, bytes.
        not_replayable: why it cannot be judged again; None where it can.
        detail: of that, in words.
        recorded: the verdict as it was; None where it cannot be read.
        agrees: whether the recorded facts under the stored policy lead to that very verdict; None
            where they were judged under another policy.
        explanation: None where it is not replayable.
        candidate: by whose policy it is explained; empty for the one that decided.
        beside: what the candidates said that were asked, in the order of the configuration.
    """

    record: str
    path: str
    offset: int
    not_replayable: Because | None = None
    detail: str = ""
    recorded: Decision | None = None
    agrees: bool | None = None
    explanation: Explanation | None = None
    candidate: str = ""
    beside: tuple[Beside, ...] = ()


def run_explain_record(decision: str, audit: Path, by: By, form: Format, *, every: bool) -> int:
    """Explain a recorded decision: under the policy that it names, or under another one."""
    try:
        if not logs_under(audit):
            fail(f"`{audit}`: no audit log stands here", hint="--audit names the directory")
            return EXIT_USAGE
        with progress("searching") as tell:
            found = find_decision(audit, decision, progress=tell)
        if found is None or not is_decided(found.line):
            return _not_there(decision, audit, found)
        answer = _answer(decision, found, by)
    except OSError as error:
        fail(f"`{audit}` cannot be read: {words_of(error)}")
        return EXIT_USAGE
    except FindingsError as failure:
        print_findings(failure.findings, form)
        return EXIT_USAGE
    if form is Format.json:
        print_json(answer)
    else:
        _print(answer, every=every)
    faults = answer.not_replayable or answer.agrees is False
    others = any(one.agrees is False for one in answer.beside)
    return EXIT_FINDINGS if faults or others else EXIT_OK


def _given(policies: Path | None) -> Policies | None:
    """Load the policy to judge by instead, where one is named.

    Raises:
        FindingsError: its files have mistakes.
    """
    if policies is None:
        return None
    from gateway.sources.policies import read_policies

    return read_policies(policies)


def _answer(decision: str, found: Found, by: By) -> Answer:
    """Judge a record again.

    Raises:
        FindingsError: the policy to judge by has mistakes, or no such candidate was asked.
    """
    place = Answer(record=decision, path=str(found.path), offset=found.offset)
    given = _given(by.given)
    recorded = read_decided(found.line)
    if isinstance(recorded, NotReplayable):
        return _left(place, recorded)
    stored = StoredPolicies(StoredParts(parts_beside(found.path.parent)))
    beside = tuple(_beside(one, recorded, stored) for one in recorded.record.alternatives)
    place = msgspec.structs.replace(place, recorded=recorded.decision, beside=beside)
    if by.candidate is not None:
        return _as_candidate(place, by.candidate, recorded, stored)
    named = stored.of(recorded)
    if isinstance(named, NotReplayable):
        return _left(place, named)
    policies = given or named
    again = judge_again(policies, recorded, instead_of=named)
    if isinstance(again, NotReplayable):
        return _left(place, again)
    agrees = None if given else again == recorded.decision
    explanation = explain(policies, recorded.facts)
    return msgspec.structs.replace(place, agrees=agrees, explanation=explanation)


def _beside(said: Alternative, recorded: Recorded, stored: StoredPolicies) -> Beside:
    again = _again(said, recorded, stored)
    if isinstance(again, NotReplayable):
        return Beside(said=said, not_replayable=again.because, detail=again.detail)
    same = (again.outcome, again.reason, again.rules) == (said.outcome, said.reason, said.rules)
    return Beside(said=said, agrees=same)


def _again(
    said: Alternative, recorded: Recorded, stored: StoredPolicies
) -> Decision | NotReplayable:
    policies = stored.named(said.policies, recorded)
    if isinstance(policies, NotReplayable):
        return policies
    # Candidates were asked about these very facts, whatever they count themselves.
    return judge_again(policies, recorded)


def _as_candidate(answer: Answer, name: str, recorded: Recorded, stored: StoredPolicies) -> Answer:
    """Explain what a candidate said.

    Raises:
        FindingsError: it was not asked.
    """
    asked = {one.said.name: one for one in answer.beside}
    if name not in asked:
        names = ", ".join(f"`{one}`" for one in asked) or "nobody"
        message = f"candidate `{name}` was not asked; asked was {names}"
        raise FindingsError((Finding(path=answer.record, line=0, column=0, message=message),))
    one = asked[name]
    answer = msgspec.structs.replace(answer, candidate=name)
    policies = stored.named(one.said.policies, recorded)
    if isinstance(policies, NotReplayable) or one.not_replayable is not None:
        return msgspec.structs.replace(answer, not_replayable=one.not_replayable, detail=one.detail)
    explanation = explain(policies, recorded.facts)
    return msgspec.structs.replace(answer, agrees=one.agrees, explanation=explanation)


def _left(answer: Answer, why: NotReplayable) -> Answer:
    return msgspec.structs.replace(answer, not_replayable=why.because, detail=why.detail)


def _not_there(decision: str, audit: Path, found: Found | None) -> int:
    if found is None:
        fail(f"no decision `{decision}` stands in `{audit}`")
    else:
        fail(f"`{decision}` ended without a verdict; see {found.path}, byte {found.offset}")
    return EXIT_FINDINGS


def _print(answer: Answer, *, every: bool) -> None:
    print(f"record {answer.record} ({answer.path}, byte {answer.offset})")
    if answer.recorded is not None:
        print(f"recorded: {answer.recorded.outcome}, {answer.recorded.reason}")
    for one in answer.beside:
        print(_beside_line(one))
    if answer.explanation is None:
        print(f"not replayable: {answer.not_replayable} ({answer.detail})")
        return
    if answer.candidate:
        print(f"explained is what candidate {answer.candidate} said")
    else:
        print(_AGREES[answer.agrees])
    print("\n".join(lines_of(answer.explanation, every=every)))


def _beside_line(one: Beside) -> str:
    said = one.said
    by = f" by {', '.join(said.rules)}" if said.rules else ""
    again = {
        True: "judged again: the same",
        False: "judged again: NOT the same",
        None: f"not replayable: {one.not_replayable} ({one.detail})",
    }[one.agrees]
    return f"candidate {said.name}: {said.outcome}, {said.reason}{by}; {again}"


_AGREES = {
    True: "judged again under the policy that it names: the same",
    False: "judged again under the policy that it names: NOT the same",
    None: "judged under another policy than the one that it names",
}
