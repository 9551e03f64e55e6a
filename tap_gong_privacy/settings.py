"""The settings: declared once, read from config and environment, and refused by name if they are wrong."""

from __future__ import annotations

import base64
import difflib
import json
import math
import re
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from tap_gong_privacy import base_url
from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.gong import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "TAP_GONG_PRIVACY_"

# README, docs/settings.md, meltano.yml and the Hub definition are made from this: run `make pages` after a change.
# Meltano Hub's tool takes each period for the end of a sentence, and each sentence begins with a capital letter there.
DECLARED = th.PropertiesList(
    th.Property(
        "access_key",
        th.StringType,
        title="Access key",
        description="Access key of a Gong API key pair, for HTTP Basic. Needs access_key_secret.",
    ),
    th.Property(
        "access_key_secret",
        th.StringType,
        secret=True,
        title="Access key secret",
        description="Secret of the Gong API key pair. Needs access_key.",
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access token",
        description="OAuth access token, for HTTP Bearer. Give either this or the key pair, not both.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        default="https://api.gong.io",
        examples=["https://us-12345.api.gong.io"],
        title="API URL",
        description="Base URL of Gong's API. If your company has its own, give that one; OAuth calls it "
        "api_base_url_for_customer. Only a loopback host may use http instead of https.",
    ),
    th.Property(
        "email_addresses",
        th.ArrayType(th.StringType),
        default=[],
        title="E-mail addresses",
        description="Addresses to look up, spelled as Gong should be asked. In an environment variable, a JSON array.",
    ),
    th.Property(
        "email_addresses_file",
        th.StringType,
        examples=["s3://bucket/addresses.csv"],
        title="E-mail addresses file",
        description="Path or URL of more addresses: a CSV file with a header row, or a text file with one address per "
        "line. They come after those of email_addresses. Any URL that fsspec reads will do.",
    ),
    th.Property(
        "email_addresses_column",
        th.StringType,
        default="email_address",
        title="E-mail addresses column",
        description="Name of the CSV column that holds the addresses.",
    ),
    th.Property(
        "requests_per_second",
        th.NumberType(exclusive_minimum=0),
        default=3,
        title="Requests per second",
        description="Calls that may start per second. Gong's default limit is 3 for a whole company.",
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1),
        default=8,
        title="Max concurrency",
        description="Look-ups in flight at the same time. Each one holds an answer in memory.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=120,
        title="Request timeout",
        description="Seconds that each wait for data may take. Connecting may take as long, but at most 10 seconds. A "
        "body that drips in may take twice as long in all.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0),
        default=5,
        title="Max retries",
        description="Further tries of one address after a fault. Faults are 5xx answers, timeouts, broken connections "
        "and unusable bodies.",
    ),
    th.Property(
        "max_retry_wait",
        th.NumberType(minimum=0),
        default=300,
        title="Max retry wait",
        description="Longest wait in seconds that Gong may impose before the run stops. Gong imposes one by "
        "Retry-After, or by answering nothing but 429. The next run resumes where this one stopped.",
    ),
    th.Property(
        "max_requests_per_run",
        th.IntegerType(minimum=1),
        title="Max requests per run",
        description="Calls of Gong's daily quota that one run may spend, further tries included. After the last one "
        "the run stops with exit code 0, and the next run resumes there. Without this setting there is no limit.",
    ),
    th.Property(
        "fail_on_rejected_address",
        th.BooleanType,
        default=True,
        title="Fail on rejected address",
        description="Whether a run exits 1 if Gong refused an address (HTTP 400).",
    ),
    th.Property(
        "fail_on_malformed_address",
        th.BooleanType,
        default=True,
        title="Fail on malformed address",
        description="Whether an entry that is not an e-mail address stops the run before its first call. If false, the "
        "run warns, skips the entry, and records it in lookups with status malformed.",
    ),
    th.Property(
        "days_between_rounds",
        th.NumberType(minimum=0),
        default=0,
        title="Days between rounds",
        description="Days from the start of one round to the earliest start of the next; a round asks for each address "
        "once. Until then, runs ask only for addresses that have no answer in this round, such as new ones.",
    ),
    additional_properties=False,
).to_dict()

# The SDK adds these settings. Its own descriptions hold links and Markdown, which Meltano shows as they are.
_BUILTIN = {
    "stream_maps": "Maps of streams and columns, as the Singer SDK documents them. To leave out a stream or a column, "
    "map it to __NULL__.",
    "stream_map_config": "Values that the expressions of stream_maps can use, for example a salt.",
    "faker_config": "Seed and locale of the faker in expressions of stream_maps. Needs the extra "
    "tap-gong-privacy[faker].",
    "flattening_enabled": "Whether nested objects become columns. Needs flattening_max_depth.",
    "flattening_max_depth": "How many levels become columns.",
    "flattening_max_key_length": "Names of columns that reach this length are shortened. Give 14 or more, so that the "
    "keys keep their names.",
    "flattening_separator": "Text between the parts of a flattened column's name.",
}

SENSITIVE = frozenset({"access_key", "access_key_secret", "access_token", "email_addresses", "stream_map_config"})
"""Settings whose values Meltano must not show."""

# The SDK also has these two settings, but this tap accepts only values that switch them off.
_SWITCHED_OFF = ("emit_activate_version_messages", "batch_config")
_CREDENTIALS = ("access_key", "access_key_secret", "access_token")
_MAPPING = ("stream_maps", "stream_map_config", "faker_config")
_FLATTENING_DEFAULTS = {"flattening_separator": "__", "flattening_max_key_length": 255}

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_SHAPE = "is not of the documented shape; see --about"
_UNWRITABLE = "holds an invalid character (a lone surrogate), or is nested too deeply"
_CONTROL_CHARACTER = "holds a control character, such as a line break; set it again"
_BASE_URL = (
    "must be like https://api.gong.io: https (http for loopback hosts only), a host, no user, no query, no fragment"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The tap's own settings, checked. See `DECLARED` for their meaning."""

    access_key: str | None
    access_key_secret: str | None
    access_token: str | None
    api_url: str
    email_addresses: list[object] | None
    """None if the setting was not given, which differs from an empty list."""
    email_addresses_file: str | None
    email_addresses_column: str
    requests_per_second: float
    max_concurrency: int
    request_timeout: float
    max_retries: int
    max_retry_wait: float
    max_requests_per_run: int | None
    fail_on_rejected_address: bool
    fail_on_malformed_address: bool
    days_between_rounds: float

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
    # Never raises, because the error would quote the secret.
    return text.encode("utf-8", "surrogatepass")


def describe_builtin(schema: dict[str, Any]) -> None:
    """Give the SDK's settings descriptions that read well wherever they are shown.

    Args:
        schema: JSON schema of all settings, changed in place.
    """
    for name, description in _BUILTIN.items():
        schema["properties"][name] = {**schema["properties"][name], "description": description}


def load(
    raw: object,
    schema: Mapping[str, Any],
    environment: Mapping[str, str],
    *,
    needs_credentials: bool = True,
) -> tuple[dict[str, Any], Settings]:
    """Check the settings and give each its own type.

    Args:
        raw: Settings by name, from config files. Numbers, booleans, lists and objects may come as text. Null and empty
            text count as not set.
        schema: JSON schema of all settings.
        environment: Variables. `TAP_GONG_PRIVACY_<SETTING>` overrides a setting of `raw`.
        needs_credentials: Whether missing credentials are an error.

    Returns:
        The config for the SDK, with defaults; and the tap's own settings.

    Raises:
        ConfigError: If a setting is unknown or wrong. The message never shows a value.
    """
    if not isinstance(raw, dict):
        msg = "A config file must hold a JSON object of settings."
        raise ConfigError(msg)
    properties: dict[str, Any] = schema["properties"]
    known = (*properties, *_SWITCHED_OFF)
    variables = {name: environment.get(PREFIX + name.upper()) for name in known}
    merged = {**raw, **{name: text for name, text in variables.items() if text}}
    given = {name: value for name, value in merged.items() if value is not None and value != ""}

    problems = [_unknown(name, properties) for name in given if name not in known]
    problems += _switched_on(given)
    values: dict[str, Any] = {}
    for name, definition in properties.items():
        if name in given:
            try:
                values[name] = _typed(given[name], definition)
                if name in _BUILTIN:
                    _check_text(values[name])
            except _WrongValueError as wrong:
                problems.append(f"{name} {wrong}")
    _refuse(problems)

    defaults = {name: definition.get("default") for name, definition in properties.items()}
    # An empty list would look like one that was given.
    config = {**{name: default for name, default in defaults.items() if default not in (None, [])}, **values}
    config |= {name: config[name].strip() for name in _CREDENTIALS if name in config}
    _refuse(_contradictions(config, needs_credentials=needs_credentials))
    config["api_url"] = base_url.normalized(config["api_url"])
    own: dict[str, Any] = {field.name: config.get(field.name) for field in fields(Settings)}
    return config, Settings(**own)


def shape(config: Mapping[str, Any]) -> str:
    """Return the settings that shape the output, as text. A setting that changes nothing does not change the text.

    Args:
        config: The config that `load` returned.
    """
    shaping = {"api_url": config["api_url"]}
    if any(stream_map != {} for stream_map in config.get("stream_maps", {}).values()):
        shaping |= {name: config[name] for name in _MAPPING if config.get(name)}
    if config.get("flattening_enabled"):
        flattening = {name: value for name, value in config.items() if name.startswith("flattening_")}
        shaping |= {name: value for name, value in flattening.items() if value != _FLATTENING_DEFAULTS.get(name)}
    return json.dumps(shaping, sort_keys=True, default=str)


class _WrongValueError(ValueError):
    """A value that cannot be used. Its text says what the setting must be, and never shows the value."""


def _refuse(problems: list[str]) -> None:
    if problems:
        msg = f"Wrong settings: {'; '.join(problems)}."
        raise ConfigError(msg)


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    if not json_text.is_plain(name):
        return "there is an unknown setting (its name is not shown); remove it"
    similar = difflib.get_close_matches(name, known, n=1)
    return f"{name} is unknown; {f'did you mean {similar[0]}' if similar else 'remove it'}"


def _switched_on(given: Mapping[str, object]) -> list[str]:
    problems = []
    if _BOOLEANS.get(str(given.get("emit_activate_version_messages", False)).strip().lower(), True):
        problems.append(
            "emit_activate_version_messages must be false or left out: a target would delete the rows of every address "
            "that this run does not reach"
        )
    if "batch_config" in given:
        problems.append("batch_config must be left out: this tap writes no BATCH messages")
    return problems


def _typed(value: object, definition: Mapping[str, Any]) -> object:
    """Return a value of its declared type."""
    kind: str = next(kind for kind in definition["type"] if kind != "null")
    try:
        if isinstance(value, str) and kind != "string":
            value = _parsed(value.strip(), kind)
        if kind in {"integer", "number"}:
            value = _number(value, kind)
        errors = list(DEFAULT_JSONSCHEMA_VALIDATOR(definition).iter_errors(value))
    except (ValueError, ArithmeticError, RecursionError):
        raise _WrongValueError(_expected(kind, definition)) from None
    except AttributeError:
        # The SDK's schema of `__else__` holds text in place of a schema; the validator gets there only in a wrong map.
        raise _WrongValueError(_SHAPE) from None
    if value is None or any(not error.absolute_path for error in errors):
        raise _WrongValueError(_expected(kind, definition))
    if errors and kind != "array":  # wrong entries of the list are named one by one when it is read
        raise _WrongValueError(_SHAPE)
    return value


def _parsed(text: str, kind: str) -> object:
    if kind == "boolean":
        return _BOOLEANS.get(text.lower())
    if kind in {"integer", "number"}:
        return Decimal(text)
    # Of two maps of one stream, one would be lost, and the columns that it removes would go out in clear.
    parsed: object = json.loads(text, object_pairs_hook=json_text.unique)
    return parsed


def _number(value: object, kind: str) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value  # which the schema refuses
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return int(value) if kind == "integer" and value == int(value) else number


def _expected(kind: str, definition: Mapping[str, Any]) -> str:
    expected = f"must be {_KINDS[kind]}"
    if "exclusiveMinimum" in definition:
        expected += f" above {definition['exclusiveMinimum']}"
    if "minimum" in definition:
        expected += f", at least {definition['minimum']}"
    return expected


def _check_text(value: object) -> None:
    """Refuse text that cannot be written to the output."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except (UnicodeEncodeError, RecursionError):
        raise _WrongValueError(_UNWRITABLE) from None


def _contradictions(config: Mapping[str, Any], *, needs_credentials: bool) -> list[str]:
    """Say what is wrong with settings that each have the right type."""
    key, secret, token = (config.get(name) for name in _CREDENTIALS)
    problems = [f"{name} {_CONTROL_CHARACTER}" for name in _CREDENTIALS if _CONTROL.search(config.get(name, ""))]
    is_complete = bool(token) != bool(key or secret) and bool(key) == bool(secret)
    if not is_complete and (needs_credentials or token or key or secret):
        problems.append("set either access_key and access_key_secret, or access_token, and not both")
    if not base_url.is_base_url(config["api_url"].strip()):
        problems.append(f"api_url {_BASE_URL}")
    if config.get("flattening_enabled") and "flattening_max_depth" not in config:
        problems.append("flattening_enabled needs flattening_max_depth, a whole number")
    return problems
