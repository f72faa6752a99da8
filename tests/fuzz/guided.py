"""One fuzzing process: `python -m tests.fuzz.guided PROVIDER [libFuzzer's arguments]`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["gateway.core", "gateway.proxy"]):
    from tests.fuzz.target import hold


def main() -> None:
    name, *arguments = sys.argv[1:]

    def try_message(content: bytes) -> None:
        hold(name, content)

    atheris.Setup([sys.argv[0], *arguments], try_message)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
