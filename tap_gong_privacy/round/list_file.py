"""Reads the file of addresses: a `.csv` or a text file, each entry with its physical line."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LINE_END: Final = re.compile(r"\r\n?|\n")
_LONGEST_SHOWN_NAME: Final = 64
_IS_FOLDER: Final = ": this is a folder. Name one file in it."


@dataclass(frozen=True, slots=True)
class Names:
    """What the user calls the places that a list can come from, so that messages can name them.

    Attributes:
        listed: The setting that holds entries itself.
        file: The setting or option that names a file.
        column: The setting or option that names the column of a CSV file.
    """

    listed: str
    file: str
    column: str


EMAIL_ADDRESSES: Final = Names("email_addresses", "email_addresses_file", "email_addresses_column")
"""The names of the tap's settings."""


class _Fault(Exception):  # noqa: N818 - it never leaves this module
    """What is wrong with a file, in words that follow the file's name."""


def read_file(file: str, column: str, names: Names = EMAIL_ADDRESSES) -> list[tuple[int, str]]:
    """Read the entries of a file, unchecked.

    Args:
        file: A path or fsspec URL. A name that ends in `.csv` makes it a CSV file, any other a text file.
        column: The column of a CSV file that holds the addresses.
        names: How messages name the file and the column.

    Returns:
        Each entry with the physical line, counted from 1, on which it (or its CSV row) begins.

    Raises:
        ConfigError: If the file cannot be loaded or decoded, or is a CSV file with broken quotes or without the
            column. The message shows neither the file's content nor its path.
    """
    return parse(load(file, names), file, column, names)


def load(file: str, names: Names = EMAIL_ADDRESSES) -> bytes:
    """Load a file.

    Args:
        file: A path or fsspec URL.
        names: How messages name the file.

    Returns:
        Its content.

    Raises:
        ConfigError: If it cannot be loaded. The message does not show the path.
    """
    try:
        return _load(file)
    except _Fault as fault:
        msg = f"{names.file}{fault}"
        raise ConfigError(msg) from None


def parse(content: bytes, file: str, column: str, names: Names = EMAIL_ADDRESSES) -> list[tuple[int, str]]:
    """Return the entries of a file that was loaded, unchecked.

    Args:
        content: The content of the file.
        file: Its path or fsspec URL, which says whether it is a CSV file.
        column: The column of a CSV file that holds the addresses.
        names: How messages name the file and the column.

    Returns:
        What `read_file` returns.

    Raises:
        ConfigError: If the content cannot be decoded, or is CSV with broken quotes or without the column.
    """
    try:
        text = _decode(content)
        return _csv_entries(text, column, names.column) if _is_csv(file) else _text_entries(text)
    except _Fault as fault:
        msg = f"{names.file}{fault}"
        raise ConfigError(msg) from None


def _load(file: str) -> bytes:
    # The storages are imported here because they take longer to import than the rest of this package.
    import fsspec  # noqa: PLC0415
    from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415

    # The messages leave out the path and the storage's own error, because both can contain secrets.
    try:
        file_system, path = fsspec.url_to_fs(file)
        if isinstance(file_system, LocalFileSystem):
            # fsspec seeks in local files, which a pipe does not allow.
            return Path(path).read_bytes()
        # Not open(): it reads as many bytes as the storage claims in advance, which may be fewer than there are, and
        # reads an S3 prefix as a file of 0 bytes.
        content: bytes = file_system.cat_file(path)
    except IsADirectoryError:
        msg = _IS_FOLDER
    except FileNotFoundError:
        msg = ": there is no such file. Give a path, or an fsspec URL."
        with contextlib.suppress(Exception):
            msg = _IS_FOLDER if file_system.isdir(path) else msg
    except ImportError:
        msg = ": a package for this kind of URL is missing. For s3://, install tap-gong-privacy[s3]."
    except PermissionError:
        msg = ": there is no permission to read the file. Check its permissions or the storage's credentials."
    except Exception as error:  # noqa: BLE001 - each storage raises its own
        msg = f": the file could not be read ({type(error).__name__}). Give a path, or an fsspec URL."
    else:
        return content
    raise _Fault(msg)


def _decode(content: bytes) -> str:
    encoding, name = ("utf-16", "UTF-16") if content.startswith(_UTF_16) else ("utf-8-sig", "UTF-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(content[: error.start].decode(encoding, "replace"))) + 1
        msg = f" line {line} is not {name}: save the file as UTF-8."
        raise _Fault(msg) from None


def _is_csv(file: str) -> bool:
    # In a chained URL the first link with a path names the file (simplecache has none). A signed URL ends in a query.
    path = next((link for link in file.split("::") if "://" in link), file)
    return path.split("?", maxsplit=1)[0].lower().endswith(".csv") if "://" in path else path.lower().endswith(".csv")


def _text_entries(text: str) -> list[tuple[int, str]]:
    lines = enumerate(map(str.strip, io.StringIO(text, newline=None)), 1)
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def _csv_entries(text: str, column: str, setting: str) -> list[tuple[int, str]]:
    with _cells_of_any_length(text):
        separator, header = _find_header(text, column)
        if not header:
            return []
        index = _find_column(header, separator, column, setting)
        rows = _rows(text, separator)
        next(rows)
        return [(line, _cell(row, index, len(header), separator)) for line, row in rows]


@contextlib.contextmanager
def _cells_of_any_length(text: str) -> Iterator[None]:
    """Lift the limit of 128 KiB for a cell, which the csv module keeps for the whole process."""
    limit = csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _find_header(text: str, column: str) -> tuple[str, list[str]]:
    """Return the separator that the header row uses, and the row; an empty row if all cells of the file are empty."""
    headers: dict[str, list[str]] = {}
    broken_quotes: _Fault | None = None
    for separator in _SEPARATORS:
        try:
            headers[separator] = next(_rows(text, separator), (0, []))[1]
        except _Fault as error:
            broken_quotes = error
    if [] in headers.values():
        return ",", []
    best = max(headers.items(), key=lambda item: (bool(_matches(item[1], column)), len(item[1])), default=(",", []))
    if broken_quotes and not _matches(best[1], column):
        raise broken_quotes
    return best


def _matches(header: Sequence[str], column: str) -> list[int]:
    """Return the indexes of the columns of this name. If none matches exactly, ignore case and outer white space."""
    exact = [index for index, name in enumerate(header) if name == column]
    return exact or [index for index, name in enumerate(header) if _folded(name) == _folded(column)]


def _folded(name: str) -> str:
    return name.strip().casefold()


def _find_column(header: Sequence[str], separator: str, column: str, setting: str) -> int:
    matches = _matches(header, column)
    if len(matches) == 1:
        return matches[0]
    name = f"column {column}" if _is_harmless(column) else f"column of the name that {setting} gives"
    found = f"{len(header)} column{'s' if len(header) > 1 else ''}, separator: {_SEPARATORS[separator]}"
    msg = (
        f": its header row has {'more than one' if matches else 'no'} {name} (found: {found}). Correct the "
        f"header or {setting}; a file without a header row must not be named .csv."
    )
    raise _Fault(msg)


def _is_harmless(name: str) -> bool:
    """Tell whether a column's name can be shown: it cannot contain an address, a path, a URL or a line break."""
    return len(name) <= _LONGEST_SHOWN_NAME and all(letter.isalnum() or letter in " _-" for letter in name)


def _cell(row: Sequence[str], index: int, width: int, separator: str) -> str:
    cell = row[index] if index < len(row) else ""
    # "email_address\na@b.example,c@d.example": the second address would be silently ignored. Together the two are a
    # malformed entry.
    surplus = [other for other in row[width:] if "@" in other]
    return separator.join([cell, *surplus]) if cell.strip() and surplus else cell


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with its first physical line."""
    # Strict, because an unclosed quote would otherwise swallow the rest of the list. Without skipinitialspace a quote
    # after a space would become a part of the address.
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    line = 1
    try:
        separators = 0
        for row in reader:
            if any(cell.strip() for cell in row):
                separators = separators or len(row) - 1
                _refuse_swallowed_row(row, line, separator, separators)
                yield line, row
            line = reader.line_num + 1
    except csv.Error:
        msg = f" line {line} is not readable as CSV: check the quotes of the row that begins there."
        raise _Fault(msg) from None


def _refuse_swallowed_row(row: Sequence[str], line: int, separator: str, separators: int) -> None:
    """Refuse a quoted cell that holds what looks like a row of its own.

    Two stray quotes, some lines apart, make one cell out of everything between them, and the people in it would not be
    asked.

    Args:
        row: The cells of a row.
        line: The physical line on which the row begins.
        separator: The separator of the cells.
        separators: How many of them the header has.

    Raises:
        _Fault: If a line of a cell alone has an at sign and as many separators as the header.
    """
    number = line
    for cell in row:
        lines = _LINE_END.split(cell)
        if len(lines) == 1:
            continue
        for offset, text in enumerate(lines):
            if "@" in text and text.count(separator) >= separators:
                msg = (
                    f" line {line}: a quoted cell of the row that begins there includes line {number + offset}, "
                    "which looks like a row with an address. Check the quotes of that row."
                )
                raise _Fault(msg)
        number += len(lines) - 1
