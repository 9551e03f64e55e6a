"""Masks other people's addresses and the parts of links that open recordings, and withholds CRM fields by name."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from tap_gong_privacy.gong import json_text
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.report.rows.found_addresses import AT_SIGNS, find, is_address, key_of, visible
from tap_gong_privacy.report.rows.tables import Unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from tap_gong_privacy.gong.documented import Field
    from tap_gong_privacy.gong.json_text import JSON
    from tap_gong_privacy.report.rows.found_addresses import FoundAddress
    from tap_gong_privacy.report.rows.tables import Row, Value

WITHHELD: Final = "withheld"
"""What the page shows in place of the value of a hidden field."""
LABELS: Final = {
    "sender": "sender {number} ({masked})",
    "mailbox": "mailbox {number} ({masked})",
    "person": "person {number} ({masked})",
    "staff": "our staff {number}",
}
"""What the page shows in place of an address. `masked` stands for the address in the form `s…@example.com`."""
_NOUNS: Final = {("emails", "from"): "sender", ("emails", "mailbox"): "mailbox"}
_ELSEWHERE: Final = "person"
_MARK: Final = "…"
_encoder: Final = msgspec.json.Encoder(decimal_format="number")

_LINK: Final = re.compile(
    r"""(?:(?::|%(?:25)*3a)(?:\\?/|%(?:25)*2f){2}|(?<![^\s"'(=<>])(?://|www\.)
    |(?<![\w.@/%+-])(?:[\w-]++\.)+[^\W\d_]{2,}+(?::\d++)?(?=/|\?[\w.-]++=))[^\s<>"]+""",
    re.IGNORECASE | re.VERBOSE,
)
# The number sign of an entity, as in `&#64;`, begins no fragment.
_REST_OF_LINK: Final = re.compile(
    r"(?:[?\uff1f\uff03]|(?<!&)(?<!amp;)\#|%(?:25)*(?:3f|23)).+", re.IGNORECASE | re.DOTALL
)
_TOKEN: Final = re.compile(r"(tkn(?:=|%(?:25)*3d))[^/;&?#\s<>\"…]+", re.IGNORECASE)
_LINK_SIGNS: Final = re.compile(r"[?#=%\uff1f\uff03]")
# A text without any of these has nothing to mask.
_SIGNS: Final = re.compile(rf"[{AT_SIGNS}&%\\=?#\uff1f\uff03{{\[]")
# Gong's id of a meeting in a Google calendar. It looks like an address, but is nobody's.
_CALENDAR_ID: Final = re.compile(
    r"[0-9]{5,}\.(?=[a-v]*[0-9])[0-9a-v]{5,}(?:_R?[0-9TZ]+)?@google\.com(?:_[0-9TZ:.+-]+)?"
)

# The tap adds a number to the second of two equal names.
_NUMBER: Final = re.compile(r"#[0-9]+\s*$")
_COLUMNS: Final = {section.stream: {inner.column: inner.fields for inner in section.fields} for section in SECTIONS}
# How many texts with JSON in each other are taken apart. More could exhaust Python's stack.
DEEPEST: Final = 2
_LONGEST_REMEMBERED: Final = 200
_MOST_REMEMBERED: Final = 5000


@dataclass
class Masker:
    """Masks the values of one page, and counts what it masks.

    Attributes:
        own: The addresses that were asked about. They are never masked, in any case.
        staff_domains: The company's domains. Their subdomains count too.
        hidden_fields: Names of CRM fields whose values are withheld. Case and outer white space do not matter.
        shows_others: Whether other people's addresses are shown.
        shows_links: Whether links are shown whole.
        addresses: How many addresses were masked.
        links: How many links were shortened.
        withheld: How many values were withheld, by the field's name in the data.
    """

    own: Collection[str]
    staff_domains: Collection[str] = ()
    hidden_fields: Collection[str] = ()
    shows_others: bool = False
    shows_links: bool = False
    addresses: int = 0
    links: int = 0
    withheld: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare what values are compared with."""
        self._own = {key_of(address.strip()) for address in self.own}
        self._staff = tuple(f".{key_of(domain.strip().lstrip('@.'))}" for domain in self.staff_domains)
        self._hidden = {name.strip().casefold() for name in self.hidden_fields}
        self._labels: dict[str, str] = {}
        self._remembered: dict[str, tuple[str, int, int]] = {}
        self._depth = 0

    def row(self, stream: str, row: Row) -> Row:
        """Return a row with its values masked."""
        return {column: self._column(stream, column, value) for column, value in row.items()}

    def value(self, value: JSON) -> JSON:
        """Return a value with all its texts masked, names of objects included."""
        return self._value(value, _ELSEWHERE)

    def text(self, text: str) -> str:
        """Return a text without other people's addresses and without what opens a link."""
        return self._text(text, _ELSEWHERE)

    def is_own(self, text: str) -> bool:
        """Return whether a text is one of the addresses that were asked about, in any case."""
        return key_of(text) in self._own

    def _column(self, stream: str, column: str, value: Value) -> Value:
        if isinstance(value, str):
            if stream == "meetings" and column == "id" and _CALENDAR_ID.fullmatch(value):
                return value
            return self._text(value, _NOUNS.get((stream, column), _ELSEWHERE))
        if value is None or isinstance(value, datetime | Unreadable):
            return value
        return self._value(value, _ELSEWHERE, _COLUMNS.get(stream, {}).get(column, ()))

    def _value(self, value: JSON, noun: str, fields: Sequence[Field] = ()) -> JSON:
        match value:
            case str():
                return self._text(value, noun)
            case list():
                return [self._value(element, noun, fields) for element in value]
            case dict():
                return self._object(value, noun, {inner.column: inner.fields for inner in fields})
            case _:
                return value

    def _object(self, value: Mapping[str, JSON], noun: str, columns: Mapping[str, Sequence[Field]]) -> dict[str, JSON]:
        hidden = self._withhold(value, columns) if self._hidden else frozenset()
        masked: dict[str, JSON] = {}
        numbers = Counter[str]()
        for key, element in value.items():
            name = shown = self._text(key, noun)
            # Two names may become one when they are masked. Neither must be lost.
            while name in masked or (name != key and name in value):
                numbers[shown] += 1
                name = f"{shown}#{numbers[shown] + 1}"
            masked[name] = WITHHELD if key in hidden else self._value(element, noun, columns.get(key, ()))
        return masked

    def _withhold(self, value: Mapping[str, JSON], columns: Mapping[str, Sequence[Field]]) -> AbstractSet[str]:
        """Return which members of an object are withheld, and count them.

        Args:
            value: Either one field with its `name`, as Gong sends the fields of a CRM; or fields by their names.
            columns: The members that Gong documents. They are no fields of a CRM, even if they have the name of one.
        """
        filled = [key for key, element in value.items() if element is not None and element not in ("", [], {})]
        name = value.get("name")
        if isinstance(name, str) and self._is_hidden(name):
            hidden = [key for key in filled if key != "name"]
            counted = [name] if hidden else []
        else:
            counted = hidden = [key for key in filled if key not in columns and self._is_hidden(key)]
        for withheld in counted:
            self.withheld[withheld] = self.withheld.get(withheld, 0) + 1
        return frozenset(hidden)

    def _is_hidden(self, name: str) -> bool:
        return not self._hidden.isdisjoint(part.strip().casefold() for part in (name, _NUMBER.sub("", name)))

    def _text(self, text: str, noun: str) -> str:
        if not _SIGNS.search(text):
            return text
        if remembered := self._remembered.get(text):
            masked, addresses, links = remembered
            self.addresses += addresses
            self.links += links
            return masked
        inner = nested(text) if self._depth < DEEPEST else None
        if inner is not None:
            return self._json(text, inner, noun)
        addresses, links = self.addresses, self.links
        masked = self._plain(text, noun)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self._remembered) == _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[text] = masked, self.addresses - addresses, self.links - links
        return masked

    def _json(self, text: str, inner: JSON, noun: str) -> str:
        before = self._total()
        self._depth += 1
        masked = self._value(inner, noun)
        self._depth -= 1
        return text if self._total() == before else _encoder.encode(masked).decode()

    def _total(self) -> int:
        return self.addresses + self.links + sum(self.withheld.values())

    def _plain(self, text: str, noun: str) -> str:
        if self.is_own(text):
            return text
        # A text that is one address has no parts of a link, although its local part may look like them.
        is_masked_whole = not self.shows_others and is_address(text)
        if not (self.shows_links or is_masked_whole):
            text = self._without_links(text)
        return text if self.shows_others else self._without_addresses(text, noun)

    def _without_links(self, text: str) -> str:
        if not _LINK_SIGNS.search(text):
            return text
        parts: list[str] = []
        end = 0
        for match in _LINK.finditer(text):
            parts += [self._without_tokens(text[end : match.start()]), self._shortened(match[0])]
            end = match.end()
        return "".join([*parts, self._without_tokens(text[end:])])

    def _shortened(self, link: str) -> str:
        shortened = _TOKEN.sub(rf"\1{_MARK}", _REST_OF_LINK.sub("", link))
        self.links += shortened != link
        return shortened

    def _without_tokens(self, text: str) -> str:
        text, count = _TOKEN.subn(rf"\1{_MARK}", text)
        self.links += count
        return text

    def _without_addresses(self, text: str, noun: str) -> str:
        parts: list[str] = []
        written = 0
        for address in find(text):
            key = address.key
            if key not in self._own:
                label = self._label(key, address, noun) if address.is_whole else address.initial + _MARK
                parts += [text[written : address.start], label]
                written = address.end
                self.addresses += 1
        return "".join([*parts, text[written:]])

    def _label(self, key: str, address: FoundAddress, noun: str) -> str:
        if key not in self._labels:
            noun = "staff" if f".{key_of(address.domain)}".endswith(self._staff) else noun
            masked = f"{address.initial}{_MARK}@{visible(address.domain)}"
            self._labels[key] = LABELS[noun].format(number=len(self._labels) + 1, masked=masked)
        return self._labels[key]

    @property
    def labels(self) -> Sequence[str]:
        """The labels that stand for addresses, in the order of their numbers."""
        return list(self._labels.values())


def nested(text: str) -> list[JSON] | dict[str, JSON] | None:
    """Return the list or object that a text holds as JSON, such as Gong's `mirrorId`; None if it holds none."""
    stripped = text.strip()
    if (stripped[:1] + stripped[-1:]) not in {"[]", "{}"}:
        return None
    try:
        value, _ = json_text.decode(stripped.encode())
    except ValueError:
        return None
    return value if isinstance(value, list | dict) else None
