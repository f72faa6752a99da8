"""What a sample is: a message as an SDK sends it, by whom, from where, and what must follow."""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.core.operation import OperationClass
from gateway.core.strict_json import JsonValue
from gateway.demo.provider.server import Misbehaviour

ProviderName = Literal["aws_rekognition", "azure_face"]
# How the caller proves who it is; the later ones are wrong on purpose.
CredentialKind = Literal[
    "jwt",
    "api_key",
    "sigv4",
    "none",
    "jwt_and_api_key",
    "expired_jwt",
    "foreign_jwt",
    "unknown_api_key",
    "wrong_signature",
]
# `reject`: never judged, because the bytes have no single reading or no known host.
Outcome = Literal["permit", "refuse", "reject"]

# Documentation addresses (RFC 5737); `world` gives each its country.
PLACES = {
    "GB": "192.0.2.10",
    "US": "192.0.2.26",
    "CA": "192.0.2.42",
    "NL": "192.0.2.58",
    "NO": "192.0.2.74",
    "UA": "192.0.2.90",
    "AE": "192.0.2.106",
    "CN": "198.51.100.10",
    "RU": "198.51.100.26",
    "IR": "198.51.100.42",
    "nowhere": "203.0.113.10",
    "private": "10.0.0.10",
}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on the wire before host, client address and credential are added.

    Attributes:
        method: as sent.
        target: request target, raw.
        headers: in order; neither Host nor Content-Length nor a credential.
        body: the bytes after the head.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What must become of a sample.

    Attributes:
        status: status of the answer.
        outcome: what the gateway decides.
        reason: code from `gateway.core.decision.REASONS`.
        reaches_provider: whether the request arrives at the provider.
    """

    status: int
    outcome: Outcome
    reason: str
    reaches_provider: bool = False


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One request of the sample traffic, with what must become of it.

    Attributes:
        id: short, unique, e.g. `bank-compare`.
        title: what it shows, for the table.
        tenant: id of the tenant that sends it.
        provider: whose dialect it speaks.
        operation: as the catalogue names it; what it pretends to be where it has no reading.
        operation_class: class under which it is judged.
        message: the message.
        credential: how the caller proves who it is.
        place: code from `PLACES`, whose address stands last in X-Forwarded-For.
        claimed_place: code whose address stands before it, as a client would write it; or empty.
        expected: what must become of it.
        host: Host header where it is not the provider's own at the gateway.
        misbehaviour: what the provider does with it, if it does not answer.
    """

    id: str
    title: str
    tenant: str
    provider: ProviderName
    operation: str
    operation_class: OperationClass
    message: Message
    credential: CredentialKind
    place: str
    expected: Expected
    claimed_place: str = ""
    host: str = ""
    misbehaviour: Misbehaviour | None = None

    @property
    def forwarded_for(self) -> str:
        """The X-Forwarded-For header as the proxy in front of the gateway hands it on."""
        places = (self.claimed_place, self.place)
        return ", ".join(PLACES[place] for place in places if place)


PERMITTED = Expected(status=200, outcome="permit", reason="policy.permitted", reaches_provider=True)
UNGOVERNED = Expected(
    status=200, outcome="permit", reason="policy.ungoverned", reaches_provider=True
)
DENIED = Expected(status=403, outcome="refuse", reason="policy.denied")
NO_RULE = Expected(status=403, outcome="refuse", reason="policy.default")
UNMET = Expected(status=403, outcome="refuse", reason="policy.unmet")
AMBIGUOUS = Expected(status=400, outcome="refuse", reason="operation.ambiguous")


def unverified(reason: str, status: int) -> Expected:
    """Expect that the caller is not believed: 403 in the AWS dialect, 401 in Azure's."""
    return Expected(status=status, outcome="refuse", reason=f"identity.{reason}")


def rejected(reason: str, status: int = 400) -> Expected:
    """Expect that the request never becomes one: it has no single reading, or no known host."""
    return Expected(status=status, outcome="reject", reason=reason)


def rekognition_message(operation: str, **members: object) -> Message:
    """Make a message as boto3 sends it: JSON 1.1, the operation in X-Amz-Target.

    Args:
        operation: name in the service model.
        members: of the body, as boto3 takes them; bytes become base64.
    """
    return Message(
        method="POST",
        target="/",
        headers=(
            ("Accept-Encoding", "identity"),
            ("X-Amz-Target", f"RekognitionService.{operation}"),
            ("Content-Type", "application/x-amz-json-1.1"),
            ("User-Agent", "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 Botocore/1.44.5"),
            ("amz-sdk-invocation-id", "00000000-0000-4000-8000-000000000000"),
            ("amz-sdk-request", "attempt=1"),
        ),
        body=msgspec.json.encode(members),
    )


def azure_message(method: str, path: str, content: JsonValue | bytes = None) -> Message:
    """Make a message as azure-ai-vision-face sends it.

    Args:
        method: as on the wire.
        path: what follows `/face/{version}`, with the query.
        content: bytes of a picture, a JSON value, or None for no body.
    """
    headers: tuple[tuple[str, str], ...] = (
        ("User-Agent", "azsdk-python-ai-vision-face/1.0.0b2 Python/3.11.7"),
        ("Accept-Encoding", "gzip, deflate"),
        ("Accept", "application/json"),
        ("Connection", "keep-alive"),
        ("x-ms-client-request-id", "00000000-0000-4000-8000-000000000000"),
    )
    if isinstance(content, bytes):
        headers = (*headers, ("content-type", "application/octet-stream"))
    elif content is not None:
        headers = (*headers, ("Content-Type", "application/json"))
    body = content if isinstance(content, bytes) else b""
    return Message(
        method=method,
        target=f"/face/v1.2-preview.1{path}",
        headers=headers,
        body=body
        if content is None or isinstance(content, bytes)
        else msgspec.json.encode(content),
    )
