"""The streams: `lookups`, one record for each look-up, and the five sections of its answer."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib import SchemaMessage, StateMessage
from typing_extensions import override

from tap_gong_privacy.gong import times
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.gong.json_text import storable_text, text_of
from tap_gong_privacy.singer import records, schemas
from tap_gong_privacy.singer.meters import CallMeter
from tap_gong_privacy.singer.notices import Notices
from tap_gong_privacy.singer.output import RecordLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from singer_sdk import Tap
    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import Catalog

    from tap_gong_privacy.gong.answers import Answer
    from tap_gong_privacy.gong.documented import Section
    from tap_gong_privacy.gong.outcomes import Outcome
    from tap_gong_privacy.round.addresses import Entry
    from tap_gong_privacy.round.run import Run
    from tap_gong_privacy.singer.output import Output
    from tap_gong_privacy.singer.records import Record

# STATE grows with the list. Below this size it is written after each address.
_SMALL_STATE = 4_000
_STATE_BYTES_PER_SECOND = 10_000
_MOST_SECONDS_BETWEEN_STATES = 10.0
# A malformed entry can be a whole pasted document. Postgres cannot index a key of more than about 2,700 bytes.
_LONGEST_ENTRY = 1_000
_LONGEST_ENTRY_IN_BYTES = 2_400


class _PrivacyStream(Stream):
    """What all streams share. Records already have the schema's types, so the SDK has nothing to conform."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: Tap, name: str, schema: schemas.JSONSchema) -> None:
        """Initialize the stream.

        Args:
            tap: The tap.
            name: The stream's name.
            schema: The JSON schema of its records.
        """
        super().__init__(tap, schema=schema, name=name)
        self._all_columns: frozenset[str] = frozenset(cast("dict[str, object]", schema["properties"]))

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take the selection from a catalog, and ignore its replication method, which means nothing here."""
        super().apply_catalog(catalog)
        self.replication_key = None
        self.forced_replication_method = None

    @property
    def columns(self) -> frozenset[str]:
        """The selected columns that the catalog has. An older catalog may lack some."""
        properties: Mapping[str, object] = self.effective_schema.get("properties", {})
        return frozenset(name for name in properties if self.mask["properties", name])

    def select(self, built: Iterable[Record]) -> Iterable[Record]:
        """Remove the columns that are not selected from records of this stream."""
        columns = self.columns
        if columns.issuperset(self._all_columns):
            return built
        return ({name: value for name, value in record.items() if name in columns} for record in built)


class LookupsStream(_PrivacyStream):
    """One record for each look-up: the proof that Gong was asked. The parent of the five sections."""

    def __init__(self, tap: Tap, start_run: Callable[[], Run], check: Callable[[], None]) -> None:
        """Initialize the stream.

        Args:
            tap: The tap.
            start_run: Begins to look up the addresses.
            check: Is called about twice a second. What it raises ends the run.
        """
        super().__init__(tap, schemas.LOOKUPS, dict(schemas.LOOKUPS_SCHEMA))
        self.primary_keys = schemas.LOOKUPS_KEYS
        self._start_run = start_run
        self._check = check
        self._notices = Notices(self.logger)
        self._next_state = 0.0

    @override
    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[Record]:
        """For each look-up of the addresses, in order: write its records, then itself, then the mark in the state.

        The SDK writes each record that this method yields before it asks for the next one.
        """
        if not self.selected:
            self.logger.warning("lookups is not selected: this run writes no proof of the search")
        with ExitStack() as stack:
            for stream in self._sections:
                stack.enter_context(stream.writing())
            run = self._start_run()
            meter = CallMeter(run.progress.snapshot)
            stack.callback(meter.write)
            stack.callback(self._notices.close)
            output = cast("Output", self._tap.message_writer)
            for entry, outcome in run.outcomes(self._check, meter.tick):
                record = _lookup_record(run.api_url, entry, outcome)
                self._notices.take(outcome)
                if outcome.answer:
                    record |= self._write_sections(outcome.answer, record)
                yield from self.select([record])
                run.record(entry, outcome)
                output.finish_look_up()
                self._mark(run)
            self._mark(run, is_last=True)

    @property
    def _sections(self) -> list[SectionStream]:
        return cast("list[SectionStream]", self.child_streams)

    def _write_sections(self, answer: Answer, lookup: Record) -> Record:
        """Write the records of all sections of an answer. Return how many each section has, selected or not."""
        shared = {name: lookup[name] for name in (schemas.EMAIL_ADDRESS, schemas.LOOKED_UP_AT, schemas.REQUEST_ID)}
        shared[schemas.UNDOCUMENTED] = None
        counts: Record = {}
        for stream in self._sections:
            elements = answer.sections[stream.section.name]
            built = records.build(stream.section, elements, shared, self._notices.undocumented)
            count = stream.write(built, str(shared[schemas.LOOKED_UP_AT])) if stream.selected else len(list(built))
            counts[schemas.count_column(stream.section)] = count
        return counts

    def _mark(self, run: Run, *, is_last: bool = False) -> None:
        """Write the state, unless the last one, which may be large, was written a short while ago."""
        now = time.monotonic()
        if now < self._next_state and not is_last:
            return
        bookmark = run.round.bookmark()
        self.stream_state.clear()
        self.stream_state.update(bookmark)
        self._tap.state_writer.write_state(self._tap.state)
        output = cast("Output", self._tap.message_writer)
        if output.lacks_state:
            # The SDK leaves out a state that equals the last one, as in a round of one address, or on a quiet day.
            output.write_message(StateMessage(value=self._tap.state))
        size = sum(map(len, bookmark.values()))
        wait = 0.0 if size < _SMALL_STATE else min(size / _STATE_BYTES_PER_SECOND, _MOST_SECONDS_BETWEEN_STATES)
        self._next_state = now + wait

    @override
    def generate_child_contexts(self, record: Record, context: Mapping[str, Any] | None) -> Iterable[None]:
        """Return none. `get_records` writes the sections' records; the SDK would write a SCHEMA for each address."""
        return ()

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Do nothing. The SDK would add an empty bookmark for each section to the state."""


class SectionStream(_PrivacyStream):
    """One of the five arrays of an answer. `LookupsStream` writes its records."""

    parent_stream_type = LookupsStream
    state_partitioning_keys = ()

    def __init__(self, tap: Tap, section: Section) -> None:
        """Initialize the stream.

        Args:
            tap: The tap.
            section: The array.
        """
        super().__init__(tap, section.stream, schemas.section_schema(section))
        self.primary_keys = schemas.primary_keys(section)
        self.section = section
        self._counter = self.get_record_counter()

    @override
    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:
        """Return nothing. The SDK never calls this, because it syncs no child stream without a context."""
        return ()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write the SCHEMA, and at the end the METRIC line that counts the records. Do nothing if not selected."""
        if not self.selected:
            yield
            return
        for stream_map in self.stream_maps:
            if not isinstance(stream_map, RemoveRecordTransform):
                schema, keys = stream_map.transformed_schema, stream_map.transformed_key_properties
                self._tap.write_message(SchemaMessage(stream_map.stream_alias, schema, keys))
        with self._counter:
            yield

    def write(self, built: Iterable[Record], extracted: str) -> int:
        """Write the records of one answer.

        Args:
            built: The records.
            extracted: When Gong's answer arrived, in ISO 8601.

        Returns:
            How many there were.
        """
        # Most streams have no map. Calling the SDK's transform for each record anyway would take a tenth of the time.
        maps = [
            (stream_map.stream_alias, None if _changes_nothing(stream_map) else stream_map.transform)
            for stream_map in self.stream_maps
        ]
        write = self._tap.write_message
        count = 0
        for count, record in enumerate(self.select(built), 1):  # noqa: B007 - the count is returned
            for alias, transform in maps:
                mapped = transform(record) if transform else record
                if mapped is not None:
                    write(RecordLine(alias, mapped, extracted))
        self._counter.increment(count)
        return count


def _lookup_record(api_url: str, entry: Entry, outcome: Outcome) -> Record:
    undocumented: dict[str, Any] = dict(outcome.undocumented)
    request_id = text_of(outcome.request_id)
    if outcome.request_id is not None and request_id is None:
        undocumented["requestId"] = outcome.request_id
    return {
        schemas.EMAIL_ADDRESS: _shortened(storable_text(entry.text)) if entry.is_malformed else entry.text,
        "api_url": api_url,
        "status": outcome.status.value,
        "errors": list(outcome.errors) or None,
        "attempts": outcome.attempts,
        "http_status": outcome.http_status,
        **{schemas.count_column(section): None for section in SECTIONS},
        schemas.LOOKED_UP_AT: times.format_utc(outcome.looked_up_at),
        schemas.REQUEST_ID: request_id,
        schemas.UNDOCUMENTED: undocumented or None,
    }


def _shortened(text: str) -> str:
    short = text.encode()[:_LONGEST_ENTRY_IN_BYTES].decode(errors="ignore")[:_LONGEST_ENTRY]
    return text if short == text else f"{short}…"


def _changes_nothing(stream_map: StreamMap) -> bool:
    return type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled
