"""The lines of the audit log: one canonical JSON object each (RFC 8785), told apart by `kind`.

`decided` is durable before anything leaves for the provider, `happened` follows it; the other kinds
stand alone. Never a body byte, never a credential: header names without values, and query values
that the catalogue does not call open only as keyed hashes.

A record is made without `origin`, `seq` and `engine`: those three are the log's, which fills them
in when it writes. This module does no input or output.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from gateway.audit.canonical import canonical, loses_nothing
from gateway.core.decision import Alternative, Decision
from gateway.core.facts import Facts
from gateway.core.operation import Returned
from gateway.core.request import Request, Whole
from gateway.errors import AuditError

# Above this a double cannot hold every integer, and canonical JSON numbers are doubles (RFC 8785
# section 3.2.2.3).
MAX_INTEGER = 2**53 - 1
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]

# What became of a decided request. `refused`: answered by the gateway because of the verdict;
# `not_forwarded`: permitted, but nothing left; `failed`: a fault of the gateway after the verdict.
Effect = Literal[
    "forwarded", "refused", "client_gone", "upstream_failed", "not_forwarded", "failed"
]
# Why records may be missing. `write`: a write, sync or replacement failed; `stalled`: the disk did
# not answer in time; `replaced`: somebody deleted, replaced or changed the files; `overflow`: more
# waited than is kept; `torn`: a line was cut off in the middle; `restart`: the process ended with
# decisions open; `head`: the root was lost and rebuilt from the lines.
GapReason = Literal["write", "stalled", "replaced", "overflow", "torn", "restart", "head"]


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every line has; `time` is aware and UTC, the rest is the log's to fill in."""

    v: Literal[1] = 1
    origin: str = ""
    seq: Count = 0
    engine: str = ""
    time: datetime


class RequestPart(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a request; the fields stand in canonical order (see `audit.lines`).

    Attributes:
        body_bytes: length of the body, read or announced.
        body_sha256: 64 hex digits where the body was read before judging; None where it streamed.
        header_names: lower case, sorted; never a value.
        host: as in the request, lower case.
        method: as in the request.
        target: path and query, values masked as `masked_target` says.
    """

    body_bytes: Count
    body_sha256: str | None
    header_names: tuple[str, ...]
    host: str
    method: str
    target: str


class Decided(_Envelope, frozen=True, kw_only=True, tag="decided"):
    """A verdict, with everything that it rests on; durable before any effect.

    Attributes:
        alternatives: what the candidates say that are asked beside the policy that decided.
        id: `dec_…`, the id that the caller sees.
        snapshot: digest of the snapshot.
        parts: name of each part of the snapshot to its digest.
        request: what is kept of the request.
        facts: whole, so that the verdict can be evaluated again.
        decision: the verdict.
        probed: the last state that a probe of the provider found; empty where none is known.
    """

    alternatives: tuple[Alternative, ...] = ()
    id: str
    snapshot: str
    parts: Mapping[str, str]
    request: RequestPart
    facts: Facts
    decision: Decision
    probed: str = ""


class Happened(_Envelope, frozen=True, kw_only=True, tag="happened"):
    """What became of a decided request.

    Attributes:
        decided: id of the `decided` line.
        outcome: see `Effect`.
        status: status that the caller was answered with; None where there was no answer.
        upstream_status: status of the provider; None where there was none.
        sent: whether a byte left towards the provider: only then may it have acted.
        duration_us: from the verdict to the end, microseconds.
        response_bytes: body bytes passed back to the caller.
        given_back: what the decision had taken of quotas and budgets and gave back, because
            nothing reached the provider.
    """

    decided: str
    outcome: Effect
    status: Count | None = None
    upstream_status: Count | None = None
    sent: bool
    duration_us: Count = 0
    response_bytes: Count = 0
    given_back: tuple[Returned, ...] = ()


class Rejected(_Envelope, frozen=True, kw_only=True, tag="rejected"):
    """Requests that had no single reading; nothing of their bytes.

    `count` requests of one address and reason stand for `since` to `time`, where they came too
    fast for a line each; `request_bytes` is their sum.
    """

    address: str
    reason: str
    detail: str = ""
    request_bytes: Count = 0
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)] = 1
    since: datetime | None = None


class Aborted(_Envelope, frozen=True, kw_only=True, tag="aborted"):
    """A request that ended without a verdict, by a fault or because the client left.

    `id` is the id that the caller may have seen; no `happened` follows.
    """

    id: str
    reason: str
    detail: str = ""


class Activation(_Envelope, frozen=True, kw_only=True, tag="activation"):
    """A part of the snapshot was replaced, or a candidate was refused.

    Attributes:
        what: the part.
        who: the operator, or the watcher, that asked.
        why: in the operator's words.
        digest: of what the candidate means; of its files where it has no meaning.
        bundle: of policy: digest of all its files, empty where they cannot be read.
        version: of policy: the signed version.
        signers: of policy: names of the keys that signed it, sorted.
        result: what became of it.
        detail: of a refusal: what was wrong; of a start: since when it is active, and by whom.
    """

    what: str
    who: str
    why: str = ""
    digest: str
    bundle: str = ""
    version: Count | None = None
    signers: tuple[str, ...] = ()
    result: Literal["activated", "refused"]
    detail: str = ""


class Shed(_Envelope, frozen=True, kw_only=True, tag="shed"):
    """Requests turned away unread because too many were under way, counted from `since` on."""

    reason: str
    count: Count
    since: datetime


class Gap(_Envelope, frozen=True, kw_only=True, tag="gap"):
    """Says what is missing here, and why.

    Attributes:
        reason: see `GapReason`.
        detail: plain words for the operator.
        since: when it began; None where that is not known.
        refused: records that could not be made durable; whoever waited for them was refused, so
            nothing was forwarded on them.
        lost: records that nobody waited for and that could not be kept.
        cut_bytes: bytes of an incomplete last line that were removed.
        unpaired: ids of `decided` lines whose `happened` will never come.
    """

    reason: GapReason
    detail: str = ""
    since: datetime | None = None
    refused: Count = 0
    lost: Count = 0
    cut_bytes: Count = 0
    unpaired: tuple[str, ...] = ()


Line = Decided | Happened | Rejected | Aborted | Activation | Shed | Gap

_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def encode(record: Line, *, origin: str, seq: int, engine: str) -> bytes:
    """Return the canonical line of a record, without the newline.

    Raises:
        TypeError: where a caller put a value of a foreign type into a record.
    """
    return canonical(msgspec.structs.replace(record, origin=origin, seq=seq, engine=engine))


def read_line(line: bytes) -> Line:
    """Read one line, without its newline; ignores nothing that stands in it.

    Raises:
        AuditError: where the line is not a canonical record of a known version and kind.
    """
    try:
        record = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AuditError(f"not a record of a known version and kind: {error}") from error
    if not loses_nothing(line, record):
        raise AuditError("not canonical, or holds a field that this version does not know")
    return record


def masked_target(
    request: Request,
    *,
    open_parameters: frozenset[str],
    credential_parameters: frozenset[str],
    mask_key: bytes,
    open_segments: frozenset[str] = frozenset(),
) -> str:
    """Return path and query with all values masked but those of open parameters.

    Where `open_segments` are named, every other segment of the path is masked too.

    A masked value is `~` and the first 16 hex digits of BLAKE2b-256 over the value as sent, under
    a key that is never written: equal values can be told, values cannot be guessed. Names are
    compared as sent, so an escaped spelling of an open name stays masked; a piece without `=` may
    itself be a secret, and is masked whole.
    """
    path = _masked_path(request.path, open_segments, mask_key) if open_segments else request.path
    path = request.prefix + path
    if not request.query_string:
        return path
    shown = open_parameters - credential_parameters
    pieces = (_masked(piece, shown, mask_key) for piece in request.query_string.split("&"))
    return f"{path}?{'&'.join(pieces)}"


def _masked_path(path: str, shown: frozenset[str], mask_key: bytes) -> str:
    segments = path.split("/")
    return "/".join(
        segment if not segment or segment in shown else _mask(segment, mask_key)
        for segment in segments
    )


def _masked(piece: str, shown: frozenset[str], mask_key: bytes) -> str:
    name, equals, value = piece.partition("=")
    if not piece or name in shown:
        return piece
    return f"{name}={_mask(value, mask_key)}" if equals else _mask(piece, mask_key)


def _mask(value: str, mask_key: bytes) -> str:
    content = value.encode("utf-8", "surrogatepass")
    return "~" + hashlib.blake2b(content, key=mask_key, digest_size=32).hexdigest()[:16]


def request_part(
    request: Request,
    *,
    open_parameters: frozenset[str],
    credential_parameters: frozenset[str],
    mask_key: bytes,
    open_segments: frozenset[str] = frozenset(),
) -> RequestPart:
    """Return what a record keeps of a request; the parameters are those of `masked_target`."""
    body = request.body
    if isinstance(body, Whole):
        length, digest = len(body.content), body.sha256
    else:
        length, digest = body.length, None
    return RequestPart(
        method=request.method,
        host=request.host,
        target=masked_target(
            request,
            open_parameters=open_parameters,
            credential_parameters=credential_parameters,
            mask_key=mask_key,
            open_segments=open_segments,
        ),
        header_names=tuple(sorted(request.headers)),
        body_bytes=min(length, MAX_INTEGER),
        body_sha256=digest,
    )
