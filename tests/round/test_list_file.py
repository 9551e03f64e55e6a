"""The file of addresses: text or CSV as CRMs export it, from a disk, a pipe or another storage."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import subprocess
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.round.addresses import read_list
from tap_gong_privacy.round.list_file import read_file
from tests.round.lists import COLUMN, assert_shows_nothing, refusal, short, written
from tests.running import COMMAND, Result, check_nobody_named, check_output, environment, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox import Sandbox

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-8 with BOM": lambda text: text.encode("utf-8-sig"),
    "utf-16-le with BOM": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "utf-16-be with BOM": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
}
ENDS = ["\n", "\r\n", "\r"]


def entries(content: str | bytes, folder: Path, name: str = "list.csv", column: str = COLUMN) -> list[tuple[int, str]]:
    """Return the entries of a file with their lines."""
    return read_file(written(folder, name, content), column)


def cells(content: str | bytes, folder: Path, name: str = "list.csv", column: str = COLUMN) -> list[str]:
    """Return the entries of a file, trimmed."""
    return [text.strip() for _, text in entries(content, folder, name, column)]


def file_refusal(content: str | bytes, folder: Path, name: str = "list.csv", column: str = COLUMN) -> str:
    """Return the one line with which a file is refused."""
    return refusal(None, written(folder, name, content), column)


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Callable[[str, bytes], str]]:
    """A function that makes a FIFO of a name, writes content to it once someone reads, and returns its path."""
    writers: list[threading.Thread] = []

    def make(name: str, content: bytes) -> str:
        path = tmp_path / name
        os.mkfifo(path)
        writers.append(threading.Thread(target=path.write_bytes, args=(content,), daemon=True))
        writers[-1].start()
        return str(path)

    yield make
    for writer in writers:
        writer.join(10)
        assert not writer.is_alive(), "nobody read the FIFO"


@pytest.mark.parametrize("end", ENDS, ids=short)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_text_file_has_one_address_a_line(encoding: str, end: str, tmp_path: Path) -> None:
    """Blank lines and comments are skipped but counted, and the last line needs no line end."""
    lines = ["ä@b.de", "", "  # no@comment.de", "\t c@d.de ", "   ", "wrong", "e@f.de"]
    content = ENCODINGS[encoding](end.join(lines))

    assert entries(content, tmp_path, "list.txt") == [(1, "ä@b.de"), (4, "c@d.de"), (6, "wrong"), (7, "e@f.de")]
    assert "email_addresses_file line 6 (" in file_refusal(content, tmp_path, "list.txt")


def test_a_text_file_has_no_quotes_or_columns(tmp_path: Path) -> None:
    """A line with a separator is one malformed entry, whatever the name's ending but `.csv`."""
    for name in ("list.tsv", "list", "list.csv.txt", "csv"):
        assert cells('a@b.de,c@d.de\n"a"@b.de\n', tmp_path, name) == ["a@b.de,c@d.de", '"a"@b.de']


@pytest.mark.parametrize("end", ENDS, ids=short)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", SEPARATORS, ids=SEPARATORS.get)
@pytest.mark.parametrize("name", ["list.csv", "LIST.CSV"])
def test_a_csv_may_have_any_separator_encoding_and_line_end(
    name: str, separator: str, encoding: str, end: str, tmp_path: Path
) -> None:
    """Each makes the same list, with the same lines, from quoted and plain cells."""
    rows = [
        ["name", "email_address", "note"],
        ['"Doe, Jane; | x"', '"ä@b.de"', "x"],
        ["", '" "', "\u00a0"],
        ["Jo", " c@d.de ", f'"two{end}lines"'],
        ["", "", ""],
        ["Jim", '"""a,b""@e.de"', ""],
    ]
    content = ENCODINGS[encoding](end + end.join(separator.join(row) for row in rows))

    assert [(line, text.strip()) for line, text in entries(content, tmp_path, name)] == [
        (3, "ä@b.de"),
        (5, "c@d.de"),
        (8, '"a,b"@e.de'),
    ]


@pytest.mark.parametrize(
    "header",
    ["email_address;a,b,c", "x;email_address", '"email_address";"x"', "email_address ; x,y", "EMAIL_ADDRESS;x"],
    ids=short,
)
def test_the_separator_is_the_one_that_makes_the_column(header: str, tmp_path: Path) -> None:
    """A character that the header contains more often does not mislead it."""
    assert cells(f"{header}\na@b.de;a@b.de\n", tmp_path) == ["a@b.de"]


def test_rows_of_empty_cells_are_skipped_before_the_header_too(tmp_path: Path) -> None:
    """Spreadsheets export empty rows as separators alone; the lines after them keep their numbers."""
    content = ';;\n\n ;"";\nid;email_address;\n;;\n1;a@b.de;\n2;wrong;\n\n'
    assert entries(content, tmp_path) == [(6, "a@b.de"), (7, "wrong")]


@pytest.mark.parametrize("separator", SEPARATORS, ids=SEPARATORS.get)
def test_a_row_that_is_too_short_or_has_an_empty_cell_is_wrong(separator: str, tmp_path: Path) -> None:
    """An address that may be missing is never skipped in silence."""
    content = "name,email_address\nJane\nJo,a@b.de\nJim,\n,\nJack, ,\n".replace(",", separator)
    assert re.findall(r"line (\d+) \(empty\)", file_refusal(content, tmp_path)) == ["2", "4", "6"]


@pytest.mark.parametrize(
    "header,row",
    [
        ("email_address", "a@b.de,c@d.de"),
        ("email_address;name", "a@b.de;Jo;c@d.de"),
        ("x|email_address", "x|a@b.de||c@d.de"),
        ("email_address|x", "||c@d.de"),
        ("x\temail_address", "x\ta@b.de\tc@d.de"),
    ],
    ids=short,
)
def test_an_address_beyond_the_header_is_not_lost(header: str, row: str, tmp_path: Path) -> None:
    """Two addresses in one unquoted cell make the row wrong: one would never be asked."""
    assert "email_addresses_file line 2 (" in file_refusal(f"{header}\n{row}\n", tmp_path)


def test_other_cells_beyond_the_header_do_no_harm(tmp_path: Path) -> None:
    """Exports often end each row, or each row but the header, with a separator."""
    assert cells("email_address,name\na@b.de,Doe, Jane,\nc@d.de,Jo,\n", tmp_path) == ["a@b.de", "c@d.de"]


@pytest.mark.parametrize(
    "header,column",
    [
        ("x,email_address", COLUMN),
        ("Email_Address,email_address", COLUMN),
        ("email_address ,email_address", COLUMN),
        ("x, EMAIL_ADDRESS ", COLUMN),
        ('x,"  Email_Address\t"', COLUMN),
        ("x,Mail", " mail "),
        ("x,ADRESSE ÉLECTRONIQUE", "Adresse électronique"),
        ("Mail,MAIL", "MAIL"),
    ],
    ids=short,
)
def test_the_column_is_found_by_its_name(header: str, column: str, tmp_path: Path) -> None:
    """The exact name wins; otherwise the only one that differs in case or outer white space."""
    assert cells(f"{header}\nwrong,a@b.de\n", tmp_path, column=column) == ["a@b.de"]


@pytest.mark.parametrize(
    "content,column,what",
    [
        ("hidden-header,b\nx,y\n", COLUMN, "no column email_address (found: 2 columns, separator: comma)"),
        ("hidden;b;c\nx,y\n", COLUMN, "no column email_address (found: 3 columns, separator: semicolon)"),
        ("hidden|b\nx,y\n", COLUMN, "no column email_address (found: 2 columns, separator: bar)"),
        ("hidden\tb\nx,y\n", COLUMN, "no column email_address (found: 2 columns, separator: tab)"),
        ("hidden@example.com\n", COLUMN, "no column email_address (found: 1 column, separator: comma)"),
        ("email_address,email_address\n", COLUMN, "more than one column email_address (found: 2 columns"),
        ("email_address;x;email_address\n", COLUMN, "more than one column email_address (found: 3 columns"),
        ("Email_Address,EMAIL_ADDRESS\n", COLUMN, "more than one column email_address (found: 2 columns"),
        ("hidden\n", "Work E-Mail 2", "no column Work E-Mail 2 (found"),
        ("hidden\n", "électronique", "no column électronique (found"),
        ("x\n", "a@hidden.example", "no column of the name that email_addresses_column gives (found"),
        ("x\n", "/home/hidden", "no column of the name that email_addresses_column gives (found"),
        ("x\n", "hidden\nb", "no column of the name that email_addresses_column gives (found"),
        ("x\n", "hidden.example", "no column of the name that email_addresses_column gives (found"),
        ("x\n", "hidden" * 11, "no column of the name that email_addresses_column gives (found"),
    ],
    ids=short,
)
def test_a_csv_without_its_one_column_is_refused(content: str, column: str, what: str, tmp_path: Path) -> None:
    """The message names the column if its name is harmless, and what was found; it never shows the header."""
    message = file_refusal(content, tmp_path, column=column)
    assert what in message
    assert "email_addresses_column" in message


@pytest.mark.parametrize(
    "content", ["", "\n \r\n", ";;\n;;\n", "email_address", "\nx|Email_Address\n\n||\n"], ids=short
)
def test_a_csv_without_a_row_is_a_quiet_day(content: str, tmp_path: Path) -> None:
    """A header alone, or a file without any text, contains nobody."""
    for encode in ENCODINGS.values():
        assert entries(encode(content), tmp_path) == []


def test_a_file_with_only_a_header_must_have_the_column(tmp_path: Path) -> None:
    """The next export would have it wrong too."""
    assert "no column email_address" in file_refusal("hidden,name\n", tmp_path)


@pytest.mark.parametrize("length", [200_000, 5_000_000])
@pytest.mark.parametrize("separator", [",", ";"])
def test_a_cell_may_have_any_length(separator: str, length: int, tmp_path: Path) -> None:
    """Notes beside the address do no harm, and the csv module's limit for the whole process stays as it was."""
    limit = csv.field_size_limit()
    note = "x" * length
    content = f'note,email_address\n{note},a@b.de\n"{note}\n,;{note}",c@d.de\n'.replace(",", separator)

    assert entries(content, tmp_path) == [(2, "a@b.de"), (3, "c@d.de")]
    assert csv.field_size_limit() == limit


def test_a_refused_csv_does_not_change_the_limit_of_the_process(tmp_path: Path) -> None:
    """Also if the file is longer than the limit."""
    limit = csv.field_size_limit()
    file_refusal('email_address\n"' + "x" * 200_000, tmp_path)
    file_refusal("x" * 200_000, tmp_path)
    assert csv.field_size_limit() == limit


def test_quotes_of_a_csv_are_undone(tmp_path: Path) -> None:
    """A quoted local part survives CSV's own quotes, and a space before a quote is no part of the cell."""
    assert cells('name, email_address\nJo,"""a,b""@x.de"\nJane, "jane@x.de"\n', tmp_path) == ['"a,b"@x.de', "jane@x.de"]


@pytest.mark.parametrize(
    "content,line",
    [
        ('email_address\na@b.de\n"hidden@example.com\nc@d.de\n', 3),
        ('email_address,x\n"a@b.de","two\nlines"\n"hid"den@example.com\n', 4),
        ('"email_address\nhidden\n', 1),
        ('\n"email_address\nhidden\n', 2),
        ('email_address,x\nhidden,"\n', 2),
    ],
    ids=short,
)
@pytest.mark.parametrize("separator", SEPARATORS, ids=SEPARATORS.get)
def test_a_csv_with_broken_quotes_is_refused(content: str, line: int, separator: str, tmp_path: Path) -> None:
    """An unclosed quote does not swallow the rest of the list; the message names the line where its row begins."""
    message = file_refusal(content.replace(",", separator), tmp_path)
    assert f"email_addresses_file line {line} is not readable as CSV" in message


@pytest.mark.parametrize(
    "content, line, swallowed",
    [
        (
            'email_address,notes\njane@b.de,"called\nbob@b.de,called back\ncarol@b.de,says no"\ndan@b.de,ok\n',
            2,
            3,
        ),
        ('name\temail_address\n"Ann\tjane@b.de\nBob"\tbob@b.de\n', 2, 2),
        ('email_address;a;b\n\njane@b.de;"two\nlines";"x\nbob@b.de;1;2"\n', 3, 5),
        ('email_address|a\r\njane@b.de|"x\r\nbob@b.de|1|2"\r\n', 2, 3),
        ('email_address,"notes\njane@b.de,called"\nbob@b.de,x\n', 1, 2),
        ('email_address\n"jane@b.de\nbob@b.de"\n', 2, 2),
    ],
    ids=short,
)
def test_two_stray_quotes_swallow_nobody(content: str, line: int, swallowed: int, tmp_path: Path) -> None:
    """A cell that includes what looks like a row is refused by its line, even if malformed entries are accepted."""
    path = written(tmp_path, "list.csv", content)

    for fail_on_malformed in (True, False):
        with pytest.raises(ConfigError) as caught:
            read_list(None, path, COLUMN, fail_on_malformed=fail_on_malformed)
        assert str(caught.value).startswith(
            f"email_addresses_file line {line}: a quoted cell of the row that begins there includes line {swallowed}, "
        )


@pytest.mark.parametrize(
    "note",
    ["two\nlines", "Hello,\nplease call\nAnn", "her address:\njane@b.de\n", "one; two\n3; 4", "a,b\nc,d", ",\n,"],
    ids=short,
)
def test_honest_notes_of_several_lines_are_read(note: str, tmp_path: Path) -> None:
    """They have no line that could be a row with an address."""
    content = f'email_address,name,notes\njane@b.de,Jane,"{note}"\nbob@b.de,Bob,\n'

    assert cells(content, tmp_path) == ["jane@b.de", "bob@b.de"]


@pytest.mark.parametrize("name", ["list.csv", "list.txt"])
@pytest.mark.parametrize("end", ENDS, ids=short)
def test_a_file_in_another_encoding_is_refused(name: str, end: str, tmp_path: Path) -> None:
    """The first line that cannot be decoded is named."""
    text = end.join(["email_address", "a@b.de", "hiddän@example.com", ""])
    assert "email_addresses_file line 3 is not UTF-8" in file_refusal(text.encode("latin-1"), tmp_path, name)

    cut = ENCODINGS["utf-16-le with BOM"](end.join(["email_address", "hidden"])) + b"\x00"
    assert "email_addresses_file line 2 is not UTF-16" in file_refusal(cut, tmp_path, name)


def test_structure_faults_are_errors_even_if_malformed_entries_are_accepted(tmp_path: Path) -> None:
    """Nothing of such a file can be relied on."""
    for content in ("hidden,x\n", 'email_address\n"hidden', b"\xe4"):
        with pytest.raises(ConfigError, match="email_addresses_file"):
            read_list(None, written(tmp_path, "list.csv", content), COLUMN, fail_on_malformed=False)
    with pytest.raises(ConfigError, match="there is no such file"):
        read_list(None, "/nowhere/list.csv", COLUMN, fail_on_malformed=False)


def test_a_file_may_be_an_fsspec_url(tmp_path: Path) -> None:
    """Other storages follow the same rules; `.csv` is recognised in a URL with a query or a chain."""
    folder = f"memory://{uuid.uuid4().hex}"
    for name, content in (("list.txt", "a@b.de\n"), ("list.CSV", "email_address\nc@d.de\n"), ("x.csv?sig=.txt", "y")):
        with fsspec.open(f"{folder}/{name}", "wb") as stream:
            stream.write(content.encode())
    file = written(tmp_path, "list.csv", "email_address\ne@f.de\n")

    assert read_file(f"{folder}/list.txt", COLUMN) == [(1, "a@b.de")]
    assert read_file(f"{folder}/list.CSV", COLUMN) == [(2, "c@d.de")]
    assert "no column email_address" in refusal(None, f"{folder}/x.csv?sig=.txt")
    assert read_file(f"file://{file}", COLUMN) == [(2, "e@f.de")]
    assert read_file(f"simplecache::file://{file}", COLUMN) == [(2, "e@f.de")]


@pytest.mark.parametrize(
    "file,what",
    [
        ("/nowhere/hidden@example.com.txt", "there is no such file"),
        ("memory://hidden/hidden.csv", "there is no such file"),
        ("hidden-scheme://hidden@example.com/list", "could not be read (ValueError)"),
        ("oci://hidden/hidden.csv", "install tap-gong-privacy[s3]"),
        ("/", "this is a folder. Name one file in it."),
        ("", "this is a folder. Name one file in it."),
        ("hidden\x00name", "could not be read (ValueError)"),
        ("hidden\ud800name", "could not be read (UnicodeEncodeError)"),
    ],
    ids=short,
)
def test_a_file_that_cannot_be_loaded_is_refused(file: str, what: str) -> None:
    """The message says what to do, without the path or the storage's own error."""
    message = refusal(None, file)
    assert message.startswith("email_addresses_file: ")
    assert what in message
    assert "example" not in message


def test_a_file_that_may_not_be_read_says_so() -> None:
    """A lack of permissions differs from a missing file."""

    class Forbidding(fsspec.AbstractFileSystem):  # type: ignore[misc]  # fsspec ships no types
        def cat_file(self, path: str) -> None:
            raise PermissionError(path)

    fsspec.register_implementation("hidden-forbidding", Forbidding, clobber=True)
    assert "permissions" in refusal(None, "hidden-forbidding://hidden.csv")


@pytest.mark.parametrize("name", ["list.csv", "list.txt", "day", "day/"])
def test_a_folder_of_another_storage_is_refused(name: str) -> None:
    """Spark writes `list.csv` as a prefix with part files in it. S3 opens a prefix as a file of 0 bytes.

    No S3 can run here: `memory://` has folders too, and the class opens them as s3fs does.
    """

    class Prefixes(MemoryFileSystem):  # type: ignore[misc]  # fsspec ships no types
        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return str(super()._strip_protocol(path.removeprefix("hidden-prefixes://")))

        def open(self, path: str, mode: str) -> io.BytesIO:
            assert self.isdir(path), mode
            return io.BytesIO()

    fsspec.register_implementation("hidden-prefixes", Prefixes, clobber=True)
    folder = uuid.uuid4().hex
    with fsspec.open(f"memory://{folder}/{name}/part-0.csv", "wb") as stream:
        stream.write(b"email_address\na@b.de\n")

    for scheme in ("memory", "hidden-prefixes"):
        assert refusal(None, f"{scheme}://{folder}/{name}") == (
            "email_addresses_file: this is a folder. Name one file in it."
        )


@pytest.fixture
def web() -> Iterator[str]:
    """The base URL of a web server that gives wrong sizes, as gateways, caches and compressing proxies do."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(len(LONG_LIST) // 4, b"")

        def do_GET(self) -> None:
            if self.headers.get("Range"):
                self.answer(len(LONG_LIST) // 4, LONG_LIST[: len(LONG_LIST) // 4], status=206)
            elif "gzip" in self.path:
                compressed = gzip.compress(LONG_LIST)
                self.answer(len(compressed), compressed, encoding="gzip")
            else:
                self.answer(len(LONG_LIST) + ("broken" in self.path), LONG_LIST)

        def answer(self, length: int, body: bytes, status: int = 200, encoding: str = "identity") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.send_header("Content-Encoding", encoding)
            self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_arguments: object) -> None:
            """Keep the test's output free of the log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


LONG_LIST = b"email_address\n" + b"".join(b"person%03d@example.com\n" % number for number in range(200))


@pytest.mark.parametrize("chain", ["", "simplecache::"])
@pytest.mark.parametrize("name", ["list.csv", "gzip.csv"])
def test_a_list_behind_a_url_is_read_whole(name: str, chain: str, web: str) -> None:
    """Whatever the server says of its length."""
    assert len(read_file(f"{chain}{web}/{name}", COLUMN)) == 200


def test_a_list_whose_body_breaks_off_is_refused(web: str) -> None:
    """Nobody is asked."""
    assert "could not be read" in refusal(None, f"{web}/broken.csv")


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(st.sampled_from('email_address,;\t|"\r\n @ab.de#\ufeff\0'), max_size=60).map(str.encode),
        st.text(st.sampled_from('hidden@,;|"\r\n'), max_size=60).map(
            lambda text: ("email_address,x\n" + text).encode()
        ),
    ),
    st.sampled_from(["", "\ufeff", "utf-16"]),
    st.sampled_from([".csv", ".txt"]),
    st.booleans(),
)
@settings(max_examples=500, derandomize=True, database=None, deadline=None)
def test_any_bytes_are_read_or_refused(content: bytes, mark: str, ending: str, fail_on_malformed: bool) -> None:  # noqa: FBT001
    """No file crashes the tap, and no message shows anything of it."""
    bom = b"\xff\xfe" if mark == "utf-16" else mark.encode()
    file = f"memory://hidden/list{ending}"
    with fsspec.open(file, "wb") as stream:
        stream.write(bom + content)
    try:
        addresses = read_list(None, file, COLUMN, fail_on_malformed=fail_on_malformed)
    except ConfigError as error:
        assert_shows_nothing(error.message)
    else:
        assert_shows_nothing(addresses.warning or "-")
        assert not fail_on_malformed or addresses.warning is None


@given(
    st.lists(st.tuples(st.text(max_size=10), st.sampled_from(["a@b.de", '"x,;|y"@b.de', "ä@b.de", "wrong"]))),
    st.sampled_from(sorted(SEPARATORS)),
    st.sampled_from(sorted(ENCODINGS)),
    st.sampled_from(ENDS),
)
@settings(max_examples=200, derandomize=True, database=None, deadline=None)
def test_whatever_a_csv_writer_writes_is_read(
    rows: list[tuple[str, str]], separator: str, encoding: str, end: str
) -> None:
    """Each address comes out, in order, whatever the cell beside it contains."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("x", COLUMN), *rows])
    file = "memory://hidden/written.csv"
    with fsspec.open(file, "wb") as stream:
        stream.write(ENCODINGS[encoding](text.getvalue()))

    assert [address for _, address in read_file(file, COLUMN)] == [address for _, address in rows]


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_fifo_is_read_like_a_file(prefix: str, fifo: Callable[[str, bytes], str]) -> None:
    """Text and CSV, longer than the buffer of a pipe too."""
    assert read_file(prefix + fifo("list", b"a@b.de\n" * 20_000), COLUMN) == [(n, "a@b.de") for n in range(1, 20_001)]
    assert read_file(prefix + fifo("list.csv", b"x;email_address\n1;a@b.de\n"), COLUMN) == [(2, "a@b.de")]


def test_the_command_reads_a_fifo(sandbox: Sandbox, fifo: Callable[[str, bytes], str]) -> None:
    """So a list need not be on a disk."""
    file = fifo("list.csv", "email_address\nä@b.de\nc@d.de\n".encode())
    result = run_tap({**sandbox.config, "email_addresses_file": file, "requests_per_second": 1000})

    check_output(result, ["ä@b.de", "c@d.de"])
    assert result.returncode == 0
    assert sorted(call.address for call in sandbox.calls) == ["c@d.de", "ä@b.de"]


def test_the_command_reads_a_process_substitution_of_bash(sandbox: Sandbox, tmp_path: Path) -> None:
    """In bash, `<(…)` passes a path like `/dev/fd/63`."""
    config = Path(tmp_path, "config.json")
    config.write_text(json.dumps({**sandbox.config, "requests_per_second": 1000}))
    script = """
        run() { TAP_GONG_PRIVACY_EMAIL_ADDRESSES_FILE="$1" "$TAP" --config "$CONFIG" --config=ENV; }
        run <(printf '%s\\n' a@b.de c@d.de)
    """
    done = subprocess.run(
        ["bash", "-c", script],  # noqa: S607 - wherever bash is
        env=environment({"TAP": str(COMMAND), "CONFIG": str(config)}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    check_nobody_named(Result(done.returncode, done.stdout, done.stderr), ["a@b.de", "c@d.de"])
    assert done.returncode == 0
    assert sorted(call.address for call in sandbox.calls) == ["a@b.de", "c@d.de"]


def test_the_command_refuses_a_missing_file_without_its_path(sandbox: Sandbox) -> None:
    """The path may contain an address or a key, so the line names the setting alone."""
    for arguments in ([], ["--test"]):
        result = run_tap({**sandbox.config, "email_addresses_file": "/nowhere/hidden@example.com"}, *arguments)
        assert result.returncode == 1
        assert "email_addresses_file: there is no such file" in result.stderr.splitlines()[-1]
        assert "nowhere" not in result.stderr
        assert "example" not in result.stderr
    assert not sandbox.calls
