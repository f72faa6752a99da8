"""The settings on policy: where it comes from, and whose signature it needs."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic_core import CoreSchema

from gateway.config.fields import (
    AtLeastOne,
    Many,
    Name,
    PublicKey,
    Seconds,
    SecretText,
    SettingsPath,
    Url,
    decode_public_key,
)
from gateway.config.model import Model
from gateway.core.policy.signing import Key, Signing

# Each is evaluated on every request, and is a label of a metric.
_MAX_CANDIDATES: Final = 8


class SignerSettings(Model):
    """Whose signature on policy counts; `public` is an Ed25519 public key, as in `openssl pkey`."""

    id: Name
    public: PublicKey

    @property
    def public_bytes(self) -> bytes:
        """The key, 32 bytes."""
        return decode_public_key(self.public)


class SigningSettings(Model):
    """How many of which keys sign a policy bundle before it is activated."""

    keys: AtLeastOne[SignerSettings]
    threshold: Annotated[int, Field(ge=1)] = 1
    required: bool = True

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        for words, values in (
            ("names", [key.id for key in self.keys]),
            ("keys", [key.public_bytes for key in self.keys]),
        ):
            if len({*values}) < len(values):
                raise ValueError(f"two of the {words} are the same")
        if self.threshold > len(self.keys):
            raise ValueError("`threshold` should be at most the number of keys")
        return self

    @property
    def signing(self) -> Signing:
        """The same as a value of the core."""
        return Signing(
            keys=tuple(Key(id=key.id, public=key.public_bytes) for key in self.keys),
            threshold=self.threshold,
            required=self.required,
        )


class CandidateSettings(Model):
    """Policy that is asked beside the active one on every request, and decides nothing."""

    name: Name
    dir: SettingsPath


class StageSettings(Model):
    """How what is offered takes over: from some tenants to all, and what takes it back.

    Attributes:
        steps: percent of the tenants, rising.
        every_s: seconds from one step to the next, and to all; None waits for an operator.
        newly_refused: share of decisions that the active policy would have permitted.
        decisions: how many decisions that share is of, at least.
        failures: of the engine, while it is staged.
    """

    steps: AtLeastOne[Annotated[int, Field(ge=1, le=99)]]
    every_s: Annotated[float, Field(gt=0)] | None = None
    newly_refused: Annotated[float, Field(gt=0, le=1)] = 0.02
    decisions: Annotated[int, Field(ge=1)] = 1000
    failures: Annotated[int, Field(ge=1)] = 1

    @field_validator("steps")
    @classmethod
    def _rising(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        if list(steps) != sorted({*steps}):
            raise ValueError("the steps should rise")
        return steps


class PolicySettings(Model):
    """Where policy comes from and whose signature it needs; a path alone is short for `dir`.

    Attributes:
        dir: a directory, an archive of one, or one file.
        url: of an archive, instead of `dir`; http to the loopback interface only.
        ca: PEM file of the authorities to trust for it instead of the system's.
        token: sent with it as a bearer token.
        poll_s: seconds from one look at it to the next.
        signing: whose signatures are needed; None needs none.
        candidates: asked beside what is active.
        stage: how a change takes over; None at once.
    """

    dir: SettingsPath | None = None
    url: Url | None = None
    ca: SettingsPath | None = None
    token: SecretText | None = None
    poll_s: Seconds = 60
    signing: SigningSettings | None = None
    candidates: Annotated[Many[CandidateSettings], Field(max_length=_MAX_CANDIDATES)] = ()

    stage: StageSettings | None = None

    @model_validator(mode="after")
    def _from_one_place(self) -> Self:
        if (self.dir is None) is (self.url is None):
            raise ValueError("exactly one of `dir` and `url` should be set")
        return self

    def tls(self) -> ssl.SSLContext | None:
        """Return whom to trust for the URL; None is the system's.

        Raises:
            OSError: the file cannot be read, or is none (`ssl.SSLError`).
        """
        return None if self.ca is None else ssl.create_default_context(cafile=self.ca)

    @field_validator("ca")
    @classmethod
    def _of_authorities(cls, path: Path | None) -> Path | None:
        try:
            if path is not None:
                ssl.create_default_context(cafile=path)
        except OSError as error:
            words = (error.strerror or "not PEM").lower()
            raise ValueError(f"the authorities cannot be read: {words}") from None
        return path

    @field_validator("candidates")
    @classmethod
    def _told_apart(
        cls, candidates: tuple[CandidateSettings, ...]
    ) -> tuple[CandidateSettings, ...]:
        if len({candidate.name for candidate in candidates}) < len(candidates):
            raise ValueError("each candidate should have a name of its own")
        if any(candidate.name == "active" for candidate in candidates):
            raise ValueError("`active` is what is active")
        return candidates

    @model_validator(mode="before")
    @classmethod
    def _directory_alone(cls, given: object) -> object:
        return {"dir": given} if isinstance(given, (str, Path)) else given

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema of both forms."""
        return {"anyOf": [{"type": "string", "format": "path"}, handler(core)]}

    @property
    def signers(self) -> Signing | None:
        """Whose signatures are asked for, as a value of the core."""
        return None if self.signing is None else self.signing.signing
