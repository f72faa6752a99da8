"""Whose host it is."""

from __future__ import annotations

import pytest

from gateway.core.catalog.hosts import bare_host, matches, providers_at, providers_of_scope
from tests.core.catalog.build import shipped


@pytest.mark.parametrize(
    ("host", "bare"),
    [
        ("API.example:443", "api.example"),
        ("api.example.", "api.example"),
        ("[::1]:8080", "[::1]"),
        ("[::1]", "[::1]"),
        ("api.example:", "api.example"),
        ("", ""),
    ],
)
def test_a_host_is_bared_of_case_port_and_final_dot(host: str, bare: str) -> None:
    assert bare_host(host) == bare


def test_a_variable_is_one_label_and_at_the_end_several() -> None:
    assert matches("vision.eu.example", ["vision.{region}.example"])
    assert not matches("vision.a.b.example", ["vision.{region}.example"])
    assert matches("vision.eu.oci.cloud.example", ["vision.{region}.oci.{domain}"])
    assert not matches("vision.eu.example.evil.test", ["vision.{region}.example"])


def test_the_most_specific_pattern_says_whose_a_host_is() -> None:
    providers = shipped().providers

    assert providers_at("rekognition.eu-west-1.amazonaws.com", providers) == ("aws_rekognition",)
    assert providers_at("sts.eu-west-1.amazonaws.com", providers) == ("aws_other",)
    assert "azure_face" in providers_at("x.cognitiveservices.azure.com:443", providers)
    assert providers_at("intranet.example", providers) == ()


def test_a_signature_s_scope_says_whose_a_request_is() -> None:
    assert providers_of_scope("rekognition", shipped().providers) == ("aws_rekognition",)
    assert providers_of_scope("nothing", shipped().providers) == ()
