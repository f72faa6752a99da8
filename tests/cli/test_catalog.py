"""`facegate catalog`: what is known of the providers, and whether their SDKs say the same."""

from __future__ import annotations

import json

import msgspec
import pytest

from gateway.app.drift import compare
from gateway.cli.catalog import WRITTEN_SIGNERS
from gateway.config.settings import Credential
from gateway.sources.catalogs import load_catalog
from gateway.sources.sdks import SdkCall, SdkModel, installed_models
from tests.cli.command import facegate


def test_every_provider_is_listed_with_its_classes_and_what_it_is_forwarded_with() -> None:
    done = facegate("catalog", "list", "--format", "json")
    rows = {row["provider"]: row for row in json.loads(done.out)["providers"]}

    assert done.code == 0
    assert set(rows) == set(load_catalog().providers)
    assert rows["aws_rekognition"]["forward"] == ["aws"]
    assert rows["aws_rekognition"]["classes"]["one_to_many"] == 7
    assert rows["tencent_iai"]["forward"] == []
    assert "judge only" in facegate("catalog", "list").out


def test_the_credentials_that_are_listed_are_those_that_a_configuration_takes() -> None:
    unwritten = {"query", "form", "tc3", "acs3", "huawei", "oci"}

    assert set(Credential.model_fields) == WRITTEN_SIGNERS | unwritten


def test_an_operation_is_shown_with_its_source() -> None:
    done = facegate("catalog", "show", "aws_rekognition", "SearchFacesByImage")

    assert done.code == 0
    assert "class:       one_to_many" in done.out
    assert "botocore" in done.out
    assert "SearchFacesByImage" in facegate("catalog", "show", "aws_rekognition").out


@pytest.mark.parametrize("arguments", [["nobody"], ["aws_rekognition", "FindEverybody"]])
def test_what_the_catalogue_does_not_have_is_a_usage_error(arguments: list[str]) -> None:
    assert facegate("catalog", "show", *arguments).code == 2


def test_nothing_has_drifted_from_the_pinned_sdks() -> None:
    done = facegate("catalog", "drift", "--format", "json")
    packages = {each["package"]: each for each in json.loads(done.out)["packages"]}

    assert done.code == 0, done.out
    assert packages["botocore"]["calls"] == 75
    assert packages["azure-ai-vision-face"]["calls"] > 40
    assert packages["google-api-python-client"]["calls"] > 200
    assert packages["tencentcloud-sdk-python-iai"]["calls"] > 60
    assert "none drifted" in facegate("catalog", "drift").out


def test_a_package_that_is_not_installed_is_said_and_is_no_finding() -> None:
    [comparison] = compare([SdkModel(package="absent")], load_catalog())

    assert (comparison.version, comparison.drifted) == ("", ())


def test_what_the_model_has_and_we_lack_and_what_has_gone_are_told() -> None:
    [botocore] = [each for each in installed_models() if each.package == "botocore"]
    [search] = [call for call in botocore.calls if call.name == "SearchFaces"]
    changed = msgspec.structs.replace(search, members=frozenset({"FaceId"}))
    invented = SdkCall(
        name="FindEverybody",
        provider="aws_rekognition",
        method="POST",
        path="/",
        headers={"x-amz-target": "RekognitionService.FindEverybody"},
        body={},
    )
    model = msgspec.structs.replace(botocore, calls=(changed, invented))
    [comparison] = compare([model], load_catalog())
    told = {(each.what, each.operation) for each in comparison.drifted}

    assert {
        ("lacking", "FindEverybody"),
        ("changed", "SearchFaces"),
        ("gone", "CompareFaces"),
    } <= told
