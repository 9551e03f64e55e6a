"""The settings: declared once, read from files and environment, every wrong one refused by name."""

from __future__ import annotations

import base64
import difflib
import ipaddress
import json
import math
import os
import re
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from singer_sdk import typing as th

from tap_gong_privacy.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "TAP_GONG_PRIVACY_"

DECLARED = th.PropertiesList(
    th.Property(
        "access_key",
        th.StringType,
        title="Access key",
        description="Access key of a Gong API key pair (HTTP Basic). Goes with access_key_secret.",
    ),
    th.Property(
        "access_key_secret",
        th.StringType,
        secret=True,
        title="Access key secret",
        description="Secret of the Gong API key pair. Goes with access_key.",
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access token",
        description="OAuth access token (HTTP Bearer), instead of a key pair.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        default="https://api.gong.io",
        title="API URL",
        description="The company's own base URL where it has one (OAuth calls it api_base_url_for_customer). https "
        "only; http for loopback hosts alone.",
    ),
    th.Property(
        "email_addresses",
        th.ArrayType(th.StringType),
        default=[],
        title="E-mail addresses",
        description="Addresses to look up, asked exactly as they are written.",
    ),
    th.Property(
        "email_addresses_file",
        th.StringType,
        title="E-mail addresses file",
        description="Path or fsspec URL (s3://...) of addresses to look up: a .csv with a header row, or else a text "
        "file with one address a line. Joined behind email_addresses.",
    ),
    th.Property(
        "email_addresses_column",
        th.StringType,
        default="email_address",
        title="E-mail addresses column",
        description="The column of a .csv that holds the addresses.",
    ),
    th.Property(
        "requests_per_second",
        th.NumberType(exclusive_minimum=0),
        default=3,
        title="Requests per second",
        description="Calls that may start in one second. 3 is Gong's default limit for a company.",
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1),
        default=8,
        title="Max concurrency",
        description="Look-ups in flight at once. One answer is held in memory for each.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=120,
        title="Request timeout",
        description="Seconds that connecting, and each wait for data, may take; a whole try at most twice that.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0),
        default=5,
        title="Max retries",
        description="Further tries of one address after a fault.",
    ),
    th.Property(
        "max_retry_wait",
        th.NumberType(minimum=0),
        default=300,
        title="Max retry wait",
        description="The longest wait, in seconds, that Gong may impose (Retry-After, or limits without end) before "
        "the run stops, resumable.",
    ),
    th.Property(
        "max_requests_per_run",
        th.IntegerType(minimum=1),
        title="Max requests per run",
        description="The share of Gong's daily quota that one run may spend. Once it is spent the run stops, "
        "resumable, with exit code 0.",
    ),
    th.Property(
        "fail_on_rejected_address",
        th.BooleanType,
        default=True,
        title="Fail on rejected address",
        description="Whether an address that Gong refuses (400) makes the finished run exit 1.",
    ),
    additional_properties=False,
).to_dict()

# Known to the SDK, but of no use here. Only what switches them off is accepted.
_SWITCHED_OFF = {"emit_activate_version_messages", "batch_config"}

_SHOWN_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SWITCH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


class _WrongTypeError(ValueError):
    """A value that is not of the declared type, or out of its bounds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The tap's own settings, checked. See `DECLARED` for their meaning."""

    access_key: str | None
    access_key_secret: str | None
    access_token: str | None
    api_url: str
    email_addresses: list[object]
    email_addresses_file: str | None
    email_addresses_column: str
    requests_per_second: float
    max_concurrency: int
    request_timeout: float
    max_retries: int
    max_retry_wait: float
    max_requests_per_run: int | None
    fail_on_rejected_address: bool

    @property
    def authorization(self) -> bytes:
        """The value of the Authorization header."""
        if self.access_token:
            return b"Bearer " + _encoded(self.access_token)
        pair = _encoded(self.access_key or "") + b":" + _encoded(self.access_key_secret or "")
        return b"Basic " + base64.b64encode(pair)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must never be shown."""
        scheme, _, value = self.authorization.decode("utf-8", "replace").partition(" ")
        given = (self.access_key_secret, self.access_token, value if scheme == "Basic" else None)
        return tuple(secret for secret in given if secret)


def _encoded(text: str) -> bytes:
    # Never raises, since the error would quote the secret.
    return text.encode("utf-8", "surrogatepass")


def from_environment(schema: Mapping[str, Any]) -> dict[str, object]:
    """Return the settings that the environment holds, as text, under `TAP_GONG_PRIVACY_<SETTING>`.

    Args:
        schema: JSON schema of the known settings: no other name is read.

    Returns:
        Settings by name.
    """
    names = {name: PREFIX + name.upper() for name in (*schema["properties"], *sorted(_SWITCHED_OFF))}
    return {name: os.environ[variable] for name, variable in names.items() if os.environ.get(variable)}


def clean(raw: Mapping[str, object], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that are set, each of its own type, with defaults for the rest.

    Args:
        raw: Settings as they came. Numbers, switches, lists and objects may come as text; null and empty text count
            as not set.
        schema: JSON schema of the known settings.

    Returns:
        Settings by name.

    Raises:
        ConfigError: If one is unknown or wrong.
    """
    given = {name: value for name, value in raw.items() if value is not None and value != ""}
    problems = [_unknown(name, schema) for name in given if name not in schema["properties"] | _off(given)]
    config: dict[str, Any] = {}
    for name, definition in schema["properties"].items():
        if name in given:
            try:
                config[name] = _typed(given[name], definition)
            except (ValueError, ArithmeticError, RecursionError):
                problems.append(f"{name} must be {_expected(definition)}")
        elif definition.get("default") is not None:
            config[name] = definition["default"]
    problems += _off_problems(given)
    if problems:
        msg = f"Wrong settings: {'; '.join(problems)}."
        raise ConfigError(msg)
    return config


def checked(config: Mapping[str, Any]) -> Settings:
    """Return the tap's own settings.

    Args:
        config: What `clean` returned.

    Returns:
        The settings.

    Raises:
        ConfigError: If the credentials or `api_url` cannot be used.
    """
    credentials = {name: _credential(name, config) for name in ("access_key", "access_key_secret", "access_token")}
    key, secret, token = credentials.values()
    if bool(token) == bool(key or secret) or bool(key) != bool(secret):
        msg = "Wrong settings: set either access_key and access_key_secret, or access_token, and not both."
        raise ConfigError(msg)
    own: dict[str, Any] = {field.name: config.get(field.name) for field in fields(Settings)}
    return Settings(**{**own, **credentials, "api_url": _api_url(config["api_url"])})


def _off(given: Mapping[str, object]) -> dict[str, object]:
    return {name: given[name] for name in _SWITCHED_OFF if name in given}


def _off_problems(given: Mapping[str, object]) -> list[str]:
    problems = []
    if _SWITCH.get(str(given.get("emit_activate_version_messages", False)).strip().lower(), True):
        problems.append(
            "emit_activate_version_messages must be false or left out: a target would delete the rows of every address "
            "that this run does not reach"
        )
    if "batch_config" in given:
        problems.append("batch_config must be left out: this tap writes no BATCH messages")
    return problems


def _unknown(name: str, schema: Mapping[str, Any]) -> str:
    if not _SHOWN_NAME.fullmatch(name):
        return "there is an unknown setting (its name is not shown); remove it"
    similar = difflib.get_close_matches(name, schema["properties"], n=1)
    return f"{name} is unknown; {f'did you mean {similar[0]}?' if similar else 'remove it'}".rstrip("?")


def _typed(value: object, definition: Mapping[str, Any]) -> object:
    """Return a value of the declared type; an error where it is none."""
    kind = _kind(definition)
    if isinstance(value, str) and kind != "string":
        value = _parsed(value.strip(), kind)
    if kind in {"integer", "number"}:
        return _number(value, kind, definition)
    if not isinstance(value, {"string": str, "boolean": bool, "array": list, "object": dict}[kind]):
        raise _WrongTypeError
    return value


def _kind(definition: Mapping[str, Any]) -> str:
    kinds = definition["type"]
    return next(kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null")


def _parsed(text: str, kind: str) -> object:
    if kind == "boolean":
        if text.lower() not in _SWITCH:
            raise _WrongTypeError
        return _SWITCH[text.lower()]
    if kind in {"integer", "number"}:
        return Decimal(text)
    parsed: object = json.loads(text)
    return parsed


def _number(value: object, kind: str, definition: Mapping[str, Any]) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _WrongTypeError
    number = float(value)
    if not math.isfinite(number) or number < definition.get("minimum", number):
        raise _WrongTypeError
    if "exclusiveMinimum" in definition and number <= definition["exclusiveMinimum"]:
        raise _WrongTypeError
    if kind == "integer":
        if value != int(value):
            raise _WrongTypeError
        return int(value)
    return number


def _expected(definition: Mapping[str, Any]) -> str:
    expected = _KINDS[_kind(definition)]
    if "exclusiveMinimum" in definition:
        expected += f" above {definition['exclusiveMinimum']}"
    if "minimum" in definition:
        expected += f", at least {definition['minimum']}"
    return expected


def _credential(name: str, config: Mapping[str, Any]) -> str | None:
    value: str = config.get(name) or ""
    value = value.strip()
    if _CONTROL.search(value):
        msg = f"Wrong settings: {name} holds a control character, such as a line break; set it anew."
        raise ConfigError(msg)
    return value or None


def _api_url(text: str) -> str:
    wrong = "Wrong settings: api_url must be like https://api.gong.io: https (http for loopback hosts alone), a host, "
    wrong += "no user, no query, no fragment."
    try:
        url = urlsplit(text.strip())
        host, _ = url.hostname, url.port
        # As it is going to be asked: a host name may be none.
        (urlsplit(requests.Request("GET", text.strip()).prepare().url or "").hostname or "").encode("idna")
    except ValueError:
        raise ConfigError(wrong) from None
    is_secure = url.scheme == "https" or (url.scheme == "http" and _is_loopback(host or ""))
    if (
        not is_secure
        or not host
        or set(text) & set("@?#\\")
        or re.search(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]", text.strip())
    ):
        raise ConfigError(wrong)
    return text.strip().rstrip("/")


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
