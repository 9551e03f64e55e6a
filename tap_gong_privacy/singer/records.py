"""Turns the elements of an answer into the records of a stream. Fields are renamed and repaired, none is lost."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from tap_gong_privacy.gong import times
from tap_gong_privacy.gong.documented import Field, Kind, Section
from tap_gong_privacy.gong.json_text import JSON, canonical, free_name, text_of
from tap_gong_privacy.singer.schemas import UNDOCUMENTED

if TYPE_CHECKING:
    from tap_gong_privacy.gong.answers import Element

Record: TypeAlias = dict[str, object]
Notice: TypeAlias = Callable[[str], None]
"""Is called with the name of each undocumented field."""
_Others: TypeAlias = "list[tuple[str, JSON]]"
"""The names and values of joined elements that did not fit into the joined element."""


def build(section: Section, elements: list[Element], shared: Record, notice: Notice) -> Iterator[Record]:
    """Build the records of one section of one answer.

    Args:
        section: The section.
        elements: Its elements, as Gong sent them.
        shared: The columns that all records of this answer have in common.
        notice: Is called with the name of each undocumented field.

    Yields:
        Records in the order of the elements. No two have the same key.
    """
    template = dict.fromkeys([section.key, *(field.column for field in section.fields)]) | shared
    if section.is_event:
        occurrences: dict[str, int] = {}
        for element in elements:
            yield _record(section, element, template, notice) | {
                section.key: _event_hash(section, element, occurrences)
            }
        return
    keyed = _Keys(section, template)
    for element, others in _joined(section, elements) if section.joins_twins else zip(elements, itertools.repeat(())):
        record = _record(section, element, template, notice)
        if others:
            record[UNDOCUMENTED] = _with_others(record[UNDOCUMENTED], others)
        if keyed.is_new(record, element):
            yield record


def _record(section: Section, element: Element, template: Record, notice: Notice) -> Record:
    record = template.copy()
    texts, date_times, fields = section.texts, section.date_times, section.by_name
    rest: dict[str, JSON] = {}
    for name, value in element.items():
        # Most values are texts and times that fit their type.
        if type(value) is str and name in texts:
            record[texts[name]] = value
        elif type(value) is str and name in date_times and (time := times.from_text(value)) and not time[1]:
            record[date_times[name]] = time[0]
        elif (field := fields.get(name)) is None:
            rest[free_name(name, rest)] = value
            notice(name)
        elif value is not None:
            record[field.column] = _fit(field, value, name, rest, notice)
    if rest:
        record[UNDOCUMENTED] = rest
    return record


def _with_others(undocumented: object, others: _Others) -> dict[str, JSON]:
    rest: dict[str, JSON] = dict(undocumented) if isinstance(undocumented, dict) else {}
    for name, value in others:
        rest[free_name(name, rest)] = value
    return rest


def _fit(field: Field, value: JSON, path: str, misfits: dict[str, JSON], notice: Notice) -> object:
    """Return a value as its documented type. Return None and add it to the misfits if it does not fit."""
    result: object = None
    is_whole = False
    kind = field.kind
    if kind is Kind.DATE_TIME:
        result, is_whole = _time(value)
    elif kind is Kind.TEXT:
        result = text_of(value)
        is_whole = result is not None
    elif kind is Kind.ANY:
        return value
    elif isinstance(value, list):
        return [_nested(field, element, f"{path}[{index}]", misfits, notice) for index, element in enumerate(value)]
    if not is_whole:
        misfits[free_name(path, misfits)] = value
    return result


def _time(value: JSON) -> tuple[str | None, bool]:
    """Return a value as a time in UTC, and whether the time says all that the value did."""
    time: tuple[str, bool] | None = None
    if type(value) is str:
        time = times.from_text(value)
    elif isinstance(value, Decimal) or type(value) is int:
        time = times.from_epoch(Decimal(value))
    return (time[0], not time[1]) if time else (None, False)


def _nested(field: Field, element: JSON, path: str, misfits: dict[str, JSON], notice: Notice) -> Record | None:
    if not isinstance(element, dict):
        if element is not None:
            misfits[free_name(path, misfits)] = element
        return None
    result = field.empty.copy()
    for name, value in element.items():
        inner = field.by_name.get(name)
        if inner is None:
            # The key may have a column's name. Then it gets a number, and a name that no other key of the object has.
            result[free_name(name, result, element) if name in result else name] = value
            notice(name)
        elif value is not None:
            result[inner.column] = _fit(inner, value, f"{path}.{name}", misfits, notice)
    return result


class _Keys:
    """Assigns a unique key to every record of one section of an answer."""

    def __init__(self, section: Section, template: Record) -> None:
        self._section = section
        self._template = template
        self._first: dict[str, Element] = {}
        self._contents: dict[str, set[bytes]] = {}

    def is_new(self, record: Record, element: Element) -> bool:
        """Set the record's key. Return False if an identical record was already emitted."""
        column = self._section.key
        record[column] = key = record[column] or _missing_hash(element, column)
        key = str(key)
        first = self._first.setdefault(key, element)
        if first is element:
            return True
        if key not in self._contents:
            self._contents[key] = {canonical(self._rebuild(first, key))}
        contents = self._contents[key]
        content = canonical(record)
        if content in contents:
            return False
        contents.add(content)
        numbers = itertools.count(len(contents))
        record[column] = name = next(name for n in numbers if (name := f"{key}#{n}") not in self._first)
        self._first[name] = element
        return True

    def _rebuild(self, element: Element, key: str) -> Record:
        return _record(self._section, element, self._template, _ignore) | {self._section.key: key}


def _ignore(_name: str) -> None:
    """Discard the notice, because the field was already reported."""


def _missing_hash(element: Element, key: str) -> str:
    """Return the key of an element without one: a hash of all else that Gong sent. Never changes (see `canonical`)."""
    # Compared one by one, because a list or an object cannot be looked up in a set.
    content = {name: value for name, value in element.items() if name != key or (value is not None and value != "")}
    return f"missing-{hashlib.sha256(canonical(content)).hexdigest()}"


def _event_hash(section: Section, element: Element, occurrences: dict[str, int]) -> str:
    """Return the hash that is an event's key. Never changes (see `canonical`).

    It is SHA-256, in hexadecimal, of a canonical JSON list: the values of the documented fields as Gong sent them, in
    the documented order, with null for a missing one. If an answer has several events with equal values, the list of
    the second one ends with 2, and so on.
    """
    values: list[JSON] = [element.get(field.name) for field in section.fields]
    digest = hashlib.sha256(canonical(values)).hexdigest()
    occurrences[digest] = occurrence = occurrences.get(digest, 0) + 1
    if occurrence == 1:
        return digest
    return hashlib.sha256(canonical([*values, occurrence])).hexdigest()


def _joined(section: Section, elements: list[Element]) -> Iterator[tuple[Element, _Others]]:
    """Join the elements that have the same key. Yield each joined element, and what did not fit into it."""
    groups: dict[str, list[Element]] = {}
    for position, element in enumerate(elements):
        key = text_of(element.get(section.key))
        # An element without a key is joined to no other, so its group has a name that no key can have.
        groups.setdefault(f"key {key}" if key else f"none {position}", []).append(element)
    for group in groups.values():
        yield _join(section, group) if len(group) > 1 else (group[0], [])


def _join(section: Section, group: list[Element]) -> tuple[Element, _Others]:
    lists: dict[str, list[JSON]] = {field.name: [] for field in section.fields if field.kind is Kind.OBJECTS}
    joined: Element = {section.key: group[0][section.key]}
    others: _Others = []
    seen: set[bytes] = set()
    for element in {canonical({**element, section.key: None}): element for element in group}.values():
        for name, value in element.items():
            if name in lists and isinstance(value, list):
                lists[name] += value
                joined[name] = lists[name]
            elif name == section.key or (name in lists and value is None):
                continue
            elif (same := canonical([name, value])) not in seen:
                seen.add(same)
                if name in joined or name in lists:
                    others.append((name, value))
                else:
                    joined[name] = value
    return joined, others
