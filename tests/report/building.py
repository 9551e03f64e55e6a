"""What the tests of the report share: records, the three places that hold them, and pages taken apart."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa
from typing_extensions import override

from tap_gong_privacy.report import coverage, erasure, model, notice, person
from tap_gong_privacy.report.listing import Listing
from tap_gong_privacy.report.pages import coverage as coverage_page
from tap_gong_privacy.report.pages import erasure as erasure_page
from tap_gong_privacy.report.pages import person as person_page
from tap_gong_privacy.report.rows import singer_output
from tap_gong_privacy.report.rows.masking import Masker
from tap_gong_privacy.round.addresses import Entry
from tests.running import environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_gong_privacy.report.coverage import Coverage
    from tap_gong_privacy.report.erasure import Erasure
    from tap_gong_privacy.report.person import Person
    from tap_gong_privacy.report.rows.tables import Loaded

Record: TypeAlias = dict[str, Any]
Records: TypeAlias = list[tuple[str, Record]]

COMMAND = Path(sys.executable).with_name("gong-privacy-report")
JANE = "jane.doe@example.com"
OTHER_CASE = "Jane.Doe@example.com"
SOMEBODY = "somebody@example.org"
GONG = "https://api.gong.io"
OWN_GONG = "https://us-12345.api.gong.io"
DAY_0 = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
COMPLETE = notice.Notice(texts=dict.fromkeys(notice.KEYS, "A text of the controller."))

# What the tap's catalog says, and not what the code under test takes from the schemas.
SNAPSHOTS = Path(__file__).parents[1] / "singer" / "snapshots"
SCHEMAS: dict[str, dict[str, dict[str, Any]]] = {
    path.stem: json.loads(path.read_text())["schema"]["properties"] for path in sorted(SNAPSHOTS.glob("*.json"))
}
KEYS = {path.stem: json.loads(path.read_text())["key_properties"][1] for path in SNAPSHOTS.glob("*.json")}
STREAMS = ("emails", "calls", "meetings", "customer_data", "customer_engagement")


def at(day: float) -> str:
    """The time of a look-up, in days since the first, as the tap writes it."""
    return (DAY_0 + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def look_up(address: str, status: str, day: float = 0, /, **columns: object) -> tuple[str, Record]:
    """A record of `lookups`; its counts are 0 if Gong has answered."""
    is_answer = status in {"found", "not_found"}
    counts = {f"{stream}_count": 0 if is_answer else None for stream in STREAMS}
    record = dict.fromkeys(SCHEMAS["lookups"]) | {
        "email_address": address,
        "looked_up_at": at(day),
        "request_id": f"request-{address.replace('@', '-at-')}-{day}",
        "status": status,
        "http_status": {"rejected": 400, "failed": 503, "malformed": None}.get(status, 200),
        "attempts": 1,
        "api_url": GONG,
    }
    return "lookups", record | counts | columns


def entry(stream: str, address: str, key: str, day: float = 0, /, **columns: object) -> tuple[str, Record]:
    """A record of one of the five streams."""
    record = dict.fromkeys(SCHEMAS[stream]) | {
        "email_address": address,
        KEYS[stream]: key,
        "looked_up_at": at(day),
        "request_id": f"request-{day}",
    }
    return stream, record | columns


def found(address: str, day: float = 0, /, **entries: int) -> Records:
    """An answer with so many entries of each stream, behind them its look-up."""
    records = [
        entry(stream, address, f"{stream}-{number}", day) for stream in entries for number in range(entries[stream])
    ]
    counts: dict[str, object] = {f"{stream}_count": count for stream, count in entries.items()}
    return [*records, look_up(address, "found", day, **counts)]


def at_url(api_url: str, records: Records) -> Records:
    """The same records with look-ups under another base URL."""
    return [(stream, record | {"api_url": api_url} if stream == "lookups" else record) for stream, record in records]


def singer_lines(
    records: Iterable[tuple[str, Record]],
    *,
    without: Iterable[str] = (),
    columns: Mapping[str, Iterable[str]] | None = None,
) -> list[bytes]:
    """The tap's output that holds these records.

    Args:
        records: Streams and records.
        without: Streams that are deselected.
        columns: Columns that are deselected, by stream.
    """
    dropped = {stream: set(names) for stream, names in (columns or {}).items()}
    messages: list[Record] = [
        {
            "type": "SCHEMA",
            "stream": stream,
            "schema": {"properties": {name: {} for name in names if name not in dropped.get(stream, ())}},
            "key_properties": ["email_address", KEYS[stream]],
        }
        for stream, names in SCHEMAS.items()
        if stream not in set(without)
    ]
    messages += [
        {
            "type": "RECORD",
            "stream": stream,
            "record": {name: value for name, value in record.items() if name not in dropped.get(stream, ())},
        }
        for stream, record in records
        if stream not in set(without)
    ]
    return [json.dumps(message).encode() + b"\n" for message in messages]


def load(
    records: Iterable[tuple[str, Record]],
    addresses: Sequence[str] | None = (JANE,),
    **options: Any,  # noqa: ANN401
) -> Loaded:
    """What the report reads of these records."""
    return singer_output.read(singer_lines(records, **options), addresses, with_rows=addresses is not None)


def answer(
    records: Iterable[tuple[str, Record]],
    addresses: Sequence[str] = (JANE,),
    *,
    masker: Masker | None = None,
    texts: notice.Notice = COMPLETE,
    api_urls: Sequence[str] = (),
    is_draft: bool = False,
    is_accepted: bool = False,
    **options: Any,  # noqa: ANN401
) -> Person:
    """The answer that is made of these records."""
    loaded = load(records, addresses, **options)
    assessment = model.assess(addresses, loaded, api_urls, NOW)
    masker = masker or Masker(addresses)
    return person.answer(assessment, loaded, masker, texts, is_draft=is_draft, is_accepted=is_accepted)


def evidence(
    records: Iterable[tuple[str, Record]],
    addresses: Sequence[str] = (JANE,),
    *,
    asked_at: datetime = DAY_0 + timedelta(days=10),
    api_urls: Sequence[str] = (),
    **options: Any,  # noqa: ANN401
) -> Erasure:
    """The evidence of an erasure that these records are."""
    loaded = load(records, addresses, **options)
    return erasure.evidence(model.assess(addresses, loaded, api_urls, NOW), asked_at)


def survey(
    records: Iterable[tuple[str, Record]],
    entries: Sequence[str | Entry] = (JANE,),
    *,
    api_url: str = GONG,
    api_urls: Sequence[str] = (),
    oldest_allowed: timedelta | None = None,
    **options: Any,  # noqa: ANN401
) -> Coverage:
    """A list compared with these records."""
    listing = Listing(tuple(Entry(one) if isinstance(one, str) else one for one in entries), api_url)
    return coverage.survey(listing, load(records, None, **options), api_urls, NOW, oldest_allowed)


def page_of(report: Person | Erasure | Coverage) -> Page:
    """The page of a report, taken apart."""
    if isinstance(report, person.Person):
        parts = person_page.page(report)
    elif isinstance(report, erasure.Erasure):
        parts = erasure_page.page(report, "0" * 64)
    else:
        parts = coverage_page.page(report)
    return Page.of(b"".join(parts).decode())


@dataclass
class Page(HTMLParser):
    """A page taken apart.

    Attributes:
        text: All that can be read.
        tags: Each element, with its attributes.
        values: The texts of the elements that show a value as it is.
        tables: Rows of cells, by table.
    """

    text: str = ""
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    _inside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin to parse."""
        super().__init__(convert_charrefs=True)

    @classmethod
    def of(cls, html: str) -> Page:
        """Take a page apart."""
        page = cls()
        page.feed(html)
        page.close()
        return page

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "meta":
            return
        self._inside.append(tag)
        if tag == "bdi":
            self.values.append("")
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag, f"{tag} is not closed where it was opened"

    @override
    def handle_data(self, data: str) -> None:
        if "style" in self._inside:
            return
        self.text += data
        if "bdi" in self._inside:
            self.values[-1] += data
        if "td" in self._inside or "th" in self._inside:
            self.tables[-1][-1][-1] += data

    def attributes(self, name: str) -> list[str]:
        """The values of an attribute, of all elements."""
        return [value for _, attributes in self.tags if (value := attributes.get(name)) is not None]


@dataclass(frozen=True)
class Made:
    """What a run of the command came to."""

    returncode: int
    stdout: str
    stderr: str
    folder: Path

    def read(self, name: str) -> str:
        """One of the files that were made."""
        return (self.folder / name).read_text(encoding="utf-8")

    @property
    def json(self) -> Any:  # noqa: ANN401
        """The JSON that was made for a person."""
        return json.loads(self.read("person.json"))


def run_report(
    folder: Path, *arguments: str, source: bytes | None = None, env: Mapping[str, str] | None = None
) -> Made:
    """Run the installed command to its end, writing into a new folder.

    Args:
        folder: Where to run it; its `made` becomes the report's folder.
        arguments: The command line.
        source: Standard input.
        env: Further variables.
    """
    done = subprocess.run(
        [COMMAND, *arguments, *([] if "--to" in arguments or arguments[0] == "notice" else ["--to", "made"])],
        cwd=folder,
        env=environment(env),
        input=source or b"",
        capture_output=True,
        timeout=240,
        check=False,
    )
    log = done.stderr.decode()
    assert "Traceback" not in log, log
    assert "@" not in log, log
    return Made(done.returncode, done.stdout.decode(), log, folder / "made")


def load_sqlite(path: Path, records: Iterable[tuple[str, Record]], *, without: Iterable[str] = ()) -> str:
    """Load records into tables of SQLite as targets do, JSON as text.

    Returns:
        The database's URL.
    """
    url = f"sqlite:///{path}"
    engine = sa.create_engine(url)
    metadata = sa.MetaData()
    tables = {
        name: sa.Table(name, metadata, *[sa.Column(column, sa.Text) for column in columns])
        for name, columns in SCHEMAS.items()
        if name not in set(without)
    }
    metadata.create_all(engine)
    with engine.begin() as connection:
        for stream, record in records:
            if stream in tables:
                connection.execute(tables[stream].insert().values(**_as_stored(stream, record)))
    engine.dispose()
    return url


def _as_stored(stream: str, record: Record) -> Record:
    stored = dict(record)
    for column, schema in SCHEMAS[stream].items():
        value = record.get(column)
        if {"array", "object"} & set(schema["type"]):
            stored[column] = json.dumps(value)
        elif schema.get("format") == "date-time" and value is not None:
            stored[column] = value.removesuffix("Z").replace("T", " ")
    return stored
