"""`facegate init`: a starting point that holds, lets nobody in, and overwrites nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.config.environment import VARIABLES
from gateway.sources.packs import packs_directory
from gateway.sources.settings import load_settings_file
from gateway.sources.tenants import load_tenants
from tests.cli.command import ENVIRON, facegate

# A key, an entry of a list, or a whole entry, where prose would have a capital or no colon.
OPTION = re.compile(r"^( *)# ( *(?:- )?(?:[a-z_]+:( |$)|\{))")
FILES = {"gateway.yaml", "tenants.yaml", "policies"}


def every_option(text: str) -> str:
    """Return the text with everything that is only proposed switched on."""
    return "\n".join(OPTION.sub(r"\1\2", line) for line in text.splitlines())


def test_the_starting_point_has_no_findings(start: Path) -> None:
    assert {path.name for path in start.iterdir()} == FILES
    done = facegate("check", start / "gateway.yaml")
    assert (done.code, done.err) == (0, "")
    assert facegate("test", start / "policies").code == 0


def test_the_policies_are_the_shipped_ones(start: Path) -> None:
    copies = {path.name: path.read_bytes() for path in (start / "policies").iterdir()}
    assert copies == {path.name: path.read_bytes() for path in packs_directory().iterdir()}


def test_nobody_can_call_before_a_credential_is_issued(start: Path) -> None:
    loaded = load_tenants(start / "tenants.yaml", secrets_key=bytes(32))
    assert loaded.tenants.by_id
    assert (loaded.api_keys, loaded.access_keys, loaded.tenants.by_subject) == ({}, {}, {})


def test_everything_that_the_files_propose_in_comments_is_accepted(start: Path) -> None:
    (start / "tls").mkdir()
    for name in ("gateway.yaml", "tenants.yaml"):
        path = start / name
        before = path.read_text()
        path.write_text(every_option(before))
        assert path.read_text().count("\n") > 10
        assert path.read_text() != before
    done = facegate(
        "check", start / "gateway.yaml", environ={**ENVIRON, "FACEGATE_ADMIN_TOKEN": "made-up"}
    )
    # The two kinds of file that it cannot make up.
    assert "`listen.tls`: certificate or key cannot be read" in done.out
    (start / "gateway.yaml").write_text(
        re.sub(r"^  tls: .*\n", "", (start / "gateway.yaml").read_text(), flags=re.MULTILINE)
    )
    done = facegate(
        "check", start / "gateway.yaml", environ={**ENVIRON, "FACEGATE_ADMIN_TOKEN": "made-up"}
    )
    finding, note, _ = done.out.splitlines()
    assert "country.mmdb" in finding
    assert finding.endswith("cannot be read: no such file or directory")
    assert "note: licence `LIC-1` owes a report" in note
    tenants = load_tenants(start / "tenants.yaml", secrets_key=bytes(32)).tenants
    (tenant,) = tenants.by_id.values()
    assert tenant.tier == "standard"
    assert len(tenant.parties) == 2
    assert [reference.kind for reference in tenant.references] == ["licence"]
    assert tenants.by_subject


def test_no_variable_of_the_starting_point_is_taken_for_a_setting(config: Path) -> None:
    named = set(re.findall(r"env:([A-Z_]+)", config.read_text()))
    assert named - {"FACEGATE_ADMIN_TOKEN", "NAME"} == set(ENVIRON)
    assert not named & VARIABLES.keys()
    assert load_settings_file(config, ENVIRON).admin.token is None


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_stands_in_the_way_is_named_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    done = facegate("init", tmp_path)
    assert (done.code, done.out) == (1, "")
    assert f"`{tmp_path / name}` is in the way" in done.err
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_everything_that_stands_in_the_way_is_named(start: Path) -> None:
    done = facegate("init", start)
    assert done.code == 1
    assert [line for line in done.err.splitlines() if "in the way" in line] == [
        f"facegate: `{start / name}` is in the way"
        for name in ("gateway.yaml", "tenants.yaml", "policies")
    ]


def test_a_link_to_nothing_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "start").mkdir()
    (tmp_path / "start/tenants.yaml").symlink_to(elsewhere)
    assert facegate("init", tmp_path / "start").code == 1
    assert not elsewhere.exists()


def test_a_file_in_place_of_the_directory_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "start").write_text("mine")
    done = facegate("init", tmp_path / "start")
    assert done.code == 1
    assert f"`{tmp_path / 'start'}` is in the way" in done.err


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = facegate("init", tmp_path / "file/start")
    assert done.code == 1
    assert done.err.endswith("not a directory\n")


def test_it_prints_the_next_steps_in_words_that_a_shell_takes(tmp_path: Path) -> None:
    done = facegate("init", tmp_path / "my gateway")
    assert done.code == 0
    assert f"cd '{tmp_path}/my gateway'\n" in done.out
    for variable in ("FACEGATE_SECRETS_KEY", "UPSTREAM_AWS_KEY_ID", "UPSTREAM_AWS_SECRET"):
        assert f"{variable}=" in done.out


def test_an_issued_credential_pasted_into_the_tenants_is_accepted(config: Path) -> None:
    tenants = config.with_name("tenants.yaml")
    for command, empty in (("aws", "access_keys: []"), ("api", "api_keys: []")):
        done = facegate("keys", command, "--config", config)
        assert done.code == 0
        line = done.out.splitlines()[-1].partition(":")[2].strip()
        name = empty.partition(":")[0]
        tenants.write_text(tenants.read_text().replace(empty, f"{name}:\n        {line}"))
    assert facegate("check", config) == (0, f"{config}: no findings\n", "")
    loaded = load_tenants(tenants, secrets_key=bytes.fromhex(ENVIRON["FACEGATE_SECRETS_KEY"]))
    assert (len(loaded.access_keys), len(loaded.api_keys)) == (1, 1)
