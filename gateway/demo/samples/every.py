"""The whole sample traffic, in the order in which it is sent."""

from __future__ import annotations

import msgspec

from gateway.demo.samples import azure_face, rekognition
from gateway.demo.samples.model import DENIED, Sample

SAMPLES = (*rekognition.SAMPLES, *azure_face.SAMPLES)


def _tightened() -> tuple[Sample, Sample]:
    before = next(sample for sample in SAMPLES if sample.id == "aws-missing")
    return before, msgspec.structs.replace(before, expected=DENIED)


# The request whose answer `world.tighten` changes: what must become of it before, and after.
TIGHTENED = _tightened()
