"""Guardrails: what must hold over all packs together, whoever wrote which rule.

A guardrail judges no request: it is proved of a policy before the policy is used, by
`gateway.core.policy.prove`, and it does not count towards the policy's digest.
"""

from __future__ import annotations

import msgspec

from gateway.core.decision import Outcome
from gateway.core.policy.model import Condition, Wanted

Never = Outcome


class Guardrail(msgspec.Struct, frozen=True, kw_only=True):
    """What must never happen, to which requests.

    Attributes:
        id: unique over all files.
        never: `permit`: no request is permitted that has, of each attribute that is named, *some*
            member among the values, whatever else it says and whatever is on file. `refuse`: no
            verified request is refused of whose members *all* are among the values of each
            attribute that is named, whatever else it says and with nothing on file.
        conditions: sorted by attribute, one an attribute.
        without: with `never: permit`, references that are taken not to be on file: what they lift
            or meet is left to them.
        reason: one sentence for people.
    """

    id: str
    never: Never
    conditions: tuple[Condition, ...]
    without: tuple[Wanted, ...] = ()
    reason: str

    def condition(self, attribute: str) -> Condition | None:
        """Return what it says of an attribute; None where it says nothing."""
        return next((one for one in self.conditions if one.attribute == attribute), None)

    def excludes(self, wanted: Wanted) -> bool:
        """Tell whether no reference that is wanted is on file."""
        return any(
            one.kind == wanted.kind and one.naming in ("", wanted.naming) for one in self.without
        )
