"""Google Vision and Video Intelligence by their libraries and by google-api-python-client."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import googleapiclient.discovery
from google.cloud import videointelligence_v1, vision_v1, vision_v1p4beta1
from google.oauth2.credentials import Credentials
from googleapiclient.http import HttpRequest

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import IMAGE, IMAGE_BASE64, IMAGE_URL

PROVIDER = "google_vision"

_CREDENTIALS = Credentials(token="made-up-token")
_PARENT = "projects/acme/locations/europe-west1"
_FACES = {
    "requests": [{"image": {"content": IMAGE_BASE64}, "features": [{"type": "FACE_DETECTION"}]}]
}


def calls() -> Iterator[Call]:
    """Name the calls, by the ids of the discovery documents or the names of the RPCs."""
    yield from _library()
    yield from _celebrities()
    yield from _products()
    yield from _videos()
    yield from _discovered()


def _library() -> Iterator[Call]:
    client = vision_v1.ImageAnnotatorClient(credentials=_CREDENTIALS, transport="rest")
    image = vision_v1.Image(content=IMAGE)
    linked = vision_v1.Image(source=vision_v1.ImageSource(image_uri=IMAGE_URL))
    yield Call(
        "face-detection",
        "vision.images.annotate",
        "detect",
        lambda: client.face_detection(image=image, max_results=5),
    )
    yield Call(
        "label-detection",
        "vision.images.annotate",
        "unrelated",
        lambda: client.label_detection(image=linked),
    )
    yield Call(
        "web-detection",
        "vision.images.annotate",
        "image_search",
        lambda: client.web_detection(image=image),
    )
    yield Call(
        "annotate-two-features",
        "vision.images.annotate",
        "image_search",
        lambda: client.annotate_image(
            {
                "image": {"source": {"image_uri": IMAGE_URL}},
                "features": [
                    {"type_": vision_v1.Feature.Type.FACE_DETECTION},
                    {"type_": vision_v1.Feature.Type.WEB_DETECTION},
                ],
            }
        ),
    )


def _celebrities() -> Iterator[Call]:
    client = vision_v1p4beta1.ImageAnnotatorClient(credentials=_CREDENTIALS, transport="rest")
    parameters = vision_v1p4beta1.FaceRecognitionParams(celebrity_set=["builtin/default"])
    yield Call(
        "celebrities",
        "BatchAnnotateImages",
        "one_to_many",
        lambda: client.annotate_image(
            vision_v1p4beta1.AnnotateImageRequest(
                image=vision_v1p4beta1.Image(content=IMAGE),
                features=[{"type_": vision_v1p4beta1.Feature.Type.FACE_DETECTION}],
                image_context={"face_recognition_params": parameters},
            )
        ),
    )


def _products() -> Iterator[Call]:
    client = vision_v1.ProductSearchClient(credentials=_CREDENTIALS, transport="rest")
    yield Call(
        "product-set",
        "vision.projects.locations.productSets.create",
        "image_db",
        lambda: client.create_product_set(
            parent=_PARENT, product_set=vision_v1.ProductSet(display_name="shoes")
        ),
    )
    yield Call(
        "product-set-delete",
        "vision.projects.locations.productSets.delete",
        "image_db",
        lambda: client.delete_product_set(name=f"{_PARENT}/productSets/shoes"),
    )


def _videos() -> Iterator[Call]:
    client = videointelligence_v1.VideoIntelligenceServiceClient(
        credentials=_CREDENTIALS, transport="rest"
    )
    yield Call(
        "video-faces",
        "videointelligence.videos.annotate",
        "detect",
        lambda: client.annotate_video(
            request={
                "features": [videointelligence_v1.Feature.FACE_DETECTION],
                "input_uri": "gs://footage/door.mp4",
                "output_uri": "gs://footage/found.json",
            }
        ),
        provider="google_videointelligence",
    )


def _discovered() -> Iterator[Call]:
    service = googleapiclient.discovery.build("vision", "v1", credentials=_CREDENTIALS)

    def once(request: HttpRequest) -> Callable[[], object]:
        return lambda: request.execute(num_retries=0)

    yield Call(
        "discovery-annotate",
        "vision.images.annotate",
        "detect",
        once(service.images().annotate(body=_FACES)),
    )
    yield Call(
        "discovery-project",
        "vision.projects.locations.images.annotate",
        "detect",
        once(service.projects().locations().images().annotate(parent=_PARENT, body=_FACES)),
    )

    def batch() -> None:
        both = service.new_batch_http_request()
        both.add(service.images().annotate(body=_FACES), request_id="one")
        both.add(service.operations().list(name="operations"), request_id="two")
        both.execute()

    yield Call("batch", "POST /batch", "detect", batch, provider="google_batch")
