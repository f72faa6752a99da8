"""The command that looks at what is on file; what it does stands in `gateway.cli.references`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import Format
from gateway.cli.proving import AtOption, FormatOption


def references(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path(
        "gateway.yaml"
    ),
    due: Annotated[
        bool, typer.Option("--due", help="Only what is pressing; where anything is, end with 1.")
    ] = False,
    at: AtOption = None,
    output: FormatOption = Format.text,
) -> None:
    """List licences, consents, authorisations and reviews on file, the most pressing first."""
    from gateway.cli.references import run_references

    raise typer.Exit(run_references(config, output, at, due=due))
