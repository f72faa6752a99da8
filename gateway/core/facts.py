"""All that a decision may depend on, in one frozen value that a record carries losslessly.

A rule may name only what stands here, so every decision can be evaluated again from its record.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.core.geography.model import Geography
from gateway.core.identity.model import Identity
from gateway.core.operation import Classified, Observed
from gateway.core.screening import Screening


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What, who, where, listed, observed, and when (UTC, microseconds)."""

    operation: Classified
    identity: Identity
    geography: Geography
    screening: Screening
    observed: Observed
    at: datetime
