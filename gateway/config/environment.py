"""The process's environment, read in this one place, and the variables that are settings.

A variable is `FACEGATE_` and the key in capitals, `__` between the levels: `FACEGATE_LISTEN__PORT`.
Numbers, lists and maps are JSON, texts stand as they are, and an empty value is null.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Annotated, Final, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from gateway.config.fields import Secret
from gateway.config.settings import Settings

PREFIX: Final = "FACEGATE_"
# Read only where a file refers to them: no setting, and no misspelt one either.
SECRET_VARIABLES: Final = frozenset({"FACEGATE_ADMIN_TOKEN", "FACEGATE_SECRETS_KEY"})

_TEXTS: Final = frozenset({str, Secret, Path})


class Variable(NamedTuple):
    """The setting that a variable stands for; `text` tells that it is not JSON."""

    loc: tuple[str, ...]
    text: bool


def environment() -> Mapping[str, str]:
    """Return a copy of the environment."""
    return dict(os.environ)  # noqa: TID251 - the one reader of the environment


def _variables(model: type[BaseModel], loc: tuple[str, ...]) -> Iterator[Variable]:
    for name, field in model.model_fields.items():
        kinds = set(_kinds(field.annotation))
        here = (*loc, name)
        yield Variable(here, text=bool(kinds & _TEXTS))
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _variables(kind, here)


def _kinds(annotation: object) -> Iterator[object]:
    # The types that an annotation allows, without what is in collections.
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _kinds(parts[0])
    elif origin in {Union, UnionType}:
        for part in parts:
            yield from _kinds(part)
    elif origin is Literal:
        yield from map(type, parts)
    else:
        yield origin or annotation


# Every variable that is a setting, a whole section (JSON) before what stands in it.
VARIABLES: Final[Mapping[str, Variable]] = MappingProxyType(
    {PREFIX + "__".join(entry.loc).upper(): entry for entry in _variables(Settings, ())}
)
