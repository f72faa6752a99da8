"""The only map from reasons to HTTP: what a refused caller reads.

The body is the provider's own error, so that its SDK raises its normal exception, with our fields
beside it; plain clients get RFC 9457. A refusal by policy and a dependency that is down are 403 and
carry no Retry-After: SDKs retry a 503 for minutes, and one with Retry-After at once. The only
answer that asks for another try is overload.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Literal

import msgspec

from gateway.core.decision import REASONS

ErrorForm = Literal["aws_json", "azure", "google", "problem"]
# What the reasons come to, as a provider would tell it.
Case = Literal[
    "denied",
    "missing",
    "incomplete",
    "signature",
    "expired",
    "unknown",
    "invalid",
    "unreadable",
    "host",
    "overload",
    "upstream",
]
Headers = tuple[tuple[str, str], ...]
Json = dict[str, object]

_RETRY_AFTER_S = 1
_CHALLENGE = (
    "WWW-Authenticate",
    'Bearer realm="facegate"',
)  # RFC 9110 section 15.5.2: a 401 has one


class Answer(msgspec.Struct, frozen=True):
    """One whole response; which bytes frame it is the listener's affair."""

    status: int
    headers: Headers
    body: bytes

    def __repr__(self) -> str:
        """Show sizes only: a provider's answer may be about a person."""
        return f"Answer({self.status}, {len(self.headers)} headers, {len(self.body)} bytes)"


class _Native(msgspec.Struct, frozen=True):
    """A status and the provider's name for it; 0 keeps the status that the refusal came with."""

    status: int
    code: str


# Reasons whose case is not the one of their kind.
_CASE_OF_REASON: Mapping[str, Case] = {
    "identity.missing": "missing",
    "identity.malformed": "incomplete",
    "identity.signature": "signature",
    "identity.expired": "expired",
    "identity.keys": "denied",  # a dependency is down: asking for another credential is no help
    "malformed.body": "unreadable",
    "malformed.syntax": "unreadable",
}
_CASE_OF_KIND: Mapping[str, Case] = {
    "policy": "denied",
    "unmet": "denied",
    "dependency": "denied",
    "engine": "denied",
    "identity": "unknown",
    "malformed": "invalid",
    "host": "host",
    "overload": "overload",
    "upstream": "upstream",
}
_UNAUTHENTICATED: tuple[Case, ...] = ("missing", "incomplete", "signature", "expired", "unknown")


def _table(*, unauthenticated: _Native, **natives: _Native) -> Mapping[str, _Native]:
    return dict.fromkeys(_UNAUTHENTICATED, unauthenticated) | natives


_NATIVES: Mapping[ErrorForm, Mapping[str, _Native]] = {
    # Names of Rekognition's model where it has one, else of AWS's common errors.
    "aws_json": {
        "denied": _Native(403, "AccessDeniedException"),
        "missing": _Native(403, "MissingAuthenticationTokenException"),
        "incomplete": _Native(403, "IncompleteSignatureException"),
        "signature": _Native(403, "InvalidSignatureException"),
        "expired": _Native(403, "ExpiredTokenException"),
        "unknown": _Native(403, "UnrecognizedClientException"),
        "invalid": _Native(0, "ValidationException"),
        "unreadable": _Native(0, "SerializationException"),
        "overload": _Native(400, "ThrottlingException"),
        "upstream": _Native(502, "InternalServerError"),
    },
    "azure": _table(
        unauthenticated=_Native(401, "401"),
        denied=_Native(403, "AccessDenied"),
        invalid=_Native(0, "BadArgument"),
        unreadable=_Native(0, "BadArgument"),
        overload=_Native(429, "429"),
        upstream=_Native(502, "InternalServerError"),
    ),
    # Names of google.rpc.Code.
    "google": _table(
        unauthenticated=_Native(401, "UNAUTHENTICATED"),
        denied=_Native(403, "PERMISSION_DENIED"),
        invalid=_Native(0, "INVALID_ARGUMENT"),
        unreadable=_Native(0, "INVALID_ARGUMENT"),
        overload=_Native(429, "RESOURCE_EXHAUSTED"),
        upstream=_Native(502, "UNAVAILABLE"),
    ),
    "problem": _table(
        unauthenticated=_Native(401, ""),
        denied=_Native(403, ""),
        invalid=_Native(0, ""),
        unreadable=_Native(0, ""),
        host=_Native(421, ""),
        overload=_Native(429, ""),
        upstream=_Native(502, ""),
    ),
}

# RFC 9110: a 405 says what is allowed, a 415 which codings are acceptable.
_EXPLAINED: Mapping[int, Headers] = {
    405: (("Allow", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),),
    415: (("Accept-Encoding", "identity"),),
}


def refusal(
    *,
    reason: str,
    decision_id: str,
    form: ErrorForm,
    host: str,
    obligations: Iterable[str] = (),
    status: int = 400,
) -> Answer:
    """Return the answer to a refused caller.

    The text never says which list entry, rule or fact decided; that stands in the record.

    Args:
        reason: code from `REASONS`.
        decision_id: id that the caller may quote.
        form: whose error it is; an unknown host has no provider, its answer is always RFC 9457.
        host: name of this gateway as the caller knows it, the error's domain in Google's form.
        obligations: kinds of reference that are not on file.
        status: of a malformed request, as the door set it; other cases have their own.
    """
    case = _CASE_OF_REASON.get(reason) or _CASE_OF_KIND.get(REASONS[reason].kind, "denied")
    if case == "host":
        form = "problem"
    native = _NATIVES[form][case]
    status = native.status or status
    text = _text(reason, decision_id, obligations)
    headers, body = _written(form, _Refusal(reason, decision_id, host, status, native.code, text))
    if case == "overload":
        headers += (("Retry-After", str(_RETRY_AFTER_S)),)
    if status == HTTPStatus.UNAUTHORIZED:
        headers += (_CHALLENGE,)
    common = (("Cache-Control", "no-store"), ("X-Facegate-Decision", decision_id))
    return Answer(
        status,
        headers + common + _EXPLAINED.get(status, ()),
        msgspec.json.encode(body | {"decision_id": decision_id, "reason": reason}),
    )


class _Refusal(msgspec.Struct, frozen=True):
    """What every form tells in its own way."""

    reason: str
    decision_id: str
    host: str
    status: int
    code: str
    text: str


def _text(reason: str, decision_id: str, obligations: Iterable[str]) -> str:
    needed = ", ".join(obligations)
    public = REASONS[reason].public + (f": {needed}" if needed else "")
    return f"{public} (decision {decision_id})"


def _written(form: ErrorForm, refused: _Refusal) -> tuple[Headers, Json]:
    match form:
        case "aws_json":
            return _aws_json(refused)
        case "azure":
            return _azure(refused)
        case "google":
            return _google(refused)
        case "problem":
            return _problem(refused)


def _aws_json(refused: _Refusal) -> tuple[Headers, Json]:
    # botocore reads `__type` of the body only; the AWS SDK for JavaScript also takes the header.
    headers = (
        ("Content-Type", "application/x-amz-json-1.1"),
        ("x-amzn-ErrorType", refused.code),
        ("x-amzn-RequestId", refused.decision_id),
    )
    return headers, {"__type": refused.code, "message": refused.text}


def _azure(refused: _Refusal) -> tuple[Headers, Json]:
    headers = (
        ("Content-Type", "application/json"),
        ("x-ms-error-code", refused.code),
        ("apim-request-id", refused.decision_id),
    )
    return headers, {"error": {"code": refused.code, "message": refused.text}}


def _google(refused: _Refusal) -> tuple[Headers, Json]:
    blocked = REASONS[refused.reason].kind in {"policy", "unmet"}
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "POLICY_BLOCKED" if blocked else refused.reason.upper().replace(".", "_"),
        "domain": refused.host,
        "metadata": {"decision_id": refused.decision_id, "reason": refused.reason},
    }
    error = {
        "code": refused.status,
        "message": refused.text,
        "status": "UNIMPLEMENTED" if refused.status == HTTPStatus.NOT_IMPLEMENTED else refused.code,
        "details": [info],
    }
    return (("Content-Type", "application/json"),), {"error": error}


def _problem(refused: _Refusal) -> tuple[Headers, Json]:
    return (("Content-Type", "application/problem+json"),), {
        "type": f"urn:facegate:reason:{refused.reason}",
        "title": REASONS[refused.reason].public,
        "status": refused.status,
        "detail": refused.text,
        "instance": f"urn:facegate:decision:{refused.decision_id}",
    }
