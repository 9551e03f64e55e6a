"""What the installed target-snowflake sends to Snowflake, tested without an account.

The whole target runs, except the connection (see `snowflake/record_target.py`). A changed table shows in review as a
changed file in `tests/end_to_end/snowflake`. To renew these files, run `RENEW_SNAPSHOTS=1 .venv/bin/python -m pytest
tests/end_to_end/test_snowflake.py`, and read the difference.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import yaml

from sandbox import Reply, Sandbox
from tests.end_to_end.pipeline import CHECKOUT, PLUGINS, SCHEMA, MeltanoProject, as_environment
from tests.running import Result, environment, run_tap
from tests.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

Definition: TypeAlias = dict[str, Any]

SNAPSHOTS = Path(__file__).with_name("snowflake")
RECORDER = SNAPSHOTS / "record_target.py"
RENEW = "RENEW_SNAPSHOTS"
TYPES = ("TIMESTAMP_NTZ", "TIMESTAMP_TZ")
LOADERS: dict[str, Definition] = {
    loader["name"]: loader
    for loader in yaml.safe_load((CHECKOUT / "meltano.yml").read_text(encoding="utf-8"))["plugins"]["loaders"]
}
LOGIN = {"account": "organisation-account", "user": "LOADER", "password": "pass word", "database": "GONG"}

ADDRESS = "Pat.O'Brien+gong@example.org"
# A value of each JSON type, a time with an offset, and numbers that a float cannot hold.
ANSWER: Definition = {
    "emails": [{"id": "1", "from": "a@example.org", "sentTime": "2026-01-15T00:30:00.123456-08:00"}],
    "calls": [{"id": "2", "externalSystems": [{"system": "HubSpot", "objects": [{"objectType": "Task"}]}]}],
    "meetings": [{"id": "3", "new": {"deeper": [1, None, "␀ é 𝄞"]}}],
    "customerData": [
        {
            "system": "Salesforce",
            "objects": [
                {
                    "id": "4",
                    "fields": [
                        {"name": str(place), "value": value}
                        for place, value in enumerate(("text", 72.5, 2**70, True, None, ["a", 1], {"b": None}))
                    ],
                }
            ],
        }
    ],
    "customerEngagement": [{"timestamp": 1_700_000_000_123, "eventName": 'says "hi"\nthere'}],
    "legalHolds": [{"id": "5"}],
}


@dataclass(frozen=True)
class Sent:
    """What the target sends to Snowflake.

    Attributes:
        login: What it logs in with.
        statements: The statements, in order.
        records: What it puts into the stage, by stream.
    """

    login: Definition
    statements: list[str]
    records: dict[str, list[Definition]]

    @property
    def tables(self) -> dict[str, str]:
        """The statement that creates each table, by stream."""
        found = (re.match(rf'CREATE TABLE "{SCHEMA.upper()}"\."(\w+)"', statement) for statement in self.statements)
        return {match[1].lower(): match.string for match in found if match}

    def column_types(self, stream: str) -> dict[str, str]:
        """The type of each column of a table; a name in quotes keeps them."""
        return dict(re.findall(r'^\t("?\w+"?) (\w+)(?: NOT NULL)?, $', self.tables[stream], re.MULTILINE))


def installed(target: str) -> Path:
    """The folder of commands in the environment that Meltano has made for a target."""
    return PLUGINS / "loaders" / target / "venv" / "bin"


def send(folder: Path, singer: str, settings: Mapping[str, object]) -> Sent:
    """Run the target to its end."""
    config, output = folder / "config.json", folder / "sent.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    done = subprocess.run(
        [installed("target-snowflake") / "python", "-I", RECORDER, output, "--config", config],
        cwd=folder,
        env=environment({"TMPDIR": str(folder)}),  # the files that it puts into the stage
        input=singer,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sent = json.loads(output.read_text(encoding="utf-8"))
    return Sent(
        login=next(entry["connect"] for entry in sent if "connect" in entry),
        statements=[entry["statement"] for entry in sent if "statement" in entry],
        records={_staged_stream(entry["statement"]): entry["records"] for entry in sent if "records" in entry},
    )


def _staged_stream(statement: str) -> str:
    match = re.search(r"'@~/target-snowflake/(\w+)-", statement)
    assert match
    return match[1]


@pytest.fixture(scope="module")
def tapped() -> Result:
    """What the tap writes about an address of which Gong holds something of each kind."""
    with Sandbox(requests_per_second=0) as sandbox:
        sandbox.answers[ADDRESS] = Reply(body=ANSWER)
        result = run_tap({**sandbox.config, "email_addresses": [ADDRESS], "requests_per_second": 100})
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def sent(tapped: Result, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sent]:
    """What the target sends, by `timestamp_type`; the first is its default. Renews the snapshots on request."""
    found = {}
    for kind in TYPES:
        settings = {**LOGIN, "default_target_schema": SCHEMA}
        if kind != TYPES[0]:
            settings["timestamp_type"] = kind
        found[kind] = send(tmp_path_factory.mktemp(kind), tapped.stdout, settings)
        if os.environ.get(RENEW):
            (SNAPSHOTS / f"{kind}.sql").write_text(printed(found[kind]), encoding="utf-8")
    return found


def printed(sent: Sent) -> str:
    """Return the tables as their snapshot has them."""
    return "\n\n".join(re.sub(r" +$", "", f"{sent.tables[stream]};", flags=re.MULTILINE) for stream in STREAMS) + "\n"


@pytest.mark.parametrize("kind", TYPES)
def test_tables_are_created_as_the_snapshot_has_them(kind: str, sent: dict[str, Sent]) -> None:
    """The target's own statements change only with the snapshot (see the top of this file)."""
    assert sorted(sent[kind].tables) == sorted(STREAMS)
    expected = (SNAPSHOTS / f"{kind}.sql").read_text(encoding="utf-8")
    assert printed(sent[kind]) == expected, f"if that is meant: {RENEW}=1 pytest tests/end_to_end/test_snowflake.py"


@pytest.mark.parametrize("stream", STREAMS)
def test_each_column_has_the_documented_type(stream: str, tapped: Result, sent: dict[str, Sent]) -> None:
    """Nested values and any JSON are VARIANT, date-times follow `timestamp_type`, and only `FROM` needs quotes."""
    expected = {
        '"FROM"' if name == "from" else name: _documented_type(column)
        for name, column in tapped.schemas[stream]["schema"]["properties"].items()
    }
    for kind in TYPES:
        types = sent[kind].column_types(stream)
        own = {name: type_ for name, type_ in types.items() if not name.startswith("_sdc_")}
        assert own == {name: type_.replace("date-time", kind) for name, type_ in expected.items()}


def _documented_type(column: Definition) -> str:
    kinds = {*column["type"]} - {"null"}
    if kinds & {"array", "object"}:
        return "VARIANT"
    if kinds == {"integer"}:
        return "DECIMAL"
    kind: str = column.get("format", "VARCHAR")
    return kind


@pytest.mark.parametrize("stream", STREAMS)
def test_rows_are_updated_by_the_streams_key(stream: str, tapped: Result, sent: dict[str, Sent]) -> None:
    """The composite key is the table's, and that by which rows are merged."""
    key = tapped.schemas[stream]["key_properties"]
    (merge,) = (
        statement
        for statement in sent[TYPES[0]].statements
        if statement.startswith(f'merge into "GONG"."{SCHEMA.upper()}"."{stream.upper()}" ')
    )

    assert len(key) == 2
    assert f"PRIMARY KEY ({', '.join(key)})" in sent[TYPES[0]].tables[stream]
    assert f" on {' and '.join(f'd.{name} = s.{name}' for name in key)} when matched then update set " in merge


@pytest.mark.parametrize("stream", STREAMS)
def test_records_reach_the_stage_as_the_tap_writes_them(stream: str, tapped: Result, sent: dict[str, Sent]) -> None:
    """Nothing is lost on the way, and each time is in UTC, so that TIMESTAMP_NTZ holds the right instant too."""
    written = [json.loads(line) for line in tapped.lines]
    expected = [line["record"] for line in written if line["type"] == "RECORD" and line["stream"] == stream]
    times = [
        name
        for name, column in tapped.schemas[stream]["schema"]["properties"].items()
        if column.get("format") == "date-time"
    ]
    for kind in TYPES:
        staged = [
            {name: value for name, value in record.items() if not name.startswith("_sdc_")}
            for record in sent[kind].records[stream]
        ]
        for record in staged:
            for name in times:
                assert record[name].endswith("+00:00")
                record[name] = record[name].replace(".000000", "").replace("+00:00", "Z")
        assert expected
        assert staged == expected


def test_meltano_gives_the_target_its_settings(tapped: Result, tmp_path: Path) -> None:
    """What Meltano makes of `meltano.yml` and the environment is a config with which the target logs in and loads."""
    given = {**LOGIN, "warehouse": "LOADING", "role": "LOADER", "timestamp_type": "TIMESTAMP_TZ", "batch_size_rows": 7}
    project = tmp_path / "project"
    project.mkdir()
    dumped = MeltanoProject(project).run(
        "invoke", "--dump=config", "target-snowflake", environment=as_environment("target-snowflake", **given)
    )
    assert dumped.returncode == 0, dumped.stdout
    settings = json.loads(dumped.stdout[dumped.stdout.index("{\n") :])
    sent = send(tmp_path, tapped.stdout, settings)

    assert settings.items() >= given.items()
    assert {name: sent.login[name] for name in ("account", "user", "password", "database", "warehouse", "role")} == {
        name: given[name] for name in ("account", "user", "password", "database", "warehouse", "role")
    }
    assert sorted(sent.tables) == sorted(STREAMS)
    assert sent.column_types("lookups")["looked_up_at"] == "TIMESTAMP_TZ"


@pytest.fixture(scope="module", params=("target-postgres", "target-snowflake"))
def loader(request: pytest.FixtureRequest) -> tuple[Definition, Definition]:
    """A target as `meltano.yml` defines it, and as it describes itself."""
    name: str = request.param
    done = subprocess.run(
        [installed(name) / name, "--about", "--format=json"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return LOADERS[name], json.loads(done.stdout)


def test_meltano_knows_settings_that_the_target_has(loader: tuple[Definition, Definition]) -> None:
    """Each exists in the pinned release, and is of the kind that it is given as; what is secret there is hidden."""
    defined, about = loader
    properties = about["settings"]["properties"]
    assert about["name"] == defined["name"]
    assert defined["pip_url"].endswith(f"=={about['version']}")
    assert set(defined["capabilities"]) <= set(about["capabilities"])
    for setting in defined["settings"]:
        assert setting["kind"] in properties[setting["name"]]["type"], setting["name"]
        assert setting.get("sensitive") or not properties[setting["name"]].get("secret"), setting["name"]


def test_meltano_knows_each_setting_that_the_target_requires(loader: tuple[Definition, Definition]) -> None:
    """None has to be found out by its error."""
    defined, about = loader
    assert set(about["settings"].get("required", ())) <= {setting["name"] for setting in defined["settings"]}
