"""Values that the expressions of stream maps use: one that is missing is named before the first call."""

from __future__ import annotations

import pytest

from sandbox import Sandbox
from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.singer import maps
from tests.running import run_tap

PSEUDONYM = "sha256(config['salt'] + self) if self else None"


def refusal(stream_maps: dict[str, object], **values: object) -> str | None:
    """Return the message by which maps are refused; None if they are not."""
    try:
        maps.refuse_missing_values(stream_maps, values)
    except ConfigError as error:
        return error.message
    return None


@pytest.mark.parametrize("values", [{}, {"salt": ""}, {"salt": None}, {"sallt": "canary"}], ids=ascii)
@pytest.mark.parametrize(
    "stream_map", [{"from": PSEUDONYM}, {"id": "id", "__filter__": f" {PSEUDONYM} != id"}], ids=ascii
)
def test_a_missing_value_is_named(stream_map: dict[str, object], values: dict[str, object]) -> None:
    """An expression never hashes with an empty salt."""
    assert refusal({"calls": None, "emails": stream_map}, **values) == (
        "Wrong settings: stream_maps use stream_map_config.salt, which is missing or empty; set it."
    )


@pytest.mark.parametrize("name", ["a@b.example", "two words", "", "x" * 65], ids=ascii)
def test_a_name_that_could_be_data_is_not_shown(name: str) -> None:
    """Somebody may have written the value in place of its name."""
    message = refusal({"emails": {"from": f"config[{name!r}]"}}, salt="canary")
    assert message == (
        "Wrong settings: stream_maps use a value of stream_map_config, which is missing or empty; set it."
    )


@pytest.mark.parametrize(
    "stream_maps",
    [
        {"emails": {"from": PSEUDONYM, "mailbox": None, "x": "((("}, "calls": "__NULL__", "__else__": None},
        {"emails": {"from": "config.get('prefix', '') + self", "x": "record['id']", "y": "config[self]"}},
        {"emails": {"__key_properties__": ["id"], "x": "'config[\"text\"]'"}},
    ],
    ids=ascii,
)
def test_other_maps_pass(stream_maps: dict[str, object]) -> None:
    """A value that is there, one with a default, one whose name is computed, and what is not Python at all."""
    assert refusal(stream_maps, salt="canary") is None


def test_a_forgotten_salt_ends_the_run_before_a_call() -> None:
    """Nothing is written, and the last line says what to set."""
    settings = {"email_addresses": ["jane.doe@example.com"], "stream_maps": {"lookups": {"email_address": PSEUDONYM}}}
    with Sandbox() as sandbox:
        result = run_tap({**sandbox.config, **settings})
    assert (result.returncode, result.stdout, sandbox.calls) == (1, "", [])
    assert result.stderr.splitlines()[-1].endswith("stream_map_config.salt, which is missing or empty; set it.")
