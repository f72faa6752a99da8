"""The independent verifier: reads a log as an auditor would, and shares nothing with its writer.

Each line is canonical JSON of a known version and kind, numbered without a break; each decision is
completed once or a gap names it; what decisions took of quotas and budgets adds up; the Merkle root
(RFC 6962 section 2.1) over the lines is the one that `head.json` states. Reads in one pass, in
memory that grows with tenants and not with lines; any byte may be hostile.

Not judged here: whether the root is the one that was published, and whether the facts in a record
lead to its decision.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

import msgspec

from gateway.audit.takings import Takings
from gateway.errors import Finding

_CHUNK_BYTES = 1 << 20
_LINE_BYTES = 1 << 24  # longer is no line of ours
_MOST_FINDINGS = 100  # for one log; one break must not bury the others
_SEGMENT = re.compile(r"[0-9]{20}\.jsonl")
_MAX_INTEGER = 2**53 - 1

_ENVELOPE = frozenset({"v", "kind", "origin", "seq", "engine", "time"})
_FIELDS: Mapping[str, frozenset[str]] = {
    kind: _ENVELOPE | frozenset(fields.split())
    for kind, fields in {
        "decided": "id snapshot parts request facts decision probed",
        "happened": "decided outcome status upstream_status sent duration_us response_bytes",
        "rejected": "address reason detail request_bytes count since",
        "aborted": "id reason detail",
        "activation": "what who digest result detail",
        "shed": "reason count since",
        "gap": "reason detail since refused lost cut_bytes unpaired",
    }.items()
}
# What lines of an earlier gateway do not have.
_LATER: Mapping[str, frozenset[str]] = {
    "decided": frozenset({"alternatives"}),
    "activation": frozenset({"why", "bundle", "version", "signers"}),
    "happened": frozenset({"given_back"}),
}
_HEAD_FIELDS = frozenset(
    {"v", "origin", "worker", "size", "root", "frontier", "segment", "offset", "open_from"}
)


class LogVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker's log holds.

    Attributes:
        directory: of the log.
        origin: as its head says; empty without a readable head.
        size: lines under the root of the head.
        root: that root, recomputed, hex; empty where there are fewer lines.
        lines: all whole lines.
        kinds: lines of each kind.
        open: ids of the decisions that nothing completes yet, oldest first.
        torn_bytes: bytes after the last whole line.
    """

    directory: Path
    origin: str
    size: int
    root: str
    lines: int
    kinds: Mapping[str, int]
    open: tuple[str, ...]
    torn_bytes: int

    @property
    def uncovered(self) -> int:
        """Lines after those that the head covers: written since, by a log in use or cut short."""
        return max(0, self.lines - self.size)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in all logs under a directory."""

    logs: tuple[LogVerdict, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against any of the logs."""
        return not self.findings

    @property
    def lines(self) -> int:
        """Whole lines in all logs."""
        return sum(log.lines for log in self.logs)


def verify(
    directory: Path, *, closed: bool = False, progress: Callable[[int], None] | None = None
) -> Verdict:
    """Verify one worker's log, all logs of an origin, or a whole audit directory.

    Args:
        directory: any of the three.
        closed: the caller knows that the gateway ended in order: then lines that the head does not
            cover, a torn line and open decisions are findings, not the state of a log in use.
        progress: called with the number of bytes read since the last call.

    Returns:
        The verdict; the file system's own errors are findings as well.
    """
    logs: list[LogVerdict] = []
    findings: list[Finding] = []
    for place in _logs_under(directory):
        check = _Check(place, progress or (lambda _: None))
        try:
            logs.append(check.run(closed=closed))
        except OSError as error:
            check.find(place, 0, f"cannot be read: {error.strerror}")
        findings += check.findings
    if not logs and not findings:
        findings.append(_finding(directory, 0, "no audit log stands here"))
    return Verdict(logs=tuple(logs), findings=tuple(findings))


def _logs_under(directory: Path) -> list[Path]:
    files = [*directory.rglob("head.json"), *directory.rglob("*.jsonl")]
    return sorted({file.parent for file in files})


def _finding(path: Path, line: int, message: str) -> Finding:
    return Finding(path=str(path), line=line, column=1 if line else 0, message=message)


class _Tree:
    """A Merkle tree as a stack of complete subtrees: (height, hash), largest first."""

    def __init__(self) -> None:
        self.stack: list[tuple[int, bytes]] = []

    def append(self, line: bytes) -> None:
        node, height = hashlib.sha256(b"\x00" + line).digest(), 0
        stack = self.stack
        while stack and stack[-1][0] == height:
            node = hashlib.sha256(b"\x01" + stack.pop()[1] + node).digest()
            height += 1
        stack.append((height, node))

    def root(self) -> str:
        if not self.stack:
            return hashlib.sha256(b"").hexdigest()
        nodes = [node for _, node in self.stack]
        root = nodes.pop()
        while nodes:
            root = hashlib.sha256(b"\x01" + nodes.pop() + root).digest()
        return root.hex()


class _Check:
    """Reads one log; `seq` is the number that the next line must have."""

    def __init__(self, directory: Path, progress: Callable[[int], None]) -> None:
        self._directory, self._progress = directory, progress
        self._decode = msgspec.json.Decoder(float_hook=_no_float).decode
        self._encode = msgspec.json.Encoder(order="sorted").encode
        self.findings: list[Finding] = []
        self._seq = self._lines = self._torn_bytes = 0
        self._tree = _Tree()
        self._takings = Takings()
        self._kinds: Counter[str] = Counter()
        self._open: dict[str, int] = {}
        self._head: Mapping[str, object] = {}
        self._origin: object = None
        self._size, self._root = 0, ""

    def find(self, path: Path, line: int, message: str) -> None:
        """Keep a finding; `line` counts from 1, 0 is the file as a whole."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(_finding(path, line, message))

    def run(self, *, closed: bool) -> LogVerdict:
        """Read the head first: lines are only ever added, so it cannot be ahead of them."""
        self._read_head()
        segments = sorted(self._directory.glob("*.jsonl"))
        last = segments[-1] if segments else self._directory
        self._covered(self._directory, 0)
        for segment in segments:
            self._read_segment(segment, last=segment == last)
        self._finish(last, closed=closed)
        return LogVerdict(
            directory=self._directory,
            origin=str(self._head.get("origin", "")),
            size=self._size,
            root=self._root,
            lines=self._lines,
            kinds=dict(self._kinds),
            open=tuple(self._open),
            torn_bytes=self._torn_bytes,
        )

    # --- the head ---------------------------------------------------------------------------------

    def _read_head(self) -> None:
        path = self._directory / "head.json"
        if not path.exists():
            self.find(path, 0, "is missing: nothing says how long the log must be")
            return
        content = path.read_bytes()
        head = self._object(content)
        if head is None or head.keys() != _HEAD_FIELDS or not _is_integer(head["size"]):
            self.find(path, 0, "is not a canonical head")
            return
        if not _is_integer(head["v"]) or head["v"] != 1:
            self.find(path, 0, "has a version that this verifier does not know")
        place = self._directory.resolve()
        names = (place.parent.name, place.name)
        if (head["origin"], head["worker"]) != tuple(map(unquote, names)):
            self.find(path, 0, "names another origin or worker than its directory")
        self._head = head
        self._origin = head["origin"]
        self._size = head["size"] if isinstance(head["size"], int) else 0

    def _covered(self, segment: Path, offset: int) -> None:
        """Compare with the head, where as many lines were read as it covers."""
        if not self._head or self._lines != self._size or self._root:
            return
        self._root = self._tree.root()
        path = self._directory / "head.json"
        if self._root != self._head["root"]:
            self.find(path, 0, f"its root is not that of the first {self._size} lines")
        if self._head["frontier"] != [node.hex() for _, node in self._tree.stack]:
            self.find(path, 0, f"its frontier is not that of the first {self._size} lines")
        if self._head["open_from"] != next(iter(self._open.values()), self._size):
            self.find(path, 0, "`open_from` is not the oldest open decision")
        places = [(segment.name, offset)]
        begun = f"{self._size:020}.jsonl"  # the end of one segment is the begin of the next
        if (self._directory / begun).exists():
            places.append((begun, 0))
        if (self._head["segment"], self._head["offset"]) not in places:
            self.find(path, 0, f"does not end where line {self._size} begins")

    # --- the lines --------------------------------------------------------------------------------

    def _read_segment(self, path: Path, *, last: bool) -> None:
        if not _SEGMENT.fullmatch(path.name):
            self.find(path, 0, "is not a name of a segment")
        elif int(path.stem) != self._seq:
            self.find(path, 0, f"should begin with line {int(path.stem)}, but {self._seq} is next")
            self._seq = int(path.stem)
        offset = 0
        for number, (line, whole) in enumerate(self._lines_of(path), start=1):
            if not whole:
                self._torn_bytes = len(line)
                if not last:
                    self.find(path, number, "is not whole")
                return
            offset += len(line) + 1
            self._take(path, number, line)
            if self._lines == self._size:
                self._covered(path, offset)

    def _lines_of(self, path: Path) -> Iterator[tuple[bytes, bool]]:
        rest = b""
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK_BYTES):
                self._progress(len(chunk))
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line, True
                if len(rest) > _LINE_BYTES:
                    break
        if rest:
            yield rest, False

    def _take(self, path: Path, number: int, line: bytes) -> None:
        self._tree.append(line)
        self._lines += 1
        record = self._object(line)
        if record is None:
            self.find(path, number, "is not a canonical JSON object")
            self._seq += 1
            return
        kind = record.get("kind")
        if not _has_form(record, kind) or not _sound(record):
            self.find(path, number, "is not of a known version, kind and form")
            self._seq += 1
            return
        self._kinds[str(kind)] += 1
        seq = record["seq"]
        if seq != self._seq:
            self.find(path, number, f"is line {seq}, but {self._seq} is next")
        self._seq = seq + 1 if isinstance(seq, int) else self._seq + 1
        if self._origin is None:
            self._origin = record["origin"]
        if record["origin"] != self._origin:
            self.find(path, number, "is of another origin")
        self._pair(path, number, record)

    def _pair(self, path: Path, number: int, record: Mapping[str, object]) -> None:
        kind = record["kind"]
        if kind == "decided":
            decided = str(record["id"])
            if decided in self._open:
                self.find(path, number, f"`{_shown(decided)}` was decided before")
            self._open[decided] = self._seq - 1
            self._find_all(path, number, self._takings.decided(record))
        elif kind == "happened":
            self._complete(path, number, record["decided"])
            self._find_all(path, number, self._takings.happened(record))
        elif kind == "gap" and isinstance(unpaired := record["unpaired"], list):
            for decided in unpaired:
                self._complete(path, number, decided)
                self._takings.lost(decided)

    def _find_all(self, path: Path, number: int, messages: Iterator[str]) -> None:
        for message in messages:
            self.find(path, number, message)

    def _complete(self, path: Path, number: int, decided: object) -> None:
        if self._open.pop(str(decided), None) is None:
            self.find(path, number, f"completes `{_shown(decided)}`, which is not open")

    def _object(self, content: bytes) -> dict[str, object] | None:
        """Return a JSON object in canonical form, and None for anything else."""
        try:
            value: object = self._decode(content)
            canonical = self._encode(value)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) and canonical == content else None

    def _finish(self, last: Path, *, closed: bool) -> None:
        if self._lines < self._size:
            message = f"has {self._lines} lines, but its root is over {self._size}"
            self.find(self._directory, 0, message)
        if not closed:
            return
        if self._head and self._lines > self._size:
            self.find(last, 0, f"has {self._lines - self._size} lines that no root covers")
        if self._torn_bytes:
            self.find(last, 0, f"ends in {self._torn_bytes} bytes that are no line")
        for decided in self._open:
            self.find(last, 0, f"`{_shown(decided)}` is not completed, and no gap names it")


def _has_form(record: dict[str, object], kind: object) -> bool:
    """Tell whether a record has the fields of its kind: every one, or all that came first."""
    fields = _FIELDS.get(kind) if isinstance(kind, str) else None
    if not isinstance(kind, str) or fields is None:
        return False
    later = _LATER.get(kind, frozenset())
    return fields <= record.keys() <= fields | later


def _sound(record: Mapping[str, object]) -> bool:
    """Tell whether version, number and all integers at the top are what they have to be."""
    for value in record.values():
        if type(value) is int and not -_MAX_INTEGER <= value <= _MAX_INTEGER:
            return False
    return record["v"] == 1 and _is_integer(record["v"]) and _is_integer(record["seq"])


def _is_integer(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MAX_INTEGER


def _shown(foreign: object) -> str:
    """Return text from a file in a form that a terminal cannot take for commands."""
    return ascii(str(foreign))[1:-1][:80]


def _no_float(_: str) -> float:
    raise ValueError("a record holds no fractions")
