"""Canonical JSON (RFC 8785) for values of our own: sorted keys, no white space, integers only.

msgspec's sorted encoder writes exactly the canonical form as long as keys are ASCII (so that UTF-8
and UTF-16 order agree) and there are no floats; both hold for every record, and a property test
compares with an independent implementation. What is read back is checked to lose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


def _plain(value: object) -> object:
    """Return what msgspec can encode in place of a frozen mapping.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a record cannot hold a `{type(value).__name__}`")


_encoder = msgspec.json.Encoder(order="sorted", enc_hook=_plain)


def canonical(value: object) -> bytes:
    """Encode a value made of structs, mappings with ASCII keys, sequences, text and integers.

    Lone surrogates have no UTF-8 form; each becomes a question mark, because a record that cannot
    be written would let a caller choose what goes unrecorded.

    Raises:
        TypeError: for a value that has no JSON form.
    """
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_encodable(msgspec.to_builtins(value, enc_hook=_plain)))


def loses_nothing(line: bytes, value: object) -> bool:
    """Tell whether everything that a canonical line says stands in the value read from it.

    The value may say more: fields that came after the line was written have their defaults. A line
    in any other form than the canonical one, or with a field that nothing read, answers False.
    """
    again = _encoder.encode(value)
    if again == line:
        return True
    plain: object = msgspec.json.decode(line)
    return _encoder.encode(plain) == line and _contains(msgspec.json.decode(again), plain)


def _contains(whole: object, part: object) -> bool:
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and _contains(whole[key], part[key]) for key in part)
    if isinstance(whole, list) and isinstance(part, list):
        return len(whole) == len(part) and all(map(_contains, whole, part))
    return type(whole) is type(part) and whole == part


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    return value
