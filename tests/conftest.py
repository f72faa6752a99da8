"""How properties are tried: the same examples each time in `make test`, many more to prove.

What a test counted stands at the end of the run: `record_property("what", "how many")`.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

# Shared machines stall: a deadline would fail properties that hold.
settings.register_profile("test", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("prove", deadline=None, max_examples=5_000)
settings.load_profile("test")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, told in report.user_properties:
            terminalreporter.write_line(f"{name}: {told}")
