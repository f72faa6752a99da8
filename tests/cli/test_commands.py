"""What every command has in common: usage errors are 2, and help does not load the gateway."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway import __version__
from tests.cli.command import ROOT, facegate, process, without_settings


def test_the_version_is_printed() -> None:
    assert process("--version") == (0, f"facegate {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["check"],
        ["check", "here", "there"],
        ["check", "policies", "--format", "yaml"],
        ["serve"],
        ["serve", "--config"],
        ["demo", "--port", "many"],
        ["audit", "falsify", "audit"],
        ["keys", "api"],
        [],
    ],
    ids=" ".join,
)
def test_a_usage_error_is_2_and_nothing_is_done(arguments: list[str]) -> None:
    assert facegate(*arguments).code == 2


def test_help_is_printed_without_loading_what_serves() -> None:
    program = (
        "import sys\n"
        "from gateway.cli.main import app\n"
        "try:\n"
        "    app(['--help'])\n"
        "finally:\n"
        "    print([name for name in ('aiohttp', 'pydantic', 'boto3') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=without_settings(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
