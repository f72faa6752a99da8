"""What the README's tables have to say, made from the code: one row of cells a key.

`python -m tests.tables` writes them into the README; cells that only a person can write stay.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Final, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from gateway.cli.main import app
from gateway.config.settings import RESTART_KEYS, Settings
from gateway.core.decision import REASONS
from gateway.metrics import Metrics
from gateway.respond import ErrorForm, refusal
from gateway.sources.catalogs import load_catalog
from tests.documents import README, ROOT, keyed

Rows = dict[str, tuple[str, ...]]

# Read once, when the listener is made: a reload takes the new value in and goes on with the old.
_PROVIDERS: Final[tuple[ErrorForm, ...]] = ("aws_json", "azure")


def reasons() -> Rows:
    """Return for each reason: public words, hint, answer to Rekognition's and Azure's callers."""
    return {
        name: (
            reason.public,
            reason.hint,
            *(_answer(name, form) for form in _PROVIDERS),
        )
        for name, reason in REASONS.items()
    }


def _answer(reason: str, form: ErrorForm) -> str:
    if REASONS[reason].kind == "permitted":
        return "goes on"
    answer = refusal(reason=reason, decision_id="dec_1", form=form, host="gw.example")
    body = json.loads(answer.body)
    code = body.get("__type") or body.get("error", {}).get("code") or "RFC 9457"
    status = ", ".join(map(str, _door_statuses().get(reason, [answer.status])))
    return status if code == status else f"{status} {code}"


@cache
def _door_statuses() -> dict[str, list[int]]:
    """Return the statuses that the door gives to each reason, as its source says."""
    found: dict[str, set[int]] = {}
    for path in (ROOT / "gateway/proxy").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "Malformed":
                given = {each.arg: each.value for each in call.keywords}
                reason = ast.literal_eval(given["reason"])
                statuses = _numbers(given["status"]) if "status" in given else {400}
                found.setdefault(reason, set()).update(statuses)
    return {reason: sorted(statuses) for reason, statuses in found.items()}


def _numbers(expression: ast.expr) -> set[int]:
    constants = (node for node in ast.walk(expression) if isinstance(node, ast.Constant))
    return {constant.value for constant in constants if isinstance(constant.value, int)}


def metrics() -> Rows:
    """Return for each metric: its labels, its text."""
    return {
        metric.name: (", ".join(f"`{label}`" for label in metric.labels), metric.text)
        for metric in Metrics().members()
    }


def settings() -> Rows:
    """Return for each key: its default, and when a change takes effect."""
    return {key: (default, _effect(key)) for key, default in _keys(Settings, "")}


def _keys(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        key = prefix + name
        below, many = _model_in(field.annotation, many=False)
        if below is not None and below.model_fields:
            yield from _keys(below, f"{key}[]." if many else f"{key}.")
        elif field.default is PydanticUndefined:
            yield key, "required"
        else:
            yield key, _default(field.default)


def _model_in(annotation: object, *, many: bool) -> tuple[type[BaseModel] | None, bool]:
    """Return the model that an annotation speaks of, and whether of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, many
    for part in get_args(annotation):
        found, several = _model_in(part, many=many or get_origin(annotation) is tuple)
        if found is not None:
            return found, several
    return None, many


def _default(value: object) -> str:
    if value is None:
        return "none"
    if value == ():
        return "`[]`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{value}`"


def _effect(key: str) -> str:
    return "restart" if key.partition(".")[0] in RESTART_KEYS else "reload"


def providers() -> Rows:
    """Return for each provider: its title, how many operations are known, and since when."""
    return {
        provider.name: (provider.title, str(len(provider.operations)), str(provider.reviewed))
        for provider in load_catalog().providers.values()
    }


def commands() -> Rows:
    """Return for each command with its arguments and options: what its help says first."""
    return {_usage(path, one): (one.get_short_help_str(500),) for path, one in _leaves()}


def subcommands() -> set[str]:
    """Return the names of all commands, `audit verify` as one."""
    return {" ".join(path) for path, _ in _leaves()}


def _leaves() -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    yield from _below((), root)


def _below(
    path: tuple[str, ...], group: TyperGroup
) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _below((*path, name), command)
        elif isinstance(command, TyperCommand):
            yield (*path, name), command


def _usage(path: tuple[str, ...], command: TyperCommand) -> str:
    words = ["facegate", *path]
    for parameter in command.params:
        if isinstance(parameter, TyperArgument):
            words.append((parameter.name or "").upper())
        elif isinstance(parameter, TyperOption):
            name = max(parameter.opts, key=len)
            value = "" if parameter.is_flag else f" {name.lstrip('-').upper()}"
            words.append(name + value if parameter.required else f"[{name}{value}]")
    return " ".join(words)


def row(key: str, cells: tuple[str, ...]) -> str:
    """Return a row as it is written."""
    return "| " + " | ".join([f"`{key}`", *(cell.replace("|", "\\|") for cell in cells)]) + " |"


def renewed(document: str, title: str, rows: Rows) -> str:
    """Return a document with the first table under a heading made anew."""
    written = keyed(title)
    lines = [row(key, (*cells, *written.get(key, ())[len(cells) :])) for key, cells in rows.items()]
    before, heading, after = document.partition(f"# {title}\n")
    table = re.compile(r"(^\|[-| ]+\|\n)(?:\|.*\n)*", re.MULTILINE)
    return before + heading + table.sub(lambda found: found[1] + "\n".join([*lines, ""]), after, 1)


def _renew() -> None:
    text = README.read_text()
    for title, rows in (
        ("Providers", providers()),
        ("Reasons", reasons()),
        ("Metrics", metrics()),
        ("Settings", settings()),
        ("Commands", commands()),
    ):
        text = renewed(text, title, rows)
    README.write_text(text)


if __name__ == "__main__":
    _renew()
