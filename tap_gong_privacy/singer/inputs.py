"""Reads the files that options name: config, state and catalog. Each is read once, because it may be a pipe."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any, cast

from singer_sdk.singerlib import Catalog

from tap_gong_privacy.errors import CommandLineError, ConfigError
from tap_gong_privacy.gong import json_text
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.singer import schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_KEYS = {
    schemas.LOOKUPS: schemas.LOOKUPS_KEYS,
    **{section.stream: schemas.primary_keys(section) for section in SECTIONS},
}


def read_config(paths: Iterable[str]) -> dict[str, Any] | list[Any]:
    """Read config files. A setting of a later file overrides that of an earlier one.

    Args:
        paths: The paths of the files.

    Returns:
        The settings by name. If a file does not hold an object, the contents of all files, which is an error only if
        settings are needed.

    Raises:
        ConfigError: If a file is not JSON, or has the same name twice in an object.
        CommandLineError: If a file cannot be read.
    """
    contents = [_read_config(path) for path in paths]
    if not all(isinstance(content, dict) for content in contents):
        return contents
    # An empty setting of a later file does not unset a setting of an earlier one.
    set_ = ((name, value) for content in contents for name, value in content.items() if value not in (None, ""))
    return dict(set_)


def read_state(file: IO[str] | None) -> dict[str, Any] | None:
    """Read the state file.

    Args:
        file: The file, if one was given.

    Returns:
        The state. JSON other than an object becomes a broken bookmark, so that the run starts over and says so.

    Raises:
        ConfigError: If it is not JSON.
    """
    if file is None:
        return None
    content = _read_json(file, "The state file")
    return content if isinstance(content, dict) else {"bookmarks": {schemas.LOOKUPS: content}}


def read_catalog(file: IO[str] | None) -> Catalog | None:
    """Read the catalog file.

    Args:
        file: The file, if one was given.

    Returns:
        The catalog.

    Raises:
        ConfigError: If it is not JSON, or not a catalog.
    """
    return None if file is None else catalog_of(_read_json(file, "The catalog"))


def catalog_of(content: object) -> Catalog:
    """Return JSON as a catalog.

    Args:
        content: The JSON. A catalog is returned as it is.

    Returns:
        The catalog.

    Raises:
        ConfigError: If it is not a catalog.
    """
    if isinstance(content, Catalog):
        return content
    try:
        catalog = Catalog.from_dict(cast("dict[str, list[dict[str, Any]]]", content))
        for entry in catalog.streams:
            entry.metadata.resolve_selection()
            # Without keys in the catalog the SDK would write none, and targets would append rows instead of updating.
            entry.stream = entry.tap_stream_id
            given = getattr(entry.metadata.get(()), "table_key_properties", None)
            entry.key_properties = entry.key_properties or given or list(_KEYS.get(entry.tap_stream_id, ()))
            if not isinstance(entry.schema.to_dict().get("properties", {}), dict):
                raise TypeError(entry)  # noqa: TRY301
    except Exception:  # noqa: BLE001 - a wrong shape can raise anything
        msg = "The catalog is not a Singer catalog: make one with --discover."
        raise ConfigError(msg) from None
    return catalog


def _read_config(path: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - named as the user named it
            # Of two lists of addresses under one name, one would never be asked.
            return _read_json(file, f"The config file {path}", json_text.unique)
    except OSError as error:
        msg = f"The config file {path} cannot be read: {(error.strerror or 'unknown error').lower()}."
        if "{" in path:
            msg = "--config takes the path of a file, not the settings themselves."  # which may be secrets
        raise CommandLineError(msg) from None


def _read_json(
    file: IO[str],
    what: str,
    to_object: Callable[[list[tuple[str, Any]]], dict[str, Any]] = dict,
) -> Any:  # noqa: ANN401 - any JSON
    try:
        with file:
            return json.load(file, object_pairs_hook=to_object)
    except json_text.RepeatedNameError:
        msg = f"{what} has one name twice in the same object: remove one of the two."
    except (ValueError, RecursionError):
        msg = f"{what} is not JSON in UTF-8: correct it."
    raise ConfigError(msg)
