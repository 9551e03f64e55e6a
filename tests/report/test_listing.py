"""Whom a report is about: the addresses of a command line, and the list that the tap is set up with."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import fsspec
import pytest

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.report import listing
from tap_gong_privacy.round.addresses import Entry, read_list
from tests.report.building import GONG, JANE
from tests.round.lists import COLUMN, HIDDEN, assert_shows_nothing, short, written
from tests.running import environment

if TYPE_CHECKING:
    from pathlib import Path

JOHN = "john.smith@example.com"
ONE_SIDED = "no text on both sides of an at sign"
INVISIBLE = "white space, a control or an invisible character in it"
BEFORE = "a prefix, quote, bracket, separator or second at sign before its domain"
NOBODY = "Give at least one address, or --addresses with a file of them."
READ = "import sys; from tap_gong_privacy.report.listing import read_addresses as r; print(*r(sys.argv[1:], '-', 'm'))"


def refusal(arguments: list[str], file: str | None = None, column: str = COLUMN) -> tuple[str, int]:
    """The one line with which a command line is refused, and the exit code."""
    with pytest.raises(ConfigError) as caught:
        listing.read_addresses(arguments, file, column)
    assert caught.value.__cause__ is None
    assert_shows_nothing(caught.value.message)
    for word in ("email_addresses", "fail_on_malformed_address", "asked"):
        assert word not in caught.value.message
    return caught.value.message, caught.value.exit_code


def from_standard_input(content: bytes, *arguments: str, redirection: str = "") -> tuple[str, str]:
    """What a process of its own reads of `-`: the addresses, and the last line on stderr."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-c", READ, *arguments],
        input=content,
        env=environment(),
        capture_output=True,
        check=False,
    )
    return done.stdout.decode().strip(), (done.stderr.decode().splitlines() or [""])[-1]


def test_arguments_come_before_the_file_without_exact_duplicates(tmp_path: Path) -> None:
    """Each is trimmed; another spelling is another address; a blank argument is none."""
    file = written(tmp_path, "list.txt", f"{JOHN}\n\n# a comment\n{JANE} \nJane.Doe@example.com\n{JOHN}\n")

    assert listing.read_addresses([f" {JANE}", "", JANE], file, COLUMN) == [JANE, JOHN, "Jane.Doe@example.com"]
    assert listing.read_addresses([JANE], None, COLUMN) == [JANE]


@pytest.mark.parametrize(
    "name, content",
    [
        ("list.txt", f"\ufeff# mine\r\n{JANE}\r\n\r\n {JOHN} \r\n".encode()),
        ("list.txt", f"\ufeff{JANE}\n{JOHN}".encode("utf-16-le")),
        ("list.csv", f"name,E-Mail\nDoe,{JANE}\n,{JOHN}\n".encode()),
        ("LIST.CSV", f'\ufeff"name";"E-Mail"\r\n"Doe; Jane";"{JANE}"\r\n;{JOHN}\r\n'.encode("utf-16-be")),
    ],
    ids=["text", "text in UTF-16", "csv", "csv of a spreadsheet"],
)
def test_a_file_is_read_as_the_tap_reads_its_list(name: str, content: bytes, tmp_path: Path) -> None:
    """The same file gives the report the addresses that it gives the tap."""
    file = written(tmp_path, name, content)
    of_the_tap = [entry.text for entry in read_list(None, file, "e-mail").entries]

    assert listing.read_addresses([], file, "e-mail") == of_the_tap == [JANE, JOHN]


def test_a_file_may_be_an_fsspec_url() -> None:
    """So that a list in a store need not be copied."""
    with fsspec.open("memory://for-the-report.csv", "wb") as stream:
        stream.write(f"mail\n{JANE}\n".encode())

    assert listing.read_addresses([], "memory://for-the-report.csv", "mail") == [JANE]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.txt", f"{JANE}\n\n{HIDDEN}\n", f"Not an e-mail address: --addresses line 3 ({ONE_SIDED})"),
        ("a.txt", f"{HIDDEN} one@example.com", f"--addresses line 1 ({INVISIBLE})"),
        ("a.csv", f"email_address,note\n{JANE},\n,x\n", "--addresses line 3 (empty)"),
        ("a.csv", f"mail\n{JANE}\n", "Correct the header or --column; a file without a header row"),
        ("a.csv", f'email_address\n"{JANE}', "--addresses line 2 is not readable as CSV"),
        ("a.csv", f'email_address,n\na@b.de,"x\n{JANE},y\n"', "--addresses line 2: a quoted cell of the row"),
        ("a.txt", b"\xe9@example.com", "--addresses line 1 is not UTF-8: save the file as UTF-8."),
    ],
    ids=short,
)
def test_a_file_that_cannot_be_used_is_named_by_the_options(
    name: str, content: str | bytes, message: str, tmp_path: Path
) -> None:
    """The messages are the tap's, with the names of this command line and the place in the file."""
    said, code = refusal([JANE], written(tmp_path, name, content))

    assert message in said
    assert code == 1


def test_the_name_of_a_column_is_not_shown_if_it_could_be_an_address(tmp_path: Path) -> None:
    """It was given by `--column`, and the message says so."""
    said, _ = refusal([], written(tmp_path, "a.csv", f"mail\n{JANE}\n"), column=f"{HIDDEN}@example.com")

    assert "no column of the name that --column gives" in said


@pytest.mark.parametrize(
    "file, message",
    [
        (f"/nowhere/{HIDDEN}.txt", "--addresses: there is no such file. Give a path, or an fsspec URL."),
        (f"memory://{HIDDEN}-nowhere", "--addresses: there is no such file. Give a path, or an fsspec URL."),
        ("/", "--addresses: this is a folder. Name one file in it."),
        ("", "--addresses: this is a folder. Name one file in it."),
        ("oci://hidden/list", "--addresses: a package for this kind of URL is missing."),
    ],
)
def test_a_file_that_cannot_be_read_is_a_wrong_command_line(file: str, message: str) -> None:
    """As it is for the other options that name files."""
    said, code = refusal([], file)

    assert said.startswith(message)
    assert code == 2


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    """The first ten places, arguments first, and the number of the others."""
    said, code = refusal([JANE, f"<{HIDDEN}@example.com>"], written(tmp_path, "list.txt", "x\n" * 12))

    assert said.startswith(f"Not an e-mail address: ADDRESS 2 ({BEFORE}), --addresses line 1 ({ONE_SIDED}), ")
    assert said.endswith(f"--addresses line 9 ({ONE_SIDED}), and 3 more. Correct or remove them.")
    assert code == 2


def test_a_place_counts_blank_arguments() -> None:
    """It is the place on the command line."""
    assert refusal(["", f"{HIDDEN} one@example.com"])[0].startswith(f"Not an e-mail address: ADDRESS 2 ({INVISIBLE})")


def test_an_argument_without_an_at_sign_may_be_a_pseudonym(tmp_path: Path) -> None:
    """The tables can hold those. A line of a file is a list for the tap, which has none."""
    pseudonym = "9f86d081884c7d659a2feaa0c55ad015"

    assert listing.read_addresses([pseudonym, JANE], None, COLUMN) == [pseudonym, JANE]
    assert refusal([], written(tmp_path, "list.txt", pseudonym))[1] == 1


@pytest.mark.parametrize("arguments", [[], [""], [" \t"]])
@pytest.mark.parametrize("content", [None, "", "# nobody\n\n"])
def test_nobody_is_a_wrong_command_line(arguments: list[str], content: str | None, tmp_path: Path) -> None:
    """A report about nobody would look like an answer."""
    file = None if content is None else written(tmp_path, "list.txt", content)

    assert refusal(arguments, file) == (NOBODY, 2)


@pytest.mark.parametrize("argument", ["jane\0@example.com", "jane\udce9@example.com", "\ud800"], ids=short)
def test_an_address_that_no_table_can_hold_is_refused(argument: str) -> None:
    """A database would call it an error of its own."""
    assert refusal([argument]) == ("An address is not UTF-8, or has a NUL in it.", 2)


def test_standard_input_is_a_text_file() -> None:
    """One address a line, with blank lines, comments and a byte order mark."""
    content = f"\ufeff# the person\r\n{JANE}\r\n\r\n {JOHN} \r\n"

    assert from_standard_input(content.encode(), "x@example.com") == (f"x@example.com {JANE} {JOHN}", "")
    assert from_standard_input(content[1:].encode("utf-16")) == (f"{JANE} {JOHN}", "")


@pytest.mark.parametrize(
    "content, redirection, message",
    [
        (b"x\n", "", f"Not an e-mail address: --addresses line 1 ({ONE_SIDED}). Correct or remove them."),
        (b"\n", "", NOBODY),
        (b"jane\0@example.com", "", "An address is not UTF-8, or has a NUL in it."),
        (b"", "0<&-", "Standard input is closed: give a file in place of -."),
        (b"", "0>/dev/null", "--addresses: standard input cannot be read (bad file descriptor)."),
    ],
)
def test_standard_input_that_cannot_be_used_is_one_line(content: bytes, redirection: str, message: str) -> None:
    """A scheduler may start a command without it."""
    read, error = from_standard_input(content, redirection=redirection)

    assert read == ""
    assert error.endswith(f"Error: {message}")


@pytest.mark.parametrize("setting", [{}, {"fail_on_malformed_address": True}, {"fail_on_malformed_address": False}])
def test_malformed_entries_never_stop_the_report_of_the_list(setting: dict[str, bool], tmp_path: Path) -> None:
    """The report is what shows them, whatever the tap does about them; it needs no credentials."""
    file = written(tmp_path, "list.txt", f"{JOHN}\nx\n{JANE}")
    config = {**setting, "email_addresses": [JANE, "jane", None, "", 5], "email_addresses_file": file}
    path = written(tmp_path, "config.json", json.dumps(config))

    assert listing.read([path]) == listing.Listing(
        (
            Entry(JANE),
            Entry("jane", is_malformed=True),
            Entry("null", is_malformed=True),
            Entry("5", is_malformed=True),
            Entry(JOHN),
            Entry("x", is_malformed=True),
        ),
        GONG,
    )


def test_a_list_of_nothing_but_malformed_entries_is_read(tmp_path: Path) -> None:
    """Then the report says that nobody could be asked."""
    path = written(tmp_path, "config.json", json.dumps({"email_addresses": ["x", "y"]}))

    assert [entry.is_malformed for entry in listing.read([path]).entries] == [True, True]


def test_the_list_may_be_set_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the tap takes it, but only if it is asked for."""
    monkeypatch.setenv("TAP_GONG_PRIVACY_EMAIL_ADDRESSES", f'["{JANE}"]')
    monkeypatch.setenv("TAP_GONG_PRIVACY_API_URL", "https://Us-1.api.gong.io/")

    assert listing.read(["ENV"]) == listing.Listing((Entry(JANE),), "https://us-1.api.gong.io")
    with pytest.raises(ConfigError, match="No addresses to look up"):
        listing.read([])


def test_reading_addresses_imports_little(tmp_path: Path) -> None:
    """The Singer SDK and the storages take most of a second: only a list of the tap, or a file, needs them."""
    code = (
        "import sys\nfrom tap_gong_privacy.report import listing\n"
        "def heavy(): return sorted({'singer_sdk', 'fsspec', 'requests', 'sqlalchemy'} & {*sys.modules})\n"
        f"listing.read_addresses(['{JANE}'], None, 'mail')\nprint(*heavy())\n"
        f"listing.read_addresses([], '{written(tmp_path, 'list.txt', JANE)}', 'mail')\nprint(*heavy())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["", "fsspec"]
