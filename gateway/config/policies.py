"""The settings on policy: where it comes from, and whose signature it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from gateway.config.fields import AtLeastOne, Name, PublicKey, SettingsPath, decode_public_key
from gateway.config.model import Model
from gateway.core.policy.signing import Key, Signing


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


class PolicySettings(Model):
    """Where policy comes from and whose signature it needs; a path alone is short for `dir`."""

    dir: SettingsPath
    signing: SigningSettings | None = None

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
