"""What the SDKs that are installed here can send, read from the models that they ship.

Nothing of an SDK is run: models are read as data, and Python that was generated from one as syntax.
"""

from __future__ import annotations

import ast
import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata, util
from pathlib import Path
from typing import Any

import msgspec

from gateway.core.strict_json import JsonValue, loads
from gateway.errors import SourceError

# A model as its file has it: foreign, and read where it is.
Document = dict[str, Any]


class SdkCall(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an SDK can ask for, as a request without values.

    Attributes:
        name: in the SDK's own terms.
        provider: catalogue name of whom it asks.
        method: of the request.
        path: with something in place of each variable segment.
        headers: those that name the operation.
        body: the least that names it.
        members: the body's members as the catalogue writes their places, `A.B[].C`; None where
            the model does not say.
    """

    name: str
    provider: str
    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: JsonValue = None
    members: frozenset[str] | None = None


class Sdk(msgspec.Struct, frozen=True, kw_only=True):
    """A package that ships a model.

    Attributes:
        package: its name in the registry.
        module: what it installs.
        calls: reads what it can ask for, from the folder of the module.
        complete: providers of which it has every operation.
    """

    package: str
    module: str
    calls: Callable[[Path], Iterator[SdkCall]]
    complete: frozenset[str] = frozenset()


class SdkModel(msgspec.Struct, frozen=True, kw_only=True):
    """The model of an installed package; `version` is empty where it is not installed."""

    package: str
    version: str = ""
    calls: tuple[SdkCall, ...] = ()
    complete: frozenset[str] = frozenset()


def installed_models() -> tuple[SdkModel, ...]:
    """Read the models of all packages that are known to ship one.

    Raises:
        SourceError: a package is installed whose model is not where it is expected.
    """
    return tuple(map(_model, SDKS))


def _model(sdk: Sdk) -> SdkModel:
    try:
        version = metadata.version(sdk.package)
        spec = util.find_spec(sdk.module)
    except (metadata.PackageNotFoundError, ModuleNotFoundError):
        return SdkModel(package=sdk.package)
    if spec is None or not spec.submodule_search_locations:
        return SdkModel(package=sdk.package)
    try:
        calls = tuple(sdk.calls(Path(next(iter(spec.submodule_search_locations)))))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise SourceError(f"the model in `{sdk.package}` {version} cannot be read") from error
    if not calls:
        raise SourceError(f"the model in `{sdk.package}` {version} names no operation")
    return SdkModel(package=sdk.package, version=version, calls=calls, complete=sdk.complete)


def _document(content: bytes) -> Document:
    """Read a model.

    Raises:
        ValueError: it is not a JSON object.
    """
    value = loads(content)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of a file, not of an argument
    return value


# --- botocore ------------------------------------------------------------------------------------


def _botocore(folder: Path) -> Iterator[SdkCall]:
    [*_, newest] = sorted((folder / "data" / "rekognition").glob("*/service-2.json.gz"))
    model = _document(gzip.decompress(newest.read_bytes()))
    shapes = model["shapes"]
    for name, operation in sorted(model["operations"].items()):
        shape = operation.get("input", {}).get("shape", "")
        yield SdkCall(
            name=name,
            provider="aws_rekognition",
            method=operation["http"]["method"],
            path=operation["http"]["requestUri"],
            headers={
                "x-amz-target": f"{model['metadata']['targetPrefix']}.{name}",
                "content-type": f"application/x-amz-json-{model['metadata']['jsonVersion']}",
            },
            body={},
            members=frozenset(_members(shapes, shape, "", ())),
        )


def _members(shapes: Document, name: str, place: str, above: tuple[str, ...]) -> Iterator[str]:
    """Yield the places of a shape's members, those of shapes within shapes too."""
    shape = shapes.get(name, {})
    if name in above:
        return
    inside = (*above, name)
    match shape:
        case {"type": "structure", "members": dict(members)}:
            for member, reference in members.items():
                at = f"{place}.{member}" if place else member
                yield at
                yield from _members(shapes, reference["shape"], at, inside)
        case {"type": "list", "member": {"shape": str(element)}}:
            yield f"{place}[]"
            yield from _members(shapes, element, f"{place}[]", inside)
        case _:
            pass


# --- azure-ai-vision-face ------------------------------------------------------------------------


def _azure(folder: Path) -> Iterator[SdkCall]:
    configuration = (folder / "_configuration.py").read_text(encoding="utf-8")
    [version, *_] = re.findall(r'pop\("api_version", "([^"]+)"\)', configuration)
    code = ast.parse((folder / "operations" / "_operations.py").read_text(encoding="utf-8"))
    for function in code.body:
        if isinstance(function, ast.FunctionDef) and function.name.startswith("build_"):
            url = _assigned(function, "_url")
            yield SdkCall(
                name=function.name.removeprefix("build_").removesuffix("_request"),
                provider="azure_face",
                method=_keyword(function, "method"),
                path=f"/face/{version}{_filled(url)}",
            )


def _assigned(function: ast.FunctionDef, name: str) -> str:
    """Return the text that a function gives to a variable first.

    Raises:
        ValueError: it gives none.
    """
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Constant(value=str(text))):
                if target == name:
                    return text
            case _:
                pass
    raise ValueError(f"no `{name}` in `{function.name}`")


def _keyword(function: ast.FunctionDef, name: str) -> str:
    """Return the text that a function passes by keyword.

    Raises:
        ValueError: it passes none.
    """
    for node in ast.walk(function):
        match node:
            case ast.keyword(arg=str(arg), value=ast.Constant(value=str(text))) if arg == name:
                return text
    raise ValueError(f"no `{name}` in `{function.name}`")


def _filled(template: str) -> str:
    return re.sub(r"\{[^}]+\}", "a", template)


# --- google-api-python-client --------------------------------------------------------------------


_GOOGLE = {
    "vision": "google_vision",
    "videointelligence": "google_videointelligence",
    "visionai": "google_visionai",
}


def _google(folder: Path) -> Iterator[SdkCall]:
    documents = folder / "discovery_cache" / "documents"
    for service, provider in _GOOGLE.items():
        for file in sorted(documents.glob(f"{service}.v*.json")):
            document = _document(file.read_bytes())
            for method in _methods(document):
                yield from _discovered(method, provider, document)


def _methods(resource: Document) -> Iterator[Document]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)


def _discovered(method: Document, provider: str, document: Document) -> Iterator[SdkCall]:
    call = SdkCall(
        name=f"{method['id']} {document['version']}",
        provider=provider,
        method=method["httpMethod"],
        path="/" + _filled(method["flatPath"]),
    )
    yield call
    if method["id"].endswith((".images.annotate", ".videos.annotate")):
        for feature in _features(document["schemas"]):
            body: JsonValue = {"features": [feature]}
            if provider == "google_vision":
                body = {"requests": [{"features": [{"type": feature}]}]}
            yield msgspec.structs.replace(call, name=f"{call.name} {feature}", body=body)


def _features(schemas: Document) -> Iterator[str]:
    """Yield the members of the enumeration of what to look for, but the first, which is none."""
    for name, schema in schemas.items():
        match schema:
            case {"properties": {"type": {"enum": [_, *members]}}} if name.endswith("Feature"):
                yield from members
            case {"properties": {"features": {"items": {"enum": [_, *members]}}}}:
                yield from members
            case _:
                pass


# --- tencentcloud-sdk-python-iai -----------------------------------------------------------------


def _tencent(folder: Path) -> Iterator[SdkCall]:
    for client in sorted(folder.glob("v*/iai_client.py")):
        stamp = client.parent.name.removeprefix("v")
        version = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:]}"
        for action in sorted(set(re.findall(r'self\.call\("(\w+)"', client.read_text("utf-8")))):
            yield SdkCall(
                name=f"{action} {version}",
                provider="tencent_iai",
                method="POST",
                path="/",
                headers={
                    "x-tc-action": action,
                    "x-tc-version": version,
                    "content-type": "application/json",
                },
                body={},
            )


SDKS: tuple[Sdk, ...] = (
    Sdk(
        package="botocore",
        module="botocore",
        calls=_botocore,
        complete=frozenset({"aws_rekognition"}),
    ),
    Sdk(package="azure-ai-vision-face", module="azure.ai.vision.face", calls=_azure),
    Sdk(package="google-api-python-client", module="googleapiclient", calls=_google),
    Sdk(
        package="tencentcloud-sdk-python-iai",
        module="tencentcloud.iai",
        calls=_tencent,
        complete=frozenset({"tencent_iai"}),
    ),
)
