"""The kinds of value that settings have: secrets, paths, networks, hosts, URLs.

Each is checked where it stands, in words that an operator can act on; a message never holds what
was given in the place of a secret.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)

from gateway.errors import words_of

_T = TypeVar("_T")

_SECRET_BYTES: Final = 64 << 10
_SECRETS_KEY_BYTES: Final = 32
_PUBLIC_KEY_BYTES: Final = 32
# SubjectPublicKeyInfo up to the key itself (RFC 8410 section 4).
_PEM_LINE: Final = re.compile("-----(BEGIN|END) PUBLIC KEY-----")
_ED25519_DER: Final = bytes.fromhex("302a300506032b6570032100")
_HEX_DIGITS: Final = 2 * _SECRETS_KEY_BYTES
_BARE_HOST: Final = re.compile(
    r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\]",
    re.ASCII,
)
_HOST: Final = re.compile(rf"(?:{_BARE_HOST.pattern})(?::[0-9]{{1,5}})?", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_ORIGIN: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._:-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII
)
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9_-]+)*", re.ASCII)
_PARAMETER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)


class Secret:
    """A text that only `reveal` shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Hide a text."""
        self._text = text

    def reveal(self) -> str:
        """Return the text; never for a message, a log, or a record."""
        return self._text

    def __repr__(self) -> str:
        """Show that there is one, and nothing of it."""
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        """Compare the texts, to tell whether a setting changed."""
        return isinstance(other, Secret) and self._text == other._text

    __hash__ = None  # type: ignore[assignment]  # nothing is looked up by a secret


def _resolve_secret(given: object, info: ValidationInfo) -> Secret:
    """Fetch what `env:NAME` or `file:PATH` refers to.

    Raises:
        ValueError: it is no reference, or refers to nothing.
    """
    if isinstance(given, Secret):
        return given
    kind, _, name = given.partition(":") if isinstance(given, str) else ("", "", "")
    if not name or kind not in {"env", "file"}:
        raise ValueError("a secret is given as `env:NAME` or `file:PATH`, never written out")
    text = _from_environment(name, info) if kind == "env" else _from_file(name, info)
    if not text:
        raise ValueError(f"what `{kind}:{name}` refers to is empty")
    return Secret(text)


def _from_environment(name: str, info: ValidationInfo) -> str:
    environ: Mapping[str, str] = (info.context or {}).get("environ", {})
    if name not in environ:
        raise ValueError(f"the environment variable `{name}` is not set")
    return environ[name]


def _from_file(name: str, info: ValidationInfo) -> str:
    path = _against_base(name, info)
    if path.exists() and not path.is_file():
        raise ValueError(f"`{path}` is not a regular file")
    try:
        with path.open("rb") as file:
            content = file.read(_SECRET_BYTES + 1)
        if len(content) > _SECRET_BYTES:
            raise ValueError(f"`{path}` is longer than {_SECRET_BYTES} bytes")
        return content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ValueError(f"`{path}` cannot be read: {words_of(error)}") from None
    except UnicodeDecodeError:
        raise ValueError(f"`{path}` does not hold UTF-8 text") from None


def _against_base(given: object, info: ValidationInfo) -> Path:
    """Read a path; a relative one is relative to the directory of the file that names it.

    Raises:
        ValueError: it is none.
    """
    if isinstance(given, Path):
        return given
    if not isinstance(given, str) or not given or "\0" in given:
        raise ValueError("input should be a path")
    base: Path = (info.context or {}).get("base", Path())
    return base / given


def _network(given: object) -> IPv4Network | IPv6Network:
    if isinstance(given, (IPv4Network, IPv6Network)):
        return given
    try:
        network = ip_network(given) if isinstance(given, str) else None
    except ValueError:
        network = None
    if network is None:
        raise ValueError("input should be a network such as `192.0.2.0/24`, without host bits")
    if network.prefixlen == 0:
        raise ValueError("a network of every address would let every client name its own place")
    return network


def later(words: str, *, unless: object = None) -> BeforeValidator:
    """Refuse what is not there yet; `unless` is the one value that may stand."""

    def refuse(given: object) -> object:
        if given is None or (type(given) is type(unless) and given == unless):
            return given
        raise ValueError(words)

    return BeforeValidator(refuse)


def matching(pattern: re.Pattern[str], words: str) -> AfterValidator:
    """Accept texts that match as a whole; `words` say what should stand there."""

    def check(text: str) -> str:
        if pattern.fullmatch(text):
            return text
        raise ValueError(words)

    return AfterValidator(check)


def _not_empty(entries: tuple[_T, ...]) -> tuple[_T, ...]:
    if not entries:
        raise ValueError("at least one entry should stand here")
    return entries


def _url(text: str, *, bare: bool) -> str:
    try:
        parts = urlsplit(text)
        whole = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        raise ValueError("input should be a URL") from None
    if not whole or parts.scheme not in {"http", "https"} or parts.fragment:
        raise ValueError("input should be an https URL without user name and fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError("http is for the loopback interface only; use https")
    if bare and (parts.path not in {"", "/"} or parts.query):
        raise ValueError("input should be scheme, host and port only")
    return text


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def decode_key(text: str) -> bytes:
    """Read a key of 32 bytes: 64 hexadecimal digits, or base64 of either alphabet.

    Raises:
        ValueError: it is not that.
    """
    try:
        if len(text) == _HEX_DIGITS:
            return bytes.fromhex(text)
        padded = text.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
        key = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != _SECRETS_KEY_BYTES:
        raise ValueError("the secrets key should be 32 bytes, in 64 hexadecimal digits or base64")
    return key


def decode_public_key(text: str) -> bytes:
    """Read an Ed25519 public key: base64 of its 32 bytes or of its DER form, or PEM.

    Raises:
        ValueError: it is not that.
    """
    try:
        content = base64.b64decode("".join(_PEM_LINE.sub("", text).split()), validate=True)
    except (ValueError, binascii.Error):
        content = b""
    if content.startswith(_ED25519_DER):
        content = content.removeprefix(_ED25519_DER)
    if len(content) != _PUBLIC_KEY_BYTES:
        raise ValueError(
            "input should be an Ed25519 public key, as `openssl pkey -in KEY -pubout` prints it"
        )
    return content


def _public_key(text: str) -> str:
    return base64.b64encode(decode_public_key(text)).decode()


SecretText = Annotated[
    Secret,
    PlainValidator(_resolve_secret),
    PlainSerializer(lambda _: "secret", return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^(env|file):.+"}),
]
# Names that stand in a query and in the head of a part as they are.
NamedSecrets = Annotated[
    dict[
        Annotated[str, matching(_PARAMETER, "input should be the name of a parameter")], SecretText
    ],
    Field(min_length=1),
]
SettingsPath = Annotated[
    Path,
    PlainValidator(_against_base),
    PlainSerializer(lambda _: "path", return_type=str),
    WithJsonSchema({"type": "string", "format": "path"}),
]
ProxyNetwork = Annotated[
    IPv4Network | IPv6Network,
    PlainValidator(_network),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["192.0.2.0/24"]}),
]
# YAML has lists, values have tuples; what stands in them stays strictly typed.
Many = Annotated[tuple[_T, ...], Field(strict=False)]
# Not `min_length`: pydantic would call a list empty whose entries all have mistakes.
AtLeastOne = Annotated[
    tuple[_T, ...],
    Field(strict=False, json_schema_extra={"minItems": 1}),
    AfterValidator(_not_empty),
]
Name = Annotated[str, matching(_NAME, "input should be lower-case letters, digits, `-` and `_`")]
BareHost = Annotated[str, matching(_BARE_HOST, "input should be a lower-case host name, no port")]
Host = Annotated[
    str,
    matching(_HOST, "input should be a lower-case host name, or host name and port"),
]
LogOrigin = Annotated[
    str, matching(_ORIGIN, "input should look like `gw.example/audit`, without a scheme")
]
ServerUrl = Annotated[str, AfterValidator(lambda text: _url(text, bare=True))]
Url = Annotated[str, AfterValidator(lambda text: _url(text, bare=False))]
PublicKey = Annotated[str, AfterValidator(_public_key)]
PathPrefix = Annotated[
    str, matching(_PREFIX, "input should be like `/azure`: segments of letters, digits, `-`, `_`")
]
HeaderName = Annotated[str, matching(_TOKEN, "input should be a header name")]
Visible = Annotated[str, matching(_VISIBLE, "input should be visible ASCII without spaces")]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Days = Annotated[int, Field(ge=1, le=36500)]
