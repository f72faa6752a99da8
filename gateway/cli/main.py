"""The command tree. Each command parses, calls and prints; the work is done elsewhere.

Commands import their modules when they run, so that `--help` answers quickly.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway import __version__
from gateway.cli.asking import explain
from gateway.cli.on_file import references
from gateway.cli.output import EXIT_OK, FailOn, FindingsFormat, Format
from gateway.cli.proving import FindingsOption, FormatOption, diff, prove

app = typer.Typer(
    name="facegate",
    help="Cloud-access enforcement gateway in front of hosted face-recognition APIs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
audit = typer.Typer(help="Check the audit log.", no_args_is_help=True)
catalog = typer.Typer(help="Show what is known of the providers.", no_args_is_help=True)
keys = typer.Typer(help="Issue gateway credentials for tenants.", no_args_is_help=True)
policy = typer.Typer(help="Activate, roll back and sign policy.", no_args_is_help=True)
app.add_typer(audit, name="audit")
app.add_typer(catalog, name="catalog")
app.add_typer(keys, name="keys")
app.add_typer(policy, name="policy")

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file, gateway.yaml.")
]
WhyOption = Annotated[str, typer.Option("--why", help="Why; stands in history and records.")]
WhoOption = Annotated[
    str | None, typer.Option("--who", help="Who asks; without it, the name of the user.")
]
SignatureOption = Annotated[
    Path | None, typer.Option("--signature", help="A signature file made for the bundle.")
]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"facegate {__version__}")
        raise typer.Exit(EXIT_OK)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Cloud-access enforcement gateway in front of hosted face-recognition APIs."""


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the sample traffic.")] = False,
    port: Annotated[int, typer.Option(help="Port of the data listener; 0 picks one.")] = 0,
) -> None:
    """Run simulator, gateway and sample traffic in one process, and show what happened."""
    from gateway.cli.demo import run_demo

    raise typer.Exit(run_demo(once=once, port=port))


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Where to write; nothing is overwritten.")],
) -> None:
    """Write a commented starting point: gateway.yaml, tenants.yaml, policies/."""
    from gateway.cli.init import run_init

    raise typer.Exit(run_init(directory))


@app.command()
def serve(config: ConfigOption) -> None:
    """Run the gateway until SIGTERM."""
    from gateway.cli.serve import run_serve

    raise typer.Exit(run_serve(config))


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="A policy directory, tenants.yaml or gateway.yaml.")],
    output: FindingsOption = FindingsFormat.text,
) -> None:
    """List every mistake in policies, tenants or configuration, with its place."""
    from gateway.cli.check import run_check

    raise typer.Exit(run_check(path, output))


@app.command("test")
def cases(
    path: Annotated[Path, typer.Argument(help="A policy directory.")],
    output: FindingsOption = FindingsFormat.text,
) -> None:
    """Run the policy cases; a rule that no case covers is a finding."""
    from gateway.cli.check import run_test

    raise typer.Exit(run_test(path, output))


@app.command("format")
def format_(
    paths: Annotated[list[Path], typer.Argument(help="YAML files, and directories of such files.")],
    check_only: Annotated[
        bool, typer.Option("--check", help="Change nothing; a file in another form is a finding.")
    ] = False,
    output: FindingsOption = FindingsFormat.text,
) -> None:
    """Bring YAML files into their one form; what they say and every comment stay."""
    from gateway.cli.format import run_format

    raise typer.Exit(run_format(paths, output, check_only=check_only))


app.command()(prove)
app.command()(diff)
app.command()(references)


@app.command()
def classify(
    request: Annotated[
        str,
        typer.Option("--request", help="A file with one request; `-`: one a line on stdin."),
    ],
    output: FormatOption = Format.text,
) -> None:
    """Tell what a request asks for: operation, class, gallery, destination."""
    from gateway.cli.classify import run_classify

    raise typer.Exit(run_classify(request, output))


app.command()(explain)


@app.command()
def replay(
    audit: Annotated[Path, typer.Option("--audit", help="The audit directory.")],
    policy: Annotated[Path, typer.Option("--policy", help="The candidate, a policy directory.")],
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            help="Pass over decisions before this date or time, UTC.",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
        ),
    ] = None,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="Changes that end with 1.")
    ] = None,
    output: FormatOption = Format.text,
) -> None:
    """Tell which recorded decisions would come out otherwise under a candidate policy."""
    from gateway.cli.replay import run_replay

    raise typer.Exit(run_replay(audit, policy, since, fail_on, output))


@app.command()
def schema(
    which: Annotated[str, typer.Argument(help="policy, tenants or config.")],
) -> None:
    """Print the JSON Schema of a file, for editors."""
    from gateway.cli.schema import run_schema

    raise typer.Exit(run_schema(which))


@audit.command()
def verify(
    directory: Annotated[Path, typer.Argument(help="The audit directory.")],
    closed: Annotated[
        bool, typer.Option("--closed", help="The gateway has ended: nothing may be left open.")
    ] = False,
    output: FormatOption = Format.text,
) -> None:
    """Check lines, sequence, pairs and Merkle root."""
    from gateway.cli.audit import run_verify

    raise typer.Exit(run_verify(directory, output, closed=closed))


@catalog.command("list")
def catalog_list(output: FormatOption = Format.text) -> None:
    """List the providers: operations of each class, and whether the gateway can forward to it."""
    from gateway.cli.catalog import run_list

    raise typer.Exit(run_list(output))


@catalog.command("show")
def catalog_show(
    provider: Annotated[str, typer.Argument(help="A provider of `facegate catalog list`.")],
    operation: Annotated[
        str | None, typer.Argument(help="One of its operations; without it, all of them.")
    ] = None,
    output: FormatOption = Format.text,
) -> None:
    """Show a provider's operations, or all that is known of one."""
    from gateway.cli.catalog import run_show

    raise typer.Exit(run_show(provider, operation, output))


@catalog.command("drift")
def catalog_drift(output: FormatOption = Format.text) -> None:
    """Compare the catalogue with the models of the SDKs that are installed here."""
    from gateway.cli.catalog import run_drift

    raise typer.Exit(run_drift(output))


@keys.command("api")
def keys_api(config: ConfigOption) -> None:
    """Issue an API key: print it once, and the lines for tenants.yaml."""
    from gateway.cli.keys import run_issue_api_key

    raise typer.Exit(run_issue_api_key(config))


@keys.command("aws")
def keys_aws(config: ConfigOption) -> None:
    """Issue an AWS-style access key: print it once, and the lines for tenants.yaml."""
    from gateway.cli.keys import run_issue_access_key

    raise typer.Exit(run_issue_access_key(config))


@policy.command("activate")
def policy_activate(
    *,
    config: ConfigOption,
    why: WhyOption,
    bundle: Annotated[
        str | None, typer.Argument(help="Digest of a bundle; else what is staged or offered.")
    ] = None,
    who: WhoOption = None,
    percent: Annotated[
        int | None, typer.Option("--percent", min=1, max=99, help="For so many tenants, not all.")
    ] = None,
    signature: SignatureOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Activate what is staged or offered, held or not, or a bundle that is kept."""
    from gateway.cli.policy import run_move

    raise typer.Exit(
        run_move(
            config,
            "activate",
            bundle,
            who=who,
            why=why,
            percent=percent,
            signature=signature,
            form=output,
        )
    )


@policy.command("rollback")
def policy_rollback(
    *,
    config: ConfigOption,
    why: WhyOption,
    to: Annotated[
        str | None, typer.Option("--to", help="Digest of the bundle; else the one before.")
    ] = None,
    who: WhoOption = None,
    signature: SignatureOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Go back to the policy that was active before, and hold the present one."""
    from gateway.cli.policy import run_move

    raise typer.Exit(
        run_move(
            config,
            "rollback",
            to,
            who=who,
            why=why,
            percent=None,
            signature=signature,
            form=output,
        )
    )


@policy.command("history")
def policy_history(config: ConfigOption, output: FormatOption = Format.text) -> None:
    """List what was activated and refused: when, by whom, why."""
    from gateway.cli.policy import run_history

    raise typer.Exit(run_history(config, output))


@policy.command("export")
def policy_export(
    bundle: Annotated[str, typer.Argument(help="Digest of a bundle that is kept.")],
    directory: Annotated[Path, typer.Argument(help="Where to write; it must not exist.")],
    config: ConfigOption,
) -> None:
    """Write the files of a bundle that is kept, to read, compare or sign them."""
    from gateway.cli.policy import run_export

    raise typer.Exit(run_export(bundle, directory, config))


@policy.command("sign")
def policy_sign(
    directory: Annotated[Path, typer.Argument(help="The policy directory.")],
    key: Annotated[
        str, typer.Option("--key", help="Ed25519 private key in PEM: a file, or `env:NAME`.")
    ],
    version: Annotated[
        int | None, typer.Option("--version", help="Higher than ever before; else as signed.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", help="Last moment to activate it: a date or time.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Signature file; else bundle.sig.json beside.")
    ] = None,
) -> None:
    """Sign a policy directory, or add a signature to those that it has."""
    from gateway.cli.policy_signing import run_sign

    raise typer.Exit(run_sign(directory, key, version=version, expires=expires, out=out))


@policy.command("verify")
def policy_verify(
    directory: Annotated[Path, typer.Argument(help="The policy directory.")],
    config: ConfigOption,
    signature: SignatureOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Tell whether a policy directory carries the signatures that the configuration asks for."""
    from gateway.cli.policy_signing import run_verify

    raise typer.Exit(run_verify(directory, config, signature=signature, form=output))


def run() -> int:
    """Parse the command line and run the command.

    Returns:
        The exit code: 0 ok, 1 findings or a refusal, 2 usage.
    """
    app()
    return EXIT_OK
