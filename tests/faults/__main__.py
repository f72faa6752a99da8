"""`python -m tests.faults`: every fault in the shipped packs, and who catches it."""

from __future__ import annotations

import sys
import time
from collections import Counter

from gateway.sources.packs import packs_directory
from tests.faults.catch import Shipped
from tests.faults.files import faults
from tests.faults.report import table


def main() -> None:
    began = time.perf_counter()
    shipped = Shipped.read(packs_directory())
    caught = [(fault, shipped.catch(fault)) for fault in faults(shipped.values)]
    sys.stdout.write(table(caught))
    took = time.perf_counter() - began
    counts = Counter(catcher for _, catcher in caught)
    sys.stdout.write(f"\n{len(caught)} faults in {took:.1f} s: {dict(counts)}\n")


main()
