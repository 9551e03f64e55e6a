"""The tap's own list of addresses, read from the tap's own settings by the tap's own functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from singer_sdk import Tap

from tap_gong_privacy import settings
from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.round.addresses import read_addresses
from tap_gong_privacy.singer import inputs

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Entry:
    """One entry of the list.

    Attributes:
        text: The address, as it is asked.
        is_malformed: Whether the entry is no address, so that the tap does not ask it.
    """

    text: str
    is_malformed: bool = False


@dataclass(frozen=True)
class Listing:
    """Whom the tap is set up to ask.

    Attributes:
        entries: The entries, in the list's order, each once.
        api_url: Which Gong it asks.
    """

    entries: tuple[Entry, ...]
    api_url: str


def read(paths: Iterable[str]) -> Listing:
    """Read the list that the tap would ask with these config files.

    Args:
        paths: The files; `ENV` for the environment, as the tap takes it.

    Returns:
        The list. Credentials are not needed.

    Raises:
        ConfigError: If the settings or the list cannot be used.
    """
    paths = list(paths)
    given = inputs.read_config(path for path in paths if path != "ENV")
    if not isinstance(given, dict):
        msg = "A config file must hold a JSON object of settings."
        raise ConfigError(msg)
    schema = settings.DECLARED | {"properties": dict(settings.DECLARED["properties"])}
    Tap.append_builtin_config(schema)
    environment = settings.from_environment(schema) if "ENV" in paths else {}
    cleaned = settings.clean({**given, **environment}, schema)
    addresses = read_addresses(
        cleaned["email_addresses"], cleaned.get("email_addresses_file"), cleaned["email_addresses_column"]
    )
    return Listing(tuple(map(Entry, addresses)), str(cleaned["api_url"]))
