"""Clarifai by the JSON channel of clarifai-grpc."""

from __future__ import annotations

from collections.abc import Iterator

from clarifai_grpc.channel.clarifai_channel import ClarifaiChannel
from clarifai_grpc.grpc.api import resources_pb2 as resources, service_pb2 as service
from clarifai_grpc.grpc.api.service_pb2_grpc import V2Stub

from tests.capture.recorder import Call
from tests.capture.sdks.portrait import IMAGE_URL

PROVIDER = "clarifai"

_APP = resources.UserAppIDSet(user_id="acme", app_id="faces")
_IMAGE = resources.Data(image=resources.Image(url=IMAGE_URL))
_INPUT = resources.Input(id="i1", data=_IMAGE)


def calls() -> Iterator[Call]:
    """Name the calls, by the names of the RPCs."""
    stub = V2Stub(ClarifaiChannel.get_json_channel("https://api.clarifai.com"))
    metadata = (("authorization", "Key made-up-key"),)
    rank = resources.Rank(annotation=resources.Annotation(data=_IMAGE))
    requests = {
        "PostSearches": (
            "one_to_many",
            service.PostSearchesRequest(
                user_app_id=_APP, searches=[resources.Search(query=resources.Query(ranks=[rank]))]
            ),
        ),
        "PostInputs": ("gallery", service.PostInputsRequest(user_app_id=_APP, inputs=[_INPUT])),
        "ListInputs": ("image_db", service.ListInputsRequest(user_app_id=_APP, per_page=5)),
        "DeleteInput": ("gallery", service.DeleteInputRequest(user_app_id=_APP, input_id="i1")),
        "ListDatasets": ("image_db", service.ListDatasetsRequest(user_app_id=_APP)),
        "ListApps": ("admin", service.ListAppsRequest(user_app_id=_APP)),
    }
    for operation, (operation_class, request) in requests.items():
        yield Call(
            operation,
            operation,
            operation_class,
            lambda operation=operation, request=request: getattr(stub, operation)(
                request, metadata=metadata
            ),
        )
