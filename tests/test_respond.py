from __future__ import annotations

import json
from collections.abc import Mapping
from typing import get_args

import botocore.parsers
import botocore.session
import pytest
from azure.core.exceptions import HttpResponseError
from hypothesis import given, strategies as st

from gateway.core.decision import REASONS
from gateway.respond import Answer, ErrorForm, refusal

FORMS: tuple[ErrorForm, ...] = get_args(ErrorForm)
REFUSALS = [name for name, reason in REASONS.items() if reason.kind != "permitted"]
HOST = "gw.example"
ID = "dec_abc"

DENIED = {"aws_json": (403, "AccessDeniedException"), "azure": (403, "AccessDenied")} | {
    "google": (403, "PERMISSION_DENIED"),
    "problem": (403, None),
}
INVALID = {"aws_json": (400, "ValidationException"), "azure": (400, "BadArgument")} | {
    "google": (400, "INVALID_ARGUMENT"),
    "problem": (400, None),
}
UNREADABLE = INVALID | {"aws_json": (400, "SerializationException")}
UPSTREAM = {"aws_json": (502, "InternalServerError"), "azure": (502, "InternalServerError")} | {
    "google": (502, "UNAVAILABLE"),
    "problem": (502, None),
}


def unauthenticated(aws: str) -> Mapping[str, tuple[int, str | None]]:
    return {
        "aws_json": (403, aws),
        "azure": (401, "401"),
        "google": (401, "UNAUTHENTICATED"),
        "problem": (401, None),
    }


# Every reason, every form: status and the provider's own name.
TABLE: Mapping[str, Mapping[str, tuple[int, str | None]]] = {
    "policy.denied": DENIED,
    "policy.default": DENIED,
    "policy.unmet": DENIED,
    "policy.missing": DENIED,
    "audit.unavailable": DENIED,
    "engine.failed": DENIED,
    "identity.keys": DENIED,
    "identity.missing": unauthenticated("MissingAuthenticationTokenException"),
    "identity.malformed": unauthenticated("IncompleteSignatureException"),
    "identity.signature": unauthenticated("InvalidSignatureException"),
    "identity.expired": unauthenticated("ExpiredTokenException"),
    "identity.several": unauthenticated("UnrecognizedClientException"),
    "identity.unknown": unauthenticated("UnrecognizedClientException"),
    "identity.tenant": unauthenticated("UnrecognizedClientException"),
    "operation.ambiguous": INVALID,
    "malformed.path": INVALID,
    "malformed.query": INVALID,
    "malformed.header": INVALID,
    "malformed.duplicate": INVALID,
    "malformed.method": INVALID,
    "malformed.length": INVALID,
    "malformed.timeout": INVALID,
    "malformed.expect": INVALID,
    "malformed.connection": INVALID,
    "malformed.body": UNREADABLE,
    "malformed.syntax": UNREADABLE,
    "host.unknown": dict.fromkeys(FORMS, (421, None)),
    "gateway.overload": {
        "aws_json": (400, "ThrottlingException"),
        "azure": (429, "429"),
        "google": (429, "RESOURCE_EXHAUSTED"),
        "problem": (429, None),
    },
    "state.unavailable": DENIED,
    "upstream.unavailable": UPSTREAM,
    "upstream.broken": UPSTREAM,
    "upstream.timeout": UPSTREAM,
}
CASES = [(reason, form) for reason in TABLE for form in FORMS]
IDS = [f"{reason}-{form}" for reason, form in CASES]


def refused(reason: str, form: ErrorForm, **options: object) -> Answer:
    answer: Answer = refusal(reason=reason, decision_id=ID, form=form, host=HOST, **options)  # type: ignore[arg-type]
    return answer


def body_of(answer: Answer) -> dict[str, object]:
    body: dict[str, object] = json.loads(answer.body)
    return body


def code_of(answer: Answer) -> object:
    body = body_of(answer)
    error = body.get("error")
    if isinstance(error, dict):
        return error.get("status", error["code"])
    return body.get("__type")


def headers_of(answer: Answer) -> dict[str, str]:
    headers = {name.lower(): value for name, value in answer.headers}
    assert len(headers) == len(answer.headers)
    return headers


def test_the_table_has_every_reason() -> None:
    assert sorted(TABLE) == sorted(REFUSALS)


@pytest.mark.parametrize(("reason", "form"), CASES, ids=IDS)
def test_every_reason_has_its_answer_in_every_form(reason: str, form: ErrorForm) -> None:
    answer = refused(reason, form)
    assert (answer.status, code_of(answer)) == TABLE[reason][form]


@pytest.mark.parametrize(("reason", "form"), CASES, ids=IDS)
def test_every_answer_can_be_quoted_and_is_not_stored(reason: str, form: ErrorForm) -> None:
    answer = refused(reason, form)
    headers, body = headers_of(answer), body_of(answer)
    assert headers["cache-control"] == "no-store"
    assert headers["x-facegate-decision"] == body["decision_id"] == ID
    assert body["reason"] == reason
    assert REASONS[reason].public in answer.body.decode()
    assert REASONS[reason].hint not in answer.body.decode()


@pytest.mark.parametrize(("reason", "form"), CASES, ids=IDS)
def test_only_overload_asks_for_another_try(reason: str, form: ErrorForm) -> None:
    answer = refused(reason, form)
    assert ("retry-after" in headers_of(answer)) == (reason == "gateway.overload")
    assert answer.status != 503


@pytest.mark.parametrize(("reason", "form"), CASES, ids=IDS)
def test_a_401_and_only_that_says_how_to_authenticate(reason: str, form: ErrorForm) -> None:
    answer = refused(reason, form)
    assert ("www-authenticate" in headers_of(answer)) == (answer.status == 401)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", [400, 405, 408, 413, 415, 417, 431, 501])
def test_a_malformed_request_keeps_the_status_of_the_door(status: int, form: ErrorForm) -> None:
    answer = refused("malformed.length", form, status=status)
    headers = headers_of(answer)
    assert answer.status == status
    assert ("allow" in headers) == (status == 405)
    assert ("accept-encoding" in headers) == (status == 415)
    if form == "google":
        assert code_of(answer) == ("UNIMPLEMENTED" if status == 501 else "INVALID_ARGUMENT")


@pytest.mark.parametrize("form", FORMS)
def test_a_status_of_the_door_changes_no_other_refusal(form: ErrorForm) -> None:
    assert refused("policy.denied", form, status=413).status == 403


def test_what_aws_clients_get_is_exactly_this() -> None:
    answer = refused("policy.denied", "aws_json")
    message = "this use is refused by policy (decision dec_abc)"
    assert body_of(answer) == {
        "__type": "AccessDeniedException",
        "message": message,
        "decision_id": ID,
        "reason": "policy.denied",
    }
    assert headers_of(answer) == {
        "content-type": "application/x-amz-json-1.1",
        "x-amzn-errortype": "AccessDeniedException",
        "x-amzn-requestid": ID,
        "cache-control": "no-store",
        "x-facegate-decision": ID,
    }


def test_what_azure_clients_get_is_exactly_this() -> None:
    answer = refused("policy.denied", "azure")
    message = "this use is refused by policy (decision dec_abc)"
    assert body_of(answer) == {
        "error": {"code": "AccessDenied", "message": message},
        "decision_id": ID,
        "reason": "policy.denied",
    }
    assert headers_of(answer) == {
        "content-type": "application/json",
        "x-ms-error-code": "AccessDenied",
        "apim-request-id": ID,
        "cache-control": "no-store",
        "x-facegate-decision": ID,
    }


@pytest.mark.parametrize(
    ("reason", "public"),
    [("policy.denied", "POLICY_BLOCKED"), ("audit.unavailable", "AUDIT_UNAVAILABLE")],
)
def test_what_google_clients_get_is_exactly_this(reason: str, public: str) -> None:
    answer = refused(reason, "google")
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": public,
        "domain": HOST,
        "metadata": {"decision_id": ID, "reason": reason},
    }
    message = f"{REASONS[reason].public} (decision dec_abc)"
    assert body_of(answer) == {
        "error": {
            "code": 403,
            "message": message,
            "status": "PERMISSION_DENIED",
            "details": [info],
        },
        "decision_id": ID,
        "reason": reason,
    }
    assert headers_of(answer)["content-type"] == "application/json"


def test_what_other_clients_get_is_exactly_this() -> None:
    answer = refused("policy.denied", "problem")
    assert body_of(answer) == {
        "type": "urn:facegate:reason:policy.denied",
        "title": "this use is refused by policy",
        "status": 403,
        "detail": "this use is refused by policy (decision dec_abc)",
        "instance": "urn:facegate:decision:dec_abc",
        "decision_id": ID,
        "reason": "policy.denied",
    }
    assert headers_of(answer)["content-type"] == "application/problem+json"


@pytest.mark.parametrize("form", FORMS)
def test_the_kinds_that_are_not_on_file_are_named(form: ErrorForm) -> None:
    answer = refused("policy.unmet", form, obligations=("consent", "licence"))
    assert b"not on file: consent, licence (decision dec_abc)" in answer.body


@pytest.mark.parametrize("form", FORMS)
def test_an_unknown_host_is_answered_without_its_name(form: ErrorForm) -> None:
    answer = refusal(reason="host.unknown", decision_id=ID, form=form, host="canary")
    assert headers_of(answer)["content-type"] == "application/problem+json"
    assert b"canary" not in answer.body


def test_the_repr_of_an_answer_shows_no_content() -> None:
    assert repr(Answer(200, (("a", "canary"),), b"canary")) == "Answer(200, 1 headers, 6 bytes)"


@given(st.text(), st.sampled_from(FORMS))
def test_a_host_of_any_text_makes_a_body_that_can_be_read(host: str, form: ErrorForm) -> None:
    host = host.encode("utf-8", "replace").decode()
    answer = refusal(reason="policy.denied", decision_id=ID, form=form, host=host)
    assert body_of(answer)["reason"] == "policy.denied"


# The providers' own clients, on the bytes. Only the answer to an unknown host is no provider's.

NATIVE = [reason for reason in TABLE if reason != "host.unknown"]


@pytest.mark.parametrize("reason", NATIVE)
def test_botocore_reads_the_name_and_the_id(reason: str) -> None:
    answer = refused(reason, "aws_json")
    service = botocore.session.get_session().get_service_model("rekognition")
    shape = service.operation_model("SearchFacesByImage").output_shape
    assert shape is not None
    parsed = botocore.parsers.create_parser("json").parse(
        {"status_code": answer.status, "headers": headers_of(answer), "body": answer.body}, shape
    )
    assert parsed["Error"]["Code"] == TABLE[reason]["aws_json"][1]
    assert parsed["Error"]["Message"].endswith("(decision dec_abc)")
    assert parsed["ResponseMetadata"]["RequestId"] == ID
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == answer.status


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ThrottlingException", "InternalServerError"]
)
def test_the_names_for_permitted_callers_are_in_the_model_of_rekognition(code: str) -> None:
    service = botocore.session.get_session().get_service_model("rekognition")
    errors = service.operation_model("SearchFacesByImage").error_shapes
    assert code in {shape.name for shape in errors}


class AzureResponse:
    """What azure-core asks a transport's response for."""

    request: object = None

    def __init__(self, answer: Answer) -> None:
        self.status_code, self.reason = answer.status, "refused"
        self.headers = headers_of(answer)
        self._body = answer.body

    def text(self) -> str:
        """Return the body."""
        return self._body.decode()

    def body(self) -> bytes:
        """Return the body."""
        return self._body


@pytest.mark.parametrize("reason", NATIVE)
def test_azure_core_reads_the_code_and_the_message(reason: str) -> None:
    answer = refused(reason, "azure")
    error = HttpResponseError(response=AzureResponse(answer))
    assert error.status_code == answer.status
    assert error.error is not None
    assert error.error.code == TABLE[reason]["azure"][1]
    assert str(error.error.message).endswith("(decision dec_abc)")
    assert ID in str(error)
