"""One recorded decision, judged again under the policy that it names: the same, or why not.

Which way it fails: a record that cannot be judged from what it says is not replayable, with the
reason, and counted; nothing is ever put in place of what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final, Literal

import msgspec

from gateway.audit.canonical import canonical, loses_nothing
from gateway.audit.record import Decided
from gateway.core.decision import Decision
from gateway.core.facts import Facts
from gateway.core.identity.model import Verified
from gateway.core.operation import Ambiguous
from gateway.core.policy.evaluate import evaluate
from gateway.core.policy.model import Policies
from gateway.errors import SourceError
from gateway.sources.stored_parts import StoredParts

# `erased`: the key of the tenant's facts was destroyed. `policy not stored`: what it was judged
# under is not at hand. `fact not recorded`: a rule names a fact that nobody looked at, or that
# records of that time did not have. `unreadable`: not a record of a known version.
Because = Literal["erased", "policy not stored", "fact not recorded", "unreadable"]

_KIND: Final = b',"kind":"decided",'
_POLICIES_KEPT: Final = 32

# What an absent field of an earlier record takes away from rules: the attribute or word by which a
# policy would ask for it. Empty: the default says what was so at the time (a reference without a
# list of places was not limited to any), or no rule can name it.
_ASKED_BY: Final[Mapping[str, str]] = {
    "observed.probes": "probe",
    "observed.budgets": "",
    "observed.over": "over",
    "observed.quotas": "",
    "operation.candidates": "",
    "operation.faces": "",
    "tenant.references.authority": "",
    "tenant.references.names": "naming",
    "tenant.references.classes": "",
    "tenant.references.destinations": "",
    "tenant.references.quota": "",
    "tenant.references.report_days": "",
    "tenant.references.reported": "",
    "tenant.references.warn_days": "",
}


class NotReplayable(msgspec.Struct, frozen=True, kw_only=True):
    """Why a decision cannot be judged again.

    `id` is empty and `time`, when it was recorded, None where even that cannot be read.
    """

    id: str
    because: Because
    detail: str = ""
    time: datetime | None = None


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as it stands in a log; `absent` are the facts that records then did not have."""

    record: Decided
    absent: frozenset[str] = frozenset()

    @property
    def facts(self) -> Facts:
        """What was judged."""
        return self.record.facts

    @property
    def decision(self) -> Decision:
        """The verdict, as it was."""
        return self.record.decision


class _Names(msgspec.Struct):
    state: str = ""


class _Facts(msgspec.Struct):
    identity: _Names = msgspec.field(default_factory=_Names)


class _Stub(msgspec.Struct):
    """What can be told of a record that cannot be read as one."""

    v: object = None
    id: str = ""
    time: object = None
    facts: _Facts = msgspec.field(default_factory=_Facts)


_decoder: Final = msgspec.json.Decoder(Decided)
_stub: Final = msgspec.json.Decoder(_Stub)


def is_decided(line: bytes) -> bool:
    """Tell whether a canonical line is a decision: in text, quotes would be escaped."""
    return _KIND in line


def read_decided(line: bytes) -> Recorded | NotReplayable:
    """Read a decision; everything that it says is read, or it is not replayable."""
    try:
        record = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _unreadable(line, str(error))
    if not all(time.tzinfo for time in _times(record)):
        return NotReplayable(id=record.id, because="unreadable", detail="a time has no zone")
    again = canonical(record)
    if again == line:
        return Recorded(record=record)
    if not loses_nothing(line, record):
        return NotReplayable(
            id=record.id, because="unreadable", detail="says something that nothing here reads"
        )
    absent = _absent(msgspec.json.decode(again), msgspec.json.decode(line))
    return Recorded(record=record, absent=frozenset(absent))


def judge_again(
    policies: Policies, recorded: Recorded, *, instead_of: Policies | None = None
) -> Decision | NotReplayable:
    """Judge the recorded facts under a policy, unless it asks for a fact that was not recorded.

    Args:
        policies: what to judge by.
        recorded: the decision.
        instead_of: the policy that it names, where `policies` is another one: what was counted
            against other budgets than its own says nothing about these.
    """
    missing = _missing(policies, recorded)
    if "over" in policies.table.named and instead_of and instead_of.budgets != policies.budgets:
        missing = [*missing, "over"]
    if missing:
        return NotReplayable(
            id=recorded.record.id, because="fact not recorded", detail=", ".join(missing)
        )
    return evaluate(policies, recorded.facts)


class StoredPolicies:
    """The policies that the decisions of an origin name, each compiled once; the last few kept."""

    def __init__(self, parts: StoredParts) -> None:
        """Read from these parts."""
        self._get = lru_cache(_POLICIES_KEPT)(parts.policies)

    def of(self, recorded: Recorded) -> Policies | NotReplayable:
        """Return the policy that a decision was made under."""
        return self.named(recorded.record.parts.get("policies", ""), recorded)

    def named(self, digest: str, recorded: Recorded) -> Policies | NotReplayable:
        """Return the policy with this digest, for a decision that names it."""
        try:
            return self._get(digest)
        except SourceError as failure:
            return NotReplayable(
                id=recorded.record.id, because="policy not stored", detail=str(failure)
            )


def _times(record: Decided) -> Iterator[datetime]:
    yield record.time
    yield record.facts.at
    if isinstance(record.facts.identity, Verified):
        for reference in record.facts.identity.tenant.references:
            yield from filter(None, (reference.valid_from, reference.valid_to))


def _unreadable(line: bytes, detail: str) -> NotReplayable:
    try:
        stub = _stub.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NotReplayable(id="", because="unreadable", detail=detail)
    why: Because = "unreadable"
    if stub.v == 1 and stub.facts.identity.state == "erased":
        why, detail = "erased", "the caller's facts are gone"
    return NotReplayable(id=stub.id, because=why, detail=detail, time=_moment(stub.time))


def _moment(written: object) -> datetime | None:
    try:
        moment = msgspec.convert(written, datetime)
    except msgspec.ValidationError:
        return None
    return moment if moment.tzinfo else None


def _missing(policies: Policies, recorded: Recorded) -> list[str]:
    """Return what the policy asks for and the record does not say, sorted."""
    facts, named = recorded.facts, policies.table.named
    if isinstance(facts.operation, Ambiguous) or not isinstance(facts.identity, Verified):
        return []  # refused before any rule asks anything
    missing = set[str]()
    if "probe" in named and facts.observed.probes is None:
        missing.add("probe")  # nobody looked, because no rule asked
    for path in recorded.absent:
        asked = _ASKED_BY.get(path, path)
        if asked == "naming":
            if _names_words(policies) and facts.identity.tenant.references:
                missing.add(path)
        elif asked and (asked in named or path not in _ASKED_BY):
            missing.add(asked)
    return sorted(missing)


def _names_words(policies: Policies) -> bool:
    table = policies.table
    return any(wanted.naming for wanted, _ in (*table.needs, *table.lifts))


def _absent(whole: object, part: object, path: str = "") -> set[str]:
    """Return which facts the first value has and the second does not, as dotted names."""
    found = set[str]()
    if isinstance(whole, dict) and isinstance(part, dict):
        for key, value in whole.items():
            below = _below(path, str(key))
            if key in part:
                found |= _absent(value, part[key], below)
            elif below.startswith("facts."):
                found.add(below.removeprefix("facts.").removeprefix("identity."))
    elif isinstance(whole, list) and isinstance(part, list):
        for one, other in zip(whole, part, strict=False):
            found |= _absent(one, other, path)
    return found


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
