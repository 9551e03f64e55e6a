"""The example projects, set up and run as their READMEs say: what they load, and each query and report on it."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from sandbox import Sandbox
from tests.end_to_end.examples import PASSWORD, Example
from tests.end_to_end.pipeline import CHECKOUT, SCHEMA, SECTIONS
from tests.end_to_end.queries import QUERIES
from tests.end_to_end.test_documentation import code, section, table
from tests.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

pytestmark = pytest.mark.timeout(900)  # the first test waits for the installation

JANE = "jane.doe@example.com"
ERASED = "john.smith@example.com"
UNKNOWN = "unknown@example.com"
REFUSED = "refused@example.com"
MALFORMED = "no address"
NEWCOMER = "amina.diallo@example.net"
FIRST_LIST = [JANE, ERASED, UNKNOWN, REFUSED, MALFORMED]
SALT = "an example salt of 32 characters"
SALT_NAME = "TAP_GONG_PRIVACY_STREAM_MAP_CONFIG_SALT"
STREAMS = {"lookups", *SECTIONS}
CHOSEN = {"lookups", "calls", "customer_data"}
NAMES = [query.name for query in QUERIES]
INSTALL = ".venv/bin/meltano install"
RUN = ".venv/bin/meltano run look-up"
DAILY = ".venv/bin/meltano schedule run daily"
REPORT = ".venv/bin/meltano invoke gong-privacy-report"
FLATTENING = {"TAP_GONG_PRIVACY_FLATTENING_ENABLED": "true", "TAP_GONG_PRIVACY_FLATTENING_MAX_DEPTH": "1"}
TARGETS_PAGE = CHECKOUT / "docs" / "targets.md"
ERASED_IN_PART = "erased, except for what Gong does not name as erased"
"""What the sandbox's erasure comes to: like Gong's, it does not erase meetings and engagement events."""

REPORTED_NO_MORE = ("no_longer_reported.sql", "team")
"""The query and the project in which an erasure leaves rows that Gong reports no more."""


@dataclass
class Story:
    """A project after its runs."""

    example: Example
    output: str
    asked_at: str
    asked: list[list[str]]


@contextlib.contextmanager
def prepared(name: str, folder: Path, plugins: Path | None = None) -> Iterator[Example]:
    """Set an example up, with plugins that are installed already, if they are given."""
    with running_postgres() as server, Sandbox(requests_per_second=0, erase_after=0) as sandbox:
        example = Example(name, folder, server, sandbox)
        example.fill_in(**({SALT_NAME: SALT} if name == "analysts" else {}))
        example.write_list(FIRST_LIST)
        if name == "privacy-team":
            example.follow("touch erased.txt")
        if plugins:
            (example.folder / ".meltano").mkdir()
            for kind in ("extractors", "loaders", "utilities"):
                (example.folder / ".meltano" / kind).symlink_to(plugins / kind)
        yield example


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugins of the larger example, installed once: the smaller one has the same."""
    folder = tmp_path_factory.mktemp("installed")
    with prepared("privacy-team", folder) as example:
        # By pip, which heeds the registry that it is configured for.
        example.follow(
            INSTALL, variables={**os.environ, "MELTANO_VENV_BACKEND": "virtualenv", "XDG_STATE_HOME": str(folder)}
        )
        return example.folder / ".meltano"


@pytest.fixture(scope="module")
def team(plugins: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The privacy team's project after two runs, with an erasure and another list in between."""
    with prepared("privacy-team", tmp_path_factory.mktemp("team"), plugins) as example:
        first = example.follow(DAILY)
        asked = [example.asked()]
        asked_at = datetime.now(UTC).isoformat()
        example.erase(ERASED)
        example.write_list([address for address in FIRST_LIST if address != ERASED] + [NEWCOMER])
        (example.folder / "erased.txt").write_text(f"{ERASED}\n", encoding="utf-8")
        example.asked()
        second = example.follow(RUN)
        asked.append(example.asked())
        yield Story(example, first.stderr + second.stderr, asked_at, asked)


@pytest.fixture(scope="module")
def analysts(plugins: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The analysts' project after three runs, the last of them a new round, in a database far from UTC."""
    with prepared("analysts", tmp_path_factory.mktemp("analysts"), plugins) as example:
        example.execute(sql.SQL("ALTER ROLE gong_pseudonym_loader SET timezone = 'Asia/Tokyo'"))
        first = example.follow(DAILY)
        asked = [example.asked()]
        asked_at = datetime.now(UTC).isoformat()
        example.erase(ERASED)
        example.write_list([*FIRST_LIST, NEWCOMER])
        example.asked()
        second = example.follow(RUN)
        asked.append(example.asked())
        third = example.follow(f"TAP_GONG_PRIVACY_DAYS_BETWEEN_ROUNDS=0 {RUN}")
        asked.append(example.asked())
        yield Story(example, first.stderr + second.stderr + third.stderr, asked_at, asked)


@pytest.fixture(scope="module")
def flattened_team(plugins: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The privacy team's project after one run that flattens."""
    with prepared("privacy-team", tmp_path_factory.mktemp("flattened"), plugins) as example:
        output = example.follow(RUN, variables=FLATTENING).stderr
        yield Story(example, output, "2026-01-15 09:00", [example.asked()])


@pytest.fixture(scope="module")
def flattened_analysts(plugins: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The analysts' project after one run that flattens."""
    with prepared("analysts", tmp_path_factory.mktemp("flattened"), plugins) as example:
        output = example.follow(RUN, variables=FLATTENING).stderr
        yield Story(example, output, "2026-01-15 09:00", [example.asked()])


@pytest.fixture(scope="module")
def selecting(plugins: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The privacy team's project after one run in which three streams are deselected."""
    chosen = {"TAP_GONG_PRIVACY__SELECT": json.dumps([f"{name}.*" for name in sorted(CHOSEN)])}
    with prepared("privacy-team", tmp_path_factory.mktemp("selecting"), plugins) as example:
        output = example.follow(RUN, variables=chosen).stderr
        yield Story(example, output, "2026-01-15 09:00", [example.asked()])


def query(
    story: Story, name: str, addresses: str, *, role: str, before: str = "", is_checked: bool = True
) -> CompletedProcess[str]:
    """Run a query of `docs/sql` in a transaction that is undone, and return its rows as CSV."""
    return story.example.shell(
        f'psql "$URL" --csv -q -v ON_ERROR_STOP=1 -v addresses="$ADDRESSES" -v asked_at="$ASKED_AT" -c BEGIN {before}'
        f' -f "$TAP_CHECKOUT/docs/sql/{name}" -c ROLLBACK',
        {"URL": story.example.url("postgresql", role), "ADDRESSES": addresses, "ASKED_AT": story.asked_at},
        is_checked=is_checked,
    )


def rows(done: CompletedProcess[str]) -> list[dict[str, str]]:
    """The rows of the one result that a query printed as CSV."""
    return list(csv.DictReader(io.StringIO(done.stdout)))


def statuses(story: Story) -> dict[str, list[str]]:
    """The statuses of each address, in the order of its look-ups."""
    found: dict[str, list[str]] = {}
    for address, status in story.example.rows(
        "SELECT email_address, status FROM gong_privacy.lookups ORDER BY looked_up_at"
    ):
        found.setdefault(address, []).append(status)
    return found


def tables(story: Story) -> set[str]:
    """The tables of the schema."""
    return {
        name
        for (name,) in story.example.rows(
            f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{SCHEMA}'"  # noqa: S608
        )
    }


def test_the_daily_run_loads_the_list_and_then_its_newcomers(team: Story) -> None:
    """Everyone once in a round, whoever joins the list by the next run, and the erased in each run."""
    assert tables(team) == STREAMS
    assert team.asked == [sorted({JANE, ERASED, UNKNOWN, REFUSED}), sorted({NEWCOMER, ERASED})]
    assert statuses(team) == {
        JANE: ["found"],
        ERASED: ["found", "found"],
        UNKNOWN: ["not_found"],
        REFUSED: ["rejected"],
        MALFORMED: ["malformed"],
        NEWCOMER: ["found"],
    }
    assert not [address for address in (*FIRST_LIST[:-1], NEWCOMER) if address in team.output]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("loaded", ["team", "flattened_team"])
def test_each_query_runs_for_the_privacy_team(loaded: str, name: str, request: pytest.FixtureRequest) -> None:
    """With the role that reads, but for the deletion; each gives rows, unless rows would be a fault."""
    story: Story = request.getfixturevalue(loaded)
    role = "gong_loader" if name == "delete_person.sql" else "gong_reader"
    found = rows(query(story, name, JANE, role=role))

    assert bool(found) == (name not in {"counts.sql", "no_longer_reported.sql"} or (name, loaded) == REPORTED_NO_MORE)


def test_the_query_of_the_readme_shows_a_person(team: Story) -> None:
    """As printed: the look-up, then each reference."""
    done = team.example.follow(
        'psql "$GONG_PRIVACY_DATABASE_URL" -v addresses=\'jane.doe@example.com\' -f "$TAP_CHECKOUT/docs/sql/person.sql"'
    )
    assert "data held" in done.stdout
    assert all(stream in done.stdout for stream in SECTIONS)


def test_only_the_two_roles_can_open_the_schema(team: Story) -> None:
    """Another role cannot look into it, and the one that reads cannot change it."""
    team.example.execute(
        sql.SQL("CREATE ROLE somebody LOGIN PASSWORD {}").format(sql.Literal(PASSWORD)),
    )
    other = query(team, "counts.sql", JANE, role="somebody", is_checked=False)
    reader = query(team, "delete_person.sql", JANE, role="gong_reader", is_checked=False)

    assert "permission denied for schema gong_privacy" in other.stderr
    assert "permission denied for table" in reader.stderr


def test_the_report_says_whether_everyone_was_asked(team: Story) -> None:
    """The list's two bad entries make it incomplete; it reads the list that the tap reads."""
    done = team.example.follow(
        f"{REPORT} coverage --config ENV", {"coverage": "coverage --to covered"}, is_checked=False
    )
    found = csv.DictReader(
        io.StringIO((team.example.folder / "covered" / "coverage.csv").read_text(encoding="utf-8-sig"))
    )

    assert done.returncode == 1
    assert [(row["email_address"], row["result"]) for row in found] == [
        (JANE, "data held"),
        (UNKNOWN, "nothing held"),
        (REFUSED, "refused"),
        (MALFORMED, "malformed"),
        (NEWCOMER, "data held"),
    ]


def test_the_report_answers_a_request(team: Story) -> None:
    """With as many entries as the look-up counts; the file for the texts is one that can be filled in."""
    team.example.follow(f"{REPORT} notice > notice.toml")
    team.example.follow(
        f"{REPORT} person jane.doe@example.com --notice notice.toml", {"--notice notice.toml": "--draft --to answered"}
    )
    answer = json.loads((team.example.folder / "answered" / "person.json").read_text(encoding="utf-8"))
    counts = team.example.rows(
        "SELECT emails_count, calls_count, meetings_count, customer_data_count, customer_engagement_count"
        " FROM gong_privacy.lookups WHERE email_address = 'jane.doe@example.com'"
    )

    assert tomllib.loads((team.example.folder / "notice.toml").read_text(encoding="utf-8"))
    assert [tuple(len(answer["entries"][name]) for name in SECTIONS)] == counts


def test_an_erasure_is_proved_by_report_and_query(team: Story) -> None:
    """Both compare the answer from before with that of the second list."""
    team.example.follow(
        f"{REPORT} erasure --addresses erased.txt --asked-at 2026-01-15T09:00:00Z",
        {"2026-01-15T09:00:00Z": team.asked_at, "erasure --": "erasure --to proved --"},
    )
    proof = json.loads((team.example.folder / "proved" / "erasure.json").read_text(encoding="utf-8"))
    (row,) = rows(query(team, "erasure.sql", ERASED, role="gong_reader"))

    assert proof["addresses"][0]["email_address"] == ERASED
    assert proof["addresses"][0]["after"]["emails_count"] == 0
    assert row["finding"] == ERASED_IN_PART


def test_a_person_is_deleted_as_the_readme_says(team: Story) -> None:
    """The rows of the five sections go, and the look-ups stay."""
    before = statuses(team)
    team.example.follow(
        "psql \"postgresql://gong_loader@host:5432/database\" -v addresses='john.smith@example.com'"
        ' -f "$TAP_CHECKOUT/docs/sql/delete_person.sql"',
        {"postgresql://gong_loader@host:5432/database": team.example.url("postgresql", "gong_loader")},
    )
    left = [
        team.example.rows(f"SELECT id FROM gong_privacy.{name} WHERE email_address = '{ERASED}'")  # noqa: S608
        for name in ("emails", "calls", "meetings")
    ]

    assert left == [[], [], []]
    assert statuses(team) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_query_runs_without_the_streams_that_it_does_not_need(name: str, selecting: Story) -> None:
    """The page says which streams each query needs; without one of them the query names the missing table."""
    needs = {
        file: STREAMS if streams == "all" else set(code(streams))
        for link, _, _, streams in table(section(TARGETS_PAGE, "## Queries"))
        for file in re.findall(r"^\[([\w.]+)\]", link)
    }
    done = query(selecting, name, JANE, role="gong_loader", is_checked=False)
    missing = needs[name] - CHOSEN

    assert tables(selecting) == CHOSEN
    assert (done.returncode == 0) == (not missing), done.stderr
    assert not missing or re.search(r'relation "gong_privacy\.\w+" does not exist', done.stderr)


def test_the_analysts_tables_show_no_address(analysts: Story) -> None:
    """All streams are loaded, and nothing in them or in the log holds an address."""
    loaded = [
        row
        for name in STREAMS
        for (row,) in analysts.example.rows(f"SELECT row_to_json(loaded)::text FROM gong_privacy.{name} AS loaded")  # noqa: S608
    ]
    assert tables(analysts) == STREAMS
    assert len(loaded) > len(STREAMS)
    assert [row for row in loaded if "@" in row or MALFORMED in row] == []
    assert not [address for address in (*FIRST_LIST[:-1], NEWCOMER) if address in analysts.output]


def test_the_analysts_rows_join_and_their_times_are_utc(analysts: Story) -> None:
    """`counts.sql` finds no difference, and the newest look-up is minutes old, whatever zone the role is in."""
    assert rows(query(analysts, "counts.sql", "", role="gong_analyst")) == []
    ((newest,),) = analysts.example.rows("SELECT max(looked_up_at)::text FROM gong_privacy.lookups")
    age = datetime.now(UTC) - datetime.fromisoformat(newest).replace(tzinfo=UTC)
    assert timedelta() <= age < timedelta(minutes=15)


def test_a_new_round_is_begun_at_once_as_the_readme_says(analysts: Story) -> None:
    """The second run asks the newcomer alone, the third one everyone."""
    everyone = sorted({JANE, ERASED, UNKNOWN, REFUSED})
    assert analysts.asked == [everyone, [NEWCOMER], sorted([*everyone, NEWCOMER])]


ANALYSTS_QUERIES = (
    ("calls.sql", "", "gong_analyst"),
    ("counts.sql", "", "gong_analyst"),
    ("no_longer_reported.sql", "", "gong_analyst"),
    ("coverage.sql", "-f pseudonyms.sql", "gong_analyst"),
    ("erasure.sql", "-f pseudonyms.sql", "gong_analyst"),
    ("delete_person.sql", "-f pseudonyms.sql", "gong_pseudonym_loader"),
)


@pytest.mark.parametrize("name,before,role", ANALYSTS_QUERIES)
@pytest.mark.parametrize("loaded", ["analysts", "flattened_analysts"])
def test_each_query_that_fits_runs_for_the_analysts(
    loaded: str, name: str, before: str, role: str, request: pytest.FixtureRequest
) -> None:
    """As they are, or behind the file that makes pseudonyms."""
    story: Story = request.getfixturevalue(loaded)
    assert query(story, name, JANE, role=role, before=before).stdout


def test_the_readme_says_which_queries_fit(analysts: Story) -> None:
    """Each query is in one of the three rows."""
    as_they_are, behind, others = [code(names) for names, _ in table(analysts.example.readme.partition("## Query")[2])]

    assert as_they_are == [name for name, before, _ in ANALYSTS_QUERIES if not before]
    assert sorted(behind) == sorted(name for name, before, _ in ANALYSTS_QUERIES if before)
    assert sorted([*as_they_are, *behind, *others]) == NAMES


def test_coverage_and_erasure_are_found_by_the_salt(analysts: Story) -> None:
    """The pseudonyms of the query are those of the stream map; each is shown beside its address."""
    coverage = analysts.example.follow(
        'psql "$GONG_ANALYST_URL" -v addresses="$(tail -n +2 addresses.csv)" -f pseudonyms.sql'
        ' -f "$TAP_CHECKOUT/docs/sql/coverage.sql"',
        {"$(tail -n +2 addresses.csv)": " ".join([*FIRST_LIST[:-1], "never@example.com"])},
    ).stdout
    erasure = analysts.example.follow(
        "psql \"$GONG_ANALYST_URL\" -v addresses='john.smith@example.com' -v asked_at='2026-01-15 09:00'"
        ' -f pseudonyms.sql -f "$TAP_CHECKOUT/docs/sql/erasure.sql"',
        {"2026-01-15 09:00": analysts.asked_at},
    ).stdout
    pseudonyms = dict(re.findall(r"(\S+@\S+) +\| ([0-9a-f]{64})", coverage))
    outcomes = dict(re.findall(r"\| ([0-9a-f]{64}) \| ([\w ]+?) *\|", coverage))

    assert [outcomes[pseudonyms[address]] for address in (*FIRST_LIST[:-1], "never@example.com")] == [
        "data held",
        "data held",
        "nothing held",
        "refused",
        "never asked",
    ]
    assert ERASED_IN_PART in erasure


@pytest.mark.parametrize("salt", ["", SALT[1:]])
def test_no_or_another_salt_finds_nobody(salt: str, analysts: Story) -> None:
    """A missing one is said, and the query does not answer; another one makes other pseudonyms."""
    done = query(
        analysts,
        "coverage.sql",
        JANE,
        role="gong_analyst",
        before=f"-v salt='{salt}' -f pseudonyms.sql",
        is_checked=False,
    )
    if salt:
        assert "never asked" in done.stdout
    else:
        assert done.returncode == 3
        assert "Set the salt: " in done.stderr
        assert "never asked" not in done.stdout


@pytest.mark.parametrize("line", [f"{SALT_NAME}=''", ""], ids=["empty", "unset"])
def test_nothing_is_asked_without_a_salt(line: str, analysts: Story) -> None:
    """A forgotten salt is one line that names it."""
    path = analysts.example.folder / ".env"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"{SALT_NAME}='{SALT}'", line), encoding="utf-8")
    try:
        done = analysts.example.follow(".venv/bin/meltano invoke tap-gong-privacy --test", is_checked=False)
    finally:
        path.write_text(text, encoding="utf-8")

    assert done.returncode == 1
    assert "stream_maps use stream_map_config.salt, which is missing or empty; set it." in done.stdout + done.stderr
    assert analysts.example.asked() == []


def test_meltano_lists_no_secret(analysts: Story) -> None:
    """Neither the salt nor the credentials nor the password of the database."""
    shown = "".join(
        analysts.example.shell(f".venv/bin/meltano config print {name} 2>&1").stdout
        for name in ("tap-gong-privacy", "target-postgres")
    )
    assert "addresses.csv" in shown
    assert not [secret for secret in (SALT, analysts.example.sandbox.access_key_secret, PASSWORD) if secret in shown]
