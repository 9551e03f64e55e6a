"""Which streams and columns a catalog selects, and what `stream_maps` do to records."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import EXAMPLE_ADDRESS, Sandbox
from tests.running import Result, check_nobody_named, check_output, check_schemas_and_records, run_tap
from tests.streams import OUTCOMES, SECTIONS, STREAMS, short

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADDRESSES = ["canary.One@example.com", EXAMPLE_ADDRESS, "unknown.canary@example.com"]
ALL = frozenset(STREAMS)
COUNTS = [f"{stream}_count" for stream in SECTIONS]


@pytest.fixture(scope="module")
def discovered() -> dict[str, Any]:
    """The catalog that `--discover` prints."""
    catalog: dict[str, Any] = json.loads(run_tap(None, "--discover").stdout)
    return catalog


def selecting(discovered: dict[str, Any], chosen: Callable[[str, list[str]], bool | None]) -> dict[str, Any]:
    """Return the catalog with another selection.

    Args:
        discovered: The catalog as it was discovered.
        chosen: Given a stream and a breadcrumb, says whether it is selected; None leaves it as it is.
    """
    catalog = copy.deepcopy(discovered)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            is_selected = chosen(stream["tap_stream_id"], entry["breadcrumb"])
            if is_selected is not None:
                entry["metadata"]["selected"] = is_selected
    return catalog


def only(*streams: str) -> Callable[[str, list[str]], bool | None]:
    """Select these streams and no others."""
    return lambda stream, breadcrumb: stream in streams if not breadcrumb else None


def run(sandbox: Sandbox, folder: Path, catalog: object = None, *arguments: str, **more: object) -> Result:
    """Run the tap with a catalog or further settings, and check its output as far as it can be."""
    options = list(arguments)
    if catalog is not None:
        path = folder / "catalog.json"
        path.write_text(json.dumps(catalog))
        options += ["--catalog", str(path)]
    config = {**sandbox.config, "email_addresses": ADDRESSES, "requests_per_second": 1000, **more}
    result = run_tap(config, *options)
    check_output(result, ADDRESSES, reconcile=not more)
    return result


def asked(sandbox: Sandbox) -> list[str]:
    """Return the addresses that were asked, sorted."""
    return sorted(call.address for call in sandbox.calls)


def check_refused(sandbox: Sandbox, result: Result, message: str) -> None:
    """Check that a run wrote nothing, made no call, and ended with one log record at ERROR that quotes no setting."""
    assert result.returncode == 1
    assert not result.stdout
    assert not sandbox.calls
    last = result.stderr.splitlines()[-1]
    assert last.split("|")[1].strip() == "ERROR"
    assert message in last
    assert "canary" not in result.stderr


def test_the_discovered_catalog_selects_all(sandbox: Sandbox, discovered: dict[str, Any], tmp_path: Path) -> None:
    """A catalog that was not touched gives what a run without one gives."""
    with_catalog = run(sandbox, tmp_path, discovered)
    without = run(sandbox, tmp_path)
    assert with_catalog.returncode == without.returncode == 0
    assert with_catalog.records.keys() == without.records.keys() == ALL
    assert with_catalog.schemas == without.schemas
    counts = [{stream: len(rows) for stream, rows in result.records.items()} for result in (with_catalog, without)]
    assert counts[0] == counts[1]
    assert all(counts[0].values())


def test_deselected_streams_are_not_written_and_still_counted(
    sandbox: Sandbox, discovered: dict[str, Any], tmp_path: Path
) -> None:
    """A selection changes neither the calls nor what `lookups` says of the answer."""
    result = run(sandbox, tmp_path, selecting(discovered, only("lookups", "calls")))
    assert result.returncode == 0
    assert result.records.keys() == {"lookups", "calls"}
    assert asked(sandbox) == sorted(ADDRESSES)
    example = next(record for record in result.records["lookups"] if record["email_address"] == EXAMPLE_ADDRESS)
    assert [example[count] for count in COUNTS] == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_deselected_parent_is_still_asked_for_its_child(
    sandbox: Sandbox, discovered: dict[str, Any], section: str, tmp_path: Path
) -> None:
    """Any selection costs one call per address; without `lookups` the state is written all the same."""
    result = run(sandbox, tmp_path, selecting(discovered, only(section)))
    assert result.returncode == 0
    assert result.records.keys() == {section}
    assert {record["email_address"] for record in result.records[section]} == set(ADDRESSES[:2])
    assert asked(sandbox) == sorted(ADDRESSES)
    assert result.states[-1].keys() == {"bookmarks"}
    assert "3 addresses: 2 found, 1 not found, 0 rejected, 0 failed, 0 not asked" in result.stderr


def test_only_lookups_may_be_selected(sandbox: Sandbox, discovered: dict[str, Any], tmp_path: Path) -> None:
    """The audit trail without the references."""
    result = run(sandbox, tmp_path, selecting(discovered, only("lookups")))
    assert result.returncode == 0
    assert result.records.keys() == {"lookups"}
    assert [record["status"] for record in result.records["lookups"]] == ["found", "found", "not_found"]


def test_a_stop_is_resumed_where_the_parent_is_deselected(
    sandbox: Sandbox, discovered: dict[str, Any], tmp_path: Path
) -> None:
    """The mark goes with the records of the children, and a resumed run asks only what is left."""
    catalog = selecting(discovered, only("emails"))
    sandbox.daily_quota = 1
    stopped = run(sandbox, tmp_path, catalog, max_concurrency=1)
    assert stopped.returncode == 1
    sandbox.daily_quota = 0
    sandbox.calls.clear()
    state = tmp_path / "state.json"
    state.write_text(json.dumps(stopped.states[-1]))
    assert run(sandbox, tmp_path, catalog, "--state", str(state)).returncode == 0
    assert asked(sandbox) == sorted(ADDRESSES[1:])


@pytest.mark.parametrize("way", ["deselected", "no streams", "not available"])
def test_a_catalog_that_selects_nothing_is_refused(
    sandbox: Sandbox, discovered: dict[str, Any], way: str, tmp_path: Path
) -> None:
    """Nothing would be asked, so that exit code 0 would be a false all clear."""
    catalog = {"streams": []} if way == "no streams" else selecting(discovered, only())
    if way == "not available":
        catalog = {"streams": [{**stream, "tap_stream_id": "other"} for stream in discovered["streams"]]}
    check_refused(sandbox, run(sandbox, tmp_path, catalog), "| The catalog selects no stream")


def test_deselected_fields_are_left_out(sandbox: Sandbox, discovered: dict[str, Any], tmp_path: Path) -> None:
    """A field that is not selected is in neither SCHEMA nor RECORD, keys excepted."""
    gone = {
        "emails": {"from", "mailbox", "undocumented"},
        "lookups": {"errors", "emails_count", "request_id"},
        "calls": {"id"},
    }

    def chosen(stream: str, breadcrumb: list[str]) -> bool | None:
        return False if len(breadcrumb) == 2 and breadcrumb[1] in gone.get(stream, ()) else None

    result = run(sandbox, tmp_path, selecting(discovered, chosen))
    assert result.returncode == 0
    for stream, fields in gone.items():
        expected = fields - {"id"}
        assert not expected & result.schemas[stream]["schema"]["properties"].keys()
        for record in result.records[stream]:
            assert not expected & record.keys()
    assert all(record["id"] for record in result.records["calls"])
    assert all(record["sent_time"] for record in result.records["emails"])


def test_an_older_catalog_that_lacks_columns_leaves_them_out(
    sandbox: Sandbox, discovered: dict[str, Any], tmp_path: Path
) -> None:
    """A catalog of an earlier version is accepted. Columns that it lacks are not written."""
    catalog = copy.deepcopy(discovered)
    gone = {"emails": "message_hash", "lookups": "http_status", "customer_data": "undocumented"}
    for stream in catalog["streams"]:
        column = gone.get(stream["tap_stream_id"])
        if column:
            del stream["schema"]["properties"][column]
            stream["metadata"] = [entry for entry in stream["metadata"] if column not in entry["breadcrumb"]]
    catalog["streams"] = [stream for stream in catalog["streams"] if stream["tap_stream_id"] != "meetings"]
    result = run(sandbox, tmp_path, catalog)
    assert result.returncode == 0
    assert result.records.keys() == ALL - {"meetings"}
    for stream, column in gone.items():
        assert column not in result.schemas[stream]["schema"]["properties"]
        assert not any(column in record for record in result.records[stream])


def test_a_catalog_that_asks_for_incremental_replication_is_ignored(
    sandbox: Sandbox, discovered: dict[str, Any], tmp_path: Path
) -> None:
    """A replication method means nothing here, and breaks nothing."""
    catalog = copy.deepcopy(discovered)
    for stream in catalog["streams"]:
        stream |= {"replication_method": "INCREMENTAL", "replication_key": "looked_up_at"}
    result = run(sandbox, tmp_path, catalog)
    assert result.returncode == 0
    assert result.records.keys() == ALL


def test_a_catalog_that_names_no_keys_leaves_the_taps_own(
    sandbox: Sandbox, discovered: dict[str, Any], tmp_path: Path
) -> None:
    """A target would otherwise append rows instead of updating them. Keys that the catalog names are kept."""
    catalog = copy.deepcopy(discovered)
    for stream in catalog["streams"]:
        del stream["key_properties"]
        for entry in stream["metadata"]:
            entry["metadata"].pop("table-key-properties", None)
            if stream["tap_stream_id"] == "emails" and not entry["breadcrumb"]:
                entry["metadata"]["table-key-properties"] = ["email_address", "id", "mailbox"]
    result = run(sandbox, tmp_path, catalog)
    assert result.returncode == 0
    expected = {stream["tap_stream_id"]: stream["key_properties"] for stream in discovered["streams"]}
    expected["emails"] = ["email_address", "id", "mailbox"]
    assert {name: schema["key_properties"] for name, schema in result.schemas.items()} == expected


def test_other_names_of_streams_in_a_catalog_are_ignored(
    sandbox: Sandbox, discovered: dict[str, Any], tmp_path: Path
) -> None:
    """A stream is known by its id. Only a stream map gives it another name."""
    catalog = copy.deepcopy(discovered)
    for stream in catalog["streams"]:
        stream["stream"] = f"my_{stream['tap_stream_id']}"
    result = run(sandbox, tmp_path, catalog)
    assert result.returncode == 0
    assert result.records.keys() == ALL


@pytest.mark.parametrize("is_bare", [False, True], ids=["without a key", "bare"])
def test_a_catalog_that_leaves_out_a_key_is_refused(
    sandbox: Sandbox,
    discovered: dict[str, Any],
    is_bare: bool,  # noqa: FBT001 - a parameter of the test
    tmp_path: Path,
) -> None:
    """No target could tell the rows apart. The message says to select the column."""
    catalog = copy.deepcopy(discovered)
    (emails,) = (stream for stream in catalog["streams"] if stream["tap_stream_id"] == "emails")
    del emails["schema"]["properties"]["id"]
    if is_bare:
        del emails["schema"]["properties"]
    emails["metadata"] = [entry for entry in emails["metadata"] if "id" not in entry["breadcrumb"]]
    result = run(sandbox, tmp_path, catalog)
    check_refused(sandbox, result, "| The key of stream emails would lack a column: select it")


@pytest.mark.parametrize(
    "maps",
    [
        {"lookups": None},
        {"lookups": "__NULL__"},
        {"look*": None},
        {"*": "__NULL__"},
        {"?ookups": None},
        {"[!x]*": None},
        {"__else__": None},
        {"__else__": "__NULL__"},
        {"emails": {}, "__else__": "__NULL__"},
        {"emails": {"id": "id"}, "calls": {}, "__else__": None},
        {"lookups": {"__filter__": "status == 'found'"}},
        {"look*": {"__filter__": "status == 'found'"}},
        {"*": {"__filter__": "email_address != 'canary'"}},
        {"lookups": {"__filter__": "True"}, "copy": {"__source__": "lookups"}},
        {"copy": {"__source__": "lookups"}, "lookups": None},
    ],
    ids=short,
)
def test_stream_maps_that_remove_or_filter_lookups_are_refused(
    sandbox: Sandbox, maps: dict[str, object], tmp_path: Path
) -> None:
    """The proof of the search cannot be mapped away; the one line points at the catalog."""
    result = run(sandbox, tmp_path, stream_maps=maps)
    check_refused(sandbox, result, "would remove or filter lookups")
    assert "catalog" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "maps,gone",
    [
        ({"emails": None}, {"emails"}),
        ({"emails": "__NULL__", "calls": None}, {"emails", "calls"}),
        ({"customer_*": None}, {"customer_data", "customer_engagement"}),
        ({"lookups": {}, "emails": {}, "__else__": None}, {*SECTIONS} - {"emails"}),
        ({"lookups": {}, "emails": {}, "__else__": "__NULL__"}, {*SECTIONS} - {"emails"}),
    ],
    ids=short,
)
def test_other_streams_may_be_removed(
    sandbox: Sandbox, maps: dict[str, object], gone: set[str], tmp_path: Path
) -> None:
    """A section that is mapped to null has neither SCHEMA nor records, and the others are whole."""
    result = run(sandbox, tmp_path, stream_maps=maps)
    assert result.returncode == 0
    assert result.records.keys() == ALL - gone
    assert all(result.records.values())
    assert asked(sandbox) == sorted(ADDRESSES)


def test_sections_may_be_filtered_renamed_and_changed(sandbox: Sandbox, tmp_path: Path) -> None:
    """Filters, aliases, new, hashed and removed columns, and `stream_map_config` work as in the SDK."""
    maps = {
        "emails": {"__filter__": "email_address == config['wanted']", "__alias__": "mails", "mailbox": None},
        "calls": {"place": "'Gong'", "hashed": "md5(email_address)"},
        "lookups": {"note": "config['note']", "errors": None},
    }
    config = {"wanted": EXAMPLE_ADDRESS, "note": "a note"}
    result = run(sandbox, tmp_path, stream_maps=maps, stream_map_config=config)
    assert result.returncode == 0
    assert result.records.keys() == ALL - {"emails"} | {"mails"}
    assert [record["email_address"] for record in result.records["mails"]] == [EXAMPLE_ADDRESS]
    assert "mailbox" not in result.schemas["mails"]["schema"]["properties"]
    assert {record["place"] for record in result.records["calls"]} == {"Gong"}
    assert all(len(record["hashed"]) == 32 for record in result.records["calls"])
    assert [record["note"] for record in result.records["lookups"]] == ["a note"] * 3
    assert "errors" not in result.schemas["lookups"]["schema"]["properties"]


def test_a_copy_of_lookups_may_be_filtered(sandbox: Sandbox) -> None:
    """A filter of a copy of `lookups` is allowed. It affects neither the original nor the sections."""
    maps = {"found_only": {"__source__": "lookups", "__filter__": "status == 'found'"}}
    result = run_tap({**sandbox.config, "email_addresses": ADDRESSES, "stream_maps": maps})
    check_schemas_and_records(result)  # the copy follows the original, which is the last one of its address elsewhere
    check_nobody_named(result)
    assert result.returncode == 0
    assert result.records.keys() == ALL | {"found_only"}
    assert len(result.records["lookups"]) == 3
    assert {record["email_address"] for record in result.records["found_only"]} == set(ADDRESSES[:2])
    assert {record["email_address"] for record in result.records["emails"]} == set(ADDRESSES[:2])


def test_nested_fields_may_be_flattened(sandbox: Sandbox, tmp_path: Path) -> None:
    """The SDK's flattening works, settings as text."""
    result = run(
        sandbox,
        tmp_path,
        flattening_enabled="true",
        flattening_max_depth="1",
        flattening_separator="__",
        flattening_max_key_length="63",
    )
    assert result.returncode == 0
    assert result.records.keys() == ALL
    assert all(result.records.values())


def test_fake_values_may_be_mapped(sandbox: Sandbox, tmp_path: Path) -> None:
    """`faker_config` seeds the faker of the expressions."""
    maps = {"emails": {"mailbox": "fake.email()", "from": "fake.email()"}}
    runs = [run(sandbox, tmp_path, stream_maps=maps, faker_config={"seed": 7}) for _ in range(2)]
    assert [result.returncode for result in runs] == [0, 0]
    mailboxes = [[record["mailbox"] for record in result.records["emails"]] for result in runs]
    assert mailboxes[0] == mailboxes[1]
    assert EXAMPLE_ADDRESS not in mailboxes[0]


@pytest.mark.parametrize(
    "maps",
    [
        {"emials": {"mailbox": None}},
        {"emails": {"canary": "__NULL__"}},
        {"emails": {"__fliter__": "canary"}},
        {"emails": {"x": "((("}},
        {"emails": {"x": "'canary.one@example.com' +"}},
        {"emails": {"__filter__": "((("}},
        {"emails": {"__key_properties__": ["canary"]}},
        {"lookups": {"__else__": None}},
        {"emails": {"__else__": "canary"}},
        {"emails": {"__else__": False}},
        {"__else__": "null"},
        {"__else__": {"__filter__": "False"}},
    ],
    ids=short,
)
def test_stream_maps_that_cannot_be_set_up_are_one_plain_line(
    sandbox: Sandbox, maps: dict[str, object], tmp_path: Path
) -> None:
    """The line names the setting, and shows no expression."""
    check_refused(sandbox, run(sandbox, tmp_path, stream_maps=maps), "| Wrong settings: ")


FLATTENED = {"flattening_enabled": True, "flattening_max_depth": 2}


@pytest.mark.parametrize(
    "settings, named",
    [
        ({"stream_maps": {"emails": {"__alias__": "calls"}}}, "stream_maps give two streams the same name"),
        ({"stream_maps": {"calls": {"__source__": "emails"}}}, "stream_maps give two streams the same name"),
        ({"stream_maps": {"emails": {"__alias__": "lookups"}}}, "stream_maps give two streams the same name"),
        ({**FLATTENED, "flattening_max_key_length": 13}, "| The key of stream "),
    ],
    ids=short,
)
def test_settings_that_would_mix_streams_or_lose_a_key_are_refused(
    sandbox: Sandbox, settings: dict[str, Any], named: str, tmp_path: Path
) -> None:
    """Two streams of one name overwrite each other in a target, and a key without its column is refused by it."""
    check_refused(sandbox, run(sandbox, tmp_path, **settings), named)


def test_names_of_streams_that_are_not_written_are_free(
    sandbox: Sandbox, discovered: dict[str, Any], tmp_path: Path
) -> None:
    """A removed or a deselected stream leaves its name to another; the shortest length that fits is taken."""
    renamed = {"emails": {"__alias__": "calls"}}
    assert run(sandbox, tmp_path, stream_maps={**renamed, "calls": None}).returncode == 0
    catalog = selecting(discovered, only("lookups", "emails"))
    assert run(sandbox, tmp_path, catalog, stream_maps=renamed).returncode == 0
    assert run(sandbox, tmp_path, **FLATTENED, flattening_max_key_length=14).returncode == 0


@pytest.mark.parametrize("mode", [[], ["--test"]], ids=short)
@pytest.mark.parametrize(
    "maps",
    [
        {"emails": {"x": "int(email_address)"}},
        {"emails": {"x": "1 / 0"}},
        {"emails": {"__filter__": "nonsense"}},
        {"lookups": {"x": "int(email_address)"}},
        {"calls": {"x": "record['canary']"}},
    ],
    ids=short,
)
def test_stream_maps_that_fail_on_a_record_stop_the_run_without_a_value(
    sandbox: Sandbox, maps: dict[str, object], mode: list[str], tmp_path: Path
) -> None:
    """The error, which quotes the value, becomes a line that names the setting; nothing counts as done."""
    result = run(sandbox, tmp_path, None, *mode, stream_maps=maps)
    assert result.returncode == 1
    assert "stream_maps failed on a record" in result.stderr
    assert "please report it" not in result.stderr
    assert "canary" not in result.stderr.lower()
    assert not any(state["bookmarks"]["lookups"][outcome] for state in result.states for outcome in OUTCOMES)
