"""`python -m tests.faults`: every fault in the shipped packs, and who catches it."""

from __future__ import annotations

import sys
import time

from gateway.sources.packs import packs_directory
from tests.faults.catch import Shipped
from tests.faults.files import faults
from tests.faults.report import Finding, table


def main() -> None:
    began = time.perf_counter()
    shipped = Shipped.read(packs_directory())
    found = []
    for fault in faults(shipped.values):
        catcher = shipped.catch(fault)
        packs = shipped.packs_with(fault) if catcher == "test" else None
        again = packs is not None and shipped.breaks_a_guardrail(packs)
        found.append(Finding(fault=fault, catcher=catcher, proved=again))
    sys.stdout.write(table(found))
    sys.stdout.write(f"\n{len(found)} faults in {time.perf_counter() - began:.1f} s\n")


main()
