"""Whether a party behind the request stands on a restricted-party list.

Verdicts are looked up, never computed here: names are matched against lists at onboarding and when
a list or a profile changes. Where no verdict exists the value says so (`not_screened`), and policy
decides what that means.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.identity.model import Identity, Verified


class Hit(msgspec.Struct, frozen=True, kw_only=True, tag="hit", tag_field="state"):
    """At least one party is listed; `lists` are list ids, sorted, e.g. `entity_list`."""

    lists: tuple[str, ...]
    parties: tuple[str, ...]


class Clear(msgspec.Struct, frozen=True, kw_only=True, tag="clear", tag_field="state"):
    """Every party was screened and none is listed."""


class NotScreened(msgspec.Struct, frozen=True, kw_only=True, tag="not_screened", tag_field="state"):
    """At least one party has no verdict, and none is known to be listed."""

    reason: str


Screening = Hit | Clear | NotScreened
# Party name to the lists that name it; an empty tuple is a clean verdict, a missing key is none.
Verdicts = Mapping[str, tuple[str, ...]]


def screening_of(identity: Identity, verdicts: Verdicts) -> Screening:
    """Collect the verdicts on every party of the caller's tenant; the strictest wins."""
    if not isinstance(identity, Verified):
        return NotScreened(reason="the caller is not verified")
    names = [party.name for party in identity.tenant.parties]
    listed = sorted({name for name in names if verdicts.get(name)})
    if listed:
        lists = sorted({entry for name in listed for entry in verdicts[name]})
        return Hit(lists=tuple(lists), parties=tuple(listed))
    if any(name not in verdicts for name in names):
        return NotScreened(reason="a party has no screening verdict")
    return Clear()
