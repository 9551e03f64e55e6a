"""The controller's own texts, which the law asks for beside the data, and what they say about the page."""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.errors import CommandLineError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

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
"""The texts in the order of the page. The file that `gong-privacy-report notice` prints explains each."""
OWED: Final = tuple(key for key in KEYS if key not in {"legal_basis", "searched"})
"""The texts that Article 15 GDPR asks for if data is held."""
OWED_IF_NOTHING: Final = ("controller", "contact", "complaint")
"""The texts that an answer needs if nothing is held."""
SHOWN_IF_NOTHING: Final = (*OWED_IF_NOTHING, "searched")
"""The texts that an answer shows if nothing is held: the others would speak of data that there is not."""

_TEXTS: Final = (*KEYS, "law", "language")
_LISTS: Final = ("staff_domains", "hide")
DEFAULT_LAW: Final = "GDPR"
_LONGEST: Final = 1_000_000
_UNKNOWN_SHOWN_AT_MOST: Final = 5
# Letters by their category, but drawn as nothing.
_FILLERS: Final = "\u115f\u1160\u3164\uffa0"
# Alone, or before what is to be done. In Spanish and Portuguese a sentence may begin with "Todo".
_REMINDER: Final = re.compile(r"\W*(TODO\s*:|(?i:todo)\W*\Z)")
_PLACE: Final = re.compile(r"\(at (line \d+, column \d+|end of document)\)\Z")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
# A language, perhaps followed by a script, a region or a variant.
_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class Notice:
    """What the controller adds to an answer.

    Attributes:
        texts: Each of `KEYS` with its text, trimmed; empty if it is missing.
        law: The law under which the answer is given, as people call it.
        language: The BCP 47 tag of the language that the texts are written in; empty if it is not given.
        staff_domains: The domains of the controller's own addresses, in lower case.
        hide: The names of the CRM fields whose values are withheld.
    """

    texts: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(KEYS, ""))
    law: str = DEFAULT_LAW
    language: str = ""
    staff_domains: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()

    def missing(self, *, is_held: bool) -> list[str]:
        """Return the keys of the texts that are owed and missing.

        Args:
            is_held: Whether data about the person is held. If not, most texts would have nothing to speak of.
        """
        return [key for key in (OWED if is_held else OWED_IF_NOTHING) if not self.texts[key]]


def template() -> str:
    """Return the file to fill in: every key with an explanation."""
    return resources.files(__package__).joinpath("notice.toml").read_text(encoding="utf-8")


def read(path: Path | None) -> Notice:
    """Read the notice.

    Args:
        path: The TOML file; None for none.

    Returns:
        The notice. A text that says nothing, such as "TODO", is missing.

    Raises:
        ConfigError: If the file is not TOML, or holds anything that a notice does not. No message shows a text.
        CommandLineError: If it cannot be read.
    """
    given = {} if path is None else _parsed(_load(path))
    _refuse_unknown(given)
    texts = {key: _text(given, key) for key in _TEXTS}
    language = texts["language"]
    if language and not _LANGUAGE_TAG.fullmatch(language):
        msg = "The notice's language must be the tag of a language, such as en, de or pt-BR."
        raise ConfigError(msg)
    return Notice(
        texts={key: texts[key] for key in KEYS},
        law=" ".join(texts["law"].split()) or DEFAULT_LAW,
        language=language,
        staff_domains=tuple(dict.fromkeys(map(_domain, _list(given, "staff_domains")))),
        hide=tuple(dict.fromkeys(_list(given, "hide"))),
    )


def _load(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)  # not all of it: a device may have no end
    except OSError as error:
        msg = f"The notice cannot be read: {(error.strerror or type(error).__name__).lower()}."
        raise CommandLineError(msg) from None
    if len(content) > _LONGEST:
        msg = "The notice is larger than 1 MB: give the file that has your texts."
        raise ConfigError(msg)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        msg = "The notice is not UTF-8: save it as UTF-8."
        raise ConfigError(msg) from None


def _parsed(content: str) -> dict[str, object]:
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        # The rest of the message can quote the file.
        found = _PLACE.search(str(error))
        place = f" ({found[1]})" if found else ""
        msg = f"The notice is not TOML{place}: `gong-privacy-report notice` prints a file to begin with."
    except (ValueError, RecursionError):
        msg = "The notice has a number that is too long, or values nested too deeply: it needs texts and lists only."
    raise ConfigError(msg)


def _refuse_unknown(given: Mapping[str, object]) -> None:
    known = (*_TEXTS, *_LISTS)
    unknown = [_described(key, known) for key in given if key not in known]
    if unknown:
        more = len(unknown) - _UNKNOWN_SHOWN_AT_MOST
        shown = ", ".join(unknown[:_UNKNOWN_SHOWN_AT_MOST]) + (f", and {more} more" if more > 0 else "")
        msg = f"The notice has no such key: {shown}. `gong-privacy-report notice` prints all keys."
        raise ConfigError(msg)


def _described(key: str, known: Sequence[str]) -> str:
    if not _PLAIN_KEY.fullmatch(key):
        return "one whose name is not shown"
    similar = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1)
    return f"{key} (did you mean {similar[0]}?)" if similar else key


def _text(given: Mapping[str, object], key: str) -> str:
    text = given.get(key, "")
    if not isinstance(text, str):
        msg = f"The notice's {key} must be text in quotes."
        raise ConfigError(msg)
    return "" if _says_nothing(text) else text.strip()


def _says_nothing(text: str) -> bool:
    """Tell whether nobody has written a text yet."""
    return _is_blank(text) or _REMINDER.match(text) is not None


def _is_blank(text: str) -> bool:
    """Tell whether a text has no letter or digit that can be seen."""
    return not any(unicodedata.category(letter)[0] in "LN" and letter not in _FILLERS for letter in text)


def _list(given: Mapping[str, object], key: str) -> list[str]:
    """Return a list of texts, trimmed."""
    texts = given.get(key, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) and not _is_blank(text) for text in texts):
        msg = f"The notice's {key} must be a list of texts in quotes, in brackets, and none of them empty."
        raise ConfigError(msg)
    return [text.strip() for text in texts]


def _domain(text: str) -> str:
    domain = text.removeprefix("@").lower()
    if "@" in domain or domain.split() != [domain]:
        msg = 'The notice\'s staff_domains must be domains, such as "example.com".'
        raise ConfigError(msg)
    return domain
