"""What all sections of the settings have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator


class Model(BaseModel):
    """Frozen, and strict: no key is passed over, no text is taken for a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, given: object) -> object:
        if not isinstance(given, (dict, cls)):
            raise ValueError("input should be a mapping")  # noqa: TRY004 - a finding, for pydantic
        return given
