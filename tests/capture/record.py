"""Records one SDK: `python -m tests.capture.record NAME` writes its captures to stdout.

Runs in an environment that holds the SDK; `make capture` makes one for each.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from collections.abc import Iterator

from tests.capture.normalise import line_of, normalised
from tests.capture.recorder import Call, Recorder, redirect


def captures(name: str) -> Iterator[dict[str, object]]:
    """Make every call of an SDK.

    Yields:
        What each sent, in the form of the captures.

    Raises:
        RuntimeError: a call sent no request, or several.
    """
    sdk = importlib.import_module(f"tests.capture.sdks.{name}")
    with Recorder(getattr(sdk, "ANSWER", b"{}")) as recorder:
        redirect(recorder.port)
        for call in sdk.calls():
            yield _captured(recorder, call, name, sdk.PROVIDER)


def _captured(recorder: Recorder, call: Call, name: str, provider: str) -> dict[str, object]:
    recorder.arrived.clear()
    error = ""
    try:
        call.do()
    except Exception as raised:  # noqa: BLE001 - the answer is empty: what the SDK makes of it is no matter
        error = repr(raised)
    if len(recorder.arrived) != 1:
        raise RuntimeError(f"{call.name}: {len(recorder.arrived)} requests were sent {error}")
    said = {
        "id": f"{name}/{call.name}",
        "provider": call.provider or provider,
        "expected_operation": call.operation,
        "expected_class": call.operation_class,
        "disposition": "classify",
        "captured": True,
    }
    return line_of(normalised(recorder.arrived[0]), said)


def main(name: str) -> None:
    """Write the captures of an SDK, one JSON object a line."""
    warnings.simplefilter("ignore")  # SDKs warn of connections without TLS
    for line in captures(name):
        sys.stdout.write(json.dumps(line, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
