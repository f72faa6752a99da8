"""`facegate demo --once`: 0 only if every sample came out as said, and the log verifies."""

from __future__ import annotations

import re

from tests.cli.command import process


def test_the_demonstration_ends_well_and_says_where_to_look() -> None:
    done = process("demo", "--once", environ={})
    assert (done.code, done.err) == (0, "")
    counted = re.search(r"(\d+) of (\d+) as said\n", done.out)
    assert counted is not None
    assert counted[1] == counted[2]
    assert re.search(r"The audit log holds \d+ records and verifies\.\n", done.out)
    assert re.search(r"Metrics: http://127\.0\.0\.1:\d+/metrics ", done.out)
    assert "\x1b" not in done.out


def test_the_demonstration_is_not_the_gateway_of_the_environment() -> None:
    stray = {"FACEGATE_LISTEN__PORT": "1", "FACEGATE_WORKERS": "9"}
    assert process("demo", "--once", environ=stray).code == 0
