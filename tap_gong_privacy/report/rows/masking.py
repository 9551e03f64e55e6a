"""Masks other people's addresses and the parts of links that open recordings, and withholds CRM fields by name."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

import msgspec

from tap_gong_privacy.gong import json_text
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.report.rows.tables import Unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from tap_gong_privacy.gong.documented import Field
    from tap_gong_privacy.gong.json_text import JSON
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
_MARK: Final = "…"

# All patterns below are possessive or bounded, so that the time for a text grows with its length alone.
_AT: Final = "@\uff20\ufe6b"
# What the local part of an address can hold only in quotes.
_SPECIALS: Final = r'\s()<>\[\]:;,"\\'
_NAME: Final = rf"\w(?:[\w.-]|[^\x00-\x7f\s{_AT}])*+"
_LITERAL: Final = r"\[[^\[\]\s]{1,80}\]"
_WHOLE: Final = re.compile(rf'(?:"(?:[^"\\]|\\.)*+"|[^{_SPECIALS}{_AT}]++)@(?:{_LITERAL}|{_NAME})')
# At signs with only blanks and invisible characters between them count as one.
_SIGN: Final = re.compile(rf"[{_AT}](?:[^\x21-\x7e\w{_AT}]*+[{_AT}])*+")
# Takes the place of the rest of an escape. It is invisible, so it cannot make one address into another.
_FILL: Final = "\N{WORD JOINER}"
_SLASHES: Final = rf"{_FILL}{{0,9}}/{_FILL}{{0,9}}/{_FILL}{{0,9}}:"
# The text before an at sign, reversed: a quoted local part, or all since the `://` of a link, or one word. Blanks and
# punctuation may be between it and the at sign; marks alone are the last resort, as in `!@example.com`.
_BEFORE: Final = re.compile(
    rf"""(?P<blanks>[\s{_FILL}]*+)(?P<quoted>"(?:[^"\n]|"(?=\\))++(?<!\s)"(?![\w\\]))
    |(?P<gap>(?:(?:[\da-f]{{2}}%|_|[^\w{_SPECIALS}{_AT}])*+[{_SPECIALS}]++)*+)
     (?:(?P<link>(?:(?!{_SLASHES})[^\s"<>])*+)(?={_SLASHES})|(?P<word>[^{_SPECIALS}{_AT}]++))
    |(?P<marks>[^{_SPECIALS}{_AT}]++)""",
    re.IGNORECASE | re.VERBOSE,
)
# The text behind an at sign: a domain, or a name behind punctuation that no domain begins with.
_BEHIND: Final = re.compile(
    rf"(?P<gap>[^\x21-\x7e\w{_AT}]*+)(?P<domain>{_LITERAL}|{_NAME})|[^\w{_AT}]*+(?P<name>{_NAME})"
)
_BLANK: Final = re.compile(r"[\s,;:]")
_PATH: Final = re.compile("[/?#]")
_IN_PATH: Final = re.compile(rf"[/?&#{_SPECIALS}]")
_IN_QUERY: Final = re.compile(rf"[/?&#={_SPECIALS}]")
_MARKS: Final = re.compile(r"[^\x00-\x7f\w]*+")
_OPENING: Final = re.compile(r"(?:[^\x00-\x7f\w]|['`{*|])*+")
_CLOSING: Final = {"'": ("'",), "`": ("`", "'"), "{": ("}",), "*": ("*",), "|": ("|",)}

_ESCAPE: Final = re.compile(
    r"""&(?:amp;?)*+(?:(?P<at>\#0*+64(?!\d);?|\#x0*+40(?![\da-f]);?|commat;)
                      |(?P<entity>\#\d{1,12};|\#x[\da-f]{1,12};|[a-z][a-z\d]{1,31};))
    |(?P<ampersand>&(?:amp;)++)
    |(?<!\\)\\++(?:u(?P<code>(?!d[89a-f])[\da-f]{4})|(?P<slash>/))
    |(?P<printable>=40)(?=(?:[\w-]++\.)+[\w-]*?[^\W\d_])""",
    re.IGNORECASE | re.VERBOSE,
)
_CHARACTERS: Final = {"at": "@", "ampersand": "&", "slash": "/", "printable": "@"}
_PERCENT_AT: Final = re.compile("(?P<at>%(?:25)*+40)")
_PERCENT: Final = re.compile("(?P<percent>(?:%(?:25)*+[89a-f][0-9a-f])++|%(?:25)*+[0-7][0-9a-f])", re.IGNORECASE)
_VARIATIONS: Final = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Unicode makes ASCII characters of these, such as a k of the Kelvin sign. They must not make two addresses equal.
_NOT_ASCII: Final = {0x212A: "\ue000", 0x037E: "\ue001", 0x1FEF: "\ue002"}

_LINK: Final = re.compile(
    r"""(?:(?::|%(?:25)*+3a)(?:\\?/|%(?:25)*+2f){2}|(?<![^\s"'(=<>])(?://|www\.)
    |(?<![\w.@/%+-])(?:[\w-]++\.)++[^\W\d_]{2,}+(?::\d++)?(?=/|\?[\w.-]++=))[^\s<>"]+""",
    re.IGNORECASE | re.VERBOSE,
)
# The number sign of an entity, as in `&#64;`, begins no fragment.
_REST_OF_LINK: Final = re.compile(
    r"(?:[?\uff1f\uff03]|(?<!&)(?<!amp;)\#|%(?:25)*+(?:3f|23)).+", re.IGNORECASE | re.DOTALL
)
_TOKEN: Final = re.compile(r"(tkn(?:=|%(?:25)*+3d))[^/;&?#\s<>\"…]+", re.IGNORECASE)
_LINK_SIGNS: Final = re.compile(r"[?#=%\uff1f\uff03]")
# A text without any of these has nothing to mask.
_SIGNS: Final = re.compile(rf"[{_AT}&%\\=?#\uff1f\uff03{{\[]")
# Gong's id of a meeting in a Google calendar. It looks like an address, but is nobody's.
_CALENDAR_ID: Final = re.compile(r"[0-9]{10,20}\.(?=[a-v]*[0-9])[0-9a-v]{26,}@google\.com(?:_[0-9TZ:.+-]+)?")

# The tap adds a number to the second of two equal names.
_NUMBER: Final = re.compile(r"#[0-9]+\s*$")
_COLUMNS: Final = {section.stream: {inner.column: inner.fields for inner in section.fields} for section in SECTIONS}
# JSON in a text in JSON in a text, and so on, could exhaust Python's stack.
_DEEPEST: Final = 2
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
        self._own = {_key(address.strip()) for address in self.own}
        self._staff = tuple(f".{_key(domain.strip().lstrip('@.'))}" for domain in self.staff_domains)
        self._hidden = {name.strip().casefold() for name in self.hidden_fields}
        self._labels: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()
        self._remembered: dict[str, tuple[str, int, int]] = {}
        self._depth = 0

    def row(self, stream: str, row: Row) -> Row:
        """Return a row with its values masked."""
        return {column: self._column(stream, column, value) for column, value in row.items()}

    def value(self, value: JSON) -> JSON:
        """Return a value with all its texts masked, names of objects included."""
        return self._value(value, "person")

    def text(self, text: str) -> str:
        """Return a text without other people's addresses and without what opens a link."""
        return self._text(text, "person")

    def is_own(self, text: str) -> bool:
        """Return whether a text is one of the addresses that were asked about, in any case."""
        return _key(text) in self._own

    def _column(self, stream: str, column: str, value: Value) -> Value:
        if isinstance(value, str):
            is_calendar_id = stream == "meetings" and column == "id" and _CALENDAR_ID.fullmatch(value)
            return value if is_calendar_id else self._text(value, _NOUNS.get((stream, column), "person"))
        if value is None or isinstance(value, datetime | Unreadable):
            return value
        return self._value(value, "person", _COLUMNS.get(stream, {}).get(column, ()))

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
            hidden = {key for key in filled if key != "name"}
            counted = {name} if hidden else set()
        else:
            counted = hidden = {key for key in filled if key not in columns and self._is_hidden(key)}
        for withheld in counted:
            self.withheld[withheld] = self.withheld.get(withheld, 0) + 1
        return hidden

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
        inner = nested(text) if self._depth < _DEEPEST else None
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
        return text if self._total() == before else encode(masked).decode()

    def _total(self) -> int:
        return self.addresses + self.links + sum(self.withheld.values())

    def _plain(self, text: str, noun: str) -> str:
        if self.is_own(text):
            return text
        # A text that is one address has no parts of a link, although its local part may look like them.
        is_address = not self.shows_others and _WHOLE.fullmatch(text)
        if not (self.shows_links or is_address):
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
        for address in _addresses(text):
            key = _key(f"{address.local}@{address.domain}")
            if key not in self._own:
                label = self._label(key, address, noun) if address.is_whole else _first_of(address)
                parts += [text[written : address.start], label]
                written = address.end
                self.addresses += 1
        return "".join([*parts, text[written:]])

    def _label(self, key: str, address: _Address, noun: str) -> str:
        if key not in self._labels:
            noun = "staff" if f".{_key(address.domain)}".endswith(self._staff) else noun
            self._numbers[noun] += 1
            masked = f"{_first_of(address)}@{_visible(address.domain)}"
            self._labels[key] = LABELS[noun].format(number=self._numbers[noun], masked=masked)
        return self._labels[key]


class _Address(NamedTuple):
    """An address in a text.

    Attributes:
        local: Its local part.
        domain: Its domain; empty if none is recognised.
        start: Where it begins.
        end: Where it ends; if it is not whole, where its local part ends.
        is_whole: Whether it has a domain, and the domain is not the local part of another address.
    """

    local: str
    domain: str
    start: int
    end: int
    is_whole: bool


def _first_of(address: _Address) -> str:
    return _visible(address.local).lstrip('"')[:1] + _MARK


def _addresses(text: str) -> Iterator[_Address]:
    """Find the addresses in a text, and words before an at sign that could be local parts of addresses."""
    # In a text that is one address, an escape is a part of it.
    seen = text if _WHOLE.fullmatch(text) else _seen(text)
    start = 0
    is_behind_address = False
    for sign in _SIGN.finditer(seen):
        address = _address_at(sign, seen, start, is_behind_address=is_behind_address)
        is_behind_address = address is not None and address.is_whole
        start = address.end if address and address.is_whole else sign.end()
        if address:
            yield address


def _address_at(sign: re.Match[str], seen: str, start: int, *, is_behind_address: bool) -> _Address | None:
    """Return the address that an at sign belongs to; None if there is nothing to hide beside it.

    Args:
        sign: The at sign.
        seen: The text as a reader sees it.
        start: Where the address can begin at the earliest.
        is_behind_address: Whether another address ends there.
    """
    before = _BEFORE.match(seen[start : sign.start()][::-1])
    kind = before and before.lastgroup
    if not (before and kind):
        return None
    gap = before["blanks"] or before["gap"] or ""
    end = sign.start() - len(gap)
    begin = end - len(before[kind])
    begin += _length_of_link(seen[begin:end], kind, is_behind_address=is_behind_address and begin == start)
    domain = _domain_at(seen, sign.end())
    begin = _behind_marks(seen, begin, end, domain.end)
    local = seen[begin:end]
    if not domain.is_dotted and (_BLANK.search(gap) or not any(map(str.isalnum, local))):
        # As in `5 @ 3`, `meet @ noon` and `.@handle`.
        return None
    is_whole = bool(domain.name) and not domain.is_local_part
    address = _Address(local, domain.name, begin, domain.end if is_whole else end, is_whole)
    return address if _visible(local) else None


def _length_of_link(text: str, kind: str, *, is_behind_address: bool) -> int:
    """Return how much of a text before an at sign is a link that an address is part of.

    A link is known by its `://`, which no local part can hold. Without it, `/` and `?` can be part of the address.
    """
    if kind == "link" and _PATH.search(text):
        separator = _IN_QUERY if "?" in text else _IN_PATH
    elif kind == "word" and is_behind_address and text.lstrip(_FILL).startswith(("/", "?", "&", "#")):
        separator = _IN_QUERY
    else:
        # In a link without a path, this is a user with a password.
        return 0
    return len(text) - len(separator.split(text)[-1])


def _behind_marks(seen: str, start: int, end: int, behind: int) -> int:
    """Return where a local part begins behind marks such as `•` and quotes that are closed behind the domain.

    Args:
        seen: The text.
        start: Where the marks begin.
        end: Where the local part ends.
        behind: Where the domain ends.
    """
    begin = _end_of(_MARKS, seen, start)
    local = _end_of(_OPENING, seen, start)
    for mark in reversed(seen[begin:local]):
        if mark.isascii():
            behind = _end_of(_MARKS, seen, behind)
            if not seen.startswith(_CLOSING[mark], behind):
                # A quote that is not closed is a part of the address.
                local = begin
                break
            behind += 1
    return local if local < end else start


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


class _Domain(NamedTuple):
    """What is behind an at sign.

    Attributes:
        name: The domain; empty if none is recognised.
        end: Where it ends.
        is_dotted: Whether a name with a dot and letters follows, be it only behind punctuation.
        is_local_part: Whether another at sign follows it directly.
    """

    name: str
    end: int
    is_dotted: bool = False
    is_local_part: bool = False


def _domain_at(seen: str, start: int) -> _Domain:
    match = _BEHIND.match(seen, start)
    kind = match and match.lastgroup
    if not (match and kind):
        return _Domain("", start)
    part = name = match[kind]
    is_dotted = name.startswith("[")
    if not is_dotted:
        part = _before_marks(name)
        name = _before_dots(part)
        host, _, last = name.rpartition(".")
        is_dotted = bool(host) and any(map(str.isalpha, last))
    # A domain without a dot, such as `intranet`, has no blanks before it.
    is_recognised = kind == "domain" and (is_dotted or not _BLANK.search(match["gap"]))
    begin = match.start(kind)
    is_local_part = seen.startswith(tuple(_AT), begin + len(part))
    return _Domain(name if is_recognised else "", begin + len(name), is_dotted, is_local_part)


def _before_marks(name: str) -> str:
    """Return a name up to the first character that no domain has, such as `”`."""
    if name.isascii():
        return name
    return "".join(takewhile(lambda letter: letter in "._-" or unicodedata.category(letter)[0] not in "PSZ", name))


def _before_dots(name: str) -> str:
    """Return a name up to its last letter, digit or combining mark."""
    end = len(name)
    while end and not (name[end - 1].isalnum() or unicodedata.category(name[end - 1])[0] == "M"):
        end -= 1
    return name[:end]


def _seen(text: str) -> str:
    """Return a text as a reader sees it, in the same length: a character and fill in place of each escape.

    If there is an at sign in clear, percent escapes other than of at signs stay: a local part may hold a `%22`.
    """
    seen = _ESCAPE.sub(_meaning, text)
    is_clear = any(at in seen for at in _AT)
    return (_PERCENT_AT if is_clear else _PERCENT).sub(_meaning, seen)


def _meaning(escape: re.Match[str]) -> str:
    kind = escape.lastgroup or ""
    code = escape[kind]
    match kind:
        case "entity":
            meaning = html.unescape(f"&{code}")
        case "code":
            meaning = chr(int(code, 16))
        case "percent":
            meaning = unquote(re.sub("%(?:25)+", "%", code))
        case _:
            meaning = _CHARACTERS[kind]
    return meaning.ljust(len(escape[0]), _FILL)


def _visible(text: str) -> str:
    """Return a text in NFC, without invisible characters."""
    if text.isascii():
        return text
    letters = (letter for letter in _VARIATIONS.sub("", text) if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFC", "".join(letters))


def _key(text: str) -> str:
    """Return what two spellings of one address have in common.

    It is not `casefold()`, which makes `strasse` of `straße`: these are two addresses.
    """
    return text.lower() if text.isascii() else _visible(text.translate(_NOT_ASCII)).lower()


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


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: object) -> bytes:
    """Return JSON in UTF-8."""
    return _encoder.encode(value)
