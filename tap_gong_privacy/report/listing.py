"""Reads whom a report is about: the addresses of its command line, or the list in the tap's own settings."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.errors import CommandLineError, ConfigError
from tap_gong_privacy.round.addresses import Entry, find_fault, join, read_list
from tap_gong_privacy.round.list_file import Names, load, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_STDIN: Final = "-"
_NAMES: Final = Names("ADDRESS", "--addresses", "--column")


@dataclass(frozen=True)
class Listing:
    """Whom the tap is set up to ask.

    Attributes:
        entries: The entries, in the list's order, each once.
        api_url: Which Gong it asks.
    """

    entries: tuple[Entry, ...]
    api_url: str


def read(paths: Iterable[str]) -> Listing:
    """Read the list that the tap would ask with these config files.

    Args:
        paths: The files; `ENV` for the environment, as the tap takes it.

    Returns:
        The list. Credentials are not needed, and entries that are not addresses never stop it: the report shows them.

    Raises:
        ConfigError: If the settings or the list's file cannot be used.
    """
    # The Singer SDK takes longer to import than everything else that a report needs.
    from singer_sdk import Tap  # noqa: PLC0415

    from tap_gong_privacy import settings  # noqa: PLC0415
    from tap_gong_privacy.singer import inputs  # noqa: PLC0415

    paths = list(paths)
    given = inputs.read_config(path for path in paths if path != "ENV")
    schema = settings.DECLARED | {"properties": dict(settings.DECLARED["properties"])}
    Tap.append_builtin_config(schema)
    environment = os.environ if "ENV" in paths else {}
    _, own = settings.load(given, schema, environment, needs_credentials=False)
    addresses = read_list(
        own.email_addresses, own.email_addresses_file, own.email_addresses_column, fail_on_malformed=False
    )
    return Listing(addresses.entries, own.api_url)


def read_addresses(arguments: Sequence[str], file: str | None, column: str) -> list[str]:
    """Read the addresses that a command line names.

    An argument without an at sign is accepted, because the tables may hold pseudonyms in place of addresses.

    Args:
        arguments: The addresses that are arguments.
        file: A path or fsspec URL of more, read as the tap reads its list; `-` for standard input, one address a line.
        column: The column of a CSV file that holds the addresses.

    Returns:
        The arguments before the file's addresses, trimmed, without exact duplicates.

    Raises:
        CommandLineError: If there is no address, an argument is wrong, or the file cannot be read.
        ConfigError: If the file's content cannot be used. No message shows an address.
    """
    listed = [(f"{_NAMES.listed} {number}", text.strip()) for number, text in enumerate(arguments, 1) if text.strip()]
    lines = list(_lines(file, column)) if file is not None else []
    if not listed and not lines:
        msg = "Give at least one address, or --addresses with a file of them."
        raise CommandLineError(msg)
    texts = [text for _, text in (*listed, *lines)]
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for text in texts for character in text):
        msg = "An address is not UTF-8, or has a NUL in it."
        raise CommandLineError(msg)
    _refuse(listed, lines)
    return list(dict.fromkeys(texts))


def _lines(file: str, column: str) -> Iterator[tuple[str, str]]:
    """Yield each entry of the file with its place."""
    try:
        content = _standard_input() if file == _STDIN else load(file, _NAMES)
    except ConfigError as error:
        raise CommandLineError(error.message) from None
    for line, text in parse(content, file, column, _NAMES):
        yield f"{_NAMES.file} line {line}", text.strip()


def _standard_input() -> bytes:
    if sys.stdin is None:  # the process began with it closed
        msg = "Standard input is closed: give a file in place of -."
        raise CommandLineError(msg)
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        msg = f"{_NAMES.file}: standard input cannot be read ({(error.strerror or type(error).__name__).lower()})."
        raise CommandLineError(msg) from None


def _refuse(listed: Iterable[tuple[str, str]], lines: Iterable[tuple[str, str]]) -> None:
    """Refuse what is not an address: arguments with an at sign, and all entries of a file."""
    arguments = [f"{place} ({fault})" for place, text in listed if "@" in text and (fault := find_fault(text))]
    entries = [f"{place} ({fault})" for place, text in lines if (fault := find_fault(text))]
    if arguments or entries:
        msg = f"Not an e-mail address: {join([*arguments, *entries])}. Correct or remove them."
        raise (CommandLineError if arguments else ConfigError)(msg)
