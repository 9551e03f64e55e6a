"""What a user of Meltano sees of a setting that is empty, misspelt or right, in the environment or in `meltano.yml`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.pipeline import PLUGINS, as_environment

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from tests.end_to_end.pipeline import MeltanoProject, Sandbox

pytestmark = pytest.mark.skipif(
    not (PLUGINS / ".complete").exists(), reason="Meltano's plugins are not installed: `make test` installs them"
)

ADDRESS = "jane.doe@example.com"
REFUSED = "refused@example.com"
CANARY = "cAnArY-value"


@pytest.fixture
def credentials(sandbox: Sandbox) -> dict[str, object]:
    """What the tap needs to ask the sandbox."""
    return {
        "api_url": sandbox.api_url,
        "access_key": sandbox.access_key,
        "access_key_secret": sandbox.access_key_secret,
    }


def invoke(meltano: MeltanoProject, **settings: object) -> CompletedProcess[str]:
    """Run only the tap, with settings in the environment."""
    return meltano.run("invoke", "tap-gong-privacy", environment=as_environment("tap-gong-privacy", **settings))


def configure(meltano: MeltanoProject, config: dict[str, object]) -> None:
    """Give the tap settings in `meltano.yml`, of which JSON is a form."""
    path = meltano.folder / "meltano.yml"
    start = "    executable: tap-gong-privacy\n"
    text = path.read_text(encoding="utf-8")
    assert text.count(start) == 1
    path.write_text(text.replace(start, f"{start}    config: {json.dumps(config)}\n"), encoding="utf-8")


@pytest.mark.parametrize(
    "name,value,message",
    [
        ("fail_on_rejected_address", "ture", "must be true or false"),
        ("flattening_enabled", CANARY, "must be true or false"),
        ("max_retries", CANARY, "must be a whole number, at least 0"),
        ("requests_per_second", CANARY, "must be a number above 0"),
        ("email_addresses", f'["{CANARY}@example.com"', "must be a list"),
        ("email_addresses", f"{CANARY}@example.com,b@example.com", "must be a list"),
        ("stream_maps", f'{{"emails": {{"from": "{CANARY}"}}', "must be an object"),
        ("stream_map_config", f'{{"salt": "{CANARY}"', "must be an object"),
    ],
)
def test_a_misspelt_variable_is_named_and_not_shown(
    name: str, value: str, message: str, meltano: MeltanoProject, credentials: dict[str, object]
) -> None:
    """The run ends with one line that names the setting: no silent false, no traceback, no value."""
    ended = invoke(meltano, **{**credentials, "email_addresses": [ADDRESS], name: value})

    assert ended.returncode == 1
    assert f"Wrong settings: {name} {message}." in ended.stdout
    assert "Traceback" not in ended.stdout
    assert CANARY not in ended.stdout
    assert '"type":"RECORD"' not in ended.stdout


def test_an_empty_variable_counts_as_not_set(meltano: MeltanoProject, credentials: dict[str, object]) -> None:
    """Every setting has its default, as if the variable were not there; a refused address still fails the run."""
    empty = dict.fromkeys(
        (
            "access_token",
            "email_addresses_file",
            "email_addresses_column",
            "requests_per_second",
            "max_concurrency",
            "max_requests_per_run",
            "fail_on_rejected_address",
            "fail_on_malformed_address",
            "days_between_rounds",
            "stream_maps",
            "stream_map_config",
            "faker_config",
            "flattening_enabled",
            "flattening_max_depth",
        ),
        "",
    )
    ended = invoke(meltano, **{**credentials, **empty, "email_addresses": [ADDRESS, REFUSED]})

    assert ended.returncode == 1
    assert "2 addresses: 1 found, 0 not found, 1 rejected, 0 failed, 0 not asked" in ended.stdout
    assert "Traceback" not in ended.stdout


def test_an_empty_list_of_addresses_counts_as_not_set(meltano: MeltanoProject, credentials: dict[str, object]) -> None:
    """An empty variable does not count as a list, so the tap reports that one is missing."""
    ended = invoke(meltano, **credentials, email_addresses="")

    assert ended.returncode == 1
    assert "set email_addresses or email_addresses_file" in ended.stdout
    assert "Traceback" not in ended.stdout


def test_a_right_variable_means_what_it_says(meltano: MeltanoProject, credentials: dict[str, object]) -> None:
    """Booleans, numbers, lists and objects arrive as text, and the tap reads them; null in an object too."""
    ended = invoke(
        meltano,
        **credentials,
        email_addresses=[ADDRESS, REFUSED],
        fail_on_rejected_address="False",
        max_concurrency=2,
        requests_per_second=99.5,
        stream_maps={"emails": {"mailbox": None}},
        stream_map_config={"salt": "x"},
        flattening_enabled="false",
    )

    assert ended.returncode == 0, ended.stdout
    assert "99.5 calls a second" in ended.stdout
    assert '"from":' in ended.stdout
    assert '"mailbox":' not in ended.stdout


def test_meltano_yml_may_hold_each_kind(meltano: MeltanoProject, credentials: dict[str, object]) -> None:
    """A YAML list, map, boolean and number reach the tap as they are; `__NULL__` removes a column."""
    configure(
        meltano,
        {
            "email_addresses": [ADDRESS, REFUSED],
            "fail_on_rejected_address": False,
            "requests_per_second": 99.5,
            "stream_maps": {"emails": {"mailbox": "__NULL__"}},
        },
    )
    ended = invoke(meltano, **credentials)

    assert ended.returncode == 0, ended.stdout
    assert "99.5 calls a second" in ended.stdout
    assert '"from":' in ended.stdout
    assert '"mailbox":' not in ended.stdout


def test_a_variable_goes_before_a_list_of_meltano_yml(meltano: MeltanoProject, credentials: dict[str, object]) -> None:
    """The list of the environment replaces that of the file."""
    configure(meltano, {"email_addresses": [REFUSED]})
    ended = invoke(meltano, **credentials, email_addresses=[ADDRESS])

    assert ended.returncode == 0, ended.stdout
    assert "1 addresses: 1 found" in ended.stdout


def test_meltano_lists_no_sensitive_value(meltano: MeltanoProject) -> None:
    """`config list` and `config print` show neither credentials nor addresses nor salts."""
    names = ("access_key", "access_key_secret", "access_token", "email_addresses", "stream_map_config")
    environment = as_environment("tap-gong-privacy", **dict.fromkeys(names, CANARY), email_addresses_file="shown.csv")
    for command in (("list", "--all"), ("print",)):
        shown = meltano.run("config", *command, "tap-gong-privacy", environment=environment)

        assert shown.returncode == 0, shown.stdout
        assert "shown.csv" in shown.stdout
        assert CANARY not in shown.stdout
