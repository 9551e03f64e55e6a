"""The settings of code, `meltano.yml` and Hub definition are the same. README and docs: see `test_documentation`."""

from __future__ import annotations

import copy
import re
import tomllib
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tap_gong_privacy import settings
from tap_gong_privacy.tap import TapGongPrivacy

Definition: TypeAlias = dict[str, Any]

CHECKOUT = Path(__file__).parents[1]
PROJECT: Definition = yaml.safe_load(CHECKOUT.joinpath("meltano.yml").read_text(encoding="utf-8"))
TAP: Definition = next(plugin for plugin in PROJECT["plugins"]["extractors"] if plugin["name"] == TapGongPrivacy.name)
IN_MELTANO: dict[str, Definition] = {setting["name"]: setting for setting in TAP["settings"]}
EXAMPLE: Definition = yaml.safe_load(CHECKOUT.joinpath("examples", "meltano-project", "meltano.yml").read_text("utf-8"))
HUB: Definition = yaml.safe_load(CHECKOUT.joinpath("hub", "tap-gong-privacy.yml").read_text(encoding="utf-8"))


def in_code() -> dict[str, Definition]:
    """Return the definitions of all settings, the SDK's own among them."""
    schema = copy.deepcopy(settings.DECLARED)
    TapGongPrivacy.append_builtin_config(schema)
    properties: dict[str, Definition] = schema["properties"]
    return properties


IN_CODE = in_code()


def kind_of(definition: Definition) -> str:
    """Return the kind that Meltano has for a setting: for a number, which may have a fraction, it has none."""
    kind = next(kind for kind in definition["type"] if kind != "null")
    return "string" if kind == "number" else str(kind)


def test_meltano_has_the_same_settings_in_the_same_order() -> None:
    """None is missing, none is left over, none stands twice."""
    assert [setting["name"] for setting in TAP["settings"]] == list(IN_CODE)


@pytest.mark.parametrize("name", list(IN_CODE))
def test_meltano_has_each_settings_kind_and_default(name: str) -> None:
    """Meltano casts a value to the kind that the code declares, and passes the same default or none."""
    assert IN_MELTANO[name]["kind"] == kind_of(IN_CODE[name])
    default = IN_CODE[name].get("default") if name in settings.DECLARED["properties"] else None
    assert IN_MELTANO[name].get("value") == (default or None)


@pytest.mark.parametrize("name", list(IN_CODE))
def test_each_setting_is_described_in_both(name: str) -> None:
    """`--about` and Meltano both say what a setting is for."""
    assert len(IN_CODE[name]["description"]) > 20
    assert len(IN_MELTANO[name]["description"]) > 20


def test_meltano_hides_each_secret_and_the_addresses() -> None:
    """What is secret in the code is sensitive in Meltano; so are the addresses, which are personal data."""
    secret = {name for name, definition in IN_CODE.items() if definition.get("secret")}
    assert secret == {"access_key_secret", "access_token"}
    sensitive = {name for name, setting in IN_MELTANO.items() if setting.get("sensitive")}
    assert sensitive == secret | {"email_addresses"}


def test_meltano_knows_the_capabilities() -> None:
    """Meltano offers what the tap offers, and nothing that it does not."""
    capabilities = {capability.value for capability in TapGongPrivacy.capabilities}
    assert set(TAP["capabilities"]) == capabilities


def test_meltano_reads_the_variables_that_the_tap_reads() -> None:
    """With this namespace Meltano's variables are those of `--config=ENV`."""
    assert f"{TAP['namespace'].upper()}_" == settings.PREFIX
    assert TAP["executable"] == TapGongPrivacy.name
    assert PROJECT["send_anonymous_usage_stats"] is False


def test_the_hub_definition_is_that_of_meltano() -> None:
    """Whoever installs by name gets the same plugin: a package from a registry instead of this folder."""
    same = {"name", "namespace", "label", "executable"}
    assert {key: HUB[key] for key in same} == {key: TAP[key] for key in same}
    assert HUB["pip_url"] == HUB["name"]
    assert HUB["capabilities"] == sorted(TAP["capabilities"])


def test_the_hub_has_the_same_settings() -> None:
    """Sorted by name as the Hub has them, with the code's titles as labels and Meltano's descriptions."""
    assert [setting["name"] for setting in HUB["settings"]] == sorted(IN_CODE)
    for setting in HUB["settings"]:
        assert setting.pop("label") == IN_CODE[setting["name"]]["title"]
        assert setting == IN_MELTANO[setting["name"]]


def test_the_hub_demands_one_way_to_authenticate_and_one_list() -> None:
    """Each combination that the tap accepts is one of the groups."""
    ways = (["access_key", "access_key_secret"], ["access_token"])
    lists = ("email_addresses", "email_addresses_file")
    assert HUB["settings_group_validation"] == [[*way, addresses] for way in ways for addresses in lists]


def test_the_hub_names_the_supported_pythons() -> None:
    """They are those that the package declares, none more."""
    project = tomllib.loads(CHECKOUT.joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = re.findall(r"Python :: (3\.\d+)\b", "\n".join(project["classifiers"]))
    assert HUB["supported_python_versions"] == declared
    specifiers = SpecifierSet(project["requires-python"])
    assert [f"3.{minor}" for minor in range(40) if f"3.{minor}" in specifiers] == declared


def test_the_example_has_the_same_plugins() -> None:
    """What people copy differs only in where the tap comes from, and in what it leaves out."""
    (tap,), (target,) = EXAMPLE["plugins"]["extractors"], EXAMPLE["plugins"]["loaders"]
    (loader,) = (loader for loader in PROJECT["plugins"]["loaders"] if loader["name"] == target["name"])
    for copied, original in ((tap, {**TAP, "pip_url": HUB["pip_url"]}), (target, loader)):
        same = ("name", "namespace", "executable", "pip_url")
        assert [copied[key] for key in same] == [original[key] for key in same]
        kinds = {setting["name"]: (setting["kind"], setting.get("sensitive")) for setting in original["settings"]}
        for setting in copied["settings"]:
            name = setting["name"]
            assert (setting["kind"], setting.get("sensitive")) == kinds.get(name, ("string", True)), name
    assert tap["capabilities"] == TAP["capabilities"]
