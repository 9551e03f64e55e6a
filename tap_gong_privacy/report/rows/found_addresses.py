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

# No pattern goes back over a text more than once, so the time that it takes grows no faster than the text. Only single
# characters are repeated possessively, because Python before 3.11.5 matches groups wrongly that are repeated so.
AT_SIGNS: Final = "@\uff20\ufe6b"
# What the local part of an address can hold only in quotes.
_SPECIALS: Final = r'\s()<>\[\]:;,"\\'
# Letters, digits, `_`, `.`, `-`, and all beyond ASCII that is neither a blank nor an at sign.
_NAME: Final = rf"\w[^\x00-,/:-@\[-^`{{-\x7f\s{AT_SIGNS}]*+"
_LITERAL: Final = r"\[[^\[\]\s]{1,80}\]"
_WHOLE: Final = re.compile(rf'(?:"[^"\\]*+(?:\\.[^"\\]*+)*"|[^{_SPECIALS}{AT_SIGNS}]++)@(?:{_LITERAL}|{_NAME})')
# At signs with only blanks and invisible characters between them count as one.
_SIGN: Final = re.compile(rf"[{AT_SIGNS}](?:[^\x21-\x7e\w{AT_SIGNS}]*+[{AT_SIGNS}])*")
# Fills the place of an escape whose character is shorter. It is invisible, so it turns no address into another.
_FILL: Final = "\N{WORD JOINER}"
# These match what is before an at sign, reversed.
_QUOTED: Final = re.compile(rf'(?P<gap>[\s{_FILL}]*+)(?P<local>"[^"\n]*+(?:"(?=\\)[^"\n]*+)*(?<![\s"])"(?![\w\\]))')
_GAP: Final = re.compile(rf"(?:[\W_]*[{_SPECIALS}])?")
_RUN: Final = re.compile(r'[^\s"<>]*+')
_SLASHES: Final = re.compile(rf"{_FILL}{{0,9}}/{_FILL}{{0,9}}/{_FILL}{{0,9}}:")
_WORD: Final = re.compile(rf"[^{_SPECIALS}]*+")
# What is behind an at sign: a domain, or a name behind punctuation, with which no domain begins.
_BEHIND: Final = re.compile(
    rf"(?P<gap>[^\x21-\x7e\w{AT_SIGNS}]*+)(?P<domain>{_LITERAL}|{_NAME})|[^\w{AT_SIGNS}]*+(?P<name>{_NAME})"
)
_BLANK: Final = re.compile(r"[\s,;:]")
_PATH: Final = re.compile("[/?#]")
_IN_PATH: Final = re.compile(rf"[/?&#{_SPECIALS}]")
_IN_QUERY: Final = re.compile(rf"[/?&#={_SPECIALS}]")
_MARKS: Final = re.compile(r"[^\x00-\x7f\w]*+")
_OPENING: Final = re.compile(r"(?:[^\x00-\x7f\w]|['`{*|])*")
_CLOSING: Final = {"'": ("'",), "`": ("`", "'"), "{": ("}",), "*": ("*",), "|": ("|",)}

_ESCAPE: Final = re.compile(
    r"""&(?:amp;?){0,20}(?:(?P<at>\#0*+64(?!\d);?|\#x0*+40(?![\da-f]);?|commat;)
                         |(?P<entity>\#\d{1,12};|\#x[\da-f]{1,12};|[a-z][a-z\d]{1,31};))
    |(?<!\\)\\++(?:u(?P<code>(?!d[89a-f])[\da-f]{4})|(?P<slash>/))
    |(?P<printable>=40)(?=(?:[\w-]++\.)+[\w-]*?[^\W\d_])""",
    re.IGNORECASE | re.VERBOSE,
)
_CHARACTERS: Final = {"at": "@", "slash": "/", "printable": "@"}
_PERCENT_AT: Final = re.compile("(?P<at>%(?:25)*40)")
_PERCENT: Final = re.compile(
    r"(?P<percent>%(?:25)*(?:[0-7][\da-f]|[c-f][\da-f](?:%(?:25)*[89ab][\da-f]){1,3}))", re.ASCII | re.IGNORECASE
)
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
    gap, length, is_link = _before(seen[start : sign.start()])
    end = sign.start() - gap
    begin = end - length
    begin += _length_of_link(seen[begin:end], is_link=is_link, is_behind_address=is_behind_address and begin == start)
    domain = _domain_at(seen, sign.end())
    begin = _behind_marks(seen, begin, end, domain.end)
    local = seen[begin:end]
    is_word_beside = any(map(str.isalnum, local)) and not _BLANK.search(seen, end, sign.start())
    if not visible(local) or not (domain.is_dotted or is_word_beside):
        # As in `@handle`, `5 @ 3` and `meet @ noon`.
        return None
    is_whole = bool(domain.name) and not domain.is_local_part
    return FoundAddress(local, domain.name, begin, domain.end if is_whole else end, is_whole)


def _before(text: str) -> tuple[int, int, bool]:
    """Return how long the gap before an at sign is, how long what comes before the gap is, and whether it is a link.

    It is a quoted local part, or a link from its `://` on, or one word. Punctuation alone, as in `!@example.com`, is a
    word only if there is no other.
    """
    reverse = text[::-1]
    if quoted := _QUOTED.match(reverse):
        return len(quoted["gap"]), len(quoted["local"]), False
    gap = _end_of(_GAP, reverse, 0)
    slashes = _SLASHES.search(reverse, gap, _end_of(_RUN, reverse, gap))
    end = slashes.start() if slashes else _end_of(_WORD, reverse, gap)
    if end == gap and not slashes:
        gap, end = 0, _end_of(_WORD, reverse, 0)
    return gap, end - gap, slashes is not None


def _length_of_link(text: str, *, is_link: bool, is_behind_address: bool) -> int:
    """Return how much of a text before an at sign is a link that an address is part of.

    A link is known by its `://`, which no local part can hold. Without it, `/` and `?` can be part of the address.
    """
    if is_link and _PATH.search(text):
        separator = _IN_QUERY if "?" in text else _IN_PATH
    elif is_behind_address and not is_link and text.lstrip(_FILL).startswith(("/", "?", "&", "#")):
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
