"""`facegate catalog`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from gateway.app.drift import Comparison, compare
from gateway.cli.output import EXIT_FINDINGS, EXIT_OK, EXIT_USAGE, Format, fail, print_json
from gateway.core.catalog.model import Provider
from gateway.core.catalog.rows import OperationRow
from gateway.core.operation import OPERATION_CLASSES
from gateway.errors import SourceError
from gateway.sources.catalogs import load_catalog
from gateway.sources.sdks import installed_models

# What the gateway can put in place of a caller's credential today.
WRITTEN_SIGNERS = frozenset({"aws", "bearer", "form", "header", "none", "query"})


class _Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A provider in short; `forward` holds the credentials that the gateway can put in place."""

    provider: str
    title: str
    reviewed: str
    forward: tuple[str, ...]
    classes: dict[str, int]

    @property
    def forwarded_with(self) -> str:
        """The credentials, in words."""
        return ", ".join(self.forward) or "judge only"


def run_list(form: Format) -> int:
    """List the providers."""
    rows = [_summary(provider) for _, provider in sorted(load_catalog().providers.items())]
    if form is Format.json:
        print_json({"providers": rows})
        return EXIT_OK
    table = [("provider", "reviewed", "forward", "operations")]
    for row in rows:
        classes = ", ".join(f"{count} {name}" for name, count in row.classes.items())
        table.append((row.provider, row.reviewed, row.forwarded_with, classes))
    _print_table(table)
    return EXIT_OK


def run_show(name: str, operation: str | None, form: Format) -> int:
    """Show a provider, or one of its operations."""
    providers = load_catalog().providers
    provider = providers.get(name)
    if provider is None:
        fail(f"there is no provider `{name}`", hint="`facegate catalog list` lists them")
        return EXIT_USAGE
    rows = [row for row in provider.operations if operation in {None, row.name}]
    if not rows:
        fail(f"`{name}` has no operation `{operation}`", hint=f"`facegate catalog show {name}`")
        return EXIT_USAGE
    if form is Format.json:
        facts = [_facts(row, provider) for row in rows]
        print_json({**msgspec.to_builtins(_summary(provider)), "operations": facts})
    elif operation is None:
        _print_provider(provider)
    else:
        for row in rows:
            _print_facts(_facts(row, provider))
    return EXIT_OK


def run_drift(form: Format) -> int:
    """Compare with the installed SDKs; whatever has come apart is a finding."""
    try:
        comparisons = compare(installed_models(), load_catalog())
    except SourceError as failure:
        fail(str(failure))
        return EXIT_FINDINGS
    if form is Format.json:
        print_json({"packages": comparisons})
    else:
        for comparison in comparisons:
            _print_comparison(comparison)
    return EXIT_FINDINGS if any(each.drifted for each in comparisons) else EXIT_OK


def _summary(provider: Provider) -> _Summary:
    classes = Counter(row.operation_class for row in provider.operations)
    return _Summary(
        provider=provider.name,
        title=provider.title,
        reviewed=provider.reviewed.isoformat(),
        forward=tuple(each for each in provider.signers if each in WRITTEN_SIGNERS),
        classes={name: classes[name] for name in OPERATION_CLASSES if classes[name]},
    )


def _facts(row: OperationRow, provider: Provider) -> Mapping[str, object]:
    """Return what a row says, its source in words and nothing that it leaves out."""
    source = row.source or next(iter(provider.sources), "")
    said: dict[str, object] = msgspec.to_builtins(row)
    facts = {key: value for key, value in said.items() if value and value != "none"}
    return (
        {"name": row.name, "class": row.operation_class}
        | facts
        | {"source": provider.sources.get(source, source)}
    )


def _print_provider(provider: Provider) -> None:
    print(f"{provider.name}: {provider.title}, reviewed {provider.reviewed.isoformat()}")
    print(f"hosts: {', '.join(provider.hosts) or 'self-hosted'}")
    print(f"forward: {_summary(provider).forwarded_with}")
    for key, text in provider.sources.items():
        print(f"source {key}: {text}")
    table = [("operation", "class", "access", "depends on the request")]
    table += [
        (
            row.name,
            f"{row.operation_class} ({row.subclass})" if row.subclass else row.operation_class,
            "" if row.access == "none" else row.access,
            "yes" if row.variants or row.features else "",
        )
        for row in provider.operations
    ]
    print()
    _print_table(table)


def _print_facts(facts: Mapping[str, object]) -> None:
    for key, value in facts.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        print(f"{key + ':':<13}{text}")


def _print_comparison(comparison: Comparison) -> None:
    if not comparison.version:
        print(f"{comparison.package}: not installed, not compared")
        return
    count = len(comparison.drifted)
    print(
        f"{comparison.package} {comparison.version}: {comparison.calls} requests,"
        f" {count or 'none'} drifted"
    )
    for each in comparison.drifted:
        print(f"  {each.what}: {each.provider} `{each.operation}`: {each.detail}")


def _print_table(rows: Iterable[tuple[str, ...]]) -> None:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
