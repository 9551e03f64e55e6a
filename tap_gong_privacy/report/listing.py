"""The tap's own list of addresses, read from the tap's own settings by the tap's own functions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from singer_sdk import Tap

from tap_gong_privacy import settings
from tap_gong_privacy.round.addresses import Entry, read_list
from tap_gong_privacy.singer import inputs

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    schema = settings.DECLARED | {"properties": dict(settings.DECLARED["properties"])}
    Tap.append_builtin_config(schema)
    environment = os.environ if "ENV" in paths else {}
    _, own = settings.load(given, schema, environment, needs_credentials=False)
    addresses = read_list(
        own.email_addresses,
        own.email_addresses_file,
        own.email_addresses_column,
        fail_on_malformed=own.fail_on_malformed_address,
    )
    return Listing(addresses.entries, own.api_url)
