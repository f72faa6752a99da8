"""Whose a request is, where its host alone does not tell."""

from __future__ import annotations

from gateway.core.catalog.hosts import providers_at, providers_of_scope
from tests.core.catalog.build import shipped


def test_a_signature_does_not_mean_rekognition() -> None:
    assert providers_at("api.id.nec.com.au", shipped().providers) == ("nec_id",)
    assert "aws_rekognition" not in providers_of_scope("execute-api", shipped().providers)


def test_an_address_may_still_be_rekognition() -> None:
    assert providers_at("10.0.0.7:443", shipped().providers) == ()
    assert providers_of_scope("rekognition", shipped().providers) == ("aws_rekognition",)
