"""Network databases in MaxMind's file format (MaxMind DB 2.0), from the operator's disk.

Two forms of record are in use: MaxMind's nested one, which `geoip2` models, and the flat
`country_code` of the free databases, which it refuses. Which way each part fails: a file that
cannot be read whole is a `SourceError` (at start: refused; at reload: the old part stays); a single
record that cannot be read counts as no record, which policy sees as `unknown`.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Final

import maxminddb
from geoip2.models import Country
from maxminddb.types import Record

from gateway.core.geography.networks import Networks
from gateway.errors import SourceError, words_of

_MOST_BYTES: Final = 1 << 30  # the largest city databases have about 150 MB
_EXAMINED: Final = 1024  # records that are looked into for a country
_FLAGS: Final = (
    "is_anonymous",
    "is_anonymous_vpn",
    "is_public_proxy",
    "is_residential_proxy",
    "is_tor_exit_node",
)


class Database:
    """One opened database: a private copy, so that nothing done to the file can reach it.

    The copy has no name: overwriting a mapped file in place would end the process with SIGBUS, and
    closing a reader under a look-up would fail it. It goes away with the last reference.
    """

    def __init__(self, path: Path) -> None:
        """Copy, open and walk the whole database.

        Raises:
            SourceError: it cannot be read, or is corrupt anywhere.
        """
        content = _read(path)
        self.path = path
        self.digest = hashlib.sha256(content).hexdigest()
        try:
            with tempfile.NamedTemporaryFile(prefix="facegate-", suffix=".mmdb") as copy:
                copy.write(content)
                copy.flush()
                self._reader = maxminddb.open_database(copy.name)
            self.build = datetime.fromtimestamp(self._reader.metadata().build_epoch, UTC)
            self.examined = _walk(record for _, record in self._reader)
        except OSError as error:
            raise SourceError(f"`{path}`: cannot be copied: {error.strerror}") from error
        except (maxminddb.InvalidDatabaseError, ValueError, OverflowError) as error:
            raise SourceError(
                f"`{path}`: not a sound MaxMind DB file"
                "\n    hint: fetch it again, and replace it by renaming, never in place"
            ) from error

    def record(self, address: str) -> Mapping[str, object] | None:
        """Return the record for an address; None where there is none or it cannot be read."""
        try:
            record = self._reader.get(address)
        except (maxminddb.InvalidDatabaseError, ValueError):
            # ValueError: an IPv6 address in a database of IPv4 only.
            return None
        return record if isinstance(record, dict) else None


class Countries:
    """A database read for countries; see `gateway.core.geography.networks.CountryReader`."""

    def __init__(self, database: Database) -> None:
        """Take an opened database.

        Raises:
            SourceError: no record that was looked into names a country.
        """
        self._database = database
        if not any(country_in(record) for record in database.examined):
            raise SourceError(
                f"`{database.path}`: no record names a country"
                "\n    hint: `networks.country` takes a country or a city database"
            )

    def country(self, address: str) -> str | None:
        """Return the country of an address in upper case; empty where its record names none."""
        record = self._database.record(address)
        return None if record is None else country_in(record)


class Anonymity:
    """A database read for anonymising networks; see `AnonymityReader` beside the above."""

    def __init__(self, database: Database) -> None:
        """Take an opened database.

        Raises:
            SourceError: no record that was looked into has such a flag.
        """
        self._database = database
        if not any(set(_FLAGS) & record.keys() for record in database.examined):
            raise SourceError(
                f"`{database.path}`: no record tells of anonymity"
                "\n    hint: `networks.anonymous` takes an Anonymous IP database"
            )

    def anonymous(self, address: str) -> bool:
        """Tell whether any flag of the address's record is set."""
        record = self._database.record(address)
        return record is not None and any(record.get(flag) is True for flag in _FLAGS)


def country_in(record: Mapping[str, object]) -> str:
    """Return the country that a record names in upper case, else that of its registration.

    Empty where it names none, or has a form that is not known.
    """
    flat = record.get("country_code")
    if isinstance(flat, str):
        return flat.upper()
    model = Country(
        None,
        country=_iso(record.get("country")),
        registered_country=_iso(record.get("registered_country")),
    )
    code = model.country.iso_code or model.registered_country.iso_code
    return "" if code is None else code.upper()


def _iso(place: object) -> dict[str, str]:
    code = place.get("iso_code") if isinstance(place, dict) else None
    return {"iso_code": code} if isinstance(code, str) else {}


def load_networks(
    path: Path | None,
    *,
    anonymous: Path | None = None,
    max_age: timedelta,
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...],
) -> Networks:
    """Read the databases whole and check them; a second or two for the largest.

    Args:
        path: country or city database; None leaves every caller unlocated.
        anonymous: database of anonymising networks; None where there is none.
        max_age: age after which look-ups are marked `stale`.
        trusted_proxies: networks of the operator's own proxies.

    Raises:
        SourceError: a database cannot be read, is corrupt, or is of another kind.
    """
    country = None if path is None else Database(path)
    anonymity = None if anonymous is None else Database(anonymous)
    databases = [database for database in (country, anonymity) if database is not None]
    return Networks(
        reader=None if country is None else Countries(country),
        anonymity=None if anonymity is None else Anonymity(anonymity),
        build=min((database.build for database in databases), default=None),
        max_age=max_age,
        trusted_proxies=trusted_proxies,
        digest=_digest(country, anonymity),
    )


def _digest(country: Database | None, anonymity: Database | None) -> str:
    """Return the digest of the one file, or of both digests in the order of the arguments."""
    if country is not None and anonymity is None:
        return f"sha256:{country.digest}"
    parts = ("" if database is None else database.digest for database in (country, anonymity))
    both = "\n".join(("facegate/networks/v1", *parts))
    return "sha256:" + hashlib.sha256(both.encode()).hexdigest()


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise SourceError(f"`{path}`: is not a regular file")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SourceError(f"`{path}`: cannot be read: {words_of(error)}") from error
    if len(content) > _MOST_BYTES:
        raise SourceError(f"`{path}`: is longer than {_MOST_BYTES} bytes")
    return content


def _walk(records: Iterable[Record]) -> tuple[Mapping[str, object], ...]:
    """Read every record, so that a tree or a record that is broken anywhere is found now."""
    examined = list[Mapping[str, object]]()
    for record in records:
        if isinstance(record, dict) and len(examined) < _EXAMINED:
            examined.append(record)
    return tuple(examined)
