"""Network databases: sound files are read in every form, others are refused in words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import mmdb_writer
import pytest
from netaddr import IPSet

from gateway.core.geography.networks import Networks
from gateway.demo.networks import SYNTHETIC, write_networks, write_records
from gateway.errors import SourceError
from gateway.sources.networks import load_networks

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "../shared/data/geo"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="the published databases are not on this machine; the invented ones below always run",
)


def load(path: Path | None, anonymous: Path | None = None) -> Networks:
    return load_networks(path, anonymous=anonymous, max_age=timedelta(days=14), trusted_proxies=())


def code(networks: Networks, address: str) -> str | None:
    assert networks.reader is not None
    return networks.reader.country(address)


@pytest.fixture
def synthetic(tmp_path: Path) -> Path:
    path = tmp_path / "country.mmdb"
    write_networks(path)
    return path


def test_the_synthetic_database_covers_its_ranges_and_nothing_else(synthetic: Path) -> None:
    networks = load(synthetic)
    for network, country in SYNTHETIC.items():
        first = network.partition("/")[0]
        assert code(networks, first) == country
    assert code(networks, "192.0.2.15") == "US"
    assert code(networks, "192.0.2.16") == "GB"
    assert code(networks, "192.0.2.255") is None
    assert code(networks, "8.8.8.8") is None
    assert code(networks, "2001:db8::1") is None


def test_the_build_time_and_the_digest_are_of_the_file(synthetic: Path) -> None:
    networks = load(synthetic)
    assert networks.build is not None
    assert abs(datetime.now(UTC) - networks.build) < timedelta(minutes=5)
    again = load(Path(shutil.copy(synthetic, synthetic.with_name("copy.mmdb"))))
    assert again.digest == networks.digest
    write_networks(synthetic, {"192.0.2.0/24": "CN"})
    assert load(synthetic).digest != networks.digest


def test_without_databases_there_is_nothing_to_ask() -> None:
    networks = load(None)
    assert (networks.reader, networks.anonymity, networks.build) == (None, None, None)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"country_code": "AU"}, "AU"),
        ({"country_code": "au"}, "AU"),
        ({"country": {"iso_code": "FR", "names": {"en": "France"}}}, "FR"),
        ({"country": {"iso_code": "FR"}, "registered_country": {"iso_code": "US"}}, "FR"),
        ({"registered_country": {"iso_code": "US"}}, "US"),
        ({"country": {"geoname_id": 5}, "registered_country": {"iso_code": "US"}}, "US"),
        ({"country": "France"}, ""),
        ({"country": {"iso_code": 5}}, ""),
        ({"city": {"names": {"en": "Paris"}}, "continent": {"code": "EU"}}, ""),
    ],
)
def test_records_are_read_flat_and_nested(
    tmp_path: Path, record: dict[str, object], expected: str
) -> None:
    path = tmp_path / "any.mmdb"
    write_records(
        path,
        {"192.0.2.0/25": record, "198.51.100.0/24": {"country_code": "NZ"}},
        database_type="any",
    )
    networks = load(path)
    assert code(networks, "192.0.2.1") == expected
    assert code(networks, "192.0.2.129") is None


def test_anonymity_is_any_flag_of_the_record(synthetic: Path, tmp_path: Path) -> None:
    path = tmp_path / "anonymous.mmdb"
    write_records(
        path,
        {
            "192.0.2.0/28": {"is_anonymous": True, "is_tor_exit_node": True},
            "192.0.2.16/28": {"is_anonymous_vpn": True},
            "192.0.2.32/28": {"is_hosting_provider": True},
        },
        database_type="GeoIP2-Anonymous-IP",
    )
    networks = load(synthetic, anonymous=path)
    assert networks.anonymity is not None
    addresses = ("192.0.2.1", "192.0.2.17", "192.0.2.33", "192.0.2.99")
    assert [networks.anonymity.anonymous(address) for address in addresses] == [
        True,
        True,
        False,
        False,
    ]
    assert networks.digest != load(synthetic).digest
    assert load(None, anonymous=path).anonymity is not None


def test_of_two_databases_the_older_one_gives_the_age(synthetic: Path, tmp_path: Path) -> None:
    other = tmp_path / "anonymous.mmdb"
    write_records(other, {"192.0.2.0/28": {"is_anonymous": True}}, database_type="any")
    _set_build(other, datetime(2020, 1, 1, tzinfo=UTC))
    assert load(synthetic, anonymous=other).build == datetime(2020, 1, 1, tzinfo=UTC)
    assert load(synthetic, anonymous=other).is_stale(datetime(2026, 1, 1, tzinfo=UTC))


def _set_build(path: Path, build: datetime) -> None:
    content = path.read_bytes()
    place = content.rindex(b"build_epoch") + len(b"build_epoch")
    size = content[place] & 0x1F
    start = place + (1 if content[place] >> 5 else 2)  # an extended type has a byte of its own
    written = int(build.timestamp()).to_bytes(size, "big")
    path.write_bytes(content[:start] + written + content[start + size :])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a sound MaxMind DB file"),
        (b"garbage" * 100, "not a sound MaxMind DB file"),
        (None, "cannot be read: no such file or directory"),
    ],
)
def test_a_file_that_is_no_database_is_refused(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "country.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=words):
        load(path)


def test_a_directory_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a regular file"):
        load(tmp_path)


def test_a_database_of_another_kind_is_refused(synthetic: Path, tmp_path: Path) -> None:
    numbers = tmp_path / "asn.mmdb"
    write_records(numbers, {"192.0.2.0/24": {"asn": 64496}}, database_type="GeoLite2-ASN")
    with pytest.raises(SourceError, match="no record names a country"):
        load(numbers)
    with pytest.raises(SourceError, match="no record tells of anonymity"):
        load(synthetic, anonymous=synthetic)


def test_a_truncated_or_overwritten_file_is_refused(synthetic: Path) -> None:
    content = synthetic.read_bytes()
    metadata = content.rindex(b"\xab\xcd\xefMaxMind.com")
    broken = synthetic.with_name("broken.mmdb")
    nodes = len(content) // 2
    for damaged in (
        content[: len(content) // 2],
        content[:100] + content[metadata:],
        b"\xff" * nodes + content[nodes:],
    ):
        broken.write_bytes(damaged)
        with pytest.raises(SourceError, match="not a sound MaxMind DB file"):
            load(broken)


def test_an_ipv6_address_has_no_record_in_a_database_of_ipv4(tmp_path: Path) -> None:

    writer = mmdb_writer.MMDBWriter(ip_version=4, database_type="Country")
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"country_code": "US"})
    path = tmp_path / "four.mmdb"
    writer.to_db_file(str(path))
    networks = load(path)
    assert code(networks, "192.0.2.1") == "US"
    assert code(networks, "2001:db8::1") is None


def test_a_loaded_database_survives_whatever_happens_to_its_file(tmp_path: Path) -> None:
    """In a process of its own: a mapped file that shrinks would end it with SIGBUS."""
    path = tmp_path / "country.mmdb"
    write_networks(path)
    program = """
import sys
from datetime import timedelta
from pathlib import Path
from gateway.sources.networks import load_networks
path = Path(sys.argv[1])
networks = load_networks(path, max_age=timedelta(days=14), trusted_proxies=())
path.write_bytes(b"")
print(networks.reader.country("192.0.2.1"))
path.unlink()
print(networks.reader.country("198.51.100.1"), networks.reader.country("2001:db8:1000::1"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "US\nCN US\n", "")


def test_no_copy_is_left_behind(
    synthetic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    networks = load(synthetic)
    assert code(networks, "192.0.2.1") == "US"
    assert list(scratch.iterdir()) == []
    scratch.rmdir()
    with pytest.raises(SourceError, match="cannot be copied: No such file"):
        load(synthetic)


@needs_shared
def test_the_published_flat_database_is_read() -> None:
    networks = load(SHARED / "iptoasn-country.mmdb")
    assert networks.build == datetime(2026, 6, 17, 19, 54, 21, tzinfo=UTC)
    assert code(networks, "8.8.8.8") == "US"
    assert networks.place("::ffff:8.8.8.8", {}).country == "US"
    assert networks.place("192.0.2.1", {}).country == ""


@needs_shared
@pytest.mark.parametrize(
    "name", ["GeoIP2-Country-Test", "GeoIP2-City-Test", "GeoIP2-Enterprise-Test"]
)
def test_the_published_nested_databases_are_read(name: str) -> None:
    networks = load(SHARED / f"maxmind-test/{name}.mmdb")
    assert code(networks, "81.2.69.160") == "GB"


@needs_shared
@pytest.mark.parametrize("name", ["GeoIP2-Anonymous-IP-Test", "GeoIP-Anonymous-Plus-Test"])
def test_the_published_anonymity_databases_are_read(name: str) -> None:
    networks = load(None, anonymous=SHARED / f"maxmind-test/{name}.mmdb")
    assert networks.anonymity is not None
    assert networks.anonymity.anonymous("81.2.69.160")
    assert not networks.anonymity.anonymous("192.0.2.1")


@needs_shared
@pytest.mark.parametrize(
    "name", ["MaxMind-DB-test-broken-search-tree-24", "libmaxminddb-corrupt-search-tree"]
)
def test_the_published_broken_databases_are_refused(name: str) -> None:
    with pytest.raises(SourceError):
        load(SHARED / f"maxmind-test/{name}.mmdb")
