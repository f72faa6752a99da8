"""The caller's credential out of query, form and path, and the gateway's own into query or form.

What decided stays to the character, so that the provider reads what was judged. Headers are the
affair of `gateway.proxy.forward`: there nothing of the caller's passes in the first place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote_plus

import msgspec

from gateway.core.catalog.credentials import credential_segments_of, folded
from gateway.core.catalog.dialects import forms, multipart
from gateway.core.catalog.media import read_media_type
from gateway.core.catalog.model import Provider
from gateway.core.request import Request, Whole
from gateway.core.strict_json import Refused
from gateway.errors import UpstreamError
from gateway.proxy.forward import Credential, FormCredential, HeaderCredential, QueryCredential

_URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_WITH_FORMS: Final = frozenset({"PATCH", "POST", "PUT"})
_NOTHING: Final[Mapping[str, str]] = {}


def exchanged(request: Request, provider: Provider, credential: Credential) -> Request:
    """Return a request as it goes to the provider, but for its headers.

    Args:
        request: the one that was judged.
        provider: what its places of credentials are.
        credential: the gateway's own.

    Raises:
        UpstreamError: the gateway's credential has no place in this request; nothing was sent.
    """
    parameters = credential.parameters if isinstance(credential, QueryCredential) else _NOTHING
    if parameters or (request.query_string and provider.credential_parameters):
        request = _with_query(request, provider, parameters)
    fields = credential.fields if isinstance(credential, FormCredential) else _NOTHING
    if fields or provider.credential_fields:
        request = _with_form(request, provider, fields)
    return _with_path(request, provider, credential) if provider.credential_segments else request


def _with_query(request: Request, provider: Provider, parameters: Mapping[str, str]) -> Request:
    names = folded(provider.credential_parameters | parameters.keys())
    pieces = request.query_string.split("&") if request.query_string else []
    kept = [
        piece for piece in pieces if unquote_plus(piece.partition("=")[0]).casefold() not in names
    ]
    if len(kept) == len(pieces) and not parameters:
        return request
    added = [f"{quote(name, '')}={quote(value, '')}" for name, value in parameters.items()]
    query = tuple(pair for pair in request.query if pair[0].casefold() not in names)
    return msgspec.structs.replace(
        request, query_string="&".join([*kept, *added]), query=(*query, *parameters.items())
    )


def _with_form(request: Request, provider: Provider, fields: Mapping[str, str]) -> Request:
    content = request.body.content if isinstance(request.body, Whole) else b""
    written = request.headers.get("content-type", "")
    if not content and not written:
        written = _URLENCODED
    media = read_media_type(written)
    names = folded(provider.credential_fields | fields.keys())
    if fields and request.method not in _WITH_FORMS:
        raise _placeless("its method has no form")
    body: bytes | Refused
    if media is not None and media.essence == _URLENCODED:
        body = forms.replaced(content, without=names, fields=fields)
    elif media is not None and media.essence == _MULTIPART:
        body = multipart.replaced(content, media, without=names, fields=fields)
    else:
        body = Refused("the request is no form") if fields else content
    if isinstance(body, Refused):
        raise _placeless(body.reason)
    return request if body == content else _with_body(request, written if body else "", body)


def _with_body(request: Request, media: str, body: bytes) -> Request:
    headers = {**request.headers, "content-type": media}
    if not media:
        del headers["content-type"]
    return msgspec.structs.replace(request, headers=headers, body=Whole(body))


def _with_path(request: Request, provider: Provider, credential: Credential) -> Request:
    # Puts the key of a header in the place of the one that stands in the path.
    theirs = set(credential_segments_of(request, provider))
    if not theirs:
        return request
    if not isinstance(credential, HeaderCredential) or not _SEGMENT.fullmatch(credential.value):
        raise _placeless("it would stand in the path, and is no key of a header")
    segments = request.path.split("/")
    for place, segment in enumerate(segments):
        if segment in theirs:
            path = "/".join([*segments[:place], credential.value, *segments[place + 1 :]])
            changed = msgspec.structs.replace(request, path=path)
            # Another segment may be spelt like the key, and is none.
            if credential_segments_of(changed, provider) == (credential.value,):
                return changed
    raise _placeless("it would stand in the path more than once")


def _placeless(why: str) -> UpstreamError:
    return UpstreamError(
        f"the gateway's credential has no place in this request: {why}", sent=False
    )
