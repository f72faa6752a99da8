"""The verdict on a request, and the one list of reasons that there can be.

Reasons are stable public codes: SDK users, dashboards and auditors rely on them. The map from a
reason to HTTP stands in `gateway.respond` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

Outcome = Literal["permit", "refuse"]
# How a refusal is answered: the kind picks the status and the provider's error name.
ReasonKind = Literal[
    "permitted",
    "policy",
    "unmet",
    "identity",
    "malformed",
    "host",
    "dependency",
    "overload",
    "upstream",
    "engine",
]


class Reason(msgspec.Struct, frozen=True):
    """One reason: its kind, the words that the caller may read, and what to do about it."""

    kind: ReasonKind
    public: str
    hint: str


def _reasons() -> dict[str, Reason]:
    malformed = {
        "path": "the request path is not in canonical form",
        "query": "the query string is not in canonical form",
        "header": "a header name or value is not acceptable",
        "duplicate": "a header or parameter that decides stands more than once",
        "method": "the method is not acceptable",
        "body": "the body is not acceptable with this method or encoding",
        "length": "the body or the head is larger than the limit",
        "timeout": "the request did not arrive in time",
        "expect": "the expectation cannot be met",
        "connection": "the Connection or Upgrade header is not acceptable",
        "syntax": "the bytes are not an HTTP/1.1 request",
    }
    identity = {
        "missing": "no credential was presented",
        "several": "more than one credential was presented",
        "malformed": "the credential cannot be read",
        "signature": "the credential's signature does not verify",
        "expired": "the credential is not valid at this time",
        "unknown": "the credential is not known here",
        "tenant": "the credential belongs to no known tenant",
        "keys": "the keys that verify this credential are not at hand",
    }
    canonical = "send the request in canonical form"
    credential = "present exactly one valid credential"
    hints = {
        "timeout": "send the whole request within the limits",
        "length": "see `limits` in the configuration",
        "keys": "see the issuer in /readyz?verbose",
        "tenant": "name the credential in the tenant file",
    }
    return {
        "policy.permitted": Reason("permitted", "permitted", "nothing to do"),
        "policy.ungoverned": Reason("permitted", "permitted", "nothing to do"),
        "policy.denied": Reason(
            "policy",
            "this use is refused by policy",
            "see the deciding rule in the decision's record",
        ),
        "policy.default": Reason(
            "policy", "no rule permits this use", "governed classes need a rule that permits them"
        ),
        "policy.unmet": Reason(
            "unmet",
            "this use needs a reference that is not on file",
            "register the licence, consent or authorisation",
        ),
        "policy.missing": Reason(
            "dependency", "no policy is loaded", "load a policy; see /readyz?verbose"
        ),
        "operation.ambiguous": Reason(
            "malformed",
            "the request can be read in more than one way",
            "send each indicator once, in one form",
        ),
        "host.unknown": Reason(
            "host", "this host is not served here", "use a host that the operator configured"
        ),
        "audit.unavailable": Reason(
            "dependency",
            "decisions cannot be recorded at the moment",
            "see the disk of the audit directory",
        ),
        "state.unavailable": Reason(
            "dependency",
            "what is left of a quota or budget cannot be told at the moment",
            "see the disk of the state directory",
        ),
        "upstream.unavailable": Reason(
            "upstream", "the provider cannot be reached", "see the upstream's address"
        ),
        "upstream.broken": Reason(
            "upstream", "the provider's answer cannot be passed on", "see the gateway's log"
        ),
        "upstream.timeout": Reason(
            "upstream", "the provider did not answer in time", "see the upstream's limits"
        ),
        "engine.failed": Reason(
            "engine", "the request could not be judged", "a fault of the gateway; see its log"
        ),
        "gateway.overload": Reason(
            "overload", "too many requests are under way", "try again later"
        ),
        **{
            f"malformed.{name}": Reason("malformed", public, hints.get(name, canonical))
            for name, public in malformed.items()
        },
        **{
            f"identity.{name}": Reason("identity", public, hints.get(name, credential))
            for name, public in identity.items()
        },
    }


REASONS: Mapping[str, Reason] = MappingProxyType(_reasons())


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """What another policy than the one that decided says of the same facts.

    Attributes:
        name: of the candidate, as configured.
        outcome: what it would have been.
        policies: digest of that policy.
        reason: code from `REASONS`.
        rules: ids `pack/rule` of the rules that would have decided, in pack order.
    """

    name: str
    outcome: Outcome
    policies: str
    reason: str
    rules: tuple[str, ...]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict: what `evaluate` answers for facts under a policy.

    Attributes:
        outcome: `permit` or `refuse`; only a permit with every obligation met goes on.
        reason: code from `REASONS`; the first cause in the order of combining.
        rules: ids `pack/rule` of the rules that decided, in pack order; empty where a built-in did.
        matched: ids of all enforced rules that matched, in pack order.
        shadow: ids of the rules in shadow mode that matched.
        shadow_outcome: what the outcome would be if shadow rules were enforced.
        obligations: kinds that are required and not on file (`licence`, `consent`, …), sorted.
        discharged: ids of the references that met a requirement or lifted a deny, sorted.
        lifted: ids of the enforced deny rules that matched and did not decide, because a reference
            lifts them, in pack order.
    """

    outcome: Outcome
    reason: str
    rules: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    shadow_outcome: Outcome
    obligations: tuple[str, ...] = ()
    discharged: tuple[str, ...] = ()
    lifted: tuple[str, ...] = ()
