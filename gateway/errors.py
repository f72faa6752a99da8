"""The exceptions of the gateway: each means that an operator must act.

What a client sends is never an exception but a value with a reason (`core.request.Malformed`,
`core.operation.Ambiguous`, …). Foreign exceptions are translated where they enter.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Literal

# Enough to find the fault; the whole stack is aiohttp's and asyncio's.
_FRAMES = 4


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One mistake in a file that an operator wrote, with its place.

    `line` and `column` count from 1; 0 means that the place is the file as a whole.
    """

    path: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Return `path:line:column: message`, the hint on a line of its own."""
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        return f"{place}: {self.message}" + (f"\n    hint: {self.hint}" if self.hint else "")


def words_of(error: OSError) -> str:
    """Return what the system says of a failure, in lower case."""
    return (error.strerror or "unknown error").lower()


class FacegateError(Exception):
    """Any failure that an operator must act on."""


class FindingsError(FacegateError):
    """Mistakes in files; `findings` lists every one of them, never only the first."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        """Keep the findings, in file order."""
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class ConfigError(FindingsError):
    """The configuration does not hold: the gateway does not start."""


class PolicyError(FindingsError):
    """New policy files do not hold: the new snapshot is refused, the old one stays."""


class SourceError(FacegateError):
    """A source (network database, JWKS, list) could not be read: its age grows."""


def source_finding(failure: SourceError) -> Finding:
    """Take the message of a source, "`path`: what is wrong" and a hint, apart."""
    message, _, hint = str(failure).partition("\n    hint: ")
    path, colon, rest = message.partition("`: ")
    if not (colon and path.startswith("`")):
        path, rest = "", message
    return Finding(path=path[1:] or "gateway", line=0, column=0, message=rest, hint=hint)


class AuditError(FacegateError):
    """A record could not be made durable: nothing may be forwarded.

    `perhaps_written` tells that it may stand in the log all the same, once the disk has answered.
    """

    def __init__(self, message: str, *, perhaps_written: bool = False) -> None:
        """Keep the message, and whether the record may become durable after all."""
        super().__init__(message)
        self.perhaps_written = perhaps_written


class StateError(FacegateError):
    """What was taken of quotas and budgets cannot be kept: whoever would take more is refused."""


class UpstreamError(FacegateError):
    """The provider could not be reached, or answered what is not one HTTP/1.1 response.

    `sent` tells whether any byte of the request had left: only then may the provider have acted.
    `reason` is the code from `gateway.core.decision.REASONS` that says which of these it was.
    """

    def __init__(
        self,
        message: str,
        *,
        sent: bool,
        reason: Literal[
            "upstream.unavailable", "upstream.broken", "upstream.timeout"
        ] = "upstream.unavailable",
    ) -> None:
        """Keep the message (never a byte of the exchange), whether anything was sent, and why."""
        super().__init__(message)
        self.sent = sent
        self.reason = reason


def place_of(error: BaseException) -> str:
    """Return kind and place of an unexpected exception, innermost call last, for the log.

    Never its words: they may quote what was sent.
    """
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = " > ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in frames)
    return f"{type(error).__name__} in {places}"
