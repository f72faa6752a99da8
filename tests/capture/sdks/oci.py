"""OCI Vision by oci."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from oci.ai_vision import AIServiceVisionClient, models
from oci.retry import NoneRetryStrategy

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import IMAGE_BASE64

PROVIDER = "oci_vision"

_OCID = "ocid1.{kind}.oc1..aaaaaaaaexample"


def calls() -> Iterator[Call]:
    """Name the calls, by the methods of the client."""
    client = AIServiceVisionClient(_config(), retry_strategy=NoneRetryStrategy())
    image = models.InlineImageDetails(data=IMAGE_BASE64)

    def analysis(*features: models.ImageFeature) -> models.AnalyzeImageDetails:
        return models.AnalyzeImageDetails(
            features=list(features), image=image, compartment_id=_OCID.format(kind="compartment")
        )

    faces = models.FaceDetectionFeature(max_results=5)
    templates = models.FaceEmbeddingFeature(max_results=5)
    labels = models.ImageClassificationFeature(max_results=5)
    for name, operation_class, details in (
        ("analyze-faces", "detect", analysis(faces)),
        ("analyze-templates", "embed", analysis(labels, templates)),
        ("analyze-labels", "unrelated", analysis(labels)),
    ):
        yield Call(
            name,
            "analyze_image",
            operation_class,
            lambda details=details: client.analyze_image(details),
        )


def _config() -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return {
        "user": _OCID.format(kind="user"),
        "tenancy": _OCID.format(kind="tenancy"),
        "fingerprint": "00:" * 15 + "00",
        "region": "us-ashburn-1",
        "key_content": pem.decode(),
    }
