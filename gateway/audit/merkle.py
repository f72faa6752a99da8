"""The Merkle tree over the lines of a log (RFC 6962 section 2.1, RFC 9162 section 2.1.1).

A leaf is a line without its newline. Only the frontier is held: the roots of the complete subtrees,
largest first, which is enough to append and to tell the root. No input or output here.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

_HASH_BYTES = 32


def leaf_hash(line: bytes) -> bytes:
    """Return the hash of one leaf; the prefix keeps leaves and nodes apart."""
    return sha256(b"\x00" + line).digest()


class Frontier:
    """A tree that grows at its right edge.

    Its state is `size` and one subtree root for each bit set in it, largest subtree first.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Take up a tree of `size` leaves.

        Raises:
            ValueError: where the peaks cannot be those of a tree of this size.
        """
        if (
            size < 0
            or len(peaks) != size.bit_count()
            or any(len(peak) != _HASH_BYTES for peak in peaks)
        ):
            raise ValueError("the frontier does not fit the size of the tree")
        self.size = size
        self._peaks = list(peaks)

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """Roots of the complete subtrees, largest first."""
        return tuple(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash at the right."""
        peaks, size = self._peaks, self.size
        self.size = size + 1
        while size & 1:
            leaf = sha256(b"\x01" + peaks.pop() + leaf).digest()
            size >>= 1
        peaks.append(leaf)

    def extend(self, lines: Sequence[bytes]) -> None:
        """Add lines at the right, level by level: what stands alone on a level is its peak."""
        nodes = [sha256(b"\x00" + line).digest() for line in lines]
        before, peaks = self.size, self._peaks
        self.size, self._peaks = before + len(nodes), []
        while nodes or before:
            if before & 1:
                nodes.insert(0, peaks.pop())
            if len(nodes) & 1:
                self._peaks.insert(0, nodes.pop())
            pairs = zip(nodes[::2], nodes[1::2], strict=True)
            nodes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
            before >>= 1

    def root(self) -> bytes:
        """Return the root; that of the empty tree is the hash of nothing."""
        if not self._peaks:
            return sha256(b"").digest()
        root = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            root = sha256(b"\x01" + peak + root).digest()
        return root

    def copy(self) -> Frontier:
        """Return a tree that grows on its own."""
        return Frontier(self.size, self._peaks)
