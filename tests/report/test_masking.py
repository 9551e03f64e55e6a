"""Masking: other people's addresses, what opens a link and hidden fields go; all else stays, and the counts hold."""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tap_gong_privacy.report.rows.masking import Masker, nested
from tests.report.building import JANE, NOW, answer, entry, look_up, page_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gong_privacy.gong.json_text import JSON
    from tap_gong_privacy.report.rows.tables import Row

OTHERS = ["mario.rossi@example.com", "Ünal@exämple.de", "o'brien@b.example", "a+b=c@sub.example.org", "x@intranet"]
TOKEN = "5vjaxkqnzmp515b220vlzto2i"
CALENDAR_ID = "8059707022269524529.sb5gr1tgpt5dd799eh035rb3dk@google.com_2022-06-30T13:00:00Z"
VICTIM = "victim@other.example"
AT_SIGNS = [
    *["@", "\N{FULLWIDTH COMMERCIAL AT}", "\N{SMALL COMMERCIAL AT}", "@@", "@ @", "%40", "%2540", "%252540", "=40"],
    *[r"\u0040", r"\\u0040", "&#64;", "&#64", "&#0064;", "&#x40;", "&#X40", "&commat;", "&amp;#064;"],
    "&amp;amp;commat;",
]
INVISIBLE = [
    *["\u200b", "\u00ad", "\ufeff", "\u2060", "\u200e", "\u00a0", "\u202f", "\ufe0f", "\u0301"],
    *["&nbsp;", "&#8203;"],
]
BESIDE = [" ", "\t", '"', "'", "(", ")", "<", ">", "[", "]", "{", "}", "+", ".", "_", "%20"]


def masker(*own: str) -> Masker:
    """One for these addresses, or for Jane's."""
    return Masker(own or [JANE])


# Other people's addresses


@pytest.mark.parametrize(
    "text, masked",
    [
        ("mario.rossi@example.com", "person 1 (m…@example.com)"),
        (
            "Mario <mario@example.com>, ada@example.org; x",
            "Mario <person 1 (m…@example.com)>, person 2 (a…@example.org); x",
        ),
        ("write to mario@example.com.", "write to person 1 (m…@example.com)."),
        ("mailto:mario@example.com?subject=x", "mailto:person 1 (m…@example.com)?subject=x"),
        ("javascript:alert('mario@example.com')", "javascript:alert('person 1 (m…@example.com)')"),
        ('"mario rossi"@example.com', "person 1 (m…@example.com)"),
        ("&quot;mario rossi&quot;@example.com", "person 1 (m…@example.com)"),
        ("mario@[192.0.2.1]", "person 1 (m…@[192.0.2.1])"),
        ("john/smith=x@example.com", "person 1 (j…@example.com)"),
        ("<!@example.com>", "<person 1 (!…@example.com)>"),
        ("\N{PARTY POPPER}@example.com", "person 1 (\N{PARTY POPPER}…@example.com)"),
        ("jane%40x@example.com", "person 1 (j…@example.com)"),
        ("h.example/u?a=mary@example.com", "person 1 (h…@example.com)"),
        ("“a@b.example”“c@d.example”", "“person 1 (a…@b.example)”“person 2 (c…@d.example)”"),
        ("https://h.example/u/mario@example.com/x", "https://h.example/u/person 1 (m…@example.com)/x"),
        ("a@b.example,c@d.example", "person 1 (a…@b.example),person 2 (c…@d.example)"),
        ("mario@example.comada@example.org", "m…@person 1 (e…@example.org)"),
        ("https://victim.name:pw@other.example/x", "https://person 1 (v…@other.example)/x"),
        (r"https:\/\/victim.name:pw@other.example\/x", r"https:\/\/person 1 (v…@other.example)\/x"),
        ("https%3A%2F%2Fvictim%3Apw%40other.example", "https%3A%2F%2Fperson 1 (v…@other.example)"),
        (f"mailto:{JANE}?cc=mario@example.com", f"mailto:{JANE}?cc=person 1 (m…@example.com)"),
        (f"{JANE}/mario@example.com", f"{JANE}/person 1 (m…@example.com)"),
    ],
)
def test_others_addresses_are_masked(text: str, masked: str) -> None:
    """Each address becomes a label wherever it is in a text, and the text around it stays."""
    assert masker().text(text) == masked


@pytest.mark.parametrize("sign", AT_SIGNS)
def test_each_form_of_the_at_sign_is_known(sign: str) -> None:
    """An address is masked in each form in which a browser or a mail reader shows it, and is the same one."""
    for text in ("{}", "to {}, thanks", "<{}>", "{}."):
        own = masker()

        assert own.text(text.format(f"victim{sign}other.example")) == text.format("person 1 (v…@other.example)")
        assert own.text(VICTIM) == "person 1 (v…@other.example)"
        assert own.addresses == 2


def test_a_longer_number_is_no_at_sign() -> None:
    """A reference without a semicolon ends where its number ends, and `=40` needs a domain behind it."""
    text = "size=40 size=40px size=401.5 a&#640b.example a&#x40e.example"

    assert masker().text(text) == text


@pytest.mark.parametrize("left", ["", *INVISIBLE, *BESIDE, "&quot;", " '", '" ', "\\", ",", ": "])
def test_nothing_around_the_at_sign_uncovers_an_address(left: str) -> None:
    """Invisible characters, blanks and punctuation beside an at sign hide an address from no reader."""
    for right in ["", *INVISIBLE, *BESIDE, "@", "_dmarc.", "\n"]:
        own = masker("other@other.example")
        masked = own.text(f"from victim{left}@{right}other.example to")

        assert "victim" not in masked
        assert re.fullmatch(r"from .*other\.example\)? to", masked, re.DOTALL)
        assert own.addresses == 1


@pytest.mark.parametrize(
    "text, masked",
    [
        ("victim@'other.example'", "v…@'other.example'"),
        ("victim@.other.example", "v…@.other.example"),
        ("victim@ noon", "v…@ noon"),
        ("see victim@", "see v…@"),
        (f"{JANE} victim@", f"{JANE} v…@"),
    ],
)
def test_a_word_before_an_at_sign_is_masked_without_a_domain(text: str, masked: str) -> None:
    """If no domain is recognised, the word that could be a local part is masked and counted all the same."""
    own = masker()

    assert own.text(text) == masked
    assert own.addresses == 1


@pytest.mark.parametrize(
    "text",
    [
        "@handle, 5 @ 3 and @",
        "5 @ 3.50",
        "meet @ noon",
        "see .@handle",
        "RT:@handle",
        "!@#$%",
        "\u200b@b.example",
        "https://h.example/@me",
    ],
)
def test_at_signs_of_no_address_stay(text: str) -> None:
    """Prices, appointments and handles are not masked."""
    own = masker()

    assert own.text(text) == text
    assert own.addresses == 0


# The person's own addresses

FRIENDLY = [
    *["{}", "'{}'", '"{}"', "“{}”", "\u2018{}\u2019", "„{}“", "«{}»", "`{}`", "`{}'", "'“{}”'", "\"'{}'\""],
    *["<{}>", "({})", "[{}]", "{{}}", "*{}*", "**{}**", "|{}|", "Jane Doe <{}>", "&lt;{}&gt;", "&#39;{}&#39;"],
    *["•{}", "• {}", "»{}", "\u2013{}", "…{}", "→ {}", "\u200b{}\u200b", "\ufeff{}", "\u202b{}\u202c", "Jane:\u00a0{}"],
    *["{}.", "{}, thanks", "{}?", "a: {}; b", "x\n{}\ny", "mailto:{}", r"\u003c{}\u003e"],
    *["https://h.example/u/{}/x", "https://h.example:80/u/{}", r"https:\/\/h.example\/u\/{}", "{} {}", "{}/{}"],
]


@given(st.sampled_from(FRIENDLY), st.sampled_from([*AT_SIGNS, "\u200b@\u2060", " @ ", "@\u00a0"]), st.integers(0))
def test_the_persons_own_address_stays(text: str, sign: str, capitals: int) -> None:
    """An address that was asked about stays in any case, form and company, and is not counted."""
    for own in (JANE, "o'brien@example.com", "jane+x@example.com"):
        letters = [letter.upper() if capitals >> place & 1 else letter for place, letter in enumerate(own)]
        written = text.replace("{}", "".join(letters).replace("@", sign))
        person = masker(own)

        assert person.text(written) == written
        assert person.addresses == 0


@pytest.mark.parametrize("text", ["%22{}%22", "mailto%3A{}", "%3C{}%3E", "https%3A%2F%2Fh.example%2Fu%2F{}%2Fx"])
@pytest.mark.parametrize("sign", ["%40", "%2540"])
def test_the_persons_own_address_stays_among_percent_escapes(text: str, sign: str) -> None:
    """Quotes and separators that are escaped as the at sign is are what they stand for."""
    written = text.format(JANE.replace("@", sign))
    own = masker()

    assert own.text(written) == written
    assert own.addresses == 0


@pytest.mark.parametrize(
    "own, text",
    [
        ("josé@exämple.de", unicodedata.normalize("NFD", "josé@exämple.de")),
        (unicodedata.normalize("NFD", "josé@exämple.de"), "JOSÉ@EXÄMPLE.DE"),
        (f" {JANE}\n", "jane\ufe0f.doe@exa\u200dmple.com"),
        ("राम@ईमेल.हिन्दी", "राम@ईमेल.हिन्दी"),
        ('"jane doe"@example.com', '"Jane Doe"@example.com'),
        ("jane@[IPv6:2001:db8::1]", "JANE@[ipv6:2001:db8::1]"),
    ],
)
def test_unusual_own_addresses_stay(own: str, text: str) -> None:
    """Case and the two forms of Unicode do not matter, and every address that the tap accepts is known again."""
    person = masker(own)

    assert person.is_own(text)
    assert person.text(text) == text
    assert person.text(f"to {text}.") == f"to {text}."
    assert person.addresses == 0
    assert masker("other@other.example").text(text) != text


@pytest.mark.parametrize(
    "own, other",
    [
        ("strasse@b.de", "straße@b.de"),
        ("file@b.de", "\N{LATIN SMALL LIGATURE FI}le@b.de"),
        ("kane@b.de", "\N{KELVIN SIGN}ane@b.de"),
        ("jose@b.de", "jose\N{COMBINING ACUTE ACCENT}@b.de"),
        ("jane@b.de", '"jane"@b.de'),
        ("jane.@b.de", "jane@b.de"),
        ("jane@b.de", "jane@sub.b.de"),
        ("jane@b.de", "jane@b.de.evil.example"),
        ("jane@b.de", "jane@b.de_old"),
    ],
)
def test_addresses_that_look_alike_are_others(own: str, other: str) -> None:
    """An address is compared whole, and letters that only resemble each other are different."""
    person = masker(own)

    assert not person.is_own(other)
    assert other not in person.text(other)
    assert other not in person.text(f"to {other}, thanks")
    assert person.addresses == 2


BEFORE_BRIEN = [
    *["o'", "sales=", "mary/", "mary{", "mary#", "john&", "john!", "mary%", "$", "mary`", "o\u2019", "mary?"],
    *["mary*", "'", "mary|", "-", "_", ".", "~", "^", "/", "x", "o&#39;", "o&apos;", "o&rsquo;", "john&amp;"],
    "john&amp;amp;",
    *[r"o\u0027", "mary%22", "mary\u200b", "b\u0301", "'o'", '"mary ', "www.h.example/", "h.example/u/", "{'"],
]


@pytest.mark.parametrize("before", BEFORE_BRIEN)
def test_an_own_address_uncovers_no_longer_one(before: str) -> None:
    """What can be a part of a local part, directly before the own one, makes it somebody else's address."""
    quote = '"' if before.startswith('"') else ""
    for text in ("{}", "to {}, thanks", "<{}>", "'{}'", '{{"a": "{}"}}', "({})", "mailto:{}"):
        person = masker("brien@example.com")

        assert "brien" not in person.text(text.format(f"{before}brien{quote}@example.com"))
        assert person.addresses == 1


@pytest.mark.parametrize("before, is_own", [("u/", True), ("?a=", True), ("?a&", True), ("#", True), ("a=", False)])
def test_what_separates_the_parts_of_a_link_ends_an_address(before: str, is_own: bool) -> None:  # noqa: FBT001
    """In a link, a slash and the separators of a query are no part of an address; an equals sign only in the query."""
    person = Masker([JANE], shows_links=True)
    text = f"https://h.example/{before}{JANE}"

    assert (person.text(text) == text) is is_own


LETTERS = "!#$%&'*+-/=?^_`{|}~.abcxyzABCXYZ0123456789éßøñшא名"


@st.composite
def almost(draw: st.DrawFn, own: str) -> str:
    """An address whose local part differs from an own one by one character."""
    local, _, domain = own.rpartition("@")
    place = draw(st.integers(0, len(local)))
    letter = draw(st.sampled_from(["", *LETTERS]))
    rest = place + draw(st.integers(0, 1))
    other = local[:place] + letter + local[rest:]
    assume(other.lower() != local.lower())
    return f"{other}@{domain}"


@given(st.data(), st.sampled_from([JANE, "o'brien@example.com", "renée.x+y@exämple.de"]))
def test_an_address_that_differs_by_one_character_is_never_shown(data: st.DataObject, own: str) -> None:
    """It is masked alone, in a text, beside the own one and in JSON; the own one beside it stays."""
    other = data.draw(almost(own))
    texts = ["{}", "to {}, thanks", "<{}>", '"{}"', "see https://h.example/a {}", '{"a": "{}"}', '[["{}"]]']
    local = other.rpartition("@")[0]
    for text in texts:
        person = masker(own)

        assert local not in person.text(text.replace("{}", other))
        assert person.addresses == 1
    person = masker(own)

    assert person.text(f"{own}, {other}; {own}") == f"{own}, {masker(own).text(other)}; {own}"
    assert person.addresses == 1


# Labels


def test_people_stay_apart() -> None:
    """Each address has one label on a page, in all its spellings, and no two addresses share one."""
    own = masker()
    texts = ["sam@example.com", "sue@example.com", "SAM@Example.com", "s\u200bam@example.com", "<sue&#64;example.com>"]

    assert [own.text(text) for text in texts] == [
        "person 1 (s…@example.com)",
        "person 2 (s…@example.com)",
        "person 1 (s…@example.com)",
        "person 1 (s…@example.com)",
        "<person 2 (s…@example.com)>",
    ]
    assert own.addresses == 5
    assert masker().text("sue@example.com") == "person 1 (s…@example.com)"


def test_the_first_place_of_an_address_decides_its_noun() -> None:
    """Each address has a number of its own on the page, and a label never changes."""
    own = masker()
    rows: list[tuple[str, Row]] = [
        ("emails", {"email_address": JANE, "from": "sam@b.example", "mailbox": "max@b.example"}),
        ("emails", {"from": "max@b.example", "mailbox": "sam@b.example"}),
        ("calls", {"from": "pat@b.example", "status": "max@b.example"}),
        ("emails", {"from": "sue@b.example", "mailbox": JANE.upper(), "undocumented": {"to": "kim@b.example"}}),
    ]

    assert [list(own.row(stream, row).values()) for stream, row in rows] == [
        [JANE, "sender 1 (s…@b.example)", "mailbox 2 (m…@b.example)"],
        ["mailbox 2 (m…@b.example)", "sender 1 (s…@b.example)"],
        ["person 3 (p…@b.example)", "mailbox 2 (m…@b.example)"],
        ["sender 4 (s…@b.example)", JANE.upper(), {"to": "person 5 (k…@b.example)"}],
    ]


def test_staff_are_told_apart_and_not_named() -> None:
    """An address at a domain of the company's, or below it, shows neither its first letter nor its domain."""
    own = Masker([JANE], staff_domains=[" Example.COM", "@corp.example"])

    assert own.row("emails", {"from": "sam@example.com"}) == {"from": "our staff 1"}
    assert (
        own.text("kim@mail.EXAMPLE.com, pat@corp.example, sam@example.com") == "our staff 2, our staff 3, our staff 1"
    )
    assert own.text("sam@notexample.com") == "person 4 (s…@notexample.com)"
    assert own.text("sam@example.com.evil.example") == "person 5 (s…@example.com.evil.example)"
    assert own.text(JANE) == JANE


def test_a_label_shows_no_more_than_the_first_character() -> None:
    """The whole local part is hidden, and quotes around it are not taken for its first character."""
    own = masker()

    assert own.text('"victim.name"@b.example') == "person 1 (v…@b.example)"
    assert own.text("émile@b.example") == "person 2 (é…@b.example)"
    assert own.text(unicodedata.normalize("NFD", "émile@b.example")) == "person 2 (é…@b.example)"


# Links


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
        (f"tkn={TOKEN} of https://a.example/x", "tkn=… of https://a.example/x"),
        (r"https:\/\/a.example\/x?y", r"https:\/\/a.example\/x"),
        ("app.gong.io/call?id=12&secret=34", "app.gong.io/call"),
        ("at app.gong.io:443/call?id=12&secret=34 or", "at app.gong.io:443/call or"),
        ("app.gong.io?secret=34", "app.gong.io"),
        ("https%3A%2F%2Fapp.gong.io%2Fcall%3Fshare%3Ds3", "https%3A%2F%2Fapp.gong.io%2Fcall"),
        ("https%253A%252F%252Fapp.gong.io%252Fcall%253Fshare", "https%253A%252F%252Fapp.gong.io%252Fcall"),
        ("https://app.gong.io/call%3Fshare=s3", "https://app.gong.io/call"),
        ("https://app.gong.io/call\N{FULLWIDTH QUESTION MARK}share=s3", "https://app.gong.io/call"),
    ],
)
def test_links_lose_what_opens_them(text: str, masked: str) -> None:
    """Query, fragment and share token go, also of links without a scheme and of escaped ones."""
    own = masker()

    assert own.text(text) == masked
    assert own.links == (2 if " and " in text else 1)
    assert Masker([JANE], shows_links=True).text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *["https://a.example/x", "Is it https://a.example/x?", "what? #1", "a//b?c", "token=5", "e.g. this?"],
        *["and/or?", "Yes.No/maybe? #1", "v1.2/x?y", "…"],
    ],
)
def test_what_opens_nothing_stays(text: str) -> None:
    """Links without such parts, and texts that are no links, are not changed."""
    own = masker()

    assert own.text(text) == text
    assert own.links == 0


def test_an_address_in_a_link_is_not_taken_for_a_fragment() -> None:
    """The number sign of an escaped at sign cuts no address into pieces."""
    assert masker().text("https://h.example/u/mario&#64;b.example") == "https://h.example/u/person 1 (m…@b.example)"


def test_each_is_shown_on_demand() -> None:
    """`--show-others` and `--show-links` each undo one of the two."""
    text = f"mario@example.com https://a.example/?tkn={TOKEN}"

    assert Masker([JANE], shows_others=True).text(text) == "mario@example.com https://a.example/"
    assert Masker([JANE], shows_links=True).text(text) == f"person 1 (m…@example.com) https://a.example/?tkn={TOKEN}"


# Nested values


def test_json_within_a_text_is_masked_too() -> None:
    """Escapes hide nothing, and a text that has nothing to mask stays letter by letter."""
    plain = f'{{ "crmId":  "003", "n": 1.50, "to": "{JANE}" }}'
    own = masker()

    assert (
        own.text(r'{"owner":"m\u0061rio\u0040example.com","n":1.50}')
        == '{"owner":"person 1 (m…@example.com)","n":1.50}'
    )
    assert own.text(plain) == plain
    assert [own.text(f'["\\u0076ictim{number}@b.example"]') for number in range(2, 5)] == [
        f'["person {number} (v…@b.example)"]' for number in range(2, 5)
    ]
    assert own.addresses == 4


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"a": value}], ids=["list", "object"])
def test_json_in_json_is_masked_however_deep_it_is(wrap: Callable[[JSON], JSON]) -> None:
    """Texts that hold JSON, whose texts hold JSON, are masked without exhausting Python's stack."""
    text: JSON = VICTIM
    for _ in range(6):
        for _ in range(95):
            text = wrap(text)
        text = json.dumps(text)
    value = text
    for _ in range(100):
        value = wrap(value)
    own = masker()

    assert "victim" not in json.dumps(own.value(value))
    assert own.addresses == 1


def test_names_of_objects_are_masked_and_none_is_lost() -> None:
    """Names that become one are told apart by a number, which no other name of the object has."""
    label = "person 1 (m…@example.com)"
    value: JSON = {"mario@example.com": 1, "MARIO@example.com": [{"ada@example.com": None}], "x": 2, JANE: 3}

    assert masker().value(value) == {label: 1, f"{label}#2": [{"person 2 (a…@example.com)": None}], "x": 2, JANE: 3}
    assert masker().value({"https://a.example/?x": 1, "https://a.example/": 2, "https://a.example/#2": 3}) == {
        "https://a.example/#3": 1,
        "https://a.example/": 2,
        "https://a.example/#4": 3,
    }


def test_a_calendars_identifier_of_a_meeting_is_nobodys_address() -> None:
    """It stays as the id of a meeting, in exactly this form and nowhere else."""
    abuses = [
        "1.mario@google.com",
        "805970702226.mario@google.com",
        "805970702226.mario_rossi@google.com",
        CALENDAR_ID.replace("@", "@x."),
        f"x{CALENDAR_ID}",
    ]

    assert masker().row("meetings", {"id": CALENDAR_ID}) == {"id": CALENDAR_ID}
    assert masker().row("emails", {"id": CALENDAR_ID}) != {"id": CALENDAR_ID}
    assert masker().row("meetings", {"request_id": CALENDAR_ID}) != {"request_id": CALENDAR_ID}
    for abuse in [*abuses, f"{CALENDAR_ID} {VICTIM}", f"{CALENDAR_ID}_{VICTIM}"]:
        assert abuse.split("@")[0] not in str(masker().row("meetings", {"id": abuse}))


# Hidden fields


def test_a_hidden_field_of_a_crm_is_withheld() -> None:
    """Every member but the name is withheld if it has a value, and the field is counted once, in any case."""
    own = Masker([JANE], hidden_fields=["ssn__C "])
    fields: list[JSON] = [
        {"name": "SSN__c", "value": "078-05-1120", "label": "Social", "old": None, "empty": ""},
        {"name": " ssn__c", "value": 0},
        {"name": "SSN__c", "value": None},
        {"name": "SSN__c_note", "value": "078"},
        {"name": "Email", "value": VICTIM},
    ]

    assert own.row("customer_data", {"system": "S", "objects": [{"id": "1", "fields": fields}]}) == {
        "system": "S",
        "objects": [
            {
                "id": "1",
                "fields": [
                    {"name": "SSN__c", "value": "withheld", "label": "withheld", "old": None, "empty": ""},
                    {"name": " ssn__c", "value": "withheld"},
                    {"name": "SSN__c", "value": None},
                    {"name": "SSN__c_note", "value": "078"},
                    {"name": "Email", "value": "person 1 (v…@other.example)"},
                ],
            }
        ],
    }
    assert own.withheld == {"SSN__c": 1, " ssn__c": 1}
    assert (own.addresses, own.links) == (1, 0)


@pytest.mark.parametrize(
    "value, masked",
    [
        ({"SSN__c": "1"}, {"SSN__c": "withheld"}),
        ({"a": [{"ssn__C": {"x": 1}}]}, {"a": [{"ssn__C": "withheld"}]}),
        ({"SSN__c#2": "1"}, {"SSN__c#2": "withheld"}),
        ({"objects[0].fields": {"SSN__c": [1]}}, {"objects[0].fields": {"SSN__c": "withheld"}}),
        ({"fields": [{"name": "SSN__c", "x": VICTIM}]}, {"fields": [{"name": "SSN__c", "x": "withheld"}]}),
        ({"mirror": ' {"SSN__c": 1.50} '}, {"mirror": '{"SSN__c":"withheld"}'}),
        (
            {"mirror": json.dumps({"deep": json.dumps({"SSN__c": 1})})},
            {"mirror": r'{"deep":"{\"SSN__c\":\"withheld\"}"}'},
        ),
    ],
)
def test_a_hidden_field_is_withheld_in_any_nested_value(value: JSON, masked: JSON) -> None:
    """It is withheld in undocumented content, in lists and in JSON within a text."""
    own = Masker([JANE], hidden_fields=["SSN__c"])
    for stream in ("lookups", "calls", "customer_data"):
        assert own.row(stream, {"undocumented": value}) == {"undocumented": masked}
    assert sum(own.withheld.values()) == 3
    assert own.addresses == 0


@pytest.mark.parametrize("value", [{"SSN__c": None}, {"SSN__c": ""}, {"SSN__c": []}, {"SSN__c": {}}, {"x": "SSN__c"}])
def test_a_hidden_field_without_a_value_is_not_counted(value: JSON) -> None:
    """Nothing is withheld where nothing is."""
    own = Masker([JANE], hidden_fields=["SSN__c"])

    assert own.value(value) == value
    assert own.withheld == {}


def test_a_hidden_field_has_no_documented_name() -> None:
    """A CRM's field that is called `Name`, `Value` or `Id` is hidden, and Gong's own members of that name are not."""
    own = Masker([JANE], hidden_fields=["Name", "value", "Id", "Fields", "system"])
    row: Row = {
        "system": "S",
        "objects": [{"id": "1", "fields": [{"name": "Name", "value": "x"}, {"name": "b", "value": "y"}]}],
    }

    assert own.row("customer_data", row) == {
        "system": "S",
        "objects": [{"id": "1", "fields": [{"name": "Name", "value": "withheld"}, {"name": "b", "value": "y"}]}],
    }
    assert own.withheld == {"Name": 1}


# Counts and time


@pytest.mark.parametrize(
    "text",
    [
        *["a" * 100_000 + "@", "@" * 100_000, "a@" * 100_000, "'" * 99_999 + "a@b", '"@' * 50_000],
        *[
            "a@b.example/" * 20_000,
            "a @ " * 50_000,
            "\u0301@" * 30_000,
            "a@b" + "." * 100_000 + "@",
            '"a\\' * 50_000 + '"@b',
        ],
        *["&amp;" * 50_000 + "#64;", "\\" * 100_000 + "u0040", "%25" * 50_000 + "40", "=40" + "a." * 50_000],
        *[
            "https://" * 50_000 + "?x",
            "//:" * 50_000 + "a@b",
            "a." * 50_000 + "io/?x",
            "\u2060" * 100_000 + "a@b.example",
        ],
        *["{" * 50_000 + "a@b.example" + "}" * 50_000, "[" * 50_000 + "]" * 50_000],
        *["lorem ipsum & 50% a=b " * 140_000, "x" * 3_000_000 + "@b.example"],
    ],
    ids=lambda text: f"{text[:8]!a} {len(text)}",
)
def test_long_texts_are_masked_in_one_pass(text: str) -> None:
    """A search that begins again at each character would take longer than a test may."""
    assert len(Masker([JANE], hidden_fields=["x"]).text(text)) <= 20 * len(text)


def test_equal_names_are_told_apart_in_one_pass() -> None:
    """Thousands of names that become one are numbered without trying all numbers again."""
    letters = zip("mariorossirosso", "MARIOROSSIROSSO", strict=True)
    spellings: JSON = {f"{''.join(spelling)}@b.example": None for spelling in itertools.product(*letters)}
    masked = masker().value(spellings)

    assert isinstance(masked, dict)
    assert len(masked) == 2**15
    assert list(masked)[-1] == "person 1 (m…@b.example)#32768"


def test_repeated_texts_are_counted_each_time() -> None:
    """Results are remembered, for many more texts than there is room for, and the counts are those of a fresh look."""
    own = masker()
    texts = [f"p{number % 7000}@b.example https://b.example/?{number % 7000}" for number in range(14_000)]
    masked = [own.text(text) for text in texts]

    assert (own.addresses, own.links) == (14_000, 14_000)
    assert masked[:7000] == masked[7000:]
    assert len(set(masked)) == 7000


PIECES = st.sampled_from([*OTHERS, JANE, f"https://app.gong.io/e/tkn={TOKEN}", "https://a.example/b?c=d", "plain"])
NESTED = st.recursive(
    PIECES | st.integers() | st.booleans() | st.none() | st.text("abc \\\"'{}[]<>:;é", max_size=5),
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


def test_what_is_no_text_stays() -> None:
    """Times, numbers and missing values are not changed."""
    row: Row = {"sent_time": NOW, "calls_count": 3, "undocumented": None, "x": [True, None, Decimal("1.50")]}

    assert masker().row("emails", row) == row


@given(st.lists(st.sampled_from([*OTHERS, JANE, "no address"]), max_size=6))
def test_the_page_tells_how_often_it_masks(senders: list[str]) -> None:
    """The number is that of the masked addresses on it."""
    records = [entry("emails", JANE, str(index), **{"from": sender}) for index, sender in enumerate(senders)]
    answered = answer([*records, look_up(JANE, "found", emails_count=len(senders))])
    others = sum(sender in OTHERS for sender in senders)
    page = page_of(answered)

    assert answered.masker.addresses == others
    # One more in the sentence that explains the labels.
    assert sum("…@" in value for value in page.values) == others + bool(others)
    assert (f"shortened, {others} time" in page.text) == bool(others)


@pytest.mark.parametrize(
    "text", ["[1", "{}x", '{"a":1,"a":2}', "[" * 5000 + "]" * 5000, "[NaN]", "plain", '["\ud800"]']
)
def test_only_sound_json_is_taken_apart(text: str) -> None:
    """A text with a repeated name, or nested too deeply to be shown, stays as it is."""
    assert nested(text) is None
