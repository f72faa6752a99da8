from __future__ import annotations

import zlib

from hypothesis import given, strategies as st

from gateway.demo.provider.faces import portrait, similarity, template_of

people = st.text(min_size=1, max_size=20)
shots = st.integers(0, 10_000)


def _template(person: str, shot: int = 1) -> bytes:
    template = template_of(portrait(person, shot))
    assert template is not None
    return template


@given(people, shots, shots)
def test_two_shots_of_one_person_are_about_99_per_cent_alike(
    person: str, one: int, other: int
) -> None:
    assert similarity(_template(person, one), _template(person, other)) > 98


@given(people, people)
def test_two_persons_are_never_taken_for_one(one: str, other: str) -> None:
    assert one == other or similarity(_template(one), _template(other)) < 70


def test_a_portrait_is_a_picture_that_any_viewer_opens() -> None:
    image = portrait("ada")
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(image) >= 1024
    position = 8
    kinds = []
    while position < len(image):
        length = int.from_bytes(image[position : position + 4])
        chunk = image[position + 4 : position + 8 + length]
        assert zlib.crc32(chunk) == int.from_bytes(image[position + 8 + length :][:4])
        kinds.append(chunk[:4])
        position += 12 + length
    assert kinds == [b"IHDR", b"tEXt", b"IDAT", b"IEND"]


def test_a_portrait_is_the_same_in_each_run() -> None:
    assert portrait("ada", 2) == portrait("ada", 2)
    assert portrait("ada", 2) != portrait("ada", 3)


@given(st.binary(max_size=200))
def test_any_bytes_are_one_face_or_none(content: bytes) -> None:
    template = template_of(content)
    assert template is None or len(template) == 64
    assert template_of(b"no picture" + content) is None
    jpeg = b"\xff\xd8\xff" + content
    assert len(template_of(jpeg) or b"") == 64
    damaged = portrait("ada")[:110] + content
    assert len(template_of(damaged) or b"") == 64
