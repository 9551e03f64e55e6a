"""The smallest tap that the SDK allows: one stream, one record."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class BareStream(Stream):
    """A stream of one record."""

    name = "bare"
    schema = th.PropertiesList(th.Property("id", th.StringType)).to_dict()

    @override
    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:
        """Return the record."""
        return [{"id": "1"}]


class BareTap(Tap):
    """A tap with this stream."""

    name = "bare-tap"
    config_jsonschema = th.PropertiesList().to_dict()

    @override
    def discover_streams(self) -> Sequence[Stream]:
        """Return the stream."""
        return [BareStream(self)]


if __name__ == "__main__":
    sys.exit(BareTap.cli())
