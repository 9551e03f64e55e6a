"""The generated parts of the settings are up to date, and the rest of the definitions agrees with them."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from docs import generate
from tap_gong_privacy import settings
from tap_gong_privacy.tap import TapGongPrivacy

if TYPE_CHECKING:
    from pathlib import Path

Definition: TypeAlias = dict[str, Any]

CHECKOUT = generate.CHECKOUT
PROJECT: Definition = yaml.safe_load(CHECKOUT.joinpath("meltano.yml").read_text(encoding="utf-8"))
(TAP,) = PROJECT["plugins"]["extractors"]
HUB: Definition = yaml.safe_load(CHECKOUT.joinpath("hub", "tap-gong-privacy.yml").read_text(encoding="utf-8"))
DECLARED = generate.schema()


@pytest.mark.parametrize("path", generate.TARGETS, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_generated_blocks_are_fresh(path: Path) -> None:
    """`make pages` would change nothing."""
    text = path.read_text(encoding="utf-8")

    assert generate.rendered(text) == text


def test_each_generated_block_has_its_place() -> None:
    """A file whose markers are gone would always count as fresh."""
    blocks = {name for path in generate.TARGETS for name in generate.blocks(path.read_text(encoding="utf-8"))}

    assert blocks == set(generate.BLOCKS)


def test_a_changed_block_is_replaced_in_its_place() -> None:
    """Text around a block does not change, and neither does its indentation."""
    text = "a\n  # `make pages` writes settings-meltano from x\n  stale\n  # end of settings-meltano\nz\n"
    lines = generate.rendered(text).splitlines()

    assert lines[:3] == ["a", "  # `make pages` writes settings-meltano from x", "  - name: access_key"]
    assert lines[-2:] == ["  # end of settings-meltano", "z"]
    assert "  stale" not in lines


def test_meltano_has_the_settings_of_the_tap() -> None:
    """Each with its default, in the order of the declaration, in the two definitions of the plugin."""
    defaults = {name: definition.get("default") or None for name, definition in DECLARED.items()}
    given = {setting["name"]: setting.get("value") or None for setting in TAP["settings"]}

    assert given == defaults
    assert list(given) == list(defaults)
    assert {setting["name"]: setting.get("value") or None for setting in HUB["settings"]} == defaults


def test_meltano_hides_secrets_and_personal_data() -> None:
    """Credentials, addresses and the salts of stream maps."""
    secret = {name for name, definition in DECLARED.items() if definition.get("secret")}

    assert secret == {"access_key_secret", "access_token"}
    for definition in (TAP, HUB):
        sensitive = {setting["name"] for setting in definition["settings"] if setting.get("sensitive")}
        assert sensitive == {*secret, "access_key", "email_addresses", "stream_map_config"}


@pytest.mark.parametrize("name", DECLARED)
def test_descriptions_survive_the_tool_of_the_hub(name: str) -> None:
    """The Hub's tool adds a space after each period, capitalizes each sentence, and shows no Markdown."""
    description = DECLARED[name]["description"]

    assert re.fullmatch(r"(?:[A-Z][^.`]+\.(?: |$))+", description)
    assert "://" not in description


def test_meltano_knows_the_capabilities() -> None:
    """Meltano offers what the tap offers, and nothing else."""
    capabilities = {capability.value for capability in TapGongPrivacy.capabilities}

    assert set(TAP["capabilities"]) == capabilities
    assert HUB["capabilities"] == sorted(capabilities)


def test_meltano_reads_the_variables_that_the_tap_reads() -> None:
    """With this namespace Meltano's variables are those of `--config=ENV`."""
    assert f"{TAP['namespace'].upper()}_" == settings.PREFIX
    assert TAP["executable"] == TapGongPrivacy.name
    assert PROJECT["send_anonymous_usage_stats"] is False


def test_times_are_loaded_in_utc() -> None:
    """In a session of another zone Postgres would shift each time."""
    assert PROJECT["env"] == {"PGTZ": "UTC"}


def test_the_hub_installs_the_same_plugin() -> None:
    """But as a package from a registry instead of from this folder."""
    same = {"name", "namespace", "label", "executable"}

    assert {key: HUB[key] for key in same} == {key: TAP[key] for key in same}
    assert HUB["pip_url"] == HUB["name"]


def test_the_hub_demands_one_way_to_authenticate_and_one_list() -> None:
    """Each combination that the tap accepts is one of the groups."""
    ways = (["access_key", "access_key_secret"], ["access_token"])
    lists = ("email_addresses", "email_addresses_file")

    assert HUB["settings_group_validation"] == [[*way, addresses] for way in ways for addresses in lists]


def test_the_hub_names_the_tested_pythons() -> None:
    """They are those that the package names, and none that it refuses."""
    project = tomllib.loads(CHECKOUT.joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r"Python :: (3\.\d+)\b", "\n".join(project["classifiers"]))

    assert HUB["supported_python_versions"] == named
    assert list(SpecifierSet(project["requires-python"]).filter(named)) == named
