"""The list of addresses: both settings joined, each entry checked, each malformed one named only by its place."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.round.addresses import AddressList, Entry, read_list
from tests.round.lists import COLUMN, HIDDEN, assert_shows_nothing, refusal, short, written
from tests.running import check_output, run_tap

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox import Sandbox

EMPTY = "empty"
NOT_TEXT = "not text"
ONE_SIDED = "no text on both sides of an at sign"
INVISIBLE = "white space, a control or an invisible character in it"
BEFORE = "a prefix, quote, bracket, separator or second at sign before its domain"
DOMAIN = "the text after its at sign is not a domain"

WELL_FORMED = [
    "a@b",
    "Jane.Doe+Tag@Example.COM",
    "o'brien@example.com",
    "prvs=1a=x@example.com",
    "bounces+123-a.b=c.example@em.example.com",
    "{guid}@example.com",
    "!#$%&'*+-/=?^_`{|}~@example.com",
    "a..b@example.com",
    ".a@example.com",
    "a.@example.com",
    "a/b@example.com",
    "a%40b@example.com",
    "#tag@example.com",
    "mailto@example.com",
    "smtp=x@example.com",
    '"a.b"@example.com',
    '"a,b;c<d>e"@example.com',
    '"mailto:x"@example.com',
    '"a@b"@example.com',
    r'"a\"b\\"@example.com',
    '""@example.com',
    "a@under_score.example.com",
    "a@xn--exmple-cua.de",
    "a@1.example",
    "a@[192.0.2.1]",
    "a@[IPv6:2001:db8::1]",
    "dörte@exämple.de",
    "do\u0308rte@exa\u0308mple.de",
    "日本@例え.jp",
    "क्षी@उदाहरण.भारत",
    "😀@example.com",
]
MALFORMED = [
    ("hidden", ONE_SIDED),
    ("hidden@", ONE_SIDED),
    ("@hidden.com", ONE_SIDED),
    ("@", ONE_SIDED),
    ("hidden%40example.com", ONE_SIDED),
    ("hidden one@example.com", INVISIBLE),
    ("hidden\tone@example.com", INVISIBLE),
    ("hidden\none@example.com", INVISIBLE),
    ('"hidden one"@example.com', INVISIBLE),
    ("Jane <hidden@example.com>", INVISIBLE),
    ("hidden@example.com hidden@example.org", INVISIBLE),
    ("hidden@example.com; hidden@example.org", INVISIBLE),
    ("hidden@example.com (work)", INVISIBLE),
    ("hidden\u00a0one@example.com", INVISIBLE),
    ("hidden\u2028one@example.com", INVISIBLE),
    ("hidden\x00@example.com", INVISIBLE),
    ("hidden\x7f@example.com", INVISIBLE),
    ("hidden\u200b@example.com", INVISIBLE),
    ("\ufeffhidden@example.com", INVISIBLE),
    ("hidden\u202e@example.com", INVISIBLE),
    ("hidden\u00ad@example.com", INVISIBLE),
    ("hidden@example.com\u200b", INVISIBLE),
    ("hidden\ud800@example.com", INVISIBLE),
    ("mailto:hidden@example.com", BEFORE),
    ("MAILTO:hidden@example.com", BEFORE),
    ("SMTP:hidden@example.com", BEFORE),
    ("a:hidden@example.com", BEFORE),
    ('"hidden@example.com"', BEFORE),
    ('="hidden@example.com"', BEFORE),
    ('{"email":"hidden@example.com"}', BEFORE),
    ('["hidden@example.com"]', BEFORE),
    ("[hidden@example.com](mailto:hidden@example.com)", BEFORE),
    ("<hidden@example.com>", BEFORE),
    ("[hidden@example.com", BEFORE),
    ("(hidden)a@example.com", BEFORE),
    ("Jane<hidden@example.com>", BEFORE),
    ("hidden@@example.com", BEFORE),
    ("hidden@hidden@example.com", BEFORE),
    ("hidden@example.com,hidden@example.org", BEFORE),
    ("hidden@example.com;hidden@example.org", BEFORE),
    ("hidden@example.com/hidden@example.org", BEFORE),
    ("hidden@example.com|hidden@example.org", BEFORE),
    (r"hidden\a@example.com", BEFORE),
    ('"hidden"x@example.com', BEFORE),
    ('"hidden"."x"@example.com', BEFORE),
    ('"hid"den"@example.com', BEFORE),
    ('"hidden@example.com', BEFORE),
    ('"@hidden.com', BEFORE),
    ('"hidden"@example.com,"x"@example.org', BEFORE),
    ("'hidden@example.com'", DOMAIN),
    ("hidden@example.com;", DOMAIN),
    ("hidden@example.com,", DOMAIN),
    ("hidden@example.com>", DOMAIN),
    ("hidden@example.com|x", DOMAIN),
    ("hidden@example.com/", DOMAIN),
    ("hidden@example.com?subject=x", DOMAIN),
    ("hidden@example.com:25", DOMAIN),
    ("hidden@example.com.", DOMAIN),
    ("hidden@.example.com", DOMAIN),
    ("hidden@.", DOMAIN),
    ("hidden@exa+mple.com", DOMAIN),
    ("hidden@example。com", DOMAIN),
    ("hidden@[", DOMAIN),
    ("hidden@[]", DOMAIN),
    ("hidden@[example.com]", DOMAIN),
    ("hidden@[192.0.2]", DOMAIN),
    ("hidden@[192.0.2.10", DOMAIN),
    ("hidden@[IPv6:hidden]", DOMAIN),
]
NOT_TEXTS = [None, 5, 1.5, True, [], {}, ["hidden@example.com"], {"email": "hidden@example.com"}]

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ENTRIES = st.one_of(
    st.sampled_from([*WELL_FORMED, *(entry for entry, _ in MALFORMED), "", " \t", "\ufeff", "hidden\u2029"]), JSON
)
tries = settings(max_examples=300, derandomize=True, database=None, deadline=None)


def texts(addresses: AddressList) -> list[str]:
    """Return the texts of a list of which no entry is malformed."""
    assert not any(entry.is_malformed for entry in addresses.entries)
    assert addresses.warning is None
    return [entry.text for entry in addresses.entries]


@pytest.mark.parametrize("address", WELL_FORMED, ids=short)
def test_an_address_is_kept_as_it_is_written(address: str) -> None:
    """Only white space around an address is trimmed; case, tags, quotes and composed characters stay."""
    assert texts(read_list([f" \t{address}\n"], None, COLUMN)) == [address]


@pytest.mark.parametrize("entry,reason", [*MALFORMED, ("", EMPTY), (" \n", EMPTY), *((v, NOT_TEXT) for v in NOT_TEXTS)])
def test_a_malformed_entry_is_refused_by_its_place(entry: object, reason: str) -> None:
    """The message says where the entry is and what is wrong with it, but never shows it."""
    message = refusal(["a@b.de", entry, "c@d.de"])

    assert f"email_addresses entry 2 ({reason})" in message
    assert re.findall(r"entry \d", message) == ["entry 2"]
    assert "fail_on_malformed_address" in message


@pytest.mark.parametrize("entry,reason", MALFORMED, ids=short)
def test_a_malformed_entry_may_be_accepted(entry: str, reason: str) -> None:
    """It is kept in its place, exactly as written, and a warning names its place and what is wrong."""
    addresses = read_list(["a@b.de", f" {entry} ", "c@d.de"], None, COLUMN, fail_on_malformed=False)

    assert addresses.entries == (Entry("a@b.de"), Entry(entry, is_malformed=True), Entry("c@d.de"))
    assert addresses.warning == f"Not an e-mail address, so not asked: email_addresses entry 2 ({reason})."


@pytest.mark.parametrize("entry", NOT_TEXTS, ids=short)
def test_an_accepted_entry_that_is_not_text_becomes_its_json(entry: object) -> None:
    """So the evidence shows what the list contained."""
    (only,) = read_list([entry], None, COLUMN, fail_on_malformed=False).entries
    assert only.is_malformed
    assert json.loads(only.text) == entry


@pytest.mark.parametrize("entry,text", [({"name": "Jörg"}, '{"name": "Jörg"}'), ([Decimal("1.50")], '["1.50"]')])
def test_the_json_of_an_accepted_entry_is_readable(entry: object, text: str) -> None:
    """Letters are not escaped, and a number that a JSON parser made a `Decimal` keeps its digits."""
    assert read_list([entry], None, COLUMN, fail_on_malformed=False).entries == (Entry(text, is_malformed=True),)


def test_an_accepted_empty_entry_is_left_out_and_named(tmp_path: Path) -> None:
    """There is nothing to write evidence about, but the warning says where it was."""
    file = written(tmp_path, "list.csv", "name,email_address\nJo,\nJim\n")
    addresses = read_list(["", "a@b.de", " "], file, COLUMN, fail_on_malformed=False)

    assert addresses.entries == (Entry("a@b.de"),)
    assert addresses.warning is not None
    assert re.findall(r"(\w+ \w+ \d) \(empty\)", addresses.warning) == [
        "email_addresses entry 1",
        "email_addresses entry 3",
        "email_addresses_file line 2",
        "email_addresses_file line 3",
    ]


def test_an_accepted_malformed_entry_is_kept_once_and_named_each_time(tmp_path: Path) -> None:
    """Duplicates make one entry, in the first place; each place needs a correction."""
    file = written(tmp_path, "list.txt", "hidden\na@b.de\n5\n")
    addresses = read_list(["hidden", 5, "hidden"], file, COLUMN, fail_on_malformed=False)

    assert addresses.entries == (
        Entry("hidden", is_malformed=True),
        Entry("5", is_malformed=True),
        Entry("a@b.de"),
    )
    assert addresses.warning is not None
    assert addresses.warning.count("(") == 5
    assert_shows_nothing(addresses.warning)


def test_an_entry_that_python_cannot_write_as_json_is_refused() -> None:
    """A list that is nested too deeply, or a number with too many digits, is reported in one line."""
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    for entry in (deep, 10**5000):
        with pytest.raises(ConfigError, match="email_addresses entry 2 is not text"):
            read_list(["a@b.de", entry], None, COLUMN, fail_on_malformed=False)


def test_at_most_ten_places_are_named() -> None:
    """The first ten are named, and the message says how many more there are."""
    message = refusal(["x"] * 10)
    assert len(re.findall(r"entry \d+", message)) == 10
    assert "more" not in message

    warning = read_list([*["x"] * 13, "a@b.de"], None, COLUMN, fail_on_malformed=False).warning
    assert warning is not None
    for text in (warning, refusal([*["x"] * 13, "a@b.de"])):
        assert re.findall(r"entry (\d+)", text) == [str(number) for number in range(1, 11)]
        assert "and 3 more." in text


def test_malformed_entries_of_both_settings_make_one_message(tmp_path: Path) -> None:
    """Those of the list come first."""
    message = refusal(["a@b.de", "x"], written(tmp_path, "list.txt", "c@d.de\n\ny\n"))
    assert message.index("email_addresses entry 2") < message.index("email_addresses_file line 3")


def test_both_settings_are_joined_without_exact_duplicates(tmp_path: Path) -> None:
    """The list comes first, the order stays, and only an identical spelling is a duplicate."""
    file = written(tmp_path, "list.txt", "c@d.de\n a@b.de \nA@b.de\nc@d.de\n")
    listed = ["b@b.de", "a@b.de", "b@b.de", "\u00fc@b.de", "u\u0308@b.de"]
    expected = ["b@b.de", "a@b.de", "\u00fc@b.de", "u\u0308@b.de", "c@d.de", "A@b.de"]
    assert texts(read_list(listed, file, COLUMN)) == expected


@pytest.mark.parametrize("column", [COLUMN, HIDDEN])
def test_a_run_without_either_setting_is_refused(column: str) -> None:
    """The message names both settings."""
    assert refusal(None, None, column) == "No addresses to look up: set email_addresses or email_addresses_file."


@pytest.mark.parametrize("content", ["", "\n \n", "# a@b.de\n  #x\n", "\ufeff"], ids=short)
@pytest.mark.parametrize("listed", [None, []])
def test_a_given_list_without_an_address_is_no_error(listed: list[object] | None, content: str, tmp_path: Path) -> None:
    """An empty list is not an error: the setting is given, and there is nothing to ask."""
    nobody = AddressList((), None)
    assert read_list(listed, written(tmp_path, "list.txt", content), COLUMN) == nobody
    assert read_list([], None, COLUMN) == nobody


@given(st.lists(ENTRIES, max_size=20), st.booleans())
@tries
def test_any_json_is_read_or_refused(listed: list[object], fail_on_malformed: bool) -> None:  # noqa: FBT001
    """Every address comes out once, in order of its first occurrence, and no message shows an entry."""
    given_texts = [entry.strip() for entry in listed if isinstance(entry, str)]
    try:
        addresses = read_list(listed, None, COLUMN, fail_on_malformed=fail_on_malformed)
    except ConfigError as error:
        assert fail_on_malformed
        assert_shows_nothing(error.message)
        return
    kept = [entry.text for entry in addresses.entries]
    assert len(kept) == len(set(kept))
    assert [text for text in dict.fromkeys(given_texts) if text] == [text for text in kept if text in given_texts]
    assert len(kept) >= len({json.dumps(entry) for entry in listed if not isinstance(entry, str)})
    is_clean = not any(entry.is_malformed for entry in addresses.entries) and all(given_texts)
    assert (addresses.warning is None) == is_clean
    assert_shows_nothing(addresses.warning or "-")


def test_the_command_asks_the_addresses_of_both_settings_in_order(sandbox: Sandbox, tmp_path: Path) -> None:
    """Each address is asked once and exactly as written, whatever characters it contains."""
    rows = ["Ü+ü@example.com", '"a,b&c=d"@example.com', "100%25@example.com"]
    cells = "".join('"' + row.replace('"', '""') + '"\r\n' for row in rows)
    file = written(tmp_path, "list.CSV", f"\ufeffMail\r\n{cells}")
    config = {
        **sandbox.config,
        "email_addresses": [" Jane+Tag@Example.com ", "jane+tag@example.com", "Jane+Tag@Example.com"],
        "email_addresses_file": f"file://{file}",
        "email_addresses_column": "mail",
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
        (['{"email":"hidden@example.com"}'], "", f"email_addresses entry 1 ({BEFORE})"),
        ([], "email_address\nhidden@example.com;x\n", f"email_addresses_file line 2 ({DOMAIN})"),
        ([], "hidden@example.com\nx\n", "no column email_address (found: 1 column, separator: comma)"),
        ([], 'email_address\n"hidden@example.com\n', "email_addresses_file line 2 is not readable as CSV"),
    ],
    ids=short,
)
def test_the_command_refuses_a_malformed_list_before_any_call(
    listed: list[object], content: str, what: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    """One line names the place, the exit code is 1, nothing is asked, and neither value nor path is shown."""
    config: dict[str, object] = {**sandbox.config, "email_addresses": listed}
    if content:
        config["email_addresses_file"] = written(tmp_path, "list.csv", content)
    result = run_tap(config)
    assert result.returncode == 1
    assert not result.stdout
    assert not sandbox.calls
    assert what in result.stderr.splitlines()[-1]
    assert "hidden" not in result.stderr
    assert "example" not in result.stderr
    assert "Traceback" not in result.stderr
