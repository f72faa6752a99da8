"""What a request asks of the provider: the values that classification answers with.

The classes are those of the contracts' section 3. A class is never guessed downwards: what is not
known is `unknown`, which policy treats as a 1:many search.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

import msgspec

OperationClass = Literal[
    "one_to_one",
    "one_to_many",
    "stream_search",
    "results",
    "gallery",
    "embed",
    "image_db",
    "image_search",
    "detect",
    "liveness",
    "admin",
    "unrelated",
    "unknown",
]
Access = Literal["none", "read", "write", "train", "delete", "export"]

OPERATION_CLASSES: tuple[OperationClass, ...] = get_args(OperationClass)

# Most restrictive first: the class of a request with several parts is the first of these that any
# part has. `unknown` leads, because it may be anything.
SEVERITY: tuple[OperationClass, ...] = (
    "unknown",
    "stream_search",
    "one_to_many",
    "results",
    "embed",
    "image_search",
    "gallery",
    "image_db",
    "one_to_one",
    "liveness",
    "detect",
    "admin",
    "unrelated",
)

# Classes with an access: every other class has the access `none`, and these never have.
STORES: frozenset[OperationClass] = frozenset({"gallery", "image_db"})

_GOVERNED: frozenset[OperationClass] = frozenset(
    {
        "one_to_many",
        "stream_search",
        "results",
        "gallery",
        "embed",
        "image_db",
        "image_search",
        "unknown",
    }
)


def governed(operation_class: OperationClass, access: Access) -> bool:
    """Tell whether a class is refused where no rule permits it.

    Deleting from a gallery or an image database is not governed: whoever may no longer search may
    still erase.
    """
    return operation_class in _GOVERNED and access != "delete"


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where an operation sends its output, as the request names it.

    `kind` is e.g. `s3_bucket`, `sns_topic`, `kinesis_stream`, `callback`; `value` the name or ARN.
    """

    kind: str
    value: str


class Operation(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    cache_hash=True,
    tag="known",
    tag_field="state",
    rename={"operation_class": "class"},
):
    """An operation that the catalogue knows, read in exactly one way.

    Attributes:
        provider: catalogue name of the provider.
        name: operation name in the provider's own terms.
        operation_class: class after the conditions on the body were applied.
        access: what it does to a gallery or image database; `none` elsewhere.
        subclass: finer kind from the catalogue, e.g. `builtin_gallery`; empty where there is none.
        gallery: name of the gallery that the request names; empty where it names none.
        destinations: every place that the output goes to.
        candidates: number of faces, images or persons that the request itself brings as the set to
            compare with; None where the operation takes none, or that was not read.
        faces: number of faces to look for, as the request states it; None where it does not.
        reading: the steps that led here, for people; e.g. `header x-amz-target`.
    """

    provider: str
    name: str
    operation_class: OperationClass
    access: Access = "none"
    subclass: str = ""
    gallery: str = ""
    destinations: tuple[Destination, ...] = ()
    candidates: int | None = None
    faces: int | None = None
    reading: tuple[str, ...] = ()


class Unknown(msgspec.Struct, frozen=True, kw_only=True, tag="unknown", tag_field="state"):
    """A request to a known provider whose operation the catalogue does not know."""

    provider: str
    reason: str
    reading: tuple[str, ...] = ()


class Ambiguous(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag="ambiguous",
    tag_field="state",
    rename={"operation_class": "class"},
):
    """A request with two readings, or with a body that cannot be read in exactly one way.

    `operation_class` is the most restrictive class over the readings; the request is refused.
    """

    provider: str
    operation_class: OperationClass
    reason: str
    reading: tuple[str, ...] = ()


Classified = Operation | Unknown | Ambiguous


def class_of(classified: Classified) -> OperationClass:
    """Return the class, the most restrictive reading where there are several."""
    return "unknown" if isinstance(classified, Unknown) else classified.operation_class


def access_of(classified: Classified) -> Access:
    """Return the access; `none` where the operation is not known."""
    return classified.access if isinstance(classified, Operation) else "none"


# What a quota or a budget counts.
Counting = Literal["calls", "faces"]
# How long a budget lasts: an hour, a day or a month of the calendar, in UTC.
Period = Literal["hour", "day", "month"]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What a request takes of a reference's quota, should it be permitted under that reference.

    Attributes:
        reference: id of the tenant's reference.
        counts: what is counted.
        used: what was taken before this request.
        limit: the quota's.
        amount: what this request takes; 0 or more.
    """

    reference: str
    counts: Counting = "calls"
    used: int
    limit: int
    amount: int


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What a request takes of a budget of its tenant, should it be permitted.

    Attributes:
        budget: id of the budget.
        counts: what is counted.
        per: how long it lasts.
        since: first moment of the hour, day or month in which it is counted, UTC.
        used: what was taken in that time before this request.
        limit: the budget's.
        amount: what this request takes; 0 or more.
    """

    budget: str
    counts: Counting = "calls"
    per: Period = "day"
    since: datetime
    used: int
    limit: int
    amount: int


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken of a quota or a budget, by the id of its reference or budget, and given back.

    `of` says which of the two `id` is.
    """

    of: Literal["reference", "budget"]
    id: str
    amount: int


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What the edge observed just before judging: counters and remembered declarations.

    Attributes:
        probes: `sha256:` and 64 hex digits of each image that the request looks for; `unknown`
            stands for what could not be read; empty where it looks for none, and None where no
            rule asks, so that nobody looked.
        stream_processor: what the named stream processor was declared as, `face_search` or
            `connected_home`; `unknown` where nothing is remembered; empty where none is named.
        quotas: of each reference of the tenant that has a quota, sorted by reference.
        budgets: of each budget that counts such an operation, sorted by budget.
        over: ids of those of them that this request would exceed, sorted.
    """

    probes: tuple[str, ...] | None = None
    stream_processor: str = ""
    quotas: tuple[Taken, ...] = ()
    budgets: tuple[Counted, ...] = ()
    over: tuple[str, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether anything was counted, so that the next request may be judged otherwise."""
        return bool(self.quotas or self.budgets or self.over)
