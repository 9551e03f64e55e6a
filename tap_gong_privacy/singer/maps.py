"""The SDK's stream maps: what they must not do to the records of this tap."""

from __future__ import annotations

import fnmatch
import traceback
from typing import TYPE_CHECKING

from singer_sdk.mapper import RemoveRecordTransform

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.singer import schemas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from singer_sdk.mapper import StreamMap

_LOOKUPS_REMOVED = (
    "Wrong settings: stream_maps would remove or filter lookups, the proof of the search. To leave the stream out, "
    "deselect it in the catalog; to leave out others, map each to null."
)


def refuse_filters(settings: Mapping[str, object]) -> None:
    """Refuse maps that filter `lookups`.

    Args:
        settings: The setting `stream_maps`.

    Raises:
        ConfigError: If a filter would drop records of `lookups`: the SDK would drop each one's child records with it,
            after all the calls were spent.
    """
    for pattern, value in settings.items():
        if (
            fnmatch.fnmatch(schemas.LOOKUPS, pattern)
            and isinstance(value, dict)
            and "__source__" not in value
            and value.get("__filter__") is not None
        ):
            raise ConfigError(_LOOKUPS_REMOVED)


def refuse_losses(maps: Mapping[str, list[StreamMap]], selected: AbstractSet[str]) -> None:
    """Refuse what the SDK lets pass, and by which records would be lost or mixed up in a target.

    Args:
        maps: The maps of each stream, as the SDK has set them up.
        selected: The names of the streams that are written.

    Raises:
        ConfigError: If `lookups` is removed, two streams have one name, or a key has no column of its name.
    """
    if any(isinstance(stream_map, RemoveRecordTransform) for stream_map in maps.get(schemas.LOOKUPS, [])[:1]):
        raise ConfigError(_LOOKUPS_REMOVED)
    names: set[str] = set()
    for stream_map in (stream_map for stream in selected for stream_map in maps.get(stream, [])):
        if isinstance(stream_map, RemoveRecordTransform):
            continue
        if stream_map.stream_alias in names:
            msg = "Wrong settings: stream_maps give two streams one name; give each a name of its own (__alias__)."
            raise ConfigError(msg)
        names.add(stream_map.stream_alias)
        columns: dict[str, object] = stream_map.transformed_schema.get("properties", {})
        if not columns.keys() >= set(stream_map.transformed_key_properties or ()):
            msg = (
                f"The key of stream {stream_map.stream_alias} would lack a column: select it in the catalog; and "
                "flattening_max_key_length must be longer than its name."
            )
            raise ConfigError(msg)


def is_fault_of_an_expression(error: Exception) -> bool:
    """Tell whether an error comes from within the SDK's mapper, and so from an expression of the user's.

    Args:
        error: The error, as it was caught.
    """
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == RemoveRecordTransform.__module__ for frame, _ in frames)
