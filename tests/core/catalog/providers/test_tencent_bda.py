"""Tencent BDA: segmentation, after the searches for bodies were withdrawn."""

from __future__ import annotations

import pytest

from gateway.core.operation import Classified
from tests.core.catalog.build import known, unheard_of
from tests.core.catalog.providers.collection import ask, operation_differences


def bda(operation: str) -> Classified:
    headers = {"x-tc-action": operation, "x-tc-version": "2020-03-24"}
    return ask("tencent_bda", "/", {"Url": "u"}, headers=headers)


def test_the_operations_are_those_that_were_collected() -> None:
    assert list(operation_differences("tencent_bda")) == []


@pytest.mark.parametrize("operation", ["SegmentPortraitPic", "CreateSegmentationTask"])
def test_segmentation_is_unrelated(operation: str) -> None:
    assert known(bda(operation)).operation_class == "unrelated"


@pytest.mark.parametrize("operation", ["SearchTrace", "CreateTrace", "CreatePerson", "DetectBody"])
def test_what_was_withdrawn_is_unknown(operation: str) -> None:
    unheard_of(bda(operation))
