"""Reads the list of addresses from both settings, and finds entries that are not addresses."""

from __future__ import annotations

import ipaddress
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.round.list_file import EMAIL_ADDRESSES, Names, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SHOWN_AT_MOST: Final = 10
_EMPTY: Final = "empty"
# Nearly every address. All others are checked letter by letter, which takes ten times as long.
_PLAIN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_INVISIBLE: Final = {"Cc", "Cf", "Cs"}
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_SPECIALS: Final = frozenset('()<>[]:;@\\,"')
_IN_DOMAINS: Final = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the list.

    Attributes:
        text: The address as it is written, trimmed.
        is_malformed: Whether it is not an address, so that Gong must not be asked about it.
    """

    text: str
    is_malformed: bool = False


@dataclass(frozen=True, slots=True)
class AddressList:
    """The addresses of both settings.

    Attributes:
        entries: The list's entries before the file's, in their order, without exact duplicates.
        warning: One line with the places of the entries that are not addresses; None if all are.
    """

    entries: tuple[Entry, ...]
    warning: str | None


def read_list(
    listed: Iterable[object] | None,
    file: str | None,
    column: str,
    *,
    fail_on_malformed: bool = True,
    names: Names = EMAIL_ADDRESSES,
) -> AddressList:
    """Read and check the addresses of both settings.

    Args:
        listed: The entries of `email_addresses`; None if it is not set.
        file: The path or fsspec URL of `email_addresses_file`; None if it is not set.
        column: The column of a CSV file that holds the addresses.
        fail_on_malformed: Whether an entry that is not an address is an error. If not, it becomes a malformed entry, or
            is left out if it is empty, and a warning names its place.
        names: How messages name the two settings and the column.

    Returns:
        The addresses. There may be none.

    Raises:
        ConfigError: If neither setting is given, the file cannot be read, or an entry is not an address.
    """
    if listed is None and file is None:
        msg = f"No addresses to look up: set {names.listed} or {names.file}."
        raise ConfigError(msg)
    entries: dict[str, Entry] = {}
    wrong: list[str] = []
    for place, value in _read(listed, file, column, names):
        text = value.strip() if isinstance(value, str) else _json(place, value)
        reason = find_fault(text) if isinstance(value, str) else "not text"
        if reason:
            wrong.append(f"{place} ({reason})")
        if reason != _EMPTY:
            entries.setdefault(text, Entry(text, is_malformed=reason is not None))
    if wrong and fail_on_malformed:
        msg = (
            f"Not an e-mail address: {join(wrong)}. Correct or remove them, or set fail_on_malformed_address to "
            "false; nothing was asked."
        )
        raise ConfigError(msg)
    warning = f"Not an e-mail address, so not asked: {join(wrong)}." if wrong else None
    return AddressList(tuple(entries.values()), warning)


def _read(listed: Iterable[object] | None, file: str | None, column: str, names: Names) -> Iterator[tuple[str, object]]:
    """Yield each entry with its place."""
    for number, value in enumerate(listed or (), 1):
        yield f"{names.listed} entry {number}", value
    if file is not None:
        for line, text in read_file(file, column, names):
            yield f"{names.file} line {line}", text


def _json(place: str, value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        msg = f"{place} is not text, and is nested too deeply or too long to be shown. Correct or remove it."
        raise ConfigError(msg) from None


def join(wrong: Sequence[str]) -> str:
    """Name the first places that are wrong, and how many more there are."""
    more = len(wrong) - _SHOWN_AT_MOST
    return ", ".join(wrong[:_SHOWN_AT_MOST]) + (f", and {more} more" if more > 0 else "")


def find_fault(text: str) -> str | None:
    """Return why a trimmed text is not one bare address, without quoting it; None if it is one.

    Gong would answer a malformed address with five empty arrays: a false "nothing held".
    """
    if _PLAIN.fullmatch(text):
        return None
    local, at, domain = text.rpartition("@")
    reason = None
    if not text:
        reason = _EMPTY
    elif not (local and at and domain):
        reason = "no text on both sides of an at sign"
    elif any(letter.isspace() or unicodedata.category(letter) in _INVISIBLE for letter in text):
        reason = "white space, a control or an invisible character in it"
    elif not _QUOTED.fullmatch(local) and not _SPECIALS.isdisjoint(local):
        reason = "a prefix, quote, bracket, separator or second at sign before its domain"
    elif not _is_domain(domain):
        reason = "the text after its at sign is not a domain"
    return reason


def _is_domain(domain: str) -> bool:
    if domain.startswith("[") and domain.endswith("]"):
        return _is_ip_address(domain[1:-1])
    has_outer_dot = domain.startswith(".") or domain.endswith(".")
    return not has_outer_dot and all(
        letter in "-_." or unicodedata.category(letter) in _IN_DOMAINS for letter in domain
    )


def _is_ip_address(text: str) -> bool:
    """Tell whether a text is what an address literal has between its brackets: `192.0.2.1` or `IPv6:2001:db8::1`."""
    is_version_6 = text[:5].lower() == "ipv6:"
    try:
        ipaddress.ip_address(text[5:] if is_version_6 else text)
    except ValueError:
        return False
    return True
