"""What came of a record whose like was judged before: the same facts at another moment.

Callers come back. Two lines that say the same but for the time, the id and the request were judged
alike as long as nothing that depends on the time changed between them: no rule began or ended, and
no reference on file. So the bytes of verdict, facts and parts are the key, and the answer is kept
with the interval in which it holds; whatever else stands in the line is read all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Generic, Literal, NamedTuple, TypeVar

import msgspec

from gateway.audit.canonical import canonical
from gateway.audit.record import Count, RequestPart
from gateway.core.facts import Facts
from gateway.core.identity.model import Verified
from gateway.core.policy.model import Policies

T = TypeVar("T")

_ENTRIES: Final = 16_384  # about 2 KB each; all go when there are more
_FACTS: Final = b'"facts":{"at":"'
_ID: Final = b'},"id":"'
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


class Rest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in a decision's line behind its facts: all of `Decided` but what comes before.

    A field that is missing here sends every line the long way, which a test notices.
    """

    id: str
    kind: Literal["decided"]
    origin: str
    parts: Mapping[str, str]
    probed: str
    request: RequestPart
    seq: Count
    snapshot: str
    time: datetime
    v: Literal[1]


class Likeness(NamedTuple):
    """What two lines have in common that were judged alike, the time at which, and the rest."""

    key: bytes
    at: datetime
    rest: Rest


class _Kept(NamedTuple, Generic[T]):
    since: datetime
    until: datetime
    answer: T


_decoder: Final = msgspec.json.Decoder(Rest)


def likeness(line: bytes) -> Likeness | None:
    """Take a line apart; None where it is not in the usual form, and has to be read as a whole."""
    begin = line.find(_FACTS)
    end = line.find(b'"', begin + len(_FACTS))
    behind = line.find(_ID, end)
    if begin < 0 or end < 0 or behind < 0:
        return None
    suffix = b"{" + line[behind + 2 :]
    try:
        at = datetime.fromisoformat(line[begin + len(_FACTS) : end].decode())
        rest = _decoder.decode(suffix)
    except (msgspec.DecodeError, ValueError):
        return None
    moment = line[begin + len(_FACTS) - 1 : end + 1]
    if at.tzinfo is None or canonical(at) != moment or canonical(rest) != suffix:
        return None
    policies = rest.parts.get("policies", "").encode("utf-8", "replace")
    return Likeness(b"\n".join((line[:begin], line[end:behind], policies)), at, rest)


def instants(facts: Facts, *policies: Policies) -> tuple[datetime, ...]:
    """Return every moment at which an answer for these facts may change."""
    found = [boundary for one in policies for boundary in one.table.boundaries]
    if isinstance(facts.identity, Verified):
        for reference in facts.identity.tenant.references:
            found += filter(None, (reference.valid_from, reference.valid_to))
    return tuple(found)


class Remembered(Generic[T]):
    """A bounded memory of answers by likeness."""

    def __init__(self) -> None:
        """Begin empty."""
        self._kept: dict[bytes, _Kept[T]] = {}

    def recall(self, like: Likeness) -> T | None:
        """Return what was answered for this, where it holds at that time."""
        kept = self._kept.get(like.key)
        return kept.answer if kept is not None and kept.since <= like.at < kept.until else None

    def keep(self, like: Likeness, answer: T, changes: tuple[datetime, ...]) -> None:
        """Keep an answer between the last change before and the first one after."""
        if len(self._kept) >= _ENTRIES:
            self._kept.clear()
        self._kept[like.key] = _Kept(
            since=max((one for one in changes if one <= like.at), default=_FIRST),
            until=min((one for one in changes if one > like.at), default=_LAST),
            answer=answer,
        )
