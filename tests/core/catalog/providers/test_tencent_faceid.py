"""Tencent FaceID: verification of the person who is named, nothing that searches."""

from __future__ import annotations

import pytest

from gateway.core.operation import Classified
from tests.core.catalog.build import doubtful, known, unheard_of
from tests.core.catalog.providers.collection import ask, operation_differences


def faceid(operation: str, *, target: str = "/", version: str = "2018-03-01") -> Classified:
    return ask(
        "tencent_faceid",
        target,
        {"IdCard": "1", "Name": "n"},
        headers={"x-tc-action": operation, "x-tc-version": version},
    )


def test_the_operations_are_those_that_were_collected() -> None:
    assert list(operation_differences("tencent_faceid")) == []


@pytest.mark.parametrize(
    ("operation", "operation_class", "subclass"),
    [
        ("ImageRecognitionV2", "one_to_one", "authority_db"),
        ("CheckIdCardInformation", "one_to_one", "authority_db"),
        ("LivenessRecognition", "one_to_one", "authority_db"),
        ("LivenessCompare", "liveness", "liveness_1to1"),
        ("GetDetectInfoEnhanced", "liveness", ""),
        ("DetectAIFakeFaces", "detect", ""),
        ("PhoneVerification", "unrelated", ""),
    ],
)
def test_an_operation_has_the_class_of_its_row(
    operation: str, operation_class: str, subclass: str
) -> None:
    found = known(faceid(operation))

    assert (found.operation_class, found.subclass) == (operation_class, subclass)


@pytest.mark.parametrize("operation", ["SearchFaces", "CreatePerson", "imagerecognitionv2"])
def test_what_another_service_has_is_unknown_here(operation: str) -> None:
    unheard_of(faceid(operation))


def test_a_parameter_that_names_another_operation_is_a_second_reading() -> None:
    found = faceid("PhoneVerification", target="/?Action=ImageRecognitionV2")

    assert doubtful(found).operation_class == "one_to_one"


def test_an_api_version_that_is_not_known_is_unknown() -> None:
    unheard_of(faceid("PhoneVerification", version="2020-03-03"))
