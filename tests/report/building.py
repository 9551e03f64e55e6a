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

from tap_gong_privacy.report import notice, person
from tap_gong_privacy.report.pages import person as person_page
from tap_gong_privacy.report.rows import singer_output
from tap_gong_privacy.report.rows.masking import Masker
from tap_gong_privacy.report.rows.tables import KEYS, STREAMS, TABLES, Kind
from tests.running import environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_gong_privacy.report.model import Loaded
    from tap_gong_privacy.report.person import Person

Record: TypeAlias = dict[str, Any]

COMMAND = Path(sys.executable).with_name("gong-privacy-report")
JANE = "jane.doe@example.com"
GONG = "https://api.gong.io"
DAY_0 = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
ALL_TEXTS = dict.fromkeys(notice.KEYS, "A text of the controller.")


def at(day: float) -> str:
    """The time of a look-up, in days since the first, as the tap writes it."""
    return (DAY_0 + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def look_up(address: str, status: str, day: float = 0, /, **columns: object) -> tuple[str, Record]:
    """A record of `lookups`; its counts are 0 where Gong has answered."""
    is_answer = status in {"found", "not_found"}
    counts = {f"{stream}_count": 0 if is_answer else None for stream in STREAMS}
    record = {
        "email_address": address,
        "looked_up_at": at(day),
        "request_id": f"request-{day}",
        "status": status,
        "http_status": {"rejected": 400, "failed": 503, "malformed": None}.get(status, 200),
        "errors": None,
        "attempts": 1,
        "api_url": GONG,
        "undocumented": None,
    }
    return "lookups", record | counts | columns


def entry(stream: str, address: str, key: str, day: float = 0, /, **columns: object) -> tuple[str, Record]:
    """A record of one of the five streams."""
    record = dict.fromkeys(TABLES[stream]) | {
        "email_address": address,
        KEYS[stream]: key,
        "looked_up_at": at(day),
        "request_id": f"request-{day}",
    }
    return stream, record | columns


def found(address: str, day: float = 0, **entries: int) -> list[tuple[str, Record]]:
    """An answer with so many entries of each stream, behind them its look-up."""
    records = [
        entry(stream, address, f"{stream}-{number}", day) for stream in entries for number in range(entries[stream])
    ]
    return [*records, look_up(address, "found", day, **{f"{stream}_count": count for stream, count in entries.items()})]


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
        for stream, names in TABLES.items()
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
    return singer_output.read(singer_lines(records, **options), addresses, with_rows=True)


def answer(
    records: Iterable[tuple[str, Record]],
    addresses: Sequence[str] = (JANE,),
    *,
    masker: Masker | None = None,
    texts: Mapping[str, str] | None = None,
    **options: Any,  # noqa: ANN401
) -> Person:
    """The answer that is made of these records."""
    return person.answer(
        addresses,
        load(records, addresses, **options),
        masker or Masker.for_person(addresses),
        ALL_TEXTS if texts is None else texts,
        made_at=NOW,
    )


def page_of(answered: Person) -> Page:
    """The page for a person, taken apart."""
    return Page.of(b"".join(person_page.page(answered)).decode())


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
        for name, columns in TABLES.items()
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
    for column, kind in TABLES[stream].items():
        value = record.get(column)
        if kind is Kind.JSON:
            stored[column] = json.dumps(value)
        elif kind is Kind.TIME and value is not None:
            stored[column] = value.removesuffix("Z").replace("T", " ")
    return stored
