"""`facegate demo`."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys

from gateway.app.demo import Demonstration, Shown, demonstration
from gateway.cli.output import EXIT_FINDINGS, EXIT_OK
from gateway.cli.serve import log_to_stderr, told
from gateway.config.environment import environment
from gateway.demo.snippet import boto3_snippet
from gateway.demo.table import render


def run_demo(*, once: bool, port: int) -> int:
    """Run the demonstration; without `once` stay up until SIGINT or SIGTERM.

    Returns:
        0 if every sample came out as said and the audit log verifies, else 1.
    """
    # The demonstration provokes every warning there is; its table tells what came of them.
    log_to_stderr(logging.CRITICAL)
    try:
        return asyncio.run(_demo(once=once, port=port))
    except ExceptionGroup as failures:
        return told(failures)


async def _demo(*, once: bool, port: int) -> int:
    stop = asyncio.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(ending, stop.set)
    async with demonstration(port) as running:
        shown = await running.show()
        _print(shown, running)
        if not once:
            print(f"\nTry it with boto3:\n\n{boto3_snippet(running.world)}")
            print("Still up; end it with Ctrl-C.")
            await stop.wait()
    return EXIT_OK if shown.as_said else EXIT_FINDINGS


def _print(shown: Shown, running: Demonstration) -> None:
    terminal = sys.stdout.isatty()
    columns = shutil.get_terminal_size().columns if terminal else None
    colour = terminal and not environment().get("NO_COLOR")
    print(render(shown.verdicts, colour=colour, columns=columns))
    changed = shown.verdicts[shown.changed].observation.sample
    print(f"\nThe last line repeats `{changed.id}` after a policy file was added: no restart.")
    records = sum(log.lines for log in shown.audit.logs)
    state = "verifies" if shown.audit.ok else "DOES NOT VERIFY"
    print(f"The audit log holds {records} records and {state}.")
    for finding in shown.audit.findings:
        print(finding)
    admin = f"http://127.0.0.1:{running.gateway.admin_port}"
    print(f"Metrics: {admin}/metrics    Readiness: {admin}/readyz?verbose")
    print(f"Policies, tenants, audit log: {running.world.directory}{os.sep}")
