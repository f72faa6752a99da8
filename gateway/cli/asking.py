"""`facegate explain`: what may be asked, and who answers.

The modules are imported when the command runs, so that `--help` answers quickly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import Format, fail
from gateway.cli.proving import FormatOption


def explain(
    request: Annotated[
        str | None,
        typer.Option(
            "--request",
            help="The facts of a request or, with --config, an HTTP request; `-`: stdin.",
        ),
    ] = None,
    record: Annotated[
        str | None, typer.Option("--record", help="The id of a recorded decision, dec_….")
    ] = None,
    audit: Annotated[
        Path, typer.Option("--audit", help="The audit directory that holds the record.")
    ] = Path("audit"),
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy", help="The policy directory; for a record, instead of the one that it names."
        ),
    ] = None,
    candidate: Annotated[
        str | None,
        typer.Option("--candidate", help="Of a record: what this candidate said, and why."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Whose upstreams, tenants, networks.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="Whose HTTP request it is; not proved.")
    ] = None,
    client: Annotated[
        str | None, typer.Option("--from", help="The address that it comes from.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also show the rules that did not match.")
    ] = False,
    output: FormatOption = Format.text,
) -> None:
    """Tell why a request is permitted or refused, and what would have to be otherwise."""
    if (request is None) == (record is None):
        raise fail("one of --request and --record is wanted")
    if record is not None:
        raise typer.Exit(_record(record, audit, policy, candidate, output, every=every))
    if candidate is not None:
        raise fail("--candidate goes with --record")
    if (config is None) != (tenant is None) or (client is not None and config is None):
        raise fail("--config, --tenant and --from go together; --from may be left out")
    from gateway.app.once import utc_now
    from gateway.cli.explain import run_explain_http, run_explain_request

    now, written = utc_now(), request or ""
    if config is None or tenant is None:
        wanted = policy or Path("policies")
        raise typer.Exit(run_explain_request(written, wanted, output, now=now, every=every))
    raise typer.Exit(
        run_explain_http(
            *(written, config, policy, output), tenant=tenant, client=client, now=now, every=every
        )
    )


def _record(
    record: str,
    audit: Path,
    policy: Path | None,
    candidate: str | None,
    output: Format,
    *,
    every: bool,
) -> int:
    from gateway.cli.explain_record import By, run_explain_record

    if candidate is not None and policy is not None:
        raise fail("--candidate and --policy each name a policy to judge by; one is wanted")
    judge = By(given=policy, candidate=candidate)
    return run_explain_record(record, audit, judge, output, every=every)
