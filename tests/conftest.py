"""How properties are tried: the same examples each time in `make test`, many more to prove."""

from __future__ import annotations

from hypothesis import settings

# Shared machines stall: a deadline would fail properties that hold.
settings.register_profile("test", deadline=None, derandomize=True)
settings.register_profile("prove", deadline=None, max_examples=5_000)
settings.load_profile("test")
