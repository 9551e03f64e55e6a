"""The list of addresses: read from both settings, checked, and each wrong entry named by its place alone."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

import fsspec
import pytest

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.round.addresses import read_addresses
from tests.running import check_output, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sandbox import Sandbox

COLUMN = "email_address"
NOT_TEXT = "not text"
EMPTY = "empty"
ONE_SIDED = "no text on both sides of an at sign"
INVISIBLE = "white space, a control or an invisible character in it"
MAILTO = "mailto: in front of it"
SEPARATOR = "one of , ; < > in it"


def short(value: object) -> str:
    """Return a parameter's name, in ASCII and not too long."""
    return ascii(value)[:60]


def written(folder: Path, name: str, content: str | bytes) -> str:
    """Write a file whose name must not be shown, and return its path."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def read(content: str | bytes, folder: Path, name: str = "hidden-name.txt", column: str = COLUMN) -> tuple[str, ...]:
    """Read the addresses of one file."""
    return read_addresses((), written(folder, name, content), column)


def refusal(listed: Iterable[object], file: str | None = None, column: str = COLUMN) -> str:
    """Return the one line with which the addresses are refused."""
    with pytest.raises(ConfigError) as caught:
        read_addresses(listed, file, column)
    assert caught.value.__cause__ is None
    assert "\n" not in caught.value.message
    assert "hidden" not in caught.value.message
    return caught.value.message


def file_refusal(content: str | bytes, folder: Path, name: str = "hidden-name.txt", column: str = COLUMN) -> str:
    """Return the one line with which a file is refused."""
    return refusal((), written(folder, name, content), column)


@pytest.mark.parametrize(
    "address",
    [
        "a@b",
        "Jane.Doe+Tag@Example.COM",
        "o'neil@example.com",
        '"a,b;c<d>e"@example.com',
        '"mailto:x"@example.com',
        '"a@b"@example.com',
        "a@b@example.com",
        "dörte@exämple.de",
        "日本@例え.jp",
        "a%40b@example.com",
        "#tag@example.com",
        "mailto@example.com",
        "a:b@example.com",
        "😀@example.com",
    ],
    ids=short,
)
def test_an_address_is_kept_as_it_is_written(address: str) -> None:
    """Case, plus tags and quotes are untouched; only white space around it is trimmed."""
    assert read_addresses([f" \t{address}\n"], None, COLUMN) == (address,)


@pytest.mark.parametrize(
    "entry,reason",
    [
        ("", EMPTY),
        ("  \n", EMPTY),
        (None, NOT_TEXT),
        (5, NOT_TEXT),
        (["hidden@example.com"], NOT_TEXT),
        ("hidden", ONE_SIDED),
        ("hidden@", ONE_SIDED),
        ("@hidden.com", ONE_SIDED),
        ("@", ONE_SIDED),
        ("hidden one@example.com", INVISIBLE),
        ("hidden\tone@example.com", INVISIBLE),
        ("hidden\none@example.com", INVISIBLE),
        ('"hidden one"@example.com', INVISIBLE),
        ("hidden\u00a0one@example.com", INVISIBLE),
        ("hidden\u2028one@example.com", INVISIBLE),
        ("hidden\x00@example.com", INVISIBLE),
        ("hidden\x7f@example.com", INVISIBLE),
        ("hidden\u200b@example.com", INVISIBLE),
        ("\ufeffhidden@example.com", INVISIBLE),
        ("hidden\u202e@example.com", INVISIBLE),
        ("hidden\u00ad@example.com", INVISIBLE),
        ("hidden\ud800@example.com", INVISIBLE),
        ("mailto:hidden@example.com", MAILTO),
        ("MailTo:hidden@example.com", MAILTO),
        ("hidden@example.com,hidden@example.org", SEPARATOR),
        ("hidden@example.com;", SEPARATOR),
        ("Jane<hidden@example.com>", SEPARATOR),
        ("hi>dden@example.com", SEPARATOR),
        ('"hidden"@example.com,x', SEPARATOR),
        ('"hidden"@example.com,"x"@example.org', SEPARATOR),
        ('"hidden"@example.com;"x"@example.org', SEPARATOR),
        ('"hidden"x,y@example.com', SEPARATOR),
        ('",@example.com', SEPARATOR),
    ],
    ids=short,
)
def test_a_wrong_entry_is_named_by_its_place_and_never_by_its_value(entry: object, reason: str) -> None:
    """What Gong would answer with a false "nothing held" is refused, and the line says where it stands."""
    message = refusal(["a@b.de", entry, "c@d.de"])
    assert f"email_addresses entry 2 ({reason})" in message
    assert "entry 1" not in message
    assert "entry 3" not in message


def test_at_most_ten_wrong_entries_are_named() -> None:
    """The first ten are named, and it is said how many more there are."""
    message = refusal(["x"] * 10)
    assert len(re.findall(r"entry \d+", message)) == 10
    assert "more" not in message
    message = refusal([*["x"] * 13, "a@b.de"])
    assert re.findall(r"entry (\d+)", message) == [str(number) for number in range(1, 11)]
    assert "and 3 more" in message


def test_wrong_entries_of_both_settings_are_one_message(tmp_path: Path) -> None:
    """The list's come first, then the file's."""
    message = refusal(["a@b.de", "x"], written(tmp_path, "hidden.txt", "c@d.de\n\ny\n"))
    assert message.index("email_addresses entry 2") < message.index("email_addresses_file line 3")


def test_both_settings_are_joined_and_exact_duplicates_asked_once(tmp_path: Path) -> None:
    """The list comes first, the order stays, and only what is equal letter by letter is a duplicate."""
    file = written(tmp_path, "list.txt", "c@d.de\n a@b.de \nA@b.de\nc@d.de\n")
    assert read_addresses(["b@b.de", "a@b.de", "b@b.de"], file, COLUMN) == ("b@b.de", "a@b.de", "c@d.de", "A@b.de")


@pytest.mark.parametrize("content", ["", "\n \n", "# a@b.de\n  #x\n", "\ufeff"], ids=short)
def test_no_address_at_all_is_an_error(content: str, tmp_path: Path) -> None:
    """An empty list and a file without an address are refused, and the line names both settings."""
    assert "email_addresses or email_addresses_file" in refusal([])
    assert "email_addresses or email_addresses_file" in file_refusal(content, tmp_path)


def test_a_text_file_has_one_address_a_line(tmp_path: Path) -> None:
    """A BOM, every kind of line end, blank lines and comments are fine, and so is a last line without an end."""
    content = "\ufeffa@b.de\r\n\r\n  # no@comment.de\r\n\t c@d.de \n   \ne@f.de\rg@h.de"
    assert read(content, tmp_path) == ("a@b.de", "c@d.de", "e@f.de", "g@h.de")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=short)
def test_a_text_file_names_the_physical_line(end: str, tmp_path: Path) -> None:
    """Blank lines and comments count."""
    message = file_refusal(end.join(["# head", "", "a@b.de", "   ", "wrong"]), tmp_path)
    assert "email_addresses_file line 5" in message


def test_a_text_file_knows_no_quotes_or_columns(tmp_path: Path) -> None:
    """A line with a comma is a wrong address, not two columns."""
    assert f"line 1 ({SEPARATOR})" in file_refusal("a@b.de,c@d.de\n", tmp_path, "hidden.tsv")


@pytest.mark.parametrize("name", ["list.csv", "LIST.CSV", "list.Csv"])
def test_a_csv_is_known_by_its_ending_in_any_case(name: str, tmp_path: Path) -> None:
    """The column is found by its name in the header row, wherever it stands."""
    content = (
        '\ufeffname, email_address ,note\r\n"Doe, Jane"," a@b.de ",x\r\nJo,c@d.de,"two\r\nlines"\r\nJim,e@f.de,\r\n'
    )
    assert read(content, tmp_path, name) == ("a@b.de", "c@d.de", "e@f.de")


def test_another_column_may_be_named(tmp_path: Path) -> None:
    """`email_addresses_column` chooses the column, white space around it aside."""
    assert read("email_address,Mail\nx,a@b.de\n", tmp_path, "list.csv", " Mail ") == ("a@b.de",)


def test_quotes_of_a_csv_are_undone(tmp_path: Path) -> None:
    """A quoted local part survives CSV's own quotes."""
    assert read('email_address\n"""a,b""@example.com"\n', tmp_path, "list.csv") == ('"a,b"@example.com',)


def test_a_space_before_a_quote_of_a_csv_is_no_part_of_the_cell(tmp_path: Path) -> None:
    """As in `name, "address"`: the quotes are CSV's, and Gong would hold nothing about an address in them."""
    content = 'name, email_address\nJane, "jane@x.example"\nJo, jo@x.example\n'
    assert read(content, tmp_path, "list.csv") == ("jane@x.example", "jo@x.example")


def test_a_csv_row_without_any_cell_is_passed_over(tmp_path: Path) -> None:
    """Blank lines of a CSV are no rows, and count as physical lines."""
    content = "email_address,name\n\na@b.de,x\n\r\n\nwrong,x\n"
    assert "email_addresses_file line 6" in file_refusal(content, tmp_path, "hidden.csv")
    assert read(content.replace("wrong", "c@d.de"), tmp_path, "list.csv") == ("a@b.de", "c@d.de")


def test_blank_lines_before_the_header_of_a_csv_are_passed_over(tmp_path: Path) -> None:
    """They are rows without a cell, too; the lines behind them keep their numbers."""
    content = "\r\n\nemail_address\n\na@b.de\nwrong\n"
    assert "email_addresses_file line 6" in file_refusal(content, tmp_path, "hidden.csv")
    assert read(content.replace("wrong", "c@d.de"), tmp_path, "list.csv") == ("a@b.de", "c@d.de")


def test_a_csv_row_that_is_too_short_or_has_an_empty_cell_is_wrong(tmp_path: Path) -> None:
    """An address that may be missing is never passed over in silence."""
    content = 'name,email_address\nJane\nJo,a@b.de\nJim,\nJack,"  "\n,\n'
    message = file_refusal(content, tmp_path, "hidden.csv")
    assert re.findall(r"line (\d+) \(empty\)", message) == ["2", "4", "5", "6"]


def test_a_csv_row_of_several_lines_is_named_by_its_first(tmp_path: Path) -> None:
    """The physical line at which the row begins is named, also behind cells with line breaks."""
    content = 'note,email_address\n"two\nlines",a@b.de\n"three\n\nlines",wrong\n'
    assert "email_addresses_file line 4" in file_refusal(content, tmp_path, "hidden.csv")


@pytest.mark.parametrize(
    "content",
    ["", "hidden@example.com\n", "hidden-header,b\nx,y\n", "email_address,email_address\na@b.de,c@d.de\n", "\n\n"],
    ids=short,
)
def test_a_csv_without_its_one_column_is_refused_without_showing_the_header(content: str, tmp_path: Path) -> None:
    """The header row, which may be an address, is not shown; the setting is named."""
    message = file_refusal(content, tmp_path, "hidden.csv")
    assert "email_addresses_column" in message
    assert "example" not in message


@pytest.mark.parametrize(
    "content,line",
    [
        ('email_address\na@b.de\n"hidden@example.com\nc@d.de\n', 4),
        ('email_address\n"hid"den@example.com\n', 2),
        ('"email_address\n', 1),
    ],
    ids=short,
)
def test_a_csv_with_broken_quotes_is_refused(content: str, line: int, tmp_path: Path) -> None:
    """A quote that is never closed does not swallow the rest of the list."""
    assert f"email_addresses_file line {line} is not readable as CSV" in file_refusal(content, tmp_path, "hidden.csv")


@pytest.mark.parametrize("name", ["hidden.csv", "hidden.txt"])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=short)
def test_a_file_that_is_not_utf_8_is_refused(name: str, encoding: str, end: str, tmp_path: Path) -> None:
    """The first line that is not UTF-8 is named."""
    content = end.join(["email_address", "a@b.de", "hiddän@example.com", ""]).encode(encoding)
    line = 3 if encoding == "latin-1" else 1
    assert f"email_addresses_file line {line} is not UTF-8" in file_refusal(content, tmp_path, name)


def test_a_file_may_be_an_fsspec_url(tmp_path: Path) -> None:
    """Other storages are read by the same rules, a `.csv` in a URL among them."""
    folder = f"memory://{uuid.uuid4().hex}"
    for name, content in (("list.txt", "a@b.de\n"), ("list.CSV", "email_address\nc@d.de\n")):
        with fsspec.open(f"{folder}/{name}", "wb") as stream:
            stream.write(content.encode())
    assert read_addresses((), f"{folder}/list.txt", COLUMN) == ("a@b.de",)
    assert read_addresses((), f"{folder}/list.CSV", COLUMN) == ("c@d.de",)
    file = written(tmp_path, "list.csv", "email_address\ne@f.de\n")
    assert read_addresses((), f"file://{file}", COLUMN) == ("e@f.de",)
    assert read_addresses((), f"simplecache::file://{file}", COLUMN) == ("e@f.de",)


@pytest.mark.parametrize(
    "file,what",
    [
        ("/nowhere/hidden@example.com.txt", "there is no such file"),
        ("memory://hidden/hidden.csv", "there is no such file"),
        ("hidden-scheme://hidden@example.com/list", "could not be read (ValueError)"),
        ("/", "could not be read (IsADirectoryError)"),
        ("hidden\x00name", "could not be read (ValueError)"),
    ],
    ids=short,
)
def test_a_file_that_cannot_be_read_is_refused_without_showing_its_path(file: str, what: str) -> None:
    """The setting is named, and what to do; neither the path nor what the storage says."""
    message = refusal((), file)
    assert message.startswith("email_addresses_file: ")
    assert what in message
    assert "example" not in message


def test_a_storage_that_needs_a_package_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL whose package is not installed points at the extra that brings it."""

    def no_package(*_: object) -> None:
        message = "hidden"
        raise ImportError(message)

    monkeypatch.setattr(fsspec, "open", no_package)
    assert "install tap-gong-privacy[s3]" in refusal((), "s3://hidden/hidden.csv")


def test_a_file_that_may_not_be_read_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing permissions are told from a missing file."""

    def forbidden(*_: object) -> None:
        message = "hidden"
        raise PermissionError(message)

    monkeypatch.setattr(fsspec, "open", forbidden)
    assert "permissions" in refusal((), "s3://hidden/hidden.csv")


def test_the_command_asks_the_addresses_of_both_settings_in_order(sandbox: Sandbox, tmp_path: Path) -> None:
    """Each is asked once and exactly as written, whatever characters it holds."""
    rows = ["Ü+ü@example.com", '"a,b&c=d"@example.com', "100%25@example.com"]
    cells = "".join('"' + row.replace('"', '""') + '"\r\n' for row in rows)
    file = written(tmp_path, "list.CSV", f"\ufeffMail\r\n{cells}")
    config = {
        **sandbox.config,
        "email_addresses": [" Jane+Tag@Example.com ", "jane+tag@example.com", "Jane+Tag@Example.com"],
        "email_addresses_file": f"file://{file}",
        "email_addresses_column": "Mail",
        "requests_per_second": 1000,
    }
    expected = ["Jane+Tag@Example.com", "jane+tag@example.com", *rows]
    result = run_tap(config)
    check_output(result, expected)
    assert result.returncode == 0
    assert sorted(call.address for call in sandbox.calls) == sorted(expected)
    assert [record["email_address"] for record in result.records["lookups"]] == expected


@pytest.mark.parametrize(
    "listed,content,what",
    [
        (["a@b.de", "hidden person@example.com"], "", f"email_addresses entry 2 ({INVISIBLE})"),
        (["hidden.example.com"], "", f"email_addresses entry 1 ({ONE_SIDED})"),
        (["a@b.de", None], "", "email_addresses entry 2 (not text)"),
        ([{"hidden": "hidden@example.com"}], "", "email_addresses entry 1 (not text)"),
        ([], "email_address\nhidden@example.com;x\n", f"email_addresses_file line 2 ({SEPARATOR})"),
        ([], "hidden@example.com\nx\n", "email_addresses_column"),
        ([], 'email_address\n"hidden@example.com\n', "email_addresses_file line 2 is not readable as CSV"),
    ],
    ids=short,
)
def test_the_command_refuses_a_wrong_list_before_any_call(
    listed: list[object], content: str, what: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    """One plain line names the place, exit code 1, nothing is asked, and neither value nor path is shown."""
    config: dict[str, object] = {**sandbox.config, "email_addresses": listed}
    if content:
        config["email_addresses_file"] = written(tmp_path, "hidden-file.csv", content)
    result = run_tap(config)
    assert result.returncode == 1
    assert not result.stdout
    assert not sandbox.calls
    last = result.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert what in last
    assert "hidden" not in result.stderr
    assert "example" not in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_file_is_refused_without_showing_its_path(sandbox: Sandbox) -> None:
    """The path may hold an address or a key, so that the line only names the setting."""
    for arguments in ([], ["--test"]):
        result = run_tap({**sandbox.config, "email_addresses_file": "/nowhere/hidden@example.com"}, *arguments)
        assert result.returncode == 1
        assert result.stderr.splitlines()[-1].startswith("Error: email_addresses_file: there is no such file")
        assert "nowhere" not in result.stderr
        assert "example" not in result.stderr
    assert not sandbox.calls
