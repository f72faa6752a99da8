"""A few lines for people to paste: the gateway as a real SDK sees it."""

from __future__ import annotations

from gateway.demo.provider.seed import COLLECTIONS
from gateway.demo.world import World

_BOTO3 = """\
import boto3
from gateway.demo.provider.faces import portrait

rekognition = boto3.client(
    "rekognition",
    endpoint_url="http://{host}",
    region_name="us-east-1",
    aws_access_key_id="{access_key_id}",
    aws_secret_access_key="{secret_access_key}",
)
one, other = ({{"Bytes": portrait("ada", shot)}} for shot in (2, 3))
print(rekognition.compare_faces(SourceImage=one, TargetImage=other)["FaceMatches"][0]["Similarity"])
try:
    print(rekognition.search_faces_by_image(CollectionId="{collection}", Image=one)["FaceMatches"])
except rekognition.exceptions.AccessDeniedException as refused:
    print(refused.response["Error"]["Message"])
"""


def boto3_snippet(world: World, tenant_id: str = "jade-bureau") -> str:
    """Return a program that compares two faces, then searches for one, as a tenant.

    It holds the tenant's access key, which was made for this run and works nowhere else.
    """
    caller = world.callers[tenant_id]
    return _BOTO3.format(
        host=world.hosts["aws_rekognition"],
        access_key_id=caller.access_key_id,
        secret_access_key=caller.secret_access_key,
        collection=COLLECTIONS[0],
    )
