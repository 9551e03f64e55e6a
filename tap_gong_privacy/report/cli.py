"""The command line of `gong-privacy-report`."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import unquote

import click

from tap_gong_privacy.errors import CommandLineError, ConfigError
from tap_gong_privacy.report import coverage as coverages
from tap_gong_privacy.report import erasure as erasures
from tap_gong_privacy.report import files
from tap_gong_privacy.report import notice as notices
from tap_gong_privacy.report import person as answers
from tap_gong_privacy.report.gaps import has_unknown_address
from tap_gong_privacy.report.pages import coverage as coverage_page
from tap_gong_privacy.report.pages import erasure as erasure_page
from tap_gong_privacy.report.pages import person as person_page
from tap_gong_privacy.report.pages import texts
from tap_gong_privacy.report.rows import database, singer_output
from tap_gong_privacy.report.rows.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_gong_privacy.report.gaps import Gap
    from tap_gong_privacy.report.model import Loaded

_STDIN: Final = "-"


@dataclass(frozen=True)
class Source:
    """Where the look-ups are read from, and where the report goes."""

    database_url: str | None
    schema: str
    output: str | None
    to: Path | None


def _source(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where to read, and where to write."""
    for option in (
        click.option("--to", type=click.Path(path_type=Path), help="The folder to write into; a new one by default."),
        click.option(
            "--from", "output", metavar="FILE", help="Read the tap's own output, - for a pipe, not a database."
        ),
        click.option("--schema", default="gong_privacy", show_default=True, help="The schema that the tables are in."),
        click.option(
            "--database-url",
            envvar="GONG_PRIVACY_DATABASE_URL",
            help="SQLAlchemy's URL of the database. Better in GONG_PRIVACY_DATABASE_URL: others see a command line.",
        ),
    ):
        command = option(command)
    return command


def _addresses(command: Callable[..., None]) -> Callable[..., None]:
    """Add what names the addresses."""
    for option in (
        click.option("--addresses", "file", metavar="FILE", help="The addresses, one a line; - for standard input."),
        click.argument("listed", metavar="[ADDRESS]...", nargs=-1),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Make pages for people from what tap-gong-privacy has loaded. Asks Gong nothing, changes nothing."""
    if context.invoked_subcommand is None:
        msg = f"Give one of the commands {texts.joined(sorted(command.commands))}: see --help."
        raise CommandLineError(msg)


@command.command()
@_addresses
@_source
@click.option("--notice", type=click.Path(path_type=Path), help="The controller's own texts, as TOML; see `notice`.")
@click.option("--draft", is_flag=True, help="Accept that texts are missing.")
@click.option("--show-others", is_flag=True, help="Show other people's addresses.")
@click.option("--show-links", is_flag=True, help="Show links whole, with what opens a recording.")
def person(  # noqa: PLR0913  one for each option
    *,
    listed: tuple[str, ...],
    file: str | None,
    database_url: str | None,
    schema: str,
    output: str | None,
    to: Path | None,
    notice: Path | None,
    draft: bool,
    show_others: bool,
    show_links: bool,
) -> None:
    """What Gong holds about one person, under all spellings given: person.html and person.json."""
    source = Source(database_url, schema, output, to)
    addresses = _asked(listed, file, source)
    controller = notices.read(notice)
    folder = _folder(source, "person", addresses, ("person.html", "person.json"))
    loaded = _read(source, addresses, with_rows=True)
    masker = Masker.for_person(addresses, shows_others=show_others, shows_links=show_links)
    answer = answers.answer(addresses, loaded, masker, controller, made_at=_now(), is_draft=draft)
    _write(folder, {"person.html": person_page.page(answer), "person.json": answers.as_json(answer)})
    if loaded.other_spellings:
        _say(f"Note: {texts.other_spellings(loaded.other_spellings)}")
    _end(answer.gaps, are_pseudonyms=answer.are_pseudonyms)


@command.command()
@_addresses
@_source
@click.option("--asked-at", metavar="TIME", required=True, help="When the erasure was asked for, as 2026-01-15T09:00Z.")
def erasure(
    *,
    listed: tuple[str, ...],
    file: str | None,
    database_url: str | None,
    schema: str,
    output: str | None,
    to: Path | None,
    asked_at: str,
) -> None:
    """Whether an erasure has gone through: erasure.html and erasure.json."""
    source = Source(database_url, schema, output, to)
    time = _time(asked_at)
    addresses = _asked(listed, file, source)
    folder = _folder(source, "erasure", addresses, ("erasure.html", "erasure.json"))
    loaded = _read(source, addresses)
    found = erasures.evidence(addresses, loaded, time, _now())
    rows = erasures.as_json(found)
    page = erasure_page.page(found, erasures.digest(rows))
    _write(folder, {"erasure.html": page, "erasure.json": [rows]})
    _end(found.gaps, are_pseudonyms=loaded.are_pseudonyms and has_unknown_address(found.gaps))


@command.command()
@_source
@click.option("--config", "configs", multiple=True, required=True, help="The tap's own config file, or ENV.")
def coverage(
    *, configs: tuple[str, ...], database_url: str | None, schema: str, output: str | None, to: Path | None
) -> None:
    """Whether everyone on the tap's list was asked: coverage.html and coverage.csv."""
    # It needs the Singer SDK, whose import takes longer than all else here.
    from tap_gong_privacy.report import listing  # noqa: PLC0415

    source = Source(database_url, schema, output, to)
    _refuse_two_sources(source)
    listed = listing.read(configs)
    folder = _folder(source, "coverage", (), ("coverage.html", "coverage.csv"))
    loaded = _read(source, None)
    found = coverages.survey(listed, loaded, _now())
    _write(folder, {"coverage.html": coverage_page.page(found), "coverage.csv": [coverages.as_csv(found)]})
    _end(found.gaps, are_pseudonyms=found.are_pseudonyms)


@command.command()
def notice() -> None:
    """Print the file for the texts that the law asks you to add to an answer."""
    click.echo(notices.template(), nl=False)


def _now() -> datetime:
    return datetime.now(UTC)


def _asked(listed: Sequence[str], file: str | None, source: Source) -> list[str]:
    """Return the addresses, each once."""
    _refuse_two_sources(source)
    if file == _STDIN and source.output == _STDIN:
        msg = "Standard input cannot be both the tap's output and the addresses: give one of them as a file."
        raise CommandLineError(msg)
    lines = [*listed, *(_lines(file) if file else ())]
    addresses = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not addresses:
        msg = "Give at least one address, or --addresses with a file of them."
        raise CommandLineError(msg)
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for address in addresses for character in address):
        msg = "An address is not UTF-8, or has a NUL in it."
        raise CommandLineError(msg)
    return addresses


def _lines(file: str) -> Iterable[str]:
    with _opened(file, "The file of addresses") as stream:
        content = stream.read()
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        msg = "The file of addresses is not UTF-8: save it as UTF-8."
        raise ConfigError(msg) from None
    return [line for line in lines if not line.lstrip().startswith("#")]


def _refuse_two_sources(source: Source) -> None:
    """Refuse a command line that names no source, or two."""
    context = click.get_current_context()
    is_given = context.get_parameter_source("database_url") is click.core.ParameterSource.COMMANDLINE
    if source.output and is_given:
        msg = "Give either --database-url or --from, and not both."
        raise CommandLineError(msg)
    if not source.output and not source.database_url:
        msg = "Say where to read: set GONG_PRIVACY_DATABASE_URL, or give --from with the tap's own output."
        raise CommandLineError(msg)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text.strip())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        msg = "--asked-at must be a time such as 2026-01-15T09:00Z; without an offset it is taken as UTC."
        raise CommandLineError(msg) from None


def _folder(source: Source, kind: str, addresses: Iterable[str], names: Iterable[str]) -> Path:
    """Return the folder to write into, which has no address in its name and none of the report's files."""
    folder = source.to or Path(f"gong-privacy-{kind}-{_now():%Y%m%d-%H%M%S-%f}")
    made = [unquote(path.name).casefold() for path in files.to_be_made(folder)]
    if any(part in name for name in made for part in ("@", *map(str.casefold, addresses))):
        msg = "--to must not hold an address: others can see the name of a folder."
        raise CommandLineError(msg)
    # Now, and not only when they are written: the output of a pipe cannot be read twice.
    files.refuse_existing(folder, names)
    return folder


def _read(source: Source, addresses: Sequence[str] | None, *, with_rows: bool = False) -> Loaded:
    if source.output:
        with _opened(source.output, "The file given by --from") as stream:
            return singer_output.read(stream, addresses, with_rows=with_rows)

    return database.read(source.database_url or "", source.schema, addresses, with_rows=with_rows)


def _standard_input() -> contextlib.AbstractContextManager[BinaryIO]:
    if sys.stdin is None:  # the process began with it closed
        msg = "Standard input is closed: give a file in place of -."
        raise CommandLineError(msg)
    return contextlib.nullcontext(sys.stdin.buffer)


@contextlib.contextmanager
def _opened(file: str, what: str) -> Iterator[BinaryIO]:
    try:
        with _standard_input() if file == _STDIN else Path(file).open("rb") as stream:
            yield stream
    except OSError as error:
        msg = f"{what} cannot be read: {(error.strerror or type(error).__name__).lower()}."
        raise CommandLineError(msg) from None


def _write(folder: Path, contents: Mapping[str, Iterable[bytes]]) -> None:
    files.write(folder, contents)
    for name in contents:
        click.echo(texts.done(str(folder / name)))


def _end(gaps: Sequence[Gap], *, are_pseudonyms: bool) -> None:
    """Say why the report is not complete, and end with the exit code that tells."""
    reasons = [*([texts.PSEUDONYMS] if are_pseudonyms else []), *map(texts.gap, gaps)]
    for reason in reasons:
        _say(f"Not complete: {reason}")
    if reasons:
        raise click.exceptions.Exit(1)


def _say(line: str) -> None:
    click.echo(line, file=sys.stderr)
