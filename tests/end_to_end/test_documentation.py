"""README and docs agree with the code, link to pages that exist, and give SQL that answers what it says."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
from psycopg.rows import dict_row

from sandbox import Reply, Sandbox, documented_answer
from tap_gong_privacy.gong import documented
from tap_gong_privacy.gong.outcomes import Status
from tap_gong_privacy.round.addresses import Entry
from tap_gong_privacy.round.checkpoint import Round, empty
from tap_gong_privacy.round.ending import closing_line
from tap_gong_privacy.round.progress import Calls
from tap_gong_privacy.settings import DECLARED
from tap_gong_privacy.singer import schemas
from tests.end_to_end.pipeline import SCHEMA, MeltanoProject, as_environment
from tests.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
README = CHECKOUT / "README.md"
DOCS = CHECKOUT / "docs"
PAGES = (*sorted(CHECKOUT.glob("*.md")), *sorted(DOCS.glob("*.md")), *sorted(CHECKOUT.glob("examples/*/*.md")))
JOINING = 20
"""People who join the list each night in the table of lists that change, and as many leave it."""
PEOPLE_A_NIGHT_CAN_ASK = 5_000
QUERIES = sorted((DOCS / "sql").glob("*.sql"))

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
    """What stands in backticks."""
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
    """Streams at a glance, with what their key has behind the address."""
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
    assert len(README.read_text().splitlines()) <= 120


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


def test_each_query_is_linked_from_the_targets_page() -> None:
    """No query is hidden, in neither form."""
    page = (DOCS / "targets.md").read_text()
    names = [query.name for query in QUERIES]

    assert sorted(re.findall(r"\]\(sql/([\w.]+)\)", page)) == names
    assert sorted(re.findall(r"\]\(sql/snowflake/([\w.]+)\)", page)) == names


class Loaded(NamedTuple):
    """A database after two loads, and Gong's answers about the address that is erased in part."""

    connection: psycopg.Connection[dict[str, Any]]
    answers: dict[str, dict[str, Any]]


LEFT_OVER = "jane.doe@example.com"
ERASED = "john.smith@example.com"
FAILING = "maria.garcia@example.org"
BARE = "bare@example.org"
ADDRESSES = (LEFT_OVER, ERASED, "unknown@example.com", "refused@example.com", FAILING, BARE)
BARE_ANSWER = {
    "calls": [{"id": "1"}, {"id": "2", "externalSystems": [{"system": "HubSpot"}, None, {"objects": [None]}]}],
    "customerData": [{"system": "Generic", "objects": [{"id": "3"}, None, {"id": "4", "fields": [None]}]}],
    "legalHolds": [{"id": "5"}],
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """A Postgres into which two runs have been loaded, with erasures in between."""
    before, after = documented_answer(LEFT_OVER), documented_answer(LEFT_OVER)
    after |= {"emails": before["emails"][1:], "calls": []}
    project = MeltanoProject(tmp_path_factory.mktemp("meltano"))
    with running_postgres() as server, Sandbox(requests_per_second=0) as sandbox:
        sandbox.answers[BARE] = Reply(body=BARE_ANSWER)
        environment = {
            **as_environment(
                "tap-gong-privacy",
                **sandbox.config,
                email_addresses=ADDRESSES,
                requests_per_second=100,
                max_retries=0,
                fail_on_rejected_address=False,
            ),
            **as_environment("target-postgres", **server._asdict(), default_target_schema=SCHEMA),
        }
        first = project.run("run", "tap-gong-privacy", "target-postgres", environment=environment)
        assert first.returncode == 0, first.stdout
        sandbox.answers[LEFT_OVER] = Reply(body=after)
        sandbox.answers[ERASED] = Reply(body=documented_answer("unknown@example.com"))
        sandbox.answers[FAILING] = Reply(status=500)
        second = project.run("run", "tap-gong-privacy", "target-postgres", environment=environment)
        assert second.returncode == 1, second.stdout
        with psycopg.connect(server.conninfo, row_factory=dict_row) as connection:
            yield Loaded(connection, {"before": before, "after": after})


def results(loaded: Loaded, query: str, **replacements: str) -> list[dict[str, Any]]:
    """The rows that a query returns; what it changes is undone.

    Args:
        loaded: The database.
        query: The file's name.
        replacements: What to put in place of texts in the query.
    """
    text = (DOCS / "sql" / query).read_text()
    for old, new in replacements.items():
        assert old in text
        text = text.replace(old, new)
    with loaded.connection.transaction(force_rollback=True):
        return loaded.connection.execute(text.encode()).fetchall()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_each_query_runs_as_printed(query: Path, loaded: Loaded) -> None:
    """It runs on the tables that target-postgres makes."""
    results(loaded, query.name)


def test_person_shows_what_gong_holds_now(loaded: Loaded) -> None:
    """Rows that the latest answer no longer reports are left out."""
    rows = results(loaded, "person.sql")
    answer = loaded.answers["after"]
    streams = [row["stream"] for row in rows]

    assert {row["email_address"] for row in rows} == {LEFT_OVER}
    assert [row["key"] for row in rows if row["stream"] == "emails"] != []
    assert {row["key"] for row in rows if row["stream"] == "emails"} == {email["id"] for email in answer["emails"]}
    assert "calls" not in streams
    assert streams.count("customer_engagement") == len(answer["customerEngagement"])


def test_person_shows_what_gong_returned_beside_the_sections(loaded: Loaded) -> None:
    """An undocumented field of the answer itself is part of what Gong holds."""
    rows = results(loaded, "person.sql", **{"Jane.Doe@example.com": BARE})

    assert {"legalHolds": [{"id": "5"}]} in [row["undocumented"] for row in rows if row["stream"] == "lookups"]


def test_coverage_tells_outcomes_apart(loaded: Loaded) -> None:
    """Found, nothing held, refused, failed and never asked."""
    rows = results(loaded, "coverage.sql", **{"'unknown@example.com'": f"'{FAILING}'"})

    assert {row["email_address"]: row["latest_outcome"] for row in rows} == {
        LEFT_OVER: "found",
        ERASED: "not_found",
        FAILING: "failed",
        "refused@example.com": "rejected",
        "not.yet@example.com": "never asked",
    }
    answered = {row["email_address"]: row["answered_at"] for row in rows}
    assert answered[FAILING] is not None
    assert answered["refused@example.com"] is None
    assert [row["place"] for row in rows] == [1, 2, 3, 4, 5]


def test_calls_are_taken_apart_and_none_is_lost(loaded: Loaded) -> None:
    """One row for each linked object; calls and systems without one have a row, too."""
    rows = [row for row in results(loaded, "calls.sql") if row["email_address"] == BARE]

    assert [(row["call_id"], row["system"], row["external_id"]) for row in rows] == [
        ("1", None, None),
        ("2", "HubSpot", None),
        ("2", None, None),
        ("2", None, None),
    ]
    documented = documented_answer(FAILING)["calls"]
    links = [row["external_id"] for row in results(loaded, "calls.sql") if row["email_address"] == FAILING]
    assert sorted(links) == sorted(
        link["externalId"] for call in documented for system in call["externalSystems"] for link in system["objects"]
    )


def test_crm_objects_are_taken_apart_and_none_is_lost(loaded: Loaded) -> None:
    """One row for each field, with its value as JSON; objects without fields have a row, too."""
    rows = results(loaded, "crm_objects.sql")
    fields = {row["field_name"]: row["field_value"] for row in rows if row["email_address"] == LEFT_OVER}
    documented = loaded.answers["after"]["customerData"][-1]["objects"][0]["fields"]

    assert [row["object_id"] for row in rows if row["email_address"] == BARE] == ["3", None, "4"]
    assert fields == {field["name"]: field["value"] for field in documented}


def test_counts_are_those_of_the_rows(loaded: Loaded) -> None:
    """No difference after a load; a lost row shows."""
    assert results(loaded, "counts.sql") == []
    with loaded.connection.transaction(force_rollback=True):
        loaded.connection.execute("DELETE FROM gong_privacy.emails WHERE email_address = %s", [LEFT_OVER])
        rows = results(loaded, "counts.sql")

    assert [(row["email_address"], row["stream"], row["loaded"]) for row in rows] == [(LEFT_OVER, "emails", 0)]


@pytest.mark.parametrize(
    "address, finding, left",
    [
        (ERASED, "erased", ""),
        (LEFT_OVER, "Gong still holds something", "emails: 3, meetings: 1, customer_data: 1, customer_engagement: 1"),
        (BARE, "Gong still holds something", "calls: 2, customer_data: 1, undocumented"),
        (FAILING, "not looked up since", None),
        ("unknown@example.com", "nothing held, and nothing known from before", ""),
        ("not.yet@example.com", "not looked up since", None),
    ],
)
def test_erasure_is_told_by_the_answers_before_and_after(
    address: str, finding: str, left: str | None, loaded: Loaded
) -> None:
    """The last answer before and the latest one after the time of the request, and what is left if it is not."""
    between = loaded.connection.execute(
        "SELECT max(looked_up_at)::text AS moment FROM gong_privacy.lookups"
        " WHERE looked_up_at < (SELECT max(looked_up_at) FROM gong_privacy.lookups) - interval '1 second'"
    ).fetchone()
    assert between
    (row,) = results(loaded, "erasure.sql", **{ERASED: address, "2026-01-15 09:00:00": str(between["moment"])})

    assert row["finding"] == finding
    assert row["what_is_left"] == left
    assert (row["before_count"] or 0) >= (row["after_count"] or 0)


def test_rows_no_longer_reported_are_named(loaded: Loaded) -> None:
    """Those of the earlier answer that the latest lacks; a failed look-up says nothing about them."""
    rows = results(loaded, "no_longer_reported.sql")
    gone = {(row["stream"], row["key"]) for row in rows if row["email_address"] == LEFT_OVER}
    before = loaded.answers["before"]

    assert gone == {("emails", before["emails"][0]["id"]), *(("calls", call["id"]) for call in before["calls"])}
    assert {row["email_address"] for row in rows} == {LEFT_OVER, ERASED}


def test_deletion_leaves_the_evidence(loaded: Loaded) -> None:
    """Every row of the person goes, those no longer reported too; the look-ups and everyone else stay."""
    count = (
        "SELECT (SELECT count(*) FROM gong_privacy.emails) AS emails,"
        " (SELECT count(*) FROM gong_privacy.lookups) AS lookups"
    )
    statement = (DOCS / "sql" / "delete_person.sql").read_bytes()
    connection = loaded.connection
    with connection.transaction(force_rollback=True):
        before = connection.execute(count).fetchone()
        deleted = connection.execute(statement).fetchone()
        after = connection.execute(count).fetchone()
        left = [row for row in results(loaded, "person.sql") if row["email_address"] == LEFT_OVER]

    assert before
    assert after
    assert deleted == {
        "emails": len(loaded.answers["before"]["emails"]),
        "calls": len(loaded.answers["before"]["calls"]),
        "meetings": len(loaded.answers["before"]["meetings"]),
        "customer_data": len(loaded.answers["before"]["customerData"]),
        "customer_engagement": len(loaded.answers["before"]["customerEngagement"]),
        "lookups_kept": 2,
    }
    assert after == {"emails": before["emails"] - deleted["emails"], "lookups": before["lookups"]}
    assert left == []
