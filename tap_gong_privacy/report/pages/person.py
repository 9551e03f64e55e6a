"""The page for a person."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

import htpy as h
from markupsafe import Markup

from tap_gong_privacy.report.model import Result, Standing
from tap_gong_privacy.report.pages import html, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_gong_privacy.report.pages.html import Node
    from tap_gong_privacy.report.person import Beside, Kind, Person
    from tap_gong_privacy.report.rows.tables import Row, Value

_PART: Final = h.span(".part")
_ADDRESS: Final = h.div(".address")
_IDS: Final = h.div(".ids")
_LABELS: Final = {column: Markup(h.span(".label")[name]) for column, name in texts.COLUMNS.items()}  # noqa: S704  own texts
_FOLDED_FROM: Final = 100
_SHAPES: Final = {Result.DATA_HELD: "held", Result.NOTHING_HELD: ""}


def page(person: Person) -> Iterator[bytes]:
    """Return the page, part by part."""
    title = texts.person_title(person.addresses)
    parts = (
        ("asked", texts.ASKED, _asked(person)),
        ("short", texts.SHORT, _in_short(person)),
        ("held", texts.HELD, _held(person)),
        ("law", texts.LAW, _law(person)),
        ("not-said", texts.NOT_SAID, _not_said(person)),
    )
    return html.page(
        title,
        html.head(
            texts.PERSON_KICKER,
            html.own_text(title),
            h.p(".lead")[html.own_text(texts.lead(person))],
            h.p(".made")[texts.MADE, " ", html.moment(person.made_at)],
        ),
        _open_points(person),
        h.nav(aria_label=texts.CONTENTS)[h.ol[(h.li[h.a(href=f"#{anchor}")[name]] for anchor, name, _ in parts)]],
        (html.section(anchor, name, content) for anchor, name, content in parts),
        footer=h.p[texts.MADE, " ", html.moment(person.made_at)],
    )


def _open_points(person: Person) -> Node:
    lines = [texts.gap(gap) for gap in person.gaps]
    if person.are_pseudonyms:
        lines.append(texts.PSEUDONYMS)
    if lines:
        return h.aside(".alert")[h.p[texts.NOT_COMPLETE], h.p[texts.DO_NOT_SEND], html.bullets(lines)]
    if missing := len(person.missing_texts):
        return h.aside(".alert")[h.p[texts.DRAFT], h.p[texts.missing_texts(missing)]]
    return None


def _asked(person: Person) -> Node:
    has_many = len({standing.api_url for standing in person.standings}) > 1
    header = [texts.SPELLING, texts.RESULT, texts.ANSWERED, texts.REQUEST_ID, *([texts.GONG] if has_many else [])]
    return [
        h.p(".soft")[texts.ASKED_TEXT],
        h.p(".missing")[texts.columns_not_loaded(person.missing)] if person.missing else None,
        html.table(header, (_standing(standing, has_many=has_many) for standing in person.standings)),
    ]


def _standing(standing: Standing, *, has_many: bool) -> h.Element:
    answer, later, result = standing.answer, standing.later, standing.result
    asked = answer or standing.latest
    return h.tr[
        h.th(scope="row")[html.own_text(standing.address)],
        h.td[
            h.span({"class": ["tag", _SHAPES.get(result, "open")]})[texts.RESULTS[result]],
            h.span(".code")[texts.RESULT_MEANINGS[result]],
            h.span(".code")[texts.later_outcome(later.status, later.at)] if later else None,
        ],
        h.td[_when(standing)],
        h.td[html.identifier(asked.request_id) if asked else html.nothing()],
        has_many and h.td[html.own_text(standing.api_url or texts.URL_NOT_RECORDED)],
    ]


def _when(standing: Standing) -> Node:
    if standing.answer:
        return html.moment(standing.answer.at)
    latest = standing.latest
    return [
        html.nothing(texts.NEVER),
        h.span(".code")[f"{texts.LOOKED_UP} ", html.moment(latest.at), f" ({texts.status(latest.status)})"]
        if latest
        else None,
    ]


def _in_short(person: Person) -> Node:
    rows = (
        h.tr[
            h.th(scope="row")[h.a(href=f"#{kind.stream}")[texts.STREAMS[kind.stream]]],
            h.td(".number")[_amount(kind, person)],
            h.td[
                texts.MEANINGS[kind.stream],
                h.span(".code")[happened] if kind.rows and (happened := _happened(kind)) else None,
            ],
        ]
        for kind in person.kinds
    )
    return html.table((texts.KIND, texts.ENTRIES, texts.MEANING), rows, numbers=(1,), stacks=False)


def _happened(kind: Kind) -> str | None:
    if not kind.times:
        return texts.NO_DATES.get(kind.stream)
    return texts.span(kind.times[-1], kind.times[0])


def _amount(kind: Kind, person: Person) -> Node:
    if not kind.is_loaded:
        return html.nothing(texts.NOT_LOADED)
    if not kind.rows and not (person.is_known and kind.counted is not None):
        return html.nothing(texts.UNKNOWN)
    return (
        texts.number(len(kind.rows)) if kind.counted == len(kind.rows) else texts.some_of(len(kind.rows), kind.counted)
    )


def _held(person: Person) -> Node:
    return [
        h.p(".soft")[texts.NEWEST_FIRST],
        (h.p(".soft")[line] for line in texts.masked(person.masked_addresses, person.masked_links)),
        (_kind(kind, person) for kind in person.kinds),
        _beside(person),
    ]


def _kind(kind: Kind, person: Person) -> Node:
    return html.section(
        kind.stream,
        [texts.STREAMS[kind.stream], h.small[texts.number(len(kind.rows))] if kind.rows else None],
        (h.p(".missing" if is_gap else ".soft")[text] for text, is_gap in _remarks(kind, person)),
        _entries(kind, has_many=len(person.addresses) > 1) if kind.rows else None,
        is_inner=True,
    )


def _remarks(kind: Kind, person: Person) -> Iterator[tuple[str, bool]]:
    if not kind.is_loaded:
        yield texts.stream_not_loaded(kind.counted if person.is_known else None), True
        return
    if kind.missing:
        yield texts.columns_not_loaded(kind.missing), True
    if kind.counted is not None and kind.counted != len(kind.rows):
        yield texts.other_count(kind.counted, len(kind.rows)), True
    elif not kind.rows:
        is_answered = person.is_known and kind.counted == 0
        yield (texts.NOTHING_HERE, False) if is_answered else (texts.NOT_KNOWN_HERE, True)


def _entries(kind: Kind, *, has_many: bool) -> Node:
    if kind.stream == "customer_data":
        return (_system(row, has_many=has_many) for row in kind.rows)
    header, cells = _LAYOUTS[kind.stream]

    def table(rows: Sequence[Row]) -> Node:
        return html.table(header, (_row(row, cells(row), has_many=has_many) for row in rows))

    if len(kind.rows) <= _FOLDED_FROM:
        return table(kind.rows)
    return (
        h.details[h.summary[label, h.small[texts.count(len(rows), *texts.STREAM_NOUNS[kind.stream])]], table(rows)]
        for label, rows in _by_year(kind)
    )


def _by_year(kind: Kind) -> Iterator[tuple[str, list[Row]]]:
    if not kind.times:
        yield texts.STREAMS[kind.stream], list(kind.rows)
        return
    for year, rows in groupby(kind.rows, key=kind.year_of):
        yield str(year or texts.NO_DATE), list(rows)


def _row(row: Row, cells: Sequence[Node], *, has_many: bool) -> h.Element:
    first, *others = cells
    return html.row([first, _parts(row, "email_address")] if has_many else first, *others)


def _cell(row: Row, column: str, shown: Callable[[Value], Node] = html.show) -> Node:
    return shown(row[column]) if column in row else html.nothing(texts.NOT_LOADED)


def _parts(row: Row, *columns: str) -> Node:
    return [_PART[_LABELS[column], _cell(row, column, _shown(column))] for column in columns]


def _shown(column: str) -> Callable[[Value], Node]:
    if column in {"event_type", "system", "status"}:
        return html.code
    return (
        html.identifier
        if column in {"id", "message_hash", "content_id", "source_event_id", "event_hash"}
        else html.show
    )


def _email(row: Row) -> Sequence[Node]:
    return (
        _cell(row, "sent_time"),
        _ADDRESS[_cell(row, "from")],
        _ADDRESS[_cell(row, "mailbox")],
        _IDS[_parts(row, "id", "message_hash")],
    )


def _call(row: Row) -> Sequence[Node]:
    return _cell(row, "id", html.identifier), _cell(row, "status", html.code), _cell(row, "external_systems", _links)


def _links(value: Value) -> Node:
    if not isinstance(value, list) or not value:
        return html.show(value)
    return h.ul[(h.li[_link(element)] for element in value)]


def _link(element: Value) -> Node:
    return html.pairs(element) if isinstance(element, dict) else html.show(element)


def _meeting(row: Row) -> Sequence[Node]:
    return (_cell(row, "id", html.identifier),)


def _event(row: Row) -> Sequence[Node]:
    return (
        _cell(row, "timestamp"),
        _parts(row, "event_type", "event_name"),
        _parts(row, "content_id", "content_url"),
        _parts(row, "reporting_system", "source_event_id", "event_hash"),
    )


_LAYOUTS: Final[Mapping[str, tuple[Sequence[str], Callable[[Row], Sequence[Node]]]]] = {
    "emails": (
        (texts.COLUMNS["sent_time"], texts.COLUMNS["from"], texts.COLUMNS["mailbox"], texts.IDENTIFIERS),
        _email,
    ),
    "calls": ((texts.COLUMNS["id"], texts.COLUMNS["status"], texts.COLUMNS["external_systems"]), _call),
    "meetings": ((texts.COLUMNS["id"],), _meeting),
    "customer_engagement": ((texts.COLUMNS["timestamp"], texts.KIND, texts.CONTENT, texts.SOURCE), _event),
}


def _system(row: Row, *, has_many: bool) -> Node:
    objects = row.get("objects")
    return [
        h.h4[
            html.code(row.get("system")) if "system" in row else html.nothing(texts.NOT_LOADED),
            has_many and h.small[html.show(row.get("email_address"))],
        ],
        _folded_objects(objects) if isinstance(objects, list) and objects else _cell(row, "objects"),
    ]


def _folded_objects(objects: Sequence[Value]) -> Node:
    if len(objects) <= _FOLDED_FROM:
        return (_object(element) for element in objects)
    return h.details[
        h.summary[texts.COLUMNS["objects"], h.small[texts.number(len(objects))]],
        (_object(element) for element in objects),
    ]


def _object(element: Value) -> Node:
    if not isinstance(element, dict):
        return h.p[html.show(element)]
    fields = element.get("fields")
    facts = {name: value for name, value in element.items() if name != "fields" or not isinstance(value, list)}
    return [html.pairs(facts), _fields(fields) if isinstance(fields, list) else None]


def _fields(fields: Sequence[Value]) -> Node:
    if not fields:
        return h.p[html.nothing(texts.EMPTY_LIST)]
    return html.table((texts.FIELD, texts.COLUMNS["value"]), (_field(field) for field in fields))


def _field(field: Value) -> h.Element:
    if not isinstance(field, dict) or not {"name", "value"} <= field.keys():
        return h.tr[h.td(colspan=2)[html.show(field)]]
    more = {name: value for name, value in field.items() if name not in {"name", "value"}}
    return h.tr[h.th(scope="row")[html.show(field["name"])], h.td[html.show(field["value"]), more and html.pairs(more)]]


def _beside(person: Person) -> Node:
    found = person.beside
    nothing = texts.NOT_KNOWN_HERE if "undocumented" in person.missing or not person.is_known else texts.BESIDE_NONE
    return html.section(
        "beside",
        texts.BESIDE,
        h.p(".soft")[texts.BESIDE_TEXT if found else nothing],
        html.table((texts.BELONGS_TO, texts.COLUMNS["value"]), map(_sent_with, found)) if found else None,
        is_inner=True,
    )


def _sent_with(beside: Beside) -> h.Element:
    return html.row([texts.STREAMS[beside.stream], h.span(".code")[html.show(beside.key)]], html.pairs(beside.content))


def _law(person: Person) -> Node:
    return [
        h.p(".soft")[texts.LAW_TEXT],
        h.dl(".notice")[(_notice(key, text) for key, text in person.notice.items())],
    ]


def _notice(key: str, text: str) -> Node:
    title, article = texts.NOTICE[key]
    return [
        h.dt[title, article and h.small[article]],
        h.dd[html.paragraphs(text) if text else h.p(".missing")[texts.MISSING_TEXT]],
    ]


def _not_said(person: Person) -> Node:
    others = person.other_spellings
    return html.bullets([*texts.NOT_SAID_LINES, *([texts.not_said_other_spellings(others)] if others else [])])
