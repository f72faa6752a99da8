"""The form of the tenant file: what may stand in it, entry by entry.

Rules over several entries (unique ids, one verdict a name) stand in `gateway.sources.tenants`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from gateway.core.geography.codes import is_code
from gateway.core.identity.model import WARN_DAYS, ReferenceKind, TenantType
from gateway.core.operation import Counting, OperationClass

# Words that stand for an empty set of facts; a file cannot claim them.
_RESERVED = frozenset({"none", "unknown", "undeclared", "not_screened"})
# Records hold the numbers: canonical JSON has integers below 2^53 (RFC 8785 section 3.2.2.3).
_MOST = 2**53 - 1
_DAYS = 36_525


def _country(text: str) -> str:
    if not is_code(text):
        raise ValueError("must be an ISO 3166-1 code such as `GB` or ISO 3166-2 such as `UA-43`")
    return text


def _free(text: str) -> str:
    if text in _RESERVED:
        raise ValueError("is a reserved word: leave the entry out instead")
    return text


def _name(text: str) -> str:
    if not text.isprintable() or text != " ".join(text.split()):
        raise ValueError("must be printable text without surplus spaces")
    return text


def _instant(value: object) -> object:
    """Read a date as its first instant in UTC, and a time only where it names its zone.

    Raises:
        ValueError: a time without a zone, or without an equivalent in UTC.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time must name its zone, e.g. end in `Z`")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise ValueError("is out of range") from None
    return datetime.combine(value, time.min, UTC) if isinstance(value, date) else value


Country = Annotated[str, AfterValidator(_country)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
Label = Annotated[Identifier, AfterValidator(_free)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$"), AfterValidator(_free)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_name)]
Instant = Annotated[datetime, BeforeValidator(_instant)]


class _Entry(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )


class PartyEntry(_Entry):
    """A party behind the tenant, other than the tenant itself."""

    name: Name
    role: Literal["end_user", "reseller", "owner"]
    type: TenantType
    countries: list[Country] = Field(default_factory=list[Country])
    listed: list[Word] | None = Field(
        default=None, description="lists that name the party; [] is clean, absent is not screened"
    )


class QuotaEntry(_Entry):
    """How much may be done under a reference, over all its time."""

    limit: Annotated[int, Field(ge=1, le=_MOST)]
    counts: Counting = "calls"


class ReferenceEntry(_Entry):
    """A licence, consent, authorisation or review on file."""

    id: Name
    kind: ReferenceKind
    authority: Name | None = Field(default=None, description="who granted it")
    names: list[Word] = Field(
        default=[], description="what it lifts beyond ordinary requirements, e.g. `embargo`"
    )
    classes: list[OperationClass] = Field(
        default=[], description="what it is for; absent is not limited; a licence says it"
    )
    destinations: list[Country] = Field(
        default=[], description="where it is for; absent is not limited; a licence says it"
    )
    valid_from: Instant | None = None
    valid_to: Instant | None = Field(default=None, description="first instant without validity")
    quota: QuotaEntry | None = None
    report_days: Annotated[int, Field(ge=1, le=_DAYS)] | None = Field(
        default=None,
        description="days after `reported`, or `valid_from`, on which a report on its use is due",
    )
    reported: Instant | None = Field(
        default=None, description="the day on which its use was reported last"
    )
    warn_days: Annotated[int, Field(ge=0, le=_DAYS)] = WARN_DAYS

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_from >= self.valid_to:
            raise ValueError("`valid_to` must be after `valid_from`")
        return self

    @model_validator(mode="after")
    def _says_what_it_is_for(self) -> Self:
        if self.kind == "licence" and not (self.classes and self.destinations):
            raise ValueError("a licence names its `classes` and its `destinations`")
        return self

    @model_validator(mode="after")
    def _reports_from_a_day(self) -> Self:
        if self.report_days and not (self.reported or self.valid_from):
            raise ValueError("`report_days` counts from `reported` or `valid_from`: state one")
        return self


class TokenEntry(_Entry):
    """The tokens of one subject at one issuer."""

    issuer: Name
    subject: Name


class ApiKeyEntry(_Entry):
    """An API key, by its keyed BLAKE2b-256 hash."""

    id: Identifier
    hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class AccessKeyEntry(_Entry):
    """A gateway-issued access key with its encrypted secret."""

    id: Annotated[str, StringConstraints(pattern=r"^FGAK[A-Z0-9]{12,28}$")]
    secret: Annotated[str, StringConstraints(max_length=512)]


class CredentialsEntry(_Entry):
    """Everything that a tenant may present."""

    jwt: list[TokenEntry] = Field(default_factory=list[TokenEntry])
    api_keys: list[ApiKeyEntry] = Field(default_factory=list[ApiKeyEntry])
    access_keys: list[AccessKeyEntry] = Field(default_factory=list[AccessKeyEntry])


class TenantEntry(_Entry):
    """One tenant, as the operator attests it."""

    id: Identifier
    legal_name: Name
    type: TenantType
    tier: Label | None = None
    tags: list[Label] = Field(default_factory=list[Label])
    countries: list[Country] = Field(default_factory=list[Country])
    deployments: list[Country] = Field(default_factory=list[Country])
    end_uses: list[Word] = Field(default_factory=list[Word])
    listed: list[Word] | None = Field(
        default=None, description="lists that name the tenant; [] is clean, absent is not screened"
    )
    parties: list[PartyEntry] = Field(default_factory=list[PartyEntry])
    references: list[ReferenceEntry] = Field(default_factory=list[ReferenceEntry])
    credentials: CredentialsEntry = Field(default_factory=CredentialsEntry)


class TenantFile(_Entry):
    """The tenant file."""

    api_version: Literal["facegate/v1"] = Field(alias="apiVersion")
    kind: Literal["Tenants"]
    tenants: list[TenantEntry]
