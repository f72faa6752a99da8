"""`python -m gateway` and the command `facegate`."""

from __future__ import annotations

import sys

MINIMUM_PYTHON = (3, 11)


def main() -> None:
    """Run the command line; refuse platforms that the gateway is not made for.

    Raises:
        SystemExit: always, with the command's exit code.
    """
    if sys.platform == "win32":
        sys.stderr.write(
            "facegate: Windows is not supported: run it on Linux (or macOS to develop)\n"
        )
        raise SystemExit(2)
    if sys.version_info < MINIMUM_PYTHON:
        sys.stderr.write("facegate: Python 3.11 or newer is needed\n")
        raise SystemExit(2)
    from gateway.cli.main import run

    raise SystemExit(run())


if __name__ == "__main__":
    main()
