"""How properties are tried: the same examples each time in `make test`, many more to prove.

Whichever worker is idle takes the next test, those that start processes first, so that all end
together; tests that share something costly are taken as one.

What a test counted stands at the end of the run: `record_property("what", "how many")`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]

# Shared machines stall: a deadline would fail properties that hold.
settings.register_profile("test", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("prove", deadline=None, max_examples=5_000)
settings.load_profile("test")

# By path: where tests wait for processes and proofs, the longest first.
_LONG = ("tests/test_readme", "tests/system/", "tests/cli/", "tests/core/policy/", "tests/test_pre")


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a worker that is idle one test, or all of a module that makes something for itself."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if _makes_something(module) else nodeid


@cache
def _makes_something(module: str) -> bool:
    return 'scope="module"' in ROOT.joinpath(module).read_text()


@pytest.hookimpl(optionalhook=True)  # of xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    name = item.nodeid
    return next((at for at, start in enumerate(_LONG) if name.startswith(start)), len(_LONG))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, told in report.user_properties:
            terminalreporter.write_line(f"{name}: {told}")
