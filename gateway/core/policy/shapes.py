"""What the shapes of all policy files share: strict mappings, and the kinds of value in them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from gateway.core.policy.countries import is_place

# Counters stand in records, whose integers end here (RFC 8785 section 3.2.2.3).
MOST: Final = 2**53 - 1


def _instant(value: object) -> object:
    """Read a date as its first moment, and a time without a zone as UTC.

    Raises:
        ValueError: the time has no UTC equivalent.
    """
    if isinstance(value, datetime):
        try:
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        except OverflowError:
            raise ValueError("is out of range") from None
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def _place(text: str) -> str:
    if not is_place(text):
        raise ValueError("must be an ISO 3166-1 code such as `GB` or ISO 3166-2 such as `UA-43`")
    return text


Identifier = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9._-]*$", max_length=64)]
Word = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,63}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Place = Annotated[str, AfterValidator(_place)]
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "description": "a date, or a time; UTC where no zone"}),
]


class Shape(BaseModel):
    """A mapping with known keys; nothing is converted."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, value: object) -> object:
        if not isinstance(value, dict):
            raise PydanticCustomError("mapping_wanted", "a mapping is wanted here")
        return value


class File(Shape):
    """What every policy file begins with."""

    api_version: Literal["facegate/v1"] = Field(alias="apiVersion")
