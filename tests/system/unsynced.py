"""`facegate serve` with the sync taken out: proves that the tests of durability can fail.

Run as `python -m tests.system.unsynced CONFIG`; everything but the sync is the real thing.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from gateway.app.gateway import Gateway
from gateway.audit.files import File, OsFile, OsFiles
from gateway.cli.serve import log_to_stderr
from gateway.config.environment import environment


class UnsyncedFile(OsFile):
    def sync(self) -> None:
        """Do nothing, and say that all is well."""


class UnsyncedFiles(OsFiles):
    def open(self, path: Path) -> File:
        return UnsyncedFile(path)


async def main(config: Path) -> None:
    gateway = Gateway(config, environment(), files=UnsyncedFiles())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, gateway.stop)
    await gateway.run()


if __name__ == "__main__":
    log_to_stderr()
    asyncio.run(main(Path(sys.argv[1])))
