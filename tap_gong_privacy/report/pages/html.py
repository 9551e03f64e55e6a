"""What the pages share: the frame, tables, and how a value is shown."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Final, TypeAlias

import htpy as h
from markupsafe import Markup

from tap_gong_privacy.report.pages import words
from tap_gong_privacy.report.rows.masking import DEEPEST, nested
from tap_gong_privacy.report.rows.tables import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_gong_privacy.report.rows.tables import Value

Node: TypeAlias = h.Node


class Html(str):
    """HTML whose texts are escaped. A page can have a million of these, and a `Markup` takes ten times as long."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return it as it is."""
        return self


# As it is: an attribute of htpy's would escape the quotes, which a browser reads and a person does not.
_POLICY: Final = Markup(
    """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">"""
)
_LONG: Final = 2000
_FIRST_OF_LONG: Final = 160
# A longer address may break over two lines.
_SHORT_ADDRESS: Final = re.compile(r"(?<!\S)(?=\S*@)\S{1,29}(?!\S)")
# What HTML cannot hold, or no reader can see, as the symbols that stand for it. Tabs and line ends stay.
_CONTROLS: Final = {code: 0x2400 + code for code in range(0x20) if code not in {0x09, 0x0A}} | {0x7F: 0x2421}
_C1: Final = {code: f"[U+{code:04X}]" for code in range(0x80, 0xA0)}
# What changes the order in which a text is read. The marks for a direction stay, because Hebrew and Arabic need them.
_REORDERING: Final = {code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_UNSEEN: Final = _CONTROLS | _C1 | _REORDERING
_UNSAFE_IN_CSS: Final = re.compile(r"[^\w .,:()-]", re.ASCII)


def page(title: str, *content: Node, margin: str) -> Iterator[bytes]:
    """Return a page, part by part: one file that fetches nothing and runs nothing.

    Args:
        title: The title of the window.
        content: What the page holds.
        margin: The text at the foot of each printed page, beside its number.
    """
    # A page box takes its text from a style sheet alone.
    foot = f"@page{{@bottom-left{{content:'{_in_css(margin)}'}}}}"
    document = h.html(lang=words.LANGUAGE)[
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
            h.style[Markup(_stylesheet() + foot)],  # noqa: S704  a file of this package, and a text without quotes
        ],
        h.body[h.main[content]],
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


def table(header: Sequence[str], rows: Iterable[Node], *, numbers: Sequence[int] = (), stacks: bool = True) -> Node:
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
        # Each row is rendered here: 60,000 rows that pass through every level of the page take half a minute.
        h.tbody[(Markup(_rendered(one)) for one in rows)],  # noqa: S704  it is HTML
    ]


def _in_css(text: str) -> str:
    """Return a text as the content of a string in a style sheet, which can end neither the string nor the sheet."""
    return _UNSAFE_IN_CSS.sub(lambda match: f"\\{ord(match[0]):x} ", text)


def _rendered(node: Node) -> str:
    """Return a node as HTML."""
    if isinstance(node, Html):
        return node
    if isinstance(node, str):
        return escape(node)
    if node is None or isinstance(node, bool):
        return ""
    if isinstance(node, list | tuple):
        return "".join(map(_rendered, node))
    return str(h.fragment[node])


def row(*cells: Node) -> Html:
    """Return a row of a table."""
    return Html(f"<tr>{''.join(f'<td>{_rendered(cell)}</td>' for cell in cells)}</tr>")


def moment(time: datetime) -> Html:
    """Return a time, written out."""
    return Html(f'<time datetime="{time.isoformat()}">{words.time(time)}</time>')


def nothing(text: str = "no value") -> Html:
    """Return the words for a missing value."""
    return Html(f'<span class="none">{escape(text)}</span>')


def identifier(value: Value) -> Html:
    """Return a value that machines made."""
    return nothing() if value is None else Html(f'<span class="id">{_rendered(show(value))}</span>')


def block(*content: Node) -> Html:
    """Return content that begins on a line of its own."""
    return Html(f"<div>{''.join(map(_rendered, content))}</div>")


def code(value: Value) -> Node:
    """Return one of Gong's codes, with its meaning if that is known."""
    meaning = words.CODES.get(value) if isinstance(value, str) else None
    return [show(value), meaning and h.span(".code")[meaning]]


def show(value: Value, unfolds: int = DEEPEST) -> Node:
    """Return a value as it is: all of it, nested ones as lists, never as code.

    Args:
        value: The value.
        unfolds: How many texts with JSON in each other are taken apart.
    """
    if unfolds and isinstance(value, str) and (inner := nested(value)) is not None:
        value = inner
        unfolds -= 1
    if value is None or (isinstance(value, str | list | dict) and not value):
        return nothing(_NOTHINGS[type(value)])
    if isinstance(value, Unreadable):
        return nothing("cannot be shown, because it is not stored as JSON")
    if isinstance(value, str):
        return _text(value)
    return _show_other(value, unfolds)


def _show_other(value: Value, unfolds: int) -> Node:
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return moment(value)
        case list():
            return h.ul[(h.li[show(element, unfolds)] for element in value)]
        case dict():
            return named((own_text(name), show(inner, unfolds)) for name, inner in value.items())
        case _:
            return str(value)


_NOTHINGS: Final = {type(None): "no value", str: "empty text", list: "empty list", dict: "empty list"}


def _text(value: str) -> Node:
    if len(value) <= _LONG:
        return own_text(value)
    text = _visible(value)
    length = words.number(len(value))
    return h.details(".long")[
        h.summary[h.bdi[text[:_FIRST_OF_LONG]], "… ", h.small[f"({length} characters: open to read them all)"]],
        h.bdi[text],
    ]


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():  # the usual case, and much faster
        return text
    return text.replace("\r\n", "\n").translate(_UNSEEN)


def own_text(text: str) -> Html:
    """Return a text that somebody gave, apart from the direction of the text around it."""
    shown = escape(_visible(text))
    if "@" in text:
        shown = _SHORT_ADDRESS.sub(r'<span class="whole">\g<0></span>', shown)
    return Html(f"<bdi>{shown}</bdi>")


def pairs(content: Mapping[str, Value]) -> Node:
    """Return names with their values, as somebody has written them."""
    return named((own_text(name), show(value)) for name, value in content.items())


def named(content: Iterable[tuple[Node, Node]]) -> Node:
    """Return values beside their names."""
    return h.dl(".pairs")[(h.div[h.dt[name], h.dd[value]] for name, value in content)]


def paragraphs(text: str) -> Node:
    """Return a text of the controller's: a blank line begins a new paragraph."""
    return [h.p[own_text(part.strip())] for part in re.split(r"\n\s*\n", text)]


def bullets(lines: Iterable[Node]) -> Node:
    """Return sentences as a list."""
    return h.ul(".plain")[(h.li[line] for line in lines)]


def several(values: Sequence[Node]) -> Node:
    """Return one value as it is, and several as a list; None if there is none."""
    return h.ul(".plain")[(h.li[value] for value in values)] if len(values) > 1 else next(iter(values), None)


def facts(content: Mapping[str, Node]) -> Node:
    """Return short facts with their names; those without a value are left out."""
    return h.dl(".facts")[([h.dt[name], h.dd[value]] for name, value in content.items() if value)]
