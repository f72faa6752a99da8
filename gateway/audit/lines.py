"""The lines of one log, encoded with what repeats from record to record encoded only once.

Callers come back: under one snapshot the same place, tenant and verdict stand in record after
record, as the very same frozen objects. Their bytes are remembered with the objects themselves, so
a line is put together from pieces. `gateway.audit.record.encode` says what a line is; a property
test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from gateway.audit.canonical import canonical
from gateway.audit.record import Decided, Happened, Line, encode
from gateway.core.facts import Facts
from gateway.core.identity.model import Verified

# About 2 KB each, objects included; the oldest goes first.
_STANDINGS: Final = 4_096

# The fields of what it is given are declared in canonical order, and text, times and integers have
# no order: all of it comes out canonical.
_encode = msgspec.json.Encoder().encode


class _Standing(msgspec.Struct, frozen=True, gc=False):
    """What a caller's records have in common: the values, and their bytes around the time.

    `tenant` is compared by identity, because equal times may be written differently; the rest of
    `values` holds text alone.
    """

    tenant: object
    values: tuple[object, ...]
    before_time: bytes
    after_time: bytes


class _HappenedLine(msgspec.Struct, frozen=True, gc=False):
    """A `happened` line as it is written, where nothing was given back: in canonical order."""

    decided: str
    duration_us: int
    engine: str
    given_back: tuple[()]
    kind: str
    origin: str
    outcome: str
    response_bytes: int
    sent: bool
    seq: int
    status: int | None
    time: datetime
    upstream_status: int | None
    v: int


class Lines:
    """Encodes the records of one log; belongs to the event loop."""

    def __init__(self, *, origin: str, engine: str) -> None:
        """Take what each line says of the log."""
        self._origin, self._engine = origin, engine
        self._standings: dict[int, _Standing] = {}
        self._parts: Mapping[str, str] | None = None
        self._snapshot = ""
        self._before_request = self._after_seq = b""

    def line(self, record: Line, seq: int) -> bytes:
        """Return the canonical line of a record, without the newline.

        Raises:
            TypeError: where a caller put a value of a foreign type into a record.
        """
        try:
            if isinstance(record, Happened):
                if not record.given_back:
                    return self._happened(record, seq)
            elif isinstance(record, Decided) and isinstance(record.facts.identity, Verified):
                return self._decided(record, record.facts, record.facts.identity, seq)
        except UnicodeEncodeError:
            pass  # what has no UTF-8 form is replaced on the long way
        return encode(record, origin=self._origin, seq=seq, engine=self._engine)

    def _decided(self, record: Decided, facts: Facts, identity: Verified, seq: int) -> bytes:
        if record.parts is not self._parts or record.snapshot != self._snapshot:
            self._take_snapshot(record)
        geography = facts.geography
        values = (
            geography,
            record.alternatives,
            record.decision,
            facts.screening,
            facts.observed,
            facts.operation,
            identity.method,
            identity.credential,
        )
        known = self._standings.get(id(geography))
        if known is None or known.tenant is not identity.tenant or known.values != values:
            known = self._remember(record, facts, identity, values)
        time = _encode(record.time)
        return b"".join(
            (
                known.before_time,
                time if facts.at is record.time else _encode(facts.at),
                known.after_time,
                _encode(record.id),
                self._before_request,
                _encode(record.probed),
                b',"request":',
                _encode(record.request),
                b',"seq":%d' % seq,
                self._after_seq,
                time,
                b',"v":1}',
            )
        )

    def _happened(self, record: Happened, seq: int) -> bytes:
        return _encode(
            _HappenedLine(
                record.decided,
                record.duration_us,
                self._engine,
                (),
                "happened",
                self._origin,
                record.outcome,
                record.response_bytes,
                record.sent,
                seq,
                record.status,
                record.time,
                record.upstream_status,
                record.v,
            )
        )

    def _take_snapshot(self, record: Decided) -> None:
        """Forget what another snapshot's records had in common."""
        self._standings.clear()
        self._parts, self._snapshot = None, ""
        self._before_request = b',"kind":"decided","origin":%b,"parts":%b,"probed":' % (
            canonical(self._origin),
            canonical(record.parts),
        )
        self._after_seq = b',"snapshot":%b,"time":' % canonical(record.snapshot)
        self._parts, self._snapshot = record.parts, record.snapshot

    def _remember(
        self, record: Decided, facts: Facts, identity: Verified, values: tuple[object, ...]
    ) -> _Standing:
        if len(self._standings) >= _STANDINGS:
            del self._standings[next(iter(self._standings))]
        standing = _Standing(
            tenant=identity.tenant,
            values=values,
            before_time=b'{"alternatives":%b,"decision":%b,"engine":%b,"facts":{"at":'
            % (
                canonical(record.alternatives),
                canonical(record.decision),
                canonical(self._engine),
            ),
            after_time=b',"geography":%b,"identity":%b,"observed":%b,"operation":%b,'
            b'"screening":%b},"id":'
            % (
                canonical(facts.geography),
                canonical(identity),
                canonical(facts.observed),
                canonical(facts.operation),
                canonical(facts.screening),
            ),
        )
        self._standings[id(facts.geography)] = standing
        return standing
