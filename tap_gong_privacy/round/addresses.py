"""The addresses to look up: read, checked, each entry named by its place."""

from __future__ import annotations

import csv
import io
import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import fsspec

from tap_gong_privacy.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LIST = "email_addresses"
_FILE = "email_addresses_file"
_SHOWN_AT_MOST = 10
_INVISIBLE = {"Cc", "Cf", "Cs"}
_SEPARATORS = ",;<>"
_LINE_END = re.compile(rb"\r\n?|\n")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the list.

    Attributes:
        text: The entry, trimmed.
        is_malformed: Whether it is not an e-mail address. Gong is not asked about such an entry.
    """

    text: str
    is_malformed: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    place: str
    value: object


def read_addresses(listed: Iterable[object], file: str | None, column: str) -> tuple[str, ...]:
    """Read the addresses of both settings: trimmed, checked, exact duplicates once.

    Args:
        listed: The entries of `email_addresses`.
        file: The path or fsspec URL of `email_addresses_file`: a `.csv`, or else a text file.
        column: The column of a `.csv` (`email_addresses_column`).

    Returns:
        The addresses, the list first.

    Raises:
        ConfigError: If an entry is no address, the file cannot be read, or there is no address at all.
    """
    entries = itertools.chain(
        (_Entry(f"{_LIST} entry {number}", value) for number, value in enumerate(listed, 1)),
        _read_file(file, column) if file else (),
    )
    addresses: dict[str, None] = {}
    wrong: list[str] = []
    for entry in entries:
        address = entry.value.strip() if isinstance(entry.value, str) else entry.value
        reason = _fault_of(address)
        if reason or not isinstance(address, str):
            wrong.append(f"{entry.place} ({reason})")
        else:
            addresses[address] = None
    if wrong:
        more = len(wrong) - _SHOWN_AT_MOST
        shown = ", ".join(wrong[:_SHOWN_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        msg = f"Not an e-mail address: {shown}. Correct or remove them; nothing was asked."
        raise ConfigError(msg)
    if not addresses:
        msg = f"No address to look up: set {_LIST} or {_FILE}."
        raise ConfigError(msg)
    return tuple(addresses)


def _fault_of(address: object) -> str | None:
    """Say what is wrong with a trimmed entry, without showing it. None where nothing is.

    Gong would answer such an entry with five empty arrays: a false "nothing held".
    """
    if not isinstance(address, str):
        return "not text"
    local, at, domain = address.rpartition("@")
    is_quoted = _QUOTED.fullmatch(local) is not None
    if not address:
        reason = "empty"
    elif not (local and at and domain):
        reason = "no text on both sides of an at sign"
    elif any(character.isspace() or unicodedata.category(character) in _INVISIBLE for character in address):
        reason = "white space, a control or an invisible character in it"
    elif address.casefold().startswith("mailto:"):
        reason = "mailto: in front of it"
    elif any(separator in (domain if is_quoted else address) for separator in _SEPARATORS):
        reason = "one of , ; < > in it"
    else:
        return None
    return reason


def _read_file(file: str, column: str) -> Iterator[_Entry]:
    content = _load(file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(content, 0, error.start)) + 1
        msg = f"{_FILE} line {line} is not UTF-8: save the file as UTF-8."
        raise ConfigError(msg) from None
    return _csv_entries(text, column) if _is_csv(file) else _text_entries(text)


def _load(file: str) -> bytes:
    """Read the whole file. Its path, and what fsspec says about it, are not shown: both can hold secrets."""
    try:
        with fsspec.open(file, "rb") as stream:
            content: bytes = stream.read()
    except FileNotFoundError:
        msg = f"{_FILE}: there is no such file. Give a path, or an fsspec URL."
    except ImportError:
        msg = f"{_FILE}: a package for this kind of URL is missing. For s3://, install tap-gong-privacy[s3]."
    except PermissionError:
        msg = f"{_FILE}: the file may not be read. Check its permissions or the storage's credentials."
    except Exception as error:  # noqa: BLE001 - each storage raises its own
        msg = f"{_FILE}: the file could not be read ({type(error).__name__}). Give a path, or an fsspec URL."
    else:
        return content
    raise ConfigError(msg)


def _is_csv(file: str) -> bool:
    # The first link of a chained URL that has a path (simplecache has none), without the query of a signed one.
    path = next((link for link in file.split("::") if "://" in link), file)
    return path.split("?", maxsplit=1)[0].lower().endswith(".csv") if "://" in path else path.lower().endswith(".csv")


def _text_entries(text: str) -> Iterator[_Entry]:
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            yield _Entry(f"{_FILE} line {number}", entry)


def _csv_entries(text: str, column: str) -> Iterator[_Entry]:
    rows = _rows(text)
    _, names = next(rows, (1, []))
    header = [name.strip() for name in names]
    if header.count(column.strip()) != 1:
        msg = f"{_FILE}: its header row must have one column of the name that email_addresses_column gives."
        raise ConfigError(msg)
    index = header.index(column.strip())
    for line, row in rows:
        yield _Entry(f"{_FILE} line {line}", row[index] if index < len(row) else "")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that have a cell, each with its first physical line."""
    # Strict: a quote that is never closed would otherwise swallow the rest of the list. A space before a quote would
    # make it a part of the address.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error:
            msg = f"{_FILE} line {reader.line_num} is not readable as CSV: check its quotes."
            raise ConfigError(msg) from None
        if row is None:
            return
        if row:
            yield line, row
