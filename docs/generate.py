"""Writes the parts of pages and plugin definitions that are made from the declaration of the settings: `make pages`."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tap_gong_privacy import settings
from tap_gong_privacy.tap import TapGongPrivacy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CHECKOUT = Path(__file__).parents[1]
TARGETS = (
    CHECKOUT / "README.md",
    CHECKOUT / "docs" / "settings.md",
    CHECKOUT / "examples" / "analysts" / "meltano.yml",
    CHECKOUT / "examples" / "privacy-team" / "meltano.yml",
    CHECKOUT / "hub" / "tap-gong-privacy.yml",
    CHECKOUT / "meltano.yml",
)
"""The files that hold generated blocks. A block is found by the name in its first and last line."""

_BLOCK = re.compile(
    r"^(?P<indent> *)(?P<begin>(?:<!--|#) `make pages` writes (?P<name>[\w-]+).*)\n"
    r"(?:.*\n)*?"
    r"(?P<end> *(?:<!--|#) end of (?P=name)\b.*)$",
    re.MULTILINE,
)
_CODE = re.compile(r"\b\w*_\w+\b|[\w-]+\[\w+\]")
_YAML_WIDTH = 100


def schema() -> dict[str, dict[str, Any]]:
    """Return the JSON schema of each setting, the tap's own before the SDK's."""
    declared = copy.deepcopy(settings.DECLARED)
    TapGongPrivacy.append_builtin_config(declared)
    properties: dict[str, dict[str, Any]] = declared["properties"]
    return properties


def blocks(text: str) -> list[str]:
    """Return the names of the blocks in a file."""
    return [match["name"] for match in _BLOCK.finditer(text)]


def rendered(text: str) -> str:
    """Return the text of a file with each of its blocks written again."""
    return _BLOCK.sub(_block, text)


def _block(match: re.Match[str]) -> str:
    lines = BLOCKS[match["name"]]().splitlines()
    return "\n".join([match["indent"] + match["begin"], *(match["indent"] + line for line in lines), match["end"]])


def _summary() -> str:
    rows = (
        (_code(name), _default(definition), _marked(definition["description"].split(". ")[0].rstrip(".")))
        for name, definition in schema().items()
        if name in settings.DECLARED["properties"]
    )
    return _table(("setting", "default", "meaning"), rows)


def _own() -> str:
    return _full(name for name in schema() if name in settings.DECLARED["properties"])


def _builtin() -> str:
    return _full(name for name in schema() if name not in settings.DECLARED["properties"])


def _full(names: Iterable[str]) -> str:
    chosen = ((name, schema()[name]) for name in names)
    rows = (
        (_code(name), _kind(definition), _default(definition), _marked(definition["description"]))
        for name, definition in chosen
    )
    return _table(("setting", "kind", "default", "meaning"), rows)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ("---",) * len(header), *rows))


def _kind(definition: dict[str, Any]) -> str:
    kind = next(kind for kind in definition["type"] if kind != "null")
    kind = "array of strings" if kind == "array" else kind
    bounds = {"exclusiveMinimum": ">", "minimum": "≥"}
    limits = [f" {sign} {definition[bound]}" for bound, sign in bounds.items() if bound in definition]
    return kind + "".join(limits) + (", secret" if definition.get("secret") else "")


def _default(definition: dict[str, Any]) -> str:
    default = definition.get("default")
    return "" if default is None else _code(default if isinstance(default, str) else json.dumps(default))


def _code(text: str) -> str:
    return f"`{text}`"


def _marked(text: str) -> str:
    return _CODE.sub(lambda match: _code(match[0]), text)


def _meltano() -> str:
    return _yaml([_setting(name, definition) for name, definition in schema().items()])


def _hub() -> str:
    # The Hub sorts the settings, and the keys of each.
    labelled = ({"label": definition["title"], **_setting(name, definition)} for name, definition in schema().items())
    return _yaml([dict(sorted(setting.items())) for setting in sorted(labelled, key=lambda setting: setting["name"])])


def _setting(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    # The one kind that hands a variable on as it is. With the others Meltano makes false of a misspelt boolean, ends in
    # a traceback at an empty number, and prints a list that is not JSON, with its addresses.
    setting: dict[str, Any] = {"name": name, "kind": "string"}
    if name in settings.SENSITIVE:
        setting["sensitive"] = True
    if definition.get("default") not in (None, []):
        setting["value"] = definition["default"]
    if "examples" in definition:
        setting["placeholder"] = definition["examples"][0]
    return {**setting, "description": definition["description"] + _bounds(definition)}


def _bounds(definition: dict[str, Any]) -> str:
    if "exclusiveMinimum" in definition:
        return f" Must be more than {definition['exclusiveMinimum']}."
    return f" Must be {definition['minimum']} or more." if "minimum" in definition else ""


def _yaml(content: list[dict[str, Any]]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=_YAML_WIDTH)


BLOCKS: dict[str, Callable[[], str]] = {
    "settings-summary": _summary,
    "settings-own": _own,
    "settings-builtin": _builtin,
    "settings-meltano": _meltano,
    "settings-hub": _hub,
}
"""The text of each block, by its name."""


if __name__ == "__main__":
    for path in TARGETS:
        path.write_text(rendered(path.read_text(encoding="utf-8")), encoding="utf-8")
