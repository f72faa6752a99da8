"""Sizes and times of the audit log."""

from __future__ import annotations

import msgspec


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """How the log trades memory, time and disk.

    Attributes:
        segment_bytes: a batch that would make a segment larger begins a new one.
        batch_lines: most records in one batch; bounds how long the loop is held up (about 3 ms).
        gather_turns: turns of the loop after a batch in which records join the next one.
        linger_s: how long lines that nobody waits for wait for one that somebody waits for.
        queue_lines: most records kept that nobody waits for. `happened` records are kept always:
            there are no more of them than requests under way.
        probe_s: how often the files are looked at, and repaired after a failure.
        stall_s: how long a write may take before the log counts as unhealthy.
        head_s: how long after a sync `head.json` follows; 0 is at once. Replacing a file costs
            half as much as a sync, so the syncs of a busy moment share one.
    """

    segment_bytes: int = 256 * 1024 * 1024
    batch_lines: int = 512
    gather_turns: int = 8
    linger_s: float = 0.005
    queue_lines: int = 65_536
    probe_s: float = 1.0
    stall_s: float = 5.0
    head_s: float = 0.1
