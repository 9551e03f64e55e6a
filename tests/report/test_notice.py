"""The controller's own texts: which are owed, what counts as one, and files that are none."""

from __future__ import annotations

import dataclasses
import os
import re
import threading
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_gong_privacy.errors import CommandLineError, ConfigError
from tap_gong_privacy.report import notice
from tests.report.building import run_report

if TYPE_CHECKING:
    from tap_gong_privacy.report.notice import Notice

HIDDEN = "hidden"
"""Is in the texts and paths of the tests, and so must not be in a message."""
NOT_KEYS = ("law", "language", "staff_domains", "hide")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test writes its notice."""
    return tmp_path / HIDDEN


def read(path: Path, content: str | bytes) -> Notice:
    """The notice of a file with this content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return notice.read(path)


def refusal(path: Path, content: str | bytes | None = None) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(ConfigError) as caught:
        notice.read(path) if content is None else read(path, content)
    assert caught.value.__cause__ is None
    assert caught.value.exit_code == 1
    assert len(caught.value.message.splitlines()) == 1
    assert HIDDEN not in caught.value.message
    return caught.value.message


def texts(**given: str) -> Notice:
    """A notice with these texts and no others."""
    return notice.Notice(dict.fromkeys(notice.KEYS, "") | given)


def test_without_a_file_all_that_is_owed_is_missing() -> None:
    """Eleven texts if data is held, three if nothing is: the law owes the others only for data that there is."""
    nothing = notice.read(None)

    assert nothing == texts()
    assert len(nothing.missing(is_held=True)) == 11
    assert nothing.missing(is_held=True) == [key for key in notice.KEYS if key not in {"legal_basis", "searched"}]
    assert nothing.missing(is_held=False) == ["controller", "contact", "complaint"]
    assert notice.SHOWN_IF_NOTHING == ("controller", "contact", "complaint", "searched")


@pytest.mark.parametrize("is_held", [True, False])
def test_what_is_there_is_not_missing(is_held: bool) -> None:  # noqa: FBT001
    """Whatever else is."""
    owed = notice.OWED if is_held else notice.OWED_IF_NOTHING

    assert texts(**dict.fromkeys(owed, "A text.")).missing(is_held=is_held) == []
    for key in owed:
        assert texts(**dict.fromkeys(set(owed) - {key}, "A text.")).missing(is_held=is_held) == [key]


def test_a_notice_cannot_change() -> None:
    """Each page of one run says the same."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        texts().law = "none"  # type: ignore[misc]  # that is the test


def test_each_text_is_read_and_trimmed(path: Path) -> None:
    """Paragraphs stay, and so do other scripts and a byte order mark's file."""
    lines = "".join(f'{key} = """\n  Text of {key}.\n\n権利 Ärger \n"""\n' for key in notice.KEYS)
    found = read(path, f"\ufeff{lines}")

    assert dict(found.texts) == {key: f"Text of {key}.\n\n権利 Ärger" for key in notice.KEYS}
    assert tuple(found.texts) == notice.KEYS
    assert (found.law, found.language, found.staff_domains, found.hide) == ("GDPR", "", (), ())


@pytest.mark.parametrize(
    "text",
    [
        " \\n\\t",
        "\\u200b",
        "\\u00a0\\u200c\\u2060\\ufeff",
        "\\u202e\\u2066",
        "\\u3164\\u115f",
        "\\u2800",
        "\\u0000",
        "-",
        "…",
        "TODO",
        "todo.",
        "[TODO]",
        "** ToDo **",
        "TODO: ask the lawyers",
        "- TODO : recipients",
    ],
)
def test_a_text_that_says_nothing_is_missing(path: Path, text: str) -> None:
    """An answer with it would be taken for a complete one."""
    found = read(path, "".join(f'{key} = "{text}"\n' for key in notice.KEYS))

    assert dict(found.texts) == dict.fromkeys(notice.KEYS, "")
    assert found.missing(is_held=True) == list(notice.OWED)


@pytest.mark.parametrize(
    "text", ["No.", "5", "無", "Todo el equipo de ventas.", "Todo: nombres.", "Todos os dados: nomes.", "TODOS"]
)
def test_a_short_text_is_a_text(path: Path, text: str) -> None:
    """Also one that begins as a reminder does in another language."""
    assert read(path, f'purposes = "{text}"').texts["purposes"] == text


def test_the_law_may_be_another(path: Path) -> None:
    """In one line, for it becomes a part of a sentence; without one it is the GDPR."""
    assert read(path, 'law = """\nthe California\n Consumer Privacy Act """').law == (
        "the California Consumer Privacy Act"
    )
    for nothing in ('law = ""', 'law = " "', 'law = "TODO"', ""):
        assert read(path, nothing).law == "GDPR"


@pytest.mark.parametrize("tag", ["en", "de", "pt-BR", "zh-Hant-TW", "sr-Latn", "de-1996", "gsw", "en-x-hidden", ""])
def test_the_language_is_a_tag(path: Path, tag: str) -> None:
    """As HTML needs it."""
    assert read(path, f'language = " {tag} "').language == tag


@pytest.mark.parametrize("tag", ["German", "pt_BR", "de-", "-de", "de DE", "e", "de,hidden", 'de\\" onload=\\"', "dé"])
def test_what_is_no_tag_is_refused(path: Path, tag: str) -> None:
    """A browser would ignore it, and a screen reader would read German as English."""
    assert refusal(path, f'language = "{tag}"') == (
        "The notice's language must be the tag of a language, such as en, de or pt-BR."
    )


def test_domains_and_fields_are_lists(path: Path) -> None:
    """Trimmed, each once, in their order. Domains have no case, names of fields do."""
    found = read(
        path, 'staff_domains = ["Example.com ", "@example.de", "example.com"]\nhide = [" B__c", "a", "B__c"]\n'
    )

    assert found.staff_domains == ("example.com", "example.de")
    assert found.hide == ("B__c", "a")


@pytest.mark.parametrize("key", ["staff_domains", "hide"])
@pytest.mark.parametrize("value", ['"hidden"', "1", '["hidden", 1]', '["hidden", ""]', '["\\u200b"]', '[["hidden"]]'])
def test_what_is_no_list_of_texts_is_refused(path: Path, key: str, value: str) -> None:
    """A field that is not withheld, since its name was not read, would be disclosed."""
    assert refusal(path, f"{key} = {value}") == (
        f"The notice's {key} must be a list of texts in quotes, in brackets, and none of them empty."
    )


@pytest.mark.parametrize("domain", ["hidden@example.com", "@", "@@hidden", "hidden example.com"])
def test_what_is_no_domain_is_refused(path: Path, domain: str) -> None:
    """It would match no address."""
    assert "staff_domains must be" in refusal(path, f'staff_domains = ["{domain}"]')


@pytest.mark.parametrize("value", ["1", "true", '["hidden"]', "{ hidden = 1 }", "2026-01-01", "nan"])
@pytest.mark.parametrize("key", ["contact", "law", "language"])
def test_what_is_no_text_is_refused(path: Path, key: str, value: str) -> None:
    """By its key."""
    assert refusal(path, f"{key} = {value}") == f"The notice's {key} must be text in quotes."


@pytest.mark.parametrize(
    "content, shown",
    [
        ('purpose = "hidden"', "purpose (did you mean purposes?)"),
        ('Contact = "hidden"', "Contact (did you mean contact?)"),
        ('storage-period = "hidden"', "storage-period (did you mean storage_period?)"),
        ('xyz = "hidden"', "xyz"),
        ('[xyz]\ncontroller = "hidden"', "xyz"),
        ('"hidden@example.com" = "hidden"', "one whose name is not shown"),
        ('"hidden one" = "hidden"', "one whose name is not shown"),
        (f"{'x' * 41} = 1", "one whose name is not shown"),
        ("\n".join(f"x{number} = 1" for number in range(7)), "x0, x1, x2, x3, x4, and 2 more"),
    ],
)
def test_an_unknown_key_is_named(path: Path, content: str, shown: str) -> None:
    """It is in the user's own file, and the likely one is named; nothing but a plain name is shown."""
    assert refusal(path, content) == (
        f"The notice has no such key: {shown}. `gong-privacy-report notice` prints all keys."
    )


@pytest.mark.parametrize(
    "content, reason",
    [
        ("{hidden}", "The notice is not TOML (line 1, column 1)"),
        ('contact = "a"\ncontact = "hidden"\n#', "The notice is not TOML (line 2, "),
        ('contact = """hidden', "The notice is not TOML (end of document)"),
        (f"contact = {'9' * 5000}", "a number that is too long, or values nested too deeply"),
        (f"contact = {'[' * 5000}{']' * 5000}", "a number that is too long, or values nested too deeply"),
        (f"contact = {'{a=' * 5000}1{'}' * 5000}", "a number that is too long, or values nested too deeply"),
        (b'contact = "\xe9hidden"', "The notice is not UTF-8: save it as UTF-8."),
        ('contact = "hidden"'.encode("utf-16"), "The notice is not UTF-8: save it as UTF-8."),
        (b'contact = "\0hidden"', "The notice is not TOML (line 1, column 12)"),
        (f'contact = "{"hidden" * 170_000}"', "The notice is larger than 1 MB"),
        (b"\0" * 1_000_001, "The notice is larger than 1 MB"),
    ],
    ids=range(11),
)
def test_a_file_that_cannot_be_used_is_one_line(path: Path, content: str | bytes, reason: str) -> None:
    """What is wrong and where, and never what the file holds."""
    assert reason in refusal(path, content)


def test_a_file_of_almost_1_mb_is_read(path: Path) -> None:
    """The largest that is."""
    text = "x" * (1_000_000 - len('contact = ""'))

    assert read(path, f'contact = "{text}"').texts["contact"] == text


def test_a_device_without_an_end_is_not_read_to_its_end() -> None:
    """That would take all memory of the machine."""
    assert "larger than 1 MB" in refusal(Path("/dev/zero"))


def test_a_notice_may_come_through_a_pipe(tmp_path: Path) -> None:
    """`--notice <(…)` names one."""
    os.mkfifo(tmp_path / "fifo")
    writer = threading.Thread(target=(tmp_path / "fifo").write_text, args=('contact = "We."',))
    writer.start()

    assert notice.read(tmp_path / "fifo").texts["contact"] == "We."
    writer.join(10)


@pytest.mark.parametrize(
    "name, reason",
    [("missing", "no such file or directory"), ("", "is a directory"), ("x" * 300, "file name too long")],
)
def test_a_file_that_cannot_be_read_is_a_wrong_command_line(tmp_path: Path, name: str, reason: str) -> None:
    """As for the other options that name files."""
    with pytest.raises(CommandLineError) as caught:
        notice.read(tmp_path / name)

    assert caught.value.message == f"The notice cannot be read: {reason}."
    assert caught.value.exit_code == 2


def test_the_file_that_is_printed_explains_each_key(tmp_path: Path) -> None:
    """It is a file to fill in; as it is, every text is missing, and all else is as without it."""
    made = run_report(tmp_path, "notice")
    path = tmp_path / "notice.toml"
    path.write_text(made.stdout, encoding="utf-8")

    assert (made.returncode, made.stderr) == (0, "")
    assert tuple(tomllib.loads(made.stdout)) == (*notice.KEYS, *NOT_KEYS)
    assert all(re.search(rf"^# .*\n{key} = ", made.stdout, re.MULTILINE) for key in (*notice.KEYS, *NOT_KEYS))
    assert notice.read(path) == notice.read(None)
    assert all(len(line) <= 120 for line in made.stdout.splitlines())


@pytest.mark.parametrize(
    "key, names",
    [
        ("purposes", ["Article 15(1)(a)"]),
        ("legal_basis", ["Recommended"]),
        ("categories", ["Article 15(1)(b)"]),
        ("recipients", ["Article 15(1)(c)", "C-154/21", "Gong itself"]),
        ("storage_period", ["Article 15(1)(d)"]),
        ("rights", ["Article 15(1)(e)"]),
        ("complaint", ["Article 15(1)(f)", "court", "Article 12(4)", "section 164A"]),
        ("source", ["Article 15(1)(g)"]),
        ("automated_decisions", ["Article 15(1)(h)", "C-203/22"]),
        ("transfers", ["Article 15(2)", "Article 45", "EU-US Data Privacy Framework", "Israel", "Article 46"]),
        ("searched", ["Recommended", "We also searched"]),
        ("law", ["GDPR", "California"]),
        ("hide", ["11 CCR § 7024(d)"]),
    ],
)
def test_the_file_that_is_printed_says_what_the_law_asks(key: str, names: list[str]) -> None:
    """Above each key, by the numbers of the articles."""
    comment = re.search(rf"((?:^# .*\n)+){key} = ", notice.template(), re.MULTILINE)

    assert comment
    text = comment[1].replace("\n# ", " ")
    assert [name for name in names if name not in text] == []
