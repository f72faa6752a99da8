"""Taking hold of a worker's log: locked, recovered, and open where its last line ends."""

from __future__ import annotations

from pathlib import Path

from gateway.audit.files import Files, OsFiles
from gateway.audit.recovery import Recovered, recover
from gateway.audit.segments import Segments, worker_directory
from gateway.audit.thread import WritingThread
from gateway.errors import AuditError


async def take_hold(
    directory: Path, *, origin: str, worker: str, files: Files | None
) -> tuple[Segments, Recovered, WritingThread]:
    """Lock and recover the log of a worker, in the thread that will write it.

    Returns:
        The open files, what they hold, and the thread they belong to.

    Raises:
        AuditError: where another process holds the log, where it does not hold together, or where
            the disk fails; nothing is held then.
    """
    port = files or OsFiles()
    path = worker_directory(directory, origin=origin, worker=worker)
    segments, thread = Segments(port, path), WritingThread()
    found: list[Recovered] = []

    def begin() -> None:
        segments.hold()
        found.append(recover(port, path, origin=origin, worker=worker))
        segments.reopen(found[0].at)

    failure = await thread.run(begin)
    if failure is not None:
        segments.close()
        thread.close()
        raise AuditError(f"the audit log does not open: {failure.detail}")
    return segments, found[0], thread
