"""The command line of `gong-privacy-report`."""

from __future__ import annotations

import contextlib
import functools
import sys
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import unquote

import click

from tap_gong_privacy.base_url import is_base_url
from tap_gong_privacy.errors import CommandLineError
from tap_gong_privacy.report import coverage, erasure, files, listing, model, notice, person
from tap_gong_privacy.report.pages import coverage as coverage_page
from tap_gong_privacy.report.pages import erasure as erasure_page
from tap_gong_privacy.report.pages import person as person_page
from tap_gong_privacy.report.request import Request
from tap_gong_privacy.report.rows import singer_output
from tap_gong_privacy.report.rows.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_gong_privacy.report.rows.tables import Loaded

_STDIN: Final = "-"


@dataclass(frozen=True)
class Source:
    """Where the look-ups are read from, which Gong is meant, and where the report goes."""

    database_url: str | None
    schema: str
    output: str | None
    api_urls: tuple[str, ...]
    to: str | None

    def read(self, addresses: Sequence[str] | None, now: datetime, *, with_rows: bool = False) -> Loaded:
        """Read what was loaded about some addresses; about all if none are given."""
        if self.output:
            with _opened(self.output, "The file given by --from") as stream:
                return singer_output.read(stream, addresses, with_rows=with_rows)
        # SQLAlchemy takes longer to import than all else together.
        from tap_gong_privacy.report.rows import database  # noqa: PLC0415

        return database.read(self.database_url or "", self.schema, addresses, now, with_rows=with_rows)


def _with_source(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where to read and where to write."""

    @click.option(
        "--database-url",
        envvar="GONG_PRIVACY_DATABASE_URL",
        help="SQLAlchemy URL of the database. Better in GONG_PRIVACY_DATABASE_URL: others can see the command line.",
    )
    @click.option("--schema", default="gong_privacy", show_default=True, help="Schema of the tables.")
    @click.option(
        "--from", "output", metavar="FILE", help="Read the tap's output from a file instead; - for standard input."
    )
    @click.option(
        "--api-url",
        "api_urls",
        multiple=True,
        help="Base URL of the Gong that is meant, if the look-ups name several. Repeatable.",
    )
    @click.option("--to", metavar="FOLDER", help="Folder to write into. Default: a new one.")
    @functools.wraps(function)
    def command(
        *,
        database_url: str | None,
        schema: str,
        output: str | None,
        api_urls: tuple[str, ...],
        to: str | None,
        **options: object,
    ) -> None:
        source = Source(database_url, schema, output, api_urls, to)
        _refuse(source)
        function(source=source, **options)

    return command


def _with_request(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say whom a report is about and which request it answers."""

    @click.argument("arguments", metavar="[ADDRESS]...", nargs=-1)
    @click.option(
        "--addresses",
        "file",
        metavar="FILE",
        help="File of addresses, in the format of the tap's own list; - for standard input.",
    )
    @click.option("--column", default="email_address", show_default=True, help="Column of a CSV file of addresses.")
    @click.option("--reference", default="", metavar="TEXT", help="Your own file number.")
    @click.option("--received", default="", metavar="DATE", help="The day on which the request came, as 2026-01-15.")
    @functools.wraps(function)
    def command(
        *, arguments: tuple[str, ...], file: str | None, column: str, reference: str, received: str, **options: object
    ) -> None:
        source = options["source"]
        if file == _STDIN and isinstance(source, Source) and source.output == _STDIN:
            msg = "Standard input cannot be both the tap's output and the addresses: give one of them as a file."
            raise CommandLineError(msg)
        addresses = listing.read_addresses(arguments, file, column)
        function(addresses=addresses, request=Request(reference.strip(), _day(received)), **options)

    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Make reports from the data that tap-gong-privacy loaded. Read-only: never calls Gong."""
    if context.invoked_subcommand is None:
        msg = f"Give one of the commands {', '.join(sorted(command.commands))}: see --help."
        raise CommandLineError(msg)


@command.command("person", short_help="Answer a person: what is held about them.")
@_with_source
@_with_request
@click.option(
    "--notice", "path", type=click.Path(path_type=Path), help="The controller's own texts, as TOML; see `notice`."
)
@click.option("--draft", is_flag=True, help="Make the page even if notice texts are missing, with notes to staff.")
@click.option(
    "--accept-incomplete",
    is_flag=True,
    help="Exit 0 although the answer is not complete. The page says what is missing.",
)
@click.option("--hide", "hidden", multiple=True, metavar="FIELD", help="CRM field to withhold. Repeatable.")
@click.option("--show-others", is_flag=True, help="Show other people's addresses.")
@click.option("--show-links", is_flag=True, help="Show links whole, with what opens a recording.")
def make_person(  # noqa: PLR0913  one for each option
    *,
    source: Source,
    addresses: list[str],
    request: Request,
    path: Path | None,
    draft: bool,
    accept_incomplete: bool,
    hidden: tuple[str, ...],
    show_others: bool,
    show_links: bool,
) -> None:
    """Answer a person: what is held about them in Gong, as person.html and person.json."""
    texts = notice.read(path)
    if not all(field.strip() for field in hidden):
        msg = "--hide must name a field."
        raise CommandLineError(msg)
    folder = _folder(source, "person", ("person.html", "person.json"))
    now = datetime.now(UTC)
    loaded = source.read(addresses, now, with_rows=True)
    masker = Masker(
        addresses,
        staff_domains=texts.staff_domains,
        hidden_fields=(*texts.hide, *hidden),
        shows_others=show_others,
        shows_links=show_links,
    )
    answer = person.answer(
        model.assess(addresses, loaded, source.api_urls, now),
        loaded,
        masker,
        texts,
        request,
        is_draft=draft,
        is_accepted=accept_incomplete,
    )
    _write(folder, {"person.html": person_page.page(answer), "person.json": person.as_json(answer)})
    _note(answer.assessment)
    known = {name.strip().casefold() for name in masker.withheld}
    for field in hidden:
        if field.strip().casefold() not in known:
            _say(f"Note: no value was withheld for --hide {field}. Compare its name with the page.")
    if answer.is_accepted:
        for gap in answer.gaps:
            _say(f"Accepted: {gap}")
    _end(answer.reasons)


@command.command("erasure", short_help="Prove an erasure: the answers before and after.")
@_with_source
@_with_request
@click.option(
    "--asked-at",
    metavar="TIME",
    required=True,
    help="When the erasure was asked for, as 2026-01-15T09:00Z. UTC without an offset.",
)
@click.option("--erasure-request-id", "request_ids", multiple=True, help="Gong's id of the erasure. Repeatable.")
def make_erasure(
    *,
    source: Source,
    addresses: list[str],
    request: Request,
    asked_at: str,
    request_ids: tuple[str, ...],
) -> None:
    """Prove an erasure: the answers before and after, as erasure.html and erasure.json."""
    now = datetime.now(UTC)
    time = _time(asked_at, now)
    folder = _folder(source, "erasure", ("erasure.html", "erasure.json"))
    loaded = source.read(addresses, now)
    found = erasure.evidence(model.assess(addresses, loaded, source.api_urls, now), time, request, request_ids)
    rows = erasure.as_json(found)
    digest = erasure.digest(rows)
    _write(folder, {"erasure.html": erasure_page.page(found, digest), "erasure.json": [rows]})
    click.echo(f"SHA-256 of erasure.json: {digest}")
    _note(found.assessment)
    _end(found.gaps)


@command.command("coverage", short_help="Check that everyone on the tap's list was asked.")
@_with_source
@click.option(
    "--config", "configs", multiple=True, required=True, help="The tap's own config file, or ENV. Repeatable."
)
@click.option(
    "--not-older-than", "days", type=float, metavar="DAYS", help="Do not count answers that are older than this."
)
def make_coverage(*, source: Source, configs: tuple[str, ...], days: float | None) -> None:
    """Check that everyone on the tap's list was asked, as coverage.html and coverage.csv."""
    listed = listing.read(configs)
    folder = _folder(source, "coverage", ("coverage.html", "coverage.csv"))
    now = datetime.now(UTC)
    oldest_allowed = _span(days)
    found = coverage.survey(listed, source.read(None, now), source.api_urls, now, oldest_allowed)
    _write(folder, {"coverage.html": coverage_page.page(found), "coverage.csv": [coverage.as_csv(found)]})
    _note(found.assessment)
    _end(found.gaps)


@command.command("notice", short_help="Print the file for your own texts.")
def print_notice() -> None:
    """Print the file for the texts that the law asks you to add to an answer."""
    click.echo(notice.template(), nl=False)


def _refuse(source: Source) -> None:
    """Refuse a command line that names no source, two of them, or what is not a base URL."""
    context = click.get_current_context()
    is_given = context.get_parameter_source("database_url") is click.core.ParameterSource.COMMANDLINE
    if source.output and is_given:
        msg = "Give either --database-url or --from, and not both."
        raise CommandLineError(msg)
    if not source.output and not source.database_url:
        msg = "Say where to read: set GONG_PRIVACY_DATABASE_URL, or give --from with the tap's own output."
        raise CommandLineError(msg)
    if not all(is_base_url(url.strip()) for url in source.api_urls):
        msg = "--api-url must be a base URL of Gong, such as https://api.gong.io."
        raise CommandLineError(msg)


def _time(text: str, now: datetime) -> datetime:
    try:
        time = datetime.fromisoformat(text.strip())
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        msg = "--asked-at must be a time such as 2026-01-15T09:00Z; without an offset it is taken as UTC."
        raise CommandLineError(msg) from None
    if time > now:
        msg = "--asked-at is in the future: give the time at which the erasure was asked for."
        raise CommandLineError(msg)
    return time


def _span(days: float | None) -> timedelta | None:
    if days is None:
        return None
    if not 0 < days <= timedelta.max.days:
        msg = "--not-older-than must be a number of days above 0."
        raise CommandLineError(msg)
    return timedelta(days=days)


def _day(text: str) -> str:
    """Return a day in the one form of ISO 8601 that reports use."""
    try:
        day = date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        msg = "--received must be a day such as 2026-01-15."
        raise CommandLineError(msg) from None
    # The day may have begun in another time zone.
    if day and day > datetime.now(UTC).date() + timedelta(days=1):
        msg = "--received is in the future: give the day on which the request came."
        raise CommandLineError(msg)
    return day.isoformat() if day else ""


def _folder(source: Source, kind: str, names: Iterable[str]) -> Path:
    """Return the folder to write into. Refuse one whose name holds an address, or that holds the report already."""
    folder = Path(f"gong-privacy-{kind}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}" if source.to is None else source.to)
    if any("@" in _decoded(path.name) for path in files.to_be_made(folder)):
        msg = "--to must not hold an address: others can see the name of a folder."
        raise CommandLineError(msg)
    # Now, and not only when they are written: the output of a pipe cannot be read twice.
    files.refuse_existing(folder, names)
    return folder


def _decoded(name: str) -> str:
    while (decoded := unquote(name)) != name:
        name = decoded
    return unicodedata.normalize("NFKC", name)


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
        click.echo(f"Made {folder / name}")


def _note(assessment: model.Assessment) -> None:
    """Say what does not make a report incomplete, and yet should be known before it is sent."""
    number = len(assessment.others)
    if number:
        spellings = "other spelling" if number == 1 else "other spellings"
        _say(f"Note: the tables hold {number:,} {spellings} of these addresses. Give every spelling of the person.")
    urls = {one.api_url or "" for standing in assessment.standings for one in standing.held_elsewhere}
    if urls:
        _say(
            f"Note: look-ups under {' '.join(sorted(urls))} found data and do not count here. If that is the same "
            "Gong, name it with --api-url."
        )


def _end(reasons: Sequence[str]) -> None:
    """Say why the report is not complete, and end with the exit code that tells."""
    for reason in reasons:
        _say(f"Not complete: {reason}")
    if reasons:
        raise click.exceptions.Exit(1)


def _say(line: str) -> None:
    click.echo(line, file=sys.stderr)
