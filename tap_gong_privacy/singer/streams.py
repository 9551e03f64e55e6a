"""The streams: `lookups`, one record for each look-up, and the five sections of its answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib import SchemaMessage
from typing_extensions import override

from tap_gong_privacy.gong import times
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.gong.json_text import text_of
from tap_gong_privacy.singer import records, schemas
from tap_gong_privacy.singer.output import RecordLine

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk import Tap
    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import Catalog

    from tap_gong_privacy.gong.client import Lookup
    from tap_gong_privacy.gong.documented import Section
    from tap_gong_privacy.round.run import Run
    from tap_gong_privacy.singer.records import Record
    from tap_gong_privacy.tap import TapGongPrivacy

_SHOWN_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHOWN_NAMES = 20


class _PrivacyStream(Stream):
    """What all streams share. Records are of the schema's types already: the SDK has nothing to conform."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take the selection from a catalog. A replication method means nothing here, and is passed over."""
        super().apply_catalog(catalog)
        self.replication_key = None
        self.forced_replication_method = None

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are selected, and that the catalog, which may be an older one, has."""
        properties: Mapping[str, object] = self.effective_schema.get("properties", {})
        return frozenset(name for name in properties if self.mask["properties", name])


class SectionStream(_PrivacyStream):
    """One of the five arrays of an answer."""

    state_partitioning_keys = ()

    def __init__(self, tap: Tap, section: Section) -> None:
        """Initialize the stream.

        Args:
            tap: The tap.
            section: The array.
        """
        super().__init__(tap, schema=schemas.section_schema(section), name=section.stream)
        self.primary_keys = schemas.primary_keys(section)
        self.section = section

    @override
    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:
        """Return nothing: `LookupsStream` has the answers, and has their records written by `write`.

        A sync by the SDK for each answer would write the SCHEMA anew, and log four lines, for each address.
        """
        return ()

    def write_schema(self) -> None:
        """Write the SCHEMA of each stream that this one is mapped to."""
        for stream_map in self.stream_maps:
            if not isinstance(stream_map, RemoveRecordTransform):
                self._tap.write_message(
                    SchemaMessage(
                        stream_map.stream_alias,
                        stream_map.transformed_schema,
                        stream_map.transformed_key_properties,
                    ),
                )

    def write(self, built: Iterator[Record], extracted: str) -> int:
        """Write the records of one answer.

        Args:
            built: The records.
            extracted: When Gong's answer arrived, in ISO 8601.

        Returns:
            How many there were.
        """
        # Most streams are not mapped: to ask the SDK all the same, record by record, takes a tenth of the time.
        maps = [
            (stream_map.stream_alias, None if _changes_nothing(stream_map) else stream_map.transform)
            for stream_map in self.stream_maps
        ]
        columns = self.columns
        write = self._tap.write_message
        count = 0
        for record in built:
            count += 1
            if len(columns) < len(record):
                for column in record.keys() - columns:
                    del record[column]
            for alias, transform in maps:
                mapped = transform(record) if transform else record
                if mapped is not None:
                    write(RecordLine(alias, mapped, extracted))
        return count


class LookupsStream(_PrivacyStream):
    """One record for each look-up that came to an end: the proof that Gong was asked."""

    def __init__(self, tap: TapGongPrivacy) -> None:
        """Initialize the stream.

        Args:
            tap: The tap.
        """
        super().__init__(tap, schema=dict(schemas.LOOKUPS_SCHEMA), name=schemas.LOOKUPS)
        self.primary_keys = schemas.LOOKUPS_KEYS
        self._privacy_tap = tap
        self._lookup: Lookup | None = None
        self._notices = Notices(self.logger)

    @property
    def _sections(self) -> list[SectionStream]:
        return cast("list[SectionStream]", self.child_streams)

    @override
    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
        """For each look-up of the addresses, in order: its records, then itself, then the mark in the state."""
        for stream in self._sections:
            if stream.selected:
                stream.write_schema()
        run = self._privacy_tap.start_run(limit=self.ABORT_AT_RECORD_COUNT)
        for address, lookup in run.lookups(self._privacy_tap.check):
            self._lookup = lookup
            self._notices.take(lookup)
            yield _record(address, lookup)
            self._lookup = None
            run.take_down(lookup)
            if self.ABORT_AT_RECORD_COUNT is None:
                self._mark(run)
        if self.ABORT_AT_RECORD_COUNT is None:
            # Also where there was nothing to ask: a list cut to what is done ends its round.
            self._mark(run)
        self._notices.close()

    @override
    def generate_child_contexts(self, record: Record, context: Mapping[str, Any] | None) -> Iterable[None]:
        """Write the records of the sections, which the SDK does before it writes the look-up itself."""
        answer = self._lookup.answer if self._lookup else None
        if self._lookup and answer:
            names = (schemas.EMAIL_ADDRESS, schemas.LOOKED_UP_AT, schemas.REQUEST_ID)
            shared = {**{name: record[name] for name in names}, schemas.UNDOCUMENTED: None}
            for stream in self._sections:
                section = stream.section
                built = records.build(section, answer.sections[section.name], shared, self._notices.undocumented)
                extracted = str(record[schemas.LOOKED_UP_AT])
                count = stream.write(built, extracted) if stream.selected else sum(1 for _ in built)
                record[schemas.count_column(section)] = count
        for column in record.keys() - self.columns:
            del record[column]
        return ()

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Leave the state alone: the SDK would add an empty bookmark for each section."""

    def _mark(self, run: Run) -> None:
        self.stream_state.clear()
        self.stream_state.update(run.round.bookmark())
        self._tap.state_writer.write_state(self._tap.state)


class Notices:
    """What is unusual in Gong's answers, said once."""

    def __init__(self, logger: logging.Logger) -> None:
        """Initialize the notices.

        Args:
            logger: Where to say it.
        """
        self._logger = logger
        self._shown: set[str] = set()
        self._not_shown = 0
        self._is_repair_said = False

    def take(self, lookup: Lookup) -> None:
        """Say what is unusual in an answer as a whole."""
        for name in lookup.undocumented:
            self.undocumented(name)
        if lookup.is_repaired:
            self.repaired()

    def undocumented(self, name: str) -> None:
        """Say that Gong returned a field that it does not document. Its name may be an address."""
        if name in self._shown:
            return
        if len(self._shown) == _SHOWN_NAMES or not _SHOWN_NAME.fullmatch(name):
            self._not_shown += 1
            return
        self._shown.add(name)
        self._logger.warning("Gong returned a field that its documentation does not list; it is kept: %s", name)

    def repaired(self) -> None:
        """Say that characters were replaced."""
        if not self._is_repair_said:
            self._is_repair_said = True
            self._logger.warning(
                "Gong returned characters that no target can store (NUL, lone surrogates); they are replaced by U+2400 "
                "and U+FFFD",
            )

    def close(self) -> None:
        """Say how many fields were not named."""
        if self._not_shown:
            self._logger.warning(
                "Gong returned undocumented fields %d times under other names, which are not shown; they are kept",
                self._not_shown,
            )


def _record(address: str, lookup: Lookup) -> dict[str, Any]:
    undocumented: dict[str, Any] = dict(lookup.undocumented)
    request_id = text_of(lookup.request_id)
    if lookup.request_id is not None and request_id is None:
        undocumented["requestId"] = lookup.request_id
    return {
        schemas.EMAIL_ADDRESS: address,
        "status": lookup.status.value,
        "errors": list(lookup.errors) or None,
        "http_status": lookup.http_status,
        **{schemas.count_column(section): None for section in SECTIONS},
        schemas.LOOKED_UP_AT: times.format_utc(lookup.looked_up_at),
        schemas.REQUEST_ID: request_id,
        schemas.UNDOCUMENTED: undocumented or None,
    }


def _changes_nothing(stream_map: StreamMap) -> bool:
    return type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled


SectionStream.parent_stream_type = LookupsStream
