"""How the entries of each kind are shown on the page for a person."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

import htpy as h
from markupsafe import Markup

from tap_gong_privacy.report.pages import html, words
from tap_gong_privacy.report.person import FOUND_UNDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_gong_privacy.report.pages.html import Node
    from tap_gong_privacy.report.person import Kind, Person
    from tap_gong_privacy.report.rows.tables import Row, Value

_YOU: Final = html.Html(h.span(".code")["you"])
_PART: Final = h.span(".part")
_LABELS: Final = {column: Markup(h.span(".label")[name]) for column, name in words.COLUMNS.items()}  # noqa: S704  own texts
_FOLDED_FROM: Final = 100


@dataclass(frozen=True)
class _Known:
    """What the entries of one kind are compared with.

    Attributes:
        kind: The kind.
        calls: The numbers of the calls of the answer.
        is_own: Tells whether a text is one of the addresses that were asked about.
        shows_spellings: Whether each entry says under which addresses it is found.
    """

    kind: Kind
    calls: frozenset[str]
    is_own: Callable[[str], bool]
    shows_spellings: bool

    @classmethod
    def of(cls, kind: Kind, person: Person) -> _Known:
        calls = next(one.entries for one in person.kinds if one.stream == "calls")
        numbers = frozenset(str(call["id"]) for call in calls if "id" in call)
        shows_spellings = len(person.standings) > 1 and not common_spellings(kind)
        return cls(kind, numbers, person.masker.is_own, shows_spellings)


def common_spellings(kind: Kind) -> list[str]:
    """Return the addresses under which all entries of a kind are found; none if they are found under different ones."""
    different = {tuple(_spellings(row)) for row in kind.entries}
    return list(different.pop()) if len(different) == 1 else []


def _spellings(row: Row) -> list[str]:
    spellings = row.get(FOUND_UNDER)
    return [str(address) for address in spellings] if isinstance(spellings, list) else []


def entries(kind: Kind, person: Person) -> Node:
    """Return the entries of one kind."""
    known = _Known.of(kind, person)
    if kind.stream == "customer_data":
        return (_system(row, known) for row in kind.entries)
    header, cells = _LAYOUTS[kind.stream]

    def table(rows: Sequence[Row]) -> Node:
        return html.table(header, (_row(row, cells(row, known), known) for row in rows))

    if len(kind.entries) <= _FOLDED_FROM:
        return table(kind.entries)
    return (
        h.details[h.summary[label, h.small[words.amount(kind.stream, len(rows))]], table(rows)]
        for label, rows in _by_year(kind)
    )


def _by_year(kind: Kind) -> Iterator[tuple[str, list[Row]]]:
    if not kind.times:
        yield words.STREAMS[kind.stream], list(kind.entries)
        return
    for year, rows in groupby(kind.entries, key=lambda row: getattr(kind.time_of(row), "year", None)):
        yield str(year or "Without a date"), list(rows)


def _row(row: Row, cells: Sequence[Node], known: _Known) -> Node:
    *others, last = cells
    return html.row(*others, [last, _found_under(row)] if known.shows_spellings else last)


def _found_under(row: Row) -> Node:
    return _PART[_LABELS[FOUND_UNDER], [html.block(html.own_text(address)) for address in _spellings(row)]]


def _cell(row: Row, column: str, shown: Callable[[Value], Node] = html.show) -> Node:
    return shown(row[column]) if column in row else html.nothing(words.NOT_IN_COPY)


def _parts(row: Row, *columns: str) -> Node:
    return [_PART[_LABELS[column], _cell(row, column, _shown(column))] for column in columns]


def _shown(column: str) -> Callable[[Value], Node]:
    if column in {"event_type", "reporting_system"}:
        return html.code
    return html.identifier if column in {"id", "message_hash", "content_id", "source_event_id"} else html.show


def _email(row: Row, known: _Known) -> Sequence[Node]:
    return (
        _cell(row, "sent_time"),
        _address(row, "from", known),
        _address(row, "mailbox", known),
        [html.block(_cell(row, column, html.identifier)) for column in ("id", "message_hash")],
    )


def _address(row: Row, column: str, known: _Known) -> Node:
    value = row.get(column)
    return [_cell(row, column), _YOU if isinstance(value, str) and known.is_own(value) else None]


def _call(row: Row, _known: _Known) -> Sequence[Node]:
    return _cell(row, "status", html.code), _cell(row, "external_systems", _links), _cell(row, "id", html.identifier)


def _links(value: Value) -> Node:
    """Return documented objects; below them, nothing has a documented name."""
    if isinstance(value, dict):
        return html.named((_name(name), _documented(name, inner)) for name, inner in value.items())
    if isinstance(value, list) and value:
        return h.ul[(h.li[_links(element)] for element in value)]
    return html.show(value)


def _name(name: str) -> Node:
    return words.COLUMNS.get(name) or html.own_text(name)


def _documented(name: str, value: Value) -> Node:
    if name == "objects":
        return _links(value)
    return html.code(value) if name in {"system", "object_type"} else html.show(value)


def _meeting(row: Row, known: _Known) -> Sequence[Node]:
    time = known.kind.time_of(row)
    return html.moment(time) if time else html.nothing("none"), _cell(row, "id", html.identifier)


def _event(row: Row, known: _Known) -> Sequence[Node]:
    is_call = row.get("content_id") in known.calls
    return (
        _cell(row, "timestamp"),
        _parts(row, "event_type", "event_name"),
        [
            is_call and h.span(".code")[h.a(href="#calls")["A call above has this content number."]],
            _parts(row, "content_url", "content_id"),
        ],
        _parts(row, "reporting_system", "source_event_id"),
    )


_LAYOUTS: Final[Mapping[str, tuple[Sequence[str], Callable[[Row, _Known], Sequence[Node]]]]] = {
    "emails": (
        (
            words.COLUMNS["sent_time"],
            words.COLUMNS["from"],
            words.COLUMNS["mailbox"],
            "Gong's number, check number (hash)",
        ),
        _email,
    ),
    "calls": ((words.COLUMNS["status"], words.COLUMNS["external_systems"], words.COLUMNS["id"]), _call),
    "meetings": (("Date in Gong's number", words.COLUMNS["id"]), _meeting),
    "customer_engagement": ((words.COLUMNS["timestamp"], "What happened", "Content", "Source"), _event),
}


def _system(row: Row, known: _Known) -> Node:
    objects = row.get("objects")
    return [
        h.h4[html.code(row["system"]) if "system" in row else html.nothing(words.NOT_IN_COPY)],
        known.shows_spellings and _found_under(row),
        _folded_objects(objects) if isinstance(objects, list) and objects else _cell(row, "objects"),
    ]


def _folded_objects(objects: Sequence[Value]) -> Node:
    if len(objects) <= _FOLDED_FROM:
        return (_object(element) for element in objects)
    return h.details[
        h.summary[words.COLUMNS["objects"], h.small[words.number(len(objects))]],
        (_object(element) for element in objects),
    ]


def _object(element: Value) -> Node:
    """Return a record of another system: its type, its fields, and then the numbers by which it is known."""
    if not isinstance(element, dict):
        return h.p[html.show(element)]
    fields = element.get("fields")
    shown_apart = {"object_type", *(["fields"] if isinstance(fields, list) else [])}
    facts = {name: value for name, value in element.items() if name not in shown_apart}
    return [
        h.h5[html.code(element["object_type"]) if "object_type" in element else "Record"],
        _fields(fields) if isinstance(fields, list) else None,
        h.div(".small")[_links(facts)] if facts else None,
    ]


def _fields(fields: Sequence[Value]) -> Node:
    filled = [field for field in fields if not _is_empty(field)]
    empty = [str(field["name"]) for field in fields if isinstance(field, dict) and _is_empty(field)]
    return [
        html.table(("Field", words.COLUMNS["value"]), map(_field, filled), stacks=False) if filled else None,
        empty
        and h.details[
            h.summary[words.plural(len(empty), "{number} field without a value", "{number} fields without a value")],
            h.p(".soft")[_enumerated(empty)],
        ],
        None if fields else h.p[html.nothing("empty list")],
    ]


def _enumerated(names: Sequence[str]) -> Node:
    return [[", " if index else None, html.own_text(name)] for index, name in enumerate(names)]


def _is_empty(field: Value) -> bool:
    """Return whether a field has a name and no value."""
    return isinstance(field, dict) and field.keys() == {"name", "value"} and field["value"] in (None, "", [], {})


def _field(field: Value) -> h.Element:
    if not isinstance(field, dict) or not {"name", "value"} <= field.keys():
        return h.tr[h.td(colspan=2)[html.show(field)]]
    more = {name: value for name, value in field.items() if name not in {"name", "value"}}
    return h.tr[h.th(scope="row")[html.show(field["name"])], h.td[html.show(field["value"]), more and html.pairs(more)]]
