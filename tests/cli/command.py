"""The command line as its users meet it: arguments in; exit code, stdout and stderr out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from typer.testing import CliRunner

from gateway.cli.main import app

ROOT = Path(__file__).parents[2]
# What the starting point that `facegate init` writes takes from the environment.
ENVIRON: Mapping[str, str] = {
    "FACEGATE_SECRETS_KEY": "5e" * 32,
    "UPSTREAM_AWS_KEY_ID": "AKIDEXAMPLE",
    "UPSTREAM_AWS_SECRET": "made-up-secret",
    "UPSTREAM_AZURE_KEY": "made-up-key",
}


class Done(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def facegate(
    *arguments: str | Path, environ: Mapping[str, str] = ENVIRON, stdin: str | None = None
) -> Done:
    """Run a command in this process."""
    strangers = dict.fromkeys(name for name in os.environ if name.startswith("FACEGATE_"))
    result = CliRunner().invoke(
        app, [*map(str, arguments)], input=stdin, env={**strangers, **environ}
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


def process(*arguments: str | Path, environ: Mapping[str, str] = ENVIRON) -> Done:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *map(str, arguments)],
        env={**without_settings(), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def without_settings() -> dict[str, str]:
    """Return the environment without any setting of a gateway, and with this one importable."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("FACEGATE_")}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
