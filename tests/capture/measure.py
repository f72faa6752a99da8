"""How well requests are classified: exact classes, dispositions, and what must never happen.

python -m tests.capture.measure FILE…      the rates, and every request that is off
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from gateway.app.captures import Answer, answer_line
from gateway.core.catalog.model import Catalog
from gateway.core.catalog.severity import RANK
from gateway.core.operation import OperationClass
from gateway.sources.catalogs import load_catalog

# Classes that may never be read as anything milder.
GRAVE: frozenset[OperationClass] = frozenset({"one_to_many", "stream_search", "embed", "unknown"})


class Expected(msgspec.Struct, kw_only=True):
    """What a collected request is, as its collector says."""

    id: str
    expected_class: OperationClass
    disposition: str
    provider: str = ""
    captured: bool = False
    evasion: bool = False
    why: str = ""


class Miss(msgspec.Struct, frozen=True):
    """A request that is not what its collector says."""

    what: str
    expected: Expected
    answer: Answer

    def __str__(self) -> str:
        """Say what is off, on one line."""
        given = self.answer
        return (
            f"{self.expected.id} {self.expected.provider}: {self.what}:"
            f" {given.disposition} {given.operation_class} {given.provider} `{given.operation}`,"
            f" expected {self.expected.disposition} {self.expected.expected_class}"
            f" ({self.expected.why}) {given.reason} {'; '.join(given.reading)}"
        )


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What came out over a collection."""

    requests: int
    exact: int
    dispositions: int
    milder: int
    harmless: int
    harmless_refused: int
    misses: tuple[Miss, ...]

    def __str__(self) -> str:
        """Say the rates, a line each."""
        share = self.exact / self.requests
        return (
            f"class exact: {self.exact} of {self.requests} ({share:.1%})\n"
            f"disposition as said: {self.dispositions} of {self.requests}\n"
            f"milder than true: {self.milder}\n"
            f"harmless and refused: {self.harmless_refused} of {self.harmless}"
        )


def measure(lines: Iterable[bytes], catalog: Catalog) -> Rates:
    """Classify every line and compare with what it says of itself."""
    expected = msgspec.json.Decoder(Expected)
    pairs = [(expected.decode(line), answer_line(line, catalog)) for line in lines]
    harmless = [
        (each, given)
        for each, given in pairs
        if each.disposition == "classify" and not each.evasion and each.expected_class not in GRAVE
    ]
    refused = [each for each in harmless if each[1].disposition != "classify"]
    misses = [Miss(what, *pair) for pair in pairs for what in _misses(*pair)]
    return Rates(
        requests=len(pairs),
        exact=sum(given.operation_class == each.expected_class for each, given in pairs),
        dispositions=sum(_is_disposed(each, given) for each, given in pairs),
        milder=sum(miss.what == "milder" for miss in misses),
        harmless=len(harmless),
        harmless_refused=len(refused),
        misses=tuple(misses),
    )


def _misses(each: Expected, given: Answer) -> Iterable[str]:
    if each.expected_class in GRAVE and RANK[given.operation_class] > RANK[each.expected_class]:
        if each.expected_class != "unknown" or given.disposition == "classify":
            yield "milder"
        else:
            yield "class"
    elif given.operation_class != each.expected_class:
        yield "class"
    if not _is_disposed(each, given):
        yield "disposition"


def _is_disposed(each: Expected, given: Answer) -> bool:
    """Tell whether the disposition is as said; what evades may always be refused."""
    return given.disposition == each.disposition or (each.evasion and given.disposition == "reject")


def main(paths: list[str]) -> int:
    """Print the rates over some files."""
    lines = [line for path in paths for line in Path(path).read_bytes().splitlines()]
    rates = measure(lines, load_catalog())
    sys.stdout.write("".join(f"{miss}\n" for miss in rates.misses) + f"{rates}\n")
    return 1 if rates.milder else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
