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
from gateway.core.decision import Decision
from gateway.core.policy.explain import Explanation, explain
from gateway.core.policy.model import Policies
from gateway.errors import FindingsError
from gateway.sources.stored_parts import StoredParts


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
    """

    record: str
    path: str
    offset: int
    not_replayable: Because | None = None
    detail: str = ""
    recorded: Decision | None = None
    agrees: bool | None = None
    explanation: Explanation | None = None


def run_explain_record(
    decision: str, audit: Path, policies: Path | None, form: Format, *, every: bool
) -> int:
    """Explain a recorded decision: under the policy that it names, or under another one."""
    try:
        if not logs_under(audit):
            fail(f"`{audit}`: no audit log stands here", hint="--audit names the directory")
            return EXIT_USAGE
        with progress("searching") as tell:
            found = find_decision(audit, decision, progress=tell)
        if found is None or not is_decided(found.line):
            return _not_there(decision, audit, found)
        answer = _answer(decision, found, _given(policies))
    except OSError as error:
        fail(f"`{audit}` cannot be read: {(error.strerror or 'unknown error').lower()}")
        return EXIT_USAGE
    except FindingsError as failure:
        print_findings(failure.findings, form)
        return EXIT_USAGE
    if form is Format.json:
        print_json(answer)
    else:
        _print(answer, every=every)
    return EXIT_FINDINGS if answer.not_replayable or answer.agrees is False else EXIT_OK


def _given(policies: Path | None) -> Policies | None:
    """Load the policy to judge by instead, where one is named.

    Raises:
        FindingsError: its files have mistakes.
    """
    if policies is None:
        return None
    from gateway.sources.policies import read_policies

    return read_policies(policies)


def _answer(decision: str, found: Found, given: Policies | None) -> Answer:
    place = Answer(record=decision, path=str(found.path), offset=found.offset)
    recorded = read_decided(found.line)
    if isinstance(recorded, NotReplayable):
        return _left(place, recorded)
    place = msgspec.structs.replace(place, recorded=recorded.decision)
    stored = _stored(found, recorded)
    if isinstance(stored, NotReplayable):
        return _left(place, stored)
    policies = given or stored
    again = judge_again(policies, recorded, instead_of=stored)
    if isinstance(again, NotReplayable):
        return _left(place, again)
    agrees = None if given else again == recorded.decision
    explanation = explain(policies, recorded.facts)
    return msgspec.structs.replace(place, agrees=agrees, explanation=explanation)


def _stored(found: Found, recorded: Recorded) -> Policies | NotReplayable:
    return StoredPolicies(StoredParts(parts_beside(found.path.parent))).of(recorded)


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
    if answer.explanation is None:
        print(f"not replayable: {answer.not_replayable} ({answer.detail})")
        return
    print(_AGREES[answer.agrees])
    print("\n".join(lines_of(answer.explanation, every=every)))


_AGREES = {
    True: "judged again under the policy that it names: the same",
    False: "judged again under the policy that it names: NOT the same",
    None: "judged under another policy than the one that it names",
}
