"""The commands that look at policy as a whole, and the options that they share with others."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FailOn, FindingsFormat, Format

AtOption = Annotated[
    datetime | None, typer.Option("--at", help="The first date; UTC. Without it: now.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="Form of the output.")]
FindingsOption = Annotated[
    FindingsFormat, typer.Option("--format", help="Form of the output; github: annotations.")
]


def prove(
    path: Annotated[Path, typer.Argument(help="A policy directory.")],
    output: FindingsOption = FindingsFormat.text,
    at: AtOption = None,
    notes: Annotated[
        bool, typer.Option("--notes", help="Also rules that never decide, and gaps.")
    ] = False,
) -> None:
    """Prove the guardrails over all requests, now and at each date at which rules change."""
    from gateway.cli.prove import run_prove

    raise typer.Exit(run_prove(path, output, at, notes=notes))


def diff(
    before: Annotated[Path, typer.Argument(help="A policy directory.")],
    after: Annotated[Path, typer.Argument(help="Another.")],
    output: FormatOption = Format.text,
    at: AtOption = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Which changes end with 1.")
    ] = FailOn.any,
) -> None:
    """Show which kinds of request two policies answer differently, and whether it only tightens."""
    from gateway.cli.diff import run_diff

    raise typer.Exit(run_diff(before, after, output, at, fail_on))
