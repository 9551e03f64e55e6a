"""The pages as files: one that fetches nothing and runs nothing, in which every value can be read."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gong_privacy.report.notice import Notice
from tap_gong_privacy.report.request import Request
from tests.report.building import COMPLETE, JANE, Page, answer, entry, evidence, found, look_up, page_of, survey

if TYPE_CHECKING:
    from tap_gong_privacy.gong.json_text import JSON

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></table><h1>x",
    "javascript:alert(document.domain)",
    "data:text/html,<script>alert(1)</script>",
    "&lt;b&gt;&amp;",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe\N{LEFT-TO-RIGHT MARK}",
    '=HYPERLINK("http://x.example")',
    "x" * 100_000,
    "' onclick='alert(1)",
    "--c1:url(http://x.example)",
]
HARMLESS = {
    "a",
    "article",
    "aside",
    "bdi",
    "body",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
}
HARMLESS |= {"head", "header", "html", "li", "main", "meta", "nav", "ol", "p", "rect", "section", "small", "span"}
HARMLESS |= {
    "strong",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "ul",
}


def hostile_person(value: JSON, name: str = "name") -> Page:
    """The page of somebody whose every value and name is the given one."""
    text = value if isinstance(value, str) else "text"
    fields = [{"name": name, "value": value}, {"name": "again", "value": [value, {name: value}]}]
    records = [
        entry(
            "emails", JANE, text, **{"from": text, "mailbox": text, "message_hash": text}, undocumented={name: value}
        ),
        entry("calls", JANE, text, status=text, external_systems=[{"system": text, "objects": [{name: value}]}]),
        entry("meetings", JANE, text),
        entry("customer_data", JANE, text, objects=[{"id": text, "mirror_id": text, "fields": fields, name: value}]),
        entry("customer_engagement", JANE, text, event_type=text, content_url=text, event_name=text),
        look_up(
            JANE,
            "found",
            request_id=text,
            undocumented={name: value},
            emails_count=1,
            calls_count=1,
            meetings_count=1,
            customer_data_count=1,
            customer_engagement_count=1,
        ),
    ]
    return page_of(answer(records))


def check_harmless(page: Page) -> None:
    """Check that a page holds nothing but text in the elements of this project."""
    assert {tag for tag, _ in page.tags} <= HARMLESS
    assert {name for _, attributes in page.tags for name in attributes} <= {
        *(
            "aria-label",
            "aria-labelledby",
            "charset",
            "class",
            "colspan",
            "content",
            "datetime",
            "height",
            "href",
            "http-equiv",
        ),
        *("id", "lang", "name", "role", "scope", "style", "viewbox", "width", "x", "y"),
    }
    assert all(re.fullmatch(r"#[a-z_-]+", link) for link in page.attributes("href"))
    assert all(
        re.fullmatch(r"(?:--c\d:'(?:[\w .,:()-]|\\[0-9a-f]+ )*';)+", style) for style in page.attributes("style")
    )


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: value[:20])
def test_hostile_values_are_text(value: str) -> None:
    """In whichever column, field or name: escaped, whole, and no element, attribute or link of their own."""
    page = hostile_person(value, value)

    check_harmless(page)
    shown = value.replace("\N{RIGHT-TO-LEFT OVERRIDE}", "[U+202E]")
    # Each column, the two fields with their names and nested values, and three more names with their values.
    assert page.values.count(shown) >= 18


@pytest.mark.parametrize("value", HOSTILE[:6], ids=lambda value: value[:20])
def test_hostile_texts_of_the_controller_and_the_look_ups_are_text(value: str) -> None:
    """On each of the pages, addresses included."""
    records = [look_up(value, "not_found", api_url=value, request_id=value)]
    texts = Notice(texts=dict.fromkeys(COMPLETE.texts, value), law=value)
    request = Request(reference=value)
    shown = value.replace("\N{RIGHT-TO-LEFT OVERRIDE}", "[U+202E]")

    for page in (
        page_of(survey(records, [value, "<b>"], api_url=value)),
        page_of(replace(evidence(records, [value]), request=request, request_ids=[value])),
        page_of(replace(answer(found(JANE, emails=1), texts=texts), request=request)),
    ):
        check_harmless(page)
        assert shown in page.text


TEXTS = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=["Cc"],
        exclude_characters="@%[{\N{FULLWIDTH COMMERCIAL AT}\N{SMALL COMMERCIAL AT}",
    ),
    min_size=1,
)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


def texts_in(value: Any) -> list[str]:  # noqa: ANN401  any JSON
    """The texts and names of a value, in its order."""
    match value:
        case str():
            return [value]
        case list():
            return [text for element in value for text in texts_in(element)]
        case dict():
            return [text for name, element in value.items() for text in [name, *texts_in(element)]]
        case _:
            return []


@given(VALUES)
def test_every_value_is_on_the_page(value: JSON) -> None:
    """Whole and unchanged, in its order, whatever it is."""
    records = [
        entry("customer_data", JANE, "CRM", objects=[{"fields": [{"name": "name", "value": value}]}]),
        look_up(JANE, "found", customer_data_count=1),
    ]
    page = page_of(answer(records))
    shown = iter(page.values)

    check_harmless(page)
    assert all(text in shown for text in texts_in(value))


@pytest.mark.parametrize(
    "code, shown", [(0x00, "\N{SYMBOL FOR NULL}"), (0x1B, "\N{SYMBOL FOR ESCAPE}"), (0x9B, "[U+009B]")]
)
def test_what_no_reader_can_see_is_shown(code: int, shown: str) -> None:
    """Control characters, which HTML cannot hold, become their symbols."""
    assert f"a{shown}b" in hostile_person(f"a{chr(code)}b").text


def test_nested_values_are_lists_and_no_json_is_shown() -> None:
    """JSON within a text, too, such as the mirror id."""
    page = hostile_person('{"integrationId":"262","crmIds":[1,2.50,true,null,"",[],{}]}')

    assert '{"' not in page.text
    assert "integrationId262crmIds12.50yesno valueempty textempty listempty list" in page.text


def test_the_page_is_one_file_that_may_fetch_nothing() -> None:
    """It has a policy that forbids all but its own styles, a language, and one title."""
    page = page_of(answer(found(JANE, emails=1)))
    policies = [tag["content"] for name, tag in page.tags if name == "meta" and tag.get("http-equiv")]

    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert page.attributes("lang") == ["en"]
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.tags}


def test_headings_are_in_order_and_tables_have_headers() -> None:
    """There is one top heading, no level is skipped, and each header cell says what it heads."""
    page = hostile_person("text")
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(attributes.get("scope") in {"col", "row"} for tag, attributes in page.tags if tag == "th")
    assert len(page.attributes("id")) == len(set(page.attributes("id")))
    assert {link[1:] for link in page.attributes("href")} <= set(page.attributes("id"))


def test_many_entries_fold_by_year() -> None:
    """Each group says how many entries it has; together they are all."""
    records = [entry("emails", JANE, str(n), sent_time=f"{2020 + n % 3}-01-01T00:00:00Z") for n in range(299)]
    records.append(entry("emails", JANE, "undated"))
    page = page_of(answer([*records, look_up(JANE, "found", emails_count=300)]))

    assert [f"{year} {count}" for year, count in re.findall(r"(20\d\d|Without a date)(\d+) e-mail", page.text)] == [
        "2022 99",
        "2021 100",
        "2020 100",
        "Without a date 1",
    ]
    assert sum(len(table) - 1 for table in page.tables if table[0][0] == "Sent") == 300


def test_codes_are_explained() -> None:
    """Each of Gong's documented codes has its meaning beside it."""
    records = [
        entry("customer_engagement", JANE, "1", event_type="contentViewed", reporting_system="HubSpot"),
        entry("calls", JANE, "2", status="COMPLETED"),
        look_up(JANE, "found", customer_engagement_count=1, calls_count=1),
    ]
    text = page_of(answer(records)).text

    assert "contentViewedshared content was viewed" in text
    assert "COMPLETEDthe call has taken place" in text


def test_times_are_written_out_in_utc() -> None:
    """The element keeps the exact time."""
    records = [
        entry("emails", JANE, "1", sent_time="2024-05-09T23:59:58.123456Z"),
        look_up(JANE, "found", emails_count=1),
    ]
    page = page_of(answer(records))

    assert "9 May 2024, 23:59:58 UTC" in page.text
    assert "2024-05-09T23:59:58.123456+00:00" in page.attributes("datetime")
