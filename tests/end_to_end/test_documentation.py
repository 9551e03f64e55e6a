"""README and docs agree with the code, link to pages that exist, and give SQL that answers what it says."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_gong_privacy.gong import documented
from tap_gong_privacy.gong.outcomes import Status
from tap_gong_privacy.round.addresses import Entry
from tap_gong_privacy.round.checkpoint import Round, empty
from tap_gong_privacy.round.ending import closing_line
from tap_gong_privacy.round.progress import Calls
from tap_gong_privacy.settings import DECLARED
from tap_gong_privacy.singer import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
README = CHECKOUT / "README.md"
DOCS = CHECKOUT / "docs"
PAGES = (*sorted(CHECKOUT.glob("*.md")), *sorted(DOCS.glob("*.md")), *sorted(CHECKOUT.glob("examples/*/*.md")))
JOINING = 20
"""People who join the list each night in the table of lists that change, and as many leave it."""
PEOPLE_A_NIGHT_CAN_ASK = 5_000

Row = tuple[str, ...]
SchemaObject = dict[str, Any]


def section(page: Path, heading: str) -> str:
    """The text below a heading, as far as the next one of the same level or a higher one."""
    level = heading.partition(" ")[0]
    _, _, rest = page.read_text().partition(f"\n{heading}\n")
    assert rest, f"{page.name} has no section {heading}"
    return re.split(rf"\n#{{1,{len(level)}}} ", rest, maxsplit=1)[0]


def table(text: str) -> list[Row]:
    """The rows of the first Markdown table, without its header."""
    lines = re.search(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    assert lines, "no table"
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[0].splitlines()[2:]]


def code(text: str) -> list[str]:
    """Return the texts in backticks."""
    return re.findall(r"`([^`]+)`", text)


def columns(schema: SchemaObject, prefix: str = "") -> Iterator[Row]:
    """Each column, and each field below it, as the pages write it: name, type, meaning."""
    for name, definition in schema["properties"].items():
        yield f"`{prefix}{name}`", _type(definition), definition["description"]
        if "object" in definition.get("items", {}).get("type", ()):
            yield from columns(definition["items"], f"{prefix}{name}[].")


def _type(definition: SchemaObject) -> str:
    kinds = [kind for kind in definition["type"] if kind != "null"]
    if len(kinds) > 1:
        return "any JSON"
    name = {"string": "text"}.get(kinds[0], kinds[0])
    if kinds == ["array"]:
        name = f"list of {'objects' if 'object' in definition['items']['type'] else 'texts'}"
    if definition.get("format") == "date-time":
        name = "date-time"
    return name if "null" in definition["type"] else f"{name}, never null"


def all_schemas() -> dict[str, tuple[SchemaObject, tuple[str, ...]]]:
    """The schema and the key of each stream."""
    sections = {part.stream: (schemas.section_schema(part), schemas.primary_keys(part)) for part in documented.SECTIONS}
    return {schemas.LOOKUPS: (dict(schemas.LOOKUPS_SCHEMA), schemas.LOOKUPS_KEYS), **sections}


def test_readme_lists_each_stream_with_its_key() -> None:
    """The overview lists each stream, with the key columns that follow the address."""
    listed = {code(name)[0]: tuple(code(key)) for name, key, _ in table(section(README, "## What you get"))}

    assert listed == {name: key[1:] for name, (_, key) in all_schemas().items()}
    assert all(key[0] == schemas.EMAIL_ADDRESS for _, key in all_schemas().values())


def test_streams_page_has_a_section_for_each_stream_and_no_other() -> None:
    """A section's heading is the stream's name."""
    headings = re.findall(r"^## `(\w+)`$", (DOCS / "streams.md").read_text(), re.MULTILINE)

    assert headings == list(all_schemas())


def common_columns() -> list[Row]:
    """The columns that the page lists once for all streams."""
    return table(section(DOCS / "streams.md", "## Every stream"))


def test_streams_page_lists_common_columns_once() -> None:
    """They are those that each stream has, with the same type and meaning."""
    of_streams = [set(columns(schema)) for schema, _ in all_schemas().values()]

    assert set(common_columns()) == set.intersection(*of_streams)


@pytest.mark.parametrize("stream", all_schemas())
def test_streams_page_lists_each_column(stream: str) -> None:
    """Names, types and meanings are those of the schema, including nested fields; so is the key."""
    schema, key = all_schemas()[stream]
    text = section(DOCS / "streams.md", f"## `{stream}`")
    sentence = re.search(r"^Key: (.*)\.$", text, re.MULTILINE)

    assert table(text) == [column for column in columns(schema) if column not in common_columns()]
    assert sentence
    assert tuple(code(sentence[1])) == key


def test_streams_page_explains_each_status() -> None:
    """A status without a meaning cannot be evidence."""
    listed = re.findall(r"^\| `(\w+)` \| [^|]+ \|$", section(DOCS / "streams.md", "## `lookups`"), re.MULTILINE)

    assert listed == [status.value for status in Status]


def test_operations_page_lists_each_key_of_the_state() -> None:
    """The bookmark's keys are those that the code writes."""
    rows = table(section(DOCS / "operations.md", "## State"))

    assert [name for names, _ in rows for name in code(names)] == list(empty())


def test_operations_page_lists_each_number_of_the_closing_line() -> None:
    """The fields of a JSON log are those that the code writes."""
    rows = table(section(DOCS / "operations.md", "### Numbers for machines"))
    _, counts = closing_line(Round((), "", empty()), Calls())

    assert {name for names, _ in rows for name in code(names)} == set(counts)


def test_operations_page_reckons_the_quota() -> None:
    """Time at the tap's own pace, days at Gong's quota, and days at the half of it; from 100 addresses to 100,000."""
    rows = table(section(DOCS / "operations.md", "## Quota"))
    counts = [number(count) for count, *_ in rows]
    seconds_each = 1.02 / DECLARED["properties"]["requests_per_second"]["default"]

    assert (counts[0], counts[-1]) == (100, 100_000)
    for count, (_, time, days, halves) in zip(counts, rows, strict=True):
        assert time == str(timedelta(seconds=round(count * seconds_each)))
        assert (int(days), int(halves)) == (math.ceil(count / 10_000), math.ceil(count / 5_000))


@pytest.mark.parametrize("row", table(section(DOCS / "operations.md", "### Lists that change every night")))
def test_operations_page_reckons_the_cost_of_changing_lists(row: Row) -> None:
    """The calls are those that rounds ask for in 30 nights, with and without rest."""
    people, always, rested, nights = map(number, row)
    calls = calls_of_nights(people, days_between_rounds=30)

    assert sum(calls_of_nights(people, days_between_rounds=0)) == always
    assert sum(calls) == rested
    assert next(night for night, count in enumerate(calls, 1) if count < PEOPLE_A_NIGHT_CAN_ASK) == nights


def calls_of_nights(people: int, days_between_rounds: float) -> list[int]:
    """The calls of each of 30 nights, if nothing fails and the list loses its first entries and gains new ones."""
    addresses = [Entry(f"{number}@example.com") for number in range(people + 30 * JOINING)]
    bookmark = empty()
    calls = []
    for night in range(30):
        entries = addresses[night * JOINING :][:people]
        now = datetime(2026, 1, 1, 5, tzinfo=UTC) + timedelta(days=night)
        round_ = Round(entries, "", bookmark, days_between_rounds=days_between_rounds, now=now)
        asked = round_.to_do[:PEOPLE_A_NIGHT_CAN_ASK]
        for entry in asked:
            round_.record(entry, Status.NOT_FOUND)
        bookmark = round_.bookmark()
        calls.append(len(asked))
    return calls


def number(text: str) -> int:
    """A number as the pages write it."""
    return int(text.replace(",", ""))


def test_readme_is_short_enough_to_be_read() -> None:
    """A few screens."""
    assert len(README.read_text().splitlines()) <= 125


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(CHECKOUT).as_posix())
def test_links_between_pages_exist(page: Path) -> None:
    """Each relative link leads to a file, and each fragment to one of its headings."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, fragment = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not fragment or fragment in _anchors(linked), target


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
