"""Bodies that are multipart forms, and the paths that the collection says name operations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.core.operation import Operation
from tests.core.catalog.providers.collection import ask, collected_operations

MULTIPART = "multipart/form-data; boundary=b"


def multipart(*fields: tuple[str, str], files: tuple[str, ...] = ()) -> bytes:
    """Make a multipart form with boundary `b` (RFC 7578); each file is two bytes of a JPEG."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    parts += [
        f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n".encode()
        + b"\xff\xd8\r\n"
        for name in files
    ]
    return b"".join(parts) + b"--b--\r\n"


def path_differences(provider: str, versions: tuple[str, ...] = ("",)) -> Iterator[str]:
    """Tell which collected paths do not name their operation.

    Args:
        provider: whose.
        versions: what `{api_version}` stands for.
    """
    for each in collected_operations(provider):
        template = each.wire.path.split(" ")[0]
        for version in versions:
            path = re.sub(r"\{\w+\}", "x1", template.replace("{api_version}", version))
            for method in each.wire.method.replace("ANY", "PATCH").split("|"):
                found = ask(provider, path, method=method)
                named = {step.removeprefix("can be read as ") for step in found.reading}
                if isinstance(found, Operation):
                    named = {found.name}
                if each.operation not in named:
                    yield f"{method} {path}: {found}"
