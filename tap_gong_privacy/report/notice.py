"""The controller's own texts, which the law asks for beside the data."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.errors import CommandLineError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEYS: Final = (
    "controller",
    "contact",
    "purposes",
    "categories",
    "recipients",
    "storage_period",
    "rights",
    "complaint",
    "source",
    "automated_decisions",
    "transfers",
)
"""The texts in the order of the page; the file that `gong-privacy-report notice` prints explains each."""


def template() -> str:
    """Return the file to fill in: every key with an explanation."""
    return resources.files(__package__).joinpath("notice.toml").read_text(encoding="utf-8")


def read(path: Path | None) -> Mapping[str, str]:
    """Read the texts.

    Args:
        path: The TOML file; None for none.

    Returns:
        Each text by its key, trimmed; empty where it is missing.

    Raises:
        ConfigError: If the file is not TOML, or holds anything but these texts.
        CommandLineError: If it cannot be read.
    """
    given = {} if path is None else _parsed(path)
    if unknown := given.keys() - set(KEYS):
        msg = f"The notice holds {len(unknown)} unknown key(s): use those of `gong-privacy-report notice` alone."
        raise ConfigError(msg)
    if wrong := [key for key, text in given.items() if not isinstance(text, str)]:
        msg = f"The notice's {', '.join(wrong)} must be text in quotes."
        raise ConfigError(msg)
    return {key: str(given.get(key, "")).strip() for key in KEYS}


def _parsed(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        msg = f"The notice cannot be read: {(error.strerror or type(error).__name__).lower()}."
        raise CommandLineError(msg) from None
    except UnicodeDecodeError:
        msg = "The notice is not UTF-8: save it as UTF-8."
    except tomllib.TOMLDecodeError as error:
        line = str(error).rpartition("(at ")[2].rstrip(")")
        msg = f"The notice is not TOML ({line}): `gong-privacy-report notice` prints a file to begin with."
    raise ConfigError(msg)
