"""The values that say where from and where for, with every piece of evidence kept.

A code is an ISO 3166-1 alpha-2 or ISO 3166-2 code, or one of `unknown`, `private`, `anonymised`,
`stale`: values of their own, which policy must cover.
"""

from __future__ import annotations

from typing import Literal

import msgspec

EvidenceKind = Literal["network", "account", "deployment", "party", "output"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One statement about a place: what kind of evidence, the code, and what it rests on."""

    kind: EvidenceKind
    code: str
    source: str


class Located(msgspec.Struct, frozen=True, kw_only=True, tag="located", tag_field="state"):
    """Every place that any evidence names.

    Attributes:
        client: address of the client behind the trusted proxies; empty where it is unreadable.
        destination: all codes of the evidence, sorted, without repetition; never empty.
        evidence: in the order network, account, deployment, party, output.
        contradiction: whether the network places the client outside every declared country.
    """

    client: str
    destination: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    contradiction: bool


class Unlocated(msgspec.Struct, frozen=True, kw_only=True, tag="unlocated", tag_field="state"):
    """No network database is at hand: rules see the destination `unknown` beside the evidence."""

    client: str
    reason: str
    evidence: tuple[Evidence, ...] = ()


Geography = Located | Unlocated
