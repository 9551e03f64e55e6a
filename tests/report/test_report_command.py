"""The command: files, modes, exit codes, and what it says to whom."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tap_gong_privacy.report import notice
from tests.report.building import (
    COMMAND,
    GONG,
    JANE,
    OWN_GONG,
    Page,
    at_url,
    entry,
    found,
    load_sqlite,
    look_up,
    run_report,
    singer_lines,
)

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "5vjaxkqnzmp515b220vlzto2i"
RECORDS = [
    entry("emails", JANE, "mail-1", sent_time="2024-05-09T10:00:00Z", mailbox="mario@example.com", **{"from": JANE}),
    entry("customer_engagement", JANE, "view-1", content_url=f"https://app.gong.io/e/c-share/tkn={TOKEN}"),
    look_up(JANE, "found", 0, emails_count=1, customer_engagement_count=1),
]
OUTPUT = b"".join(singer_lines(RECORDS))
NOTHING = b"".join(singer_lines([look_up(JANE, "not_found")]))


@pytest.fixture
def notice_file(tmp_path: Path) -> str:
    """A file with every text."""
    path = tmp_path / "notice.toml"
    path.write_text("".join(f'{key} = "A text."\n' for key in notice.KEYS))
    return str(path)


def modes(folder: Path) -> dict[str, int]:
    """The modes of a folder and of what is in it."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


def test_a_complete_answer_is_exit_0(tmp_path: Path, notice_file: str) -> None:
    """Both files are made, for their owner alone, and their paths are printed."""
    made = run_report(tmp_path, "person", "--from", "-", "--notice", notice_file, JANE, source=OUTPUT)

    assert (made.returncode, made.stderr) == (0, "")
    assert modes(made.folder) == {"made": 0o700, "person.html": 0o600, "person.json": 0o600}
    assert made.stdout == "Made made/person.html\nMade made/person.json\n"
    assert made.json["is_complete"] is True
    assert "This answer is not complete" not in made.read("person.html")


def test_the_same_pages_come_from_a_database(tmp_path: Path, notice_file: str) -> None:
    """Letter by letter, but for the time at which they are made."""
    url = load_sqlite(tmp_path / "db.sqlite", RECORDS)
    from_output = run_report(tmp_path, "person", "--from", "-", "--notice", notice_file, JANE, source=OUTPUT)
    from_database = run_report(
        tmp_path, "person", "--notice", notice_file, JANE, "--to", "other", env={"GONG_PRIVACY_DATABASE_URL": url}
    )

    assert from_database.returncode == 0
    for name in ("person.html", "person.json"):
        first, second = from_output.read(name), (tmp_path / "other" / name).read_text()
        assert _without_time(first) == _without_time(second)


def _without_time(text: str) -> str:
    # What tells how old the answer is, how the database stores its times, and when the page was made.
    return re.sub(
        r"<dt>Made on</dt><dd><time.*?</time>|\"made_at\":\"[^\"]*\"|, [^,]* before this page was made"
        r"|<li>The database stores the times without a time zone[^<]*</li>",
        "",
        text,
    )


def test_the_answer_as_json_holds_the_same_entries(tmp_path: Path) -> None:
    """With the names of the columns, and the same masking."""
    made = run_report(tmp_path, "person", "--from", "-", "--draft", JANE, source=OUTPUT)

    assert made.returncode == 0
    assert [row["id"] for row in made.json["entries"]["emails"]] == ["mail-1"]
    assert made.json["entries"]["emails"][0] == {
        "found_under": [JANE],
        "id": "mail-1",
        "from": JANE,
        "sent_time": "2024-05-09T10:00:00Z",
        "mailbox": "mailbox 1 (m…@example.com)",
        "message_hash": None,
        "looked_up_at": "2026-03-01T09:00:00Z",
        "request_id": "request-0",
        "undocumented": None,
    }
    assert made.json["masked"] == {"addresses": 1, "links": 1}
    for name in ("person.html", "person.json"):
        assert TOKEN not in made.read(name)
        assert "mario" not in made.read(name)


def test_masking_can_be_switched_off(tmp_path: Path) -> None:
    """Each kind by its own option."""
    made = run_report(
        tmp_path, "person", "--from", "-", "--draft", "--show-others", "--show-links", JANE, source=OUTPUT
    )

    assert "mario@example.com" in made.read("person.html")
    assert TOKEN in made.read("person.json")
    assert "Nothing is shortened or withheld on this page." in made.read("person.html")


@pytest.mark.parametrize(
    "arguments, lines",
    [
        (
            ["x@example.org"],
            ["Address 1 of 1: never asked.", "texts of the controller are missing: controller, contact"],
        ),
        (["--draft", JANE, "x@example.org"], ["Address 2 of 2: never asked."]),
        ([JANE], ["texts of the controller are missing: controller, contact, complaint."]),
    ],
)
def test_what_is_made_and_not_complete_is_exit_1(tmp_path: Path, arguments: list[str], lines: list[str]) -> None:
    """One line on stderr for each reason, and both files all the same."""
    made = run_report(tmp_path, "person", "--from", "-", *arguments, source=NOTHING)

    assert made.returncode == 1
    assert [
        line.startswith(f"Not complete: {start}") for line, start in zip(made.stderr.splitlines(), lines, strict=True)
    ]
    assert {path.name for path in made.folder.iterdir()} == {"person.html", "person.json"}
    assert made.json["is_complete"] is False


def test_addresses_may_come_from_a_file(tmp_path: Path) -> None:
    """One a line; blank lines, comments and repetitions count for nothing; a command line is seen by others."""
    (tmp_path / "list.txt").write_text(f"\ufeff# the person\r\n{JANE}\r\n\r\n {JANE} \r\n", encoding="utf-8")
    by_file = run_report(tmp_path, "person", "--from", "-", "--draft", "--addresses", "list.txt", source=NOTHING)
    (tmp_path / "out.jsonl").write_bytes(NOTHING)
    by_pipe = run_report(
        tmp_path, "person", "--from", "out.jsonl", "--draft", "--addresses", "-", "--to", "2", source=JANE.encode()
    )

    assert by_file.returncode == by_pipe.returncode == 0
    assert [look_up["email_address"] for look_up in by_file.json["look_ups"]] == [JANE]


@pytest.mark.parametrize(
    "arguments",
    [
        ["person", "--from", "-"],
        ["person", JANE],
        ["person", "--from", "-", "--database-url", "sqlite://", JANE],
        ["person", "--from", "-", "--addresses", "-"],
        ["person", "--from", "-", "--wrong", JANE],
        ["person", "--from", "-", JANE, "--to", f"for-{JANE}"],
        ["person", "--from", "-", JANE, "--to", f"{JANE}/report"],
        ["person", "--from", "-", JANE, "--to", "jane.doe%40example.com"],
        ["person", "--from", "-", JANE, "--to", f"{JANE}/of/march"],
        ["erasure", "--from", "-", JANE],
        ["erasure", "--from", "-", "--asked-at", "yesterday", JANE],
        ["erasure", "--from", "-", "--asked-at", "2999-01-01", JANE],
        ["person", "--from", "-", "--received", "soon", JANE],
        ["person", "--from", "-", "--received", "2999-01-01", JANE],
        ["person", "--from", "-", "--hide", " ", JANE],
        ["person", "--from", "-", JANE, "--to", "jane.doe%2540example.com"],
        ["person", "--from", "-", JANE, "--to", "jane.doe\N{FULLWIDTH COMMERCIAL AT}example.com"],
        ["person", "--from", "-", "--api-url", "api.gong.io", JANE],
        ["person", "--from", "-", "--to", "", JANE],
        ["person", "--from", "-", f"Jane <{JANE}>"],
        ["coverage", "--from", "-", "--config", "c.json", "--not-older-than", "0"],
        ["coverage", "--from", "-", "--config", "c.json", "--not-older-than", "nan"],
        ["coverage", "--from", "-", "--config", "c.json", "--not-older-than", "soon"],
        ["coverage", "--from", "-"],
        ["coverage", "--from", "-", "--config", "c.json", JANE],
        ["coverage", "--from", "-", "--config", "c.json", "jane"],
        ["jane"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_exit_2(tmp_path: Path, arguments: list[str]) -> None:
    """One line, and nothing is made. `run_report` looks for addresses."""
    made = run_report(tmp_path, *arguments, source=OUTPUT)

    assert made.returncode == 2
    assert len(made.stderr.splitlines()) == 1
    assert "jane" not in made.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_command_line_without_a_command_names_them(tmp_path: Path) -> None:
    """Nothing was unexpected in it."""
    done = subprocess.run([COMMAND], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "Error: Give one of the commands coverage, erasure, notice, person: see --help.\n"


def test_a_folder_whose_parents_are_there_may_have_any(tmp_path: Path) -> None:
    """What is there already is not of this command's making."""
    (tmp_path / "me@home").mkdir()
    path = str(tmp_path / "me@home" / "report")

    assert run_report(tmp_path, "person", "--from", "-", "--draft", JANE, "--to", path, source=OUTPUT).returncode == 0


def test_an_address_that_no_table_can_hold_is_refused(tmp_path: Path) -> None:
    """A database would call it an error of its own."""
    url = load_sqlite(tmp_path / "db.sqlite", RECORDS)
    env = {"GONG_PRIVACY_DATABASE_URL": url}
    made = run_report(tmp_path, "person", "--addresses", "-", source=b"jane\0@example.com", env=env)

    assert (made.returncode, made.stderr) == (2, "Error: An address is not UTF-8, or has a NUL in it.\n")


def test_standard_input_that_is_closed_is_one_line(tmp_path: Path) -> None:
    """As a scheduler may start a command."""
    command = f"exec '{COMMAND}' person --from - jane 0<&-"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (2, "Error: Standard input is closed: give a file in place of -.\n")


SECRET = "s3cret/pass"


@pytest.mark.parametrize(
    "url, reason",
    [
        ("no url", "The database URL cannot be read: it has the form postgresql://host:5432/database"),
        (f"postgresql+psycopg2://jane:{SECRET}@127.0.0.1:1/db", "write postgresql+psycopg in the URL"),
        (f"postgresql://jane:{SECRET}@127.0.0.1:1/db", "the connection was refused"),
        (f"postgres://jane:{SECRET}@127.0.0.1:1/db", "the connection was refused"),
        (f"postgresql://jane:{SECRET}@host.invalid/db", "its host name could not be resolved"),
        (f"postgresql+pg8000://jane:{SECRET}@127.0.0.1:1/db", "driver that the database URL names is not installed"),
        (f"mystery://jane:{SECRET}@127.0.0.1:1/db", "names a dialect that is not installed"),
        ("postgresql://jane:p@ss@127.0.0.1:1/db", "at sign"),
        ("sqlite:///missing.db", "There is no such SQLite file"),
        ("sqlite:///empty.db", "holds none of the tap's tables"),
        ("sqlite:///text.db", "The database could not be read"),
    ],
)
def test_a_database_that_cannot_be_read_is_one_line(tmp_path: Path, url: str, reason: str) -> None:
    """What to do, without the password, the user or an address; nothing is made."""
    (tmp_path / "empty.db").touch()
    (tmp_path / "text.db").write_text("x" * 4096)
    made = run_report(tmp_path, "person", JANE, env={"GONG_PRIVACY_DATABASE_URL": url})

    assert made.returncode == 1
    assert reason in made.stderr
    assert len(made.stderr.splitlines()) == 1
    assert SECRET not in made.stderr
    assert "jane" not in made.stderr
    assert not made.folder.exists()


def test_tables_without_a_row_are_one_line(tmp_path: Path) -> None:
    """Nobody was never asked: nothing was loaded."""
    url = load_sqlite(tmp_path / "db.sqlite", [])
    made = run_report(tmp_path, "person", JANE, env={"GONG_PRIVACY_DATABASE_URL": url})

    assert made.returncode == 1
    assert made.stderr.startswith("Error: The table lookups holds no row: load first")


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (
            ["--from", "-", "--notice", "wrong.toml", JANE],
            "The notice has no such key: purpose (did you mean purposes?)",
        ),
        (["--from", "-", "--addresses", "latin-1.txt"], "--addresses line 1 is not UTF-8"),
        (["--from", "-", "--addresses", "list.csv"], "--addresses line 2 (no text on both sides of an at sign)"),
        (["--from", "rows.jsonl", JANE], "no Singer messages, like the files of a JSON Lines target"),
        (["--from", "broken.toml", JANE], "Line 1 is not of this tap's output"),
        (["--from", "-", "--to", "full", JANE], "nothing is overwritten"),
        (["--from", "-", "--to", "broken.toml", JANE], "nothing is overwritten"),
        (["--from", "-", "--to", "broken.toml/x", JANE], "The report could not be written (not a directory)"),
        (["--from", "-", "--to", "x" * 300, JANE], "The report could not be written (file name too long)"),
        (["--from", "-", "--to", f"{'x' * 300}/y", JANE], "The report could not be written (file name too long)"),
    ],
)
def test_files_that_cannot_be_used_are_one_line(tmp_path: Path, arguments: list[str], reason: str) -> None:
    """What is wrong and what to do; what is there stays."""
    (tmp_path / "wrong.toml").write_text('purpose = "x"')
    (tmp_path / "broken.toml").write_text("{x}x")
    (tmp_path / "list.csv").write_text("email_address\njane\n")
    (tmp_path / "rows.jsonl").write_text('{"email_address": "x"}')
    (tmp_path / "latin-1.txt").write_bytes(b"\xe9@example.com")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "person.json").write_text("kept")
    made = run_report(tmp_path, "person", *arguments, source=OUTPUT)

    assert made.returncode == 1
    assert reason in made.stderr
    assert len(made.stderr.splitlines()) == 1
    assert not made.folder.exists()
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["person.json"]
    assert (tmp_path / "full" / "person.json").read_text() == "kept"


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["--from", "missing", JANE], "The file given by --from cannot be read: no such file"),
        (["--from", "-", "--addresses", "missing"], "--addresses: there is no such file"),
        (["--from", "-", "--notice", "missing", JANE], "The notice cannot be read: no such file"),
    ],
)
def test_files_that_are_not_there_are_exit_2(tmp_path: Path, arguments: list[str], reason: str) -> None:
    """A wrong command line, as the tap has it."""
    made = run_report(tmp_path, "person", *arguments, source=OUTPUT)

    assert made.returncode == 2
    assert made.stderr.startswith(f"Error: {reason}")
    assert len(made.stderr.splitlines()) == 1


def test_what_would_overwrite_is_refused_before_reading(tmp_path: Path) -> None:
    """The output of a pipe, which has cost a call, is not thrown away."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "person.html").touch()
    made = run_report(tmp_path, "person", "--from", "-", "--to", "full", JANE, source=b"no output of the tap")

    assert "nothing is overwritten" in made.stderr


@pytest.mark.parametrize("arguments", [["person", JANE, "--draft"], ["erasure", JANE, "--asked-at", "2026-02-01"]])
def test_a_row_without_an_address_could_be_about_anybody(tmp_path: Path, arguments: list[str]) -> None:
    """Only a table without a key can hold one."""
    nameless = look_up(JANE, "found", 3)
    nameless[1]["email_address"] = None
    url = load_sqlite(tmp_path / "db.sqlite", [*RECORDS, nameless])
    made = run_report(tmp_path, *arguments, env={"GONG_PRIVACY_DATABASE_URL": url})

    assert made.returncode == 1
    assert "Not complete: A row of lookups has no email_address, so it could be about anybody." in made.stderr


def test_two_rows_of_one_entry_do_not_stand_for_two_entries(tmp_path: Path) -> None:
    """A table without a key can hold a row twice; what is shown is compared with what was counted."""
    records = [entry("emails", JANE, "1"), entry("emails", JANE, "1"), look_up(JANE, "found", emails_count=2)]
    url = load_sqlite(tmp_path / "db.sqlite", records)
    made = run_report(tmp_path, "person", JANE, "--draft", env={"GONG_PRIVACY_DATABASE_URL": url})

    assert len(made.json["entries"]["emails"]) == 1
    assert "the answer counts 2 entries of emails, and the tables hold 1." in made.stderr


def test_a_new_folder_is_the_default(tmp_path: Path) -> None:
    """Its name says what it holds and when, and nobody's address."""
    done = subprocess.run(
        [COMMAND, "person", "--from", "-", "--draft", JANE],
        cwd=tmp_path,
        input=NOTHING,
        capture_output=True,
        check=True,
    )
    (folder,) = tmp_path.iterdir()

    assert re.fullmatch(r"gong-privacy-person-\d{8}-\d{6}-\d{6}", folder.name)
    assert f"Made {folder.name}/person.html" in done.stdout.decode()


def test_the_texts_of_the_notice_are_on_the_page(tmp_path: Path) -> None:
    """In their own paragraphs; the first line of the controller's names the company in the first sentence."""
    (tmp_path / "notice.toml").write_text('controller = """\nExample Ltd.\n1 Road\n"""\ncontact = "One.\\n\\nTwo."\n')
    made = run_report(tmp_path, "person", "--from", "-", "--notice", "notice.toml", JANE, source=NOTHING)
    page = Page.of(made.read("person.html"))

    assert "meetings and e-mails that Example Ltd. uses" in page.text
    assert {"One.", "Two.", "Example Ltd.\n1 Road"} <= set(page.values)
    assert "texts of the controller are missing: complaint." in made.stderr


def test_the_request_is_named_in_both_files(tmp_path: Path) -> None:
    """By the controller's own number and the day on which it came."""
    made = run_report(
        tmp_path,
        "person",
        "--from",
        "-",
        "--draft",
        "--reference",
        "DSAR 17",
        "--received",
        "2026-03-02",
        JANE,
        source=OUTPUT,
    )

    assert (made.json["reference"], made.json["received"]) == ("DSAR 17", "2026-03-02")
    assert "DSAR 17" in Page.of(made.read("person.html")).text
    assert "2 March 2026" in Page.of(made.read("person.html")).text


def test_an_answer_that_is_not_complete_can_be_accepted(tmp_path: Path) -> None:
    """The exit code is 0, and each reason is said all the same."""
    refused = b"".join(singer_lines([look_up(JANE, "rejected")]))
    arguments = ["person", "--from", "-", "--draft", JANE]
    made = run_report(tmp_path, *arguments, source=refused)
    accepted = run_report(tmp_path, *arguments, "--accept-incomplete", "--to", "accepted", source=refused)

    assert (made.returncode, accepted.returncode) == (1, 0)
    assert accepted.stderr == made.stderr.replace("Not complete:", "Accepted:")


def test_a_field_can_be_hidden_by_option_and_by_notice(tmp_path: Path) -> None:
    """An option that hides nothing is said, because its name may be misspelt."""
    (tmp_path / "notice.toml").write_text('hide = ["SSN__c"]\n')
    fields = [{"name": name, "value": "secret"} for name in ("SSN__c", "Passport__c")]
    records = [
        entry("customer_data", JANE, "Salesforce", objects=[{"fields": fields}]),
        look_up(JANE, "found", customer_data_count=1),
    ]
    options = ["--notice", "notice.toml", "--hide", "passport__c", "--hide", "Pasport__c"]
    made = run_report(
        tmp_path, "person", "--from", "-", "--draft", *options, JANE, source=b"".join(singer_lines(records))
    )

    assert made.returncode == 0
    assert made.stderr == "Note: no value was withheld for --hide Pasport__c. Compare its name with the page.\n"
    assert made.json["withheld"] == {"SSN__c": 1, "Passport__c": 1}
    assert "secret" not in made.read("person.html") + made.read("person.json")


@pytest.mark.parametrize("command", ["person", "erasure"])
def test_several_base_urls_have_to_be_named(command: str, tmp_path: Path) -> None:
    """One line names them and the option; nothing is made until it is said which Gong is meant."""
    records = [*found(JANE, emails=1), *at_url(OWN_GONG, found(JANE, 1, emails=1))]
    options = {"person": ["--draft"], "erasure": ["--asked-at", "2026-03-01T12:00Z"]}[command]
    source = b"".join(singer_lines(records))
    refused = run_report(tmp_path, command, "--from", "-", *options, JANE, source=source)
    urls = ["--api-url", GONG, "--api-url", f"{OWN_GONG}/"]
    made = run_report(tmp_path, command, "--from", "-", *options, *urls, JANE, source=source)

    assert (refused.returncode, made.returncode) == (1, 0)
    assert refused.stderr.startswith(f"Error: The look-ups name several base URLs: {GONG} {OWN_GONG}. Give --api-url")
    assert len(refused.stderr.splitlines()) == 1


def test_an_erasure_is_proven_by_rows_and_their_hash(tmp_path: Path) -> None:
    """The page carries the SHA-256 of the file beside it, which holds the look-ups and nothing else of the person."""
    records = [
        entry("emails", JANE, "mail-1", mailbox="mario@example.com"),
        look_up(JANE, "found", 0, emails_count=1, undocumented={"note": "private", "mario@example.com": 1}),
        look_up(JANE, "failed", 2, errors=["about jane"]),
        look_up(JANE, "not_found", 3),
    ]
    made = run_report(
        tmp_path,
        *("erasure", "--from", "-", JANE, "--asked-at", "2026-03-02", "--erasure-request-id", "4al018gzaztcr8nbukw"),
        source=b"".join(singer_lines(records)),
    )
    page, rows = made.read("erasure.html"), made.read("erasure.json")

    assert (made.returncode, made.stderr) == (0, "")
    digest = hashlib.sha256(rows.encode()).hexdigest()
    assert digest in page
    assert made.stdout.splitlines()[-1] == f"SHA-256 of erasure.json: {digest}"
    assert "4al018gzaztcr8nbukw" in page
    assert rows == json.dumps(json.loads(rows), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert [look_up["status"] for look_up in json.loads(rows)["addresses"][0]["look_ups"]] == [
        "found",
        "failed",
        "not_found",
    ]
    for text in (page, rows):
        assert not re.search("mail-1|mario|private|about jane", text)
        assert "note" in text
    assert modes(made.folder) == {"made": 0o700, "erasure.html": 0o600, "erasure.json": 0o600}


def test_coverage_reads_the_taps_own_settings(tmp_path: Path) -> None:
    """The list of both settings, without credentials; one row for each address, in the list's order."""
    (tmp_path / "list.csv").write_text("name,mail\nx,+formula@example.com\ny,never@example.com\n")
    config = {
        "email_addresses": [JANE],
        "email_addresses_file": str(tmp_path / "list.csv"),
        "email_addresses_column": "mail",
        "flattening_enabled": False,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    records = [*found(JANE, emails=1), look_up("+formula@example.com", "not_found"), look_up("gone@x.example", "found")]
    made = run_report(
        tmp_path, "coverage", "--from", "-", "--config", "config.json", source=b"".join(singer_lines(records))
    )
    rows = list(csv.DictReader(io.StringIO(made.read("coverage.csv"))))
    page = Page.of(made.read("coverage.html"))

    assert made.returncode == 1
    assert made.stderr.startswith("Not complete: Address 3 of 3: never asked.")
    assert [(row["\ufeffplace"], row["email_address"], row["result"]) for row in rows] == [
        ("1", JANE, "data held"),
        ("2", "'+formula@example.com", "nothing held"),
        ("3", "never@example.com", "never asked"),
    ]
    assert "2 of 3 addresses have an answer" in page.text
    assert page.tables[-1] == [["Address"], ["gone@x.example"]]


@pytest.mark.parametrize(
    "config, reason",
    [
        ("{", "is not JSON"),
        ("[]", "must hold a JSON object"),
        ('{"email_adresses": []}', "did you mean email_addresses"),
        ("{}", "No addresses to look up"),
    ],
)
def test_settings_that_the_tap_would_refuse_are_refused(tmp_path: Path, config: str, reason: str) -> None:
    """By its own words."""
    (tmp_path / "config.json").write_text(config)
    made = run_report(tmp_path, "coverage", "--from", "-", "--config", "config.json", source=OUTPUT)

    assert made.returncode == 1
    assert reason in made.stderr
    assert not made.folder.exists()


def test_entries_that_are_no_addresses_never_stop_the_coverage(tmp_path: Path) -> None:
    """It exists to show them, also with the tap's default settings."""
    (tmp_path / "config.json").write_text(json.dumps({"email_addresses": ["jane", JANE]}))
    made = run_report(tmp_path, "coverage", "--from", "-", "--config", "config.json", source=NOTHING)

    assert made.returncode == 1
    assert made.stderr == (
        "Not complete: Address 1 of 2: not an e-mail address, so not asked. Correct the entry on the tap's list.\n"
    )
    assert "1 of 2 addresses has an answer" in made.read("coverage.html")


def test_old_answers_count_only_if_they_may(tmp_path: Path) -> None:
    """`--not-older-than` says how old an answer may be."""
    (tmp_path / "config.json").write_text(json.dumps({"email_addresses": [JANE]}))
    arguments = ["coverage", "--from", "-", "--config", "config.json"]
    young = run_report(tmp_path, *arguments, "--not-older-than", "100000", "--to", "1", source=NOTHING)
    old = run_report(tmp_path, *arguments, "--not-older-than", "0.5", "--to", "2", source=NOTHING)

    assert (young.returncode, old.returncode) == (0, 1)
    assert "older than --not-older-than allows" in old.stderr


def test_a_missing_package_is_one_line(tmp_path: Path) -> None:
    """The extra may not be installed."""
    (tmp_path / "htpy.py").write_text("raise ModuleNotFoundError('no', name='htpy')")
    done = subprocess.run(
        [sys.executable, "-m", "tap_gong_privacy.report", "notice"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == b"Error: the report needs the package htpy: install tap-gong-privacy[report].\n"


@pytest.mark.parametrize("arguments", [["notice"], ["person", "--from", "-", "--draft", JANE, "--to", "made"]])
def test_heavy_libraries_are_imported_only_if_they_are_needed(arguments: list[str], tmp_path: Path) -> None:
    """SQLAlchemy for a database, the Singer SDK for the tap's settings."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tap_gong_privacy.report", *arguments],
        cwd=tmp_path,
        input=NOTHING,
        capture_output=True,
        check=True,
    )

    imported = {line.rpartition(b"|")[2].strip() for line in done.stderr.splitlines()}
    assert b"tap_gong_privacy.report.cli" in imported
    assert not {b"sqlalchemy", b"singer_sdk", b"requests", b"fsspec"} & imported


def test_the_tap_never_imports_the_report() -> None:
    """Nor its libraries: it runs without the extra."""
    code = (
        "import sys, tap_gong_privacy.tap; print([n for n in sys.modules if n.startswith('tap_gong_privacy.report')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code + "; print('htpy' in sys.modules)"], capture_output=True, check=True
    )

    assert done.stdout.split() == [b"[]", b"False"]
