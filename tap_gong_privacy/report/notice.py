"""Temporary."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

KEYS: Final = (
    "controller",
    "contact",
    "purposes",
    "legal_basis",
    "categories",
    "recipients",
    "storage_period",
    "rights",
    "complaint",
    "source",
    "automated_decisions",
    "transfers",
    "searched",
)
OWED: Final = tuple(k for k in KEYS if k not in ("legal_basis", "searched"))
OWED_IF_NOTHING: Final = ("controller", "contact", "complaint")
SHOWN_IF_NOTHING: Final = ("controller", "contact", "complaint", "searched")
DEFAULT_LAW: Final = "GDPR"


@dataclass(frozen=True)
class Notice:
    texts: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(KEYS, ""))
    law: str = DEFAULT_LAW
    language: str = ""
    staff_domains: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()

    def missing(self, *, is_held: bool) -> list[str]:
        return [k for k in (OWED if is_held else OWED_IF_NOTHING) if not self.texts[k]]


def read(path):
    if path is None:
        return Notice()
    d = tomllib.loads(path.read_text())
    return Notice(
        texts={k: str(d.get(k, "")).strip() for k in KEYS},
        law=d.get("law", DEFAULT_LAW),
        language=d.get("language", ""),
        staff_domains=tuple(d.get("staff_domains", ())),
        hide=tuple(d.get("hide", ())),
    )


def template():
    from importlib import resources

    return resources.files(__package__).joinpath("notice.toml").read_text(encoding="utf-8")
