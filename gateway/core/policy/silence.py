"""Requests with several members of which no rule speaks, though a rule speaks of each member.

A permit has to cover every member. Where one permits a search in one country, and another one
everywhere else, no rule speaks of a search in both. Such requests are those that a policy would
permit which permits everything that no deny and no requirement matches, and that no permit of the
real one covers: `several` finds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from gateway.core.policy.choices import Kind, Members
from gateway.core.policy.compile import compile_policies
from gateway.core.policy.joint import Joint
from gateway.core.policy.model import Pack, Policies, Rule
from gateway.core.policy.several import Uncovered

_REST = Rule(id="rest", effect="permit")


class Silence:
    """Looks for such requests, one kind after another."""

    def __init__(self, policies: Policies, active: int, at: datetime) -> None:
        """Prepare.

        Args:
            policies: in which to look.
            active: the rules that count: in effect, and enforced.
            at: the time at which they are, aware, UTC.
        """
        every = [rule for pack in policies.packs for rule in pack.rules]
        rules = [rule for number, rule in enumerate(every) if active >> number & 1]
        speaking = [_denying(rule) for rule in rules if rule.effect != "permit"]
        permits = [_timeless(rule) for rule in rules if rule.effect == "permit"]
        joint = Joint(_policies([*speaking, _REST], policies), _policies(permits, policies), at)
        self._standing = {_name(kind): standing for kind, standing in joint.kinds()}
        self._search = Uncovered(joint, 0)

    def of(self, kind: Kind) -> tuple[Members, ...] | None:
        """Return the members of a request of which no rule speaks.

        None where there is none, or only such as one member of each attribute shows as well.

        Raises:
            UndecidedError: there are too many combinations.
        """
        return self._search.of(kind, self._standing[_name(kind)])


def _name(kind: Kind) -> tuple[str, str]:
    return kind.operation_class, kind.access


def _timeless(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, mode="enforce", effective_from=None, effective_to=None)


def _denying(rule: Rule) -> Rule:
    return msgspec.structs.replace(
        _timeless(rule), effect="deny", needs=None, naming="", lifted_by=None
    )


def _policies(rules: Iterable[Rule], like: Policies) -> Policies:
    numbered = [msgspec.structs.replace(rule, id=f"r{number}") for number, rule in enumerate(rules)]
    pack = Pack(
        id="silence",
        owner="",
        source="",
        force="binding",
        review=date.max,
        rules=tuple(numbered),
    )
    return compile_policies([pack], budgets=like.budgets)
