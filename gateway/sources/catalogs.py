"""The provider catalogues: data files of the package, read strictly.

They travel with the release and change with it only. A file that does not hold is told whole, every
mistake with its file, line and operation; nothing starts on half a catalogue.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

from gateway.core.catalog.compile import compile_provider
from gateway.core.catalog.model import Catalog, Provider
from gateway.core.catalog.rows import OperationRow, ProviderRow
from gateway.errors import Finding, FindingsError

_MEANING = b"facegate/catalog/v1\n"


@cache
def load_catalog() -> Catalog:
    """Read the catalogues that come with the package; once, for they do not change.

    Raises:
        FindingsError: a data file does not hold; nothing starts.
    """
    folder = resources.files("gateway.core.catalog") / "providers"
    files = {each.name: each for each in folder.iterdir() if each.name.endswith(".toml")}
    return read_catalog({name: file.read_text(encoding="utf-8") for name, file in files.items()})


def read_catalog(files: Mapping[str, str]) -> Catalog:
    """Read a catalogue from the text of its data files.

    Args:
        files: file name → text in TOML 1.0.

    Raises:
        FindingsError: with every mistake in every file, in order of file names.
    """
    findings: list[Finding] = []
    providers: dict[str, Provider] = {}
    meaning: dict[str, ProviderRow] = {}
    paths: dict[str, str] = {}
    for path, text in sorted(files.items()):
        row, mistakes = _read_rows(path, text)
        findings.extend(mistakes)
        if row is None or mistakes:
            continue
        compiled = compile_provider(row)
        if not isinstance(compiled, Provider):
            findings.extend(_finding(path, text, each.operation, each.message) for each in compiled)
        elif row.name in providers:
            findings.append(_finding(path, text, "", f"provider `{row.name}` stands in two files"))
        else:
            providers[row.name], meaning[row.name] = compiled, _meaning(row)
            paths[row.name] = path
    if not findings:
        findings.extend(_strangers(providers, paths))
    if findings:
        raise FindingsError(tuple(findings))
    encoded = msgspec.json.encode(meaning, order="sorted")
    return Catalog(providers, hashlib.sha256(_MEANING + encoded).hexdigest())


def _read_rows(path: str, text: str) -> tuple[ProviderRow | None, list[Finding]]:
    """Read a file's tables, each operation by itself, so that no mistake hides another."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [_finding(path, text, "", f"not TOML: {error}")]
    findings: list[Finding] = []
    rows: list[OperationRow] = []
    operations = tables.get("operations")
    for table in operations if isinstance(operations, list) else ():
        try:
            rows.append(msgspec.convert(table, OperationRow))
        except msgspec.ValidationError as error:
            name = table.get("name", "") if isinstance(table, dict) else ""
            findings.append(_finding(path, text, str(name), str(error)))
    try:
        file = msgspec.convert({**tables, "operations": rows}, ProviderRow)
    except msgspec.ValidationError as error:
        return None, [*findings, _finding(path, text, "", str(error))]
    return file, findings


def _strangers(providers: Mapping[str, Provider], paths: Mapping[str, str]) -> list[Finding]:
    """Tell who is said to be beside a provider and is not in the catalogue."""
    return [
        _finding(paths[name], "", "", f"beside: no other provider `{other}`")
        for name, provider in providers.items()
        for other in provider.beside
        if other not in providers or other == name
    ]


def _finding(path: str, text: str, operation: str, message: str) -> Finding:
    if not operation:
        return Finding(path=path, line=0, column=0, message=message)
    # The last of two operations of one name is the one too many.
    before, found, _ = text.rpartition(f'name = "{operation}"')
    return Finding(
        path=path,
        line=before.count("\n") + 1 if found else 0,
        column=1 if found else 0,
        message=f"operation `{operation}`: {message}",
    )


def _meaning(row: ProviderRow) -> ProviderRow:
    """Return what decisions depend on: no order of operations, and nothing for readers only."""
    operations = (
        msgspec.structs.replace(operation, source="", note="") for operation in row.operations
    )
    return msgspec.structs.replace(
        row,
        title="",
        reviewed=row.reviewed.min,
        sources={},
        shapes={
            name: msgspec.structs.replace(shape, source="") for name, shape in row.shapes.items()
        },
        operations=tuple(sorted(operations, key=lambda each: each.name)),
    )
