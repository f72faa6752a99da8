"""Which country an address belongs to, by a network database that the operator mounts.

The memos by address live here and die with the part: what they hold depends on nothing but this
part and the values they are keyed by, never on the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

import msgspec

from gateway.core.geography.addresses import (
    Address,
    Network,
    among,
    is_private,
    parse_address,
    unwrap,
)
from gateway.core.geography.client import Unreadable, client_of
from gateway.core.geography.codes import is_code
from gateway.core.geography.model import Evidence

_MEMO_ENTRIES: Final = 16_384
_MEMO_KEY_CHARACTERS: Final = 256  # longer forwarding headers are walked anew each time
_CLOCK_SKEW: Final = timedelta(days=1)

_Key = TypeVar("_Key")
_Entry = TypeVar("_Entry")


class CountryReader(Protocol):
    """A country database. A record that cannot be read counts as none; it never raises."""

    def country(self, address: str) -> str | None:
        """Return the ISO 3166-1 alpha-2 code, upper case, or None where there is no record."""
        ...


class AnonymityReader(Protocol):
    """A database of VPNs, proxies and Tor exits; it never raises."""

    def anonymous(self, address: str) -> bool:
        """Tell whether the address hides where its user is."""
        ...


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where one client address is, by the databases.

    Attributes:
        client: the client address, canonical text; empty if unreadable.
        country: ISO code by the country database; empty where it has none.
        evidence: what stands for it in the facts; never empty.
    """

    client: str
    country: str
    evidence: tuple[Evidence, ...]


class Networks(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The network part of a snapshot.

    Attributes:
        reader: the country database; None where none is loaded.
        build: when the databases were built, the older of two; None where that is not known.
        max_age: age after which every look-up is marked `stale` beside what it found.
        trusted_proxies: the operator's own proxies, whose forwarding headers are believed.
        digest: SHA-256 over the database files, hexadecimal.
        anonymity: the database of anonymising networks; None where none is loaded.
    """

    reader: CountryReader | None
    build: datetime | None
    max_age: timedelta
    trusted_proxies: tuple[Network, ...]
    digest: str
    anonymity: AnonymityReader | None = None
    # By peer; None marks a trusted proxy, whose headers have to be walked.
    direct: dict[str, Place | None] = msgspec.field(default_factory=dict)
    # By peer, X-Forwarded-For and Forwarded.
    forwarded: dict[tuple[str, str | None, str | None], Place] = msgspec.field(default_factory=dict)

    def place(self, peer: str, headers: Mapping[str, str]) -> Place:
        """Find the client behind a connection and look it up.

        Args:
            peer: address of the other end of the TCP connection.
            headers: lower-case name to value, lines of one name joined by commas.
        """
        if peer in self.direct:
            known = self.direct[peer]
        else:
            known = remember(self.direct, peer, self._direct(peer))
        if known is not None:
            return known
        forwarded_for, forwarded = headers.get("x-forwarded-for"), headers.get("forwarded")
        key = (peer, forwarded_for, forwarded)
        found = self.forwarded.get(key)
        if found is None:
            found = self._forwarded(peer, forwarded_for, forwarded)
            if len(forwarded_for or "") + len(forwarded or "") <= _MEMO_KEY_CHARACTERS:
                remember(self.forwarded, key, found)
        return found

    def is_stale(self, now: datetime) -> bool:
        """Tell whether the databases are too old, or of no believable age."""
        if self.build is None:
            return True
        return not -_CLOCK_SKEW <= now - self.build <= self.max_age

    def changes(self) -> tuple[datetime, ...]:
        """Return the instants at which `is_stale` begins to answer otherwise."""
        if self.build is None:
            return ()
        return self.build - _CLOCK_SKEW, self.build + self.max_age + datetime.resolution

    def _direct(self, peer: str) -> Place | None:
        address = parse_address(peer)
        if address is None:
            return _unknown("", "the peer's address cannot be read")
        return None if among(address, self.trusted_proxies) else self._look_up(address)

    def _forwarded(self, peer: str, forwarded_for: str | None, forwarded: str | None) -> Place:
        address = parse_address(peer)
        if address is None:
            return _unknown("", "the peer's address cannot be read")
        client = client_of(address, forwarded_for, forwarded, self.trusted_proxies)
        if isinstance(client, Unreadable):
            return _unknown("", client.reason)
        return self._look_up(client)

    def _look_up(self, address: Address) -> Place:
        client = str(address)
        meant = unwrap(address)
        if meant is None:
            return _unknown(client, "an address form that hides its network")
        if is_private(meant):
            return _placed(client, "", Evidence(kind="network", code="private", source="address"))
        if self.reader is None:
            return _unknown(client, "no network database")
        text = str(meant)
        code = self.reader.country(text)
        if code is None:
            country = Evidence(kind="network", code="unknown", source="no record for the address")
        elif not is_code(code):
            country = Evidence(kind="network", code="unknown", source="a record without a country")
        else:
            country = Evidence(kind="network", code=code, source="country database")
        hidden = self.anonymity is not None and self.anonymity.anonymous(text)
        return Place(
            client=client,
            country="" if country.code == "unknown" else country.code,
            evidence=(country, _ANONYMISED) if hidden else (country,),
        )


_ANONYMISED: Final = Evidence(kind="network", code="anonymised", source="anonymity database")


def remember(memo: dict[_Key, _Entry], key: _Key, entry: _Entry) -> _Entry:
    """Keep an entry in a bounded memo, giving up the oldest one where it is full."""
    if len(memo) >= _MEMO_ENTRIES:
        del memo[next(iter(memo))]
    memo[key] = entry
    return entry


def _unknown(client: str, source: str) -> Place:
    return _placed(client, "", Evidence(kind="network", code="unknown", source=source))


def _placed(client: str, country: str, evidence: Evidence) -> Place:
    return Place(client=client, country=country, evidence=(evidence,))
