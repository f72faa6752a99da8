"""What is active, on disk: the pointer, the history, the bundles; held by one process at a time.

`<state_dir>/policy/` has `active.json` (the pointer: `gateway.core.policy.activation.State`),
`history.jsonl` (one step a line, only ever added to), and the bundles. The pointer is replaced
whole after everything that it points to is durable, and it carries the line that the history gets
next, so an end at any moment loses neither: the next start finds the old state or the new one, and
adds the line where it is missing.

Every method blocks. Which way it fails: closed; a step that cannot be kept is not taken.
"""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path
from typing import Final, Self

import msgspec

from gateway.audit.files import OsFiles
from gateway.core.policy.activation import State, Step
from gateway.errors import SourceError, words_of
from gateway.sources.bundles import Bundles
from gateway.sources.durable import append_durably, replace_durably, whole_lines

log = logging.getLogger("facegate")

_MAX_POINTER: Final = 16 << 20
_encoder = msgspec.json.Encoder(order="sorted")
_states: msgspec.json.Decoder[State] = msgspec.json.Decoder(State)
_steps: msgspec.json.Decoder[Step] = msgspec.json.Decoder(Step)


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds the directory: process id, and where its admin listener is, once it listens."""

    pid: int
    admin: str = ""


_holders: msgspec.json.Decoder[Holder] = msgspec.json.Decoder(Holder)


class HeldError(SourceError):
    """Another process holds the directory; `holder` says which, as far as it said so."""

    def __init__(self, directory: Path, holder: Holder | None) -> None:
        """Keep who holds it."""
        pid = "another process" if holder is None else f"process {holder.pid}"
        super().__init__(
            f"`{directory}`: {pid} holds it\n    hint: give each gateway a `state_dir` of its own"
        )
        self.holder = holder


class Activations:
    """The policy's directory below `state_dir`; `state` is what `active.json` says."""

    def __init__(self, state_dir: Path) -> None:
        """Take the directory, and read what is there.

        Raises:
            HeldError: another process holds it.
            SourceError: it cannot be made, or what is there cannot be read.
        """
        self.directory = policy_directory(state_dir)
        self.bundles = Bundles(self.directory)
        self._pointer = self.directory / "active.json"
        self._history = self.directory / "history.jsonl"
        self._lock = _lock(self.directory)
        try:
            self.announce("")
            self.state = self._read_state()
            self._catch_up()
        except SourceError:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Hold the directory until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it."""
        self.close()

    def announce(self, admin: str) -> None:
        """Say where the admin listener of this process is, for commands that find it running.

        Raises:
            SourceError: it cannot be written.
        """
        content = _encoder.encode(Holder(pid=os.getpid(), admin=admin))
        try:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, content, 0)
        except OSError as error:
            raise SourceError(_unwritten(self.directory, error)) from error

    def advance(self, state: State) -> None:
        """Point to another bundle, which is kept; on return that survives a loss of power.

        Raises:
            SourceError: it cannot be written; the pointer is where it was.
        """
        try:
            replace_durably(self._pointer, _encoder.encode(state))
        except OSError as error:
            raise SourceError(_unwritten(self._pointer, error)) from error
        self.state = state
        self._catch_up()

    def note(self, step: Step) -> None:
        """Add the line on a candidate that was refused; where that fails, the log has it alone."""
        try:
            append_durably(self._history, _encoder.encode(step))
        except OSError as error:
            log.error("%s cannot be written: %s", self._history, words_of(error))  # noqa: TRY400 - no bug

    def history(self) -> tuple[Step, ...]:
        """Return every step, oldest first.

        Raises:
            SourceError: it cannot be read, or a line is none.
        """
        return read_history(self._history)

    def close(self) -> None:
        """Let go of the directory."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _read_state(self) -> State | None:
        hint = (
            "put it back from a copy; without it the next start activates what is offered, and "
            "takes any signed version"
        )
        try:
            with self._pointer.open("rb") as file:
                return _states.decode(file.read(_MAX_POINTER))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceError(f"`{self._pointer}`: cannot be read: {words_of(error)}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceError(
                f"`{self._pointer}`: does not say what is active\n    hint: {hint}"
            ) from error

    def _catch_up(self) -> None:
        """Add the step that led to the present state, where the history does not have it yet."""
        if self.state is None:
            return
        last = [step.seq for step in self.history() if step.result == "activated"][-1:]
        if last != [self.state.seq]:
            self.note(self.state.latest)


def policy_directory(state_dir: Path) -> Path:
    """Return the policy's directory below a state directory."""
    return state_dir / "policy"


def read_history(path: Path) -> tuple[Step, ...]:
    """Read a history, oldest step first; a piece of a last line is passed over.

    Raises:
        SourceError: it cannot be read, or a line is none.
    """
    try:
        lines = whole_lines(path).splitlines()
    except OSError as error:
        raise SourceError(f"`{path}`: cannot be read: {words_of(error)}") from error
    steps = list[Step]()
    for number, line in enumerate(lines, start=1):
        try:
            steps.append(_steps.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceError(f"`{path}`: line {number} is no step: {error}") from error
    return tuple(steps)


def _lock(directory: Path) -> int:
    path = directory / "lock"
    try:
        OsFiles().make_directory(directory)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise SourceError(_unwritten(directory, error)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = _holder(os.pread(descriptor, 4096, 0))
        os.close(descriptor)
        raise HeldError(directory, holder) from error
    return descriptor


def _holder(content: bytes) -> Holder | None:
    try:
        return _holders.decode(content)
    except msgspec.DecodeError:
        return None


def _unwritten(path: Path, error: OSError) -> str:
    return (
        f"`{path}`: cannot be written: {words_of(error)}\n"
        "    hint: `state_dir` keeps what is active; the gateway's user writes there"
    )
