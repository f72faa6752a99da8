"""A policy as it is kept by its digest: everything that judging needs, and the words for people.

Judging again has to need nothing else, years later: no file, no group, no directory. The digest is
over the meaning alone, so a policy that only differs in its words is kept under the same digest.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.core.policy.compile import compile_policies
from gateway.core.policy.model import UNSWITCHED, Budget, Operator, Pack, Policies


class _Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form that is kept; `v` changes when it does, and every earlier one stays readable."""

    v: Literal[1] = 1
    packs: tuple[Pack, ...]
    budgets: tuple[Budget, ...] = ()
    operator: Operator = UNSWITCHED


# Sorted, members of sets as well: the same policy is the same bytes in every process.
_encoder = msgspec.json.Encoder(order="sorted")
_decoder: msgspec.json.Decoder[_Stored] = msgspec.json.Decoder(_Stored)


def stored_form(policies: Policies) -> bytes:
    """Return a policy as bytes, from which `from_stored` makes the same policy again.

    Pack by pack: whoever calls in a thread holds up nobody for as long as 5,000 rules take.
    """
    rest = _encoder.encode(_Stored(packs=(), budgets=policies.budgets, operator=policies.operator))
    packs = b",".join([_encoder.encode(pack) for pack in policies.packs])
    return rest.replace(b'"packs":[]', b'"packs":[%b]' % packs, 1)


def from_stored(content: bytes, *, digest: str) -> Policies:
    """Make a policy from what was kept of it.

    Args:
        content: what `stored_form` returned, maybe years ago; any byte may be hostile.
        digest: of the policy that is wanted, `sha256:` and 64 hex digits.

    Raises:
        ValueError: it is no policy in a known form, or not the one that is wanted.
    """
    try:
        stored = _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"is no stored policy of a known form: {error}") from error
    policies = compile_policies(stored.packs, budgets=stored.budgets, operator=stored.operator)
    if policies.digest != digest:
        raise ValueError(f"holds the policy {policies.digest}, not the one it is named after")
    return policies
