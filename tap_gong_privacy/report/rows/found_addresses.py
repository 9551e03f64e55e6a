"""Finds e-mail addresses in texts, however somebody or some program has written them."""

from __future__ import annotations

import html
import re
import unicodedata
from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

# No pattern below goes back over a text more than once, so that the time for a text grows no faster than its length.
AT_SIGNS: Final = "@\uff20\ufe6b"
# What the local part of an address can hold only in quotes.
_SPECIALS: Final = r'\s()<>\[\]:;,"\\'
_NAME: Final = rf"\w(?:[\w.-]|[^\x00-\x7f\s{AT_SIGNS}])*+"
_LITERAL: Final = r"\[[^\[\]\s]{1,80}\]"
_WHOLE: Final = re.compile(rf'(?:"(?:[^"\\]|\\.)*+"|[^{_SPECIALS}{AT_SIGNS}]++)@(?:{_LITERAL}|{_NAME})')
# At signs with only blanks and invisible characters between them count as one.
_SIGN: Final = re.compile(rf"[{AT_SIGNS}](?:[^\x21-\x7e\w{AT_SIGNS}]*+[{AT_SIGNS}])*+")
# Fills the place of an escape whose character is shorter. It is invisible, so it turns no address into another.
_FILL: Final = "\N{WORD JOINER}"
_SLASHES: Final = rf"{_FILL}{{0,9}}/{_FILL}{{0,9}}/{_FILL}{{0,9}}:"
# The text before an at sign, reversed: a quoted local part, or a link from its `://` on, or one word, with blanks and
# punctuation between it and the at sign; or else punctuation alone, as in `!@example.com`.
_BEFORE: Final = re.compile(
    rf"""(?P<blanks>[\s{_FILL}]*+)(?P<quoted>"(?:[^"\n]|"(?=\\))++(?<!\s)"(?![\w\\]))
    |(?P<gap>(?:(?:[\da-f]{{2}}%|_|[^\w{_SPECIALS}{AT_SIGNS}])*+[{_SPECIALS}]++)*+)
     (?:(?P<link>(?:(?!{_SLASHES})[^\s"<>])*+)(?={_SLASHES})|(?P<word>[^{_SPECIALS}{AT_SIGNS}]++))
    |(?P<marks>[^{_SPECIALS}{AT_SIGNS}]++)""",
    re.IGNORECASE | re.VERBOSE,
)
# The text behind an at sign: a domain, or a name behind punctuation, with which no domain begins.
_BEHIND: Final = re.compile(
    rf"(?P<gap>[^\x21-\x7e\w{AT_SIGNS}]*+)(?P<domain>{_LITERAL}|{_NAME})|[^\w{AT_SIGNS}]*+(?P<name>{_NAME})"
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


class FoundAddress(NamedTuple):
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

    @property
    def key(self) -> str:
        """What all spellings of the address have in common."""
        return key_of(f"{self.local}@{self.domain}")

    @property
    def initial(self) -> str:
        """Its first letter."""
        return visible(self.local).lstrip('"')[:1]


def is_address(text: str) -> bool:
    """Return whether a text is one address and nothing else."""
    return _WHOLE.fullmatch(text) is not None


def find(text: str) -> Iterator[FoundAddress]:
    """Find the addresses in a text, and words before an at sign that could be local parts of addresses."""
    # In a text that is one address, an escape is a part of it.
    seen = text if is_address(text) else _seen(text)
    start = 0
    is_behind_address = False
    for sign in _SIGN.finditer(seen):
        address = _address_at(sign, seen, start, is_behind_address=is_behind_address)
        is_behind_address = address is not None and address.is_whole
        start = address.end if address and address.is_whole else sign.end()
        if address:
            yield address


def _address_at(sign: re.Match[str], seen: str, start: int, *, is_behind_address: bool) -> FoundAddress | None:
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
    is_word_beside = any(map(str.isalnum, local)) and not _BLANK.search(gap)
    if not visible(local) or not (domain.is_dotted or is_word_beside):
        # As in `@handle`, `5 @ 3` and `meet @ noon`.
        return None
    is_whole = bool(domain.name) and not domain.is_local_part
    return FoundAddress(local, domain.name, begin, domain.end if is_whole else end, is_whole)


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
    is_local_part = seen.startswith(tuple(AT_SIGNS), begin + len(part))
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
    is_clear = any(at in seen for at in AT_SIGNS)
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


def visible(text: str) -> str:
    """Return a text in NFC, without invisible characters."""
    if text.isascii():
        return text
    letters = (letter for letter in _VARIATIONS.sub("", text) if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFC", "".join(letters))


def key_of(text: str) -> str:
    """Return what two spellings of one address have in common.

    It is not `casefold()`, which makes `strasse` of `straße`: these are two addresses.
    """
    return text.lower() if text.isascii() else visible(text.translate(_NOT_ASCII)).lower()
