"""What has gone missing from a log, and the `gap` lines that say so."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from gateway.audit.record import Gap, GapReason

_IDS_PER_GAP = 1_000  # keeps a line under 64 KiB, the most that a tlog-tiles entry can hold


@dataclass(slots=True, kw_only=True)
class Loss:
    """What no gap says yet; the fields are those of `Gap`."""

    reason: GapReason
    detail: str
    since: datetime
    refused: int = 0
    lost: int = 0
    unpaired: list[str] = field(default_factory=list)

    def absorb(self, later: Loss) -> None:
        """Add what went missing after this."""
        self.refused += later.refused
        self.lost += later.lost
        self.unpaired += later.unpaired

    def gaps(self, *, pairs: Collection[str], now: datetime) -> list[Gap]:
        """Return the lines; of the unpaired decisions only those that are open still."""
        whole = Gap(
            time=now,
            reason=self.reason,
            detail=self.detail,
            since=self.since,
            refused=self.refused,
            lost=self.lost,
            unpaired=tuple(item for item in self.unpaired if item in pairs),
        )
        return _split(whole)


def opening_gaps(
    *, unpaired: Iterable[str], cut_bytes: int, head_lost: bool, now: datetime
) -> list[Gap]:
    """Return the lines with which a log is taken up again; none after an orderly end."""
    gaps = []
    if head_lost:
        detail = "head.json was missing or damaged; the root was rebuilt from the lines"
        gaps.append(Gap(time=now, reason="head", detail=detail))
    if cut_bytes:
        detail = "the last line was incomplete; nothing was forwarded on it"
        gaps.append(Gap(time=now, reason="torn", detail=detail, cut_bytes=cut_bytes))
    detail = "the process ended with these decisions open; whether they had an effect is not known"
    whole = Gap(time=now, reason="restart", detail=detail, unpaired=tuple(unpaired))
    return [*gaps, *(_split(whole) if whole.unpaired else [])]


def _split(gap: Gap) -> list[Gap]:
    """Spread the ids over lines of bounded length; the counts stand in the first."""
    ids = gap.unpaired
    first = msgspec.structs.replace(gap, unpaired=ids[:_IDS_PER_GAP])
    rest = msgspec.structs.replace(gap, refused=0, lost=0, cut_bytes=0)
    return [
        first,
        *(
            msgspec.structs.replace(rest, unpaired=ids[start : start + _IDS_PER_GAP])
            for start in range(_IDS_PER_GAP, len(ids), _IDS_PER_GAP)
        ),
    ]
