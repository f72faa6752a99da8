"""What the captures send in place of faces: a few bytes that no decoder takes."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from functools import cache
from pathlib import Path

IMAGE = b"\xff\xd8\xff\xe0 no face \xff\xd9"
IMAGE_BASE64 = b64encode(IMAGE).decode()
IMAGE_URL = "https://images.example/probe.jpg"
FACE = "c5c24a82-6845-4031-9d5d-978df9175426"
OTHER_FACE = "65d083d4-9447-47d1-af30-b626144bf0fb"
PERSON = "8b1d2a36-2f5c-4d0a-9f0f-2d6f3c7c2b11"


@cache
def image_file() -> str:
    """Write the image to a file and return its path; only its name, `probe.jpg`, is ever sent."""
    path = Path(tempfile.mkdtemp()) / "probe.jpg"
    path.write_bytes(IMAGE)
    return str(path)
