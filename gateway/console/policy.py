"""What an operator may ask of the policy through the admin API."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from gateway.core.policy.signing import Signed

_Words = Annotated[str, msgspec.Meta(max_length=1_000)]
_Name = Annotated[str, msgspec.Meta(max_length=200)]
_Percent = Annotated[int, msgspec.Meta(ge=1, le=99)]
_Digest = Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]


class PolicyRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a request that moves the policy; every field may be left out.

    Attributes:
        who: name of the person, for the record; the token's holder vouches for it.
        why: in their words, likewise.
        bundle: digest of the bundle; without it, what is staged or offered, or what was active
            before.
        percent: of the tenants, to activate it for these alone.
        signature: the content of a `bundle.sig.json` that was made for it.
    """

    who: _Name = ""
    why: _Words = ""
    bundle: _Digest | None = None
    percent: _Percent | None = None
    signature: Signed | None = None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator asks for.

    Attributes:
        action: what is to be done.
        bundle: with which bundle; None is what is staged or offered, or what was active before.
        percent: of the tenants, 1 to 99; None is all of them.
        signature: content of a signature file made for it.
        who: who asks, for the record.
        why: in their words, likewise.
    """

    action: Literal["activate", "rollback"]
    bundle: str | None = None
    percent: int | None = None
    signature: bytes | None = None
    who: str
    why: str = ""


_decoder: msgspec.json.Decoder[PolicyRequest] = msgspec.json.Decoder(PolicyRequest)


def read_wish(action: Literal["activate", "rollback"], body: bytes, *, asker: str) -> Wish:
    """Read the body of a request; `asker` is who sent it, as far as the listener knows.

    Raises:
        ValueError: it is not of this form.
    """
    try:
        asked = _decoder.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error
    return Wish(
        action=action,
        bundle=asked.bundle,
        percent=asked.percent,
        signature=None if asked.signature is None else msgspec.json.encode(asked.signature),
        who=f"{asked.who} ({asker})" if asked.who else asker,
        why=asked.why,
    )
