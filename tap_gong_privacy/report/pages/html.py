"""What the pages share: the frame, tables, and how a value is shown."""

from __future__ import annotations

import re
from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING, Final, TypeAlias

import htpy as h
from markupsafe import Markup

from tap_gong_privacy.report.pages import texts
from tap_gong_privacy.report.rows.masking import nested

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_gong_privacy.report.rows.tables import Value

Node: TypeAlias = h.Node
_NONE: Final = h.span(".none")
_ID: Final = h.span(".id")
# As it is: an attribute of htpy's would escape the quotes, which a browser reads and a person does not.
_POLICY: Final = Markup(
    """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">"""
)
_LONG: Final = 2000
_FIRST_OF_LONG: Final = 160
# What HTML cannot hold, or no reader can see, as the symbols that stand for it. Tabs and line ends stay.
_CONTROLS: Final = {code: 0x2400 + code for code in range(0x20) if code not in {0x09, 0x0A}} | {0x7F: 0x2421}
_C1: Final = {code: f"[U+{code:04X}]" for code in range(0x80, 0xA0)}
_UNSEEN: Final = _CONTROLS | _C1
_UNSAFE_IN_CSS: Final = re.compile("[^\\w .,()\N{RIGHT SINGLE QUOTATION MARK}-]")


def page(title: str, *content: Node, footer: Node = None) -> Iterator[bytes]:
    """Return a page, part by part: one file that fetches nothing and runs nothing."""
    document = h.html(lang=texts.LANGUAGE)[
        h.head[
            h.meta(charset="utf-8"),
            _POLICY,
            h.meta(name="viewport", content="width=device-width, initial-scale=1"),
            h.meta(name="color-scheme", content="light dark"),
            h.meta(name="referrer", content="no-referrer"),
            h.meta(name="robots", content="noindex, nofollow"),
            # A telephone would make links out of numbers and addresses.
            h.meta(name="format-detection", content="telephone=no, date=no, address=no, email=no"),
            h.title[_visible(title)],
            h.style[Markup(_stylesheet())],  # noqa: S704  a file of this package
        ],
        h.body[h.main[content], footer and h.footer[footer]],
    ]
    return (chunk.encode("utf-8", "backslashreplace") for chunk in document.iter_chunks())


def _stylesheet() -> str:
    return resources.files(__package__).joinpath("style.css").read_text(encoding="utf-8")


def head(kicker: str, title: Node, *facts: Node) -> Node:
    """Return the top of a page."""
    return h.header[h.p(".kicker")[kicker], h.h1[title], facts]


def section(anchor: str, title: Node, *content: Node, is_inner: bool = False) -> Node:
    """Return a part of a page, or of another part, under a heading that can be jumped to."""
    if is_inner:
        return h.div[h.h3(id=anchor)[title], content]
    return h.section(aria_labelledby=anchor)[h.h2(id=anchor)[title], content]


def table(
    header: Sequence[str], rows: Iterable[h.Element], *, numbers: Sequence[int] = (), stacks: bool = True
) -> Node:
    """Return a table.

    Args:
        header: The columns' names.
        rows: The rows, taken one by one.
        numbers: Columns of numbers, counted from 0.
        stacks: Whether the cells of a row stand under each other on a narrow screen.
    """
    # Names of columns, for narrow screens: said once for the whole table.
    names = "".join(f"--c{index}:'{_in_css(name)}';" for index, name in enumerate(header, 1))
    return h.table({"class": "stacks" if stacks else None}, style=names if stacks else None)[
        h.thead[
            h.tr[
                (
                    h.th({"class": "number" if i in numbers else None}, scope="col")[name]
                    for i, name in enumerate(header)
                )
            ]
        ],
        # Each row is put together where it is: text that passes through every level of the page costs half a minute for
        # 60,000 of them.
        h.tbody[(Markup(one) for one in rows)],  # noqa: S704  an element, which has escaped its texts
    ]


def _in_css(name: str) -> str:
    return _UNSAFE_IN_CSS.sub(" ", name.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"))


def row(*cells: Node) -> h.Element:
    """Return a row of a table."""
    return h.tr[[h.td[cell] for cell in cells]]


def moment(time: datetime) -> Node:
    """Return a time, written out."""
    return h.time(datetime=time.isoformat())[texts.time(time)]


def nothing(text: str = texts.NO_VALUE) -> Node:
    """Return the words for a missing value."""
    return _NONE[text]


def identifier(value: Value) -> Node:
    """Return a value that machines made."""
    return nothing() if value is None else _ID[show(value)]


def code(value: Value) -> Node:
    """Return one of Gong's codes, with its meaning where that is known."""
    meaning = texts.CODES.get(value) if isinstance(value, str) else None
    return [show(value), meaning and h.span(".code")[meaning]]


def show(value: Value) -> Node:
    """Return a value as it is: all of it, nested ones as lists, never as code."""
    if isinstance(value, str) and (inner := nested(value)) is not None:
        value = inner
    if value is None or (isinstance(value, str | list | dict) and not value):
        return nothing(_NOTHINGS[type(value)])
    shown: Node = str(value)
    match value:
        case bool():
            shown = texts.YES if value else texts.NO
        case datetime():
            shown = moment(value)
        case str():
            shown = _text(value)
        case list():
            shown = h.ul[(h.li[show(element)] for element in value)]
        case dict():
            shown = pairs(value)
    return shown


_NOTHINGS: Final = {
    type(None): texts.NO_VALUE,
    str: texts.EMPTY_TEXT,
    list: texts.EMPTY_LIST,
    dict: texts.EMPTY_LIST,
}


def _text(value: str) -> Node:
    text = _visible(value)
    if len(text) <= _LONG:
        return h.bdi[text]
    return h.details(".long")[
        h.summary[h.bdi[text[:_FIRST_OF_LONG]], "… ", h.small[texts.long_text(len(value))]],
        h.bdi[text],
    ]


def _visible(text: str) -> str:
    return text.replace("\r\n", "\n").translate(_UNSEEN)


def own_text(text: str) -> Node:
    """Return a text that somebody gave, apart from the direction of the text around it."""
    return h.bdi[_visible(text)]


def pairs(content: Mapping[str, Value]) -> Node:
    """Return names with their values."""
    return h.dl(".pairs")[(_pair(name, value) for name, value in content.items())]


def _pair(name: str, value: Value) -> Node:
    return h.div[h.dt[_name(name)], h.dd[code(value) if name in _CODED else show(value)]]


_CODED: Final = {"status", "system", "object_type", "event_type"}


def _name(name: str) -> Node:
    return texts.COLUMNS.get(name) or h.bdi[_visible(name)]


def paragraphs(text: str) -> Node:
    """Return a text of the controller's: a blank line begins a new paragraph."""
    return [h.p[own_text(part.strip())] for part in re.split(r"\n\s*\n", text)]


def bullets(lines: Iterable[Node]) -> Node:
    """Return sentences as a list."""
    return h.ul(".plain")[(h.li[line] for line in lines)]


def facts(**content: Node) -> Node:
    """Return short facts with their names."""
    return h.dl(".facts")[([h.dt[name], h.dd[value]] for name, value in content.items())]
