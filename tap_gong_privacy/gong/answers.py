"""The bodies that Gong sends: what makes one a complete answer, and what can be read from the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tap_gong_privacy.gong import json_text
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.gong.json_text import JSON

Element: TypeAlias = dict[str, JSON]

REQUEST_ID = "requestId"
_ERRORS = "errors"


class UnusableError(Exception):
    """The body is not a complete answer. The message never quotes it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Gong holds about an address.

    Attributes:
        sections: The elements of each documented section, by Gong's name; a null or missing one is empty.
        request_id: Gong's `requestId`, as it came.
        undocumented: The other top-level fields, verbatim.
        is_repaired: Whether characters that no target can store were replaced.
    """

    sections: dict[str, list[Element]]
    request_id: JSON
    undocumented: dict[str, JSON]
    is_repaired: bool

    @property
    def holds_something(self) -> bool:
        """Whether a section has an element, or an undocumented field holds a value at any depth."""
        return any(self.sections.values()) or _has_value(self.undocumented)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Gong says when it does not answer the question.

    Attributes:
        messages: Those of its errors that are text or numbers.
        request_id: Gong's `requestId`, as it came.
        undocumented: The other top-level fields, verbatim, and errors of another type by their index.
        is_repaired: Whether characters that no target can store were replaced.
    """

    messages: tuple[str, ...]
    request_id: JSON
    undocumented: dict[str, JSON]
    is_repaired: bool


def read_refusal(body: bytes) -> Refusal:
    """Read the body of an error. It may hold anything, and need not even be JSON.

    Args:
        body: The body, decompressed.

    Returns:
        What could be read.
    """
    try:
        content, is_repaired = json_text.decode(body)
    except ValueError:
        return Refusal((), None, {}, is_repaired=False)
    if not isinstance(content, dict):
        return Refusal((), None, {}, is_repaired=False)
    messages: list[str] = []
    errors = content.pop(_ERRORS, None)
    if errors is not None and not isinstance(errors, list):
        content[_ERRORS] = errors
        errors = None
    for index, error in enumerate(errors or ()):
        message = json_text.text_of(error)
        if message is not None:
            messages.append(message)
        elif error is not None:
            content[json_text.free_name(f"{_ERRORS}[{index}]", content)] = error
    return Refusal(tuple(messages), content.pop(REQUEST_ID, None), content, is_repaired)


def read(body: bytes) -> Answer:
    """Read the body of a 200.

    Args:
        body: The body, decompressed.

    Returns:
        The answer.

    Raises:
        UnusableError: If it is not a complete answer as documented. To read such a body as "nothing held" would be a
            false statement about a person.
    """
    try:
        content, is_repaired = json_text.decode(body)
    except json_text.RepeatedNameError:
        msg = "its body has one name twice in an object, so that a value would be lost"
        raise UnusableError(msg) from None
    except ValueError:
        msg = "its body is not JSON in UTF-8"
        raise UnusableError(msg) from None
    if not isinstance(content, dict):
        msg = "its body is not a JSON object"
        raise UnusableError(msg)
    if content.get(_ERRORS):
        msg = "it carries errors"
        raise UnusableError(msg)
    records = content.get("records")
    if content.get("cursor") or (isinstance(records, dict) and records.get("cursor")):
        msg = "it names a further page, which this endpoint does not document"
        raise UnusableError(msg)
    sections = {section.name: _elements(content.pop(section.name)) for section in SECTIONS if section.name in content}
    if not sections:
        msg = "it has none of the documented sections"
        raise UnusableError(msg)
    return Answer(
        sections={section.name: sections.get(section.name, []) for section in SECTIONS},
        request_id=content.pop(REQUEST_ID, None),
        undocumented=content,
        is_repaired=is_repaired,
    )


def _elements(value: JSON) -> list[Element]:
    if value is None:
        return []
    if not isinstance(value, list):
        msg = "a section is not a list"
        raise UnusableError(msg)
    elements = [element for element in value if isinstance(element, dict)]
    if len(elements) < len(value):
        msg = "an element of a section is not an object"
        raise UnusableError(msg)
    return elements


def _has_value(value: JSON) -> bool:
    match value:
        case dict():
            return any(map(_has_value, value.values()))
        case list():
            return any(map(_has_value, value))
        case _:
            return bool(value)
