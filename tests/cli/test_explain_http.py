"""`facegate explain --request … --config …`: an HTTP request under a whole configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.demo.samples.model import PLACES
from gateway.demo.world import World, build_world, fresh_own
from tests.cli.command import Done, facegate

BODY = '{"CollectionId":"missing","Image":{"S3Object":{"Bucket":"b","Name":"n"}}}'


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(
        tmp_path_factory.mktemp("world"),
        gateway_port=8080,
        admin_port=8081,
        provider_url="http://127.0.0.1:9",
        issuer_url="http://127.0.0.1:9",
        jwks_url="http://127.0.0.1:9/jwks.json",
        own=fresh_own(),
    )


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    path = tmp_path / "request.json"
    headers = [
        ["Host", "127.0.0.1:8080"],
        ["Content-Type", "application/x-amz-json-1.1"],
        ["X-Amz-Target", "RekognitionService.SearchFacesByImage"],
    ]
    written = {"method": "POST", "target": "/", "headers": headers, "body": BODY}
    path.write_text(json.dumps(written))
    return path


def explained(world: World, request: Path, *more: str | Path) -> Done:
    return facegate(
        *("explain", "--request", request, "--config", world.config),
        *(more or ("--tenant", "harbour-bank", "--from", PLACES["GB"])),
        environ=world.environ,
    )


def test_the_request_is_read_placed_and_judged_as_the_gateway_would(
    world: World, request_file: Path
) -> None:
    done = explained(world, request_file, "--tenant", "harbour-bank", "--format", "json")
    assert done.code == 0, done
    said = json.loads(done.out)
    facts = {
        fact["attribute"]: {member["value"]: member["sources"] for member in fact["members"]}
        for fact in said["facts"]
    }
    assert set(facts["operation"]) == {"SearchFacesByImage"}
    assert set(facts["class"]) == {"one_to_many"}
    assert set(facts["tenant"]) == {"harbour-bank"}
    assert facts["destination"]["GB"][1:] == [
        "account: tenant",
        "deployment: tenant",
        "party: Harbour Bank plc",
    ]
    assert said["decision"]["matched"]


def test_the_address_that_is_stated_is_placed(world: World, request_file: Path) -> None:
    done = explained(world, request_file)
    assert done.code == 0, done
    assert "  destination    GB                       network: country database; " in done.out


def test_a_tenant_that_is_not_there_is_told(world: World, request_file: Path) -> None:
    done = explained(world, request_file, "--tenant", "harbour-bnk")
    assert done.code == 2
    assert "there is no tenant `harbour-bnk`\n    hint: did you mean `harbour-bank`?" in done.out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("127.0.0.1:8080", "nobody.example"), "names a host that is no upstream's"),
        (('"target": "/"', '"target": "//"'), "is refused at the door: malformed."),
        (('"method"', '"verb"'), "is refused at the door: malformed.syntax"),
    ],
    ids=["host", "path", "form"],
)
def test_what_the_door_refuses_is_told(
    world: World, request_file: Path, change: tuple[str, str], message: str
) -> None:
    request_file.write_text(request_file.read_text().replace(*change))
    done = explained(world, request_file)
    assert done.code == 2
    assert message in done.out


@pytest.mark.parametrize(
    "options", [("--tenant", "x"), ("--from", "192.0.2.1"), ("--config", "gateway.yaml")]
)
def test_configuration_and_tenant_go_together(options: tuple[str, ...]) -> None:
    done = facegate("explain", "--request", "-", *options)
    assert (done.code, done.out) == (2, "")
    assert "--config, --tenant and --from go together" in done.err
