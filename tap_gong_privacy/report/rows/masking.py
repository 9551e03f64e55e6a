"""Masks what would harm others: their addresses, and what opens a recording. Counts what it masks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import msgspec

from tap_gong_privacy.gong.json_text import JSON, decode
from tap_gong_privacy.report.rows.tables import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MARK: Final = "…"
# Each text is passed through once, from the left, so that no text can make the search slow.
_AT: Final = re.compile(r"[@\uff20\ufe6b]|%(?:25)*40|\\u0040|&(?:amp;)*(?:#0*64|#x0*40|commat);", re.IGNORECASE)
# What cannot be in the local part of an address, unless in quotes.
_BOUNDARY: Final = re.compile(r'[\s()<>\[\]:;\\,"]')
_DOMAIN: Final = re.compile(r"\[[^\[\]\s]{1,80}\]|[^\W_](?:[\w.-]*\w)?")
_IN_LINKS: Final = re.compile(r"[/?&=#]")
_AROUND: Final = re.compile(r"['`/=?&|{}!#$%^*]")
_BEFORE: Final = re.compile(r"^[^\w]*")
_LINK: Final = re.compile(r"""(?::(?:\\?/){2}|(?<![^\s"'(=<>])//|(?<![^\s"'(=<>])www\.)[^\s<>"]+""", re.IGNORECASE)
_REST_OF_LINK: Final = re.compile(r"[?#].*", re.DOTALL)
_TOKEN: Final = re.compile(r"(tkn(?:=|%(?:25)*3d))[^/;&?#\s<>\"…]+", re.IGNORECASE)
# Gong's identifier of a meeting in a Google calendar, which has the form of an address, and is nobody's.
_CALENDAR_ID: Final = re.compile(r"\d+\.\w+@google\.com(?:_[\w:.+-]+)?")


@dataclass
class Masker:
    """Masks the values of one page.

    Attributes:
        own: The addresses that were asked about, which stay as they are, in any case.
        shows_others: Whether others' addresses are shown.
        shows_links: Whether links are shown whole.
        addresses: How many addresses were masked.
        links: How many links were shortened.
    """

    own: object
    staff_domains: tuple = ()
    hidden_fields: tuple = ()
    shows_others: bool = False
    shows_links: bool = False
    addresses: int = 0
    links: int = 0

    def __post_init__(self):
        self.own = frozenset(a.casefold() for a in self.own)
        self.withheld = {}

    def is_own(self, t):
        return t.casefold() in self.own

    @classmethod
    def for_person(cls, addresses: Iterable[str], *, shows_others: bool = False, shows_links: bool = False) -> Masker:
        """Return one that leaves a person's own addresses as they are."""
        return cls(frozenset(address.casefold() for address in addresses), shows_others, shows_links)

    def row(self, stream: str, row: Row) -> Row:
        """Return a row with its values masked."""
        return {
            column: value if _is_calendar_id(stream, column, value) else self._column(value)
            for column, value in row.items()
        }

    def _column(self, value: object) -> JSON:
        if isinstance(value, str):
            return self.text(value)
        return self.value(value) if isinstance(value, list | dict) else value  # type: ignore[return-value]

    def value(self, value: JSON) -> JSON:
        """Return a value with all its texts masked, names of objects included."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(element) for element in value]
            case dict():
                return self._object(value)
            case _:
                return value

    def _object(self, value: Mapping[str, JSON]) -> dict[str, JSON]:
        masked: dict[str, JSON] = {}
        for key, element in value.items():
            name = shown = self.text(key)
            number = 1
            # Two names may be one when they are masked: neither may go.
            while name in masked or (name != key and name in value):
                number += 1
                name = f"{shown}#{number}"
            masked[name] = self.value(element)
        return masked

    def text(self, text: str) -> str:
        """Return a text without others' addresses and without what opens a link."""
        if text.casefold() in self.own:
            return text
        inner = nested(text)
        if inner is not None:
            # JSON within the text, where an escape could hide an address.
            before = self.addresses + self.links
            masked = self.value(inner)
            return text if self.addresses + self.links == before else encode(masked).decode()
        if not self.shows_links:
            text = self._without_links(text)
        return text if self.shows_others else self._without_addresses(text)

    def _without_links(self, text: str) -> str:
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

    def _without_addresses(self, text: str) -> str:
        parts: list[str] = []
        written = start = 0
        for match in _AT.finditer(text):
            local = _local_part(text[start : match.start()])
            start = match.end()
            domain = _DOMAIN.match(text, match.end())
            if not (local and domain):
                continue
            if self._is_own(local, domain[0]):
                start = _end_of(domain, text)
                continue
            before = _BEFORE.match(local)
            lead = before[0] if before else ""
            # Of a quoted local part, too, only the first character is shown.
            first = local[len(lead) :][:1]
            at = match.start()
            parts += [text[written : at - len(local)], lead.replace('"', ""), first, _MARK]
            # A domain with an at sign behind it may be the local part of another address.
            if _AT.match(text, domain.end()):
                written = at
            else:
                parts += ["@", domain[0]]
                written = start = domain.end()
            self.addresses += 1
        return "".join([*parts, text[written:]])

    def _is_own(self, local: str, domain: str) -> bool:
        candidates = [f"{part}@{domain}".casefold() for part in (local, _AROUND.split(local)[-1])]
        return not self.own.isdisjoint([*candidates, *map(unquote, candidates)])


def _end_of(domain: re.Match[str], text: str) -> int:
    """Return where the next local part may begin: at the domain itself if an at sign is behind it, as it may be one."""
    return domain.start() if _AT.match(text, domain.end()) else domain.end()


def _local_part(text: str) -> str:
    """Return what may be the local part of an address at the end of a text; empty where there is none."""
    if text.endswith('"'):
        return text[start:] if (start := text.rfind('"', 0, -1)) >= 0 else ""
    local = _BOUNDARY.split(text)[-1]
    # In a link, these separate; elsewhere they may be part of the address.
    return _IN_LINKS.split(local)[-1] if "//" in local else local


def _is_calendar_id(stream: str, column: str, value: object) -> bool:
    return stream == "meetings" and column == "id" and isinstance(value, str) and bool(_CALENDAR_ID.fullmatch(value))


def nested(text: str) -> list[JSON] | dict[str, JSON] | None:
    """Return the list or object that a text holds as JSON, such as Gong's `mirrorId`; None where it holds none."""
    stripped = text.strip()
    if (stripped[:1] + stripped[-1:]) not in {"[]", "{}"}:
        return None
    try:
        value = decode(stripped.encode())[0]
    except ValueError:
        return None
    return value if isinstance(value, list | dict) else None


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: object) -> bytes:
    """Return JSON in UTF-8."""
    return _encoder.encode(value)
