from __future__ import annotations

from ipaddress import ip_address, ip_network

import msgspec
import pytest

from gateway.core.decision import REASONS
from gateway.demo.parties import PARTIES
from gateway.demo.samples.every import SAMPLES
from gateway.demo.samples.model import PLACES, Sample

TENANTS = {str(party["id"]): party for party in PARTIES}
DOCUMENTATION = [ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


def test_there_are_samples_of_both_providers_and_every_outcome() -> None:
    assert len(SAMPLES) >= 24
    assert {sample.provider for sample in SAMPLES} == {"aws_rekognition", "azure_face"}
    assert {sample.expected.outcome for sample in SAMPLES} == {"permit", "refuse", "reject"}


def test_ids_and_titles_tell_samples_apart() -> None:
    assert len({sample.id for sample in SAMPLES}) == len(SAMPLES)
    assert len({(sample.provider, sample.title) for sample in SAMPLES}) == len(SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_a_sample_expects_a_reason_that_there_is_and_a_tenant_that_there_is(
    sample: Sample,
) -> None:
    assert sample.expected.reason in REASONS
    assert sample.tenant in TENANTS
    assert sample.place in PLACES
    assert sample.expected.reaches_provider == (sample.expected.outcome == "permit")


def test_every_kind_of_reason_that_traffic_alone_can_cause_occurs() -> None:
    kinds = {REASONS[sample.expected.reason].kind for sample in SAMPLES}
    assert kinds == {"permitted", "policy", "unmet", "identity", "malformed", "host"}
    misbehaviours = {sample.misbehaviour for sample in SAMPLES}
    assert misbehaviours >= {"switch_protocols", "drop"}


def test_every_class_that_is_governed_occurs() -> None:
    classes = {sample.operation_class for sample in SAMPLES}
    assert classes >= {"one_to_one", "one_to_many", "gallery", "image_db", "detect", "unrelated"}


def test_every_tenant_sends_something() -> None:
    assert {sample.tenant for sample in SAMPLES} == set(TENANTS)


def test_addresses_are_of_documentation_or_private_ranges() -> None:
    for place, text in PLACES.items():
        address = ip_address(text)
        if place == "private":
            assert address in ip_network("10.0.0.0/8")
        else:
            assert any(address in network for network in DOCUMENTATION)


def test_a_claimed_place_stands_before_the_place() -> None:
    spoofed = next(sample for sample in SAMPLES if sample.claimed_place)
    claimed, place = PLACES[spoofed.claimed_place], PLACES[spoofed.place]
    assert spoofed.forwarded_for == f"{claimed}, {place}"
    honest = msgspec.structs.replace(spoofed, claimed_place="")
    assert honest.forwarded_for == place
