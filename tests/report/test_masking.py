"""Masking: others' addresses and what opens a link go, all else stays, and the count is right."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gong_privacy.report.rows.masking import Masker, nested
from tests.report.building import JANE, answer, entry, look_up, page_of

if TYPE_CHECKING:
    from tap_gong_privacy.report.rows.tables import JSON

OTHERS = ["mario.rossi@example.com", "Ünal@exämple.de", "o'brien@b.example", "a+b=c@sub.example.org", "x@intranet"]
TOKEN = "5vjaxkqnzmp515b220vlzto2i"


def masker(**options: bool) -> Masker:
    """One for Jane."""
    return Masker.for_person([JANE], **options)


@pytest.mark.parametrize(
    "text, masked",
    [
        ("mario.rossi@example.com", "m…@example.com"),
        ("Mario <mario@example.com>, ada@example.org; x", "Mario <m…@example.com>, a…@example.org; x"),
        ("write to mario@example.com.", "write to m…@example.com."),
        ("mailto:mario@example.com?subject=x", "mailto:m…@example.com?subject=x"),
        ("javascript:alert('mario@example.com')", "javascript:alert('m…@example.com')"),
        ("mario%40example.com", "m…@example.com"),
        ("mario%2540example.com", "m…@example.com"),
        (r"mario\u0040example.com", "m…@example.com"),
        ("mario\N{FULLWIDTH COMMERCIAL AT}example.com", "m…@example.com"),
        ("<p>mario&#64;example.com, ada&#x40;example.org</p>", "<p>m…@example.com, a…@example.org</p>"),
        ("mario&commat;example.com or mario&amp;#064;example.com", "m…@example.com or m…@example.com"),
        ('"mario rossi"@example.com', "m…@example.com"),
        ("mario@[192.0.2.1]", "m…@[192.0.2.1]"),
        ("john/smith=x@example.com", "j…@example.com"),
        ("https://h.example/u/mario@example.com/x", "https://h.example/u/m…@example.com/x"),
        ("mario@example.comada@example.org", "m…@e…@example.org"),
        ("a@b.example,c@d.example", "a…@b.example,c…@d.example"),
        ("@handle, 5 @ 3 and @", "@handle, 5 @ 3 and @"),
    ],
)
def test_others_addresses_are_masked(text: str, masked: str) -> None:
    """In any text, in the forms that texts give them; what is none stays."""
    assert masker().text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        JANE,
        JANE.upper(),
        f"<{JANE}>",
        f"'{JANE}'",
        f"to={JANE}.",
        f"https://h.example/u/{JANE}/x",
        "jane.doe%40example.com",
        f"mailto:{JANE}",
    ],
)
def test_the_persons_own_address_stays(text: str) -> None:
    """In any case, and with anything around it."""
    own = masker()

    assert own.text(text) == text
    assert own.addresses == 0


@pytest.mark.parametrize(
    "text, masked",
    [
        (f"mailto:{JANE}?cc=mario@example.com", f"mailto:{JANE}?c…@example.com"),
        (f"{JANE}/mario@example.com", f"{JANE}/m…@example.com"),
        (f"{JANE}@list.example.org", "jane.doe@e…@list.example.org"),
    ],
)
def test_an_address_behind_the_persons_own_takes_nothing_of_it(text: str, masked: str) -> None:
    """Unless the two are one address."""
    own = masker()

    assert own.text(text) == masked
    assert own.addresses == 1


@pytest.mark.parametrize("text", [f"x{JANE}", f"mary.{JANE}", f"{JANE}.example.org", f"{JANE}_old"])
def test_an_address_that_holds_the_persons_is_anothers(text: str) -> None:
    """Only the whole address is the person's."""
    own = masker()
    own.text(text)

    assert own.addresses == 1


@pytest.mark.parametrize(
    "text, masked",
    [
        (f"https://app.gong.io/e/c-share/tkn={TOKEN}", "https://app.gong.io/e/c-share/tkn=…"),
        (f"https://app.gong.io/e/c-share/TKN%3D{TOKEN}/x", "https://app.gong.io/e/c-share/TKN%3D…/x"),
        (f"https://app.gong.io/e?tkn={TOKEN}#top", "https://app.gong.io/e"),
        ("see https://a.example/x?y=1 and http://b.example/#z.", "see https://a.example/x and http://b.example/"),
        ("//a.example/x?y", "//a.example/x"),
        ("www.a.example/x?y", "www.a.example/x"),
        (f"tkn={TOKEN}", "tkn=…"),
        (r"https:\/\/a.example\/x?y", r"https:\/\/a.example\/x"),
    ],
)
def test_links_lose_what_opens_them(text: str, masked: str) -> None:
    """Query, fragment and share token go."""
    own = masker()

    assert own.text(text) == masked
    assert own.links >= 1


@pytest.mark.parametrize("text", ["https://a.example/x", "what? #1", "a//b?c", "token=5", "…"])
def test_what_opens_nothing_stays(text: str) -> None:
    """A link without such parts, and texts that are no links."""
    own = masker()

    assert own.text(text) == text
    assert own.links == 0


def test_each_is_shown_on_demand() -> None:
    """`--show-others` and `--show-links` each undo one of the two."""
    text = f"mario@example.com https://a.example/?tkn={TOKEN}"

    assert masker(shows_others=True).text(text) == "mario@example.com https://a.example/"
    assert masker(shows_links=True).text(text) == f"m…@example.com https://a.example/?tkn={TOKEN}"


def test_json_within_a_text_is_masked_too() -> None:
    """Escapes hide nothing, and what holds nothing to mask stays letter by letter."""
    plain = '{ "crmId":  "003" }'

    assert masker().text(r'{"owner":"mario\u0040example.com"}') == '{"owner":"m…@example.com"}'
    assert masker().text(plain) == plain


def test_names_of_objects_are_masked_and_none_is_lost() -> None:
    """Two names that become one are told apart."""
    value: JSON = {"mario@example.com": 1, "m…@example.com": 2, "maria@example.com": [{"ada@example.com": None}]}

    assert masker().value(value) == {
        "m…@example.com#2": 1,
        "m…@example.com": 2,
        "m…@example.com#3": [{"a…@example.com": None}],
    }


def test_a_calendars_identifier_of_a_meeting_is_nobodys_address() -> None:
    """It stays as the meeting's id, and there alone."""
    key = "8059707022269524529.sb5gr1tgpt5dd799eh035rb3dk@google.com_2022-06-30T13:00:00Z"

    assert masker().row("meetings", {"id": key}) == {"id": key}
    assert masker().row("meetings", {"id": "1.mario@example.com"}) == {"id": "1…@example.com"}
    assert masker().row("emails", {"id": key}) != {"id": key}


@pytest.mark.parametrize(
    "text", ["a" * 100_000 + "@", "@" * 100_000, "a@" * 50_000, "'" * 99_999 + "a@b", '"@' * 50_000]
)
def test_long_texts_are_masked_in_one_pass(text: str) -> None:
    """A search that begins again at each character would take longer than a test may."""
    assert len(masker().text(text)) <= 2 * len(text)


PIECES = st.sampled_from([*OTHERS, JANE, f"https://app.gong.io/e/tkn={TOKEN}", "https://a.example/b?c=d", "plain"])
NESTED = st.recursive(
    PIECES | st.integers() | st.booleans() | st.none() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PIECES, inner, max_size=3),
    max_leaves=12,
)


@given(NESTED)
def test_nothing_is_lost_but_what_is_masked_and_the_count_is_right(value: JSON) -> None:
    """In any nesting, keys too: the shape stays, others and tokens go, and each is counted once."""
    own = masker()
    text = json.dumps(own.value(value), ensure_ascii=False)
    before = json.dumps(value, ensure_ascii=False)

    assert own.addresses == sum(before.count(json.dumps(other, ensure_ascii=False)) for other in OTHERS)
    assert own.links == before.count("tkn=5") + before.count("?c=d")
    assert not any(other in text for other in OTHERS)
    assert TOKEN not in text
    assert text.count(JANE) == before.count(JANE)
    assert re.sub(r'"(?:[^"\\]|\\.)*"', "", text) == re.sub(r'"(?:[^"\\]|\\.)*"', "", before)


@given(st.lists(st.sampled_from([*OTHERS, JANE, "no address"]), max_size=6))
def test_the_page_tells_how_often_it_masks(senders: list[str]) -> None:
    """The number is that of the masked addresses on it."""
    records = [entry("emails", JANE, str(index), **{"from": sender}) for index, sender in enumerate(senders)]
    answered = answer([*records, look_up(JANE, "found", emails_count=len(senders))])
    others = sum(sender in OTHERS for sender in senders)
    page = page_of(answered)

    assert answered.masked_addresses == others
    assert sum("…@" in value for value in page.values) == others
    assert (f"to protect them: {others} time" in page.text) == bool(others)


@pytest.mark.parametrize("text", ["[1", "{}x", '{"a":1,"a":2}', "[" * 5000 + "]" * 5000, "[NaN]", "plain"])
def test_only_sound_json_is_taken_apart(text: str) -> None:
    """A text with a repeated name, or nested too deeply to be shown, stays as it is."""
    assert nested(text) is None
